//! [`OrderedSet`]: a small concurrent set, in order.

use core::borrow::Borrow;
use core::fmt;
use core::ops::RangeBounds;

use smr_core::{Domain, Guard};

use crate::entry::common;
use crate::ordered_list::{self, Entries, OrderedList};
use crate::raw::ordered::Taken;

/// An ordered set as a linked list: an [`OrderedList`] without values, and what is
/// said there holds here.
///
/// ```
/// let set = smr_list::OrderedSet::from_iter([2, 1]);
/// let guard = set.guard();
/// assert!(set.contains(&1, &guard));
/// assert!(!set.insert(1, &guard));
/// assert!(set.iter(&guard).eq(&[1, 2]));
/// ```
pub struct OrderedSet<K> {
    list: OrderedList<K, ()>,
}

impl<K> OrderedSet<K> {
    /// An empty set under the global domain. It owns no heap.
    ///
    /// ```
    /// static SEEN: smr_list::OrderedSet<u32> = smr_list::OrderedSet::new();
    /// assert!(SEEN.insert(7, &SEEN.guard()));
    /// assert!(!SEEN.insert(7, &SEEN.guard()));
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self {
            list: OrderedList::new(),
        }
    }

    /// An empty set under the given domain.
    #[must_use]
    pub fn new_in(domain: &Domain) -> Self {
        Self {
            list: OrderedList::new_in(domain),
        }
    }

    fn pool(&self) -> &Entries<K, ()> {
        self.list.pool()
    }

    common!(K);

    /// Whether there was no key at an instant of the call.
    #[track_caller]
    pub fn is_empty(&self, guard: &Guard) -> bool {
        self.list.is_empty(guard)
    }

    /// The first key. As [`OrderedList::first`].
    #[track_caller]
    pub fn first<'g>(&'g self, guard: &'g Guard) -> Option<&'g K> {
        self.list.first(guard).map(|(key, ())| key)
    }

    /// The last key. As [`OrderedList::last`].
    #[track_caller]
    pub fn last<'g>(&'g self, guard: &'g Guard) -> Option<&'g K> {
        self.list.last(guard).map(|(key, ())| key)
    }

    /// Removes the first key. As [`OrderedList::pop_first`].
    #[track_caller]
    pub fn pop_first<'g>(&'g self, guard: &'g Guard) -> Option<&'g K> {
        self.list.pop_first(guard).map(|(key, ())| key)
    }

    /// Iterates in order. As [`OrderedList::iter`].
    #[track_caller]
    pub fn iter<'g>(&'g self, guard: &'g Guard) -> Iter<'g, K> {
        Iter(self.list.iter(guard))
    }

    /// Drops all keys.
    pub fn clear_mut(&mut self) {
        self.list.clear_mut();
    }
}

impl<K: Ord> OrderedSet<K> {
    /// Whether the key is there. As [`OrderedList::get`].
    #[track_caller]
    pub fn contains<Q: Ord + ?Sized>(&self, key: &Q, guard: &Guard) -> bool
    where
        K: Borrow<Q>,
    {
        self.list.contains_key(key, guard)
    }

    /// The key that is there and equal to this one. As [`OrderedList::get`].
    #[track_caller]
    pub fn get<'g, Q: Ord + ?Sized>(&'g self, key: &Q, guard: &'g Guard) -> Option<&'g K>
    where
        K: Borrow<Q>,
    {
        let found = self.list.get_key_value(key, guard);
        found.map(|(key, ())| key)
    }

    /// Puts the key there. Whether it was absent. As [`OrderedList::try_insert`].
    #[track_caller]
    pub fn insert(&self, key: K, guard: &Guard) -> bool {
        self.list.try_insert(key, (), guard).is_ok()
    }

    /// The key that is there and equal to this one, which comes in if there is none.
    /// As [`OrderedList::try_insert`]: O(n), lock-free; linearizes at the exchange of one
    /// link, and as [`get`](Self::get) where nothing is changed.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain, or `Ord` or a destructor panics.
    ///
    /// ```
    /// let names = smr_list::OrderedSet::from([String::from("ann")]);
    /// let guard = names.guard();
    /// let ann = names.get("ann", &guard).unwrap();
    /// assert!(std::ptr::eq(names.get_or_insert("ann".into(), &guard), ann));
    /// assert_eq!(names.get_or_insert("bob".into(), &guard), "bob");
    /// ```
    #[track_caller]
    pub fn get_or_insert<'g>(&'g self, key: K, guard: &'g Guard) -> &'g K {
        match self.list.insert_new((key, ()), guard) {
            Ok(node) | Err(Taken { node, .. }) => &node.value.0,
        }
    }

