//! A concurrent radix tree over integer keys whose readers never wait.
#![cfg_attr(loom, allow(dead_code))]

mod ord;
mod raw;
mod tunables;
mod value;

pub use self::value::InlineValue;
