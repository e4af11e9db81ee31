//! Blocks: what a bucket holds, never changed once it can be seen.
//!
//! ```text
//!            byte 7     bytes 6 .. 0
//!   tags   | shape    | a tag for each place, 0 where it is free |
//!   places | entry | entry | ... | entry, or the next block      |
//! ```
//!
//! A block is a cache line with seven places, or half of one with three. What does
//! not fit goes on in a *chain*: the last place of a full block then holds the next
//! block, as the shape says. Chains are shared: a change copies the blocks up to the
//! place that changes and keeps the rest.
//!
//! Since a block never changes, nothing in it is atomic. Whoever has loaded its
//! address in a section may read it for the length of the section.

use core::mem;
use core::ptr::NonNull;

use crate::raw::entry::{Entry, Hash};
use crate::raw::watch;

/// Places of a full block, and of a small one.
const FULL: usize = 7;
const SMALL: usize = 3;

/// One byte of all ones a place.
const LOW: u64 = 0x0001_0101_0101_0101;

/// The tags of a block and its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tags(u64);

impl Tags {
    const IS_FULL: u64 = 1 << 56;
    const HAS_NEXT: u64 = 1 << 57;

    fn new(is_full: bool, has_next: bool) -> Self {
        Self((u64::from(is_full) * Self::IS_FULL) | (u64::from(has_next) * Self::HAS_NEXT))
    }

    /// The tag of a place.
    #[inline(always)]
    fn at(self, place: usize) -> u8 {
        (self.0 >> (8 * place)) as u8
    }

    /// Sets the tag of a place, 0 if it is free.
    #[inline(always)]
    fn set(&mut self, place: usize, tag: u8) {
        let shift = 8 * place;
        self.0 = (self.0 & !(0xff << shift)) | (u64::from(tag) << shift);
    }

    /// The tags alone, without the shape.
    #[inline(always)]
    fn bare(self) -> Self {
        Self(self.0 & (LOW * 0xff))
    }

    #[inline(always)]
    fn is_full(self) -> bool {
        self.0 & Self::IS_FULL != 0
    }

    #[inline(always)]
    fn has_next(self) -> bool {
        self.0 & Self::HAS_NEXT != 0
    }

    /// How many places hold entries. They are the first ones, and all tags have their
    /// high bit, so the highest of those bits tells.
    #[inline(always)]
    fn len(self) -> usize {
        (u64::BITS - (self.0 & (LOW * 0x80)).leading_zeros()) as usize / 8
    }

    /// The places with this tag, each as the high bit of its byte.
    ///
    /// Exact: a byte is 0 after the exclusive or if and only if neither its low seven
    /// bits carry into the eighth when 0x7f is added, nor the eighth is set. No byte
    /// disturbs the next, so a free place, or the shape, is never taken for a match.
    #[inline(always)]
    fn matches(self, tag: u8) -> Matches {
        let differ = self.0 ^ (LOW * u64::from(tag));
        let low = LOW * 0x7f;
        Matches(!(((differ & low) + low) | differ) & (LOW * 0x80))
    }
}

struct Matches(u64);

impl Iterator for Matches {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let place = self.0.trailing_zeros() as usize / 8;
        self.0 &= self.0 - 1;
        Some(place)
    }
}

/// The place of an entry, or of the next block.
type Place = *mut ();

/// A block of seven places. What the words of a table point to, whatever its shape:
/// of a small one only the first three places are there.
#[repr(C, align(64))]
pub(crate) struct Full {
    tags: Tags,
    places: [Place; FULL],
}

/// A block of three places.
#[repr(C, align(32))]
pub(crate) struct Small {
    tags: Tags,
    places: [Place; SMALL],
}

// SAFETY: blocks are plain memory; what their places point to is owned elsewhere.
unsafe impl Send for Full {}
// SAFETY: as above.
unsafe impl Send for Small {}

/// The common head of both.
#[repr(C)]
pub(crate) struct Block {
    tags: Tags,
}

/// A block that a section protects, or that is not published yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockRef(NonNull<Block>);

/// Where a block's memory goes back to.
pub(crate) enum Memory {
    Full(NonNull<Full>),
    Small(NonNull<Small>),
}

impl BlockRef {
    /// # Safety
    ///
    /// The block is alive for as long as this, or any copy, is used.
    #[inline(always)]
    pub(crate) unsafe fn new(block: NonNull<Block>) -> Self {
        Self(block)
    }

    #[inline(always)]
    pub(crate) fn as_ptr(self) -> *mut Block {
        self.0.as_ptr()
    }

    #[inline(always)]
    fn tags(self) -> Tags {
        watch::read(self.as_ptr());
        // SAFETY: alive, as `new` was promised, and never written again.
        unsafe { self.0.as_ref() }.tags
    }

    #[inline(always)]
    fn place(self, place: usize) -> Place {
        debug_assert!(place < if self.tags().is_full() { FULL } else { SMALL });
        let at = mem::offset_of!(Full, places) + place * size_of::<Place>();
        let at = self.0.as_ptr().wrapping_byte_add(at).cast::<Place>();
        // SAFETY: the block is alive and has this place, at the same offset in either
        // shape; `new` was given a pointer to the whole of it.
        unsafe { at.read() }
    }

    /// The next block of the chain.
    #[inline(always)]
    pub(crate) fn next(self) -> Option<Self> {
        if self.tags().has_next() {
            NonNull::new(self.place(FULL - 1).cast()).map(Self)
        } else {
            None
        }
    }

