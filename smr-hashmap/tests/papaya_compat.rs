//! Code that was written for `papaya` compiles and works here.
//!
//! Every file in `papaya_compat/` but the two that name the crates is compiled
//! twice, letter for letter the same: once over this crate, once over `papaya`.

#![allow(
    clippy::disallowed_types,
    reason = "the tests count with the atomics of std, outside of what is tested"
)]
#![allow(
    clippy::duplicate_mod,
    reason = "the same source over two crates is the point"
)]

#[path = "papaya_compat/with_papaya.rs"]
mod with_papaya;
#[path = "papaya_compat/with_smr.rs"]
mod with_smr;
