//! Whose hash maps are compared: one small adapter a file.
//!
//! Every map goes from `u64` to `u64` and hashes with the same function of the
//! same seed ([`hasher`]). [`Table`] is what a look-up needs, so that a map
//! without threads can show the limit; [`Map`] adds what writers do. As with the
//! reclaiming subjects, no call in a measured loop is dynamic.
//!
//! An operation is the map's plainest call for it, with whatever that call
//! needs: a pin, a guard, a lock. What can be kept over many look-ups (a pin, a
//! read lock) is kept by [`read_many`](Table::read_many) alone.

use foldhash::fast::FixedState;

use super::Subject;

pub(crate) mod bare;
pub(crate) mod dashmap;
pub(crate) mod flurry;
pub(crate) mod locks;
pub(crate) mod papaya;
pub(crate) mod scc;
pub(crate) mod smr;

/// The hasher of all maps: hashbrown's default, with a seed that is the same in
/// every run.
pub(crate) type Hasher = FixedState;

/// A new hasher.
pub(crate) fn hasher() -> Hasher {
    FixedState::with_seed(0x5eed)
}

/// A table that threads read together.
pub(crate) trait Table: Subject + Sync + Sized + 'static {
    /// A table with room for so many entries; with none of its own for 0.
    fn new(capacity: usize) -> Self;
    /// Inserts an entry while nobody else is there.
    fn put(&mut self, key: u64, value: u64);
    /// Looks one key up.
    fn get(&self, key: u64) -> Option<u64>;
    /// Looks many keys up with what can be kept between look-ups kept, and
    /// hands each value found over.
    fn read_many(&self, keys: &[u64], found: impl FnMut(u64));
    /// Visits all entries.
    fn visit(&self, each: impl FnMut(u64, u64));
    /// Frees what the map's reclamation still holds. The map is gone.
    fn settle() {}
}

/// A table that threads write as well.
pub(crate) trait Map: Table {
    /// Inserts or replaces; whether the key is new.
    fn insert(&self, key: u64, value: u64) -> bool;
    /// Removes; whether the key was there.
    fn remove(&self, key: u64) -> bool;
    /// Computes the value anew, as one step; whether the key was there.
    fn update(&self, key: u64, compute: impl Fn(u64) -> u64) -> bool;
}

/// Looks the keys up one by one.
#[inline(always)]
pub(crate) fn each(
    keys: &[u64],
    mut found: impl FnMut(u64),
    mut look_up: impl FnMut(u64) -> Option<u64>,
) {
    for &key in keys {
        if let Some(value) = look_up(key) {
            found(value);
        }
    }
}

/// What a [`Table`] does over a map whose look-ups are those of papaya: with a pin.
macro_rules! pinned_table {
    () => {
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
            $crate::subjects::maps::each(keys, found, |key| map.get(&key).copied());
        }

        fn visit(&self, mut each: impl FnMut(u64, u64)) {
            for (key, value) in &self.0.pin() {
                each(*key, *value);
            }
        }
    };
}
pub(crate) use pinned_table;

/// The same of a [`Map`], but for the update.
macro_rules! pinned_map {
    () => {
        #[inline(always)]
        fn insert(&self, key: u64, value: u64) -> bool {
            self.0.pin().insert(key, value).is_none()
        }

        #[inline(always)]
        fn remove(&self, key: u64) -> bool {
            self.0.pin().remove(&key).is_some()
        }
    };
}
pub(crate) use pinned_map;

#[cfg(test)]
pub(crate) mod testing {
    //! What every adapter must pass.

    use std::collections::BTreeMap;

    use super::*;

    /// The read side tells what was put in.
    pub(crate) fn reads_what_was_put<T: Table>() {
        for capacity in [0, 100] {
            let mut table = T::new(capacity);
            assert_eq!(table.get(1), None, "{}", T::NAME);
            for key in 0..100 {
                table.put(key, key * 2);
            }
            assert_eq!(table.get(7), Some(14), "{}", T::NAME);
            assert_eq!(table.get(100), None, "{}", T::NAME);
            let mut values = Vec::new();
            table.read_many(&[3, 100, 5], |value| values.push(value));
            assert_eq!(values, [6, 10], "{}", T::NAME);
            let mut entries = BTreeMap::new();
            table.visit(|key, value| {
                assert!(entries.insert(key, value).is_none(), "{}", T::NAME);
            });
            let expected: BTreeMap<u64, u64> = (0..100).map(|key| (key, key * 2)).collect();
            assert_eq!(entries, expected, "{}", T::NAME);
        }
    }

    /// The write side says rightly whether a key was there.
    pub(crate) fn writes_as_told<M: Map>() {
        reads_what_was_put::<M>();
        let map = M::new(0);
        assert!(!map.remove(1), "{}", M::NAME);
        assert!(!map.update(1, |value| value), "{}", M::NAME);
        assert!(map.insert(1, 10), "{}", M::NAME);
        assert!(!map.insert(1, 20), "{}", M::NAME);
        assert_eq!(map.get(1), Some(20), "{}", M::NAME);
        assert!(map.update(1, |value| value + 1), "{}", M::NAME);
        assert_eq!(map.get(1), Some(21), "{}", M::NAME);
        assert!(map.remove(1), "{}", M::NAME);
        assert_eq!(map.get(1), None, "{}", M::NAME);
    }
}
