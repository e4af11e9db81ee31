//! Longer texts.
//!
//! | | |
//! |---|---|
//! | [`guide`] | which list, and how to walk it |
//! | [`algorithms`] | how each works |
//! | [`limitations`] | what they do not do |

#[doc = include_str!("algorithms.md")]
pub mod algorithms {}
#[doc = include_str!("guide.md")]
pub mod guide {}
#[doc = include_str!("limitations.md")]
pub mod limitations {}
