//! Where the unsafe code lives.

use core::alloc::Layout;

use alloc::boxed::Box;

mod account;
mod array;
pub(crate) mod bins;
pub(crate) mod bucket;
pub(crate) mod cache;
pub(crate) mod cell;
mod counter;
pub(crate) mod deferred;
mod huge;
pub(crate) mod inner;
pub(crate) mod latch;
pub(crate) mod lock;
mod notice;
pub(crate) mod participant;
mod poll;
pub(crate) mod pool;
mod pool_poll;
mod pool_retire;
pub(crate) mod pool_sweep;
pub(crate) mod pool_tend;
pub(crate) mod pools;
mod prefetch;
pub(crate) mod recent;
pub(crate) mod registry;
mod sized;
pub(crate) mod slab;
pub(crate) mod sweep;
pub(crate) mod tagged;
pub(crate) mod unique;
mod worker;
mod zeroed;

#[cfg(all(test, not(loom)))]
mod tests;

pub use counter::Counter;
pub use prefetch::{HAS_PREFETCH, prefetch};
pub use zeroed::{Zeroed, mapped_bytes};

/// A box, or `None` if there is no memory.
pub fn try_box<T>(value: T) -> Option<Box<T>> {
    const { assert!(size_of::<T>() != 0, "nothing to allocate") };
    // SAFETY: the layout is not empty.
    let place = unsafe { alloc::alloc::alloc(Layout::new::<T>()) }.cast::<T>();
    if place.is_null() {
        return None;
    }
    // SAFETY: fresh memory of the layout of a `T`.
    unsafe { place.write(value) };
    // SAFETY: allocated as a box is, initialised, and nobody else's.
    Some(unsafe { Box::from_raw(place) })
}
