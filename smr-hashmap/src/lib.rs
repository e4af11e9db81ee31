//! A concurrent hash map and set: the map to swap in for `RwLock<HashMap>`.
//!
//! Readers never wait, take no lock, and write to no memory that others write.
//! Writers are lock-free. The table grows and shrinks a little with each operation,
//! so no insert pays for all of it. Memory is reclaimed by [`smr_core`].
//!
//! ```
//! use smr_hashmap::HashMap;
//! use std::thread;
//!
//! let map = HashMap::new();
//! thread::scope(|scope| {
//!     for thread in 0..4 {
//!         let map = &map;
//!         scope.spawn(move || {
//!             for n in 0..100 {
//!                 map.pin().insert(thread * 100 + n, n);
//!             }
//!         });
//!     }
//! });
//! assert_eq!(map.len(), 400);
//! assert_eq!(map.pin().get(&399), Some(&99));
//! ```
//!
//! # Use
//!
//! A read returns a reference into the map, which a *guard* keeps alive. Three
//! ways to have one:
//!
//! ```
//! use smr_hashmap::HashMap;
//!
//! let map = HashMap::from([("a", 1)]);
//!
//! // A pinned map: the guard is in it.
//! assert_eq!(map.pin().get("a"), Some(&1));
//!
//! // A guard by hand, for a series of calls or for several maps.
//! let guard = map.guard();
//! let one = map.get("a", &guard);
//! map.remove("a", &guard);
//! assert_eq!(one, Some(&1), "what was seen stays");
//!
//! // None in sight, for small values.
//! assert_eq!(map.get_cloned("a"), None);
//! ```
//!
//! Across `.await`, and to other threads: [`HashMap::pin_owned`].
//!
//! Chapters: [a guide](docs::guide), [how it works](docs::algorithm),
//! [limitations](docs::limitations), and:
//!
//! | you come from | read |
//! |---|---|
//! | `RwLock<HashMap>` | [`docs::rwlock`], method by method |
//! | `papaya` | [`docs::papaya`]: change the import |
//! | `dashmap` | [`docs::rwlock`]; what is a `Ref` there is a plain reference here, and holding it while writing does not deadlock |
//!
//! # When not to use it
//!
//! * **Several keys must change in one step.** Each operation is atomic for its key
//!   alone; see [several keys at once](docs::rwlock#several-keys-at-once).
//! * **Values are changed in place, all the time.** A value is replaced as a whole.
//!   Atomics and locks *as values* are fine; where every access is a change of a
//!   large value, a lock in each shard (`dashmap`) does less work.
//! * **One thread, or hardly any writes.** `hashbrown` has no guard and no pointer
//!   to follow; a map that is replaced as a whole now and then goes into a
//!   [`SmrCell`](smr_core::SmrCell).
//! * **A reader may stall inside a guard**, and what is removed meanwhile must not
//!   pile up: put the map in a [`Domain`](smr_core::Domain) with a limit.
//! * **Order matters**: there is none.
//!
//! # What is promised
//!
//! | operation | progress | linearization point | cost |
//! |---|---|---|---|
//! | `get`, `contains_key`, `get_key_value` | wait-free, but for a step in each table that replaces one meanwhile | the load of the slot; of what is not there, a moment while the slots are loaded | constant, expected; a line of the table, an entry |
//! | `get_many` | as `get`, each key by itself | as `get` | the misses overlap |
//! | `insert`, `try_insert`, `get_or_insert*` | lock-free | the exchange of the slot that makes the entry live; of what finds the key and leaves it, the load of its slot | constant, amortised and expected: an entry, and three exchanges in a line of the table |
//! | `update*`, `compute`, `entry` | lock-free; the closure runs again when another write to the key was first | as `insert` | as `insert` |
//! | `remove*` | lock-free | the exchange of the slot | constant, expected |
//! | `retain`, `clear`, `insert_many` | each entry by itself | as above, for each | linear |
//! | iteration | never waits; looks at a bucket again when keys came into it meanwhile | each entry by itself; a key that is there throughout is seen exactly once | linear in the table |
//! | `len`, `is_empty` | never waits | none while others write; exact when nobody does | a few counters |
//!
//! * A key that is replaced is never absent for an instant.
//! * Entries do not move: a reference stays valid, and shows the same value, while
//!   its guard lives, whatever becomes of the key and of the table.
//! * A panic in `Hash`, `Eq`, `Clone`, `Drop` or a closure leaves the map whole, and
//!   each key and value is dropped once. (If several destructors panic, the first
//!   panic goes on.)
//! * Closures may use the same map and others. Nothing that is called inside a
//!   guard waits for one.
//! * An empty map owns no heap.
//! * Keys that all hash alike work, one after the other.
//!
//! # When values are dropped
//!
//! What was removed or replaced is dropped when no section that could see it is
//! left, and never before. How soon after that:
//!
//! | | [`HashMap::new`] and the like | [`dropped_by_domain`](HashMapBuilder::dropped_by_domain) |
//! |---|---|---|
//! | keys and values | may borrow | are `'static` and `Send` |
//! | the last reader leaves through a guard of the map | at once, if a collection has failed because of it, or the last one was a millisecond ago; else as in the row after next | the same |
//! | the last reader leaves through another guard of the domain | as in the next row | at once, if a collection has failed because of it |
//! | guards of the map come and go | at the first that ends after something was removed, unless that was done in the last millisecond; then at one of the next sixteen of a thread | the same |
//! | `map.flush()`, `map.barrier()` | at once; at the latest when it returns | the same |
//! | `Domain::flush`, `Domain::barrier`, a thread's exit | not | at once; at the latest when it returns; at the exit |
//! | everybody stops at once | not: what was removed in the last millisecond and in each thread's last sixteen sections stays until one of the above | as before, unless there is a [`Domain::reaper`](smr_core::Domain::reaper): then within its period |
//! | the map is dropped | all of it, before `drop` returns | the same |
//!
//! Why the difference: a map can be forgotten ([`std::mem::forget`]) while its
//! values borrow from something that goes. A domain that reached them then would
//! run destructors on dangling references. A guard of the map borrows the map, so it
//! knows better. Keys and values without a destructor are not concerned: their
//! memory is reused, without a call of anybody.
//!
//! # Features
//!
//! `rayon`: iteration and collecting in parallel. `serde`: maps and sets as such.
//! The crate needs `std`.
#![cfg_attr(loom, allow(dead_code, unused_imports))]

