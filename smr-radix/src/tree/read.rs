//! Looking, without a write.

use smr_core::Guard;

use super::Tree;
use crate::bounds::interval;
use crate::cursor::{Cursor, Paused};
use crate::iter::{Contiguous, Iter, Keys, Values};
use crate::key::{Key, bits_of, last};
use crate::raw::{Item, Policy, Walk};

pub(crate) type Entry<'g, K, P> = (K, <P as Policy>::Val<'g>);

#[inline]
pub(crate) fn entry<'g, K: Key, P: Policy>(item: Item<'g, P>) -> Entry<'g, K, P> {
    (K::from_bits(item.key), item.value)
}

impl<K: Key, P: Policy> Tree<K, P> {
    fn ge<'g>(&'g self, bits: u64, guard: &'g Guard) -> Option<Item<'g, P>> {
        Walk::new(&self.raw, guard, None).seek_ge(bits)
    }

    fn le<'g>(&'g self, bits: u64, guard: &'g Guard) -> Option<Item<'g, P>> {
        Walk::new(&self.raw, guard, None).seek_le(bits)
    }

    /// The value of the key. Wait-free; a load for each digit of the key that tells it
    /// from others.
    ///
    /// # Panics
    ///
    /// As all methods that take a guard: if it is one of another domain.
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([(1_u8, 'a')]);
    /// let guard = tree.guard();
    /// assert_eq!(tree.get(1, &guard), Some(&'a'));
    /// assert_eq!(tree.get(2, &guard), None);
    /// ```
    #[inline]
    #[track_caller]
    pub fn get<'g>(&'g self, key: K, guard: &'g Guard) -> Option<P::Val<'g>> {
        self.check(guard);
        self.raw.find(bits_of(key), guard)
    }

    /// Whether the key is there. As [`get`](Self::get).
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    ///
    /// ```
    /// let tree = smr_radix::InlineTree::from_iter([(-1_i32, 'a')]);
    /// assert!(tree.contains_key(-1, &tree.guard()));
    /// ```
    #[inline]
    #[track_caller]
    pub fn contains_key(&self, key: K, guard: &Guard) -> bool {
        self.get(key, guard).is_some()
    }

    /// The entry with the smallest key. As [`get_ge`](Self::get_ge).
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([(5_i8, 'a'), (-5, 'b')]);
    /// assert_eq!(tree.first(&tree.guard()), Some((-5, &'b')));
    /// ```
    #[track_caller]
    pub fn first<'g>(&'g self, guard: &'g Guard) -> Option<Entry<'g, K, P>> {
        self.check(guard);
        self.ge(0, guard).map(entry)
    }

    /// The entry with the largest key. As [`get_le`](Self::get_le).
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([(5_i8, 'a'), (-5, 'b')]);
    /// assert_eq!(tree.last(&tree.guard()), Some((5, &'a')));
    /// ```
    #[track_caller]
    pub fn last<'g>(&'g self, guard: &'g Guard) -> Option<Entry<'g, K, P>> {
        self.check(guard);
        self.le(last::<K>(), guard).map(entry)
    }

    /// The first entry whose key is the given one or greater. Lock-free, no write.
    ///
    /// A key that is in the tree throughout the call is never passed over, and what is
    /// returned was there at an instant of the call. See
    /// [the crate](crate#what-is-promised) for what comes or goes meanwhile.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([(10_u64, 'a'), (20, 'b')]);
    /// let guard = tree.guard();
    /// assert_eq!(tree.get_ge(10, &guard), Some((10, &'a')));
    /// assert_eq!(tree.get_ge(11, &guard), Some((20, &'b')));
    /// assert_eq!(tree.get_ge(21, &guard), None);
    /// ```
    #[track_caller]
    pub fn get_ge<'g>(&'g self, key: K, guard: &'g Guard) -> Option<Entry<'g, K, P>> {
        self.check(guard);
        self.ge(bits_of(key), guard).map(entry)
    }

    /// The first entry with a greater key. As [`get_ge`](Self::get_ge).
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([(10_u64, 'a'), (20, 'b')]);
    /// let guard = tree.guard();
    /// assert_eq!(tree.get_gt(10, &guard), Some((20, &'b')));
    /// assert_eq!(tree.get_gt(u64::MAX, &guard), None);
    /// ```
    #[track_caller]
    pub fn get_gt<'g>(&'g self, key: K, guard: &'g Guard) -> Option<Entry<'g, K, P>> {
        self.check(guard);
        let bits = bits_of(key);
        if bits == last::<K>() {
            return None;
        }
        self.ge(bits + 1, guard).map(entry)
    }

    /// The last entry whose key is the given one or smaller. Lock-free, no write; as
    /// [`get_ge`](Self::get_ge).
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([(10_u64, 'a'), (20, 'b')]);
    /// let guard = tree.guard();
    /// assert_eq!(tree.get_le(19, &guard), Some((10, &'a')));
    /// assert_eq!(tree.get_le(9, &guard), None);
    /// ```
    #[track_caller]
    pub fn get_le<'g>(&'g self, key: K, guard: &'g Guard) -> Option<Entry<'g, K, P>> {
        self.check(guard);
        self.le(bits_of(key), guard).map(entry)
    }

    /// The last entry with a smaller key. As [`get_le`](Self::get_le).
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([(10_u64, 'a'), (20, 'b')]);
    /// let guard = tree.guard();
    /// assert_eq!(tree.get_lt(20, &guard), Some((10, &'a')));
    /// assert_eq!(tree.get_lt(0, &guard), None);
    /// ```
    #[track_caller]
    pub fn get_lt<'g>(&'g self, key: K, guard: &'g Guard) -> Option<Entry<'g, K, P>> {
        self.check(guard);
        let bits = bits_of(key).checked_sub(1)?;
        self.le(bits, guard).map(entry)
    }

