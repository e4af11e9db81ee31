//! A pool in the hands of one participant.

use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;

use crate::guard::Guard;
use crate::handle::LocalHandle;
use crate::limits::RetireError;
use crate::pool::Pool;
use crate::pool_box::PoolBox;
use crate::pool_report::AllocError;
use crate::raw::bucket::Bucket;
use crate::raw::cache::Cache;
use crate::raw::inner::Home;
use crate::raw::participant::Participant;
use crate::raw::pool::PoolInner;

/// A [`Pool`] in the hands of one participant.
///
/// It does what the pool does, without looking up the participant and its place in
/// the pool at each call: for loops that allocate and retire. [`Pool::register`] and
/// [`Pool::local`] return one.
///
/// It belongs to the thread of its handle:
///
/// ```compile_fail,E0277
/// use smr_core::{Domain, Pool};
///
/// let domain = Domain::new();
/// let pool = Pool::<u64>::new_in(&domain);
/// let local = pool.register();
/// std::thread::scope(|scope| {
///     scope.spawn(|| drop(local.alloc(7)));
/// });
/// ```
///
/// The pool itself may be shared:
///
/// ```
/// use smr_core::{Domain, Pool};
///
/// let domain = Domain::new();
/// let pool = Pool::<u64>::new_in(&domain);
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         let local = pool.register();
///         drop(local.alloc(7));
///     });
/// });
/// ```
pub struct LocalPool<'p, T> {
    pool: &'p Pool<T>,
    inner: &'p PoolInner<T>,
    slot: &'p Participant,
    cache: &'p Cache<T>,
    /// What keeps the slot, unless somebody else does for `'p`.
    _own: Option<LocalHandle>,
    _not_send: PhantomData<*mut ()>,
}

impl<T> Pool<T> {
    /// The pool in the hands of a participant that is there already.
    ///
    /// Allocates the participant's place in the pool.
    ///
    /// # Panics
    ///
    /// If `handle` takes part in another domain.
    ///
    /// ```
    /// use smr_core::{Domain, Pool};
    ///
    /// let domain = Domain::new();
    /// let (small, large) = (Pool::new_in(&domain), Pool::new_in(&domain));
    /// let handle = domain.register();
    /// let (small, large) = (small.local(&handle), large.local(&handle));
    /// assert_eq!(*small.alloc(1), 1);
    /// assert_eq!(*large.alloc([1; 100]), [1; 100]);
    /// ```
    #[must_use]
    pub fn local<'p>(&'p self, handle: &'p LocalHandle) -> LocalPool<'p, T> {
        let inner = self.inner();
        let Home::Own(slot) = inner.home_of(Some(handle.slot())) else {
            unreachable!("a handle owns its slot");
        };
        LocalPool {
            pool: self,
            inner,
            cache: inner.cache(slot),
            slot,
            _own: None,
            _not_send: PhantomData,
        }
    }

    /// Registers the caller as a participant of its own, and hands it the pool.
    ///
    /// Costs as [`Domain::register`](crate::Domain::register).
    ///
    /// # Panics
    ///
    /// As there.
    ///
    /// ```
    /// let pool = smr_core::Pool::new();
    /// let local = pool.register();
    /// for value in 0..1000 {
    ///     let item = local.alloc(value).into_raw();
    ///     // SAFETY: nobody has seen it, and it is retired once.
    ///     unsafe { local.retire(item) };
    /// }
    /// ```
    #[must_use]
    pub fn register(&self) -> LocalPool<'_, T> {
        let inner = self.inner();
        let handle = inner.domain.register();
        let slot = handle.slot();
        LocalPool {
            pool: self,
            inner,
            cache: inner.cache(slot),
            slot,
            _own: Some(handle),
            _not_send: PhantomData,
        }
    }
}

impl<'p, T> LocalPool<'p, T> {
    /// The pool.
    #[must_use]
    pub fn pool(&self) -> &'p Pool<T> {
        self.pool
    }

    /// Enters a section, as [`LocalHandle::pin`].
    #[inline]
    pub fn pin(&self) -> Guard {
        Guard::enter(self.slot)
    }

    #[inline(always)]
    fn take(&self) -> Option<NonNull<T>> {
        self.inner.take_at(self.slot, self.cache).ok()
    }

    /// As [`Pool::alloc`].
    ///
    /// # Panics
    ///
    /// As there.
    #[inline]
    pub fn alloc(&self, value: T) -> PoolBox<'p, T> {
        match self.take() {
            Some(item) => self.pool.fill(item, value),
            None => Pool::<T>::out_of_memory(),
        }
    }

    /// As [`Pool::alloc_with`].
    ///
    /// # Panics
    ///
    /// As there.
    #[inline]
    pub fn alloc_with(&self, make: impl FnOnce() -> T) -> PoolBox<'p, T> {
        match self.take() {
            Some(item) => self.pool.fill_with(item, make),
            None => Pool::<T>::out_of_memory(),
        }
    }

    /// As [`Pool::try_alloc`]: here it is memory that is tried.
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn try_alloc(&self, value: T) -> Result<PoolBox<'p, T>, AllocError<T>> {
        match self.take() {
            Some(item) => Ok(self.pool.fill(item, value)),
            None => Err(AllocError(value)),
        }
    }

    /// As [`Pool::retire`].
    ///
    /// # Safety
    ///
    /// As there.
    ///
    /// # Panics
    ///
    /// As there.
    #[inline]
    pub unsafe fn retire(&self, item: NonNull<T>)
    where
        T: Send,
    {
        self.inner
            .retire_at(self.slot, self.cache, item, Bucket::with_capacity);
    }

    /// As [`Pool::try_retire`]: the limit is tried, not memory.
    ///
    /// # Safety
    ///
    /// As there.
    ///
    /// # Errors
    ///
    /// As there.
    pub unsafe fn try_retire(&self, item: NonNull<T>) -> Result<(), RetireError<NonNull<T>>>
    where
        T: Send,
    {
        if self.inner.inner().refuses() {
            return Err(RetireError(item));
        }
        // SAFETY: the caller's promise.
        unsafe { self.retire(item) };
        Ok(())
    }
}

impl<T> fmt::Debug for LocalPool<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalPool")
            .field("pool", self.pool)
            .finish_non_exhaustive()
    }
}
