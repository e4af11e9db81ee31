//! Guards of one pool: sections that collect for it when they end.

use core::fmt;
use core::ops::Deref;

use crate::guard::{Guard, OwnedGuard};
use crate::pool::Pool;
use crate::raw::pool_tend::{Tend, Tended, Visit};

/// A section that collects for one [`Pool`] when it ends, if that is due.
///
/// [`Pool::pin`] returns one, and [`Pool::attend`]. The domain cannot reach a
/// [`scoped`](Pool::scoped) pool by itself, since its values may borrow. This
/// guard borrows the pool, so while it lives they are alive, and its end can do
/// for the pool what the end of a section does for the pools that the domain
/// reaches:
///
/// * If a poll for the pool failed because of this section, what it held up is
///   dropped now.
/// * If something waits, and the last such collection is a millisecond or more
///   ago, what no reader holds up is dropped now. The first section in which
///   something began to wait looks at the time, and every sixteenth. (There is no
///   clock without the feature `std`.)
///
/// A structure hands such guards out as its own. It dereferences to a [`Guard`].
/// Where values have no destructor it is no more than that.
///
/// ```
/// use smr_core::Pool;
///
/// let pool = Pool::<String>::scoped();
/// let guard = pool.pin();
/// let item = pool.alloc_in(&*guard, String::from("a")).into_raw();
/// // SAFETY: nobody has seen it, and it is retired once.
/// unsafe { pool.retire_in(&*guard, item) };
/// drop(guard);
/// assert_eq!(pool.stats().retired_items, 0);
/// ```
#[must_use = "the section ends when the guard is dropped"]
pub struct PoolGuard<'p> {
    guard: Guard,
    visit: Option<Visit<'p, dyn Tended + 'p>>,
}

impl<'p> PoolGuard<'p> {
    /// Moves the section to the present, as [`Guard::repin`].
    pub fn repin(&mut self) {
        repin(&mut self.guard, self.visit.as_mut());
    }
}

impl Deref for PoolGuard<'_> {
    type Target = Guard;

    #[inline]
    fn deref(&self) -> &Guard {
        &self.guard
    }
}

impl Drop for PoolGuard<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // Taken out, so that nobody has the address of a guard that collects for nobody: it
        // may live in a register then.
        if self.visit.is_some()
            && let Some(visit) = self.visit.take()
        {
            leave(self.guard.take(), visit);
        }
    }
}

impl fmt::Debug for PoolGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolGuard")
            .field("domain", &self.domain())
            .finish_non_exhaustive()
    }
}

/// As [`PoolGuard`], bound to no thread.
///
/// [`Pool::owned_guard`] returns one.
///
/// ```
/// let pool = smr_core::Pool::<String>::scoped();
/// let guard = pool.owned_guard();
/// std::thread::scope(|scope| {
///     scope.spawn(|| drop(guard));
/// });
/// ```
#[must_use = "the section ends when the guard is dropped"]
pub struct PoolOwnedGuard<'p> {
    guard: Option<OwnedGuard>,
    visit: Option<Visit<'p, dyn Tended + Sync + 'p>>,
}

impl PoolOwnedGuard<'_> {
    /// Moves the section to the present, as [`Guard::repin`].
    pub fn repin(&mut self) {
        if let Some(guard) = &mut self.guard {
            repin(guard, self.visit.as_mut());
        }
    }
}

impl Deref for PoolOwnedGuard<'_> {
    type Target = OwnedGuard;

    #[inline]
    fn deref(&self) -> &OwnedGuard {
        self.guard.as_ref().expect("taken by `drop` alone")
    }
}

impl Drop for PoolOwnedGuard<'_> {
    fn drop(&mut self) {
        if let (Some(guard), Some(visit)) = (self.guard.take(), self.visit.take()) {
            leave(guard, visit);
        }
    }
}

impl fmt::Debug for PoolOwnedGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolOwnedGuard")
            .field("domain", &self.domain())
            .finish_non_exhaustive()
    }
}

