//! [`HashMapRef`]: a map with a guard of its own.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::ops::Index;

use equivalent::Equivalent;

use crate::batch::GetMany;
use crate::entry::Entry;
use crate::error::{Compute, OccupiedError, Operation, TryReserveError};
use crate::guard::{Guard, Own};
use crate::iter::{Iter, Keys, Values};
use crate::map::HashMap;

/// A map with a guard of its own: [`HashMap::pin`] and [`HashMap::pin_owned`]
/// return one.
///
/// Its methods are those of the map, without the guard. References that they
/// return live as long as the pinned reference is borrowed.
///
/// ```
/// let map = smr_hashmap::HashMap::new();
/// let pinned = map.pin();
/// pinned.insert("a", 1);
/// let one = pinned.get("a");
/// pinned.remove("a");
/// assert_eq!(one, Some(&1));
/// ```
///
/// A reference does not outlive it:
///
/// ```compile_fail,E0716
/// let map = smr_hashmap::HashMap::from([("a", 1)]);
/// let one = map.pin().get("a");
/// assert_eq!(one, Some(&1));
/// ```
///
/// ```
/// let map = smr_hashmap::HashMap::from([("a", 1)]);
/// let pinned = map.pin();
/// let one = pinned.get("a");
/// assert_eq!(one, Some(&1));
/// ```
///
/// Nor does it outlive the map:
///
/// ```compile_fail,E0505
/// let map = smr_hashmap::HashMap::from([("a", 1)]);
/// let pinned = map.pin();
/// drop(map);
/// pinned.get("a");
/// ```
///
/// ```
/// let map = smr_hashmap::HashMap::from([("a", 1)]);
/// let pinned = map.pin();
/// pinned.get("a");
/// drop(pinned);
/// drop(map);
/// ```
#[must_use = "the section ends when the pinned reference is dropped"]
pub struct HashMapRef<'map, K, V, S, G> {
    pub(crate) guard: Own<G>,
    pub(crate) map: &'map HashMap<K, V, S>,
}

impl<'map, K, V, S, G: Guard> HashMapRef<'map, K, V, S, G> {
    /// The map.
    #[must_use]
    #[inline]
    pub fn map(&self) -> &'map HashMap<K, V, S> {
        self.map
    }

    /// The guard, for methods of the map that have no twin here, and for other
    /// maps of the domain.
    #[must_use]
    #[inline]
    pub fn guard(&self) -> &G {
        &self.guard.0
    }

    /// Moves the section to the present: what was removed before may be dropped.
    /// The exclusive borrow ends every reference that it protected.
    #[inline]
    pub fn refresh(&mut self) {
        self.guard.refresh();
    }

    /// As [`HashMap::len`].
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// As [`HashMap::is_empty`].
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// As [`HashMap::iter`].
    #[inline]
    pub fn iter(&self) -> Iter<'_, K, V, G> {
        Iter::new(self.map.raw.iter(self.map.section(&self.guard)))
    }

    /// As [`HashMap::keys`].
    #[inline]
    pub fn keys(&self) -> Keys<'_, K, V, G> {
        Keys(self.iter())
    }

    /// As [`HashMap::values`].
    #[inline]
    pub fn values(&self) -> Values<'_, K, V, G> {
        Values(self.iter())
    }
}

