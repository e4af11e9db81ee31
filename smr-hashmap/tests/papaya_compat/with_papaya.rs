//! The suite over the crate it was written for.

use papaya as maps;

#[path = "asynchronous.rs"]
mod asynchronous;
#[path = "map.rs"]
mod map;
#[path = "set.rs"]
mod set;
#[path = "threads.rs"]
mod threads;
#[path = "types.rs"]
mod types;
