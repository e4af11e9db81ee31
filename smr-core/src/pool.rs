//! Pools: an allocator whose memory waits for readers.

use core::alloc::Layout;
use core::fmt;
use core::hint::cold_path;
use core::marker::PhantomData;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::{self, NonNull};
use core::time::Duration;

use alloc::alloc::handle_alloc_error;
use alloc::boxed::Box;

use crate::domain::Domain;
use crate::handle::Participate;
use crate::limits::RetireError;
use crate::ord;
use crate::pool_box::PoolBox;
use crate::pool_report::{AllocError, PoolStats, ReserveError};
use crate::raw::inner::Home;
use crate::raw::pool::PoolInner;
use crate::raw::try_box;
use crate::sync::AtomicPtr;
use crate::wait::WaitError;

/// An allocator of `T`s that is integrated with reclamation.
///
/// An item that was unlinked is [retired](Self::retire) to its pool and comes
/// back from [`alloc`](Self::alloc) once no section can reach it, without a trip
/// through the system's allocator, without a callback, and without a word
/// written into it before. Each participating thread keeps a cache; buckets of
/// retired items carry one goal each, which is looked at only when the bucket is
/// wanted back: by then it has nearly always expired.
///
/// Allocating and retiring never wait for readers. Memory that readers hold up
/// is not reused, fresh memory is taken instead.
///
/// # Destructors
///
/// Items without a destructor just become free. Others are dropped soon after no
/// section can reach them: two at each further retire, and, in a pool whose `T`
/// is `'static` (made with [`new`](Self::new)), by the domain's collections too:
/// when a reader that held them up leaves, when a thread stops retiring or
/// exits, in [`Domain::flush`] and [`Domain::barrier`]. A
/// [`scoped`](Self::scoped) pool takes any `T`, and is reached through the pool
/// alone. (It must be so: a pool can be forgotten, and then values that borrow
/// would outlive what they borrow from.)
///
/// Dropping the pool drops all that was retired, at once and without waiting.
/// Items that were *not* retired are not dropped, but their memory goes: a
/// structure drops its live items before its pool.
///
/// # Memory
///
/// An empty pool owns no heap. A pool used by one thread costs 304
/// bytes beyond its slabs. Slabs start at 512 bytes and double up to 256 KiB, or are
/// of 2 MiB in large pools; [`trim`](Self::trim) gives free ones back; without it,
/// memory stays with the pool for reuse. What waits for a poll is at most 4,096 items
/// or 2 MiB a thread, beyond what readers hold up.
///
/// ```
/// use smr_core::{Pool, pin};
///
/// let pool = Pool::new();
/// let item = pool.alloc(String::from("shared"));
/// let raw = item.into_raw();
/// // ... publish `raw`, and later, having unlinked it:
/// // SAFETY: nobody can find it any more, and it is retired once.
/// unsafe { pool.retire(raw) };
/// pool.barrier();
/// assert_eq!(pool.stats().retired_items, 0);
/// ```
pub struct Pool<T> {
    inner: AtomicPtr<PoolInner<T>>,
    /// `None`: the global one.
    pub(crate) domain: Option<Domain>,
    reached: bool,
    _owns: PhantomData<T>,
}

// SAFETY: a pool drops values on the threads that use it.
unsafe impl<T: Send> Send for Pool<T> {}
// SAFETY: it hands out memory, never a shared reference to a value.
unsafe impl<T: Send> Sync for Pool<T> {}

// It shows nobody a value that a panic could have left half changed, and is left
// as it should be itself.
impl<T> UnwindSafe for Pool<T> {}
impl<T> RefUnwindSafe for Pool<T> {}

