//! scc's B+ tree.

use scc::{Guard, TreeIndex};

use super::{Shared, Tree};
use crate::subjects::Subject;
use crate::subjects::maps::scc::turn_epochs;

/// The tree.
pub(crate) struct Index(TreeIndex<u64, u64>);

impl Subject for Index {
    const NAME: &'static str = "scc-tree";
    const ABOUT: &'static str = "scc::TreeIndex: a B+ tree, reads without a lock";
}

impl Tree for Index {
    fn new() -> Self {
        Self(TreeIndex::new())
    }

    fn put(&mut self, key: u64, value: u64) {
        self.0.upsert_sync(key, value);
    }

    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        self.0.peek_with(&key, |_, value| *value)
    }

    #[inline(always)]
    fn at_or_after(&self, key: u64) -> Option<(u64, u64)> {
        let guard = Guard::new();
        let found = self.0.range(key.., &guard).next();
        found.map(|(key, value)| (*key, *value))
    }

    fn visit(&self, mut each: impl FnMut(u64, u64)) {
        for (key, value) in self.0.iter(&Guard::new()) {
            each(*key, *value);
        }
    }

    fn settle() {
        turn_epochs();
    }
}

impl Shared for Index {
    /// An entry that is there stays: replacing it moves a leaf.
    #[inline(always)]
    fn insert(&self, key: u64, value: u64) -> bool {
        self.0.insert_sync(key, value).is_ok()
    }

    #[inline(always)]
    fn remove(&self, key: u64) -> bool {
        self.0.remove_sync(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapter_does_as_told() {
        crate::subjects::trees::testing::writes_as_told::<Index>();
    }
}
