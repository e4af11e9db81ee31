//! Many keys at once. Each is changed by itself.

use core::ops::RangeBounds;

use smr_core::Guard;

use super::Tree;
use super::write::expect_memory;
use crate::bounds::interval;
use crate::key::{Key, bits_of};
use crate::raw::{Batch, Policy, Walk};

impl<K: Key, P: Policy> Tree<K, P> {
    /// Inserts or replaces all these entries, one by one, and returns how many keys are
    /// new. Lock-free. Where a key comes twice, the later one stays.
    ///
    /// It is faster where keys come in order, or close to each other: the way to a key
    /// begins in the last node that it shares with the key before, and not at the root.
    /// O(1) for each key that stands in the same node as the one before it, else as
    /// [`insert`](Self::insert). Each linearizes as that does.
    ///
    /// # Panics
    ///
    /// As [`insert`](Self::insert), and if the iterator does; what was inserted before
    /// that stays.
    ///
    /// ```
    /// let tree = smr_radix::InlineTree::from_iter([(3_u64, 0)]);
    /// let guard = tree.guard();
    /// assert_eq!(tree.insert_batch((1..5).map(|k| (k, k)), &guard), 3);
    /// assert_eq!(tree.get(3, &guard), Some(3));
    /// ```
    #[track_caller]
    pub fn insert_batch(
        &self,
        entries: impl IntoIterator<Item = (K, P::Value)>,
        guard: &Guard,
    ) -> usize {
        self.check(guard);
        let mut batch = Batch::new(&self.raw, guard);
        let entries = entries.into_iter();
        let is_new = |(key, value)| expect_memory(batch.put(bits_of(key), value));
        entries.map(is_new).map(usize::from).sum()
    }

    /// Removes the entries within bounds, in the order of their keys, and returns how
    /// many. O(n) in what is removed; lock-free. Each removal linearizes by itself.
    ///
    /// What is there throughout is removed; what comes meanwhile may be.
    ///
    /// # Panics
    ///
    /// As [`range`](Self::range), and if a destructor panics; what was removed before
    /// that stays removed.
    ///
    /// ```
    /// let tree = smr_radix::InlineTree::from_iter((0..100_u64).map(|k| (k, k)));
    /// let guard = tree.guard();
    /// assert_eq!(tree.remove_range(90.., &guard), 10);
    /// assert_eq!(tree.last(&guard), Some((89, 89)));
    /// ```
    #[track_caller]
    pub fn remove_range(&self, bounds: impl RangeBounds<K>, guard: &Guard) -> usize {
        self.check(guard);
        interval(bounds).map_or(0, |(first, last)| self.raw.remove_range(first, last, guard))
    }

    /// Removes the entries for which `keep` does not hold, in the order of their keys.
    /// O(n), lock-free. Each removal linearizes by itself.
    ///
    /// Where a value is replaced meanwhile, `keep` is asked about the new one too.
    ///
    /// # Panics
    ///
    /// As [`insert`](Self::insert), and if `keep` does; what was removed before that
    /// stays removed.
    ///
    /// ```
    /// let tree = smr_radix::InlineTree::from_iter((0..6_u64).map(|k| (k, k)));
    /// let guard = tree.guard();
    /// tree.retain(|key, _| key % 2 == 0, &guard);
    /// assert!(tree.keys(&guard).eq([0, 2, 4]));
    /// ```
    #[track_caller]
    pub fn retain<'g>(&'g self, mut keep: impl FnMut(K, P::Val<'g>) -> bool, guard: &'g Guard) {
        self.check(guard);
        let mut walk = Walk::new(&self.raw, guard, None);
        let mut at = walk.seek_ge(0);
        while let Some(item) = at {
            if !keep(K::from_bits(item.key), item.value) && !walk.remove() {
                // Another value, or none, is there now.
                self.remove_if(
                    K::from_bits(item.key),
                    |value| !keep(K::from_bits(item.key), value),
                    guard,
                );
            }
            at = walk.next();
        }
    }

    /// Removes all entries that are there, one by one. As
    /// [`remove_range`](Self::remove_range).
    ///
    /// # Panics
    ///
    /// As [`insert`](Self::insert); what was removed before that stays removed.
    ///
    /// ```
    /// let tree = smr_radix::InlineTree::from_iter((0..6_u64).map(|k| (k, k)));
    /// tree.clear(&tree.guard());
    /// assert!(tree.is_empty());
    /// ```
    #[track_caller]
    pub fn clear(&self, guard: &Guard) {
        self.remove_range(.., guard);
    }
}