/// What keeps a section open.
trait Hold {
    fn section(&self) -> &Guard;
    fn repin(&mut self);
}

impl Hold for Guard {
    #[inline(always)]
    fn section(&self) -> &Guard {
        self
    }

    fn repin(&mut self) {
        self.repin();
    }
}

impl Hold for OwnedGuard {
    #[inline(always)]
    fn section(&self) -> &Guard {
        self
    }

    fn repin(&mut self) {
        self.repin();
    }
}

/// Moves a section to the present, and collects for what it was in the way of.
fn repin<P: Tended + ?Sized>(guard: &mut impl Hold, visit: Option<&mut Visit<'_, P>>) {
    let Some(visit) = visit else {
        return guard.repin();
    };
    let end = visit.end(guard.section());
    guard.repin();
    visit.go_on(end);
}

/// Ends a section, and collects for what it was in the way of. Out of line, so that
/// where nothing is to be collected the end of a section is inlined.
#[inline(never)]
fn leave<P: Tended + ?Sized>(guard: impl Hold, visit: Visit<'_, P>) {
    let end = visit.end(guard.section());
    drop(guard);
    visit.leave(end);
}

impl<T> Pool<T> {
    /// Enters a section of the pool's domain that collects for the pool when it
    /// ends, or nests in the one that is open.
    ///
    /// Wait-free, but for what its end drops: see [`PoolGuard`].
    ///
    /// # Panics
    ///
    /// As [`Domain::pin`](crate::Domain::pin).
    #[cfg(all(feature = "std", not(loom)))]
    #[inline]
    pub fn pin(&self) -> PoolGuard<'_> {
        self.attend(match &self.domain {
            None => crate::pin(),
            Some(domain) => domain.pin(),
        })
    }

    /// As [`pin`](Self::pin), for a section that was entered otherwise.
    ///
    /// # Panics
    ///
    /// If the guard is not one of the pool's domain.
    #[inline]
    pub fn attend(&self, guard: Guard) -> PoolGuard<'_> {
        debug_assert!(guard.protects(self.domain()), "a guard of another domain");
        let visit = self.is_tended().then(|| Visit::begin(self as &dyn Tended));
        PoolGuard { guard, visit }
    }

    /// As [`pin`](Self::pin), for a section that is bound to no thread: it may be
    /// held across `.await`.
    ///
    /// # Panics
    ///
    /// As [`Domain::owned_guard`](crate::Domain::owned_guard).
    pub fn owned_guard(&self) -> PoolOwnedGuard<'_>
    where
        T: Send,
    {
        let guard = self.domain().owned_guard();
        let visit = self
            .is_tended()
            .then(|| Visit::begin(self as &(dyn Tended + Sync)));
        PoolOwnedGuard {
            guard: Some(guard),
            visit,
        }
    }

    /// Whether a guard protects what is shared through this pool: whether it is one of the
    /// pool's domain. For structures that ask at each call.
    ///
    /// Wait-free: one look at the guard's slot.
    ///
    /// ```
    /// let pool = smr_core::Pool::<u64>::new();
    /// assert!(pool.is_protected_by(&smr_core::pin()));
    /// assert!(!pool.is_protected_by(&smr_core::Domain::new().pin()));
    /// ```
    #[must_use]
    #[inline]
    pub fn is_protected_by(&self, guard: &Guard) -> bool {
        match &self.domain {
            Some(domain) => guard.protects(domain),
            #[cfg(all(feature = "std", not(loom)))]
            None => guard.protects_global(),
            #[cfg(any(not(feature = "std"), loom))]
            None => guard.protects(self.domain()),
        }
    }

    #[inline(always)]
    fn is_tended(&self) -> bool {
        core::mem::needs_drop::<T>()
    }
}

impl<T> Tended for Pool<T> {
    fn tend(&self) -> Option<&Tend> {
        self.get().map(|inner| &inner.tend)
    }

    fn collect(&self, wanted: Option<u64>) {
        if let Some(inner) = self.get() {
            inner.collect_for_readers(wanted);
        }
    }
}
