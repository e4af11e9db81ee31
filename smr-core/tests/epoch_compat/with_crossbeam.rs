//! The suite over the crate it was written for.

use crossbeam_epoch as epoch;

#[path = "guards.rs"]
mod guards;
#[path = "list.rs"]
mod list;
#[path = "pointers.rs"]
mod pointers;
#[path = "queue.rs"]
mod queue;
#[path = "snapshot.rs"]
mod snapshot;
#[path = "stack.rs"]
mod stack;
#[path = "support.rs"]
mod support;
