//! The operations of a mix, and the keys that a thread calls its own.

use std::hint::black_box;

use super::keys::{Random, key};
use crate::crew::Worker;
use crate::subjects::maps::Map;

/// Percentages of a mix; what is left are updates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mix {
    reads: u64,
    inserts: u64,
    removals: u64,
}

impl Mix {
    pub(crate) const READ_HEAVY: Self = Self::new(98, 1, 1);
    pub(crate) const NINETY_TEN: Self = Self::new(90, 5, 5);
    pub(crate) const HALF: Self = Self::new(50, 25, 25);
    pub(crate) const EXCHANGE: Self = Self::new(10, 40, 40);
    pub(crate) const RAPID_GROW: Self = Self::new(5, 80, 5);

    const fn new(reads: u64, inserts: u64, removals: u64) -> Self {
        assert!(reads + inserts + removals <= 100);
        Self {
            reads,
            inserts,
            removals,
        }
    }

    /// The next operation.
    #[inline(always)]
    pub(crate) fn draw(self, random: &mut Random) -> Operation {
        let percent = random.below(100);
        if percent < self.reads {
            Operation::Read
        } else if percent < self.reads + self.inserts {
            Operation::Insert
        } else if percent < self.reads + self.inserts + self.removals {
            Operation::Remove
        } else {
            Operation::Update
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Read,
    Insert,
    Remove,
    Update,
}

/// Checks a value found: its key's, perhaps updated.
#[inline(always)]
pub(crate) fn inspect(key: u64, value: u64) {
    assert!(key ^ value <= 1, "{value} is not the value of {key}");
}

/// An update, which [`inspect`] knows.
#[inline(always)]
pub(crate) fn flip(value: u64) -> u64 {
    value ^ 1
}

/// Does an operation; by how much the map has grown.
#[inline(always)]
pub(crate) fn apply<M: Map>(map: &M, operation: Operation, key: u64) -> i64 {
    match operation {
        Operation::Read => {
            if let Some(value) = map.get(key) {
                inspect(key, value);
            }
            0
        }
        Operation::Insert => i64::from(map.insert(key, key)),
        Operation::Remove => -i64::from(map.remove(key)),
        Operation::Update => {
            black_box(map.update(key, flip));
            0
        }
    }
}

/// The keys that one thread has in a map: of all indices those that are its own,
/// from its oldest to its newest.
#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) first: u64,
    pub(crate) end: u64,
    index: u64,
    threads: u64,
}

impl Span {
    pub(crate) fn new(worker: &Worker<'_>, threads: usize, count: u64) -> Self {
        Self {
            first: 0,
            end: count,
            index: worker.index as u64,
            threads: threads as u64,
        }
    }

    #[inline(always)]
    pub(crate) fn key(&self, at: u64) -> u64 {
        key(at * self.threads + self.index)
    }

    pub(crate) fn len(&self) -> i64 {
        (self.end - self.first) as i64
    }

    #[inline(always)]
    pub(crate) fn insert<M: Map>(&mut self, map: &M) {
        let key = self.key(self.end);
        self.end += 1;
        assert!(map.insert(key, key), "{}: a new key was there", M::NAME);
    }

    #[inline(always)]
    pub(crate) fn remove<M: Map>(&mut self, map: &M) {
        let key = self.key(self.first);
        self.first += 1;
        assert!(map.remove(key), "{}: a key is lost", M::NAME);
    }

    /// Any of the keys, if there are some.
    #[inline(always)]
    pub(crate) fn any(&self, random: &mut Random) -> Option<u64> {
        let count = self.end - self.first;
        (count > 0).then(|| self.key(self.first + random.below(count)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_draws_its_percentages() {
        let mut random = Random::new(0);
        let mut counts = [0_u32; 4];
        for _ in 0..100_000 {
            counts[Mix::EXCHANGE.draw(&mut random) as usize] += 1;
        }
        for (count, percent) in counts.into_iter().zip([10, 40, 40, 10]) {
            assert!(count.abs_diff(percent * 1000) < 1000, "{counts:?}");
        }
    }

    #[test]
    fn threads_have_keys_of_their_own() {
        let mut all = Vec::new();
        for index in 0..3 {
            let span = Span {
                first: 0,
                end: 10,
                index,
                threads: 3,
            };
            all.extend((0..10).map(|at| span.key(at)));
        }
        let mut expected: Vec<u64> = (0..30).map(key).collect();
        all.sort_unstable();
        expected.sort_unstable();
        assert_eq!(all, expected);
    }
}
