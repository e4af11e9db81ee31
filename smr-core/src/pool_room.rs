//! Retiring that needs no memory.

use core::fmt;
use core::ptr::NonNull;

use crate::handle::Participate;
use crate::pool::Pool;
use crate::pool_report::AllocError;
use crate::raw::bucket::Bucket;

/// Room for one item among those that wait, from [`Pool::room`].
///
/// What is not used is given back.
pub struct Room<T>(Bucket<NonNull<T>>);

impl<T> fmt::Debug for Room<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Room(..)")
    }
}

impl<T> Pool<T> {
    /// Gets the memory that a retirement may need, before the step that makes it
    /// necessary: an operation that must not fail half way asks for room, unlinks, and
    /// then [retires into it](Self::retire_into).
    ///
    /// O(1), an allocation. The first call of a thread makes its cache as well.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there is no memory.
    ///
    /// # Panics
    ///
    /// If `who` takes part in another domain.
    ///
    /// # Examples
    ///
    /// ```
    /// # use smr_core::Pool;
    /// let pool = Pool::new();
    /// let item = pool.try_alloc(1)?.into_raw();
    /// let guard = smr_core::pin();
    /// let room = pool.room(&guard)?; // the last step that can fail
    /// // ... unlink the item, and then:
    /// // SAFETY: nobody can find it any more, and it is retired once.
    /// unsafe { pool.retire_into(&guard, item, room) };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn room(&self, who: &impl Participate) -> Result<Room<T>, AllocError<()>> {
        let bucket = self
            .try_inner()
            .and_then(|inner| inner.room(Self::home_of(inner, who)).ok());
        bucket.map(Room).ok_or(AllocError(()))
    }

    /// As [`retire_in`](Self::retire_in), with the memory that [`room`](Self::room) got
    /// through the same guard or handle: it asks for none. Builds with debug assertions
    /// do, for they remember what was retired.
    ///
    /// # Safety
    ///
    /// As there.
    ///
    /// # Panics
    ///
    /// As there.
    #[inline]
    pub unsafe fn retire_into(&self, who: &impl Participate, item: NonNull<T>, room: Room<T>)
    where
        T: Send,
    {
        let inner = self.inner();
        inner.retire_into(Self::home_of(inner, who), item, |_| room.0);
    }
}
