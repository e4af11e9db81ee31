//! Sequences and goals.

use core::fmt;
use core::num::NonZeroU64;

/// A point on the write clock of one [`Domain`](crate::Domain).
///
/// [`Domain::advance`](crate::Domain::advance) hands it out as a *goal*: when
/// the domain's read clock has reached it, every section that could hold a
/// reference unlinked before the advance has ended. Goals of one domain are
/// ordered by time; goals of different domains do not compare.
///
/// A goal is only ever answered by the domain that gave it out. A foreign one
/// is refused ([`SeqError`]), never taken for "safe".
///
/// ```
/// use smr_core::Domain;
///
/// let domain = Domain::new();
/// let goal = domain.advance();
/// assert!(domain.poll(goal), "nobody is reading");
/// assert!(Domain::new().try_poll(goal).is_err(), "another domain's goal");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seq {
    pub(crate) domain: NonZeroU64,
    pub(crate) value: u64,
}

impl Seq {
    /// The bare number, to be kept in a packed word. Turn it back with
    /// [`Domain::seq_from_raw`](crate::Domain::seq_from_raw).
    ///
    /// ```
    /// let domain = smr_core::Domain::new();
    /// let goal = domain.advance();
    /// assert_eq!(domain.seq_from_raw(goal.into_raw()), Ok(goal));
    /// ```
    #[must_use]
    pub fn into_raw(self) -> u64 {
        self.value
    }
}

impl PartialOrd for Seq {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        (self.domain == other.domain).then(|| self.value.cmp(&other.value))
    }
}

impl fmt::Debug for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seq({} of domain {})", self.value, self.domain)
    }
}

/// Why a [`Seq`] was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SeqError {
    /// The goal belongs to another domain.
    ForeignDomain,
    /// The number is beyond what this domain has handed out, or is zero.
    NotHandedOut,
}

impl fmt::Display for SeqError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ForeignDomain => {
                "the goal belongs to another domain: ask the domain whose `advance` returned it"
            }
            Self::NotHandedOut => {
                "the domain has not handed out this goal: use one that `advance` returned"
            }
        })
    }
}

impl core::error::Error for SeqError {}
