//! Our map: pinned per call; and its look-ups in batches, which fetch ahead.

use smr_hashmap::HashMap;

use super::{Hasher, Map, Table, hasher, pinned_map, pinned_table};
use crate::subjects::Subject;

/// A map in the global domain, as maps are unless told otherwise.
#[derive(Debug)]
pub(crate) struct Smr(HashMap<u64, u64, Hasher>);

impl Subject for Smr {
    const NAME: &'static str = "smr";
    const ABOUT: &'static str = "smr_hashmap::HashMap, pinned per call";
}

impl Table for Smr {
    fn new(capacity: usize) -> Self {
        let builder = HashMap::builder().hasher(hasher());
        Self(builder.capacity(capacity).build())
    }

    pinned_table!();
}

impl Map for Smr {
    pinned_map!();

    #[inline(always)]
    fn update(&self, key: u64, compute: impl Fn(u64) -> u64) -> bool {
        self.0.pin().update(key, |value| compute(*value)).is_some()
    }
}

/// The same map, read in batches.
#[derive(Debug)]
pub(crate) struct Batched(Smr);

impl Subject for Batched {
    const NAME: &'static str = "smr-batched";
    const ABOUT: &'static str = "the same, look-ups by get_many where a pin is kept";
}

impl Table for Batched {
    fn new(capacity: usize) -> Self {
        Self(Smr::new(capacity))
    }

    fn put(&mut self, key: u64, value: u64) {
        self.0.put(key, value);
    }

    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        self.0.get(key)
    }

    #[inline(always)]
    fn read_many(&self, keys: &[u64], found: impl FnMut(u64)) {
        let map = self.0.0.pin();
        let values = map.get_many(keys);
        values.flatten().copied().for_each(found);
    }

    fn visit(&self, each: impl FnMut(u64, u64)) {
        self.0.visit(each);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapters_do_as_told() {
        crate::subjects::maps::testing::writes_as_told::<Smr>();
        crate::subjects::maps::testing::reads_what_was_put::<Batched>();
    }
}
