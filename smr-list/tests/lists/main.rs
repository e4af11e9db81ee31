//! The lists. `lists` and `model` have the sequences at random.

mod counted;
mod drops;
mod edges;
mod faces;
mod lists;
mod model;
mod threads;
