//! What a slot of a bucket holds: nothing, an entry that somebody is about to put
//! there, or an entry.
//!
//! ```text
//!   UNUSED                    nothing was ever here
//!   EMPTY                     nothing is here any more
//!   entry                     claimed for an entry whose insertion is not decided
//!   entry | LIVE              an entry
//!   entry | LIVE | FROZEN     the same, and it will not change any more
//! ```
//!
//! With an entry comes its *tag*, a few bits of its hash, so that most look-ups follow one
//! pointer and no other. The bits of a hash that index the table are other ones. Tag and
//! `LIVE` are the lowest byte, which processors compare without taking it out of the word;
//! the address moves up for that:
//!
//! ```text
//!   bits 63..10  9      8       7     6..0
//!   address/8    EMPTY  FROZEN  LIVE  tag
//! ```

use core::hint;
use core::ptr::{self, NonNull};

use crate::raw::entry::{Entry, Hash};
use crate::tunables::SLOTS;

/// A slot's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(pub(in crate::raw) *mut ());

/// Whether the upper seven bits of an address are free. They are in what processors of 64
/// bits let programs have; Android's allocator puts marks there. Builds with tiny limits
/// go without tags as well, which tests that.
const HAS_TAGS: bool = cfg!(all(
    target_pointer_width = "64",
    not(any(target_os = "android", smr_tiny))
));

/// How far an address is moved up.
const SHIFT: u32 = if HAS_TAGS { 7 } else { 0 };

// Entries hold a `u64`: two bits of an address are free on every target, and three where
// there are tags.
const LIVE: usize = if HAS_TAGS { 1 << 7 } else { 1 };
const FROZEN: usize = if HAS_TAGS { 1 << 8 } else { 2 };
/// With no address. Another bit than `LIVE` where that is compared with the tag.
const EMPTY: usize = if HAS_TAGS { 1 << 9 } else { LIVE };

/// What is not the address.
const BITS: usize = if HAS_TAGS { 0xff } else { 0 } | LIVE | FROZEN | EMPTY;

/// How many those are: the lowest ones.
const LOW: u32 = BITS.trailing_ones();

impl Word {
    pub(crate) const UNUSED: Self = Self(ptr::null_mut());
    pub(crate) const EMPTY: Self = Self(ptr::without_provenance_mut(EMPTY));

    /// An entry that is not in the map yet.
    ///
    /// # Panics
    ///
    /// If the allocator marks the top bytes of addresses.
    #[inline(always)]
    pub(crate) fn claimed<K, V>(hash: Hash, entry: NonNull<Entry<K, V>>) -> Self {
        let word = Self(entry.as_ptr().cast::<()>().map_addr(|addr| {
            let moved = addr << SHIFT;
            assert!(
                moved >> SHIFT == addr && moved & BITS == 0,
                "the allocator keeps marks in the top byte of addresses, which the map needs"
            );
            let tag = usize::from(hash.tag()) & !LIVE;
            moved | if HAS_TAGS { tag } else { 0 }
        }));
        debug_assert!(word.is_claimed());
        word
    }

    /// The same, in the map.
    #[inline(always)]
    pub(crate) fn live(self) -> Self {
        Self(self.0.map_addr(|addr| addr | LIVE))
    }

    #[inline(always)]
    pub(crate) fn frozen(self) -> Self {
        Self(self.0.map_addr(|addr| addr | FROZEN))
    }

    /// As it was before it was frozen.
    #[inline(always)]
    pub(crate) fn thawed(self) -> Self {
        Self(self.0.map_addr(|addr| addr & !FROZEN))
    }

    #[inline(always)]
    pub(crate) fn is_frozen(self) -> bool {
        self.0.addr() & FROZEN != 0
    }

    /// Whether an entry can be put here.
    #[inline(always)]
    pub(crate) fn is_free(self) -> bool {
        self.0.addr() & !EMPTY == 0
    }

    /// Whether there is an entry whose insertion is not decided.
    #[inline(always)]
    pub(crate) fn is_claimed(self) -> bool {
        let addr = self.0.addr();
        addr & LIVE == 0 && addr & !BITS != 0
    }

