//! Iterators and cursors of an [`OrderedList`], and what collections have.

use core::borrow::Borrow;
use core::fmt;
use core::ops::{Bound, RangeBounds};

use smr_core::Guard;

use super::{Entry, OrderedList, pair};
use crate::raw::node::Node;

pub(super) enum State<'g, K, V> {
    Before,
    /// To be returned next.
    Found(&'g Node<Entry<K, V>>),
    /// Was returned.
    At(&'g Node<Entry<K, V>>),
    End,
}

impl<K, V> Clone for State<'_, K, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, V> Copy for State<'_, K, V> {}

impl<'g, K, V> State<'g, K, V> {
    pub(super) fn found(node: Option<&'g Node<Entry<K, V>>>) -> Self {
        node.map_or(Self::End, Self::Found)
    }
}

/// An iterator over an [`OrderedList`].
pub struct Iter<'g, K, V> {
    pub(super) list: &'g OrderedList<K, V>,
    pub(super) guard: &'g Guard,
    pub(super) state: State<'g, K, V>,
}

fn next_greater<'g, K: Ord, V>(
    list: &'g OrderedList<K, V>,
    from: &'g Node<Entry<K, V>>,
    guard: &'g Guard,
) -> Option<&'g Node<Entry<K, V>>> {
    let mut at = from;
    loop {
        at = list.chain.after(at, guard)?;
        // A replacement stands behind what it replaced.
        if at.value.0 > from.value.0 {
            return Some(at);
        }
    }
}

impl<'g, K: Ord, V> Iterator for Iter<'g, K, V> {
    type Item = (&'g K, &'g V);

    fn next(&mut self) -> Option<Self::Item> {
        let node = match self.state {
            State::Before => self
                .list
                .chain
                .live(self.list.chain.head.walk(), self.guard),
            State::Found(node) => Some(node),
            State::At(node) => next_greater(self.list, node, self.guard),
            State::End => None,
        };
        self.state = node.map_or(State::End, State::At);
        node.map(pair)
    }
}

impl<K: Ord, V> core::iter::FusedIterator for Iter<'_, K, V> {}

impl<K, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<K, V> fmt::Debug for Iter<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}

/// An iterator over a part of an [`OrderedList`].
pub struct Range<'g, K, V, Q: ?Sized, R> {
    pub(super) iter: Iter<'g, K, V>,
    pub(super) bounds: R,
    pub(super) _query: core::marker::PhantomData<fn(&Q)>,
}

impl<'g, K, V, Q, R> Iterator for Range<'g, K, V, Q, R>
where
    K: Ord + Borrow<Q>,
    Q: Ord + ?Sized,
    R: RangeBounds<Q>,
{
    type Item = (&'g K, &'g V);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, value) = self.iter.next()?;
        let within = match self.bounds.end_bound() {
            Bound::Included(end) => key.borrow() <= end,
            Bound::Excluded(end) => key.borrow() < end,
            Bound::Unbounded => true,
        };
        if !within {
            self.iter.state = State::End;
        }
        within.then_some((key, value))
    }
}

impl<K, V, Q, R> core::iter::FusedIterator for Range<'_, K, V, Q, R>
where
    K: Ord + Borrow<Q>,
    Q: Ord + ?Sized,
    R: RangeBounds<Q>,
{
}

impl<K, V, Q: ?Sized, R: Clone> Clone for Range<'_, K, V, Q, R> {
    fn clone(&self) -> Self {
        Self {
            iter: self.iter.clone(),
            bounds: self.bounds.clone(),
            _query: core::marker::PhantomData,
        }
    }
}

impl<K, V, Q: ?Sized, R> fmt::Debug for Range<'_, K, V, Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Range").finish_non_exhaustive()
    }
}

/// A place in an [`OrderedList`].
pub struct Cursor<'g, K, V> {
    pub(super) list: &'g OrderedList<K, V>,
    pub(super) guard: &'g Guard,
    pub(super) at: Option<&'g Node<Entry<K, V>>>,
}

impl<'g, K: Ord, V> Cursor<'g, K, V> {
    /// The element at the cursor, also when it has been removed meanwhile.
    #[must_use]
    pub fn current(&self) -> Option<(&'g K, &'g V)> {
        self.at.map(pair)
    }

    /// Whether the element at the cursor is in the list, as it is.
    #[must_use]
    pub fn still_current(&self) -> bool {
        self.at.is_some_and(|node| !node.next.walk().is_marked())
    }

    /// Moves to the next greater key.
    pub fn move_next(&mut self) {
        self.at = self
            .at
            .and_then(|node| next_greater(self.list, node, self.guard));
    }
}

impl<K, V> Clone for Cursor<'_, K, V> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Cursor<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cursor").field(&self.at.map(pair)).finish()
    }
}

impl<K, V> Default for OrderedList<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord + fmt::Debug, V: fmt::Debug> fmt::Debug for OrderedList<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter(&self.guard())).finish()
    }
}

impl<K: Ord + Clone, V: Clone> Clone for OrderedList<K, V> {
    fn clone(&self) -> Self {
        let new = Self::new_in(self.domain());
        let guard = self.guard();
        let mut last = None;
        for (key, value) in self.iter(&guard) {
            let fresh = (key.clone(), value.clone());
            last = Some(new.chain.push_behind(last, fresh, &guard));
        }
        new
    }
}

impl<K: Ord, V> Extend<(K, V)> for OrderedList<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, iter: I) {
        for (key, value) in iter {
            self.insert(key, value, &self.guard());
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for OrderedList<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(iter: I) -> Self {
        let mut list = Self::new();
        list.extend(iter);
        list
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for OrderedList<K, V> {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

/// The elements of an [`OrderedList`], by value.
pub struct IntoIter<K, V>(OrderedList<K, V>);

impl<K, V> Iterator for IntoIter<K, V> {
    type Item = (K, V);

    fn next(&mut self) -> Option<(K, V)> {
        self.0.chain.pop_mut()
    }
}

impl<K, V> core::iter::FusedIterator for IntoIter<K, V> {}

impl<K, V> fmt::Debug for IntoIter<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntoIter").finish_non_exhaustive()
    }
}

impl<K, V> IntoIterator for OrderedList<K, V> {
    type Item = (K, V);
    type IntoIter = IntoIter<K, V>;

    fn into_iter(self) -> IntoIter<K, V> {
        IntoIter(self)
    }
}
