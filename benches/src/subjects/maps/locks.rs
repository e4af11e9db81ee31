//! One lock around one map: std's and parking_lot's. Both hold hashbrown's map,
//! which std's is, so that the locks are all they differ by.
//!
//! "Kept over many look-ups" means that the read lock is held for them, which
//! keeps writers out for as long.

use hashbrown::HashMap;

use super::{Hasher, Map, Table, each, hasher};
use crate::subjects::Subject;

macro_rules! locked {
    ($name:ident, $lock:ty, $called:literal, $about:literal, $read:expr, $write:expr) => {
        #[doc = $about]
        #[derive(Debug)]
        pub(crate) struct $name($lock);

        impl Subject for $name {
            const NAME: &'static str = $called;
            const ABOUT: &'static str = $about;
        }

        impl Table for $name {
            fn new(capacity: usize) -> Self {
                Self(<$lock>::new(HashMap::with_capacity_and_hasher(
                    capacity,
                    hasher(),
                )))
            }

            fn put(&mut self, key: u64, value: u64) {
                $write(&self.0).insert(key, value);
            }

            #[inline(always)]
            fn get(&self, key: u64) -> Option<u64> {
                $read(&self.0).get(&key).copied()
            }

            #[inline(always)]
            fn read_many(&self, keys: &[u64], found: impl FnMut(u64)) {
                let map = $read(&self.0);
                each(keys, found, |key| map.get(&key).copied());
            }

            fn visit(&self, mut each: impl FnMut(u64, u64)) {
                for (key, value) in $read(&self.0).iter() {
                    each(*key, *value);
                }
            }
        }

        impl Map for $name {
            #[inline(always)]
            fn insert(&self, key: u64, value: u64) -> bool {
                $write(&self.0).insert(key, value).is_none()
            }

            #[inline(always)]
            fn remove(&self, key: u64) -> bool {
                $write(&self.0).remove(&key).is_some()
            }

            #[inline(always)]
            fn update(&self, key: u64, compute: impl Fn(u64) -> u64) -> bool {
                let mut map = $write(&self.0);
                map.get_mut(&key)
                    .map(|value| *value = compute(*value))
                    .is_some()
            }
        }
    };
}

type Inner = HashMap<u64, u64, Hasher>;

locked!(
    StdLock,
    std::sync::RwLock<Inner>,
    "std-rwlock",
    "std::sync::RwLock around a map",
    |lock| std::sync::RwLock::read(lock).expect("nobody panics inside"),
    |lock| std::sync::RwLock::write(lock).expect("nobody panics inside")
);

locked!(
    ParkingLot,
    parking_lot::RwLock<Inner>,
    "parking_lot-rwlock",
    "parking_lot::RwLock around a map",
    parking_lot::RwLock::read,
    parking_lot::RwLock::write
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapters_do_as_told() {
        crate::subjects::maps::testing::writes_as_told::<StdLock>();
        crate::subjects::maps::testing::writes_as_told::<ParkingLot>();
    }
}
