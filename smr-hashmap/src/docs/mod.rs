//! Longer texts: moving from other maps.

#[doc = include_str!("papaya.md")]
pub mod papaya {}
#[doc = include_str!("rwlock.md")]
pub mod rwlock {}