    /// The key that is there and equal to this one, which is made if there is none. `make`
    /// runs at most once, and what it made is dropped if another thread was faster.
    /// Progresses and linearizes as [`get_or_insert`](Self::get_or_insert).
    ///
    /// # Panics
    ///
    /// As there, and if `make` does or makes a key that is not equal to `key`; nothing has
    /// changed then.
    ///
    /// ```
    /// let names = smr_list::OrderedSet::<String>::new();
    /// let guard = names.guard();
    /// assert_eq!(names.get_or_insert_with("ann", || "ann".into(), &guard), "ann");
    /// names.get_or_insert_with("ann", || unreachable!("it is there"), &guard);
    /// ```
    #[track_caller]
    pub fn get_or_insert_with<'g, Q: Ord + ?Sized>(
        &'g self,
        key: &Q,
        make: impl FnOnce() -> K,
        guard: &'g Guard,
    ) -> &'g K
    where
        K: Borrow<Q>,
    {
        if let Some(found) = self.get(key, guard) {
            return found;
        }
        let made = make();
        let is_equal = made.borrow().cmp(key).is_eq();
        assert!(is_equal, "the key that was made is not the one looked for");
        self.get_or_insert(made, guard)
    }

    /// Removes the key. Whether this call did. As [`OrderedList::remove`].
    #[track_caller]
    pub fn remove<Q: Ord + ?Sized>(&self, key: &Q, guard: &Guard) -> bool
    where
        K: Borrow<Q>,
    {
        self.list.remove(key, guard).is_some()
    }

    /// Removes the key if `condition` holds for the one that is there. Whether this call
    /// did. As [`OrderedList::remove_if`]: O(n), lock-free; linearizes at the mark of the
    /// node.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain, or `Ord`, `condition` or a destructor
    /// panics.
    ///
    /// ```
    /// let names = smr_list::OrderedSet::from([String::from("ann")]);
    /// let guard = names.guard();
    /// assert!(!names.remove_if("ann", |name| name.capacity() > 100, &guard));
    /// assert!(names.remove_if("ann", |name| name.capacity() < 100, &guard));
    /// ```
    #[track_caller]
    pub fn remove_if<Q: Ord + ?Sized>(
        &self,
        key: &Q,
        mut condition: impl FnMut(&K) -> bool,
        guard: &Guard,
    ) -> bool
    where
        K: Borrow<Q>,
    {
        let condition = |(there, ()): &(K, ())| condition(there);
        self.list.remove_place(key, condition, guard).is_some()
    }

    /// Removes the key, which lives as long as the guard. As
    /// [`OrderedList::remove_entry`].
    #[track_caller]
    pub fn take<'g, Q: Ord + ?Sized>(&'g self, key: &Q, guard: &'g Guard) -> Option<&'g K>
    where
        K: Borrow<Q>,
    {
        let found = self.list.remove_entry(key, guard);
        found.map(|(key, ())| key)
    }

    /// Removes the keys for which `keep` does not hold.
    #[track_caller]
    pub fn retain(&self, mut keep: impl FnMut(&K) -> bool, guard: &Guard) {
        self.list.retain(|key, ()| keep(key), guard);
    }

    /// Removes all keys that are there, one by one.
    #[track_caller]
    pub fn clear(&self, guard: &Guard) {
        self.list.clear(guard);
    }

    /// Iterates over the keys within bounds.
    #[track_caller]
    pub fn range<'g, Q, R>(&'g self, bounds: R, guard: &'g Guard) -> impl Iterator<Item = &'g K>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized + 'g,
        R: RangeBounds<Q> + 'g,
    {
        self.list.range(bounds, guard).map(|(key, ())| key)
    }

    /// A cursor at the first key that is at least `key`. As [`OrderedList::cursor`].
    #[track_caller]
    pub fn cursor<'g, Q: Ord + ?Sized>(&'g self, key: &Q, guard: &'g Guard) -> Cursor<'g, K>
    where
        K: Borrow<Q>,
    {
        Cursor(self.list.cursor(key, guard))
    }
}

/// A place in an [`OrderedSet`].
#[derive(Debug, Clone)]
pub struct Cursor<'g, K>(ordered_list::Cursor<'g, K, ()>);

impl<'g, K: Ord> Cursor<'g, K> {
    /// The key at the cursor, also when it has been removed meanwhile.
    #[must_use]
    pub fn current(&self) -> Option<&'g K> {
        self.0.current().map(|(key, ())| key)
    }

    /// Whether the key at the cursor is in the set.
    #[must_use]
    pub fn still_current(&self) -> bool {
        self.0.still_current()
    }

    /// Moves to the next greater key.
    pub fn move_next(&mut self) {
        self.0.move_next();
    }
}

/// An iterator over an [`OrderedSet`].
#[derive(Debug, Clone)]
pub struct Iter<'g, K>(ordered_list::Iter<'g, K, ()>);

impl<'g, K: Ord> Iterator for Iter<'g, K> {
    type Item = &'g K;

    fn next(&mut self) -> Option<&'g K> {
        self.0.next().map(|(key, ())| key)
    }
}

impl<K: Ord> core::iter::FusedIterator for Iter<'_, K> {}

impl<K> Default for OrderedSet<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord + Clone> Clone for OrderedSet<K> {
    fn clone(&self) -> Self {
        Self {
            list: self.list.clone(),
        }
    }
}

impl<K: Ord + fmt::Debug> fmt::Debug for OrderedSet<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter(&self.guard())).finish()
    }
}

impl<K: Ord> Extend<K> for OrderedSet<K> {
    fn extend<I: IntoIterator<Item = K>>(&mut self, iter: I) {
        for key in iter {
            self.insert(key, &self.guard());
        }
    }
}

impl<K: Ord> FromIterator<K> for OrderedSet<K> {
    fn from_iter<I: IntoIterator<Item = K>>(iter: I) -> Self {
        let mut set = Self::new();
        set.extend(iter);
        set
    }
}

impl<K: Ord, const N: usize> From<[K; N]> for OrderedSet<K> {
    fn from(keys: [K; N]) -> Self {
        keys.into_iter().collect()
    }
}

/// The keys of an [`OrderedSet`], by value.
#[derive(Debug)]
pub struct IntoIter<K>(ordered_list::IntoIter<K, ()>);

impl<K> Iterator for IntoIter<K> {
    type Item = K;

    fn next(&mut self) -> Option<K> {
        self.0.next().map(|(key, ())| key)
    }
}

impl<K> core::iter::FusedIterator for IntoIter<K> {}

impl<K> IntoIterator for OrderedSet<K> {
    type Item = K;
    type IntoIter = IntoIter<K>;

    fn into_iter(self) -> IntoIter<K> {
        IntoIter(self.list.into_iter())
    }
}
