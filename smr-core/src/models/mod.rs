//! Loom models of the core.
//!
//! Each looks at all executions of a few threads, up to a number of preemptions
//! where all are too many, and each fails under some mutant: `ord.rs` lists
//! them. `cargo loom` runs the models, `cargo mutants` runs the mutants; see
//! CONTRIBUTING.md.
//!
//! Loom takes SeqCst accesses for AcqRel ones, and its SeqCst fences order more
//! than those of the language do: each synchronizes with all that came before.
//! What hides behind that is judged by `tests/litmus`. It has no asymmetric
//! barrier: here both sides are fences.

mod cell;
mod clock;
mod counter;
mod hands;
mod latch;
mod pool;
mod pool_reuse;
mod pool_section;
mod registry;
mod retire;
mod support;
