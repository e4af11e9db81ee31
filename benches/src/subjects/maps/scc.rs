//! scc's two maps. `HashMap` locks a bucket even to read; `HashIndex` reads
//! without a lock under a guard that can be kept, and replaces whole entries.

use std::thread;
use std::time::Duration;

use scc::hash_index::Entry;
use scc::{Guard, HashIndex, HashMap};

use super::{Hasher, Map, Table, each, hasher};
use crate::alloc;
use crate::subjects::Subject;

/// The map for writers.
#[derive(Debug)]
pub(crate) struct SccMap(HashMap<u64, u64, Hasher>);

impl Subject for SccMap {
    const NAME: &'static str = "scc-map";
    const ABOUT: &'static str = "scc::HashMap: locks a bucket for every call";
}

impl Table for SccMap {
    fn new(capacity: usize) -> Self {
        Self(HashMap::with_capacity_and_hasher(capacity, hasher()))
    }

    fn put(&mut self, key: u64, value: u64) {
        self.0.upsert_sync(key, value);
    }

    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        self.0.read_sync(&key, |_, value| *value)
    }

    #[inline(always)]
    fn read_many(&self, keys: &[u64], found: impl FnMut(u64)) {
        each(keys, found, |key| self.get(key));
    }

    fn visit(&self, mut each: impl FnMut(u64, u64)) {
        self.0.iter_sync(|key, value| {
            each(*key, *value);
            true
        });
    }

    fn settle() {
        turn_epochs();
    }
}

impl Map for SccMap {
    #[inline(always)]
    fn insert(&self, key: u64, value: u64) -> bool {
        self.0.upsert_sync(key, value).is_none()
    }

    #[inline(always)]
    fn remove(&self, key: u64) -> bool {
        self.0.remove_sync(&key).is_some()
    }

    #[inline(always)]
    fn update(&self, key: u64, compute: impl Fn(u64) -> u64) -> bool {
        self.0
            .update_sync(&key, |_, value| *value = compute(*value))
            .is_some()
    }
}

/// The map for readers.
#[derive(Debug)]
pub(crate) struct SccIndex(HashIndex<u64, u64, Hasher>);

impl Subject for SccIndex {
    const NAME: &'static str = "scc-index";
    const ABOUT: &'static str = "scc::HashIndex: reads without a lock";
}

impl Table for SccIndex {
    fn new(capacity: usize) -> Self {
        Self(HashIndex::with_capacity_and_hasher(capacity, hasher()))
    }

    fn put(&mut self, key: u64, value: u64) {
        self.insert(key, value);
    }

    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        self.0.peek_with(&key, |_, value| *value)
    }

    #[inline(always)]
    fn read_many(&self, keys: &[u64], found: impl FnMut(u64)) {
        let guard = Guard::new();
        each(keys, found, |key| self.0.peek(&key, &guard).copied());
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

impl Map for SccIndex {
    #[inline(always)]
    fn insert(&self, key: u64, value: u64) -> bool {
        match self.0.entry_sync(key) {
            Entry::Occupied(mut entry) => {
                entry.update(value);
                false
            }
            Entry::Vacant(entry) => {
                entry.insert_entry(value);
                true
            }
        }
    }

    #[inline(always)]
    fn remove(&self, key: u64) -> bool {
        self.0.remove_sync(&key)
    }

    #[inline(always)]
    fn update(&self, key: u64, compute: impl Fn(u64) -> u64) -> bool {
        let entry = self.0.get_sync(&key);
        entry
            .map(|mut entry| entry.update(compute(*entry.get())))
            .is_some()
    }
}

/// scc frees for all maps together, while guards come and go: turns the epochs
/// until nothing is freed any more.
pub(crate) fn turn_epochs() {
    let (mut before, mut steady) = (alloc::heap_bytes(), 0);
    for _ in 0..200 {
        for _ in 0..16 {
            let guard = Guard::new();
            guard.set_has_garbage();
            guard.accelerate();
        }
        let now = alloc::heap_bytes();
        steady = if now == before { steady + 1 } else { 0 };
        before = now;
        if steady == 10 {
            break;
        }
        thread::sleep(Duration::from_micros(100));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapters_do_as_told() {
        crate::subjects::maps::testing::writes_as_told::<SccMap>();
        crate::subjects::maps::testing::writes_as_told::<SccIndex>();
    }
}
