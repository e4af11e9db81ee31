//! Which operations an order has taken.

/// A set of small numbers that begins with a long run of all of them.
///
/// The full words at the front are not kept, so its size is that of the window
/// in which operations overlap, and not that of the history. Equal sets have
/// equal words: there is never a full word in front, nor an empty one behind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Taken {
    /// Full words that are not kept.
    full: usize,
    words: Vec<u64>,
}

impl Taken {
    /// A number below which everything is in the set.
    pub(super) fn below(&self) -> usize {
        let first = self.words.first().map_or(0, |word| word.trailing_ones());
        self.full * 64 + first as usize
    }

    pub(super) fn contains(&self, number: usize) -> bool {
        let Some(word) = (number / 64).checked_sub(self.full) else {
            return true;
        };
        let word = self.words.get(word).copied().unwrap_or(0);
        word >> (number % 64) & 1 == 1
    }

    /// The set with one more number, which is not yet in it.
    pub(super) fn with(&self, number: usize) -> Self {
        debug_assert!(!self.contains(number), "taken once");
        let mut more = self.clone();
        let word = number / 64 - self.full;
        if more.words.len() <= word {
            more.words.resize(word + 1, 0);
        }
        more.words[word] |= 1 << (number % 64);
        let full = more.words.iter().take_while(|word| **word == u64::MAX);
        let full = full.count();
        more.words.drain(..full);
        more.full += full;
        more
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Taken;

    #[test]
    fn a_set_is_the_same_in_whatever_order_it_was_filled() {
        let mut dice = fastrand::Rng::with_seed(7);
        for _ in 0..200 {
            let mut numbers: Vec<usize> = (0..dice.usize(1..300)).collect();
            // Some stay out, so that there are gaps.
            let out = dice.usize(..numbers.len());
            dice.shuffle(&mut numbers);
            numbers.truncate(numbers.len() - out / 8);
            let fill = |numbers: &[usize]| {
                numbers
                    .iter()
                    .fold(Taken::default(), |taken, number| taken.with(*number))
            };
            let one = fill(&numbers);
            dice.shuffle(&mut numbers);
            let other = fill(&numbers);
            assert_eq!(one, other);
            let expected: BTreeSet<usize> = numbers.iter().copied().collect();
            for number in 0..400 {
                assert_eq!(one.contains(number), expected.contains(&number));
            }
            assert!((0..one.below()).all(|number| expected.contains(&number)));
        }
    }

    #[test]
    fn what_lies_behind_takes_no_memory() {
        let all = (0..6400).fold(Taken::default(), |taken, number| taken.with(number));
        assert!(all.words.is_empty());
        assert_eq!(all.below(), 6400);
    }
}
