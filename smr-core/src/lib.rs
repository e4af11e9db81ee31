//! Safe memory reclamation by global unbounded sequences.
//!
//! Readers of a lock-free structure follow pointers that others may unlink at any
//! moment. What was unlinked must not be freed while a reader can still be in it.
//! This crate says when: readers are in *sections*, writers *retire* what they
//! unlinked, and it is destroyed, or reused, once every section that could reach
//! it has ended.
//!
//! ```
//! use smr_core::{Atomic, Owned, pin};
//! use std::sync::atomic::Ordering::{AcqRel, Acquire};
//!
//! let shared = Atomic::new("first");
//!
//! // A reader:
//! let guard = pin();
//! let seen = unsafe { shared.load(Acquire, &guard).as_ref() }.unwrap();
//!
//! // A writer, at the same time:
//! let writer = pin();
//! let old = shared.swap(Owned::new("second"), AcqRel, &writer);
//! // SAFETY: it was unlinked just now, by us alone.
//! unsafe { writer.defer_destroy(old) };
//! drop(writer);
//!
//! assert_eq!(*seen, "first", "the reader's section holds it");
//! # drop(guard);
//! # unsafe { drop(shared.into_owned()) };
//! ```
//!
//! # Which part is for you
//!
//! | you want | take |
//! |---|---|
//! | one shared value that is read all the time and replaced now and then | [`SmrCell`] |
//! | to write a lock-free structure | [`Atomic`], [`pin`], [`Guard::defer_destroy`] |
//! | the same, fast under rapid allocation and retirement | [`Pool`] |
//! | to move from crossbeam-epoch | its import: see [`docs::migrating`] |
//! | a section across `.await` or a blocking call | [`OwnedGuard`] |
//! | reclamation apart from the rest, with limits | a [`Domain`] of your own |
//! | grace periods and nothing else | [`Domain::advance`], [`Domain::poll`], [`Domain::wait`] |
//!
//! Chapters: [a guide](docs::guide), [from crossbeam-epoch](docs::migrating), [how it
//! works](docs::algorithm), [orderings](docs::orderings), [limitations](docs::limitations).
//!
//! # How it works
//!
//! A domain has a clock with two hands. A writer that has unlinked something
//! *advances* the write hand and keeps the new value, its *goal*. A reader
//! publishes the write hand that it saw. A *poll* looks at all readers and moves
//! the read hand up to the oldest of them: every goal up to there has *expired*,
//! however many there are, and whoever holds one may reuse the memory. Nobody
//! waits for a hand, and the distance between them has no bound. The scheme is
//! that of FreeBSD's kernel allocator, Global Unbounded Sequences (Jeffrey
//! Roberson, 2020); ARCHITECTURE.md in the repository says what differs here.
//!
//! Retired things wait in *buckets* with one goal each. A [`Pool`] looks at the
//! goal of its oldest bucket when it wants memory, and by then it has nearly
//! always expired.
//!
//! # What is promised
//!
//! | | |
//! |---|---|
//! | entering and leaving a section | wait-free; no barrier instruction with [`BarrierKind::Asymmetric`] |
//! | reading | never waits, never writes to memory that others write |
//! | retiring | never waits for readers (but see [`OverLimit::Block`]); takes the latch of the thread's own bins, which a collection holds for a few pointer moves |
//! | destroyed | never before every section that could reach it has ended; once |
//! | destroyed, how soon | two at each retire of the same thread; at the exit of the section that a poll found in their way; after 64 sections of a thread that stopped retiring, at most once a millisecond in a domain; when a thread exits; in `flush` and `barrier`. What a thread retired after its last poll, before it did nothing more at all, stays: less than twice what a poll is due for, which is 2,048 items or 1 MiB. [`Domain::reaper`] has no such rest |
//! | a stalled reader | holds up what is retired after it entered; a limit bounds that, [`Domain::oldest_section`] names it |
//! | panics of destructors | the others still run; the first panic goes on in the thread that ran them |
//! | `mem::forget` of a guard | keeps memory for ever, frees nothing early |
//! | `fork` | the child goes on with the thread that forked; slots and locks of the others do not hold it up. What they had in hand is leaked in the child. An [`OwnedGuard`] that another thread held keeps holding memory up there |
//! | signal handlers | may read within a section that was open before: one of the interrupted thread, or that of an [`OwnedGuard`] which is kept elsewhere. Refused: to pin in one, for the end of a section may have to collect, and collecting takes locks and frees |
//! | no memory | `try_` forms return an error; other operations end the process as `Box::new` does, retiring and collecting among them, unless there is [`Room`] or [`DeferRoom`] to retire into |
//!
//! # Features
//!
//! `std` (default): thread-locals ([`pin`]), the global domain, waiting by
//! parking, names of threads, [`Reaper`]. Without it the crate needs `alloc` and
//! 64-bit atomics, and sections are entered through a [`LocalHandle`].
#![cfg_attr(not(feature = "std"), no_std)]
// Loom has its own threads: what belongs to those of `std` is out of use there.
#![cfg_attr(loom, allow(dead_code))]

extern crate alloc;

#[cfg(not(target_has_atomic = "64"))]
compile_error!("smr-core needs 64-bit atomics: sequences must not wrap, and this target has none");

mod atomic;
mod barrier;
mod builder;
pub mod cell;
mod clock;
pub mod docs;
mod domain;
mod fork;
mod guard;
mod handle;
mod limits;
mod local;
mod local_pool;
#[cfg(all(test, loom, not(shuttle)))]
mod models;
mod ord;
mod owned;
mod pace;
mod pointer;
mod pool;
mod pool_box;
mod pool_guard;
mod pool_report;
mod raw;
#[cfg(all(feature = "std", not(loom)))]
mod reaper;
#[cfg(debug_assertions)]
mod retired;
mod room;
mod run;
mod seq;
mod shared;
#[cfg(all(test, shuttle))]
mod shuffles;
mod stats;
pub mod sync;
mod tunables;
mod wait;

pub use atomic::Atomic;
pub use barrier::BarrierKind;
pub use builder::{BuildError, DomainBuilder};
#[doc(inline)]
pub use cell::SmrCell;
pub use domain::Domain;
pub use guard::{Guard, OwnedGuard, unprotected};
pub use handle::{LocalHandle, Participate, RegisterError};
pub use limits::{LimitReport, OverLimit, RetireError};
#[cfg(all(feature = "std", not(loom)))]
pub use local::{default_collector, is_pinned, pin};
pub use local_pool::LocalPool;
pub use owned::Owned;
pub use pointer::{CompareExchangeError, Pointable, Pointer};
pub use pool::Pool;
pub use pool_box::PoolBox;
pub use pool_guard::{PoolGuard, PoolOwnedGuard};
pub use pool_report::{AllocError, PoolStats, ReserveError};
pub use raw::mapped_bytes;
#[doc(hidden)]
pub use raw::{Counter, HAS_PREFETCH, Zeroed, prefetch, try_box};
#[cfg(all(feature = "std", not(loom)))]
pub use reaper::Reaper;
pub use room::{DeferRoom, Room};
pub use seq::{Seq, SeqError};
pub use shared::Shared;
pub use stats::{Section, Stats};
pub use wait::WaitError;

/// A [`Domain`], in the words of `crossbeam-epoch`.
pub type Collector = Domain;
