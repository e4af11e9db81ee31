//! Safe memory reclamation by global unbounded sequences.
#![cfg_attr(not(feature = "std"), no_std)]
// Loom has its own threads: what belongs to those of `std` is out of use there.
#![cfg_attr(loom, allow(dead_code))]

extern crate alloc;

mod atomic;
mod barrier;
pub mod cell;
mod clock;
pub mod docs;
mod domain;
mod fork;
mod guard;
mod handle;
mod limits;
mod local;
#[cfg(all(test, loom))]
mod models;
mod ord;
mod owned;
mod pointer;
mod pool;
mod raw;
#[cfg(all(feature = "std", not(loom)))]
mod reaper;
mod run;
mod seq;
mod shared;
mod stats;
pub mod sync;
mod tunables;
mod wait;

pub use atomic::Atomic;
pub use barrier::BarrierKind;
#[doc(inline)]
pub use cell::SmrCell;
pub use domain::{BuildError, Domain, DomainBuilder, RegisterError};
pub use guard::{Guard, OwnedGuard, unprotected};
pub use handle::{LocalHandle, Participate};
pub use limits::{LimitReport, OverLimit, RetireError};
#[cfg(all(feature = "std", not(loom)))]
pub use local::{default_collector, is_pinned, pin};
pub use owned::Owned;
pub use pointer::{CompareExchangeError, Pointable, Pointer};
pub use pool::{AllocError, Pool, PoolBox, PoolStats, ReserveError};
#[cfg(all(feature = "std", not(loom)))]
pub use reaper::Reaper;
pub use seq::{Seq, SeqError};
pub use shared::Shared;
pub use stats::{Section, Stats};
pub use wait::WaitError;

/// A [`Domain`], in the words of `crossbeam-epoch`.
pub type Collector = Domain;
