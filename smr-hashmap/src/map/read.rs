//! Looking up.

use std::hash::{BuildHasher, Hash};

use equivalent::Equivalent;

use crate::batch::GetMany;
use crate::guard::Guard;
use crate::map::HashMap;
use crate::raw::Entry;

impl<K, V, S> HashMap<K, V, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    /// The value of `key`.
    ///
    /// The key may be borrowed, or anything that is [`Equivalent`] to the map's
    /// keys and hashes as they do.
    ///
    /// Wait-free for a table that does not grow without end. Linearizable: the
    /// value was the key's, or the key was absent, at an instant within the call.
    ///
    /// # Panics
    ///
    /// If the guard is of another domain; as all methods that are given one.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([("a".to_owned(), 1)]);
    /// let guard = map.guard();
    /// assert_eq!(map.get("a", &guard), Some(&1));
    /// assert_eq!(map.get("b", &guard), None);
    /// ```
    ///
    /// A guard of another domain:
    ///
    /// ```should_panic
    /// let map = smr_hashmap::HashMap::from([("a", 1)]);
    /// let other = smr_core::Domain::new();
    /// map.get("a", &other.pin());
    /// ```
    #[inline(always)]
    pub fn get<'g, Q>(&'g self, key: &Q, guard: &'g impl Guard) -> Option<&'g V>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.look_up(key, |entry| &entry.value, self.section(guard))
    }

    /// The entry of `key`, with the map's own key.
    ///
    /// As [`get`](Self::get).
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([("a".to_owned(), 1)]);
    /// let guard = map.guard();
    /// assert_eq!(map.get_key_value("a", &guard), Some((&"a".to_owned(), &1)));
    /// ```
    #[inline]
    pub fn get_key_value<'g, Q>(&'g self, key: &Q, guard: &'g impl Guard) -> Option<(&'g K, &'g V)>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.look_up(key, Entry::pair, self.section(guard))
    }

    /// Whether the key is there.
    ///
    /// As [`get`](Self::get).
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([("a", 1)]);
    /// assert!(map.contains_key("a", &map.guard()));
    /// ```
    #[inline(always)]
    pub fn contains_key<Q>(&self, key: &Q, guard: &impl Guard) -> bool
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.find(key, self.section(guard)).is_some()
    }

    /// The values of many keys, in their order.
    ///
    /// As many calls of [`get`](Self::get), each linearizable by itself, but their
    /// misses of the processor's caches overlap: in a table that is larger than
    /// the caches this is a few times as fast. For that up to 32 keys are taken ahead:
    /// the instant of a look-up is between the moment when its key was taken and that
    /// when its value is given.
    ///
    /// A key whose look-up panics has no value; that of the next one follows.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([(1, "a"), (3, "c")]);
    /// let guard = map.guard();
    /// let found: Vec<_> = map.get_many(&[1, 2, 3], &guard).collect();
    /// assert_eq!(found, [Some(&"a"), None, Some(&"c")]);
    /// ```
    #[inline]
    pub fn get_many<'g, 'q, Q, I>(
        &'g self,
        keys: I,
        guard: &'g impl Guard,
    ) -> GetMany<'g, 'q, K, V, S, Q, I::IntoIter>
    where
        Q: Equivalent<K> + Hash + ?Sized + 'q,
        I: IntoIterator<Item = &'q Q>,
    {
        GetMany::new(self, self.section(guard), keys.into_iter())
    }

    #[inline(always)]
    pub(crate) fn find<'g, Q>(
        &'g self,
        key: &Q,
        section: &'g smr_core::Guard,
    ) -> Option<&'g Entry<K, V>>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.look_up(key, |entry| entry, section)
    }

    #[inline(always)]
    fn look_up<'g, Q, R>(
        &'g self,
        key: &Q,
        show: impl Fn(&'g Entry<K, V>) -> R,
        section: &'g smr_core::Guard,
    ) -> Option<R>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        let eq = |other: &K| key.equivalent(other);
        self.raw.find(self.hash(key), eq, show, section)
    }
}

impl<K, V> Entry<K, V> {
    /// As it is shown.
    #[inline(always)]
    pub(crate) fn pair(&self) -> (&K, &V) {
        (&self.key, &self.value)
    }
}
