//! Explicit registration: a slot without a thread-local.

use core::fmt;
use core::marker::PhantomData;
use core::panic::{RefUnwindSafe, UnwindSafe};

use crate::domain::Domain;
use crate::guard::{Guard, OwnedGuard};
use crate::raw::inner::Inner;
use crate::raw::participant::Participant;
use crate::raw::registry::Full;

/// A registration with a [`Domain`]: a slot of the caller's own.
///
/// [`Domain::register`] returns it. It belongs to its thread, and sections are
/// entered through it without looking anything up, which also makes it the way
/// to use a domain where there are no thread-locals (`no_std`). Guards may
/// outlive it.
pub struct LocalHandle {
    domain: Domain,
    slot: &'static Participant,
    _not_send: PhantomData<*mut ()>,
}

impl UnwindSafe for LocalHandle {}
impl RefUnwindSafe for LocalHandle {}

impl LocalHandle {
    pub(crate) fn new(domain: Domain, slot: &Participant) -> Self {
        Self {
            domain,
            slot: slot.outlive(),
            _not_send: PhantomData,
        }
    }

    /// Enters a section, or nests in the one that is open.
    ///
    /// Wait-free. Leaving may collect: see [`Guard`].
    ///
    /// ```
    /// let domain = smr_core::Domain::new();
    /// let reader = domain.register();
    /// let outer = reader.pin();
    /// let inner = reader.pin();
    /// drop(outer);
    /// assert!(reader.is_pinned());
    /// drop(inner);
    /// assert!(!reader.is_pinned());
    /// ```
    #[inline]
    pub fn pin(&self) -> Guard {
        Guard::enter(self.slot)
    }

    /// The slot, which is this handle's alone.
    pub(crate) fn slot(&self) -> &'static Participant {
        self.slot
    }

    /// Whether a section of this handle is open.
    #[inline]
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.slot.is_active()
    }

    /// The domain.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// [`domain`](Self::domain) in the words of `crossbeam-epoch`.
    #[must_use]
    pub fn collector(&self) -> &Domain {
        &self.domain
    }
}

impl Drop for LocalHandle {
    fn drop(&mut self) {
        drop(self.domain.inner().leave(self.slot));
    }
}

impl fmt::Debug for LocalHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalHandle")
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

mod sealed {
    use super::{Guard, LocalHandle, OwnedGuard, Participant};

    /// A participant's slot; `None` if there is no participant.
    #[allow(missing_debug_implementations, reason = "nobody outside can name it")]
    pub struct Place<'a>(pub(crate) Option<&'a Participant>);

    pub trait Sealed {
        fn place(&self) -> Place<'_>;
    }

    impl Sealed for Guard {
        #[inline(always)]
        fn place(&self) -> Place<'_> {
            Place(self.slot())
        }
    }

    impl Sealed for OwnedGuard {
        #[inline(always)]
        fn place(&self) -> Place<'_> {
            Place(self.slot())
        }
    }

    impl Sealed for LocalHandle {
        #[inline(always)]
        fn place(&self) -> Place<'_> {
            Place(Some(self.slot))
        }
    }
}

use sealed::Sealed;

/// Who takes part in a domain: a [`Guard`], an [`OwnedGuard`] or a
/// [`LocalHandle`].
///
/// Operations that allocate and retire take one to save looking up the calling
/// thread's. The trait is sealed.
pub trait Participate: Sealed {}

impl Participate for Guard {}
impl Participate for OwnedGuard {}
impl Participate for LocalHandle {}

/// No slot could be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegisterError {
    /// All slots that the domain allows are taken.
    TooManyParticipants {
        /// How many it allows.
        max: u32,
    },
    /// There is no memory for more slots.
    OutOfMemory,
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyParticipants { max } => write!(
                f,
                "all {max} slots of the domain are taken by threads, handles and owned guards: \
                 raise `max_participants`"
            ),
            Self::OutOfMemory => f.write_str("no memory for another slot"),
        }
    }
}

impl core::error::Error for RegisterError {}

impl RegisterError {
    pub(crate) fn new(full: Full, inner: &Inner) -> Self {
        match full {
            Full::Limit => Self::TooManyParticipants {
                max: inner.registry.max(),
            },
            Full::Memory => Self::OutOfMemory,
        }
    }
}
