//! A concurrent radix tree over integer keys whose readers never wait.
#![cfg_attr(loom, allow(dead_code))]

#[cfg(all(test, loom))]
mod models;
mod ord;
mod raw;
mod tunables;
pub mod value;

pub use self::value::InlineValue;
