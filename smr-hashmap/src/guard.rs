//! Guards: being inside a section in which a map may be read.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

use smr_core::{Domain, PoolGuard, PoolOwnedGuard};

pub(crate) mod sealed {
    pub trait Sealed {
        /// The section that the guard keeps open.
        fn section(&self) -> &smr_core::Guard;

        /// Whether it protects what lives in the domain, which is asked for only where
        /// that is not certain.
        #[inline(always)]
        fn protects<'d>(&self, domain: impl FnOnce() -> &'d smr_core::Domain) -> bool {
            self.section().protects(domain())
        }
    }

    impl Sealed for smr_core::Guard {
        #[inline(always)]
        fn section(&self) -> &smr_core::Guard {
            self
        }
    }

    impl Sealed for smr_core::OwnedGuard {
        #[inline(always)]
        fn section(&self) -> &smr_core::Guard {
            self
        }
    }

    impl Sealed for super::LocalGuard<'_> {
        #[inline(always)]
        fn section(&self) -> &smr_core::Guard {
            &self.0
        }
    }

    impl Sealed for super::OwnedGuard<'_> {
        #[inline(always)]
        fn section(&self) -> &smr_core::Guard {
            &self.0
        }
    }
}

use sealed::Sealed;

/// A guard that the map made, and that stays with it.
pub(crate) struct Own<G>(pub(crate) G);

impl<G: Guard> Sealed for Own<G> {
    #[inline(always)]
    fn section(&self) -> &smr_core::Guard {
        self.0.section()
    }

    #[inline(always)]
    fn protects<'d>(&self, _domain: impl FnOnce() -> &'d Domain) -> bool {
        true
    }
}

impl<G: Guard> Guard for Own<G> {
    fn refresh(&mut self) {
        self.0.refresh();
    }
}

/// What keeps references into a map alive: a [`LocalGuard`] or an [`OwnedGuard`]
/// of the map, or a [`smr_core::Guard`] or [`smr_core::OwnedGuard`] of the map's
/// domain.
///
/// A method of a map that is given a guard of another domain panics. The trait is
/// sealed.
///
/// One guard of the domain serves all maps that live in it:
///
/// ```
/// use smr_hashmap::HashMap;
///
/// let (names, ages) = (HashMap::new(), HashMap::new());
/// let guard = smr_core::pin();
/// names.insert(1, "Ada", &guard);
/// ages.insert(1, 36, &guard);
/// assert_eq!((names.get(&1, &guard), ages.get(&1, &guard)), (Some(&"Ada"), Some(&36)));
/// ```
pub trait Guard: Sealed {
    /// The domain whose section this is.
    fn domain(&self) -> Option<&Domain> {
        self.section().domain()
    }

    /// Collects for everybody in the domain what no reader holds up, this guard's
    /// section among them. Does not wait. Maps whose values may borrow are not
    /// reached: [`HashMap::flush`](crate::HashMap::flush) does it for one of them.
    fn flush(&self) {
        self.section().flush();
    }

    /// Moves the section to the present: what was removed before may be dropped.
    /// Does nothing while another guard of the same section lives.
    ///
    /// The exclusive borrow ends every reference that the guard protected.
    fn refresh(&mut self);
}

impl Guard for smr_core::Guard {
    fn refresh(&mut self) {
        self.repin();
    }
}

impl Guard for smr_core::OwnedGuard {
    fn refresh(&mut self) {
        self.repin();
    }
}

impl Guard for LocalGuard<'_> {
    fn refresh(&mut self) {
        self.0.repin();
    }
}

impl Guard for OwnedGuard<'_> {
    fn refresh(&mut self) {
        self.0.repin();
    }
}

/// A section on the calling thread, for one map.
///
/// [`HashMap::guard`](crate::HashMap::guard) returns one. It borrows the map, and
/// its end drops what was removed from the map and waited for it; see
/// [the crate](crate#when-values-are-dropped).
///
/// ```
/// use smr_hashmap::HashMap;
///
/// let map = HashMap::new();
/// let guard = map.guard();
/// map.insert("a", 1, &guard);
/// let first = map.get("a", &guard);
/// map.insert("a", 2, &guard);
/// assert_eq!(first, Some(&1), "the guard keeps what it saw");
/// ```
#[must_use = "the section ends when the guard is dropped"]
pub struct LocalGuard<'map>(pub(crate) PoolGuard<'map>);

impl fmt::Debug for LocalGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalGuard")
            .field("domain", &self.domain())
            .finish_non_exhaustive()
    }
}

/// A section that is bound to no thread, for one map: it may be sent, shared, and
/// held across `.await`.
///
/// [`HashMap::owned_guard`](crate::HashMap::owned_guard) returns one. Taking it
/// costs more than taking a [`LocalGuard`], and like any section it holds up what
/// is removed while it lives.
///
/// ```
/// use smr_hashmap::HashMap;
///
/// let map = HashMap::from([("a", 1)]);
/// let guard = map.owned_guard();
/// let seen = map.get("a", &guard);
/// std::thread::scope(|scope| {
///     scope.spawn(|| assert_eq!(seen, Some(&1)));
/// });
/// ```
#[must_use = "the section ends when the guard is dropped"]
pub struct OwnedGuard<'map>(pub(crate) PoolOwnedGuard<'map>);

// Sections and maps are whole, whatever panics in between.
impl UnwindSafe for LocalGuard<'_> {}
impl RefUnwindSafe for LocalGuard<'_> {}
impl UnwindSafe for OwnedGuard<'_> {}
impl RefUnwindSafe for OwnedGuard<'_> {}

impl fmt::Debug for OwnedGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedGuard")
            .field("domain", &self.domain())
            .finish_non_exhaustive()
    }
}
