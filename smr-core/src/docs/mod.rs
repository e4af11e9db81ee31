//! Chapters that are longer than the documentation of one item.

#[doc = include_str!("migrating.md")]
pub mod migrating {}

#[doc(hidden)]
#[cfg(all(feature = "std", not(loom)))]
pub mod contracts;
