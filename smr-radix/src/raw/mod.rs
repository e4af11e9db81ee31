//! The inside of the tree, and all of its unsafe code.

mod drain;
mod edit;
mod leaf;
mod length;
mod life;
mod marks;
mod memory;
mod node;
mod path;
mod policy;
mod rebuild;
#[cfg(all(test, not(loom)))]
mod tests;
mod tree;
mod walk;
mod word;

pub(crate) use drain::{RawDrain, RawIntoIter};
pub(crate) use edit::{Action, Done, NoMemory};
pub use policy::{Boxed, Inline, Policy};
pub(crate) use tree::Raw;
pub(crate) use walk::{Item, Walk};
