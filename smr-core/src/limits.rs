//! Limits on what may wait for readers.

use core::fmt;

/// What a domain does when more bytes are retired than its limit allows.
///
/// A reader that stalls in a section holds up everything that is retired after
/// it entered. The limit of
/// [`DomainBuilder::max_retired_bytes`](crate::DomainBuilder::max_retired_bytes)
/// says how far that may go, the policy says what happens then. Whatever the
/// policy, [`Stats::over_limit`](crate::Stats) tells, and
/// [`Domain::oldest_section`](crate::Domain::oldest_section) names who holds
/// memory up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum OverLimit {
    /// Go on, and call the report hook, once each time the limit is crossed.
    #[default]
    Report,
    /// The retiring thread polls and collects at once. It does not wait.
    Help,
    /// The retiring thread waits until the readers have left and the memory is
    /// below the limit again, so each thread goes beyond it by one value at the most.
    /// Inside a section of its own it would wait for itself: there it helps instead. An
    /// [`OwnedGuard`](crate::OwnedGuard) is not known to belong to a thread: who holds one
    /// retires through it, or waits for itself.
    Block,
    /// [`Domain::try_retire`](crate::Domain::try_retire) and
    /// [`Pool::try_retire`](crate::Pool::try_retire) refuse and hand the value
    /// back. Operations that cannot fail help instead.
    Error,
}

/// What the report hook of a domain is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitReport {
    /// The limit, in bytes.
    pub max_retired_bytes: usize,
    /// Bytes that are retired and not reclaimed, at the time of the report.
    pub retired_bytes: u64,
}

pub(crate) type Hook = alloc::boxed::Box<dyn Fn(LimitReport) + Send + Sync>;

#[derive(Default)]
pub(crate) struct Limits {
    pub(crate) max_retired_bytes: Option<usize>,
    pub(crate) policy: OverLimit,
    pub(crate) hook: Option<Hook>,
}

/// A value that could not be retired: the domain is over its limit.
///
/// It is still the caller's, and whatever it was linked in is unchanged by the
/// refusal.
pub struct RetireError<T>(
    /// The value that was refused.
    pub T,
);

impl<T> fmt::Debug for RetireError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RetireError(..)")
    }
}

impl<T> fmt::Display for RetireError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the domain holds more retired bytes than `max_retired_bytes` allows: wait for the \
             reader that `oldest_section` names, or raise the limit",
        )
    }
}

impl<T> core::error::Error for RetireError<T> {}
