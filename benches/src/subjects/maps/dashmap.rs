//! dashmap with its default number of shards. Nothing can be kept over many
//! look-ups: each locks its shard.

use dashmap::DashMap;

use super::{Hasher, Map, Table, each, hasher};
use crate::subjects::Subject;

/// A map.
#[derive(Debug)]
pub(crate) struct Dash(DashMap<u64, u64, Hasher>);

impl Subject for Dash {
    const NAME: &'static str = "dashmap";
    const ABOUT: &'static str = "dashmap::DashMap: shards behind read-write locks";
}

impl Table for Dash {
    fn new(capacity: usize) -> Self {
        Self(DashMap::with_capacity_and_hasher(capacity, hasher()))
    }

    fn put(&mut self, key: u64, value: u64) {
        self.0.insert(key, value);
    }

    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        self.0.get(&key).map(|entry| *entry)
    }

    #[inline(always)]
    fn read_many(&self, keys: &[u64], found: impl FnMut(u64)) {
        each(keys, found, |key| self.get(key));
    }

    fn visit(&self, mut each: impl FnMut(u64, u64)) {
        for entry in &self.0 {
            each(*entry.key(), *entry.value());
        }
    }
}

impl Map for Dash {
    #[inline(always)]
    fn insert(&self, key: u64, value: u64) -> bool {
        self.0.insert(key, value).is_none()
    }

    #[inline(always)]
    fn remove(&self, key: u64) -> bool {
        self.0.remove(&key).is_some()
    }

    #[inline(always)]
    fn update(&self, key: u64, compute: impl Fn(u64) -> u64) -> bool {
        let entry = self.0.get_mut(&key);
        entry.map(|mut value| *value = compute(*value)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapter_does_as_told() {
        crate::subjects::maps::testing::writes_as_told::<Dash>();
    }
}