impl<T> Pool<T> {
    /// A pool under the global domain.
    ///
    /// ```
    /// static NODES: smr_core::Pool<[u64; 4]> = smr_core::Pool::new();
    /// assert_eq!(NODES.alloc([7; 4])[0], 7);
    /// ```
    #[cfg(all(feature = "std", not(loom)))]
    #[must_use]
    pub const fn new() -> Self
    where
        T: 'static,
    {
        Self {
            inner: AtomicPtr::new(ptr::null_mut()),
            domain: None,
            reached: true,
            _owns: PhantomData,
        }
    }

    /// A pool under the given domain.
    #[must_use]
    pub fn new_in(domain: &Domain) -> Self
    where
        T: 'static,
    {
        Self {
            inner: AtomicPtr::new(ptr::null_mut()),
            domain: Some(domain.clone()),
            reached: true,
            _owns: PhantomData,
        }
    }

    /// A pool under the global domain, of values that may borrow.
    ///
    /// ```
    /// let text = String::from("borrowed");
    /// let pool = smr_core::Pool::scoped();
    /// assert_eq!(*pool.alloc(text.as_str()), "borrowed");
    /// ```
    #[cfg(all(feature = "std", not(loom)))]
    #[must_use]
    pub const fn scoped() -> Self {
        Self {
            inner: AtomicPtr::new(ptr::null_mut()),
            domain: None,
            reached: false,
            _owns: PhantomData,
        }
    }

    /// A pool under the given domain, of values that may borrow.
    #[must_use]
    pub fn scoped_in(domain: &Domain) -> Self {
        Self {
            inner: AtomicPtr::new(ptr::null_mut()),
            domain: Some(domain.clone()),
            reached: false,
            _owns: PhantomData,
        }
    }

