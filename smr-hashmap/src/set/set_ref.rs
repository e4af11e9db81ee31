//! [`HashSetRef`]: a set with a guard of its own.

use std::fmt;
use std::hash::{BuildHasher, Hash};

use equivalent::Equivalent;

use crate::guard::{Guard, Own};
use crate::set::HashSet;
use crate::set::iter::Iter;

/// A set with a guard of its own: [`HashSet::pin`] and [`HashSet::pin_owned`]
/// return one. Its methods are those of the set, without the guard.
///
/// ```
/// let set = smr_hashmap::HashSet::new();
/// let pinned = set.pin();
/// pinned.insert("a");
/// assert_eq!(pinned.get("a"), Some(&"a"));
/// ```
#[must_use = "the section ends when the pinned reference is dropped"]
pub struct HashSetRef<'set, K, S, G> {
    pub(crate) guard: Own<G>,
    pub(crate) set: &'set HashSet<K, S>,
}

impl<'set, K, S, G: Guard> HashSetRef<'set, K, S, G> {
    /// The set.
    #[must_use]
    #[inline]
    pub fn set(&self) -> &'set HashSet<K, S> {
        self.set
    }

    /// The guard.
    #[must_use]
    #[inline]
    pub fn guard(&self) -> &G {
        &self.guard.0
    }

    /// Moves the section to the present; as
    /// [`HashMapRef::refresh`](crate::HashMapRef::refresh).
    #[inline]
    pub fn refresh(&mut self) {
        self.guard.refresh();
    }

    /// As [`HashSet::len`].
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.set.len()
    }

    /// As [`HashSet::is_empty`].
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// As [`HashSet::iter`].
    #[inline]
    pub fn iter(&self) -> Iter<'_, K, G> {
        let map = &self.set.map;
        let entries = crate::Iter::new(map.raw.iter(map.section(&self.guard)));
        Iter(crate::Keys(entries))
    }
}

impl<K, S, G> HashSetRef<'_, K, S, G>
where
    K: Hash + Eq,
    S: BuildHasher,
    G: Guard,
{
    /// As [`HashSet::contains`].
    #[inline]
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.set.contains(key, &self.guard)
    }

    /// As [`HashSet::get`].
    #[inline]
    pub fn get<Q>(&self, key: &Q) -> Option<&K>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.set.get(key, &self.guard)
    }

    /// As [`HashSet::insert`].
    #[inline]
    pub fn insert(&self, key: K) -> bool {
        self.set.insert(key, &self.guard)
    }

    /// As [`HashSet::get_or_insert`].
    #[inline]
    pub fn get_or_insert(&self, key: K) -> &K {
        self.set.get_or_insert(key, &self.guard)
    }

    /// As [`HashSet::remove`].
    #[inline]
    pub fn remove<Q>(&self, key: &Q) -> bool
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.set.remove(key, &self.guard)
    }

    /// As [`HashSet::take`].
    #[inline]
    pub fn take<Q>(&self, key: &Q) -> Option<&K>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.set.take(key, &self.guard)
    }

    /// As [`HashSet::clear`].
    #[inline]
    pub fn clear(&self) {
        self.set.clear(&self.guard);
    }

    /// As [`HashSet::retain`].
    #[inline]
    pub fn retain<F>(&self, f: F)
    where
        F: FnMut(&K) -> bool,
    {
        self.set.retain(f, &self.guard);
    }

    /// As [`HashSet::reserve`].
    #[inline]
    pub fn reserve(&self, additional: usize) {
        self.set.reserve(additional, &self.guard);
    }

    /// As [`HashSet::try_reserve`].
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn try_reserve(&self, additional: usize) -> Result<(), crate::TryReserveError> {
        self.set.try_reserve(additional, &self.guard)
    }

    /// As [`HashSet::shrink_to_fit`].
    #[inline]
    pub fn shrink_to_fit(&self) {
        self.set.shrink_to_fit(&self.guard);
    }

    /// As [`HashSet::shrink_to`].
    #[inline]
    pub fn shrink_to(&self, min_capacity: usize) {
        self.set.shrink_to(min_capacity, &self.guard);
    }

    /// As [`HashSet::insert_many`].
    #[inline]
    pub fn insert_many<I>(&self, keys: I) -> usize
    where
        I: IntoIterator<Item = K>,
    {
        self.set.insert_many(keys, &self.guard)
    }
}

impl<'g, K, S, G: Guard> IntoIterator for &'g HashSetRef<'_, K, S, G> {
    type Item = &'g K;
    type IntoIter = Iter<'g, K, G>;

    fn into_iter(self) -> Iter<'g, K, G> {
        self.iter()
    }
}

impl<K: fmt::Debug, S, G: Guard> fmt::Debug for HashSetRef<'_, K, S, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
