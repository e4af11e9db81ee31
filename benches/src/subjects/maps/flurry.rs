//! flurry, pinned per call.

use flurry::HashMap;

use super::{Hasher, Map, Table, hasher, pinned_map, pinned_table};
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

    pinned_table!();
}

impl Map for Flurry {
    pinned_map!();

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
