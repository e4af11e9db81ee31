//! Tables: an array of words, one a bucket, and the way to the table that follows.
//!
//! A bucket's *word* says where its entries are:
//!
//! ```text
//!   null             nothing was ever put here. In a table that replaces another one:
//!                    not filled yet, the bucket is where the table before has it
//!   EMPTY            no entries
//!   block            a chain of blocks
//!   null, EMPTY or
//!   block | FROZEN   the same, and it will not change any more: the bucket is
//!                    moving to the next table
//!   MOVED            it is in the next table
//! ```
//!
//! A word is frozen once the table has a next one. Then the *images* of the frozen
//! buckets are put into the next table's words, each by one compare-and-exchange
//! from null, and when they are all there the frozen words become MOVED. See
//! [`crate::raw::resize`].

use core::ptr::{self, NonNull};

use smr_core::sync::{AtomicPtr, AtomicUsize, Ordering, mutant};
use smr_core::{Domain, try_box};

use crate::ord;
use crate::raw::block::{Block, BlockRef};
use crate::raw::blocks::Blocks;
use crate::raw::body::publish_first;
use crate::raw::entry::Hash;
use crate::tunables::{LOOK_EVERY, SHARD_FROM_BITS};

/// A bucket's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(*mut Block);

/// Blocks are aligned to at least 32 bytes, so these bits of an address are free.
const FROZEN: usize = 1;
const EMPTY: usize = 2;
const MOVED: usize = 4;
const BITS: usize = FROZEN | EMPTY | MOVED;

impl Word {
    pub(crate) const NULL: Self = Self(ptr::null_mut());
    pub(crate) const EMPTY: Self = Self(ptr::without_provenance_mut(EMPTY));
    pub(crate) const MOVED: Self = Self(ptr::without_provenance_mut(MOVED));

    pub(crate) fn of(block: Option<BlockRef>) -> Self {
        block.map_or(Self::EMPTY, |block| Self(block.as_ptr()))
    }

    #[inline(always)]
    pub(crate) fn is_null(self) -> bool {
        self.0.is_null()
    }

    #[inline(always)]
    pub(crate) fn is_moved(self) -> bool {
        self.0.addr() & MOVED != 0
    }

    #[inline(always)]
    pub(crate) fn is_frozen(self) -> bool {
        self.0.addr() & FROZEN != 0
    }

    /// Whether the bucket is here and may change.
    #[inline(always)]
    pub(crate) fn is_live(self) -> bool {
        self.0.addr() & (FROZEN | MOVED) == 0
    }

    fn frozen(self) -> Self {
        Self(self.0.map_addr(|addr| addr | FROZEN))
    }

    /// The first block, frozen or not.
    ///
    /// # Safety
    ///
    /// The word was loaded in a section that is open for as long as what is returned
    /// is used, at a moment when the block was not retired. (Or nobody else uses the
    /// map.)
    #[inline(always)]
    pub(crate) unsafe fn block(self) -> Option<BlockRef> {
        let block = NonNull::new(self.0.map_addr(|addr| addr & !BITS))?;
        // SAFETY: the caller's promise.
        Some(unsafe { BlockRef::new(block) })
    }

    /// The address of the first block, to be prefetched.
    #[inline(always)]
    pub(crate) fn address(self) -> *const Block {
        self.0
    }
}

/// The array of words, all null at first.
mod words {
    #[cfg(not(loom))]
    pub(super) use native::Words;

    #[cfg(loom)]
    pub(super) use modelled::Words;

    #[cfg(not(loom))]
    mod native {
        use core::ops::Deref;
        use core::ptr::NonNull;
        use std::alloc::{Layout, alloc_zeroed, dealloc};

        use smr_core::sync::AtomicPtr;

        use crate::raw::block::Block;

        type Raw = AtomicPtr<Block>;

        /// Zeroed by the system, which need not touch the pages of a large one.
        pub(in crate::raw) struct Words {
            first: NonNull<Raw>,
            len: usize,
        }

        // SAFETY: an owned array of atomics.
        unsafe impl Send for Words {}
        // SAFETY: as above.
        unsafe impl Sync for Words {}

        impl Words {
            fn layout(len: usize) -> Option<Layout> {
                // By the line, so that no line holds words of others.
                Layout::array::<Raw>(len).ok()?.align_to(64).ok()
            }

