//! Relations over at most 64 events, one machine word a row.

/// The most events that one execution may have.
pub(crate) const MAX_EVENTS: usize = 64;

/// A binary relation on `0..n`.
#[derive(Clone)]
pub(crate) struct Rel {
    n: usize,
    rows: [u64; MAX_EVENTS],
}

/// The indexes of the bits that are set in `mask`, in rising order.
pub(crate) fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (mask != 0).then(|| {
            let low = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            low
        })
    })
}

impl Rel {
    /// The empty relation on `n` elements.
    pub(crate) fn new(n: usize) -> Self {
        assert!(
            n <= MAX_EVENTS,
            "{n} events are more than the checker can hold"
        );
        Self {
            n,
            rows: [0; MAX_EVENTS],
        }
    }

    /// The same pairs on a larger set.
    pub(crate) fn widened(&self, n: usize) -> Self {
        assert!(n >= self.n && n <= MAX_EVENTS, "a relation only grows");
        Self { n, rows: self.rows }
    }

    pub(crate) fn add(&mut self, a: usize, b: usize) {
        debug_assert!(a < self.n && b < self.n);
        self.rows[a] |= 1 << b;
    }

    /// Adds every pair of `{a} x mask`.
    pub(crate) fn add_row(&mut self, a: usize, mask: u64) {
        self.rows[a] |= mask;
    }

    /// Adds every pair of `mask x {b}`.
    pub(crate) fn add_column(&mut self, mask: u64, b: usize) {
        for a in bits(mask) {
            self.rows[a] |= 1 << b;
        }
    }

    pub(crate) fn has(&self, a: usize, b: usize) -> bool {
        self.rows[a] >> b & 1 == 1
    }

    pub(crate) fn row(&self, a: usize) -> u64 {
        self.rows[a]
    }

    /// The predecessors of `b`.
    pub(crate) fn column(&self, b: usize) -> u64 {
        (0..self.n)
            .filter(|&a| self.has(a, b))
            .fold(0, |m, a| m | 1 << a)
    }

    pub(crate) fn union_with(&mut self, other: &Rel) {
        for (row, more) in self.rows[..self.n].iter_mut().zip(&other.rows) {
            *row |= more;
        }
    }

    /// Keeps the pairs of `from x to`.
    pub(crate) fn restrict(&self, from: u64, to: u64) -> Rel {
        let mut out = Rel::new(self.n);
        for a in bits(from) {
            out.rows[a] = self.rows[a] & to;
        }
        out
    }

    /// `self ; other`.
    pub(crate) fn then(&self, other: &Rel) -> Rel {
        let mut out = Rel::new(self.n);
        for a in 0..self.n {
            out.rows[a] = bits(self.rows[a]).fold(0, |m, b| m | other.rows[b]);
        }
        out
    }

    /// With every element related to itself.
    pub(crate) fn reflexive(mut self) -> Rel {
        for a in 0..self.n {
            self.rows[a] |= 1 << a;
        }
        self
    }

    /// The transitive closure.
    pub(crate) fn closed(mut self) -> Rel {
        for via in 0..self.n {
            let onward = self.rows[via];
            if onward == 0 {
                continue;
            }
            for row in &mut self.rows[..self.n] {
                if *row >> via & 1 == 1 {
                    *row |= onward;
                }
            }
        }
        self
    }

    /// Whether no element is related to itself.
    pub(crate) fn is_irreflexive(&self) -> bool {
        (0..self.n).all(|a| !self.has(a, a))
    }

    /// Whether no path leads from an element back to itself: elements without
    /// a successor are peeled off until nothing is left or nothing gives.
    pub(crate) fn is_acyclic(&self) -> bool {
        let mut alive = if self.n == MAX_EVENTS {
            u64::MAX
        } else {
            (1 << self.n) - 1
        };
        loop {
            let dead = bits(alive)
                .filter(|&a| self.rows[a] & alive == 0)
                .fold(0u64, |m, a| m | 1 << a);
            if dead == 0 {
                return alive == 0;
            }
            alive &= !dead;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closure_finds_the_cycle_and_peeling_agrees() {
        let mut chain = Rel::new(4);
        chain.add(0, 1);
        chain.add(1, 2);
        chain.add(2, 3);
        assert!(chain.is_acyclic());
        assert!(chain.clone().closed().has(0, 3));
        chain.add(3, 1);
        assert!(!chain.is_acyclic());
        assert!(!chain.clone().closed().is_irreflexive());
        assert_eq!(chain.column(1), 0b1001);
    }

    #[test]
    fn composition_goes_left_to_right() {
        let (mut a, mut b) = (Rel::new(3), Rel::new(3));
        a.add(0, 1);
        b.add(1, 2);
        assert!(a.then(&b).has(0, 2));
        assert!(!b.then(&a).has(0, 2));
    }
}
