//! Iterators over a [`Tree`].

use core::fmt;

use smr_core::Guard;

use crate::key::{Key, bits_of};
use crate::mark::Mark;
use crate::raw::{Item, Policy, Run, Walk};
use crate::tree::{Entry, Tree, entry};

macro_rules! debug {
    ($($name:ident),*) => {$(
        impl<K, P: Policy> fmt::Debug for $name<'_, K, P> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

debug!(Iter, Keys, Values, Contiguous, Marked);

/// An iterator over the entries of a [`Tree`], or of those within bounds, from either
/// end: see [`Tree::iter`], [`Tree::range`].
pub struct Iter<'g, K, P: Policy> {
    tree: &'g Tree<K, P>,
    guard: &'g Guard,
    /// What is next, as far as it is in a row; it knows the first key that may still be
    /// returned.
    ahead: Run<'g, P>,
    /// The last key that may still be returned, unless it is done.
    to: u64,
    is_done: bool,
    front: Option<Walk<'g, P>>,
    back: Option<Walk<'g, P>>,
}

impl<'g, K, P: Policy> Iter<'g, K, P> {
    pub(crate) fn new(tree: &'g Tree<K, P>, within: Option<(u64, u64)>, guard: &'g Guard) -> Self {
        let (from, to) = within.unwrap_or_default();
        Self {
            tree,
            guard,
            ahead: Run::none(from),
            to,
            is_done: within.is_none(),
            front: None,
            back: None,
        }
    }

    /// Comes to an entry that is not in the row ahead.
    #[inline(always)]
    fn arrive(&mut self, item: Option<Item<'g, P>>) -> Option<Item<'g, P>> {
        let item = item.filter(|item| item.key <= self.to);
        self.is_done = item.is_none_or(|item| item.key == self.to);
        // It does not wrap unless it is done.
        self.ahead.go_to(item?.key.wrapping_add(1));
        item
    }

    /// The next entry, where there is no row ahead. Apart, so that a loop over rows is a
    /// short one.
    #[inline(never)]
    fn step(&mut self) -> Option<Item<'g, P>> {
        if !self.ahead.is_row()
            && !self.is_done
            && let Some(walk) = &mut self.front
            && let Some(item) = walk.quick::<true>()
        {
            return self.arrive(Some(item));
        }
        self.step_far()
    }

    /// The next entry, from where the walk is or from the root.
    #[inline(never)]
    fn step_far(&mut self) -> Option<Item<'g, P>> {
        self.leave_row();
        if self.is_done {
            return None;
        }
        let from = self.ahead.key();
        let walk = match &mut self.front {
            Some(walk) => walk,
            start => start.insert(Walk::new(&self.tree.raw, self.guard, None)),
        };
        let found = walk.go_on(from);
        let item = self.arrive(found);
        if !self.is_done
            && let Some(walk) = &self.front
            && let Some(row) = walk.row(self.ahead.key(), self.to)
        {
            self.ahead = row;
        }
        item
    }

    /// Goes on without the row ahead.
    fn leave_row(&mut self) {
        if let (true, Some(walk)) = (self.ahead.is_row(), &mut self.front) {
            walk.pass(self.ahead.key());
            // Where it ended with the bounds, the key may have wrapped.
            self.is_done |= self.ahead.is_over() && walk.is_in_node_of(self.to);
            self.ahead = Run::none(self.ahead.key());
        }
    }
}

impl<'g, K: Key, P: Policy> Iterator for Iter<'g, K, P> {
    type Item = Entry<'g, K, P>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self.ahead.next() {
            Some(item) => Some(entry(item)),
            None => self.step().map(entry),
        }
    }
}

impl<K: Key, P: Policy> DoubleEndedIterator for Iter<'_, K, P> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        self.leave_row();
        if self.is_done {
            return None;
        }
        let item = match &mut self.back {
            Some(walk) => walk.prev(),
            start => {
                let walk = Walk::new(&self.tree.raw, self.guard, None);
                start.insert(walk).seek_le(self.to)
            }
        };
        let from = self.ahead.key();
        let item = item.filter(|item| item.key >= from);
        self.is_done = item.is_none_or(|item| item.key == from);
        // It does not wrap unless it is done.
        self.to = item?.key.wrapping_sub(1);
        item.map(entry)
    }
}

