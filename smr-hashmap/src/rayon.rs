//! Maps and sets as `rayon` sees them. (Feature `rayon`.)
//!
//! The references of an iteration in parallel go to other threads; the guard stays
//! on its own, and keeps the section open until they are done.

use std::fmt;
use std::hash::{BuildHasher, Hash};

use rayon::iter::plumbing::{Folder, UnindexedConsumer, UnindexedProducer, bridge_unindexed};
use rayon::iter::{FromParallelIterator, IntoParallelIterator, ParallelExtend, ParallelIterator};

use crate::guard::Guard;
use crate::map::HashMap;
use crate::map_ref::HashMapRef;
use crate::raw::{self, RawIter};
use crate::set::{HashSet, HashSetRef};

/// An iterator in parallel over the entries of a map;
/// [`HashMap::par_iter`] returns it.
///
/// The table is split by buckets. What is seen is as with [`Iter`](crate::Iter).
pub struct ParIter<'g, K, V>(RawIter<'g, K, V>);

impl<'g, K: Sync, V: Sync> ParallelIterator for ParIter<'g, K, V> {
    type Item = (&'g K, &'g V);

    fn drive_unindexed<C: UnindexedConsumer<Self::Item>>(self, consumer: C) -> C::Result {
        bridge_unindexed(Part(self.0), consumer)
    }
}

/// Some of the buckets.
struct Part<'g, K, V>(RawIter<'g, K, V>);

impl<'g, K: Sync, V: Sync> UnindexedProducer for Part<'g, K, V> {
    type Item = (&'g K, &'g V);

    fn split(self) -> (Self, Option<Self>) {
        let (one, other) = self.0.split();
        (Self(one), other.map(Self))
    }

    fn fold_with<F: Folder<Self::Item>>(self, folder: F) -> F {
        folder.consume_iter(self.0.map(raw::Entry::pair))
    }
}

impl<K, V> fmt::Debug for ParIter<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParIter").finish_non_exhaustive()
    }
}

impl<K: Sync, V: Sync, S> HashMap<K, V, S> {
    /// All entries, in parallel; as [`iter`](Self::iter).
    ///
    /// ```
    /// use rayon::prelude::*;
    ///
    /// let map: smr_hashmap::HashMap<u64, u64> = (0..1000).map(|n| (n, n)).collect();
    /// let guard = map.guard();
    /// let sum: u64 = map.par_iter(&guard).map(|(key, value)| key + value).sum();
    /// assert_eq!(sum, 999_000);
    /// ```
    pub fn par_iter<'g>(&'g self, guard: &'g impl Guard) -> ParIter<'g, K, V> {
        ParIter(self.raw.iter(self.section(guard)))
    }
}

impl<'g, K: Sync, V: Sync, S, G: Guard> IntoParallelIterator for &'g HashMapRef<'_, K, V, S, G> {
    type Item = (&'g K, &'g V);
    type Iter = ParIter<'g, K, V>;

    fn into_par_iter(self) -> ParIter<'g, K, V> {
        ParIter(self.map.raw.iter(self.map.section(&self.guard)))
    }
}

/// An iterator in parallel over the keys of a set; [`HashSet::par_iter`] returns it.
///
/// As [`ParIter`].
pub struct SetParIter<'g, K>(ParIter<'g, K, ()>);

impl<'g, K: Sync> ParallelIterator for SetParIter<'g, K> {
    type Item = &'g K;

    fn drive_unindexed<C: UnindexedConsumer<Self::Item>>(self, consumer: C) -> C::Result {
        self.0.map(|(key, ())| key).drive_unindexed(consumer)
    }
}

impl<K> fmt::Debug for SetParIter<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetParIter").finish_non_exhaustive()
    }
}

