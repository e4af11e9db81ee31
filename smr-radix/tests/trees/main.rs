//! The trees. `model` has the sequences at random.

mod drops;
mod edges;
mod model;
#[path = "../support/mod.rs"]
mod support;
mod threads;
mod traits;
