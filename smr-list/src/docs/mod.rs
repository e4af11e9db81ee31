//! Longer texts.
//!
//! | | |
//! |---|---|
//! | [`guide`] | which list, and how to walk it |
//! | [`migrating`] | swap in for the collections of `std` behind a lock, and for crossbeam's |
//! | [`algorithms`] | how each works |
//! | [`limitations`] | what they do not do |

#[doc = include_str!("algorithms.md")]
pub mod algorithms {}
#[doc = include_str!("guide.md")]
pub mod guide {}
#[doc = include_str!("limitations.md")]
pub mod limitations {}
#[doc = include_str!("migrating.md")]
pub mod migrating {}
