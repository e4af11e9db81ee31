//! Guards: being inside a section.

use core::fmt;
use core::marker::PhantomData;
use core::ops::Deref;
use core::panic::{RefUnwindSafe, UnwindSafe};

use crate::domain::Domain;
use crate::raw::deferred::Deferred;
use crate::raw::inner::Home;
use crate::raw::participant::{Participant, Stay};

/// A section: while a guard lives, nothing that its thread can reach through a
/// shared pointer is reclaimed.
///
/// [`pin`](crate::pin), [`Domain::pin`] and [`LocalHandle::pin`] return one.
/// Guards nest and may be dropped in any order; the section ends with the last.
/// A guard that is forgotten keeps the section open: memory is kept, never freed
/// early. A panic that unwinds past a guard drops it.
///
/// Entering and leaving are wait-free. Without a barrier instruction
/// ([`BarrierKind::Asymmetric`](crate::BarrierKind)) they are two loads and two
/// stores to memory that the thread owns. Leaving may run destructors: those of
/// what the thread retired itself, and all that a poll found this section to
/// hold up.
///
/// A guard belongs to its thread. [`OwnedGuard`] does not.
///
/// ```
/// use smr_core::{Atomic, pin};
/// use std::sync::atomic::Ordering::Acquire;
///
/// let shared = Atomic::new(7);
/// let guard = pin();
/// let seen = shared.load(Acquire, &guard);
/// // SAFETY: nobody frees it while the guard lives.
/// assert_eq!(unsafe { seen.deref() }, &7);
/// # drop(guard);
/// # unsafe { drop(shared.into_owned()) };
/// ```
///
/// A guard cannot be sent to another thread:
///
/// ```compile_fail
/// let guard = smr_core::pin();
/// std::thread::spawn(move || drop(guard));
/// ```
///
/// An owned one can:
///
/// ```
/// let guard = smr_core::Domain::global().owned_guard();
/// std::thread::spawn(move || drop(guard)).join().unwrap();
/// ```
///
/// [`LocalHandle::pin`]: crate::LocalHandle::pin
#[must_use = "the section ends when the guard is dropped"]
pub struct Guard {
    /// `None` for `unprotected`, and where the section was taken out.
    slot: Option<&'static Participant>,
    _not_send: PhantomData<*mut ()>,
}

impl UnwindSafe for Guard {}
impl RefUnwindSafe for Guard {}

impl Guard {
    /// Enters through a slot that the calling thread owns.
    #[inline(always)]
    pub(crate) fn enter(slot: &Participant) -> Self {
        slot.enter();
        Self::of_entered(slot)
    }

    /// The guard of a section that was entered through `slot`.
    #[inline(always)]
    pub(crate) fn of_entered(slot: &Participant) -> Self {
        Self {
            slot: Some(slot.outlive()),
            _not_send: PhantomData,
        }
    }

