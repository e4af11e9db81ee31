//! What a model checker is told of blocks: they are plain memory, whose accesses it
//! would not see.

use crate::raw::block::Block;
use crate::raw::blocks::Blocks;

#[cfg(not(loom))]
mod imp {
    use super::{Block, Blocks};

    #[inline(always)]
    pub(in crate::raw) fn made(_: *const Block, _: &Blocks) {}

    #[inline(always)]
    pub(in crate::raw) fn read(_: *const Block) {}

    #[inline(always)]
    pub(in crate::raw) fn gone(_: *const Block) {}

    #[inline(always)]
    pub(in crate::raw) fn ended(_: &Blocks) {}
}

#[cfg(loom)]
mod imp {
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex, PoisonError};

    use smr_core::sync::UnsafeCell;

    use super::{Block, Blocks};

    /// Memory as the checker sees it.
    #[derive(Default)]
    struct Memory(UnsafeCell<()>);

    // SAFETY: there is nothing in it; the checker complains of accesses that meet.
    unsafe impl Sync for Memory {}

    /// The memory of a block.
    struct Place {
        /// Whether a block is there that was not retired.
        is_there: bool,
        /// As loom sees it.
        memory: Arc<Memory>,
        /// Whose it is.
        of: usize,
    }

    smr_core::sync::lazy_static! {
        static ref PLACES: Mutex<HashMap<usize, Place>> = Mutex::default();
    }

    fn with<R>(f: impl FnOnce(&mut HashMap<usize, Place>) -> R) -> R {
        f(&mut PLACES.lock().unwrap_or_else(PoisonError::into_inner))
    }

    #[track_caller]
    fn at<R>(block: *const Block, f: impl FnOnce(&mut Place) -> R) -> R {
        with(|places| {
            f(places
                .get_mut(&block.addr())
                .expect("no block was ever here"))
        })
    }

    #[track_caller]
    fn set(block: *const Block, is_there: bool) {
        let before = at(block, |place| {
            std::mem::replace(&mut place.is_there, is_there)
        });
        assert_ne!(before, is_there, "a block is made once, and goes once");
    }

    /// A block was written.
    #[track_caller]
    pub(in crate::raw) fn made(block: *const Block, blocks: &Blocks) {
        let fresh = || Place {
            is_there: false,
            memory: Arc::default(),
            of: std::ptr::from_ref(blocks).addr(),
        };
        with(|places| _ = places.entry(block.addr()).or_insert_with(fresh));
        set(block, true);
        at(block, |place| Arc::clone(&place.memory))
            .0
            .with_mut(|_| ());
    }

    /// A block is being read.
    #[track_caller]
    pub(in crate::raw) fn read(block: *const Block) {
        at(block, |place| Arc::clone(&place.memory)).0.with(|_| ());
    }

    /// A block is given back or retired, by one thread. Others may still read it.
    #[track_caller]
    pub(in crate::raw) fn gone(block: *const Block) {
        set(block, false);
    }

    /// All memory of a table's blocks goes back to the system.
    pub(in crate::raw) fn ended(blocks: &Blocks) {
        let of = std::ptr::from_ref(blocks).addr();
        with(|places| {
            places.retain(|_, place| {
                if place.of == of {
                    place.memory.with_mut(|_| ());
                }
                place.of != of
            });
        });
    }
}

pub(super) use imp::{ended, gone, made, read};
