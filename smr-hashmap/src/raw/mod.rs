//! The inside of the map, and all of its unsafe code.
//!
//! ```text
//!   map -> {find, resize, iter, drain, batch} -> {table, body, filler} -> line -> word -> entry
//! ```
//!
//! # The idea
//!
//! A bucket is a [line](line) of the cache: slots that name entries, and a head. A reader
//! loads the line, and follows the pointer whose tag is that of its hash: two misses, and
//! no write. Replacing and removing is one exchange of a slot; insertions into one bucket
//! pass its head one by one, so that a key comes in once.
//!
//! # Invariants
//!
//! 1. A key is in at most one slot that counts: of the first table on the way from the
//!    current one in which its bucket has not MOVED. (`RawMap::current`)
//! 2. It stays in that slot until it is removed, or the bucket moves.
//! 3. The head names no slot but that of a decided insertion, and says if there is more
//!    than its line has. (`line`)
//! 4. A head goes null → FILLED → FROZEN → MOVED, and never back, and a slot that was used
//!    is never UNUSED again.
//! 5. A bucket is frozen only when its table has a next one, and MOVED only when all its
//!    targets are filled.
//! 6. What no slot that counts leads to is retired once, by the thread whose exchange cut
//!    it off: entries by writes, tables, with all their slots, by the exchange of the root.
//!
//! # Progress
//!
//! Reads execute no atomic write and wait for nobody. They take a step for every
//! table that replaced the one they started at, so without a resize that overtakes
//! them they are wait-free. Writes are lock-free: an exchange fails because another
//! write succeeded, or because the bucket moves, and then the writer moves it itself; an
//! insertion that was decided is completed by whoever comes next.

mod batch;
mod body;
mod drain;
mod entry;
mod filler;
mod find;
mod iter;
pub(crate) mod line;
mod map;
mod resize;
mod table;
#[cfg(all(test, not(loom)))]
mod tests;
pub(crate) mod word;

pub(crate) use batch::Row;
pub(crate) use drain::{RawDrain, RawIntoIter};
pub(crate) use entry::Entry;
#[cfg(all(test, loom, not(shuttle)))]
pub(crate) use entry::Hash;
pub(crate) use iter::RawIter;
pub(crate) use map::{Action, Computed, Inserted, RawMap};