    /// The section is the caller's now; the guard that stays here has none.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> Self {
        Self {
            slot: self.slot.take(),
            _not_send: PhantomData,
        }
    }

    /// `None` for `unprotected`.
    #[inline(always)]
    pub(crate) fn slot(&self) -> Option<&Participant> {
        self.slot
    }

    /// Where what is retired through this guard waits. `None`: nobody protects
    /// anything, so it does not wait at all.
    #[inline]
    pub(crate) fn home(&self) -> Option<(&Participant, Home<'_>)> {
        self.slot.map(|slot| (slot, Home::with(slot)))
    }

    #[inline]
    fn retire_deferred(&self, what: Deferred, bytes: usize) {
        match self.home() {
            Some((slot, home)) => slot.domain().retire(home, what, bytes),
            None => what.run(),
        }
    }

    /// Takes over a value that was unlinked; drops it when every section that is
    /// open now has ended, on any thread. Never waits.
    ///
    /// See [`Domain::retire`].
    ///
    /// Costs and panics as there.
    ///
    /// ```
    /// let guard = smr_core::pin();
    /// guard.retire(Box::new([0_u8; 4096]));
    /// ```
    pub fn retire<T: Send + 'static>(&self, value: T) {
        self.defer_sized(size_of::<T>(), move || drop(value));
    }

    /// Runs `f` when every section that is open now has ended, on any thread.
    ///
    /// ```
    /// use smr_core::{Domain, pin};
    /// use std::sync::Mutex;
    ///
    /// // What is retired need not be a pointer: here it is an index.
    /// static FREE: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    /// let guard = pin();
    /// guard.defer(|| FREE.lock().unwrap().push(3));
    /// drop(guard);
    /// Domain::global().barrier();
    /// assert_eq!(*FREE.lock().unwrap(), [3]);
    /// ```
    pub fn defer<F, R>(&self, f: F)
    where
        F: FnOnce() -> R,
        F: Send + 'static,
    {
        self.defer_sized(size_of::<F>(), f);
    }

    /// As [`defer`](Self::defer), where `f` holds on to `bytes` bytes: they count
    /// for limits, and for when a bucket is full.
    ///
    /// ```
    /// let page = vec![0_u8; 4096];
    /// smr_core::pin().defer_sized(page.len(), move || drop(page));
    /// ```
    pub fn defer_sized<F, R>(&self, bytes: usize, f: F)
    where
        F: FnOnce() -> R,
        F: Send + 'static,
    {
        // SAFETY: `Send` and `'static` are what is asked for.
        unsafe { self.defer_unchecked_sized(bytes, f) }
    }

    /// As [`defer`](Self::defer), for a closure that the compiler cannot see to
    /// be `Send` and `'static`.
    ///
    /// # Safety
    ///
    /// `f` may run on any thread at any later time. What it refers to must live
    /// that long and be fit for that. Through [`unprotected`](crate::unprotected)
    /// it runs at once: nobody may be using what it frees.
    ///
    /// ```
    /// let page = Box::into_raw(Box::new([0_u8; 4096]));
    /// // SAFETY: nobody else knows the page, and any thread may free it.
    /// unsafe { smr_core::pin().defer_unchecked(move || drop(Box::from_raw(page))) };
    /// ```
    pub unsafe fn defer_unchecked<F, R>(&self, f: F)
    where
        F: FnOnce() -> R,
    {
        // SAFETY: the caller's promise.
        unsafe { self.defer_unchecked_sized(size_of::<F>(), f) }
    }

    /// As [`defer_unchecked`](Self::defer_unchecked), where `f` holds on to
    /// `bytes` bytes.
    ///
    /// # Safety
    ///
    /// As there.
    pub unsafe fn defer_unchecked_sized<F, R>(&self, bytes: usize, f: F)
    where
        F: FnOnce() -> R,
    {
        // SAFETY: the caller's promise.
        let what = unsafe {
            Deferred::new_unchecked(move || {
                f();
            })
        };
        self.retire_deferred(what, bytes);
    }

    /// Takes over `ptr`; hands it to `reclaim` when every section that is open
    /// now has ended. `bytes` is what it holds on to.
    ///
    /// # Safety
    ///
    /// `ptr` was unlinked: no section that begins later can reach it. It is
    /// retired once. `reclaim` may be called with it on any thread, at any later
    /// time.
    ///
    /// ```
    /// use smr_core::pin;
    ///
    /// unsafe fn free(ptr: *mut u64) {
    ///     // SAFETY: it came from a box, and nobody sees it any more.
    ///     drop(unsafe { Box::from_raw(ptr) });
    /// }
    ///
    /// let ptr = Box::into_raw(Box::new(1_u64));
    /// // SAFETY: nobody else knows it, and a `u64` may be freed anywhere.
    /// unsafe { pin().retire_raw(ptr, size_of::<u64>(), free) };
    /// ```
    pub unsafe fn retire_raw<T>(&self, ptr: *mut T, bytes: usize, reclaim: unsafe fn(*mut T)) {
        let call = move || {
            // SAFETY: the caller's promises.
            unsafe { reclaim(ptr) }
        };
        // SAFETY: as above.
        unsafe { self.defer_unchecked_sized(bytes, call) }
    }

    /// Collects for everybody what no reader holds up, this guard's section
    /// among them. Does not wait. Does nothing on `unprotected`.
    ///
    /// Costs and panics as [`Domain::flush`].
    ///
    /// ```
    /// let guard = smr_core::pin();
    /// guard.retire(Box::new(7));
    /// guard.flush(); // what others hold up no more
    /// ```
    pub fn flush(&self) {
        if let Some(slot) = self.slot {
            slot.domain().flush();
        }
    }

    /// Moves the section to the present, as if the guard were dropped and taken
    /// again: what was reachable before may be reclaimed. Does nothing while
    /// another guard of the same section lives.
    ///
    /// The exclusive borrow ends every reference that the guard protected:
    ///
    /// ```compile_fail
    /// # use smr_core::{Atomic, pin};
    /// # use std::sync::atomic::Ordering::Acquire;
    /// let shared = Atomic::new(7);
    /// let mut guard = pin();
    /// let seen = shared.load(Acquire, &guard);
    /// guard.repin();
    /// seen.tag();
    /// ```
    ///
    /// ```
    /// # use smr_core::{Atomic, pin};
    /// # use std::sync::atomic::Ordering::Acquire;
    /// let shared = Atomic::new(7);
    /// let mut guard = pin();
    /// guard.repin();
    /// let seen = shared.load(Acquire, &guard);
    /// seen.tag();
    /// # drop(guard);
    /// # unsafe { drop(shared.into_owned()) };
    /// ```
    pub fn repin(&mut self) {
        if let Some(slot) = self.slot {
            slot.repin();
        }
    }

    /// [`repin`](Self::repin) under the name that other crates give it.
    pub fn refresh(&mut self) {
        self.repin();
    }

    /// Leaves the section, runs `f`, and enters again, also when `f` panics.
    /// While another guard of the same section lives it only runs `f`.
    ///
    /// # Panics
    ///
    /// If `f` does, or a destructor of something that the section held up.
    ///
    /// ```
    /// let domain = smr_core::Domain::new();
    /// let mut guard = domain.pin();
    /// guard.repin_after(|| domain.synchronize());
    /// assert!(domain.is_pinned());
    /// ```
    pub fn repin_after<F, R>(&mut self, f: F) -> R
    where
        F: FnOnce() -> R,
    {
        struct Reenter<'a>(&'a Participant, #[allow(dead_code)] Stay<'a>);
        impl Drop for Reenter<'_> {
            fn drop(&mut self) {
                self.0.enter();
            }
        }
        // Before the section is left: leaving may run a destructor that panics,
        // and while we are out `f` may drop all else that keeps the slot.
        let _reenter = self.slot.filter(|slot| slot.is_outermost()).map(|slot| {
            let reenter = Reenter(slot, slot.stay());
            slot.step_out();
            reenter
        });
        f()
    }

    /// The domain of the section; `None` for [`unprotected`](crate::unprotected).
    #[must_use]
    pub fn domain(&self) -> Option<&Domain> {
        self.slot.map(|slot| slot.face())
    }

    /// [`domain`](Self::domain) in the words of `crossbeam-epoch`.
    #[must_use]
    pub fn collector(&self) -> Option<&Domain> {
        self.domain()
    }

    /// Whether this guard protects what is shared under `domain`.
    ///
    /// [`unprotected`](crate::unprotected) protects nothing, so a structure with
    /// a safe interface refuses it.
    ///
    /// ```
    /// use smr_core::{Domain, pin, unprotected};
    ///
    /// assert!(pin().protects(Domain::global()));
    /// assert!(!pin().protects(&Domain::new()));
    /// // SAFETY: it is used for nothing.
    /// assert!(!unsafe { unprotected() }.protects(Domain::global()));
    /// ```
    #[must_use]
    #[inline]
    pub fn protects(&self, domain: &Domain) -> bool {
        self.slot.is_some_and(|slot| slot.is_of(domain.inner()))
    }

    /// Whether this guard protects what is shared under the global domain.
    #[cfg(all(feature = "std", not(loom)))]
    #[inline]
    pub(crate) fn protects_global(&self) -> bool {
        self.slot.is_some_and(Participant::is_of_global)
    }
}