impl<K: Sync, S> HashSet<K, S> {
    /// All keys, in parallel; as [`iter`](Self::iter).
    ///
    /// ```
    /// use rayon::prelude::*;
    ///
    /// let set: smr_hashmap::HashSet<u64> = (0..1000).collect();
    /// let guard = set.guard();
    /// assert_eq!(set.par_iter(&guard).sum::<u64>(), 499_500);
    /// ```
    pub fn par_iter<'g>(&'g self, guard: &'g impl Guard) -> SetParIter<'g, K> {
        SetParIter(self.map.par_iter(guard))
    }
}

impl<'g, K: Sync, S, G: Guard> IntoParallelIterator for &'g HashSetRef<'_, K, S, G> {
    type Item = &'g K;
    type Iter = SetParIter<'g, K>;

    fn into_par_iter(self) -> SetParIter<'g, K> {
        self.set.par_iter(&self.guard)
    }
}

impl<K: Send, V: Send, S> IntoParallelIterator for HashMap<K, V, S> {
    type Item = (K, V);
    type Iter = rayon::vec::IntoIter<(K, V)>;

    fn into_par_iter(self) -> Self::Iter {
        self.into_iter().collect::<Vec<_>>().into_par_iter()
    }
}

impl<K: Send, S> IntoParallelIterator for HashSet<K, S> {
    type Item = K;
    type Iter = rayon::vec::IntoIter<K>;

    fn into_par_iter(self) -> Self::Iter {
        self.into_iter().collect::<Vec<_>>().into_par_iter()
    }
}

/// All threads insert at once.
impl<K, V, S> ParallelExtend<(K, V)> for &HashMap<K, V, S>
where
    K: Hash + Eq + Send + Sync,
    V: Send + Sync,
    S: BuildHasher + Sync,
{
    fn par_extend<I: IntoParallelIterator<Item = (K, V)>>(&mut self, entries: I) {
        let entries = entries.into_par_iter();
        if let Some(count) = entries.opt_len() {
            // A hint, as for `insert_many`.
            let _ = self.try_make_room(count, &self.guard());
        }
        entries.for_each_init(
            || self.pin(),
            |map, (key, value)| {
                map.insert(key, value);
            },
        );
    }
}

/// As for a shared map.
impl<K, V, S> ParallelExtend<(K, V)> for HashMap<K, V, S>
where
    K: Hash + Eq + Send + Sync,
    V: Send + Sync,
    S: BuildHasher + Sync,
{
    fn par_extend<I: IntoParallelIterator<Item = (K, V)>>(&mut self, entries: I) {
        (&*self).par_extend(entries);
    }
}

/// All threads insert at once.
impl<K, S> ParallelExtend<K> for &HashSet<K, S>
where
    K: Hash + Eq + Send + Sync,
    S: BuildHasher + Sync,
{
    fn par_extend<I: IntoParallelIterator<Item = K>>(&mut self, keys: I) {
        (&self.map).par_extend(keys.into_par_iter().map(|key| (key, ())));
    }
}

/// As for a shared set.
impl<K, S> ParallelExtend<K> for HashSet<K, S>
where
    K: Hash + Eq + Send + Sync,
    S: BuildHasher + Sync,
{
    fn par_extend<I: IntoParallelIterator<Item = K>>(&mut self, keys: I) {
        (&*self).par_extend(keys);
    }
}

impl<K, V, S> FromParallelIterator<(K, V)> for HashMap<K, V, S>
where
    K: Hash + Eq + Send + Sync,
    V: Send + Sync,
    S: BuildHasher + Default + Sync,
{
    fn from_par_iter<I: IntoParallelIterator<Item = (K, V)>>(entries: I) -> Self {
        let map = Self::default();
        (&map).par_extend(entries);
        map
    }
}

impl<K, S> FromParallelIterator<K> for HashSet<K, S>
where
    K: Hash + Eq + Send + Sync,
    S: BuildHasher + Default + Sync,
{
    fn from_par_iter<I: IntoParallelIterator<Item = K>>(keys: I) -> Self {
        let set = Self::default();
        (&set).par_extend(keys);
        set
    }
}
