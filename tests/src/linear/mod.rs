//! Linearizability: is there an order of the operations, one at a time, that
//! explains every answer and agrees with when they began and ended?
//!
//! 1. [`record()`] lets threads operate on a structure and writes a [`History`]:
//!    for each operation what was asked and answered, and two readings of a shared
//!    clock around it.
//! 2. A [`Model`] says what the structure is when nobody else is there.
//! 3. [`judge()`] searches for the order (Wing and Gong 1993, with the memory of
//!    Lowe 2017). A map is judged key by key ([`judge_keys`]): a history is
//!    linearizable if that of each key is (Herlihy and Wing 1990).
//!
//! Threads may be stalled in the middle of what they do ([`Stalls`]), so that others have
//! to go on without them.
//!
//! A structure is driven through one of the small traits in [`drive`]: an adapter
//! of a few lines.
//!
//! # What a verdict says
//!
//! A refusal is a proof: no order exists. An order that was found says that this
//! history is fine, and nothing about the next. The clock is an atomic that each
//! operation increments at both ends, so an operation counts as earlier only if
//! its end happens before the begin of the other, in the sense of the memory
//! model. Readings of a wall clock would order more than that: a store may still
//! be on its way when the time is read. The price: a locked instruction at either
//! end, behind which a missing fence *between* operations hides. Fences are the
//! subject of the litmus shapes and the loom models.

mod bits;
pub mod drive;
mod judge;
pub mod models;
mod record;
mod stalls;

pub use judge::{Ends, Refusal, judge, judge_keys};
pub use record::{Dice, Driven, Event, History, record};
pub use stalls::Stalls;

use std::fmt;
use std::hash::Hash;

/// A structure while nobody else is there.
pub trait Model: Clone + Eq + Hash + fmt::Debug {
    /// An operation together with its answer.
    type Action: fmt::Debug;

    /// The structure after the operation, if it would have answered so.
    fn apply(&self, action: &Self::Action) -> Option<Self>;

    /// The value that the operation puts in, where each can be taken out again.
    fn puts(_action: &Self::Action) -> Option<u64> {
        None
    }

    /// The value that it takes out.
    fn takes(_action: &Self::Action) -> Option<u64> {
        None
    }

    /// Whether the values that are in can still be taken out when they were. Without this
    /// the order of two that were put in at once is found to be wrong only when they are
    /// taken out, and all that lies between has been tried in vain.
    fn may_go_on(&self, _ends: &Ends) -> bool {
        true
    }
}
