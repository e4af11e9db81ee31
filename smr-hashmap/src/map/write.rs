//! Changing one key.

use std::hash::{BuildHasher, Hash};

use equivalent::Equivalent;

use crate::entry::Entry;
use crate::error::{Compute, OccupiedError, Operation};
use crate::guard::Guard;
use crate::map::HashMap;
use crate::raw::{self, Action, Computed, Inserted};

impl<K, V, S> HashMap<K, V, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    /// Puts `value` there for `key`, and returns the value that it replaced.
    ///
    /// The old entry is replaced as a whole: readers see the one or the other, and
    /// never that the key is absent. The key of the new entry is the one given.
    ///
    /// Lock-free; linearizable, as all that follows.
    ///
    /// # Panics
    ///
    /// As [`get`](Self::get), and if there is no memory.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::new();
    /// let guard = map.guard();
    /// assert_eq!(map.insert(37, "a", &guard), None);
    /// assert_eq!(map.insert(37, "b", &guard), Some(&"a"));
    /// ```
    #[inline]
    pub fn insert<'g>(&'g self, key: K, value: V, guard: &'g impl Guard) -> Option<&'g V> {
        let section = self.section(guard);
        let hash = self.hash(&key);
        let inserted = self.raw.insert(hash, K::eq, section, key, value, true);
        match inserted {
            Inserted::Replaced { old, .. } => Some(&old.value),
            Inserted::New(_) | Inserted::Exists { .. } => None,
        }
    }

    /// Puts `value` there for `key` if the key is absent, and returns it.
    ///
    /// # Errors
    ///
    /// [`OccupiedError`] if the key is there, with both values.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::new();
    /// let guard = map.guard();
    /// assert_eq!(map.try_insert(37, "a", &guard), Ok(&"a"));
    /// let error = map.try_insert(37, "b", &guard).unwrap_err();
    /// assert_eq!((error.current, error.not_inserted), (&"a", "b"));
    /// ```
    #[inline]
    pub fn try_insert<'g>(
        &'g self,
        key: K,
        value: V,
        guard: &'g impl Guard,
    ) -> Result<&'g V, OccupiedError<'g, V>> {
        let section = self.section(guard);
        let hash = self.hash(&key);
        match self.raw.insert(hash, K::eq, section, key, value, false) {
            Inserted::New(new) | Inserted::Replaced { new, .. } => Ok(&new.value),
            Inserted::Exists { current, value } => Err(OccupiedError {
                current: &current.value,
                not_inserted: value,
            }),
        }
    }

    /// As [`try_insert`](Self::try_insert), with a value that is made if it is
    /// wanted.
    ///
    /// The value that was made is dropped if somebody else inserts the key first.
    ///
    /// # Errors
    ///
    /// The value that is there.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::new();
    /// let guard = map.guard();
    /// assert_eq!(map.try_insert_with(37, || "a", &guard), Ok(&"a"));
    /// assert_eq!(map.try_insert_with(37, || unreachable!(), &guard), Err(&"a"));
    /// ```
    #[inline]
    pub fn try_insert_with<'g, F>(
        &'g self,
        key: K,
        f: F,
        guard: &'g impl Guard,
    ) -> Result<&'g V, &'g V>
    where
        F: FnOnce() -> V,
    {
        let mut make = Some(f);
        let computed = self.compute_in(key, self.section(guard), |current, spare| match current {
            Some(entry) => Action::Abort(entry),
            None => Action::Put(spare.unwrap_or_else(|| once(&mut make)())),
        });
        match computed {
            Computed::Aborted(entry) => Err(&entry.value),
            other => Ok(&other.present().value),
        }
    }

    /// The value of `key`; `value` is put there if the key is absent.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::new();
    /// let guard = map.guard();
    /// assert_eq!(map.get_or_insert("a", 3, &guard), &3);
    /// assert_eq!(map.get_or_insert("a", 6, &guard), &3);
    /// ```
    #[inline]
    pub fn get_or_insert<'g>(&'g self, key: K, value: V, guard: &'g impl Guard) -> &'g V {
        match self.try_insert(key, value, guard) {
            Ok(inserted) => inserted,
            Err(OccupiedError { current, .. }) => current,
        }
    }

    /// As [`get_or_insert`](Self::get_or_insert), with a value that is made if it
    /// is wanted.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::new();
    /// let guard = map.guard();
    /// assert_eq!(map.get_or_insert_with("a", || 3, &guard), &3);
    /// assert_eq!(map.get_or_insert_with("a", || 6, &guard), &3);
    /// ```
    #[inline]
    pub fn get_or_insert_with<'g, F>(&'g self, key: K, f: F, guard: &'g impl Guard) -> &'g V
    where
        F: FnOnce() -> V,
    {
        // Mostly it is there, and a look-up writes nothing.
        if let Some(entry) = self.find(&key, self.section(guard)) {
            return &entry.value;
        }
        match self.try_insert_with(key, f, guard) {
            Ok(value) | Err(value) => value,
        }
    }

    /// Replaces the value of `key` by what `update` makes of it, and returns the
    /// new one; `None` if the key is absent.
    ///
    /// Atomic: no other change comes between what `update` saw and what it
    /// returned. For that it may be called several times; what it returned before
    /// is dropped. It may use this map too; but if it changes the entry of `key`
    /// itself each time, it is called for ever.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([("a", 1)]);
    /// let guard = map.guard();
    /// assert_eq!(map.update("a", |count| count + 1, &guard), Some(&2));
    /// assert_eq!(map.update("b", |count| count + 1, &guard), None);
    /// ```
    #[inline]
    pub fn update<'g, F>(&'g self, key: K, update: F, guard: &'g impl Guard) -> Option<&'g V>
    where
        F: FnMut(&V) -> V,
    {
        self.update_in(key, update, self.section(guard))
            .map(|entry| &entry.value)
    }

    /// Replaces the value of `key` by what `update` makes of it, or puts `value`
    /// there if the key is absent; returns what is there then.
    ///
    /// As [`update`](Self::update).
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::new();
    /// let guard = map.guard();
    /// assert_eq!(map.update_or_insert("a", |count| count + 1, 1, &guard), &1);
    /// assert_eq!(map.update_or_insert("a", |count| count + 1, 1, &guard), &2);
    /// ```
    #[inline]
    pub fn update_or_insert<'g, F>(
        &'g self,
        key: K,
        update: F,
        value: V,
        guard: &'g impl Guard,
    ) -> &'g V
    where
        F: FnMut(&V) -> V,
    {
        self.update_or_insert_with(key, update, || value, guard)
    }

    /// As [`update_or_insert`](Self::update_or_insert), with a value that is made
    /// if it is wanted.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::new();
    /// let guard = map.guard();
    /// assert_eq!(map.update_or_insert_with("a", |count| count + 1, || 1, &guard), &1);
    /// assert_eq!(map.update_or_insert_with("a", |count| count + 1, || 1, &guard), &2);
    /// ```
    #[inline]
    pub fn update_or_insert_with<'g, U, F>(
        &'g self,
        key: K,
        mut update: U,
        f: F,
        guard: &'g impl Guard,
    ) -> &'g V
    where
        U: FnMut(&V) -> V,
        F: FnOnce() -> V,
    {
        let mut make = Some(f);
        // What `f` made, should the entry come and go while we try.
        let mut made = None;
        let mut was_made = false;
        let computed = self.compute_in(key, self.section(guard), |current, spare| {
            if was_made {
                made = spare;
                was_made = false;
            }
            match current {
                Some(entry) => Action::<_, ()>::Put(update(&entry.value)),
                None => {
                    was_made = true;
                    let value = made.take();
                    Action::Put(value.unwrap_or_else(|| once(&mut make)()))
                }
            }
        });
        &computed.present().value
    }

    /// Decides from the entry of `key` what is to become of it, atomically.
    ///
    /// `compute` gets the entry, or `None`, and says to insert, to remove or to
    /// leave it. If another change came in between it is asked again, so it may be
    /// called several times; what it returned before is dropped. What it changes in
    /// the entry itself is such a change, as for [`update`](Self::update).
    ///
    /// # Panics
    ///
    /// As [`insert`](Self::insert), and if it says to remove what is not there.
    ///
    /// ```
    /// use smr_hashmap::{Compute, HashMap, Operation};
    ///
    /// let map = HashMap::new();
    /// let guard = map.guard();
    /// // A count that is removed at three.
    /// let mut count = || {
    ///     map.compute(
    ///         "a",
    ///         |entry| match entry {
    ///             None => Operation::Insert(1),
    ///             Some((_, 2)) => Operation::Remove,
    ///             Some((_, n)) if *n > 2 => Operation::Abort("too many"),
    ///             Some((_, n)) => Operation::Insert(n + 1),
    ///         },
    ///         &guard,
    ///     )
    /// };
    /// assert_eq!(count(), Compute::Inserted(&"a", &1));
    /// assert_eq!(count(), Compute::Updated { old: (&"a", &1), new: (&"a", &2) });
    /// assert_eq!(count(), Compute::Removed(&"a", &2));
    /// ```
    #[inline]
    pub fn compute<'g, F, T>(
        &'g self,
        key: K,
        mut compute: F,
        guard: &'g impl Guard,
    ) -> Compute<'g, K, V, T>
    where
        F: FnMut(Option<(&'g K, &'g V)>) -> Operation<V, T>,
    {
        let computed = self.compute_in(key, self.section(guard), |current, spare| {
            drop(spare);
            match compute(current.map(raw::Entry::pair)) {
                Operation::Insert(value) => Action::Put(value),
                Operation::Remove => {
                    assert!(
                        current.is_some(),
                        "cannot remove an entry that is not there"
                    );
                    Action::Remove
                }
                Operation::Abort(value) => Action::Abort(value),
            }
        });
        match computed {
            Computed::Inserted(new) => Compute::Inserted(&new.key, &new.value),
            Computed::Updated { old, new } => Compute::Updated {
                old: old.pair(),
                new: new.pair(),
            },
            Computed::Removed(old) => Compute::Removed(&old.key, &old.value),
            Computed::Aborted(value) => Compute::Aborted(value),
        }
    }

    /// The entry of `key`, to look at it and then to change it.
    ///
    /// See [`Entry`]: what it shows was so when it was asked for, and its methods
    /// are atomic each.
    ///
    /// ```
    /// let words = smr_hashmap::HashMap::new();
    /// let guard = words.guard();
    /// for word in ["one", "two", "one"] {
    ///     words.entry(word, &guard).and_modify(|count| count + 1).or_insert(1);
    /// }
    /// assert_eq!(words.get("one", &guard), Some(&2));
    /// ```
    #[inline]
    pub fn entry<'g>(&'g self, key: K, guard: &'g impl Guard) -> Entry<'g, K, V, S> {
        Entry::new(self, key, self.section(guard))
    }

    /// Removes the entry of `key` and returns its value.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([("a", 1)]);
    /// let guard = map.guard();
    /// assert_eq!(map.remove("a", &guard), Some(&1));
    /// assert_eq!(map.remove("a", &guard), None);
    /// ```
    #[inline]
    pub fn remove<'g, Q>(&'g self, key: &Q, guard: &'g impl Guard) -> Option<&'g V>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.remove_entry(key, guard).map(|(_, value)| value)
    }

    /// Removes the entry of `key` and returns it.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([("a", 1)]);
    /// let guard = map.guard();
    /// assert_eq!(map.remove_entry("a", &guard), Some((&"a", &1)));
    /// ```
    #[inline]
    pub fn remove_entry<'g, Q>(&'g self, key: &Q, guard: &'g impl Guard) -> Option<(&'g K, &'g V)>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.remove_in(key, self.section(guard), |_| true)
            .unwrap_or(None)
            .map(raw::Entry::pair)
    }

    /// Removes the entry of `key` if `should_remove` says so of it, and returns it;
    /// `Ok(None)` if the key is absent.
    ///
    /// Atomic: no other change comes between the question and the removal. For
    /// that the question may be asked several times.
    ///
    /// # Errors
    ///
    /// The entry, if it was not to be removed.
    ///
    /// ```
    /// let map = smr_hashmap::HashMap::from([("a", 1)]);
    /// let guard = map.guard();
    /// assert_eq!(map.remove_if("a", |_, value| *value > 1, &guard), Err((&"a", &1)));
    /// assert_eq!(map.remove_if("a", |_, value| *value == 1, &guard), Ok(Some((&"a", &1))));
    /// assert_eq!(map.remove_if("a", |_, value| *value == 1, &guard), Ok(None));
    /// ```
    #[inline]
    #[allow(clippy::type_complexity, reason = "the signature that users know")]
    pub fn remove_if<'g, Q, F>(
        &'g self,
        key: &Q,
        mut should_remove: F,
        guard: &'g impl Guard,
    ) -> Result<Option<(&'g K, &'g V)>, (&'g K, &'g V)>
    where
        Q: Equivalent<K> + Hash + ?Sized,
        F: FnMut(&K, &V) -> bool,
    {
        let section = self.section(guard);
        self.remove_in(key, section, |entry| {
            should_remove(&entry.key, &entry.value)
        })
        .map(|removed| removed.map(raw::Entry::pair))
        .map_err(raw::Entry::pair)
    }

    // -- inside --------------------------------------------------------------

    #[inline(always)]
    pub(crate) fn compute_in<'g, R>(
        &'g self,
        key: K,
        section: &'g smr_core::Guard,
        f: impl FnMut(Option<&'g raw::Entry<K, V>>, Option<V>) -> Action<V, R>,
    ) -> Computed<'g, K, V, R> {
        let hash = self.hash(&key);
        let eq = |ours: Option<&K>, other: &K| ours == Some(other);
        let mut key = Some(key);
        let computed = self.raw.compute(hash, &mut key, eq, section, f);
        // By hand: a result on its way out would be lost if this panicked.
        drop(key);
        computed
    }

    pub(crate) fn update_in<'g>(
        &'g self,
        key: K,
        mut update: impl FnMut(&V) -> V,
        section: &'g smr_core::Guard,
    ) -> Option<&'g raw::Entry<K, V>> {
        let computed = self.compute_in(key, section, |current, spare| {
            drop(spare);
            match current {
                Some(entry) => Action::Put(update(&entry.value)),
                None => Action::Abort(()),
            }
        });
        match computed {
            Computed::Aborted(()) => None,
            other => Some(other.present()),
        }
    }

    #[inline(always)]
    pub(crate) fn remove_in<'g, Q>(
        &'g self,
        key: &Q,
        section: &'g smr_core::Guard,
        mut should: impl FnMut(&'g raw::Entry<K, V>) -> bool,
    ) -> Result<Option<&'g raw::Entry<K, V>>, &'g raw::Entry<K, V>>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        let eq = |_: Option<&K>, other: &K| key.equivalent(other);
        let f = |current, _| match current {
            Some(entry) if should(entry) => Action::Remove,
            other => Action::Abort(other),
        };
        match self.raw.compute(self.hash(key), &mut None, eq, section, f) {
            Computed::Removed(entry) => Ok(Some(entry)),
            Computed::Aborted(None) => Ok(None),
            Computed::Aborted(Some(entry)) => Err(entry),
            Computed::Inserted(_) | Computed::Updated { .. } => unreachable!("nothing was put"),
        }
    }
}

/// What is called once, since what it made comes back.
#[inline(always)]
pub(crate) fn once<T>(what: &mut Option<T>) -> T {
    what.take()
        .unwrap_or_else(|| unreachable!("what was made comes back"))
}

impl<'g, K, V, R> Computed<'g, K, V, R> {
    /// The entry that was put there.
    #[inline(always)]
    pub(crate) fn present(self) -> &'g raw::Entry<K, V> {
        match self {
            Self::Inserted(new) | Self::Updated { new, .. } => new,
            Self::Removed(_) | Self::Aborted(_) => unreachable!("an entry was put"),
        }
    }
}
