//! Maps and sets: all that may share a process. What sets hooks, what is tried at random
//! and what others' code is compiled for is beside this folder.

mod batches;
mod behaviour;
mod drops;
mod features;
#[path = "../support/mod.rs"]
mod support;
mod threads;
