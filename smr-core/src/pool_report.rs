//! What a pool tells: its figures, and why it could not serve.

use core::fmt;
use core::ops::Add;

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

impl<T> Pool<T> {
    /// Bytes of the slabs taken from the system: [`PoolStats::slab_bytes`] alone, which
    /// needs no look at what the caches hold.
    ///
    /// O(1), behind the pool's lock.
    ///
    /// ```
    /// let pool = smr_core::Pool::new();
    /// assert_eq!(pool.slab_bytes(), 0);
    /// drop(pool.alloc([0_u64; 8]));
    /// assert_eq!(pool.slab_bytes(), pool.stats().slab_bytes);
    /// ```
    #[must_use]
    pub fn slab_bytes(&self) -> usize {
        self.get()
            .map_or(0, |inner| inner.depot.with(|depot| depot.slab_bytes))
    }
}

/// The figures of two pools together: what a structure holds that has several.
impl Add for PoolStats {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            slabs: self.slabs + other.slabs,
            slab_bytes: self.slab_bytes + other.slab_bytes,
            live_items: self.live_items + other.live_items,
            retired_items: self.retired_items + other.retired_items,
            retired_bytes: self.retired_bytes + other.retired_bytes,
            free_items: self.free_items + other.free_items,
            caches: self.caches + other.caches,
        }
    }
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
