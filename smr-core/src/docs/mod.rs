//! Chapters that are longer than the documentation of one item.
//!
//! | | |
//! |---|---|
//! | [`guide`] | from one shared value to a structure of one's own |
//! | [`migrating`] | from `crossbeam-epoch` |
//! | [`algorithm`] | how it works, and why it is safe |
//! | [`orderings`] | which memory orderings that takes, and how one knows |
//! | [`limitations`] | what it does not do |

#[doc = include_str!("algorithm.md")]
pub mod algorithm {}
#[doc = include_str!("guide.md")]
pub mod guide {}
#[doc = include_str!("limitations.md")]
pub mod limitations {}
#[doc = include_str!("migrating.md")]
pub mod migrating {}
#[doc = include_str!("orderings.md")]
pub mod orderings {}

#[doc(hidden)]
#[cfg(all(feature = "std", not(loom)))]
pub mod contracts;
