//! Code that was written for `crossbeam-epoch` compiles and works here.
//!
//! Every file in `epoch_compat/` but the two that name the crates is compiled
//! twice, letter for letter the same: once over this crate, once over
//! `crossbeam-epoch`. A difference in a signature does not compile, a
//! difference in behaviour fails on one side.

#![allow(
    clippy::disallowed_types,
    reason = "the tests count with the atomics of std, outside of what is tested"
)]
#![allow(
    clippy::duplicate_mod,
    reason = "the same source over two crates is the point"
)]

#[path = "epoch_compat/with_crossbeam.rs"]
mod with_crossbeam;
#[path = "epoch_compat/with_smr.rs"]
mod with_smr;
