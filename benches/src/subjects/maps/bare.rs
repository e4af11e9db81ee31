//! hashbrown without threads: the limit for readers, and the limit for those whose entries
//! stay where they are. Both can be shared because nobody writes once they are filled.

use std::hash::BuildHasher;

use hashbrown::{HashMap, HashTable};

use super::{Hasher, Table, each, hasher};
use crate::subjects::Subject;

/// A filled table.
#[derive(Debug)]
pub(crate) struct Unshared(HashMap<u64, u64, Hasher>);

impl Subject for Unshared {
    const NAME: &'static str = "hashbrown";
    const ABOUT: &'static str = "no threads: the limit, read only";
}

impl Table for Unshared {
    fn new(capacity: usize) -> Self {
        Self(HashMap::with_capacity_and_hasher(capacity, hasher()))
    }

    fn put(&mut self, key: u64, value: u64) {
        self.0.insert(key, value);
    }

    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        self.0.get(&key).copied()
    }

    #[inline(always)]
    fn read_many(&self, keys: &[u64], found: impl FnMut(u64)) {
        let map = &self.0;
        each(keys, found, |key| map.get(&key).copied());
    }

    fn visit(&self, mut each: impl FnMut(u64, u64)) {
        for (key, value) in &self.0 {
            each(*key, *value);
        }
    }
}

/// A filled table of boxes: a reference into it would outlast its growth, for one more line
/// of memory at each look-up.
#[derive(Debug)]
pub(crate) struct Boxed {
    table: HashTable<Box<(u64, u64)>>,
    hasher: Hasher,
}

impl Boxed {
    #[inline(always)]
    fn find(&self, key: u64) -> Option<u64> {
        let entry = self
            .table
            .find(self.hasher.hash_one(key), |entry| entry.0 == key)?;
        Some(entry.1)
    }
}

impl Subject for Boxed {
    const NAME: &'static str = "hashbrown-boxed";
    const ABOUT: &'static str = "the same with entries that stay where they are, read only";
}

impl Table for Boxed {
    fn new(capacity: usize) -> Self {
        Self {
            table: HashTable::with_capacity(capacity),
            hasher: hasher(),
        }
    }

    fn put(&mut self, key: u64, value: u64) {
        let hash = |key| self.hasher.hash_one(key);
        self.table
            .insert_unique(hash(key), Box::new((key, value)), |entry| hash(entry.0));
    }

    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        self.find(key)
    }

    #[inline(always)]
    fn read_many(&self, keys: &[u64], found: impl FnMut(u64)) {
        each(keys, found, |key| self.find(key));
    }

    fn visit(&self, mut each: impl FnMut(u64, u64)) {
        for entry in &self.table {
            each(entry.0, entry.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapters_do_as_told() {
        crate::subjects::maps::testing::reads_what_was_put::<Unshared>();
        crate::subjects::maps::testing::reads_what_was_put::<Boxed>();
    }
}