            /// `None` if there is no memory; `len` is not 0.
            pub(in crate::raw) fn new(len: usize) -> Option<Self> {
                let layout = Self::layout(len).filter(|layout| layout.size() != 0)?;
                // SAFETY: the layout is not empty.
                let first = NonNull::new(unsafe { alloc_zeroed(layout) })?;
                smr_core::advise_huge(first, layout.size());
                let first = first.cast();
                Some(Self { first, len })
            }
        }

        impl Deref for Words {
            type Target = [Raw];

            #[inline(always)]
            fn deref(&self) -> &[Raw] {
                // SAFETY: allocated with this length, and zeros are null pointers.
                unsafe { core::slice::from_raw_parts(self.first.as_ptr(), self.len) }
            }
        }

        impl Drop for Words {
            fn drop(&mut self) {
                let layout = Self::layout(self.len).expect("it was allocated");
                // SAFETY: allocated in `new` with this layout, and owned.
                unsafe { dealloc(self.first.as_ptr().cast(), layout) };
            }
        }
    }

    #[cfg(loom)]
    mod modelled {
        use core::ops::Deref;

        use smr_core::sync::AtomicPtr;

        use crate::raw::block::Block;

        pub(in crate::raw) struct Words(Box<[AtomicPtr<Block>]>);

        impl Words {
            pub(in crate::raw) fn new(len: usize) -> Option<Self> {
                let words = (0..len).map(|_| AtomicPtr::new(core::ptr::null_mut()));
                Some(Self(words.collect()))
            }
        }

        impl Deref for Words {
            type Target = [AtomicPtr<Block>];

            fn deref(&self) -> &[AtomicPtr<Block>] {
                &self.0
            }
        }
    }
}

use words::Words;

/// A table of 2^`bits` buckets.
pub(crate) struct Table {
    pub(crate) bits: u32,
    words: Words,
    /// The table that replaces this one. Set once.
    next: AtomicPtr<Table>,
    /// Buckets, or groups of them, that somebody took on to move; goes round and
    /// round, so that what a stalled thread took on is done by another.
    pub(crate) claimed: AtomicUsize,
    /// Buckets that have moved.
    pub(crate) moved: AtomicUsize,
    pub(crate) blocks: Blocks,
    /// The table that this one has replaced.
    before: Past,
}

/// One of the two owners of a table that was replaced, and may still be read: what
/// waits in the domain for the sections that could be in it, and the table that
/// replaced it. Who comes first drops it; so a map takes all its tables along, and what
/// waits in the domain keeps nothing of it alive, not even the domain.
pub(crate) struct Past(NonNull<AtomicPtr<Table>>);

/// What both own no longer leads to the table: one of them was there.
const ENDED: *mut Table = ptr::without_provenance_mut(1);

// SAFETY: it is sent to whoever drops the table, which is `Send`.
unsafe impl Send for Past {}

impl Past {
    /// Of no table yet, and with one owner. `None` if there is no memory.
    fn new() -> Option<Self> {
        let none = try_box(AtomicPtr::new(ptr::null_mut()))?;
        Some(Self(NonNull::from(Box::leak(none))))
    }

    fn table(&self) -> &AtomicPtr<Table> {
        // SAFETY: the last owner frees it.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Past {
    fn drop(&mut self) {
        // AcqRel: pairs with itself: who comes second frees what the first has left.
        let table = self.table().swap(ENDED, ord::map_past_end());
        if table.is_null() || table == ENDED {
            // SAFETY: made by `new`, and the other owner was here, or there is none.
            drop(unsafe { Box::from_raw(self.0.as_ptr()) });
        } else {
            // SAFETY: made by `Box::into_raw`, and nobody can be in it: those who could
            // have ended their sections, or came before those who could be in the table
            // that is being dropped.
            drop(unsafe { Box::from_raw(table) });
        }
    }
}

impl Table {
    /// `None` if there is no memory.
    pub(crate) fn new(bits: u32, domain: &Domain) -> Option<Box<Self>> {
        let len = 1_usize.checked_shl(bits).filter(|len| *len != 0)?;
        try_box(Self {
            bits,
            words: Words::new(len)?,
            next: AtomicPtr::new(ptr::null_mut()),
            claimed: AtomicUsize::new(0),
            moved: AtomicUsize::new(0),
            blocks: Blocks::new(domain),
            before: Past::new()?,
        })
    }

