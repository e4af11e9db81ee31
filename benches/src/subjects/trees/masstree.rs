//! masstree: a trie of B+ trees over bytes, a `u64` being eight of them, the most
//! significant first.

use masstree::{MassTree, RangeBound};

use super::{Shared, Tree};
use crate::subjects::Subject;

/// The tree, with values in its leaves.
pub(crate) struct Mass(MassTree<u64>);

impl Subject for Mass {
    const NAME: &'static str = "masstree";
    const ABOUT: &'static str = "masstree::MassTree: a trie of B+ trees, locks to write";
}

/// A key from its bytes.
#[inline(always)]
fn key(bytes: &[u8]) -> u64 {
    u64::from_be_bytes(bytes.try_into().expect("keys have eight bytes"))
}

impl Mass {
    #[inline(always)]
    fn scan(&self, from: u64, mut each: impl FnMut(u64, u64) -> bool) {
        let from = from.to_be_bytes();
        let (from, to) = (RangeBound::Included(&from), RangeBound::Unbounded);
        let visit = |bytes: &[u8], value| each(key(bytes), value);
        self.0.scan(from, to, visit, &self.0.guard());
    }
}

impl Tree for Mass {
    fn new() -> Self {
        Self(MassTree::new())
    }

    fn put(&mut self, key: u64, value: u64) {
        self.insert(key, value);
    }

    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        self.0.get_with_guard(&key.to_be_bytes(), &self.0.guard())
    }

    #[inline(always)]
    fn at_or_after(&self, key: u64) -> Option<(u64, u64)> {
        let mut found = None;
        self.scan(key, |key, value| {
            found = Some((key, value));
            false
        });
        found
    }

    fn visit(&self, mut each: impl FnMut(u64, u64)) {
        self.scan(0, |key, value| {
            each(key, value);
            true
        });
    }
}

impl Shared for Mass {
    /// Version 0.9.5 loses keys where two threads insert and remove others.
    const COUNTED: bool = false;

    #[inline(always)]
    fn insert(&self, key: u64, value: u64) -> bool {
        let old = self
            .0
            .insert_with_guard(&key.to_be_bytes(), value, &self.0.guard());
        old.is_none()
    }

    #[inline(always)]
    fn remove(&self, key: u64) -> bool {
        let (bytes, guard) = (key.to_be_bytes(), self.0.guard());
        // It gives up after so many tries.
        loop {
            if let Ok(old) = self.0.remove_with_guard(&bytes, &guard) {
                break old.is_some();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapter_does_as_told() {
        crate::subjects::trees::testing::writes_as_told::<Mass>();
    }
}
