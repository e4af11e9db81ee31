//! Checks that span the crates.

pub mod litmus;
pub mod stress;
