//! [`OrderedList`]: a small concurrent map, in order.

mod iter;

use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::ops::{Bound, RangeBounds};

use smr_core::{Domain, Guard, Pool};

use self::iter::State;
pub use self::iter::{Cursor, IntoIter, Iter, Range};
use crate::entry::{check, common};
use crate::raw::chain::Chain;
use crate::raw::node::Node;
use crate::raw::ordered::Linked;

type Entry<K, V> = (K, V);
pub(crate) type Entries<K, V> = Pool<Node<Entry<K, V>>>;

/// An ordered map as a linked list: Harris's list, whose look-ups are those of
/// Herlihy and Shavit.
///
/// Look-ups walk from the head: O(n). For up to some hundred keys that is faster
/// than a tree, and nothing is ever locked or rebalanced.
///
/// | | progress | linearizes at |
/// |---|---|---|
/// | [`get`](Self::get), [`contains_key`](Self::contains_key) | wait-free for a bounded set of keys; each step beyond needs another's insertion before the key, or [`insert`](Self::insert) or [`update`](Self::update) of the key itself | the load that finds the key not removed; a miss at an instant of the call at which it was absent |
/// | [`insert`](Self::insert), [`try_insert`](Self::try_insert), [`update`](Self::update), [`compute`](Self::compute) | lock-free | the exchange of one link |
/// | [`remove`](Self::remove), [`remove_if`](Self::remove_if) | lock-free | the mark of the node |
/// | [`first`](Self::first), [`last`](Self::last) | lock-free, no write | the load that shows that nothing came between |
/// | [`pop_first`](Self::pop_first) | lock-free | the mark; the key was the first at an instant of the call |
/// | [`iter`](Self::iter), [`range`](Self::range) | each step lock-free, no write | each element at an instant of its own |
///
/// An `Ord` that contradicts itself loses elements or finds them twice, and does no
/// harm to memory.
///
/// ```
/// use smr_list::OrderedList;
///
/// let list = OrderedList::from_iter([(2, "b"), (1, "a")]);
/// let guard = list.guard();
/// assert_eq!(list.get(&1, &guard), Some(&"a"));
/// assert_eq!(list.insert(1, "c", &guard), Some(&"a"));
/// assert_eq!(list.first(&guard), Some((&1, &"c")));
/// ```
pub struct OrderedList<K, V> {
    chain: Chain<Entry<K, V>, Entries<K, V>>,
}

/// What [`OrderedList::compute`] is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<V> {
    /// Put this value there.
    Put(V),
    /// Remove the key.
    Remove,
    /// Leave everything as it is.
    Leave,
}

/// The key was there: what [`OrderedList::try_insert`] returns then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occupied<'g, K, V> {
    /// The value that is there.
    pub current: &'g V,
    /// The key that was not inserted.
    pub key: K,
    /// The value that was not inserted.
    pub value: V,
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Display for Occupied<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the key is in the list already")
    }
}

impl<K: fmt::Debug, V: fmt::Debug> core::error::Error for Occupied<'_, K, V> {}

