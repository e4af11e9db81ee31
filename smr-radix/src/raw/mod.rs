//! The inside of the tree, and all of its unsafe code.
//!
//! ```text
//!   {batch, drain, marks, walk -> run} -> edit -> rebuild -> {tree, path} -> node -> word
//!                                                    memory -> {leaf, length, life}
//! ```
//!
//! # The representation
//!
//! A key is at most eleven digits of six bits. A node stands for the keys that begin
//! alike and looks at the one digit in which they fork; digits that all of them share
//! are skipped. Each slot holds one word: nothing, an entry, or a node.
//!
//! ```text
//!   root                      level 2        level 0
//!  +------+   node  +----------------+      +-------------+
//!  |   o--+-------->| 00. |  digit   |  +-->| 0001. | 0 1 |--> leaf {0x0001_000, ..}
//!  +------+         | ..  |  0 1 7   |  |   +-------------+--> leaf {0x0001_001, ..}
//!                   +--------|-|-|---+  |
//!                            | |  `-----+ (what is skipped is in the node's prefix)
//!                            |  `-> leaf {key, value}      an entry stands as high as it
//!                             `---> leaf {key, value}      is the only one
//! ```
//!
//! Prefixes are absolute: a node or a leaf says which keys it is for, wherever it hangs.
//! So a subtree may be moved up and down by one exchange of one word, and nothing in it
//! changes. An inline tree keeps small values in the slots of the lowest level, where the
//! way says what the key is; elsewhere it has leaves, as the other tree.
//!
//! The only tools are an exchange of one slot, *freezing* a node, and replacing it:
//!
//! | what is done | by |
//! |---|---|
//! | insert where nothing stands | an exchange of the slot, for an entry, or for a node with it where more are to come |
//! | insert where something else stands | a new node with both, exchanged for it |
//! | replace, mark, remove | an exchange of the slot |
//! | a node needs another shape, or has lost its children | freeze all its slots; build what it becomes; exchange that for it in the slot above; the winner retires it |
//!
//! # Invariants
//!
//! 1. What is in a node or leaf says to which keys it belongs, and that never changes:
//!    the head of a node, the key of a leaf. Whatever is reached through the slot of a
//!    digit begins with the prefix of the node and that digit.
//! 2. A digit has one slot in a node, from the moment that it has one. (`node`)
//! 3. A frozen slot never changes.
//! 4. A node leaves the tree by the exchange of a rebuild alone, and by then all of its
//!    slots are frozen. So a slot that is not frozen is in the tree.
//! 5. A node that has left never comes back, and neither does a leaf.
//! 6. What the exchange cut off, and nothing else, is retired by who made the exchange:
//!    a replaced or removed leaf, a rebuilt node, a leaf whose value has come to stand in
//!    a slot.
//! 7. Only the root's slot belongs to no node, and it is never frozen.
//!
//! # Why an exchange cannot succeed wrongly
//!
//! A writer comes down to a slot (from the root, or in a batch from a node that it was in
//! before: see `batch`), loads its word, decides, and exchanges that word. It was not
//! frozen, so at the exchange the slot is in the tree (4), and it is the slot for the
//! writer's key (1, 2). Its word is what was loaded. If it changed in between and changed
//! back, then it is the same node or leaf, which cannot have been reused in this section,
//! or the same value; both mean what they meant:
//!
//! * Nothing: no key of this slot is there.
//! * An entry of the key: this is its value.
//! * A leaf of another key, or a node whose prefix is not the key's: the key is not there,
//!   and a node with both goes in its place. What stood there is untouched, but for a
//!   small value of an inline tree, which leaves its leaf for the slot that it gets on
//!   the lowest level: to who holds the leaf it is the same value still.
//!
//! In a rebuild the word is the frozen node's. Its content is final, so whoever builds
//! from it, and however often, builds the same entries. (What was built before the node
//! was frozen is used if the node turns out to have the same content.) The slot above is not frozen at
//! the exchange, so it is in the tree, and so was the node until then. If it is frozen,
//! then its node is rebuilt first: whoever needs that does it, from the topmost frozen
//! slot down, so nobody waits. (Exchanging a frozen slot would change a node that may
//! have left, and lose what was done.)
//!
//! # Why a reader may go on in frozen nodes
//!
//! Readers load slots, mask FROZEN, and help nobody. Call a moment of a slot one at which
//! it was in the tree with the word that was loaded. Each slot that a reader loads has
//! such a moment within its operation, and they do not go back on the way down:
//!
//! * The root's slot: the load.
//! * A slot of a node that the slot above led to, which had its moment *t*: at *t* the
//!   node was in the tree. If the loaded word is not frozen, then the slot is in the tree
//!   now (4), and the moment is the load. If it is frozen, then the node was in the tree
//!   at *t*, and is still, or left since *t*. The word has been there since it was frozen
//!   and stays: if that was before *t*, then the moment is *t*; if after, then it is when
//!   the slot was frozen, since the node left later than that.
//! * A digit that has no slot in the node: it had none at *t* either, since lanes are
//!   only added. The moment is *t*.
//!
//! So what the last slot says about the key was so at one moment of the operation: that is
//! its linearization point. A key that is there throughout is there at each moment, so
//! each slot on its way leads on to it: it is always found. Retired memory stays while a
//! section is open that could reach it, also through nodes that have left: those were
//! in the tree when the section was open.
//!
//! # Ordered queries
//!
//! Each entry that a walk returns was there at a moment of the step that returned it; so
//! the moments of its entries do not go back. Order is strict, and bounds hold, for every
//! entry is compared with the last one. A key that is there from the beginning on is not
//! missed. The whole is no snapshot. (`walk`)
//!
//! What that costs in memory, how it progresses and where it comes from is in
//! `docs/algorithm.md`.

mod batch;
mod drain;
mod edit;
mod lanes;
mod leaf;
mod life;
mod marks;
mod memory;
mod node;
mod path;
mod policy;
mod rebuild;
mod run;
#[cfg(all(test, not(loom)))]
mod tests;
mod tree;
mod walk;
mod word;

pub(crate) use batch::Batch;
pub(crate) use drain::{RawDrain, RawIntoIter};
pub(crate) use edit::{Action, Done, NoMemory};
#[cfg(not(loom))]
pub(crate) use leaf::Leaf;
pub use policy::{Boxed, Inline, Policy};
pub(crate) use run::Run;
pub(crate) use tree::Raw;
pub(crate) use walk::{Item, Walk};
#[cfg(all(test, loom, not(shuttle)))]
pub(crate) use {
    leaf::Leaf,
    memory::Memory,
    node::{Claim, Draft, Full, Large, Middle, NodeRef, Shape, Small},
};
