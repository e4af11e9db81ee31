//! crossbeam-skiplist: what people use for an ordered concurrent map.

use std::cell::Cell;
use std::ops::Bound;

use crossbeam_skiplist::SkipMap;

use super::{Ordered, Walk};
use crate::subjects::Subject;

/// A skip list.
pub(crate) struct Skip(SkipMap<u64, u64>);

impl Skip {
    /// The first entry at or after a key.
    #[inline(always)]
    pub(crate) fn at_or_after(&self, key: u64) -> Option<(u64, u64)> {
        let entry = self.0.lower_bound(Bound::Included(&key))?;
        Some((*entry.key(), *entry.value()))
    }

    /// Visits all in order.
    pub(crate) fn visit(&self, mut each: impl FnMut(u64, u64)) {
        for entry in self.0.iter() {
            each(*entry.key(), *entry.value());
        }
    }
}

impl Subject for Skip {
    const NAME: &'static str = "crossbeam-skiplist";
    const ABOUT: &'static str = "crossbeam_skiplist::SkipMap";
}

impl Walk for Skip {
    fn new() -> Self {
        Self(SkipMap::new())
    }

    fn put(&mut self, key: u64, value: u64) {
        self.0.insert(key, value);
    }

    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        self.0.get(&key).map(|entry| *entry.value())
    }

    fn audit(&self) -> (u64, bool) {
        let keys = || self.0.iter().map(|entry| *entry.key());
        (keys().count() as u64, keys().is_sorted_by(|a, b| a < b))
    }

    fn settle() {
        super::settle_epoch();
    }
}

impl Ordered for Skip {
    const COUNTED: bool = false;

    /// `compare_insert` asks about what is there, and leaves it if it is told to.
    /// Where that is removed meanwhile it inserts after all, so that some are counted
    /// wrongly.
    #[inline(always)]
    fn insert(&self, key: u64, value: u64) -> bool {
        let new = Cell::new(true);
        self.0.compare_insert(key, value, |_| {
            new.set(false);
            false
        });
        new.get()
    }

    #[inline(always)]
    fn remove(&self, key: u64) -> bool {
        self.0.remove(&key).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapter_does_as_told() {
        crate::subjects::lists::testing::writes_as_told::<Skip>();
    }
}
