//! [`HashSet`].

mod builder;
mod iter;
mod set_ref;
mod traits;

use std::hash::{BuildHasher, Hash};

use equivalent::Equivalent;
use smr_core::Domain;

use crate::error::TryReserveError;
use crate::guard::{Guard, LocalGuard, Own, OwnedGuard};
use crate::map::{DefaultHashBuilder, HashMap};

pub use builder::HashSetBuilder;
pub use iter::{Drain, IntoIter, Iter};
pub use set_ref::HashSetRef;

/// A concurrent hash set: a [`HashMap`] of keys alone.
///
/// ```
/// use smr_hashmap::HashSet;
///
/// let seen = HashSet::new();
/// assert!(seen.pin().insert("a"));
/// assert!(!seen.pin().insert("a"));
/// assert!(seen.pin().contains("a"));
/// ```
pub struct HashSet<K, S = DefaultHashBuilder> {
    pub(crate) map: HashMap<K, (), S>,
}

impl<K> HashSet<K> {
    /// An empty set. It owns no heap.
    #[must_use]
    pub fn new() -> Self {
        HashMap::new().into()
    }

    /// An empty set with room for `capacity` keys.
    ///
    /// # Panics
    ///
    /// If there is no memory for so many.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        HashMap::with_capacity(capacity).into()
    }

    /// A builder: hasher, capacity, domain.
    pub fn builder() -> HashSetBuilder<K> {
        HashSetBuilder::new()
    }
}

impl<K, S> HashSet<K, S> {
    /// An empty set that hashes keys with what `hash_builder` builds.
    #[must_use]
    pub const fn with_hasher(hash_builder: S) -> Self {
        Self {
            map: HashMap::with_hasher(hash_builder),
        }
    }

    /// The same, with room for `capacity` keys.
    ///
    /// # Panics
    ///
    /// If there is no memory for so many.
    #[must_use]
    pub fn with_capacity_and_hasher(capacity: usize, hash_builder: S) -> Self {
        HashMap::with_capacity_and_hasher(capacity, hash_builder).into()
    }

    /// The set with a guard of its own; as [`HashMap::pin`].
    #[inline]
    pub fn pin(&self) -> HashSetRef<'_, K, S, LocalGuard<'_>> {
        HashSetRef {
            guard: Own(self.guard()),
            set: self,
        }
    }

    /// As [`HashMap::pin_owned`].
    #[inline]
    pub fn pin_owned(&self) -> HashSetRef<'_, K, S, OwnedGuard<'_>>
    where
        K: Send,
    {
        HashSetRef {
            guard: Own(self.owned_guard()),
            set: self,
        }
    }

    /// As [`HashMap::guard`].
    #[inline]
    pub fn guard(&self) -> LocalGuard<'_> {
        self.map.guard()
    }

    /// As [`HashMap::owned_guard`].
    #[inline]
    pub fn owned_guard(&self) -> OwnedGuard<'_>
    where
        K: Send,
    {
        self.map.owned_guard()
    }

    /// As [`HashMap::domain`].
    #[must_use]
    pub fn domain(&self) -> &Domain {
        self.map.domain()
    }

    /// As [`HashMap::hasher`].
    #[must_use]
    pub fn hasher(&self) -> &S {
        self.map.hasher()
    }

    /// The number of keys; as [`HashMap::len`].
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

    /// As [`HashMap::capacity`].
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.map.capacity()
    }

    /// As [`HashMap::memory_usage`].
    #[must_use]
    pub fn memory_usage(&self) -> usize {
        self.map.memory_usage()
    }

    /// As [`HashMap::flush`].
    ///
    /// # Panics
    ///
    /// As there.
    pub fn flush(&self) {
        self.map.flush();
    }

    /// As [`HashMap::barrier`].
    ///
    /// # Panics
    ///
    /// As there.
    pub fn barrier(&self) {
        self.map.barrier();
    }

    /// As [`HashMap::try_barrier`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_barrier(&self, timeout: std::time::Duration) -> Result<(), smr_core::WaitError> {
        self.map.try_barrier(timeout)
    }

    /// All keys, in no particular order; as [`HashMap::iter`].
    #[inline]
    pub fn iter<'g, G: Guard>(&'g self, guard: &'g G) -> Iter<'g, K, G> {
        Iter(self.map.keys(guard))
    }

    /// Empties the set, and yields what was in it.
    pub fn drain(&mut self) -> Drain<'_, K> {
        Drain(self.map.drain())
    }
}

