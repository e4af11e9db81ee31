//! Where the unsafe code lives.

mod array;
pub(crate) mod bins;
pub(crate) mod bucket;
pub(crate) mod cache;
pub(crate) mod cell;
pub(crate) mod deferred;
pub(crate) mod inner;
pub(crate) mod latch;
pub(crate) mod lock;
pub(crate) mod participant;
pub(crate) mod pool;
pub(crate) mod pool_sweep;
pub(crate) mod pools;
pub(crate) mod registry;
mod sized;
pub(crate) mod slab;
pub(crate) mod sweep;
pub(crate) mod tagged;
pub(crate) mod unique;

#[cfg(all(test, not(loom)))]
mod tests;