    /// Entries in this block alone.
    #[inline(always)]
    pub(crate) fn len(self) -> usize {
        self.tags().len()
    }

    /// The entry at a place below [`len`](Self::len).
    #[inline(always)]
    pub(crate) fn entry<K, V>(self, place: usize) -> NonNull<Entry<K, V>> {
        let entry = self.place(place).cast::<Entry<K, V>>();
        debug_assert!(!entry.is_null());
        // SAFETY: places below the length hold entries.
        unsafe { NonNull::new_unchecked(entry) }
    }

    /// The tag of the entry at a place.
    #[inline(always)]
    pub(crate) fn tag(self, place: usize) -> u8 {
        self.tags().at(place)
    }

    /// The places that may hold an entry with this hash.
    #[inline(always)]
    pub(crate) fn candidates(self, hash: Hash) -> impl Iterator<Item = usize> {
        self.tags().matches(hash.tag())
    }

    /// The blocks of the chain.
    pub(crate) fn chain(self) -> impl Iterator<Item = Self> {
        core::iter::successors(Some(self), |block| block.next())
    }

    /// All entries of the chain, with their blocks.
    pub(crate) fn entries<K, V>(self) -> impl Iterator<Item = NonNull<Entry<K, V>>> {
        self.chain()
            .flat_map(|block| (0..block.len()).map(move |place| block.entry(place)))
    }

    /// Of which shape the memory is.
    pub(crate) fn memory(self) -> Memory {
        if self.tags().is_full() {
            Memory::Full(self.0.cast())
        } else {
            Memory::Small(self.0.cast())
        }
    }
}

/// A block in the making.
#[derive(Debug)]
pub(crate) struct Draft {
    /// Without the shape.
    tags: Tags,
    /// Those from the length on may hold anything.
    places: [Place; FULL],
    len: usize,
    next: Option<BlockRef>,
}

impl Draft {
    #[inline(always)]
    pub(crate) fn new(next: Option<BlockRef>) -> Self {
        Self {
            tags: Tags(0),
            places: [core::ptr::null_mut(); FULL],
            len: 0,
            next,
        }
    }

    /// A copy of a block, with the same next one.
    #[inline(always)]
    pub(crate) fn copy(block: BlockRef) -> Self {
        let tags = block.tags();
        let mut draft = Self::new(block.next());
        (draft.tags, draft.len) = (tags.bare(), tags.len());
        for place in 0..SMALL {
            draft.places[place] = block.place(place);
        }
        if tags.is_full() {
            for place in SMALL..FULL {
                draft.places[place] = block.place(place);
            }
        }
        draft
    }

    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn set_next(&mut self, next: Option<BlockRef>) {
        debug_assert!(next.is_none() || self.len < FULL, "there is no place left");
        self.next = next;
    }

    /// Whether another entry fits in.
    #[inline(always)]
    pub(crate) fn has_room(&self) -> bool {
        self.len < FULL - usize::from(self.next.is_some())
    }

    /// Adds an entry. There must be room.
    #[inline(always)]
    pub(crate) fn push<K, V>(&mut self, hash: Hash, entry: NonNull<Entry<K, V>>) {
        assert!(self.has_room(), "a full block takes no more");
        self.len += 1;
        self.replace(self.len - 1, hash.tag(), entry);
    }

    /// Puts another entry, which has this tag, in a place.
    #[inline(always)]
    pub(crate) fn replace<K, V>(&mut self, place: usize, tag: u8, entry: NonNull<Entry<K, V>>) {
        debug_assert!(place < self.len, "the place is free");
        self.tags.set(place, tag);
        self.places[place] = entry.as_ptr().cast();
    }

    /// Takes an entry out; the last one takes its place.
    #[inline(always)]
    pub(crate) fn remove(&mut self, place: usize) {
        self.len -= 1;
        self.tags.set(place, self.tags.at(self.len));
        self.places[place] = self.places[self.len];
        self.tags.set(self.len, 0);
    }

    /// Whether it fits into a small block.
    #[inline(always)]
    pub(crate) fn is_small(&self) -> bool {
        self.len <= SMALL && self.next.is_none()
    }

    #[inline(always)]
    fn tags(&self, is_full: bool) -> Tags {
        Tags(self.tags.0 | Tags::new(is_full, self.next.is_some()).0)
    }

    #[inline(always)]
    pub(crate) fn into_full(mut self) -> Full {
        let tags = self.tags(true);
        if let Some(next) = self.next {
            self.places[FULL - 1] = next.as_ptr().cast();
        }
        Full {
            tags,
            places: self.places,
        }
    }

    #[inline(always)]
    pub(crate) fn into_small(self) -> Small {
        debug_assert!(self.is_small());
        Small {
            tags: self.tags(false),
            places: [self.places[0], self.places[1], self.places[2]],
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Against one byte after the other, with every tag in every place, beside tags
    /// that a carry or a borrow would take for it.
    #[test]
    fn matches_are_exact() {
        for tag in 0x80..=0xff_u8 {
            for other in 0x80..=0xff_u8 {
                for shape in 0..4 {
                    for len in 0..=FULL {
                        let mut tags = Tags::new(shape & 1 != 0, shape & 2 != 0);
                        let there = |place| if (place + len) % 2 == 0 { tag } else { other };
                        (0..len).for_each(|place| tags.set(place, there(place)));
                        assert_eq!(tags.len(), len);
                        let expected = (0..len).filter(|place| there(*place) == tag);
                        assert!(tags.matches(tag).eq(expected), "{tags:x?}, {tag:x}");
                    }
                }
            }
        }
    }
}
