//! All the unsafe code of the crate, in rooms that keep their invariants.
//!
//! | room | idea |
//! |---|---|
//! | `node.rs` | nodes, links with a mark, and where nodes come from |
//! | `chain.rs` | a list with marked nodes: walking, snipping, replacing |
//! | `ordered.rs` | the chain in order |
//! | `list.rs` | the chain with handles |
//! | `segment.rs`, `queue.rs` | rows of slots; the queue that links them |
//! | `stack.rs`, `rcu.rs` | as they say |
//! | `turns.rs` | staying away from a word for a while |
//! | `rcu_writer.rs` | who may write to an RCU list, and where |

pub(crate) mod chain;
pub(crate) mod list;
pub(crate) mod node;
pub(crate) mod ordered;
pub(crate) mod queue;
pub(crate) mod rcu;
#[cfg(not(loom))]
pub(crate) mod rcu_writer;
pub(crate) mod segment;
pub(crate) mod stack;
mod turns;
