//! What a map is in the eyes of `std`.

use std::fmt;
use std::hash::{BuildHasher, Hash};

use crate::iter::IntoIter;
use crate::map::{DefaultHashBuilder, HashMap};

impl<K, V, S: Default> Default for HashMap<K, V, S> {
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

/// Copies entry by entry: not a picture of one instant if others change the map
/// meanwhile. The copy lives in the same domain; what is removed from it is dropped
/// as of a map that [`with_hasher`](HashMap::with_hasher) made.
impl<K, V, S> Clone for HashMap<K, V, S>
where
    K: Clone + Hash + Eq,
    V: Clone,
    S: BuildHasher + Clone,
{
    fn clone(&self) -> Self {
        let copy = Self {
            raw: crate::raw::RawMap::new(smr_core::Pool::scoped_in(self.domain())),
            hash_builder: self.hash_builder.clone(),
        };
        copy.make_room(self.len());
        {
            let guard = copy.guard();
            for (key, value) in self.iter(&guard) {
                copy.insert(key.clone(), value.clone(), &guard);
            }
        }
        copy
    }
}

impl<K: fmt::Debug, V: fmt::Debug, S> fmt::Debug for HashMap<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter(&self.guard())).finish()
    }
}

/// Compares entry by entry: exact if nobody changes either map meanwhile.
impl<K, V, S> PartialEq for HashMap<K, V, S>
where
    K: Hash + Eq,
    V: PartialEq,
    S: BuildHasher,
{
    fn eq(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.guard(), other.guard());
        self.len() == other.len()
            && self
                .iter(&ours)
                .all(|(key, value)| other.get(key, &theirs) == Some(value))
    }
}

impl<K, V, S> Eq for HashMap<K, V, S>
where
    K: Hash + Eq,
    V: Eq,
    S: BuildHasher,
{
}

impl<K, V, S> FromIterator<(K, V)> for HashMap<K, V, S>
where
    K: Hash + Eq,
    S: BuildHasher + Default,
{
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let map = Self::default();
        (&map).extend(entries);
        map
    }
}

impl<K, V, const N: usize> From<[(K, V); N]> for HashMap<K, V, DefaultHashBuilder>
where
    K: Hash + Eq,
{
    fn from(entries: [(K, V); N]) -> Self {
        Self::from_iter(entries)
    }
}

impl<K, V, S> Extend<(K, V)> for &HashMap<K, V, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        self.insert_many(entries, &self.guard());
    }
}

impl<'a, K, V, S> Extend<(&'a K, &'a V)> for &HashMap<K, V, S>
where
    K: Copy + Hash + Eq,
    V: Copy,
    S: BuildHasher,
{
    fn extend<I: IntoIterator<Item = (&'a K, &'a V)>>(&mut self, entries: I) {
        self.extend(entries.into_iter().map(|(key, value)| (*key, *value)));
    }
}

impl<K, V, S> Extend<(K, V)> for HashMap<K, V, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        (&*self).extend(entries);
    }
}

impl<'a, K, V, S> Extend<(&'a K, &'a V)> for HashMap<K, V, S>
where
    K: Copy + Hash + Eq,
    V: Copy,
    S: BuildHasher,
{
    fn extend<I: IntoIterator<Item = (&'a K, &'a V)>>(&mut self, entries: I) {
        (&*self).extend(entries);
    }
}

impl<K, V, S> IntoIterator for HashMap<K, V, S> {
    type Item = (K, V);
    type IntoIter = IntoIter<K, V>;

    /// All entries, by value. What is not taken is dropped with the iterator.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([(1, "a".to_owned())]);
    /// let entries: Vec<(i32, String)> = map.into_iter().collect();
    /// assert_eq!(entries, [(1, "a".to_owned())]);
    /// ```
    fn into_iter(self) -> IntoIter<K, V> {
        IntoIter(self.raw.into_iter())
    }
}
