//! Checks that span the crates.

pub mod litmus;