impl<K, S> HashSet<K, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    /// Whether the key is there; as [`HashMap::contains_key`].
    ///
    /// ```
    /// let set = smr_hashmap::HashSet::from(["a".to_owned()]);
    /// assert!(set.contains("a", &set.guard()));
    /// ```
    #[inline]
    pub fn contains<Q>(&self, key: &Q, guard: &impl Guard) -> bool
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.map.contains_key(key, guard)
    }

    /// The key in the set that is equal to this one.
    #[inline]
    pub fn get<'g, Q>(&'g self, key: &Q, guard: &'g impl Guard) -> Option<&'g K>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.map.get_key_value(key, guard).map(|(key, ())| key)
    }

    /// Puts a key there, and tells whether it was absent. A key that is equal is
    /// replaced.
    ///
    /// ```
    /// let set = smr_hashmap::HashSet::new();
    /// let guard = set.guard();
    /// assert!(set.insert(1, &guard));
    /// assert!(!set.insert(1, &guard));
    /// ```
    #[inline]
    pub fn insert(&self, key: K, guard: &impl Guard) -> bool {
        self.map.insert(key, (), guard).is_none()
    }

    /// The key in the set that is equal to this one, which is put there if there
    /// is none: for keys that are to exist once.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// let names = smr_hashmap::HashSet::<Arc<str>>::new();
    /// let guard = names.guard();
    /// let first = names.get_or_insert("a".into(), &guard);
    /// let second = names.get_or_insert("a".into(), &guard);
    /// assert!(Arc::ptr_eq(first, second));
    /// ```
    #[inline]
    pub fn get_or_insert<'g>(&'g self, key: K, guard: &'g impl Guard) -> &'g K {
        let section = self.map.section(guard);
        let computed = self
            .map
            .compute_in(key, section, |current, _| match current {
                Some(entry) => crate::raw::Action::Abort(entry),
                None => crate::raw::Action::Put(()),
            });
        match computed {
            crate::raw::Computed::Aborted(entry) => &entry.key,
            other => &other.present().key,
        }
    }

    /// Removes a key, and tells whether it was there.
    ///
    /// ```
    /// let set = smr_hashmap::HashSet::from([1]);
    /// let guard = set.guard();
    /// assert!(set.remove(&1, &guard));
    /// assert!(!set.remove(&1, &guard));
    /// ```
    #[inline]
    pub fn remove<Q>(&self, key: &Q, guard: &impl Guard) -> bool
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.map.remove(key, guard).is_some()
    }

    /// Removes a key and returns it.
    #[inline]
    pub fn take<'g, Q>(&'g self, key: &Q, guard: &'g impl Guard) -> Option<&'g K>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.map.remove_entry(key, guard).map(|(key, ())| key)
    }

    /// As [`HashMap::clear`].
    pub fn clear(&self, guard: &impl Guard) {
        self.map.clear(guard);
    }

    /// As [`HashMap::retain`].
    pub fn retain<F>(&self, mut f: F, guard: &impl Guard)
    where
        F: FnMut(&K) -> bool,
    {
        self.map.retain(|key, ()| f(key), guard);
    }

    /// As [`HashMap::reserve`].
    ///
    /// # Panics
    ///
    /// As there.
    pub fn reserve(&self, additional: usize, guard: &impl Guard) {
        self.map.reserve(additional, guard);
    }

    /// As [`HashMap::try_reserve`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_reserve(
        &self,
        additional: usize,
        guard: &impl Guard,
    ) -> Result<(), TryReserveError> {
        self.map.try_reserve(additional, guard)
    }

    /// Puts many keys there; returns how many were absent. As
    /// [`HashMap::insert_many`].
    ///
    /// ```
    /// let set = smr_hashmap::HashSet::from([1]);
    /// assert_eq!(set.insert_many([1, 2], &set.guard()), 1);
    /// ```
    pub fn insert_many<I>(&self, keys: I, guard: &impl Guard) -> usize
    where
        I: IntoIterator<Item = K>,
    {
        let keys = keys.into_iter().map(|key| (key, ()));
        self.map.insert_many(keys, guard)
    }

    /// As [`HashMap::shrink_to_fit`].
    pub fn shrink_to_fit(&self, guard: &impl Guard) {
        self.map.shrink_to_fit(guard);
    }

    /// As [`HashMap::shrink_to`].
    pub fn shrink_to(&self, min_capacity: usize, guard: &impl Guard) {
        self.map.shrink_to(min_capacity, guard);
    }
}

impl<K, S> From<HashMap<K, (), S>> for HashSet<K, S> {
    fn from(map: HashMap<K, (), S>) -> Self {
        Self { map }
    }
}
