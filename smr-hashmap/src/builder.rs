//! [`HashMapBuilder`].

use std::fmt;
use std::marker::PhantomData;

use smr_core::{Domain, Pool};

use crate::map::{DefaultHashBuilder, HashMap};
use crate::raw::{Entry, RawMap};

type MakePool<K, V> = fn(Option<&Domain>) -> Pool<Entry<K, V>>;

/// What a [`HashMap`] is to be like.
///
/// [`HashMap::builder`] returns one.
///
/// ```
/// use smr_core::Domain;
/// use smr_hashmap::HashMap;
/// use std::hash::RandomState;
///
/// let map: HashMap<i32, String, RandomState> = HashMap::builder()
///     .capacity(1024)
///     .hasher(RandomState::new())
///     .domain(Domain::new())
///     .build();
/// assert!(map.capacity() >= 1024);
/// ```
#[must_use = "`build` makes the map"]
pub struct HashMapBuilder<K, V, S = DefaultHashBuilder> {
    hasher: S,
    capacity: usize,
    domain: Option<Domain>,
    make_pool: MakePool<K, V>,
    _entries: PhantomData<fn() -> (K, V)>,
}

fn scoped<K, V>(domain: Option<&Domain>) -> Pool<Entry<K, V>> {
    domain.map_or_else(Pool::scoped, Pool::scoped_in)
}

fn reached<K: 'static, V: 'static>(domain: Option<&Domain>) -> Pool<Entry<K, V>> {
    domain.map_or_else(Pool::new, Pool::new_in)
}

impl<K, V> HashMapBuilder<K, V> {
    pub(crate) fn new() -> Self {
        Self {
            hasher: DefaultHashBuilder::default(),
            capacity: 0,
            domain: None,
            make_pool: scoped,
            _entries: PhantomData,
        }
    }
}

impl<K, V, S> HashMapBuilder<K, V, S> {
    /// Hashes keys with what `hasher` builds.
    pub fn hasher<H>(self, hasher: H) -> HashMapBuilder<K, V, H> {
        HashMapBuilder {
            hasher,
            capacity: self.capacity,
            domain: self.domain,
            make_pool: self.make_pool,
            _entries: PhantomData,
        }
    }

    /// Makes room for `capacity` entries.
    pub fn capacity(mut self, capacity: usize) -> Self {
        self.capacity = capacity;
        self
    }

    /// Puts the map in a domain of the caller's, and not in the global one:
    /// readers of other things do not hold up what is removed from it, and the
    /// domain's limits hold for it.
    pub fn domain(mut self, domain: Domain) -> Self {
        self.domain = Some(domain);
        self
    }

    /// [`domain`](Self::domain) under the name that others give it.
    pub fn collector(self, collector: Domain) -> Self {
        self.domain(collector)
    }

    /// Lets the domain drop what was removed, on any thread, also when nobody
    /// uses the map any more.
    ///
    /// Without this only the map's own guards do, and calls of
    /// [`flush`](HashMap::flush) and [`barrier`](HashMap::barrier): the domain may
    /// not, because keys and values may borrow. With it they may not, and the end
    /// of *any* section that held something up drops it, as do
    /// [`Domain::flush`], [`Domain::barrier`], a thread's exit, and a
    /// [`Reaper`](smr_core::Reaper), which is the only one that needs no further
    /// call of anybody.
    ///
    /// ```
    /// use smr_core::Domain;
    /// use smr_hashmap::HashMap;
    ///
    /// let domain = Domain::new();
    /// let map = HashMap::builder().domain(domain.clone()).dropped_by_domain().build();
    /// map.pin().insert(1, String::from("a"));
    /// map.pin().remove(&1);
    /// domain.barrier(); // the string is gone
    /// ```
    ///
    /// Keys and values that borrow cannot be left to the domain:
    ///
    /// ```compile_fail,E0597
    /// use smr_hashmap::HashMap;
    ///
    /// let text = String::from("a");
    /// let map = HashMap::builder().dropped_by_domain().build();
    /// map.pin().insert(1, text.as_str());
    /// ```
    ///
    /// ```
    /// use smr_hashmap::HashMap;
    ///
    /// let text = String::from("a");
    /// let map = HashMap::builder().build();
    /// map.pin().insert(1, text.as_str());
    /// ```
    pub fn dropped_by_domain(mut self) -> Self
    where
        K: Send + 'static,
        V: Send + 'static,
    {
        self.make_pool = reached;
        self
    }

    /// The map.
    ///
    /// # Panics
    ///
    /// If there is no memory for the capacity.
    #[must_use]
    pub fn build(self) -> HashMap<K, V, S> {
        let map = HashMap {
            raw: RawMap::new((self.make_pool)(self.domain.as_ref())),
            hash_builder: self.hasher,
        };
        map.make_room(self.capacity);
        map
    }
}

impl<K, V, S> fmt::Debug for HashMapBuilder<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashMapBuilder")
            .field("capacity", &self.capacity)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}
