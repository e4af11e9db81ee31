//! What can go wrong.

use std::fmt;

/// There is no memory for so many entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TryReserveError {
    additional: usize,
}

impl TryReserveError {
    pub(crate) fn new(additional: usize) -> Self {
        Self { additional }
    }

    /// For how many more there was to be room.
    #[must_use]
    pub fn additional(&self) -> usize {
        self.additional
    }
}

impl fmt::Display for TryReserveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "capacity overflow: no memory for {} more entries",
            self.additional
        )
    }
}

impl std::error::Error for TryReserveError {}

/// [`try_insert`](crate::HashMap::try_insert) found the key.
#[derive(Debug, PartialEq, Eq)]
pub struct OccupiedError<'g, V> {
    /// The value that is in the map.
    pub current: &'g V,
    /// The value that was to be.
    pub not_inserted: V,
}

impl<V: fmt::Debug> fmt::Display for OccupiedError<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "failed to insert {:?}, because the key is there with {:?}",
            self.not_inserted, self.current
        )
    }
}

impl<V: fmt::Debug> std::error::Error for OccupiedError<'_, V> {}

/// What [`compute`](crate::HashMap::compute) is to do with the entry.
#[derive(Debug, PartialEq, Eq)]
pub enum Operation<V, T> {
    /// Put this value there.
    Insert(V),
    /// Remove the entry. Only where there is one.
    Remove,
    /// Leave all as it is, and return this.
    Abort(T),
}

/// What [`compute`](crate::HashMap::compute) did.
#[derive(Debug, PartialEq, Eq)]
pub enum Compute<'g, K, V, T> {
    /// There was no entry; now there is this one.
    Inserted(&'g K, &'g V),
    /// The entry was replaced.
    Updated {
        /// What it was.
        old: (&'g K, &'g V),
        /// What it is.
        new: (&'g K, &'g V),
    },
    /// This entry was removed.
    Removed(&'g K, &'g V),
    /// Nothing was done.
    Aborted(T),
}
