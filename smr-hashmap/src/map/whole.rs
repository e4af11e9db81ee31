//! The whole map: iterate, empty, size.

use std::hash::{BuildHasher, Hash};

use crate::error::TryReserveError;
use crate::guard::Guard;
use crate::iter::{Drain, Iter, Keys, Values};
use crate::map::HashMap;

impl<K, V, S> HashMap<K, V, S> {
    /// All entries, in no particular order.
    ///
    /// An entry whose key is in the map from beginning to end is seen exactly
    /// once, also while the table grows and shrinks; others may be seen or not.
    /// Nobody waits for the iterator, and it waits for nobody. Linear in the
    /// table.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([(1, 10), (2, 20)]);
    /// let guard = map.guard();
    /// assert_eq!(map.iter(&guard).map(|(key, value)| key * value).sum::<i32>(), 50);
    /// ```
    #[inline]
    pub fn iter<'g, G: Guard>(&'g self, guard: &'g G) -> Iter<'g, K, V, G> {
        Iter::new(self.raw.iter(self.section(guard)))
    }

    /// All keys. As [`iter`](Self::iter).
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([(1, 10), (2, 20)]);
    /// let guard = map.guard();
    /// assert_eq!(map.keys(&guard).sum::<i32>(), 3);
    /// ```
    #[inline]
    pub fn keys<'g, G: Guard>(&'g self, guard: &'g G) -> Keys<'g, K, V, G> {
        Keys(self.iter(guard))
    }

    /// All values. As [`iter`](Self::iter).
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([(1, 10), (2, 20)]);
    /// let guard = map.guard();
    /// assert_eq!(map.values(&guard).sum::<i32>(), 30);
    /// ```
    #[inline]
    pub fn values<'g, G: Guard>(&'g self, guard: &'g G) -> Values<'g, K, V, G> {
        Values(self.iter(guard))
    }

    /// All values, to be changed in place: nobody else can be there.
    ///
    /// ```
    /// let mut map = smr_hashmap::HashMap::from([(1, 10), (2, 20)]);
    /// map.iter_mut().for_each(|(key, value)| *value += key);
    /// assert_eq!(map.pin().get(&2), Some(&22));
    /// ```
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.raw.iter_mut()
    }

    /// Empties the map, and yields what was in it. What is not taken is dropped
    /// with the iterator.
    ///
    /// ```
    /// let mut map = smr_hashmap::HashMap::from([(1, "a")]);
    /// let taken: Vec<(i32, &str)> = map.drain().collect();
    /// assert_eq!(taken, [(1, "a")]);
    /// assert!(map.is_empty());
    /// ```
    pub fn drain(&mut self) -> Drain<'_, K, V> {
        Drain(self.raw.drain())
    }
}

impl<K, V, S> HashMap<K, V, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    /// Removes every entry that is there.
    ///
    /// Each is removed by itself: what is inserted meanwhile may stay, and
    /// somebody who looks sees a map that is partly cleared. Linear in the table.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([(1, 10), (2, 20)]);
    /// map.clear(&map.guard());
    /// assert!(map.is_empty());
    /// ```
    pub fn clear(&self, guard: &impl Guard) {
        self.raw.clear(self.section(guard));
    }

    /// Keeps the entries of which `f` says so.
    ///
    /// Each is asked about and removed by itself, atomically: if it is replaced in
    /// between, `f` is asked again, about the new one. Linear in the table.
    ///
    /// ```
    /// let map: smr_hashmap::HashMap<i32, i32> = (0..8).map(|i| (i, i * 10)).collect();
    /// map.retain(|key, _| key % 2 == 0, &map.guard());
    /// assert_eq!(map.len(), 4);
    /// ```
    pub fn retain<F>(&self, mut f: F, guard: &impl Guard)
    where
        F: FnMut(&K, &V) -> bool,
    {
        let section = self.section(guard);
        for entry in self.raw.iter(section) {
            if f(&entry.key, &entry.value) {
                continue;
            }
            let mut last: *const V = &raw const entry.value;
            // Another entry than the one that was asked about is asked about too.
            let _ = self.remove_in(&entry.key, section, |now| {
                let same = std::ptr::eq(last, &raw const now.value);
                last = &raw const now.value;
                same || !f(&now.key, &now.value)
            });
        }
    }

    /// Makes room for `additional` more entries, so that the table need not grow
    /// for them.
    ///
    /// # Panics
    ///
    /// If there is no memory for so many; [`try_reserve`](Self::try_reserve)
    /// returns an error.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::<u64, u64>::new();
    /// map.reserve(1000, &map.guard());
    /// assert!(map.capacity() >= 1000);
    /// ```
    pub fn reserve(&self, additional: usize, guard: &impl Guard) {
        self.try_reserve(additional, guard)
            .unwrap_or_else(|error| panic!("{error}"));
    }

    /// As [`reserve`](Self::reserve).
    ///
    /// # Errors
    ///
    /// [`TryReserveError`] if there is no memory for so many: for a table, for what moving
    /// the entries needs, or for the old table to wait in. The map holds what it held. It
    /// may have grown in part, or be on its way; writes that follow go on with that.
    ///
    /// What it does on this occasion for others has no error to return, and may end the
    /// process where there is no memory: destructors of what was removed earlier, and
    /// collecting in a domain that is over its limit.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::<u64, u64>::new();
    /// assert!(map.try_reserve(usize::MAX, &map.guard()).is_err());
    /// assert!(map.try_reserve(10, &map.guard()).is_ok());
    /// ```
    pub fn try_reserve(
        &self,
        additional: usize,
        guard: &impl Guard,
    ) -> Result<(), TryReserveError> {
        self.section(guard);
        self.try_make_room(additional, guard)
    }

    /// Makes the table as small as its entries allow, and gives free memory back to
    /// the system.
    ///
    /// Both happen by themselves when most entries were removed: the table is halved
    /// when less than a quarter of it is used. This does it now, and goes further.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::<u64, u64>::with_capacity(1000);
    /// map.shrink_to_fit(&map.guard());
    /// assert!(map.capacity() < 1000);
    /// ```
    pub fn shrink_to_fit(&self, guard: &impl Guard) {
        self.shrink_to(0, guard);
    }

    /// As [`shrink_to_fit`](Self::shrink_to_fit), with room for `min_capacity`
    /// entries at least.
    pub fn shrink_to(&self, min_capacity: usize, guard: &impl Guard) {
        self.raw.shrink_to(min_capacity, self.section(guard));
    }

    /// Puts many entries there; returns how many of the keys were absent.
    ///
    /// As many calls of [`insert`](Self::insert), after room was made for as many
    /// as the iterator says that it has.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([(1, "a")]);
    /// assert_eq!(map.insert_many([(1, "b"), (2, "c")], &map.guard()), 1);
    /// ```
    pub fn insert_many<I>(&self, entries: I, guard: &impl Guard) -> usize
    where
        I: IntoIterator<Item = (K, V)>,
    {
        let section = self.section(guard);
        let entries = entries.into_iter();
        // In a map that has entries, about half of what comes may be there.
        let (lower, _) = entries.size_hint();
        let room = if self.is_empty() {
            lower
        } else {
            lower.div_ceil(2)
        };
        if room > 0 {
            // A hint may be wrong: not having so much memory is no reason to fail.
            let _ = self.try_make_room(room, section);
        }
        entries
            .map(|(key, value)| usize::from(self.insert(key, value, section).is_none()))
            .sum()
    }
}
