//! Look-ups in batches.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::iter::FusedIterator;

use equivalent::Equivalent;

use crate::map::HashMap;

/// Look-ups whose misses of the processor's caches overlap.
const BATCH: usize = 16;

/// The values of many keys.
///
/// [`HashMap::get_many`] returns it. Keys are taken sixteen at a time.
pub struct GetMany<'g, 'q, K, V, S, Q: ?Sized, I> {
    map: &'g HashMap<K, V, S>,
    section: &'g smr_core::Guard,
    keys: I,
    _key: std::marker::PhantomData<&'q Q>,
    found: [Option<&'g V>; BATCH],
    next: usize,
    end: usize,
}

impl<'g, 'q, K, V, S, Q: ?Sized, I> GetMany<'g, 'q, K, V, S, Q, I> {
    pub(crate) fn new(map: &'g HashMap<K, V, S>, section: &'g smr_core::Guard, keys: I) -> Self {
        Self {
            map,
            section,
            keys,
            _key: std::marker::PhantomData,
            found: [None; BATCH],
            next: 0,
            end: 0,
        }
    }
}

impl<'g, 'q, K, V, S, Q, I> GetMany<'g, 'q, K, V, S, Q, I>
where
    K: Hash + Eq,
    S: BuildHasher,
    Q: Equivalent<K> + Hash + ?Sized + 'q,
    I: Iterator<Item = &'q Q>,
{
    fn refill(&mut self) {
        let mut keys = [None; BATCH];
        let mut hashes = [0; BATCH];
        let mut taken = 0;
        for (place, key) in keys.iter_mut().zip(&mut self.keys) {
            *place = Some(key);
            hashes[taken] = self.map.hash(key);
            taken += 1;
        }
        self.found = [None; BATCH];
        self.map.raw.find_many(
            &hashes[..taken],
            |index, other| keys[index].is_some_and(|key| key.equivalent(other)),
            self.section,
            |index, entry| self.found[index] = entry.map(|entry| &entry.value),
        );
        (self.next, self.end) = (0, taken);
    }
}

impl<'g, 'q, K, V, S, Q, I> Iterator for GetMany<'g, 'q, K, V, S, Q, I>
where
    K: Hash + Eq,
    S: BuildHasher,
    Q: Equivalent<K> + Hash + ?Sized + 'q,
    I: Iterator<Item = &'q Q>,
{
    type Item = Option<&'g V>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.end {
            self.refill();
            if self.end == 0 {
                return None;
            }
        }
        self.next += 1;
        Some(self.found[self.next - 1])
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let ready = self.end - self.next;
        let (lower, upper) = self.keys.size_hint();
        let add = |bound: usize| bound.checked_add(ready);
        (lower.saturating_add(ready), upper.and_then(add))
    }
}

impl<'q, K, V, S, Q, I> ExactSizeIterator for GetMany<'_, 'q, K, V, S, Q, I>
where
    K: Hash + Eq,
    S: BuildHasher,
    Q: Equivalent<K> + Hash + ?Sized + 'q,
    I: ExactSizeIterator<Item = &'q Q>,
{
}

impl<'q, K, V, S, Q, I> FusedIterator for GetMany<'_, 'q, K, V, S, Q, I>
where
    K: Hash + Eq,
    S: BuildHasher,
    Q: Equivalent<K> + Hash + ?Sized + 'q,
    I: FusedIterator<Item = &'q Q>,
{
}

impl<K, V, S, Q: ?Sized, I> fmt::Debug for GetMany<'_, '_, K, V, S, Q, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetMany").finish_non_exhaustive()
    }
}
