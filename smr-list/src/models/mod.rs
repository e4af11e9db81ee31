//! Loom models of the lists.
//!
//! Each looks at all executions of a few threads, up to a number of preemptions,
//! and each fails under some mutant. `cargo loom` runs the models, `cargo
//! mutants` runs the mutants; see CONTRIBUTING.md.
//!
//! Memory is that of `support`: nodes are overwritten as soon as the sections
//! that were open at their retirement have ended, which loom is shown as a write,
//! and each look at a value as a read.

mod chain;
mod queue;
mod rcu;
mod support;
