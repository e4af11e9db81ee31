//! [`HashMap`]: what it is made of, and how it is entered.

mod cloned;
mod read;
mod traits;
mod whole;
mod write;

use std::hash::{BuildHasher, Hash};

use smr_core::Domain;

use crate::builder::HashMapBuilder;
use crate::error::TryReserveError;
use crate::guard::{Guard, LocalGuard, Own, OwnedGuard};
use crate::map_ref::HashMapRef;
use crate::raw::RawMap;

pub(crate) use write::once;

/// The hasher of maps that are not given another: that of `hashbrown`.
///
/// Fast, and seeded afresh for each map. It resists flooding by those who cannot
/// watch the timing; where that is not enough, take [`std::hash::RandomState`].
pub type DefaultHashBuilder = foldhash::fast::RandomState;

/// A concurrent hash map.
///
/// Readers never wait and never write to memory that others write. Writers are
/// lock-free. Everything works through a shared reference, and what it returns
/// are references into the map, which a [guard](Guard) keeps alive: they stay
/// valid, and show the same value, when the key is replaced or removed or the
/// table grows.
///
/// See [the crate](crate) for what is promised, and
/// [the chapter on moving from `RwLock<HashMap>`](crate::docs::rwlock).
///
/// ```
/// use smr_hashmap::HashMap;
///
/// let map = HashMap::new();
/// map.pin().insert("a", 1);
///
/// // One guard for many calls:
/// let map = map.pin();
/// let first = map.get("a");
/// map.insert("a", 2);
/// assert_eq!((first, map.get("a")), (Some(&1), Some(&2)));
/// ```
///
/// References end before the guard does, and before the map:
///
/// ```compile_fail,E0505
/// let map = smr_hashmap::HashMap::from([(1, 2)]);
/// let guard = map.guard();
/// let two = map.get(&1, &guard).unwrap();
/// drop(guard);
/// assert_eq!(*two, 2);
/// ```
///
/// ```compile_fail,E0505
/// let map = smr_hashmap::HashMap::from([(1, 2)]);
/// let guard = smr_core::pin();
/// let two = map.get(&1, &guard).unwrap();
/// drop(map);
/// assert_eq!(*two, 2);
/// ```
///
/// ```
/// let map = smr_hashmap::HashMap::from([(1, 2)]);
/// let guard = smr_core::pin();
/// let two = map.get(&1, &guard).unwrap();
/// assert_eq!(*two, 2);
/// drop(guard);
/// drop(map);
/// ```
///
/// A map of values that may not be shared is not shared:
///
/// ```compile_fail,E0277
/// # use std::{cell::Cell, thread};
/// let map = smr_hashmap::HashMap::from([(1, Cell::new(2))]);
/// thread::scope(|scope| {
///     scope.spawn(|| map.len());
/// });
/// ```
///
/// ```compile_fail,E0277
/// # use std::{rc::Rc, thread};
/// let map = smr_hashmap::HashMap::from([(1, Rc::new(2))]);
/// thread::spawn(move || map.len());
/// ```
///
/// ```
/// # use std::{cell::Cell, rc::Rc, sync::Mutex, thread};
/// let map = smr_hashmap::HashMap::from([(1, Mutex::new(Cell::new(2)))]);
/// thread::scope(|scope| {
///     scope.spawn(|| map.len());
/// });
/// let map = smr_hashmap::HashMap::from([(1, Cell::new(2))]);
/// thread::spawn(move || map.len()).join().unwrap();
/// let here = smr_hashmap::HashMap::from([(1, Rc::new(2))]);
/// assert_eq!(**here.pin().get(&1).unwrap(), 2);
/// ```
pub struct HashMap<K, V, S = DefaultHashBuilder> {
    pub(crate) raw: RawMap<K, V>,
    pub(crate) hash_builder: S,
}