#[cfg(not(loom))]
mod batch;
#[cfg(not(loom))]
mod builder;
#[cfg(not(loom))]
pub mod docs;
#[cfg(not(loom))]
mod entry;
#[cfg(not(loom))]
mod error;
#[cfg(not(loom))]
mod guard;
#[cfg(not(loom))]
mod iter;
#[cfg(not(loom))]
mod map;
#[cfg(not(loom))]
mod map_ref;
#[cfg(all(test, loom, not(shuttle)))]
mod models;
mod ord;
mod raw;
#[cfg(all(feature = "rayon", not(loom)))]
pub mod rayon;
#[cfg(all(feature = "serde", not(loom)))]
mod serde;
#[cfg(not(loom))]
pub mod set;
#[cfg(all(test, shuttle))]
mod shuffles;
mod tunables;

#[cfg(not(loom))]
mod face {
    pub use crate::batch::GetMany;
    pub use crate::builder::HashMapBuilder;
    pub use crate::entry::{Entry, OccupiedEntry, VacantEntry};
    pub use crate::error::{Compute, OccupiedError, Operation, TryReserveError};
    pub use crate::guard::{Guard, LocalGuard, OwnedGuard};
    pub use crate::iter::{Drain, IntoIter, Iter, Keys, Values};
    pub use crate::map::{DefaultHashBuilder, HashMap};
    pub use crate::map_ref::HashMapRef;
    #[doc(inline)]
    pub use crate::set::{HashSet, HashSetBuilder, HashSetRef};
    pub use equivalent::Equivalent;
}

#[cfg(not(loom))]
pub use face::*;
