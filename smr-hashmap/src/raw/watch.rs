//! What a model checker is told of blocks: they are plain memory, whose accesses it
//! would not see.

use crate::raw::block::Block;

#[cfg(not(loom))]
mod imp {
    use super::Block;

    #[inline(always)]
    pub(in crate::raw) fn made(_: *const Block) {}

    #[inline(always)]
    pub(in crate::raw) fn read(_: *const Block) {}

    #[inline(always)]
    pub(in crate::raw) fn gone(_: *const Block) {}
}

#[cfg(loom)]
mod imp {
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex, PoisonError};

    use smr_core::sync::UnsafeCell;

    use super::Block;

    /// Memory as the checker sees it.
    #[derive(Default)]
    struct Memory(UnsafeCell<()>);

    // SAFETY: there is nothing in it; the checker complains of accesses that meet.
    unsafe impl Sync for Memory {}

    /// Whether a block is there that was not retired, and its memory.
    type Place = (bool, Arc<Memory>);

    smr_core::sync::lazy_static! {
        static ref PLACES: Mutex<HashMap<usize, Place>> = Mutex::default();
    }

    fn at<R>(block: *const Block, f: impl FnOnce(&mut Place) -> R) -> R {
        let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
        f(places.entry(block.addr()).or_default())
    }

    #[track_caller]
    fn set(block: *const Block, is_there: bool) {
        let before = at(block, |place| std::mem::replace(&mut place.0, is_there));
        assert_ne!(before, is_there, "a block is made once, and goes once");
    }

    /// A block was written.
    #[track_caller]
    pub(in crate::raw) fn made(block: *const Block) {
        set(block, true);
        at(block, |place| Arc::clone(&place.1)).0.with_mut(|_| ());
    }

    /// A block is being read.
    #[track_caller]
    pub(in crate::raw) fn read(block: *const Block) {
        at(block, |place| Arc::clone(&place.1)).0.with(|_| ());
    }

    /// A block is given back or retired, by one thread. Others may still read it.
    #[track_caller]
    pub(in crate::raw) fn gone(block: *const Block) {
        set(block, false);
    }
}

pub(super) use imp::{gone, made, read};
