//! What a pool tells: its figures, and why it could not serve.

use core::fmt;

#[cfg(doc)]
use crate::pool::Pool;

/// How much memory a [`Pool`] holds, and for what. Items in an owner's hands
/// while the figures were taken count as live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PoolStats {
    /// Slabs taken from the system.
    pub slabs: usize,
    /// Their bytes, headers included.
    pub slab_bytes: usize,
    /// Items that were allocated and not retired.
    pub live_items: usize,
    /// Items that wait for readers, or for their value to be dropped.
    pub retired_items: usize,
    /// The bytes of those.
    pub retired_bytes: usize,
    /// Items that are free: used before, or fresh.
    pub free_items: usize,
    /// Caches, one for each participant that used the pool.
    pub caches: usize,
}

/// There was no memory for a value.
pub struct AllocError<T>(
    /// The value.
    pub T,
);

impl<T> fmt::Debug for AllocError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AllocError(..)")
    }
}

impl<T> fmt::Display for AllocError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the system has no memory for a slab of {}-byte items",
            size_of::<T>()
        )
    }
}

impl<T> core::error::Error for AllocError<T> {}

/// There was no memory for a reserve, or its size does not fit the address space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReserveError {
    /// How many items were asked for.
    pub items: usize,
}

impl fmt::Display for ReserveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the system has no memory for {} items at once: reserve fewer",
            self.items
        )
    }
}

impl core::error::Error for ReserveError {}
