//! Marks.

use core::ops::RangeBounds;

use smr_core::Guard;

use super::Tree;
use crate::bounds::interval;
use crate::iter::Marked;
use crate::key::{Key, bits_of};
use crate::mark::Mark;
use crate::raw::Policy;

impl<K: Key, P: Policy> Tree<K, P> {
    /// Sets a mark of the entry, and says whether there is one to be marked. Lock-free.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    ///
    /// ```
    /// use smr_radix::{InlineTree, Mark};
    ///
    /// let tree = InlineTree::from_iter([(1_u64, 'a')]);
    /// let guard = tree.guard();
    /// assert!(tree.set_mark(1, Mark::DIRTY, &guard));
    /// assert!(!tree.set_mark(2, Mark::DIRTY, &guard), "no entry, no mark");
    /// assert!(tree.test_mark(1, Mark::DIRTY, &guard));
    /// assert!(!tree.test_mark(1, Mark::ACCESSED, &guard));
    /// ```
    #[track_caller]
    pub fn set_mark(&self, key: K, mark: Mark, guard: &Guard) -> bool {
        self.check(guard);
        let before = self.raw.set_mark(bits_of(key), mark.raw(), guard);
        before.is_some()
    }

    /// Clears a mark of the entry, and says whether the entry is there. Lock-free.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    ///
    /// ```
    /// use smr_radix::{InlineTree, Mark};
    ///
    /// let tree = InlineTree::from_iter([(1_u64, 'a')]);
    /// let guard = tree.guard();
    /// tree.set_mark(1, Mark::DIRTY, &guard);
    /// assert!(tree.clear_mark(1, Mark::DIRTY, &guard));
    /// assert!(!tree.test_mark(1, Mark::DIRTY, &guard));
    /// ```
    #[track_caller]
    pub fn clear_mark(&self, key: K, mark: Mark, guard: &Guard) -> bool {
        self.check(guard);
        let before = self.raw.clear_mark(bits_of(key), mark.raw(), guard);
        before.is_some()
    }

    /// Whether the entry is there and has the mark. Wait-free.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    ///
    /// ```
    /// use smr_radix::{InlineTree, Mark};
    ///
    /// let tree = InlineTree::from_iter([(1_u64, 'a')]);
    /// assert!(!tree.test_mark(1, Mark::DIRTY, &tree.guard()));
    /// ```
    #[track_caller]
    pub fn test_mark(&self, key: K, mark: Mark, guard: &Guard) -> bool {
        self.check(guard);
        let is_set = self.raw.test_mark(bits_of(key), mark.raw(), guard);
        is_set == Some(true)
    }

    /// Sets a mark of all entries within bounds, each by itself, and returns how many
    /// there are. O(n), lock-free.
    ///
    /// # Panics
    ///
    /// As [`range`](Self::range).
    ///
    /// ```
    /// use smr_radix::{InlineTree, Mark};
    ///
    /// let tree = InlineTree::from_iter((0..100_u64).map(|k| (k, k)));
    /// let guard = tree.guard();
    /// assert_eq!(tree.set_mark_range(40..60, Mark::WRITEBACK, &guard), 20);
    /// assert_eq!(tree.iter_marked(Mark::WRITEBACK, &guard).count(), 20);
    /// ```
    #[track_caller]
    pub fn set_mark_range(&self, bounds: impl RangeBounds<K>, mark: Mark, guard: &Guard) -> usize {
        self.check(guard);
        interval(bounds).map_or(0, |(first, last)| {
            self.raw.set_mark_range(first, last, mark.raw(), guard)
        })
    }

    /// Iterates over the entries that have the mark, in the order of their keys. Parts of
    /// the tree without marked entries are passed over at one look.
    ///
    /// An entry that has the mark throughout is met exactly once.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    ///
    /// ```
    /// use smr_radix::{InlineTree, Mark};
    ///
    /// let tree = InlineTree::from_iter((0..1000_u64).map(|k| (k, 'a')));
    /// let guard = tree.guard();
    /// tree.set_mark(777, Mark::DIRTY, &guard);
    /// assert!(tree.iter_marked(Mark::DIRTY, &guard).eq([(777, 'a')]));
    /// ```
    #[track_caller]
    pub fn iter_marked<'g>(&'g self, mark: Mark, guard: &'g Guard) -> Marked<'g, K, P> {
        self.range_marked(.., mark, guard)
    }

    /// Iterates over the entries within bounds that have the mark, as
    /// [`iter_marked`](Self::iter_marked).
    ///
    /// # Panics
    ///
    /// As [`range`](Self::range).
    ///
    /// ```
    /// use smr_radix::{InlineTree, Mark};
    ///
    /// let tree = InlineTree::from_iter((0..100_u64).map(|k| (k, ())));
    /// let guard = tree.guard();
    /// tree.set_mark_range(10..20, Mark::DIRTY, &guard);
    /// for (page, ()) in tree.range_marked(15.., Mark::DIRTY, &guard) {
    ///     // It may be changed again as soon as it is no longer dirty.
    ///     tree.clear_mark(page, Mark::DIRTY, &guard);
    /// }
    /// assert!(tree.iter_marked(Mark::DIRTY, &guard).map(|(k, ())| k).eq(10..15));
    /// ```
    #[track_caller]
    pub fn range_marked<'g>(
        &'g self,
        bounds: impl RangeBounds<K>,
        mark: Mark,
        guard: &'g Guard,
    ) -> Marked<'g, K, P> {
        self.check(guard);
        Marked::new(self, interval(bounds), mark, guard)
    }
}