impl Drop for Guard {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            // The domain may go with this, after the last use of the slot.
            drop(slot.exit());
        }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("domain", &self.domain())
            .finish_non_exhaustive()
    }
}

/// A section that is bound to no thread: it may be sent, shared, and held across
/// `.await` and blocking calls.
///
/// It dereferences to a [`Guard`], so everything that takes a `&Guard` takes it.
/// What is retired through it goes through a lock, since several threads may use
/// it at a time.
///
/// [`Domain::owned_guard`] returns one. It holds memory up like any other
/// section, for as long as it lives.
///
/// ```
/// use smr_core::{Domain, SmrCell};
///
/// let cell = SmrCell::new(String::from("first"));
/// let guard = Domain::global().owned_guard();
/// let seen = cell.load(&guard);
/// cell.store(String::from("second"));
/// std::thread::scope(|scope| {
///     scope.spawn(|| assert_eq!(seen, "first"));
/// });
/// ```
#[must_use = "the section ends when the guard is dropped"]
pub struct OwnedGuard {
    guard: Guard,
}

// SAFETY: the slot belongs to this guard alone and not to a thread: nesting,
// which is not synchronised, does not happen on it, and what is retired through
// a shared slot goes to the depot, behind a lock. Leaving takes the guard by
// value, repinning takes it exclusively.
unsafe impl Send for OwnedGuard {}
// SAFETY: as above.
unsafe impl Sync for OwnedGuard {}