    /// The domain that the pool's readers belong to.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        match &self.domain {
            Some(domain) => domain,
            #[cfg(all(feature = "std", not(loom)))]
            None => Domain::global(),
            #[cfg(any(not(feature = "std"), loom))]
            None => unreachable!("only `std` has a global domain"),
        }
    }

    #[inline(always)]
    pub(crate) fn get(&self) -> Option<&PoolInner<T>> {
        // Acquire: pairs with the Release in `make`.
        let inner = self.inner.load(ord::pool_find());
        // SAFETY: made by `make`, freed when the pool is dropped.
        unsafe { inner.as_ref() }
    }

    #[inline(always)]
    pub(crate) fn inner(&self) -> &PoolInner<T> {
        self.try_inner()
            .unwrap_or_else(|| handle_alloc_error(Layout::new::<PoolInner<T>>()))
    }

    #[inline(always)]
    pub(crate) fn try_inner(&self) -> Option<&PoolInner<T>> {
        self.get().or_else(|| self.try_make())
    }

    /// `None` if there is no memory.
    #[cold]
    #[inline(never)]
    fn try_make(&self) -> Option<&PoolInner<T>> {
        let new = try_box(PoolInner::new(self.domain().clone(), self.reached))?;
        let new = Box::into_raw(new);
        // AcqRel: publishes the inside, or sees that of the thread which did.
        match self
            .inner
            .compare_exchange(ptr::null_mut(), new, ord::pool_make(), ord::pool_find())
        {
            // SAFETY: just made, and freed with the pool.
            Ok(_) => Some(unsafe { &*new }),
            Err(theirs) => {
                // SAFETY: ours was never published.
                drop(unsafe { Box::from_raw(new) });
                // SAFETY: as in `get`.
                Some(unsafe { &*theirs })
            }
        }
    }

    /// The calling thread's place in the pool.
    fn home(inner: &PoolInner<T>) -> Home<'static> {
        crate::local::own(inner.domain.inner()).map_or(Home::Depot, Home::Own)
    }

    /// Memory for one item, for the calling thread.
    #[inline(always)]
    fn take(&self) -> Option<NonNull<T>> {
        let inner = self.try_inner()?;
        match crate::local::own(inner.domain.inner()) {
            Some(slot) => inner.take_own(slot).ok(),
            None => {
                cold_path();
                inner.take(Home::Depot).ok()
            }
        }
    }

    // -- allocate ------------------------------------------------------------

    /// Puts `value` into an item of the pool.
    ///
    /// Constant time, amortised. Lock-free as long as the pool has memory at
    /// hand; fresh memory comes from the system.
    ///
    /// # Panics
    ///
    /// If a destructor of an earlier item, run on this occasion, panics.
    ///
    /// ```
    /// let pool = smr_core::Pool::new();
    /// let mut item = pool.alloc([0_u64; 8]);
    /// item[7] = 7; // nobody else sees it yet
    /// ```
    #[inline]
    pub fn alloc(&self, value: T) -> PoolBox<'_, T> {
        match self.take() {
            Some(item) => self.fill(item, value),
            None => Self::out_of_memory(),
        }
    }

    /// As [`alloc`](Self::alloc), without looking up the calling thread.
    ///
    /// # Panics
    ///
    /// As there, and if `who` takes part in another domain.
    ///
    /// ```
    /// let pool = smr_core::Pool::new();
    /// let guard = smr_core::pin();
    /// assert_eq!(*pool.alloc_in(&guard, 7), 7);
    /// ```
    #[inline(always)]
    pub fn alloc_in(&self, who: &impl Participate, value: T) -> PoolBox<'_, T> {
        let inner = self.inner();
        match inner.take_for(who.place().0) {
            Ok(item) => self.fill(item, value),
            Err(_) => Self::out_of_memory(),
        }
    }

    /// As [`alloc`](Self::alloc), with a value that is made where it is to be: for
    /// items that are too large to be moved about.
    ///
    /// # Panics
    ///
    /// As there. If `make` panics, the item is given back.
    ///
    /// ```
    /// use smr_core::Pool;
    ///
    /// let pool = Pool::new();
    /// let page = pool.alloc_with(|| [0_u8; 4096]);
    /// assert_eq!(page.len(), 4096);
    /// ```
    #[inline]
    pub fn alloc_with(&self, make: impl FnOnce() -> T) -> PoolBox<'_, T> {
        match self.take() {
            Some(item) => self.fill_with(item, make),
            None => Self::out_of_memory(),
        }
    }

    /// As [`alloc_with`](Self::alloc_with), without looking up the calling thread.
    ///
    /// # Panics
    ///
    /// As there, and if `who` takes part in another domain.
    #[inline]
    pub fn alloc_with_in(
        &self,
        who: &impl Participate,
        make: impl FnOnce() -> T,
    ) -> PoolBox<'_, T> {
        let inner = self.inner();
        match inner.take_for(who.place().0) {
            Ok(item) => self.fill_with(item, make),
            Err(_) => Self::out_of_memory(),
        }
    }

    #[inline(always)]
    pub(crate) fn fill_with(&self, item: NonNull<T>, make: impl FnOnce() -> T) -> PoolBox<'_, T> {
        struct GiveBack<'p, T>(&'p Pool<T>, NonNull<T>);
        impl<T> Drop for GiveBack<'_, T> {
            fn drop(&mut self) {
                self.0.put_free(self.1);
            }
        }
        let give_back = GiveBack(self, item);
        // SAFETY: the item is ours, aligned, and holds no value.
        unsafe { item.write(make()) };
        core::mem::forget(give_back);
        PoolBox { item, pool: self }
    }

    /// As [`alloc`](Self::alloc), where the system may have no memory.
    ///
    /// # Errors
    ///
    /// [`AllocError`], with the value.
    pub fn try_alloc(&self, value: T) -> Result<PoolBox<'_, T>, AllocError<T>> {
        match self.take() {
            Some(item) => Ok(self.fill(item, value)),
            None => Err(AllocError(value)),
        }
    }

    #[inline(always)]
    pub(crate) fn fill(&self, item: NonNull<T>, value: T) -> PoolBox<'_, T> {
        // SAFETY: the item is ours, aligned, and holds no value.
        unsafe { item.write(value) };
        PoolBox { item, pool: self }
    }

    #[cold]
    pub(crate) fn out_of_memory() -> ! {
        handle_alloc_error(Layout::new::<T>())
    }

    /// Makes sure that the calling thread can allocate `items` items without
    /// asking the system.
    ///
    /// A promise to threads that keep a slot. Without the feature `std`, and in the
    /// destructors of thread-locals, nobody has a cache of its own that it could
    /// be kept in: then this does nothing.
    ///
    /// # Panics
    ///
    /// If there is no memory for so many; [`try_reserve`](Self::try_reserve)
    /// returns an error.
    pub fn reserve(&self, items: usize) {
        self.try_reserve(items)
            .unwrap_or_else(|error| panic!("{error}"));
    }

    /// As [`reserve`](Self::reserve).
    ///
    /// # Errors
    ///
    /// [`ReserveError`] if there is no memory for so many.
    ///
    /// ```
    /// let pool = smr_core::Pool::<u64>::new();
    /// assert!(pool.try_reserve(usize::MAX).is_err());
    /// assert!(pool.try_reserve(1000).is_ok());
    /// assert!(pool.stats().free_items >= 1000);
    /// ```
    pub fn try_reserve(&self, items: usize) -> Result<(), ReserveError> {
        if items == 0 {
            return Ok(());
        }
        let inner = self.try_inner().ok_or(ReserveError { items })?;
        match Self::home(inner) {
            Home::Own(slot) => inner
                .reserve(slot, items)
                .map_err(|_| ReserveError { items }),
            // A thread without a cache has nowhere to keep a reserve.
            Home::Depot | Home::Shared(_) => Ok(()),
        }
    }

    pub(crate) fn put_free(&self, item: NonNull<T>) {
        let inner = self.inner();
        let home = Self::home(inner);
        inner.put_free(home, item);
        if let (true, Home::Own(slot)) = (PoolInner::<T>::NEEDS_DROP, home) {
            slot.after_work(|| inner.collect_missed(slot, inner.cache(slot)));
        }
    }

    // -- retire --------------------------------------------------------------

    /// Takes over an item that was unlinked. It is reused, after its value was
    /// dropped, when every section that is open now has ended.
    ///
    /// Constant time, amortised; never waits for readers, except under
    /// [`OverLimit::Block`](crate::OverLimit).
    ///
    /// # Safety
    ///
    /// * `item` came from this pool, through [`PoolBox::into_raw`].
    /// * It was unlinked: no section that begins later can reach it.
    /// * It is retired once, by one thread. (Debug builds check this.)
    /// * Sections that can reach it belong to the pool's domain, and end before
    ///   the pool is dropped.
    ///
    /// # Panics
    ///
    /// If a destructor of an earlier item, run on this occasion, panics.
    ///
    /// ```
    /// let pool = smr_core::Pool::new();
    /// let item = pool.alloc(7).into_raw();
    /// // SAFETY: nobody has seen it, and it is retired once.
    /// unsafe { pool.retire(item) };
    /// ```
    #[inline]
    pub unsafe fn retire(&self, item: NonNull<T>)
    where
        T: Send,
    {
        let inner = self.inner();
        match crate::local::own(inner.domain.inner()) {
            Some(slot) => inner.retire_own(slot, item),
            None => {
                cold_path();
                inner.retire(Home::Depot, item);
            }
        }
    }

    /// As [`retire`](Self::retire), without looking up the calling thread.
    ///
    /// # Safety
    ///
    /// As there.
    ///
    /// # Panics
    ///
    /// As there, and if `who` takes part in another domain.
    #[inline(always)]
    pub unsafe fn retire_in(&self, who: &impl Participate, item: NonNull<T>)
    where
        T: Send,
    {
        let inner = self.inner();
        inner.retire_for(who.place().0, item);
    }

    /// As [`retire`](Self::retire), unless the domain is over its limit and the policy is
    /// [`OverLimit::Error`](crate::OverLimit). Memory is not what is tried: without any for
    /// the item to wait in, the process ends as there. With [`room`](Self::room) it goes on.
    ///
    /// # Safety
    ///
    /// As there. A refused item is still the caller's to retire.
    ///
    /// # Errors
    ///
    /// [`RetireError`], with the item.
    pub unsafe fn try_retire(&self, item: NonNull<T>) -> Result<(), RetireError<NonNull<T>>>
    where
        T: Send,
    {
        if self.domain().inner().refuses() {
            return Err(RetireError(item));
        }
        // SAFETY: the caller's promise.
        unsafe { self.retire(item) };
        Ok(())
    }

    // -- all of it -----------------------------------------------------------

    /// Drops the values that no reader holds up, of all threads. Does not wait.
    ///
    /// # Panics
    ///
    /// If a destructor panics; the others have run then.
    ///
    /// ```
    /// # let pool = smr_core::Pool::new();
    /// # let item = pool.alloc(String::new()).into_raw();
    /// // SAFETY: nobody has seen it, and it is retired once.
    /// unsafe { pool.retire(item) };
    /// pool.flush();
    /// ```
    pub fn flush(&self) {
        if let Some(inner) = self.get() {
            inner.flush();
        }
    }

    /// Waits until every value that was retired before, by any thread, has been
    /// dropped.
    ///
    /// # Panics
    ///
    /// If the calling thread is inside a section of the domain, or runs a
    /// destructor of it; [`try_barrier`](Self::try_barrier) returns an error.
    pub fn barrier(&self) {
        self.wait_for_drops(None)
            .unwrap_or_else(|error| panic!("{error}"));
    }

    /// As [`barrier`](Self::barrier). Each of its waits lasts `timeout` at most.
    ///
    /// # Errors
    ///
    /// [`WaitError`]: the time was up, or the wait would never end.
    pub fn try_barrier(&self, timeout: Duration) -> Result<(), WaitError> {
        self.wait_for_drops(Some(timeout))
    }

    fn wait_for_drops(&self, timeout: Option<Duration>) -> Result<(), WaitError> {
        let node = self.get().map(PoolInner::as_node);
        let result = self.domain().inner().barrier(timeout, node);
        // What has expired is free, for the figures as well.
        self.flush();
        result
    }

    /// Gives slabs that are wholly free back to the system, and returns their
    /// bytes. Collects first, as [`flush`](Self::flush). Linear in the free items.
    ///
    /// ```
    /// let pool = smr_core::Pool::new();
    /// drop(pool.alloc([0_u8; 4096]));
    /// assert!(pool.trim() >= 4096);
    /// assert_eq!(pool.stats().slab_bytes, 0);
    /// ```
    pub fn trim(&self) -> usize {
        self.get().map_or(0, PoolInner::trim)
    }

    /// How much memory the pool holds, and for what. Stops the owners of its
    /// caches for a moment.
    ///
    /// Linear in what is free in the depot, and in the slabs.
    ///
    /// ```
    /// let pool = smr_core::Pool::new();
    /// let item = pool.alloc(7);
    /// assert_eq!(pool.stats().live_items, 1);
    /// drop(item);
    /// assert_eq!(pool.stats().live_items, 0);
    /// ```
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.get().map_or_else(PoolStats::default, PoolInner::stats)
    }
}

impl<T> Drop for Pool<T> {
    fn drop(&mut self) {
        let inner = self.inner.load(ord::pool_find());
        if !inner.is_null() {
            // SAFETY: made by `make`, and nobody borrows the pool any more.
            unsafe { PoolInner::destroy(inner) };
        }
    }
}

#[cfg(all(feature = "std", not(loom)))]
impl<T: 'static> Default for Pool<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("domain", self.domain())
            .finish_non_exhaustive()
    }
}
