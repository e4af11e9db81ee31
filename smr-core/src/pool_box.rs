//! [`PoolBox`]: a value in a pool before it is published, or after it has been
//! taken back.

use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use crate::pool::Pool;

/// A value in a [`Pool`] that nobody else has seen yet.
///
/// It is published by [`into_raw`](Self::into_raw). Dropping it drops the value
/// and gives the item back at once.
pub struct PoolBox<'p, T> {
    pub(crate) item: NonNull<T>,
    pub(crate) pool: &'p Pool<T>,
}

// SAFETY: it is the sole owner of the value.
unsafe impl<T: Send> Send for PoolBox<'_, T> {}
// SAFETY: as above; sharing it shares the value.
unsafe impl<T: Send + Sync> Sync for PoolBox<'_, T> {}

impl<'p, T> PoolBox<'p, T> {
    /// The item, to be published. It comes back through [`Pool::retire`] or
    /// [`from_raw`](Self::from_raw).
    ///
    /// Wait-free.
    ///
    /// ```
    /// use smr_core::{Pool, PoolBox};
    ///
    /// let pool = Pool::new();
    /// let raw = pool.alloc(7).into_raw();
    /// // SAFETY: nobody else has seen it, and it is taken back once.
    /// assert_eq!(*unsafe { PoolBox::from_raw(&pool, raw) }, 7);
    /// ```
    #[inline]
    #[must_use = "the item is lost unless it comes back"]
    pub fn into_raw(self) -> NonNull<T> {
        ManuallyDrop::new(self).item
    }

    /// Takes an item back that nobody else can reach.
    ///
    /// # Safety
    ///
    /// `item` came from `pool`, through [`into_raw`](Self::into_raw), was not
    /// retired, and no section can reach it.
    #[inline]
    pub unsafe fn from_raw(pool: &'p Pool<T>, item: NonNull<T>) -> Self {
        Self { item, pool }
    }

    /// Takes the value out and gives the item back.
    ///
    /// ```
    /// let pool = smr_core::Pool::new();
    /// assert_eq!(pool.alloc(String::from("a")).into_inner(), "a");
    /// ```
    #[must_use]
    pub fn into_inner(self) -> T {
        let this = ManuallyDrop::new(self);
        // SAFETY: ours alone, and the item is given up next.
        let value = unsafe { this.item.read() };
        this.pool.put_free(this.item);
        value
    }
}

impl<T> Drop for PoolBox<'_, T> {
    fn drop(&mut self) {
        struct GiveBack<'a, 'p, T>(&'a PoolBox<'p, T>);
        impl<T> Drop for GiveBack<'_, '_, T> {
            fn drop(&mut self) {
                let item = self.0.item;
                self.0.pool.put_free(item);
            }
        }
        // Also when the destructor panics.
        let _give_back = GiveBack(self);
        // SAFETY: ours alone, dropped once.
        unsafe { self.item.drop_in_place() };
    }
}

impl<T> Deref for PoolBox<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the item holds a value, and is ours.
        unsafe { self.item.as_ref() }
    }
}

impl<T> DerefMut for PoolBox<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, exclusively.
        unsafe { self.item.as_mut() }
    }
}

impl<T: fmt::Debug> fmt::Debug for PoolBox<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
