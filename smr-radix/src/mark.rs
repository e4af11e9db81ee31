//! Marks: three bits beside each entry.

use core::fmt;

/// One of the three marks that each entry has, set or not: the tags of a page cache.
///
/// What they mean is the user's. The three names are those that page caches use;
/// [`A`](Self::A), [`B`](Self::B) and [`C`](Self::C) are the same by number.
///
/// A mark belongs to the entry. Replacing the value leaves it as it is, removing the
/// key takes it along, and a new entry has none.
///
/// ```
/// use smr_radix::{Mark, RadixTree};
///
/// let cache = RadixTree::from_iter([(1_u64, 'a'), (2, 'b'), (3, 'c')]);
/// let guard = cache.guard();
/// assert!(cache.set_mark(2, Mark::DIRTY, &guard));
/// assert!(cache.iter_marked(Mark::DIRTY, &guard).eq([(2, &'b')]));
/// cache.remove(2, &guard);
/// cache.insert(2, 'd', &guard);
/// assert!(!cache.test_mark(2, Mark::DIRTY, &guard));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(u8);

impl Mark {
    /// How many marks there are.
    pub const COUNT: u32 = 3;
    /// The first mark.
    pub const A: Self = Self(0);
    /// The second mark.
    pub const B: Self = Self(1);
    /// The third mark.
    pub const C: Self = Self(2);
    /// The value is newer than what is stored elsewhere.
    pub const DIRTY: Self = Self::A;
    /// It is being written.
    pub const WRITEBACK: Self = Self::B;
    /// It was used not long ago.
    pub const ACCESSED: Self = Self::C;
    /// All of them.
    pub const ALL: [Self; Self::COUNT as usize] = [Self::A, Self::B, Self::C];

    /// The mark with this number, or `None`: there are [`COUNT`](Self::COUNT).
    ///
    /// ```
    /// use smr_radix::Mark;
    ///
    /// assert_eq!(Mark::new(0), Some(Mark::A));
    /// assert_eq!(Mark::new(3), None);
    /// ```
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if number < Self::COUNT {
            Some(Self(number as u8))
        } else {
            None
        }
    }

    /// Its number, from 0.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0 as u32
    }

    #[inline]
    pub(crate) fn raw(self) -> u8 {
        self.0
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(["Mark::A", "Mark::B", "Mark::C"][usize::from(self.0)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_three_marks_and_no_fourth() {
        let all: Vec<Mark> = (0..8).filter_map(Mark::new).collect();
        assert_eq!(all, Mark::ALL);
        assert_eq!(Mark::new(u32::MAX), None);
        assert_eq!(Mark::new(256), None, "not the number modulo something");
        assert!(all.iter().map(|mark| mark.number()).eq(0..3));
        assert_eq!(format!("{:?}", Mark::WRITEBACK), "Mark::B");
    }
}
