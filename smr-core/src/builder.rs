//! Making domains.

use core::fmt;

use alloc::boxed::Box;
use alloc::string::String;

use crate::barrier::{Barrier, BarrierKind};
use crate::clock::Clock;
use crate::domain::Domain;
use crate::limits::{LimitReport, Limits, OverLimit};
use crate::raw::inner::Inner;
use crate::raw::registry::Registry;
use crate::sync::AtomicU64;
use crate::tunables::DEFAULT_MAX_PARTICIPANTS;

/// Settings for a new [`Domain`].
#[derive(Default)]
pub struct DomainBuilder {
    name: Option<String>,
    barrier: BarrierKind,
    max_participants: Option<u32>,
    limits: Limits,
}

impl DomainBuilder {
    /// A name, for `Debug` and for people.
    ///
    /// ```
    /// let domain = smr_core::Domain::builder().name("routes").build()?;
    /// assert_eq!(domain.name(), Some("routes"));
    /// # Ok::<(), smr_core::BuildError>(())
    /// ```
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How readers and polls synchronise. The default takes what the system
    /// offers.
    ///
    /// ```
    /// use smr_core::{BarrierKind, Domain};
    ///
    /// let domain = Domain::builder().barrier(BarrierKind::Fence).build()?;
    /// assert_eq!(domain.barrier_kind(), BarrierKind::Fence);
    /// # Ok::<(), smr_core::BuildError>(())
    /// ```
    #[must_use]
    pub fn barrier(mut self, kind: BarrierKind) -> Self {
        self.barrier = kind;
        self
    }

    /// The most slots at a time, one for each thread, handle and owned guard.
    /// The default is 2^20.
    ///
    /// ```
    /// let domain = smr_core::Domain::builder().max_participants(1).build()?;
    /// let only = domain.register();
    /// assert!(domain.try_register().is_err());
    /// drop(only);
    /// assert!(domain.try_register().is_ok());
    /// # Ok::<(), smr_core::BuildError>(())
    /// ```
    #[must_use]
    pub fn max_participants(mut self, max: u32) -> Self {
        self.max_participants = Some(max);
        self
    }

    /// The most bytes that may be retired and wait for readers, over all
    /// threads and pools, and what to do beyond. Without this there is no limit.
    ///
    /// Keeping the account costs an atomic addition on a shared word for each
    /// retire.
    ///
    /// ```
    /// use smr_core::{Domain, OverLimit};
    ///
    /// let limit = 64 << 20;
    /// let domain = Domain::builder().max_retired_bytes(limit, OverLimit::Help).build()?;
    /// assert!(!domain.stats().over_limit);
    /// # Ok::<(), smr_core::BuildError>(())
    /// ```
    #[must_use]
    pub fn max_retired_bytes(mut self, max: usize, policy: OverLimit) -> Self {
        self.limits.max_retired_bytes = Some(max);
        self.limits.policy = policy;
        self
    }

    /// Called, by the thread that retires, each time the limit is crossed. It
    /// must not retire anything in the same domain.
    ///
    /// ```
    /// use smr_core::{Domain, OverLimit};
    ///
    /// let domain = Domain::builder()
    ///     .max_retired_bytes(64 << 20, OverLimit::Report)
    ///     .on_limit(|report| eprintln!("{} bytes wait for readers", report.retired_bytes))
    ///     .build()?;
    /// # drop(domain);
    /// # Ok::<(), smr_core::BuildError>(())
    /// ```
    #[must_use]
    pub fn on_limit(mut self, hook: impl Fn(LimitReport) + Send + Sync + 'static) -> Self {
        self.limits.hook = Some(Box::new(hook));
        self
    }

    /// Makes the domain.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for settings that cannot be met.
    ///
    /// ```
    /// use smr_core::{BuildError, Domain};
    ///
    /// let error = Domain::builder().max_participants(0).build().unwrap_err();
    /// assert_eq!(error, BuildError::NoParticipants);
    /// ```
    pub fn build(self) -> Result<Domain, BuildError> {
        self.build_with(None)
    }

    pub(crate) fn build_with(
        self,
        write_hand: Option<&'static AtomicU64>,
    ) -> Result<Domain, BuildError> {
        let max_participants = self.max_participants.unwrap_or(DEFAULT_MAX_PARTICIPANTS);
        if max_participants == 0 {
            return Err(BuildError::NoParticipants);
        }
        if max_participants > Registry::CAPACITY {
            return Err(BuildError::TooManyParticipants {
                most: Registry::CAPACITY,
            });
        }
        if self.limits.max_retired_bytes == Some(0) {
            return Err(BuildError::NoRetiredBytes);
        }
        if self.limits.hook.is_some() && self.limits.max_retired_bytes.is_none() {
            return Err(BuildError::HookWithoutLimit);
        }
        let barrier = Barrier::choose(self.barrier).map_err(|_| BuildError::BarrierRefused)?;
        let inner = Inner::new(
            Clock::new(barrier, write_hand),
            self.name,
            max_participants,
            self.limits,
        );
        Ok(Domain::first_handle(inner))
    }
}

impl fmt::Debug for DomainBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DomainBuilder")
            .field("name", &self.name)
            .field("barrier", &self.barrier)
            .field("max_participants", &self.max_participants)
            .field("max_retired_bytes", &self.limits.max_retired_bytes)
            .field("policy", &self.limits.policy)
            .finish_non_exhaustive()
    }
}

/// Settings that cannot be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// The system refused the asymmetric barrier that was asked for.
    BarrierRefused,
    /// A domain without slots could have no readers.
    NoParticipants,
    /// More slots than a registry can hold.
    TooManyParticipants {
        /// What it can hold.
        most: u32,
    },
    /// A limit of zero bytes would refuse everything.
    NoRetiredBytes,
    /// A hook was set, but no limit that could be crossed.
    HookWithoutLimit,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BarrierRefused => f.write_str(
                "the system refuses membarrier or has none: use `BarrierKind::Auto` or `Fence`",
            ),
            Self::NoParticipants => f.write_str("`max_participants` must be at least 1"),
            Self::TooManyParticipants { most } => {
                write!(f, "`max_participants` can be at most {most}")
            }
            Self::NoRetiredBytes => {
                f.write_str("`max_retired_bytes` must be at least 1; leave it out for no limit")
            }
            Self::HookWithoutLimit => {
                f.write_str("`on_limit` needs a limit: set `max_retired_bytes`")
            }
        }
    }
}

impl core::error::Error for BuildError {}