    /// Iterates over all entries in the order of their keys, from either end.
    ///
    /// Keys are strictly increasing, or decreasing from the other end. What is there
    /// throughout is met exactly once: see [the crate](crate#what-is-promised).
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([(2_u8, 'b'), (1, 'a')]);
    /// let guard = tree.guard();
    /// assert!(tree.iter(&guard).eq([(1, &'a'), (2, &'b')]));
    /// assert!(tree.iter(&guard).rev().eq([(2, &'b'), (1, &'a')]));
    /// ```
    #[track_caller]
    pub fn iter<'g>(&'g self, guard: &'g Guard) -> Iter<'g, K, P> {
        self.range(.., guard)
    }

    /// Iterates over the keys in order, as [`iter`](Self::iter).
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([(2_u8, 'b'), (1, 'a')]);
    /// assert!(tree.keys(&tree.guard()).eq([1, 2]));
    /// ```
    #[track_caller]
    pub fn keys<'g>(&'g self, guard: &'g Guard) -> Keys<'g, K, P> {
        Keys(self.iter(guard))
    }

    /// Iterates over the values in the order of their keys, as [`iter`](Self::iter).
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([(2_u8, 'b'), (1, 'a')]);
    /// assert!(tree.values(&tree.guard()).eq(&['a', 'b']));
    /// ```
    #[track_caller]
    pub fn values<'g>(&'g self, guard: &'g Guard) -> Values<'g, K, P> {
        Values(self.iter(guard))
    }

    /// Iterates over the entries within bounds, as [`iter`](Self::iter).
    ///
    /// # Panics
    ///
    /// As `BTreeMap::range`: if the start is behind the end, or if both are the same
    /// key and excluded. And if the guard is one of another domain.
    ///
    /// ```
    /// let tree = smr_radix::InlineTree::from_iter((0..100_u32).map(|k| (k, k * k)));
    /// let guard = tree.guard();
    /// assert!(tree.range(3..6, &guard).eq([(3, 9), (4, 16), (5, 25)]));
    /// assert_eq!(tree.range(10.., &guard).next_back(), Some((99, 9801)));
    /// ```
    #[track_caller]
    pub fn range<'g>(
        &'g self,
        bounds: impl core::ops::RangeBounds<K>,
        guard: &'g Guard,
    ) -> Iter<'g, K, P> {
        self.check(guard);
        Iter::new(self, interval(bounds), guard)
    }

    /// Iterates over a run without a hole: the entries of `start`, of its
    /// [successor](Key::successor), and so on, up to the first key that is absent, and
    /// at most `max` of them.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([5_u64, 6, 7, 9].map(|k| (k, ())));
    /// let guard = tree.guard();
    /// let run = |start, max| tree.contiguous(start, max, &guard).map(|(k, _)| k);
    /// assert!(run(5, 10).eq([5, 6, 7]));
    /// assert!(run(5, 2).eq([5, 6]));
    /// assert!(run(8, 10).eq([]));
    /// ```
    #[track_caller]
    pub fn contiguous<'g>(
        &'g self,
        start: K,
        max: usize,
        guard: &'g Guard,
    ) -> Contiguous<'g, K, P> {
        self.check(guard);
        Contiguous::new(self, start, max, guard)
    }

    /// The first key from `start` on that is absent, or `None` if there is none up to
    /// the last key. O(n) in the length of the run that it leads to.
    ///
    /// It was absent at an instant of the call. Keys that it passed over were there
    /// each at an instant of its own.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    ///
    /// ```
    /// let tree = smr_radix::InlineTree::from_iter([5_u8, 6, 7, 255].map(|k| (k, ())));
    /// let guard = tree.guard();
    /// assert_eq!(tree.next_gap(5, &guard), Some(8));
    /// assert_eq!(tree.next_gap(4, &guard), Some(4));
    /// assert_eq!(tree.next_gap(255, &guard), None);
    /// ```
    #[track_caller]
    pub fn next_gap(&self, start: K, guard: &Guard) -> Option<K> {
        let mut at = start;
        for (key, _) in self.contiguous(start, usize::MAX, guard) {
            at = key.successor()?;
        }
        Some(at)
    }

    /// A cursor at the first entry whose key is the given one or greater.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([(1_u64, 'a'), (3, 'b')]);
    /// let guard = tree.guard();
    /// let mut cursor = tree.cursor(2, &guard);
    /// assert_eq!((cursor.key(), cursor.value()), (Some(3), Some(&'b')));
    /// assert_eq!(cursor.prev(), Some((1, &'a')));
    /// ```
    #[track_caller]
    pub fn cursor<'g>(&'g self, key: K, guard: &'g Guard) -> Cursor<'g, K, P> {
        self.check(guard);
        let mut cursor = Cursor::new(self, guard);
        cursor.seek(key);
        cursor
    }

    /// Goes on where a cursor paused, maybe under another guard: at the entry that it
    /// was at, or, if that has gone meanwhile, at the next greater one.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([(1_u64, 'a'), (2, 'b'), (3, 'c')]);
    /// let paused = tree.cursor(2, &tree.guard()).pause();
    /// tree.remove(2, &tree.guard());
    /// assert_eq!(tree.resume(paused, &tree.guard()).key(), Some(3));
    /// ```
    #[track_caller]
    pub fn resume<'g>(&'g self, paused: Paused<K>, guard: &'g Guard) -> Cursor<'g, K, P> {
        self.check(guard);
        Cursor::resume(self, paused, guard)
    }
}
