//! Longer texts.
//!
//! | | |
//! |---|---|
//! | [`guide`] | which tree, which key, which call |
//! | [`migrating`] | swap in for a locked `BTreeMap`, a skip list, a hash map with integer keys |
//! | [`algorithm`] | how it works |
//! | [`orderings`] | which memory orderings that takes |
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
