//! The suite over the crate of this workspace.

use smr_hashmap as maps;

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
