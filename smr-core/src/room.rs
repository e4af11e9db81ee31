//! Where memory may be refused: retiring that needs none.

use core::fmt;
use core::ptr::NonNull;

use crate::guard::Guard;
use crate::handle::Participate;
use crate::pool::Pool;
use crate::pool_box::PoolBox;
use crate::pool_report::AllocError;
use crate::raw::bucket::Bucket;
use crate::raw::deferred::Deferred;
use crate::tunables::FIRST_BUCKET_ITEMS;

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
    /// As [`try_alloc`](Self::try_alloc), without looking up the calling thread.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Panics
    ///
    /// As there, and if `who` takes part in another domain.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = smr_core::Pool::new();
    /// let guard = smr_core::pin();
    /// assert_eq!(*pool.try_alloc_in(&guard, 7)?, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn try_alloc_in(
        &self,
        who: &impl Participate,
        value: T,
    ) -> Result<PoolBox<'_, T>, AllocError<T>> {
        let item = self
            .try_inner()
            .and_then(|inner| inner.take_for(who.place().0).ok());
        match item {
            Some(item) => Ok(self.fill(item, value)),
            None => Err(AllocError(value)),
        }
    }

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
            .and_then(|inner| inner.room(inner.home_of(who.place().0)).ok());
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
        inner.retire_into(inner.home_of(who.place().0), item, |_| room.0);
    }
}

/// Room for one thing among those that wait in a domain, whichever that is.
///
/// What is not used is given back.
pub struct DeferRoom(Bucket<Deferred>);

impl DeferRoom {
    /// Gets the memory that deferring may need, before the step that makes it necessary:
    /// [`Guard::defer_into`] uses it.
    ///
    /// O(1), an allocation.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there is no memory.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::DeferRoom;
    ///
    /// let value = Box::new(7);
    /// let room = DeferRoom::new()?; // the last step that can fail
    /// smr_core::pin().defer_into(room, size_of::<i32>(), move || drop(value));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new() -> Result<Self, AllocError<()>> {
        Bucket::try_with_capacity(FIRST_BUCKET_ITEMS)
            .map(Self)
            .ok_or(AllocError(()))
    }
}

impl fmt::Debug for DeferRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeferRoom(..)")
    }
}

impl Guard {
    /// As [`defer_sized`](Self::defer_sized), with the memory that [`DeferRoom::new`] got:
    /// it asks for none.
    ///
    /// So `f` is stored in place: it captures three words at the most, or this does not
    /// compile.
    ///
    /// # Panics
    ///
    /// If a destructor of an earlier value, run on this occasion, panics.
    ///
    /// # Examples
    ///
    /// ```compile_fail,E0080
    /// # let room = smr_core::DeferRoom::new().unwrap();
    /// let numbers = [0_u64; 4];
    /// smr_core::pin().defer_into(room, 32, move || println!("{numbers:?}"));
    /// ```
    ///
    /// ```
    /// # let room = smr_core::DeferRoom::new().unwrap();
    /// let numbers = Box::new([0_u64; 4]);
    /// smr_core::pin().defer_into(room, 32, move || println!("{numbers:?}"));
    /// ```
    pub fn defer_into<F, R>(&self, room: DeferRoom, bytes: usize, f: F)
    where
        F: FnOnce() -> R,
        F: Send + 'static,
    {
        const { assert!(Deferred::is_in_place::<F>(), "it needs a box") };
        let what = Deferred::new(move || {
            f();
        });
        match self.home() {
            Some((slot, home)) => slot.domain().retire_into(home, what, bytes, |_| room.0),
            None => what.run(),
        }
    }
}
