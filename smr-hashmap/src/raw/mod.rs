//! The inside of the map, and all of its unsafe code.
//!
//! ```text
//!   map -> {resize, iter, drain, batch} -> {table, body} -> blocks -> block -> entry
//! ```
//!
//! # The idea
//!
//! A bucket is one word, which points to an immutable [block](block) of tags and
//! entry pointers. A reader loads the word, and has an unchanging picture of the
//! bucket. A writer builds the picture that it wants, in a block that the pool hands
//! out in nanoseconds, and swings the word by one compare-and-exchange.
//!
//! So each bucket is one atomic register, and what usually makes hash tables hard
//! comes for nothing: a key cannot be inserted twice (both inserts change the same
//! word), a replaced key is never absent, nothing is left behind by removals, and to
//! freeze a bucket is to set one bit.
//!
//! # Invariants
//!
//! 1. A published block never changes. (`block`)
//! 2. Every key is in at most one place that counts: in the first table on the way
//!    from the current one whose word for it has not MOVED. (`map::current`)
//! 3. A word goes null → live words → frozen → MOVED, and never back.
//! 4. A word is frozen only when its table has a next one, and MOVED only when all
//!    images of it are installed.
//! 5. What a word no longer leads to is retired once, by the thread whose exchange
//!    cut it off: blocks by writes and by MOVED, entries by writes, tables, with the
//!    memory of all their blocks, by the exchange of the root.
//! 6. A block is named by words of the table that it was made for, and by no other's.
//!
//! # Why an exchange cannot succeed wrongly
//!
//! A writer loads a word, decides on what it sees, and exchanges the word it loaded.
//! If others changed the bucket and the word is the same again, then it is the same
//! block, and not another one at its address: a block that was retired meanwhile
//! cannot come back while the writer's section is open. The same block is the same
//! content, so the decision still holds. EMPTY is the same content as EMPTY.
//!
//! # Progress
//!
//! Reads execute no atomic write and wait for nobody. They take a step for every
//! table that replaced the one they started at, so without a resize that overtakes
//! them they are wait-free. Writes are lock-free: an exchange fails because another
//! write succeeded, or because the bucket moves, and then the writer moves it itself.

mod batch;
mod block;
mod blocks;
mod body;
mod drain;
mod edit;
mod entry;
mod iter;
mod map;
mod prefetch;
mod resize;
mod table;
#[cfg(all(test, not(loom)))]
mod tests;
mod watch;

pub(crate) use drain::{RawDrain, RawIntoIter};
pub(crate) use entry::Entry;
#[cfg(all(test, loom, not(shuttle)))]
pub(crate) use entry::Hash;
pub(crate) use iter::RawIter;
pub(crate) use map::{Action, Computed, Inserted, RawMap};
