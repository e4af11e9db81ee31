//! What a set is in the eyes of `std`.

use std::fmt;
use std::hash::{BuildHasher, Hash};

use crate::map::{DefaultHashBuilder, HashMap};
use crate::set::HashSet;
use crate::set::iter::IntoIter;

impl<K, S: Default> Default for HashSet<K, S> {
    fn default() -> Self {
        HashMap::default().into()
    }
}

impl<K, S> Clone for HashSet<K, S>
where
    K: Clone + Hash + Eq,
    S: BuildHasher + Clone,
{
    fn clone(&self) -> Self {
        self.map.clone().into()
    }
}

impl<K: fmt::Debug, S> fmt::Debug for HashSet<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter(&self.guard())).finish()
    }
}

impl<K, S> PartialEq for HashSet<K, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    fn eq(&self, other: &Self) -> bool {
        self.map == other.map
    }
}

impl<K, S> Eq for HashSet<K, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
}

impl<K, S> FromIterator<K> for HashSet<K, S>
where
    K: Hash + Eq,
    S: BuildHasher + Default,
{
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        HashMap::from_iter(keys.into_iter().map(|key| (key, ()))).into()
    }
}

impl<K, const N: usize> From<[K; N]> for HashSet<K, DefaultHashBuilder>
where
    K: Hash + Eq,
{
    fn from(keys: [K; N]) -> Self {
        Self::from_iter(keys)
    }
}

impl<K, S> Extend<K> for &HashSet<K, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    fn extend<I: IntoIterator<Item = K>>(&mut self, keys: I) {
        (&self.map).extend(keys.into_iter().map(|key| (key, ())));
    }
}

impl<'a, K, S> Extend<&'a K> for &HashSet<K, S>
where
    K: Copy + Hash + Eq + 'a,
    S: BuildHasher,
{
    fn extend<I: IntoIterator<Item = &'a K>>(&mut self, keys: I) {
        self.extend(keys.into_iter().copied());
    }
}

impl<K, S> Extend<K> for HashSet<K, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    fn extend<I: IntoIterator<Item = K>>(&mut self, keys: I) {
        (&*self).extend(keys);
    }
}

impl<'a, K, S> Extend<&'a K> for HashSet<K, S>
where
    K: Copy + Hash + Eq + 'a,
    S: BuildHasher,
{
    fn extend<I: IntoIterator<Item = &'a K>>(&mut self, keys: I) {
        (&*self).extend(keys);
    }
}

impl<K, S> IntoIterator for HashSet<K, S> {
    type Item = K;
    type IntoIter = IntoIter<K>;

    fn into_iter(self) -> IntoIter<K> {
        IntoIter(self.map.into_iter())
    }
}
