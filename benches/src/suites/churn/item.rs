//! The item that is passed around.

use std::mem::MaybeUninit;

/// An item: 64 bytes that are written when it is made, and the rest, which
/// nobody touches.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Item<const REST: usize> {
    /// The item behind it in its list and queue.
    pub(super) next: *mut Item<REST>,
    /// In the first item of a queue: the items of the queue.
    pub(super) count: u64,
    zero: [u64; 6],
    rest: MaybeUninit<[u8; REST]>,
}

// SAFETY: `next` is only followed by the one who owns the chain; what readers
// look at is not written once it is published.
unsafe impl<const REST: usize> Send for Item<REST> {}
// SAFETY: as above.
unsafe impl<const REST: usize> Sync for Item<REST> {}

impl<const REST: usize> Item<REST> {
    /// An item in front of another.
    #[inline(always)]
    pub(super) fn new(next: *mut Self) -> Self {
        Self {
            next,
            count: 0,
            zero: [0; 6],
            rest: MaybeUninit::uninit(),
        }
    }
}
