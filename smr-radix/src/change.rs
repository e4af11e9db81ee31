//! What writers are told, and what they say.

use core::fmt;

/// What [`Tree::compute`](crate::Tree::compute) is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<V> {
    /// Put this value there.
    Put(V),
    /// Remove the key.
    Remove,
    /// Leave everything as it is.
    Leave,
}

/// The key was there: what [`Tree::try_insert`](crate::Tree::try_insert) returns then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occupied<R, V> {
    /// The value that is there.
    pub current: R,
    /// The value that was not inserted.
    pub value: V,
}

impl<R: fmt::Debug, V: fmt::Debug> fmt::Display for Occupied<R, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the key is in the tree already")
    }
}

impl<R: fmt::Debug, V: fmt::Debug> core::error::Error for Occupied<R, V> {}

/// Another value was there, or none: what
/// [`Tree::compare_exchange`](crate::Tree::compare_exchange) returns then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatch<R, V> {
    /// The value that is there, if there is one.
    pub current: Option<R>,
    /// The value that was to come in.
    pub value: V,
}

impl<R: fmt::Debug, V: fmt::Debug> fmt::Display for Mismatch<R, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.current {
            Some(_) => "the key has another value",
            None => "the key is not in the tree",
        })
    }
}

impl<R: fmt::Debug, V: fmt::Debug> core::error::Error for Mismatch<R, V> {}
