//! Checks that span the crates.

pub mod linear;
pub mod litmus;
pub mod stress;

/// The README's examples work.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