impl OwnedGuard {
    pub(crate) fn new(slot: &Participant) -> Self {
        debug_assert!(slot.is_shared(), "the slot is a thread's");
        Self {
            guard: Guard::enter(slot),
        }
    }

    /// As [`Guard::repin`].
    pub fn repin(&mut self) {
        self.guard.repin();
    }

    /// As [`Guard::refresh`].
    pub fn refresh(&mut self) {
        self.guard.repin();
    }
}

impl Deref for OwnedGuard {
    type Target = Guard;

    fn deref(&self) -> &Guard {
        &self.guard
    }
}

impl fmt::Debug for OwnedGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedGuard")
            .field("domain", &self.domain())
            .finish_non_exhaustive()
    }
}

/// A guard that protects nothing, for when nobody else can be there: in `drop`
/// and in constructors. What is retired through it is destroyed at once.
///
/// # Safety
///
/// While it is used, no other thread may change what it is used on.
///
/// ```
/// use smr_core::{Atomic, unprotected};
/// use std::sync::atomic::Ordering::Relaxed;
///
/// struct Slot(Atomic<String>);
///
/// impl Drop for Slot {
///     fn drop(&mut self) {
///         // SAFETY: `&mut self`: nobody else is here.
///         let guard = unsafe { unprotected() };
///         let last = self.0.load(Relaxed, guard);
///         // SAFETY: as above, and it is taken once.
///         drop(unsafe { last.try_into_owned() });
///     }
/// }
/// # drop(Slot(Atomic::new(String::new())));
/// ```
#[inline]
pub unsafe fn unprotected() -> &'static Guard {
    struct Shareable(Guard);
    // SAFETY: a guard without a slot has no state at all.
    unsafe impl Sync for Shareable {}
    static UNPROTECTED: Shareable = Shareable(Guard {
        slot: None,
        _not_send: PhantomData,
    });
    &UNPROTECTED.0
}
