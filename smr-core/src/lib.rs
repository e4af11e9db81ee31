//! Safe memory reclamation by global unbounded sequences.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod barrier;
mod clock;
mod domain;
mod fork;
mod guard;
mod handle;
mod limits;
mod local;
mod ord;
mod pool;
mod raw;
#[cfg(all(feature = "std", not(loom)))]
mod reaper;
mod run;
mod seq;
mod stats;
pub mod sync;
mod tunables;
mod wait;

pub use barrier::BarrierKind;
pub use domain::{BuildError, Domain, DomainBuilder, RegisterError};
pub use guard::{Guard, OwnedGuard, unprotected};
pub use handle::{LocalHandle, Participate};
pub use limits::{LimitReport, OverLimit, RetireError};
#[cfg(all(feature = "std", not(loom)))]
pub use local::{default_collector, is_pinned, pin};
pub use pool::{AllocError, Pool, PoolBox, PoolStats, ReserveError};
#[cfg(all(feature = "std", not(loom)))]
pub use reaper::Reaper;
pub use seq::{Seq, SeqError};
pub use stats::{Section, Stats};
pub use wait::WaitError;

/// A [`Domain`], in the words of `crossbeam-epoch`.
pub type Collector = Domain;