    /// Whether there is an entry that is in the map.
    #[inline(always)]
    pub(crate) fn is_live(self) -> bool {
        let addr = self.0.addr();
        addr & LIVE != 0 && (HAS_TAGS || addr & !BITS != 0)
    }

    /// Whether an entry of this hash may be here.
    #[inline(always)]
    pub(crate) fn may_be(self, wanted: Wanted) -> bool {
        self.mark() == wanted.0
    }

    /// A byte: 0 where an entry can be put, [`Wanted`] where one may be. A claim may look as
    /// if it could.
    #[inline(always)]
    pub(crate) fn mark(self) -> u8 {
        if HAS_TAGS {
            self.0.addr() as u8
        } else if self.is_live() {
            Wanted::LIVE
        } else {
            self.is_claimed().into()
        }
    }

    /// The entry that is in the map.
    #[inline(always)]
    pub(crate) fn entry<K, V>(self) -> Option<NonNull<Entry<K, V>>> {
        if self.0.addr() & LIVE == 0 {
            return None;
        }
        self.named()
    }

    /// The entry that is in the map, or the other one if there is none: without a branch.
    #[inline(always)]
    pub(crate) fn entry_or<K, V>(self, other: *const Entry<K, V>) -> *const Entry<K, V> {
        hint::select_unpredictable(self.is_live(), self.address().cast_const(), other)
    }

    /// The entry, whether or not it is in the map.
    #[inline(always)]
    pub(crate) fn named<K, V>(self) -> Option<NonNull<Entry<K, V>>> {
        // Not of the address, which is a multiple: so the compiler needs no mask for it, and
        // multiplies where it is followed.
        if self.0.addr() >> LOW == 0 {
            return None;
        }
        NonNull::new(self.address())
    }

    #[inline(always)]
    fn address<K, V>(self) -> *mut Entry<K, V> {
        self.0.map_addr(|addr| addr >> LOW << (LOW - SHIFT)).cast()
    }
}

/// What words are compared with in a look-up: tag and `LIVE`.
#[derive(Clone, Copy)]
pub(crate) struct Wanted(u8);

impl Wanted {
    /// Of all entries, where there are no tags.
    const LIVE: u8 = 0x80;

    #[inline(always)]
    pub(crate) fn new(hash: Hash) -> Self {
        Self(if HAS_TAGS { hash.tag() } else { Self::LIVE })
    }
}

/// The marks of some slots side by side, to compare them all at once.
#[derive(Clone, Copy)]
pub(crate) struct Marks(u64);

impl Marks {
    const ONES: u64 = u64::MAX / 0xff;
    /// Where there is no slot: neither free nor wanted.
    const BEYOND: u64 = Self::ONES << (8 * SLOTS);

    #[inline(always)]
    pub(crate) fn new(words: impl Iterator<Item = Word>) -> Self {
        let marks = words.enumerate();
        Self(marks.fold(Self::BEYOND, |all, (place, word)| {
            all | u64::from(word.mark()) << (8 * place)
        }))
    }

    /// Where an entry may be.
    #[inline(always)]
    pub(crate) fn of(self, wanted: Wanted) -> Places {
        Self(self.0 ^ (Self::ONES * u64::from(wanted.0))).free()
    }

    /// Where one can be put, it seems.
    #[inline(always)]
    pub(crate) fn free(self) -> Places {
        // Of a byte that is 0, and of no other, neither is the highest bit set nor is it by
        // the addition.
        const LOWER: u64 = Marks::ONES * 0x7f;
        Places(!(((self.0 & LOWER) + LOWER) | self.0 | LOWER))
    }
}

/// Some of the places of a line: the highest bit of a byte for each.
#[derive(Clone, Copy)]
pub(crate) struct Places(u64);

impl Places {
    /// How many.
    #[inline(always)]
    pub(crate) fn count(self) -> usize {
        ((self.0 >> 7).wrapping_mul(Marks::ONES) >> 56) as usize
    }
}

impl Iterator for Places {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let place = self.0.trailing_zeros() / 8;
        self.0 &= self.0 - 1;
        Some(place as usize)
    }
}
