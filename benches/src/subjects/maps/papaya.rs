//! papaya, pinned per call; with its default incremental resizing.

use papaya::HashMap;

use super::{Hasher, Map, Table, hasher, pinned_map, pinned_table};
use crate::subjects::Subject;

/// A map with a collector of its own.
#[derive(Debug)]
pub(crate) struct Papaya(HashMap<u64, u64, Hasher>);

impl Subject for Papaya {
    const NAME: &'static str = "papaya";
    const ABOUT: &'static str = "papaya::HashMap, pinned per call";
}

impl Table for Papaya {
    fn new(capacity: usize) -> Self {
        Self(HashMap::with_capacity_and_hasher(capacity, hasher()))
    }

    pinned_table!();
}

impl Map for Papaya {
    pinned_map!();

    #[inline(always)]
    fn update(&self, key: u64, compute: impl Fn(u64) -> u64) -> bool {
        self.0.pin().update(key, |value| compute(*value)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapter_does_as_told() {
        crate::subjects::maps::testing::writes_as_told::<Papaya>();
    }
}