impl<K, V> HashMap<K, V> {
    /// An empty map. It owns no heap.
    ///
    /// ```
    /// let map: smr_hashmap::HashMap<String, u64> = smr_hashmap::HashMap::new();
    /// assert!(map.is_empty());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::with_hasher(DefaultHashBuilder::default())
    }

    /// An empty map with room for `capacity` entries.
    ///
    /// # Panics
    ///
    /// If there is no memory for so many.
    ///
    /// ```
    /// let map: smr_hashmap::HashMap<String, u64> = smr_hashmap::HashMap::with_capacity(100);
    /// assert!(map.capacity() >= 100);
    /// ```
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self::with_capacity_and_hasher(capacity, DefaultHashBuilder::default())
    }

    /// A builder: hasher, capacity, domain.
    pub fn builder() -> HashMapBuilder<K, V> {
        HashMapBuilder::new()
    }
}

impl<K, V, S> HashMap<K, V, S> {
    /// An empty map that hashes keys with what `hash_builder` builds.
    ///
    /// A constant function: a map can be a `static` where its hasher can.
    ///
    /// ```
    /// use smr_hashmap::HashMap;
    /// use std::hash::{BuildHasherDefault, DefaultHasher};
    ///
    /// static WORDS: HashMap<String, u64, BuildHasherDefault<DefaultHasher>> =
    ///     HashMap::with_hasher(BuildHasherDefault::new());
    /// WORDS.pin().insert("word".to_owned(), 1);
    /// assert_eq!(WORDS.len(), 1);
    /// ```
    #[must_use]
    pub const fn with_hasher(hash_builder: S) -> Self {
        Self {
            raw: RawMap::new(smr_core::Pool::scoped()),
            hash_builder,
        }
    }

    /// An empty map with room for `capacity` entries, that hashes keys with what
    /// `hash_builder` builds.
    ///
    /// # Panics
    ///
    /// If there is no memory for so many.
    #[must_use]
    pub fn with_capacity_and_hasher(capacity: usize, hash_builder: S) -> Self {
        let map = Self::with_hasher(hash_builder);
        map.make_room(capacity);
        map
    }

    // -- guards --------------------------------------------------------------

    /// The map with a guard of its own: methods need no guard, and references live
    /// as long as it does.
    ///
    /// Wait-free. Its end may drop values: see
    /// [the crate](crate#when-values-are-dropped).
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::new();
    /// map.pin().insert(1, "a");
    /// assert_eq!(map.pin().get(&1), Some(&"a"));
    /// ```
    #[inline]
    pub fn pin(&self) -> HashMapRef<'_, K, V, S, LocalGuard<'_>> {
        HashMapRef {
            guard: Own(self.guard()),
            map: self,
        }
    }

