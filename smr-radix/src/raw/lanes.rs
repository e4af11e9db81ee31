//! Lanes: which digits the slots of a small node are for.
//!
//! Eight bytes a word, taken from the first on: see [`crate::raw::node`].

use crate::tunables::FULL;

/// Eight lanes.
#[derive(Clone, Copy)]
pub(in crate::raw) struct Lanes(u64);

/// Which slot a digit has.
pub(in crate::raw) type Places = [u8; FULL];

/// In a full node.
const OWN: Places = {
    let mut own = [0; FULL];
    let mut digit = 0;
    while digit < FULL {
        own[digit] = digit as u8;
        digit += 1;
    }
    own
};

impl Lanes {
    const ALL: u64 = 0x0101_0101_0101_0101;

    #[inline(always)]
    pub(in crate::raw) fn new(word: u64) -> Self {
        Self(word)
    }

    #[inline(always)]
    pub(in crate::raw) fn word(self) -> u64 {
        self.0
    }

    /// A lane that is taken is not 0, and never has its highest bit set.
    #[inline(always)]
    fn byte(digit: usize) -> u8 {
        digit as u8 | 0x40
    }

    /// The lane of this number, taken for a digit.
    #[inline(always)]
    pub(in crate::raw) fn taken(lane: usize, digit: usize) -> u64 {
        u64::from(Self::byte(digit)) << (8 * lane)
    }

    /// The lane of a digit.
    #[inline(always)]
    pub(in crate::raw) fn find(self, digit: usize) -> Option<usize> {
        let differ = self.0 ^ (u64::from(Self::byte(digit)) * Self::ALL);
        // Where bytes are equal, their difference is 0, and no carry reaches bit 7.
        let equal = !(differ + 0x7f * Self::ALL) & (0x80 * Self::ALL);
        (equal != 0).then(|| equal.trailing_zeros() as usize / 8)
    }

    /// The digit of the lane of this number, which is taken.
    #[inline(always)]
    pub(in crate::raw) fn digit(self, lane: usize) -> usize {
        (self.0 >> (8 * lane)) as usize & (FULL - 1)
    }

    /// How many are taken.
    #[inline(always)]
    pub(in crate::raw) fn len(self) -> usize {
        (64 - self.0.leading_zeros() as usize).div_ceil(8)
    }

    /// The digits, one bit each.
    #[inline(always)]
    pub(in crate::raw) fn digits(self) -> u64 {
        let mut set = 0;
        let mut rest = self.0;
        while rest != 0 {
            set |= 1 << (rest & 0x3f);
            rest >>= 8;
        }
        set
    }

    /// The digits of all words of a node, one bit each, and which slots they have. A node
    /// without lanes has a slot for each digit.
    #[inline(always)]
    pub(in crate::raw) fn places(all: impl ExactSizeIterator<Item = Self>) -> (u64, Places) {
        if all.len() == 0 {
            return (u64::MAX >> (64 - FULL), OWN);
        }
        let (mut digits, mut places) = (0, [0; FULL]);
        for (at, lanes) in all.enumerate() {
            // Not counted on from the word before, which may be seen as it was earlier.
            let mut place = 8 * at as u8;
            let mut rest = lanes.0;
            while rest != 0 {
                let digit = rest as usize & (FULL - 1);
                digits |= 1 << digit;
                places[digit] = place;
                place += 1;
                rest >>= 8;
            }
        }
        (digits, places)
    }
}
