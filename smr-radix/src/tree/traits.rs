//! What a tree is to `std`.

use core::borrow::Borrow;
use core::fmt;

use super::Tree;
use crate::key::Key;
use crate::mark::Mark;
use crate::raw::{Policy, RawDrain, RawIntoIter};

impl<K: Key, P: Policy> Default for Tree<K, P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Key + fmt::Debug, P: Policy<Value: fmt::Debug>> fmt::Debug for Tree<K, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (key, value) in self.iter(&self.guard()) {
            map.entry(&key, value.borrow());
        }
        map.finish()
    }
}

/// Marks come along.
impl<K: Key, P: Policy<Value: Clone>> Clone for Tree<K, P> {
    fn clone(&self) -> Self {
        let new = Self::new_in(self.domain());
        let guard = self.guard();
        let entries = self.iter(&guard);
        new.insert_batch(
            entries.map(|(key, value)| (key, value.borrow().clone())),
            &guard,
        );
        for mark in Mark::ALL {
            for (key, _) in self.iter_marked(mark, &guard) {
                new.set_mark(key, mark, &guard);
            }
        }
        new
    }
}

/// The same keys with equal values; marks do not count.
impl<K: Key, P: Policy<Value: PartialEq>> PartialEq for Tree<K, P> {
    fn eq(&self, other: &Self) -> bool {
        let (mine, others) = (self.guard(), other.guard());
        let mut others = other.iter(&others);
        let same = self.iter(&mine).all(|(key, value)| {
            let other = others.next();
            other.is_some_and(|(other, its)| {
                key.to_bits() == other.to_bits() && value.borrow() == its.borrow()
            })
        });
        same && others.next().is_none()
    }
}

impl<K: Key, P: Policy<Value: Eq>> Eq for Tree<K, P> {}

impl<K: Key, P: Policy> Extend<(K, P::Value)> for Tree<K, P> {
    fn extend<I: IntoIterator<Item = (K, P::Value)>>(&mut self, iter: I) {
        for (key, value) in iter {
            self.insert(key, value, &self.guard());
        }
    }
}

/// Where a key comes twice, the later value stays.
impl<K: Key, P: Policy> FromIterator<(K, P::Value)> for Tree<K, P> {
    fn from_iter<I: IntoIterator<Item = (K, P::Value)>>(iter: I) -> Self {
        let mut tree = Self::new();
        tree.extend(iter);
        tree
    }
}

impl<K: Key, P: Policy> Tree<K, P> {
    /// Takes all entries out, by value, in the order of their keys. Those that the
    /// iterator is not asked for are dropped with it.
    ///
    /// Nobody else can be in the tree. To empty one that is in use:
    /// [`clear`](Self::clear), [`remove_range`](Self::remove_range).
    ///
    /// ```
    /// let mut tree = smr_radix::RadixTree::from_iter([(2_u64, 'b'), (1, 'a')]);
    /// assert!(tree.drain().eq([(1, 'a'), (2, 'b')]));
    /// assert!(tree.is_empty());
    /// ```
    pub fn drain(&mut self) -> Drain<'_, K, P> {
        Drain {
            raw: self.raw.drain(),
            keys: core::marker::PhantomData,
        }
    }
}

/// Takes all entries out of a [`Tree`], by value: see [`Tree::drain`].
pub struct Drain<'t, K, P: Policy> {
    raw: RawDrain<'t, P>,
    keys: core::marker::PhantomData<fn() -> K>,
}

/// The entries of a [`Tree`], by value, in the order of their keys.
pub struct IntoIter<K, P: Policy> {
    raw: RawIntoIter<P>,
    keys: core::marker::PhantomData<fn() -> K>,
}

impl<K: Key, P: Policy> IntoIterator for Tree<K, P> {
    type Item = (K, P::Value);
    type IntoIter = IntoIter<K, P>;

    fn into_iter(self) -> IntoIter<K, P> {
        IntoIter {
            raw: self.raw.into_iter(),
            keys: core::marker::PhantomData,
        }
    }
}

macro_rules! by_value {
    ($($life:lifetime)?, $name:ident) => {
        impl<K: Key, P: Policy> Iterator for $name<$($life,)? K, P> {
            type Item = (K, P::Value);

            fn next(&mut self) -> Option<(K, P::Value)> {
                let (bits, value) = self.raw.next()?;
                Some((K::from_bits(bits), value))
            }
        }

        impl<K: Key, P: Policy> core::iter::FusedIterator for $name<$($life,)? K, P> {}

        impl<K, P: Policy> fmt::Debug for $name<$($life,)? K, P> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

by_value!('_, Drain);
by_value!(, IntoIter);
