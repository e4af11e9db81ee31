//! Checks that span the crates.

pub mod ledger;
pub mod linear;
pub mod litmus;
#[cfg(target_os = "linux")]
pub mod preempt;
pub mod shapes;
pub mod soak;
pub mod stress;

/// The README's examples work.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
