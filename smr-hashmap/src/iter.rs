//! Iterators.

use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;

use crate::raw::{RawDrain, RawIntoIter, RawIter};

/// An iterator over the entries of a map; [`HashMap::iter`](crate::HashMap::iter)
/// returns it.
///
/// An entry whose key is in the map from beginning to end is seen exactly once,
/// also while the table grows and shrinks. Others may be seen or not.
pub struct Iter<'g, K, V, G> {
    raw: RawIter<'g, K, V>,
    _guard: PhantomData<&'g G>,
}

impl<'g, K, V, G> Iter<'g, K, V, G> {
    #[inline(always)]
    pub(crate) fn new(raw: RawIter<'g, K, V>) -> Self {
        Self {
            raw,
            _guard: PhantomData,
        }
    }
}

impl<'g, K, V, G> Iterator for Iter<'g, K, V, G> {
    type Item = (&'g K, &'g V);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.raw.next().map(|entry| (&entry.key, &entry.value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.raw.size_hint()
    }
}

impl<K, V, G> FusedIterator for Iter<'_, K, V, G> {}

impl<K, V, G> Clone for Iter<'_, K, V, G> {
    fn clone(&self) -> Self {
        Self::new(self.raw.clone())
    }
}

impl<K: fmt::Debug, V: fmt::Debug, G> fmt::Debug for Iter<'_, K, V, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// An iterator over the keys of a map; [`HashMap::keys`](crate::HashMap::keys)
/// returns it.
pub struct Keys<'g, K, V, G>(pub(crate) Iter<'g, K, V, G>);

impl<'g, K, V, G> Iterator for Keys<'g, K, V, G> {
    type Item = &'g K;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, _)| key)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<K, V, G> FusedIterator for Keys<'_, K, V, G> {}

impl<K, V, G> Clone for Keys<'_, K, V, G> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: fmt::Debug, V, G> fmt::Debug for Keys<'_, K, V, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// An iterator over the values of a map;
/// [`HashMap::values`](crate::HashMap::values) returns it.
pub struct Values<'g, K, V, G>(pub(crate) Iter<'g, K, V, G>);

impl<'g, K, V, G> Iterator for Values<'g, K, V, G> {
    type Item = &'g V;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(_, value)| value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<K, V, G> FusedIterator for Values<'_, K, V, G> {}

impl<K, V, G> Clone for Values<'_, K, V, G> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, V: fmt::Debug, G> fmt::Debug for Values<'_, K, V, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// The entries of a map that is gone. Those that are not taken are dropped with
/// it.
pub struct IntoIter<K, V>(pub(crate) RawIntoIter<K, V>);

impl<K, V> Iterator for IntoIter<K, V> {
    type Item = (K, V);

    #[inline]
    fn next(&mut self) -> Option<(K, V)> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<K, V> ExactSizeIterator for IntoIter<K, V> {}

impl<K, V> FusedIterator for IntoIter<K, V> {}

impl<K, V> fmt::Debug for IntoIter<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntoIter").finish_non_exhaustive()
    }
}

/// What was in a map; [`HashMap::drain`](crate::HashMap::drain) returns it. Those
/// that are not taken are dropped with it.
pub struct Drain<'a, K, V>(pub(crate) RawDrain<'a, K, V>);

impl<K, V> Iterator for Drain<'_, K, V> {
    type Item = (K, V);

    #[inline]
    fn next(&mut self) -> Option<(K, V)> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<K, V> ExactSizeIterator for Drain<'_, K, V> {}

impl<K, V> FusedIterator for Drain<'_, K, V> {}

impl<K, V> fmt::Debug for Drain<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain").finish_non_exhaustive()
    }
}
