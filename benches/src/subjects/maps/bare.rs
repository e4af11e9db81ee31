//! hashbrown without threads: the limit for readers. It can be shared because
//! nobody writes once it is filled.

use hashbrown::HashMap;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapter_does_as_told() {
        crate::subjects::maps::testing::reads_what_was_put::<Unshared>();
    }
}
