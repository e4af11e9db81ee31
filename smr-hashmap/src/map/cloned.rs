//! Conveniences that show no guard.

use std::hash::{BuildHasher, Hash};

use equivalent::Equivalent;

use crate::guard::LocalGuard;
use crate::map::HashMap;

impl<K, V, S> HashMap<K, V, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    /// A copy of the value of `key`.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([("a", 1)]);
    /// assert_eq!(map.get_cloned("a"), Some(1));
    /// ```
    #[inline]
    pub fn get_cloned<Q>(&self, key: &Q) -> Option<V>
    where
        Q: Equivalent<K> + Hash + ?Sized,
        V: Clone,
    {
        self.view(key, |_, value| value.clone())
    }

    /// What `f` makes of the entry of `key`; `None` if the key is absent.
    ///
    /// `f` may use this map and others, also to change them.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([("a", vec![1, 2])]);
    /// assert_eq!(map.view("a", |_, list| list.len()), Some(2));
    /// ```
    #[inline]
    pub fn view<Q, F, R>(&self, key: &Q, f: F) -> Option<R>
    where
        Q: Equivalent<K> + Hash + ?Sized,
        F: FnOnce(&K, &V) -> R,
    {
        self.guarded(|guard| {
            let entry = self.get_key_value(key, guard);
            entry.map(|(key, value)| f(key, value))
        })
    }

    /// Puts `value` there for `key`, and returns a copy of the one that it
    /// replaced.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([("a", 1)]);
    /// assert_eq!(map.insert_cloned("a", 2), Some(1));
    /// ```
    #[inline]
    pub fn insert_cloned(&self, key: K, value: V) -> Option<V>
    where
        V: Clone,
    {
        self.guarded(|guard| self.insert(key, value, guard).cloned())
    }

    /// A copy of the value of `key`; what `f` makes is put there if the key is
    /// absent.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// let cache = smr_hashmap::HashMap::new();
    /// let page: Arc<str> = cache.get_or_insert_cloned("/", || Arc::from("hello"));
    /// assert_eq!(&*page, "hello");
    /// ```
    #[inline]
    pub fn get_or_insert_cloned<F>(&self, key: K, f: F) -> V
    where
        F: FnOnce() -> V,
        V: Clone,
    {
        self.guarded(|guard| self.get_or_insert_with(key, f, guard).clone())
    }

    /// Removes the entry of `key` and returns a copy of its value.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([("a", 1)]);
    /// assert_eq!(map.remove_cloned("a"), Some(1));
    /// ```
    #[inline]
    pub fn remove_cloned<Q>(&self, key: &Q) -> Option<V>
    where
        Q: Equivalent<K> + Hash + ?Sized,
        V: Clone,
    {
        self.guarded(|guard| self.remove(key, guard).cloned())
    }

    /// Copies of all entries.
    ///
    /// As [`iter`](Self::iter): not a picture of one instant.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([("a", 1)]);
    /// assert_eq!(map.to_vec(), [("a", 1)]);
    /// ```
    #[must_use]
    pub fn to_vec(&self) -> Vec<(K, V)>
    where
        K: Clone,
        V: Clone,
    {
        self.guarded(|guard| {
            self.iter(guard)
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect()
        })
    }

    #[inline(always)]
    fn guarded<R>(&self, f: impl FnOnce(&LocalGuard<'_>) -> R) -> R {
        let guard = self.guard();
        let result = f(&guard);
        // By hand: its end may drop values, and if one of them panics, a result on
        // its way out would be lost.
        drop(guard);
        result
    }
}
