//! The memory of a table's blocks.
//!
//! Each table has pools of its own: a bucket that moves is built anew in the next
//! table's, so that all memory of a table goes with it, however its blocks were
//! spread, and what a smaller table needs lies close together.

use core::ptr::NonNull;

use smr_core::{Domain, Guard, Pool, PoolBox};

use crate::raw::block::{Block, BlockRef, Draft, Full, Memory, Small};
use crate::raw::resize::Panics;
use crate::raw::watch;

/// The blocks of a table.
pub(crate) struct Blocks {
    full: Pool<Full>,
    small: Pool<Small>,
}

impl Blocks {
    pub(crate) fn new(domain: &Domain) -> Self {
        Self {
            full: Pool::new_in(domain),
            small: Pool::new_in(domain),
        }
    }

    /// Bytes of their memory.
    pub(crate) fn bytes(&self) -> usize {
        self.full.stats().slab_bytes + self.small.stats().slab_bytes
    }

    /// Gives free memory back to the system.
    pub(crate) fn trim(&self) {
        self.full.trim();
        self.small.trim();
    }

    /// Makes a block. It is published by a word, or given back by
    /// [`give_back`](Self::give_back).
    #[inline]
    pub(crate) fn make(&self, draft: Draft, guard: &Guard) -> BlockRef {
        let block: NonNull<Block> = if draft.is_small() {
            let block = self.small.alloc_in(guard, draft.into_small());
            block.into_raw().cast()
        } else {
            let block = self.full.alloc_in(guard, draft.into_full());
            block.into_raw().cast()
        };
        watch::made(block.as_ptr(), self);
        // SAFETY: made just now; it lives until it is given back, or retired and every
        // section that is open then has ended.
        unsafe { BlockRef::new(block) }
    }

    /// Takes back the blocks of a chain, up to `shared`, that nobody else has seen.
    ///
    /// # Safety
    ///
    /// They were made here, were never published (or nobody else uses the map), and
    /// are given back once.
    pub(crate) unsafe fn give_back(&self, first: Option<BlockRef>, shared: Option<BlockRef>) {
        let mut next = first;
        while let Some(block) = next.filter(|block| Some(*block) != shared) {
            next = block.next();
            watch::gone(block.as_ptr());
            match block.memory() {
                Memory::Full(item) => {
                    // SAFETY: the caller's promise.
                    drop(unsafe { PoolBox::from_raw(&self.full, item) });
                }
                Memory::Small(item) => {
                    // SAFETY: the caller's promise.
                    drop(unsafe { PoolBox::from_raw(&self.small, item) });
                }
            }
        }
    }

    /// Retires the blocks of a chain, up to `shared`, that no word leads to any more.
    ///
    /// # Safety
    ///
    /// They were made here, the caller's exchange cut them off, and it retires them
    /// once.
    #[inline]
    pub(crate) unsafe fn retire(
        &self,
        first: Option<BlockRef>,
        shared: Option<BlockRef>,
        guard: &Guard,
    ) {
        let mut chain = Cut {
            blocks: self,
            next: first,
            shared,
            guard,
        };
        while chain.retire_one() {}
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        watch::ended(self);
    }
}

/// Blocks to be retired. A retire may run destructors of others, which may panic: the
/// rest is retired also then.
struct Cut<'b> {
    blocks: &'b Blocks,
    next: Option<BlockRef>,
    shared: Option<BlockRef>,
    guard: &'b Guard,
}

impl Cut<'_> {
    /// Retires a block; `false` if there was none.
    #[inline(always)]
    fn retire_one(&mut self) -> bool {
        let Some(block) = self.next.filter(|block| Some(*block) != self.shared) else {
            self.next = None;
            return false;
        };
        self.next = block.next();
        watch::gone(block.as_ptr());
        match block.memory() {
            Memory::Full(item) => {
                // SAFETY: promised to `Blocks::retire`.
                unsafe { self.blocks.full.retire_in(self.guard, item) };
            }
            Memory::Small(item) => {
                // SAFETY: promised to `Blocks::retire`.
                unsafe { self.blocks.small.retire_in(self.guard, item) };
            }
        }
        true
    }
}

impl Drop for Cut<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.next.is_some() {
            retire_rest(self);
        }
    }
}

#[cold]
fn retire_rest(chain: &mut Cut<'_>) {
    let mut panics = Panics::default();
    let mut is_more = true;
    while is_more {
        panics.catch(|| is_more = chain.retire_one());
    }
    // The first panic is under way.
}