impl<K: Key, P: Policy> core::iter::FusedIterator for Iter<'_, K, P> {}

macro_rules! part {
    ($(#[$doc:meta])* $name:ident: |$entry:pat_param| $part:expr => $item:ty) => {
        $(#[$doc])*
        pub struct $name<'g, K, P: Policy>(pub(crate) Iter<'g, K, P>);

        impl<'g, K: Key, P: Policy> Iterator for $name<'g, K, P> {
            type Item = $item;

            #[inline]
            fn next(&mut self) -> Option<Self::Item> {
                self.0.next().map(|$entry| $part)
            }
        }

        impl<K: Key, P: Policy> DoubleEndedIterator for $name<'_, K, P> {
            #[inline]
            fn next_back(&mut self) -> Option<Self::Item> {
                self.0.next_back().map(|$entry| $part)
            }
        }

        impl<K: Key, P: Policy> core::iter::FusedIterator for $name<'_, K, P> {}
    };
}

part! {
    /// An iterator over the keys of a [`Tree`]: see [`Tree::keys`].
    Keys: |(key, _)| key => K
}

part! {
    /// An iterator over the values of a [`Tree`], in the order of their keys: see
    /// [`Tree::values`].
    Values: |(_, value)| value => P::Val<'g>
}

/// An iterator over entries without a hole between them: see [`Tree::contiguous`].
pub struct Contiguous<'g, K, P: Policy> {
    walk: Walk<'g, P>,
    begun: bool,
    /// The only key that goes on.
    next: Option<K>,
    left: usize,
}

impl<'g, K: Key, P: Policy> Contiguous<'g, K, P> {
    pub(crate) fn new(tree: &'g Tree<K, P>, start: K, most: usize, guard: &'g Guard) -> Self {
        Self {
            walk: Walk::new(&tree.raw, guard, None),
            begun: false,
            next: Some(start),
            left: most,
        }
    }
}

impl<'g, K: Key, P: Policy> Iterator for Contiguous<'g, K, P> {
    type Item = Entry<'g, K, P>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let key = bits_of(self.next.take()?);
        let item = if self.begun {
            self.walk.next()
        } else {
            self.begun = true;
            self.walk.seek_ge(key)
        };
        let found = entry(item.filter(|item| item.key == key)?);
        self.next = K::successor(found.0);
        Some(found)
    }
}

impl<K: Key, P: Policy> core::iter::FusedIterator for Contiguous<'_, K, P> {}

/// An iterator over the entries that have a mark: see [`Tree::iter_marked`],
/// [`Tree::range_marked`].
pub struct Marked<'g, K, P: Policy> {
    walk: Walk<'g, P>,
    begun: bool,
    left: Option<(u64, u64)>,
    tree: core::marker::PhantomData<&'g Tree<K, P>>,
}

impl<'g, K, P: Policy> Marked<'g, K, P> {
    pub(crate) fn new(
        tree: &'g Tree<K, P>,
        within: Option<(u64, u64)>,
        mark: Mark,
        guard: &'g Guard,
    ) -> Self {
        Self {
            walk: Walk::new(&tree.raw, guard, Some(mark.raw())),
            begun: false,
            left: within,
            tree: core::marker::PhantomData,
        }
    }
}

impl<'g, K: Key, P: Policy> Iterator for Marked<'g, K, P> {
    type Item = Entry<'g, K, P>;

    fn next(&mut self) -> Option<Self::Item> {
        let (from, to) = self.left?;
        let item = if self.begun {
            self.walk.next()
        } else {
            self.begun = true;
            self.walk.seek_ge(from)
        };
        let item = item.filter(|item| item.key <= to);
        self.left = item.and_then(|item| (item.key < to).then_some((from, to)));
        item.map(entry)
    }
}

impl<K: Key, P: Policy> core::iter::FusedIterator for Marked<'_, K, P> {}
