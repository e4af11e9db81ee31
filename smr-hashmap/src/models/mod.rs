//! Loom models of the map.
//!
//! Each looks at all executions of two threads up to a number of preemptions, on
//! tables of two and four buckets, and each fails under some mutant: `ord.rs` and the
//! places that ask `mutant` name them. `cargo loom` runs the models, `cargo mutants`
//! runs the mutants; see CONTRIBUTING.md.
//!
//! A bucket has one slot, so that what does not fit into a line is reached as well.

mod lines;
mod reads;
mod resizes;
mod support;
mod writes;
