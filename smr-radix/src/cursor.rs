//! A place in a [`Tree`], which can be moved and asked whether it is up to date.

use core::fmt;

use smr_core::Guard;

use crate::key::{Key, bits_of, last};
use crate::raw::{Item, Policy, Walk};
use crate::tree::{Entry, Tree, entry};

/// A place in a [`Tree`]: at an entry, before the first one, or behind the last one.
///
/// [`Tree::cursor`] makes one. As an iterator it moves forwards; [`prev`](Self::prev)
/// moves backwards. It stays where it is when the entry is removed, and goes on from
/// there; [`still_current`](Self::still_current) tells. That is how a page cache takes a
/// page without a lock: load, acquire, look again.
///
/// ```
/// use std::sync::Arc;
/// use smr_radix::RadixTree;
///
/// let cache = RadixTree::from_iter([(7_u64, Arc::new("page"))]);
/// let guard = cache.guard();
/// let page = loop {
///     let cursor = cache.cursor(7, &guard);
///     let page = cursor.value().map(Arc::clone);
///     if cursor.still_current() || page.is_none() {
///         break page;
///     }
///     // It was removed or replaced between the load and the acquisition.
/// };
/// assert_eq!(page.as_deref(), Some(&"page"));
/// ```
///
/// A step meets what is there since the last [`seek`](Self::seek). What was inserted
/// after that may be missed by steps, and is never missed by a `seek`.
pub struct Cursor<'g, K, P: Policy> {
    walk: Walk<'g, P>,
    at: At<Item<'g, P>>,
    tree: core::marker::PhantomData<&'g Tree<K, P>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At<E> {
    /// Before the first entry.
    Start,
    Entry(E),
    /// Behind the last one.
    End,
}

/// Where a [`Cursor`] was: see [`Cursor::pause`] and [`Tree::resume`].
///
/// It holds no guard and nothing of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paused<K>(At<K>);

impl<'g, K: Key, P: Policy> Cursor<'g, K, P> {
    pub(crate) fn new(tree: &'g Tree<K, P>, guard: &'g Guard) -> Self {
        Self {
            walk: Walk::new(&tree.raw, guard, None),
            at: At::Start,
            tree: core::marker::PhantomData,
        }
    }

    pub(crate) fn resume(tree: &'g Tree<K, P>, paused: Paused<K>, guard: &'g Guard) -> Self {
        let mut cursor = Self::new(tree, guard);
        match paused.0 {
            At::Start => {}
            At::Entry(key) => _ = cursor.seek(key),
            At::End => cursor.at = At::End,
        }
        cursor
    }

    /// Moves there, and returns what is there now.
    fn arrive(
        &mut self,
        item: Option<Item<'g, P>>,
        other: At<Item<'g, P>>,
    ) -> Option<Entry<'g, K, P>> {
        self.at = item.map_or(other, At::Entry);
        item.map(entry)
    }

    fn item(&self) -> Option<Item<'g, P>> {
        match self.at {
            At::Entry(item) => Some(item),
            At::Start | At::End => None,
        }
    }

    /// Moves to the first entry whose key is the given one or greater, or behind the
    /// last entry. Lock-free, no write.
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([(1_u64, 'a'), (9, 'b')]);
    /// let guard = tree.guard();
    /// let mut cursor = tree.cursor(0, &guard);
    /// assert_eq!(cursor.seek(5), Some((9, &'b')));
    /// assert_eq!(cursor.seek(10), None);
    /// assert_eq!(cursor.prev(), Some((9, &'b')));
    /// ```
    pub fn seek(&mut self, key: K) -> Option<Entry<'g, K, P>> {
        let item = self.walk.seek_ge(bits_of(key));
        self.arrive(item, At::End)
    }

    /// Moves to the entry before, or before the first one. Lock-free, no write.
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([(1_u64, 'a'), (9, 'b')]);
    /// let guard = tree.guard();
    /// let mut cursor = tree.cursor(9, &guard);
    /// assert_eq!(cursor.prev(), Some((1, &'a')));
    /// assert_eq!(cursor.prev(), None);
    /// assert_eq!(cursor.next(), Some((1, &'a')), "it was before the first");
    /// ```
    pub fn prev(&mut self) -> Option<Entry<'g, K, P>> {
        let item = match self.at {
            At::Start => None,
            At::Entry(_) => self.walk.prev(),
            At::End => self.walk.seek_le(last::<K>()),
        };
        self.arrive(item, At::Start)
    }

    /// The key of the entry that the cursor is at, also when that has been removed.
    #[must_use]
    pub fn key(&self) -> Option<K> {
        self.item().map(|item| K::from_bits(item.key))
    }

    /// The value of the entry that the cursor is at, as it was when the cursor came
    /// there.
    #[must_use]
    pub fn value(&self) -> Option<P::Val<'g>> {
        self.item().map(|item| item.value)
    }

    /// Whether the cursor is at an entry that is in the tree with the value that
    /// [`value`](Self::value) returns. Lock-free, no write; linearizes at the load of the
    /// slot. An [`InlineTree`](crate::InlineTree) compares values.
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([(1_u64, 'a')]);
    /// let guard = tree.guard();
    /// let cursor = tree.cursor(1, &guard);
    /// assert!(cursor.still_current());
    /// tree.insert(1, 'a', &guard);
    /// assert!(!cursor.still_current(), "it is another value, though equal");
    /// ```
    #[must_use]
    pub fn still_current(&self) -> bool {
        self.item().is_some() && self.walk.is_current()
    }

    /// Ends the cursor and keeps its place, so that the guard can end meanwhile: see
    /// [`Tree::resume`].
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter((0..100_u64).map(|k| (k, ())));
    /// let mut paused = tree.cursor(0, &tree.guard()).pause();
    /// let mut seen = 0;
    /// loop {
    ///     let guard = tree.guard();
    ///     let mut cursor = tree.resume(paused, &guard);
    ///     // Ten entries in each section, so that none is long.
    ///     for _ in 0..10 {
    ///         seen += u32::from(cursor.key().is_some());
    ///         cursor.next();
    ///     }
    ///     if cursor.key().is_none() {
    ///         break;
    ///     }
    ///     paused = cursor.pause();
    /// }
    /// assert_eq!(seen, 100);
    /// ```
    #[must_use]
    pub fn pause(self) -> Paused<K> {
        Paused(match self.at {
            At::Start => At::Start,
            At::Entry(item) => At::Entry(K::from_bits(item.key)),
            At::End => At::End,
        })
    }
}

impl<K> Paused<K> {
    /// The key of the entry that the cursor was at.
    #[must_use]
    pub fn key(self) -> Option<K> {
        match self.0 {
            At::Entry(key) => Some(key),
            At::Start | At::End => None,
        }
    }
}

/// Moves to the entry behind, or behind the last one. Lock-free, no write.
impl<'g, K: Key, P: Policy> Iterator for Cursor<'g, K, P> {
    type Item = Entry<'g, K, P>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let item = match self.at {
            At::Start => self.walk.seek_ge(0),
            At::Entry(_) => self.walk.next(),
            At::End => None,
        };
        self.arrive(item, At::End)
    }
}

impl<K: Key, P: Policy> core::iter::FusedIterator for Cursor<'_, K, P> {}

impl<K: Key + fmt::Debug, P: Policy<Value: fmt::Debug>> fmt::Debug for Cursor<'_, K, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use core::borrow::Borrow;
        let entry = self.item().map(entry::<K, P>);
        let entry = entry.as_ref().map(|(key, value)| (key, value.borrow()));
        f.debug_tuple("Cursor").field(&entry).finish()
    }
}