impl<K, V> OrderedList<K, V> {
    /// An empty list under the global domain. It owns no heap.
    ///
    /// ```
    /// use smr_list::OrderedList;
    ///
    /// static TIMERS: OrderedList<u64, &str> = OrderedList::new();
    /// TIMERS.insert(100, "poll", &TIMERS.guard());
    /// assert_eq!(TIMERS.get(&100, &TIMERS.guard()), Some(&"poll"));
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self {
            chain: Chain::new(Pool::scoped()),
        }
    }

    /// An empty list under the given domain.
    #[must_use]
    pub fn new_in(domain: &Domain) -> Self {
        Self {
            chain: Chain::new(Pool::scoped_in(domain)),
        }
    }

    pub(crate) fn pool(&self) -> &Entries<K, V> {
        &self.chain.memory
    }

    common!(K, V);

    /// Whether there was no element at an instant of the call. Lock-free.
    ///
    /// # Panics
    ///
    /// As all methods that take a guard: if it is one of another domain.
    #[track_caller]
    pub fn is_empty(&self, guard: &Guard) -> bool {
        check(guard, self.pool());
        self.chain.first(guard).is_none()
    }

    /// The first element.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    #[track_caller]
    pub fn first<'g>(&'g self, guard: &'g Guard) -> Option<(&'g K, &'g V)> {
        check(guard, self.pool());
        self.chain.first(guard).map(pair)
    }

    /// The last element. O(n).
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    #[track_caller]
    pub fn last<'g>(&'g self, guard: &'g Guard) -> Option<(&'g K, &'g V)> {
        check(guard, self.pool());
        self.chain.last(guard).map(pair)
    }

    /// Removes the first element. O(1).
    ///
    /// It was the first at an instant of the call; a smaller key that is inserted at
    /// the same time may be in the list when it goes.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    #[track_caller]
    pub fn pop_first<'g>(&'g self, guard: &'g Guard) -> Option<(&'g K, &'g V)> {
        check(guard, self.pool());
        loop {
            let first = self.chain.first(guard)?;
            let place = self.chain.find(guard, |entry| {
                if core::ptr::eq(entry, &raw const first.value) {
                    Ordering::Equal
                } else {
                    Ordering::Greater
                }
            });
            if self.chain.remove(guard, &place) {
                return place.node.map(pair);
            }
        }
    }

    /// Iterates in order, from the first element on.
    ///
    /// Keys are strictly increasing. What is there throughout is met exactly once;
    /// see [the crate](crate#iterating).
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    #[track_caller]
    pub fn iter<'g>(&'g self, guard: &'g Guard) -> Iter<'g, K, V> {
        check(guard, self.pool());
        Iter {
            list: self,
            guard,
            state: State::Before,
        }
    }

    /// Drops all elements.
    pub fn clear_mut(&mut self) {
        self.chain.clear_mut();
    }
}

fn pair<K, V>(node: &Node<Entry<K, V>>) -> (&K, &V) {
    (&node.value.0, &node.value.1)
}

fn value<K, V>(node: &Node<Entry<K, V>>) -> &V {
    &node.value.1
}

