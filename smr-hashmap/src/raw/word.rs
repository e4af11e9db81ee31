//! What a slot of a bucket holds: nothing, an entry that somebody is about to put
//! there, or an entry.
//!
//! ```text
//!   UNUSED            nothing was ever here
//!   EMPTY             nothing is here any more
//!   entry             claimed for an entry whose insertion is not decided
//!   entry | LIVE      an entry
//!   any | FROZEN      the same, and it will not change any more
//! ```
//!
//! With an entry comes its *tag*, a few bits of its hash in the top byte of the address,
//! so that most look-ups follow one pointer and no other. The bits of a hash that index
//! the table are other ones.

use core::ptr::{self, NonNull};

use crate::raw::entry::{Entry, Hash};

/// A slot's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(pub(in crate::raw) *mut ());

/// Entries hold a `u64`, so these bits of an address are free on every target.
const FROZEN: usize = 1;
const LIVE: usize = 2;

/// Whether the top byte of an address is free. It is in what processors of 64 bits
/// let programs have, up to 56 bits of it; Android's allocator puts marks there.
/// Builds with tiny limits go without as well, which tests that.
const HAS_TAGS: bool = cfg!(all(
    target_pointer_width = "64",
    not(any(target_os = "android", smr_tiny))
));

/// Where the tag is.
const TAG_SHIFT: u32 = usize::BITS - 8;
const TAG: usize = if HAS_TAGS { 0xff << TAG_SHIFT } else { 0 };

/// What is not the address.
const BITS: usize = TAG | LIVE | FROZEN;

impl Word {
    pub(crate) const UNUSED: Self = Self(ptr::null_mut());
    pub(crate) const EMPTY: Self = Self(ptr::without_provenance_mut(LIVE));

    /// An entry that is not in the map yet.
    ///
    /// # Panics
    ///
    /// If the allocator marks the top bytes of addresses.
    #[inline(always)]
    pub(crate) fn claimed<K, V>(hash: Hash, entry: NonNull<Entry<K, V>>) -> Self {
        let entry = entry.as_ptr().cast::<()>();
        assert!(
            entry.addr() & BITS == 0,
            "the allocator keeps marks in the top byte of addresses, where the map keeps its own"
        );
        Self(entry.map_addr(|addr| addr | Self::tag(hash)))
    }

    #[inline(always)]
    fn tag(hash: Hash) -> usize {
        if HAS_TAGS {
            usize::from(hash.tag()) << TAG_SHIFT
        } else {
            0
        }
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
        self.0.addr() & !LIVE == 0
    }

    /// Whether there is an entry whose insertion is not decided.
    #[inline(always)]
    pub(crate) fn is_claimed(self) -> bool {
        let addr = self.0.addr();
        addr & LIVE == 0 && addr & !BITS != 0
    }

    /// Whether an entry of this hash may be here.
    #[inline(always)]
    pub(crate) fn may_be(self, wanted: Wanted) -> bool {
        let is_empty = !HAS_TAGS && self.0.addr() & !BITS == 0;
        self.0.addr() & (TAG | LIVE) == wanted.0 && !is_empty
    }

    /// The entry that is in the map.
    #[inline(always)]
    pub(crate) fn entry<K, V>(self) -> Option<NonNull<Entry<K, V>>> {
        if self.0.addr() & LIVE == 0 {
            return None;
        }
        NonNull::new(self.0.map_addr(|addr| addr & !BITS).cast())
    }
}

/// What words are compared with in a look-up.
#[derive(Clone, Copy)]
pub(crate) struct Wanted(usize);

impl Wanted {
    #[inline(always)]
    pub(crate) fn new(hash: Hash) -> Self {
        Self(Word::tag(hash) | LIVE)
    }
}
