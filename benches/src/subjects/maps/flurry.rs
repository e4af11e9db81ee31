//! flurry, pinned per call.

use flurry::HashMap;

use super::{Hasher, Map, Table, each, hasher};
use crate::subjects::Subject;

/// A map.
#[derive(Debug)]
pub(crate) struct Flurry(HashMap<u64, u64, Hasher>);

impl Subject for Flurry {
    const NAME: &'static str = "flurry";
    const ABOUT: &'static str = "flurry::HashMap, pinned per call";
}

impl Table for Flurry {
    fn new(capacity: usize) -> Self {
        Self(if capacity == 0 {
            HashMap::with_hasher(hasher())
        } else {
            HashMap::with_capacity_and_hasher(capacity, hasher())
        })
    }

    fn put(&mut self, key: u64, value: u64) {
        self.0.pin().insert(key, value);
    }

    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        self.0.pin().get(&key).copied()
    }

    #[inline(always)]
    fn read_many(&self, keys: &[u64], found: impl FnMut(u64)) {
        let map = self.0.pin();
        each(keys, found, |key| map.get(&key).copied());
    }

    fn visit(&self, mut each: impl FnMut(u64, u64)) {
        for (key, value) in &self.0.pin() {
            each(*key, *value);
        }
    }
}

impl Map for Flurry {
    #[inline(always)]
    fn insert(&self, key: u64, value: u64) -> bool {
        self.0.pin().insert(key, value).is_none()
    }

    #[inline(always)]
    fn remove(&self, key: u64) -> bool {
        self.0.pin().remove(&key).is_some()
    }

    #[inline(always)]
    fn update(&self, key: u64, compute: impl Fn(u64) -> u64) -> bool {
        let map = self.0.pin();
        map.compute_if_present(&key, |_, value| Some(compute(*value)))
            .is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapter_does_as_told() {
        crate::subjects::maps::testing::writes_as_told::<Flurry>();
    }
}