impl<K: Ord, V> OrderedList<K, V> {
    /// The value of the key. O(n); wait-free as [said above](Self); writes nothing.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain, or `Ord` panics.
    #[track_caller]
    #[inline]
    pub fn get<'g, Q>(&'g self, key: &Q, guard: &'g Guard) -> Option<&'g V>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        check(guard, self.pool());
        let node = self.chain.look(guard, |entry| entry.0.borrow().cmp(key));
        node.map(value)
    }

    /// The key that is there, with its value. As [`get`](Self::get).
    ///
    /// # Panics
    ///
    /// As there.
    #[track_caller]
    pub fn get_key_value<'g, Q>(&'g self, key: &Q, guard: &'g Guard) -> Option<(&'g K, &'g V)>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        check(guard, self.pool());
        let node = self.chain.look(guard, |entry| entry.0.borrow().cmp(key));
        node.map(pair)
    }

    /// Whether the key is there. As [`get`](Self::get).
    ///
    /// # Panics
    ///
    /// As there.
    #[track_caller]
    pub fn contains_key<Q>(&self, key: &Q, guard: &Guard) -> bool
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.get(key, guard).is_some()
    }

    /// Puts a value at the key, and returns the one that it replaces. O(n).
    ///
    /// A key that is replaced is never absent.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain, or `Ord` or a destructor panics.
    #[track_caller]
    pub fn insert<'g>(&'g self, key: K, value: V, guard: &'g Guard) -> Option<&'g V> {
        check(guard, self.pool());
        let old = self.chain.put(guard, (key, value), |a, b| a.0.cmp(&b.0));
        old.map(|node| &node.value.1)
    }

    /// Puts a value at the key, unless there is one.
    ///
    /// # Errors
    ///
    /// [`Occupied`], with what is there and what was given.
    ///
    /// # Panics
    ///
    /// As [`insert`](Self::insert).
    ///
    /// ```
    /// use smr_list::OrderedList;
    ///
    /// let list = OrderedList::from_iter([(1, "a")]);
    /// let guard = list.guard();
    /// let taken = list.try_insert(1, "b", &guard).unwrap_err();
    /// assert_eq!((taken.current, taken.value), (&"a", "b"));
    /// ```
    #[track_caller]
    pub fn try_insert<'g>(
        &'g self,
        key: K,
        value: V,
        guard: &'g Guard,
    ) -> Result<&'g V, Occupied<'g, K, V>> {
        match self.insert_new((key, value), guard) {
            Ok(node) => Ok(&node.value.1),
            Err(taken) => {
                let (key, value) = taken.value;
                let current = &taken.node.value.1;
                Err(Occupied {
                    current,
                    key,
                    value,
                })
            }
        }
    }

    /// Links the entry in, unless its key is there.
    #[track_caller]
    pub(crate) fn insert_new<'g>(
        &'g self,
        entry: Entry<K, V>,
        guard: &'g Guard,
    ) -> Linked<'g, Entry<K, V>> {
        check(guard, self.pool());
        self.chain.insert(guard, entry, |a, b| a.0.cmp(&b.0))
    }

    /// The value of the key, which is made if there is none. `make` runs at most
    /// once, and its value is dropped if another thread was faster.
    ///
    /// # Panics
    ///
    /// As [`insert`](Self::insert), and if `make` does.
    #[track_caller]
    pub fn get_or_insert_with<'g>(
        &'g self,
        key: K,
        make: impl FnOnce() -> V,
        guard: &'g Guard,
    ) -> &'g V {
        if let Some(found) = self.get(&key, guard) {
            return found;
        }
        match self.try_insert(key, make(), guard) {
            Ok(new) => new,
            Err(taken) => taken.current,
        }
    }

    /// Removes the key; its value lives as long as the guard. O(n).
    ///
    /// # Panics
    ///
    /// As [`insert`](Self::insert).
    #[track_caller]
    pub fn remove<'g, Q>(&'g self, key: &Q, guard: &'g Guard) -> Option<&'g V>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.remove_if(key, |_| true, guard)
    }

    /// As [`remove`](Self::remove), with the key that was there.
    ///
    /// # Panics
    ///
    /// As [`insert`](Self::insert).
    #[track_caller]
    pub fn remove_entry<'g, Q>(&'g self, key: &Q, guard: &'g Guard) -> Option<(&'g K, &'g V)>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.remove_place(key, |_| true, guard).map(pair)
    }

    /// Removes the key if `condition` holds for its value. Where the value is
    /// replaced meanwhile, `condition` runs again.
    ///
    /// # Panics
    ///
    /// As [`insert`](Self::insert), and if `condition` does.
    #[track_caller]
    pub fn remove_if<'g, Q>(
        &'g self,
        key: &Q,
        mut condition: impl FnMut(&V) -> bool,
        guard: &'g Guard,
    ) -> Option<&'g V>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let condition = |entry: &Entry<K, V>| condition(&entry.1);
        self.remove_place(key, condition, guard).map(value)
    }

    #[track_caller]
    #[inline]
    pub(crate) fn remove_place<'g, Q>(
        &'g self,
        key: &Q,
        mut condition: impl FnMut(&Entry<K, V>) -> bool,
        guard: &'g Guard,
    ) -> Option<&'g Node<Entry<K, V>>>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        check(guard, self.pool());
        loop {
            let place = self.chain.find(guard, |entry| entry.0.borrow().cmp(key));
            let found = place.node?;
            if !condition(&found.value) {
                return None;
            }
            if self.chain.remove(guard, &place) {
                return Some(found);
            }
        }
    }

    /// Puts `f(value)` in place of the value of the key, and returns the new one.
    /// Where the value was changed meanwhile, `f` runs again: for ever, if `f` itself
    /// changes it each time.
    ///
    /// # Panics
    ///
    /// As [`insert`](Self::insert), and if `f` or `K::clone` does.
    ///
    /// ```
    /// let list = smr_list::OrderedList::from_iter([("a", 1)]);
    /// let guard = list.guard();
    /// assert_eq!(list.update("a", |n| n + 1, &guard), Some(&2));
    /// assert_eq!(list.update("b", |n| n + 1, &guard), None);
    /// ```
    #[track_caller]
    pub fn update<'g, Q>(
        &'g self,
        key: &Q,
        mut f: impl FnMut(&V) -> V,
        guard: &'g Guard,
    ) -> Option<&'g V>
    where
        K: Borrow<Q> + Clone,
        Q: Ord + ?Sized,
    {
        check(guard, self.pool());
        loop {
            let place = self.chain.find(guard, |entry| entry.0.borrow().cmp(key));
            let (key, old) = &place.node?.value;
            if let Ok(new) = self.chain.replace(guard, &place, (key.clone(), f(old))) {
                return Some(&new.value.1);
            }
        }
    }

    /// Changes what is at the key, by what `f` says of the value that is there, and
    /// returns what is there afterwards. Where that was changed meanwhile, `f` runs again,
    /// as for [`update`](Self::update).
    ///
    /// # Panics
    ///
    /// As [`update`](Self::update).
    ///
    /// ```
    /// use smr_list::ordered_list::{Change, OrderedList};
    ///
    /// let list = OrderedList::new();
    /// let guard = list.guard();
    /// let count = |n: Option<&u32>| Change::Put(n.map_or(1, |n| n + 1));
    /// list.compute("a", count, &guard);
    /// assert_eq!(list.compute("a", count, &guard), Some(&2));
    /// assert_eq!(list.compute("a", |_| Change::Remove, &guard), None);
    /// ```
    #[track_caller]
    pub fn compute<'g>(
        &'g self,
        key: K,
        mut f: impl FnMut(Option<&V>) -> Change<V>,
        guard: &'g Guard,
    ) -> Option<&'g V>
    where
        K: Clone,
    {
        check(guard, self.pool());
        loop {
            let place = self.chain.find(guard, |entry| entry.0.cmp(&key));
            let here = place.node.map(value);
            let done = match (f(here), here) {
                (Change::Leave, _) => return here,
                (Change::Remove, None) => return None,
                (Change::Remove, Some(_)) if self.chain.remove(guard, &place) => return None,
                (Change::Remove, Some(_)) => continue,
                (Change::Put(new), Some(_)) => {
                    self.chain.replace(guard, &place, (key.clone(), new))
                }
                (Change::Put(new), None) => self.chain.link_at(guard, &place, (key.clone(), new)),
            };
            if let Ok(new) = done {
                return Some(&new.value.1);
            }
        }
    }

    /// Removes the elements for which `keep` does not hold. O(n), lock-free. Not
    /// atomic as a whole: each removal linearizes by itself.
    ///
    /// Where a value is replaced meanwhile, `keep` is asked about the new one too.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain, or `keep` or a destructor panics; what
    /// was removed before that stays removed.
    #[track_caller]
    pub fn retain(&self, mut keep: impl FnMut(&K, &V) -> bool, guard: &Guard) {
        check(guard, self.pool());
        self.chain.retain(guard, |entry| keep(&entry.0, &entry.1));
    }

    /// Removes all elements that are there, one by one. O(n), lock-free.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain, or a destructor panics; all are
    /// removed then.
    #[track_caller]
    pub fn clear(&self, guard: &Guard) {
        check(guard, self.pool());
        self.chain.retain(guard, |_| false);
    }

    /// Iterates over the keys within bounds, as [`iter`](Self::iter).
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain, or `Ord` panics.
    ///
    /// ```
    /// let list = smr_list::OrderedList::from_iter((0..9).map(|k| (k, ())));
    /// assert!(list.range(3..5, &list.guard()).map(|(k, _)| *k).eq([3, 4]));
    /// ```
    #[track_caller]
    pub fn range<'g, Q, R>(&'g self, bounds: R, guard: &'g Guard) -> Range<'g, K, V, Q, R>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
        R: RangeBounds<Q>,
    {
        check(guard, self.pool());
        let below = |entry: &Entry<K, V>| match bounds.start_bound() {
            Bound::Included(start) => entry.0.borrow() < start,
            Bound::Excluded(start) => entry.0.borrow() <= start,
            Bound::Unbounded => false,
        };
        let state = State::found(self.chain.seek(guard, below));
        Range {
            iter: Iter {
                list: self,
                guard,
                state,
            },
            bounds,
            _query: core::marker::PhantomData,
        }
    }

    /// A cursor at the first element whose key is at least `key`.
    ///
    /// # Panics
    ///
    /// As [`range`](Self::range).
    ///
    /// ```
    /// let list = smr_list::OrderedList::from_iter([(1, 'a'), (3, 'b')]);
    /// let guard = list.guard();
    /// let mut cursor = list.cursor(&2, &guard);
    /// assert_eq!(cursor.current(), Some((&3, &'b')));
    /// list.remove(&3, &guard);
    /// assert!(!cursor.still_current());
    /// cursor.move_next();
    /// assert_eq!(cursor.current(), None);
    /// ```
    #[track_caller]
    pub fn cursor<'g, Q>(&'g self, key: &Q, guard: &'g Guard) -> Cursor<'g, K, V>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        check(guard, self.pool());
        let at = self.chain.seek(guard, |entry| entry.0.borrow() < key);
        Cursor {
            list: self,
            guard,
            at,
        }
    }
}
