//! Loom models of the map.
//!
//! Each looks at all executions of two threads up to a number of preemptions, on
//! tables of two and four buckets, and each fails under some mutant: `ord.rs` and the
//! places that ask `mutant` name them. `cargo loom` runs the models, `cargo mutants`
//! runs the mutants; see CONTRIBUTING.md.
//!
//! Blocks are plain memory. `raw::watch` shows them to loom, so that a block that is
//! read before it is known to be written, reused under a reader, or retired twice
//! fails a model.

mod reads;
mod resizes;
mod support;
mod writes;
