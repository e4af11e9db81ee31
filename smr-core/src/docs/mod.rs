//! Chapters that are longer than the documentation of one item.

#[doc = include_str!("migrating.md")]
pub mod migrating {}
