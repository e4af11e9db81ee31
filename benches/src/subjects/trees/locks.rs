//! One lock around a B-tree: std's and parking_lot's.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Shared, Tree};
use crate::subjects::Subject;

type Inner = BTreeMap<u64, u64>;

macro_rules! locked {
    ($name:ident, $lock:ty, $called:literal, $about:literal, $read:expr, $write:expr) => {
        #[doc = $about]
        #[derive(Debug)]
        pub(crate) struct $name($lock);

        impl Subject for $name {
            const NAME: &'static str = $called;
            const ABOUT: &'static str = $about;
        }

        impl Tree for $name {
            fn new() -> Self {
                Self(<$lock>::new(Inner::new()))
            }

            fn put(&mut self, key: u64, value: u64) {
                self.insert(key, value);
            }

            #[inline(always)]
            fn get(&self, key: u64) -> Option<u64> {
                $read(&self.0).get(&key).copied()
            }

            #[inline(always)]
            fn at_or_after(&self, key: u64) -> Option<(u64, u64)> {
                first_from(&$read(&self.0), key)
            }

            fn visit(&self, mut each: impl FnMut(u64, u64)) {
                for (key, value) in $read(&self.0).iter() {
                    each(*key, *value);
                }
            }
        }

        impl Shared for $name {
            #[inline(always)]
            fn insert(&self, key: u64, value: u64) -> bool {
                $write(&self.0).insert(key, value).is_none()
            }

            #[inline(always)]
            fn remove(&self, key: u64) -> bool {
                $write(&self.0).remove(&key).is_some()
            }

            /// The lock is taken once for all of them.
            fn remove_range(&self, keys: Range<u64>) -> u64 {
                cut(&mut $write(&self.0), keys)
            }
        }
    };
}

/// The first entry at or after a key.
#[inline(always)]
pub(super) fn first_from(map: &Inner, key: u64) -> Option<(u64, u64)> {
    map.range(key..).next().map(|(key, value)| (*key, *value))
}

/// Removes a range of keys; how many there were.
fn cut(map: &mut Inner, keys: Range<u64>) -> u64 {
    let mut removed = 0;
    while let Some((&key, _)) = map.range(keys.clone()).next() {
        map.remove(&key);
        removed += 1;
    }
    removed
}

locked!(
    StdLock,
    std::sync::RwLock<Inner>,
    "std-rwlock",
    "std::sync::RwLock around a BTreeMap",
    |lock| std::sync::RwLock::read(lock).expect("nobody panics inside"),
    |lock| std::sync::RwLock::write(lock).expect("nobody panics inside")
);

locked!(
    ParkingLot,
    parking_lot::RwLock<Inner>,
    "parking_lot-rwlock",
    "parking_lot::RwLock around a BTreeMap",
    parking_lot::RwLock::read,
    parking_lot::RwLock::write
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapters_do_as_told() {
        crate::subjects::trees::testing::writes_as_told::<StdLock>();
        crate::subjects::trees::testing::writes_as_told::<ParkingLot>();
    }
}
