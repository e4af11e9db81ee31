//! Iterators of a [`HashSet`](crate::HashSet).

use std::fmt;
use std::iter::FusedIterator;

use crate::iter as map;

/// An iterator over the keys of a set; [`HashSet::iter`](crate::HashSet::iter)
/// returns it. See [`Iter`](crate::Iter) for what is seen.
pub struct Iter<'g, K, G>(pub(crate) map::Keys<'g, K, (), G>);

impl<'g, K, G> Iterator for Iter<'g, K, G> {
    type Item = &'g K;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<K, G> FusedIterator for Iter<'_, K, G> {}

impl<K, G> Clone for Iter<'_, K, G> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: fmt::Debug, G> fmt::Debug for Iter<'_, K, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The keys of a set that is gone.
pub struct IntoIter<K>(pub(crate) map::IntoIter<K, ()>);

impl<K> Iterator for IntoIter<K> {
    type Item = K;

    #[inline]
    fn next(&mut self) -> Option<K> {
        self.0.next().map(|(key, ())| key)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<K> ExactSizeIterator for IntoIter<K> {}

impl<K> FusedIterator for IntoIter<K> {}

impl<K> fmt::Debug for IntoIter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntoIter").finish_non_exhaustive()
    }
}

/// What was in a set; [`HashSet::drain`](crate::HashSet::drain) returns it.
pub struct Drain<'a, K>(pub(crate) map::Drain<'a, K, ()>);

impl<K> Iterator for Drain<'_, K> {
    type Item = K;

    #[inline]
    fn next(&mut self) -> Option<K> {
        self.0.next().map(|(key, ())| key)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<K> ExactSizeIterator for Drain<'_, K> {}

impl<K> FusedIterator for Drain<'_, K> {}

impl<K> fmt::Debug for Drain<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain").finish_non_exhaustive()
    }
}
