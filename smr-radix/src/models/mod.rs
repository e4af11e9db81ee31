//! Loom models of the tree.
//!
//! Each looks at all executions of a few threads, up to a number of preemptions,
//! and each fails under some mutant. `cargo loom` runs the models, `cargo
//! mutants` runs the mutants; see CONTRIBUTING.md.
//!
//! Nodes look at two bits of the key, and hold three children or all four; keys have six
//! bits. Memory is that of `support`: leaves and nodes are overwritten as soon as the
//! sections that were open at their retirement have ended, which loom is shown as a
//! write, and each look at them as a read.

mod marks;
mod reads;
mod support;
mod writes;