impl<K, V, S, G> HashMapRef<'_, K, V, S, G>
where
    K: Hash + Eq,
    S: BuildHasher,
    G: Guard,
{
    /// As [`HashMap::contains_key`].
    #[inline(always)]
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.map.contains_key(key, &self.guard)
    }

    /// As [`HashMap::get`].
    #[inline(always)]
    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.map.get(key, &self.guard)
    }

    /// As [`HashMap::get_key_value`].
    #[inline]
    pub fn get_key_value<Q>(&self, key: &Q) -> Option<(&K, &V)>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.map.get_key_value(key, &self.guard)
    }

    /// As [`HashMap::get_many`].
    #[inline]
    pub fn get_many<'g, 'q, Q, I>(&'g self, keys: I) -> GetMany<'g, 'q, K, V, S, Q, I::IntoIter>
    where
        Q: Equivalent<K> + Hash + ?Sized + 'q,
        I: IntoIterator<Item = &'q Q>,
    {
        self.map.get_many(keys, &self.guard)
    }

    /// As [`HashMap::insert`].
    #[inline]
    pub fn insert(&self, key: K, value: V) -> Option<&V> {
        self.map.insert(key, value, &self.guard)
    }

    /// As [`HashMap::try_insert`].
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn try_insert(&self, key: K, value: V) -> Result<&V, OccupiedError<'_, V>> {
        self.map.try_insert(key, value, &self.guard)
    }

    /// As [`HashMap::try_insert_with`].
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn try_insert_with<F>(&self, key: K, f: F) -> Result<&V, &V>
    where
        F: FnOnce() -> V,
    {
        self.map.try_insert_with(key, f, &self.guard)
    }

    /// As [`HashMap::get_or_insert`].
    #[inline]
    pub fn get_or_insert(&self, key: K, value: V) -> &V {
        self.map.get_or_insert(key, value, &self.guard)
    }

    /// As [`HashMap::get_or_insert_with`].
    #[inline]
    pub fn get_or_insert_with<F>(&self, key: K, f: F) -> &V
    where
        F: FnOnce() -> V,
    {
        self.map.get_or_insert_with(key, f, &self.guard)
    }

    /// As [`HashMap::update`].
    #[inline]
    pub fn update<F>(&self, key: K, update: F) -> Option<&V>
    where
        F: FnMut(&V) -> V,
    {
        self.map.update(key, update, &self.guard)
    }

    /// As [`HashMap::update_or_insert`].
    #[inline]
    pub fn update_or_insert<F>(&self, key: K, update: F, value: V) -> &V
    where
        F: FnMut(&V) -> V,
    {
        self.map.update_or_insert(key, update, value, &self.guard)
    }

    /// As [`HashMap::update_or_insert_with`].
    #[inline]
    pub fn update_or_insert_with<U, F>(&self, key: K, update: U, f: F) -> &V
    where
        U: FnMut(&V) -> V,
        F: FnOnce() -> V,
    {
        self.map.update_or_insert_with(key, update, f, &self.guard)
    }

    /// As [`HashMap::compute`].
    #[inline]
    pub fn compute<'g, F, T>(&'g self, key: K, compute: F) -> Compute<'g, K, V, T>
    where
        F: FnMut(Option<(&'g K, &'g V)>) -> Operation<V, T>,
    {
        self.map.compute(key, compute, &self.guard)
    }

    /// As [`HashMap::entry`].
    #[inline]
    pub fn entry(&self, key: K) -> Entry<'_, K, V, S> {
        self.map.entry(key, &self.guard)
    }

    /// As [`HashMap::remove`].
    #[inline]
    pub fn remove<Q>(&self, key: &Q) -> Option<&V>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.map.remove(key, &self.guard)
    }

    /// As [`HashMap::remove_entry`].
    #[inline]
    pub fn remove_entry<Q>(&self, key: &Q) -> Option<(&K, &V)>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.map.remove_entry(key, &self.guard)
    }

    /// As [`HashMap::remove_if`].
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn remove_if<Q, F>(&self, key: &Q, should_remove: F) -> Result<Option<(&K, &V)>, (&K, &V)>
    where
        Q: Equivalent<K> + Hash + ?Sized,
        F: FnMut(&K, &V) -> bool,
    {
        self.map.remove_if(key, should_remove, &self.guard)
    }

    /// As [`HashMap::clear`].
    #[inline]
    pub fn clear(&self) {
        self.map.clear(&self.guard)
    }

    /// As [`HashMap::retain`].
    #[inline]
    pub fn retain<F>(&self, f: F)
    where
        F: FnMut(&K, &V) -> bool,
    {
        self.map.retain(f, &self.guard)
    }

    /// As [`HashMap::reserve`].
    #[inline]
    pub fn reserve(&self, additional: usize) {
        self.map.reserve(additional, &self.guard)
    }

    /// As [`HashMap::try_reserve`].
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn try_reserve(&self, additional: usize) -> Result<(), TryReserveError> {
        self.map.try_reserve(additional, &self.guard)
    }

    /// As [`HashMap::shrink_to_fit`].
    #[inline]
    pub fn shrink_to_fit(&self) {
        self.map.shrink_to_fit(&self.guard)
    }

    /// As [`HashMap::shrink_to`].
    #[inline]
    pub fn shrink_to(&self, min_capacity: usize) {
        self.map.shrink_to(min_capacity, &self.guard)
    }

    /// As [`HashMap::insert_many`].
    #[inline]
    pub fn insert_many<I>(&self, entries: I) -> usize
    where
        I: IntoIterator<Item = (K, V)>,
    {
        self.map.insert_many(entries, &self.guard)
    }
}

/// The value of a key that is there.
///
/// # Panics
///
/// If it is not.
impl<Q, K, V, S, G> Index<&Q> for HashMapRef<'_, K, V, S, G>
where
    K: Hash + Eq,
    S: BuildHasher,
    G: Guard,
    Q: Equivalent<K> + Hash + ?Sized,
{
    type Output = V;

    #[inline]
    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("no entry found for key")
    }
}

impl<'g, K, V, S, G: Guard> IntoIterator for &'g HashMapRef<'_, K, V, S, G> {
    type Item = (&'g K, &'g V);
    type IntoIter = Iter<'g, K, V, G>;

    fn into_iter(self) -> Iter<'g, K, V, G> {
        self.iter()
    }
}

impl<K: fmt::Debug, V: fmt::Debug, S, G: Guard> fmt::Debug for HashMapRef<'_, K, V, S, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