    /// As [`pin`](Self::pin), bound to no thread: it may be held across `.await`. What its
    /// `get_many` and `entry` return may not: they work in one thread's section.
    ///
    /// ```compile_fail,E0277
    /// let map = smr_hashmap::HashMap::from([(1, "a")]);
    /// let pinned = map.pin_owned();
    /// let found = pinned.get_many(&[1]);
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| assert!(found.eq([Some(&"a")])));
    /// });
    /// ```
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([(1, "a")]);
    /// let pinned = map.pin_owned();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| assert_eq!(pinned.get(&1), Some(&"a")));
    /// });
    /// ```
    #[inline]
    pub fn pin_owned(&self) -> HashMapRef<'_, K, V, S, OwnedGuard<'_>>
    where
        K: Send,
        V: Send,
    {
        HashMapRef {
            guard: Own(self.owned_guard()),
            map: self,
        }
    }

    /// A guard for methods that ask for one.
    ///
    /// Wait-free. Guards nest.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([(1, "a")]);
    /// let guard = map.guard();
    /// assert_eq!(map.get(&1, &guard), Some(&"a"));
    /// ```
    ///
    /// It stays on its thread:
    ///
    /// ```compile_fail,E0277
    /// let map = smr_hashmap::HashMap::from([(1, "a")]);
    /// let guard = map.guard();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| map.get(&1, &guard));
    /// });
    /// ```
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([(1, "a")]);
    /// let guard = map.owned_guard();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| map.get(&1, &guard));
    /// });
    /// ```
    #[inline]
    pub fn guard(&self) -> LocalGuard<'_> {
        LocalGuard(self.raw.pool().pin())
    }

    /// A guard that is bound to no thread.
    ///
    /// Its end drops what waited for it, on whatever thread that is:
    ///
    /// ```compile_fail,E0277
    /// let map = smr_hashmap::HashMap::from([(1, std::rc::Rc::new("a"))]);
    /// let guard = map.owned_guard();
    /// ```
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([(1, std::sync::Arc::new("a"))]);
    /// let guard = map.owned_guard();
    /// ```
    #[inline]
    pub fn owned_guard(&self) -> OwnedGuard<'_>
    where
        K: Send,
        V: Send,
    {
        OwnedGuard(self.raw.pool().owned_guard())
    }

    /// The section behind a guard, which must be one of the map's domain.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn section<'g>(&self, guard: &'g impl Guard) -> &'g smr_core::Guard {
        if !guard.protects(|| self.domain()) {
            Self::refuse();
        }
        guard.section()
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn refuse() -> ! {
        panic!(
            "the guard does not protect this map: it is of another domain, or of none; \
             use `map.guard()`, or a guard of `map.domain()`"
        );
    }

    // -- what is known without a key -----------------------------------------

    /// The domain that the map's readers belong to.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        self.raw.pool().domain()
    }

    /// What hashes the keys.
    #[must_use]
    pub fn hasher(&self) -> &S {
        &self.hash_builder
    }

    /// The number of entries.
    ///
    /// While others insert and remove, a number that lies between the smallest and
    /// the largest that the map may have had during the call; exact when nobody
    /// does. Costs a walk over a few counters.
    ///
    /// ```
    /// assert_eq!(smr_hashmap::HashMap::from([(1, 2), (3, 4)]).len(), 2);
    /// ```
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.raw.len()
    }

    /// Whether there is no entry. As [`len`](Self::len) under concurrent change.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// How many entries fit before the table grows.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.raw.capacity()
    }

    /// The bytes of memory that the map holds: table, entries, and what waits for
    /// readers or for reuse. Not what keys and values own beyond themselves.
    ///
    /// Those of a large table do not come from the global allocator: see
    /// [the limitations](crate::docs::limitations).
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::new();
    /// assert_eq!(map.memory_usage(), 0);
    /// map.pin().insert(1, 2);
    /// assert!(map.memory_usage() > 0);
    /// ```
    #[must_use]
    pub fn memory_usage(&self) -> usize {
        self.raw.memory_usage()
    }

    // -- dropping ------------------------------------------------------------

    /// Drops what was removed and no reader holds up. Does not wait.
    ///
    /// # Panics
    ///
    /// If a destructor panics; the others have run then.
    pub fn flush(&self) {
        self.raw.pool().flush();
    }

    /// Waits until all that was removed before, by any thread, has been dropped.
    ///
    /// # Panics
    ///
    /// If the calling thread holds a guard of the domain, or if a destructor
    /// panics.
    ///
    /// ```
    /// use std::sync::{Arc, Weak};
    ///
    /// let map = smr_hashmap::HashMap::new();
    /// let value = Arc::new(7);
    /// let weak: Weak<i32> = Arc::downgrade(&value);
    /// map.pin().insert(1, value);
    /// map.pin().remove(&1);
    /// map.barrier();
    /// assert_eq!(weak.upgrade(), None);
    /// ```
    pub fn barrier(&self) {
        self.raw.pool().barrier();
    }

    /// As [`barrier`](Self::barrier); each of its waits lasts `timeout` at most.
    ///
    /// # Errors
    ///
    /// [`WaitError`](smr_core::WaitError): the time was up, or the wait would
    /// never end.
    pub fn try_barrier(&self, timeout: std::time::Duration) -> Result<(), smr_core::WaitError> {
        self.raw.pool().try_barrier(timeout)
    }

    // -- inside --------------------------------------------------------------

    #[track_caller]
    pub(crate) fn make_room(&self, capacity: usize) {
        if capacity != 0
            && let Err(error) = self.try_make_room(capacity, &self.guard())
        {
            panic!("{error}");
        }
    }

    pub(crate) fn try_make_room(
        &self,
        additional: usize,
        guard: &impl Guard,
    ) -> Result<(), TryReserveError> {
        self.raw
            .try_reserve(additional, guard.section())
            .map_err(|_| TryReserveError::new(additional))
    }
}

impl<K, V, S: BuildHasher> HashMap<K, V, S> {
    #[inline(always)]
    pub(crate) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        self.hash_builder.hash_one(key)
    }
}