    /// How many buckets.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether this is one of the buckets whose writers look how full the table is: all
    /// of a small one.
    #[inline(always)]
    pub(crate) fn is_sample(&self, bucket: usize) -> bool {
        self.bits < SHARD_FROM_BITS || bucket.is_multiple_of(LOOK_EVERY)
    }

    /// Bytes of the table.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.len() * size_of::<Word>()
    }

    #[inline(always)]
    pub(crate) fn bucket(&self, hash: Hash) -> usize {
        hash.bucket(self.bits)
    }

    #[inline(always)]
    fn word(&self, bucket: usize) -> &AtomicPtr<Block> {
        debug_assert!(bucket < self.len());
        // SAFETY: a bucket is an index of `bits` bits, or below `len`.
        unsafe { self.words.get_unchecked(bucket) }
    }

    /// The address of a word, to be prefetched.
    #[inline(always)]
    pub(crate) fn address(&self, bucket: usize) -> *const AtomicPtr<Block> {
        self.word(bucket)
    }

    #[inline(always)]
    pub(crate) fn load(&self, bucket: usize) -> Word {
        // Acquire: pairs with the Release of whoever replaced, froze, installed or
        // moved the word.
        Word(self.word(bucket).load(ord::map_word_load()))
    }

    /// Replaces a live word. The linearization point of every write.
    #[inline(always)]
    pub(crate) fn replace(&self, bucket: usize, old: Word, new: Word) -> Result<(), Word> {
        debug_assert!(old.is_live() && new.is_live() && !new.is_null());
        // Release: pairs with the Acquire of `load`.
        self.exchange(bucket, old, new, ord::map_word_write())
    }

    /// Fills a word of a table that replaces another.
    pub(crate) fn install(&self, bucket: usize, image: Word) -> Result<(), Word> {
        debug_assert!(image.is_live() && !image.is_null());
        let old = if mutant("map_install_over") {
            self.load(bucket)
        } else {
            Word::NULL
        };
        // Release: as in `replace`.
        self.exchange(bucket, old, image, ord::map_word_install())
    }

    /// Freezes a word, if it is not yet; returns it.
    pub(crate) fn freeze(&self, bucket: usize) -> Word {
        let mut word = self.load(bucket);
        // AcqRel: who finds it frozen finds the next table.
        while word.is_live() {
            match self.exchange(bucket, word, word.frozen(), ord::map_word_freeze()) {
                Ok(()) => return word.frozen(),
                Err(_) => word = self.load(bucket),
            }
        }
        word
    }

    /// Says that a frozen bucket has moved; tells whether it was us who did.
    pub(crate) fn set_moved(&self, bucket: usize, frozen: Word) -> bool {
        // AcqRel: who finds it moved finds the images in the next table.
        self.exchange(bucket, frozen, Word::MOVED, ord::map_word_moved())
            .is_ok()
    }

    #[inline(always)]
    fn exchange(&self, bucket: usize, old: Word, new: Word, order: Ordering) -> Result<(), Word> {
        // Relaxed on failure: whoever goes on loads again.
        self.word(bucket)
            .compare_exchange(old.0, new.0, order, Ordering::Relaxed)
            .map(drop)
            .map_err(Word)
    }

    /// The table that replaces this one.
    #[inline(always)]
    pub(crate) fn next(&self) -> Option<&Table> {
        // Acquire: pairs with the Release in `publish_first`.
        let next = self.next.load(ord::map_table_load());
        // SAFETY: set once, to a table that is retired later than this one: whoever
        // may use this one may use that.
        unsafe { next.as_ref() }
    }

    /// Gives the table a successor, unless it has one.
    pub(crate) fn set_next(&self, next: Box<Table>) {
        publish_first(&self.next, next);
    }

    /// Takes over the table that this one has replaced. The other owner is dropped when
    /// nobody can be in it any more.
    pub(crate) fn follow(&self, before: *mut Table) -> Past {
        // Relaxed: both owners are dropped by those who come after, by the order of the
        // domain, or that of the map's owner.
        self.before.table().store(before, Ordering::Relaxed);
        Past(self.before.0)
    }
}
