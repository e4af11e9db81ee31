//! The inside of the tree, and all of its unsafe code.

mod edit;
mod drain;
mod marks;
mod policy;
mod tree;
mod walk;

pub(crate) use drain::{RawDrain, RawIntoIter};
pub(crate) use edit::{Action, Done, NoMemory};
pub use policy::{Boxed, Inline, Policy};
pub(crate) use tree::Raw;
pub(crate) use walk::{Item, Walk};
