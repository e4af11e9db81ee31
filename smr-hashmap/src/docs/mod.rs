//! Longer texts.
//!
//! | | |
//! |---|---|
//! | [`guide`] | which call, which guard, which size |
//! | [`rwlock`] | swap in for `RwLock<HashMap>`, method by method |
//! | [`papaya`] | move from papaya |
//! | [`algorithm`] | how it works |
//! | [`limitations`] | what it does not do |

#[doc = include_str!("algorithm.md")]
pub mod algorithm {}
#[doc = include_str!("guide.md")]
pub mod guide {}
#[doc = include_str!("limitations.md")]
pub mod limitations {}
#[doc = include_str!("papaya.md")]
pub mod papaya {}
#[doc = include_str!("rwlock.md")]
pub mod rwlock {}
