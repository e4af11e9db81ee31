//! Look-ups in batches.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::iter::{Fuse, FusedIterator};

use equivalent::Equivalent;

use crate::map::HashMap;
use crate::raw::{Entry, Row};

/// The values of many keys.
///
/// [`HashMap::get_many`] returns it. Keys are taken up to 32 ahead, also those whose values
/// are never asked for.
pub struct GetMany<'g, 'q, K, V, S, Q: ?Sized, I> {
    map: &'g HashMap<K, V, S>,
    section: &'g smr_core::Guard,
    keys: Fuse<I>,
    row: Row<'g, 'q, K, V, Q>,
}

impl<'g, 'q, K, V, S, Q: ?Sized, I: Iterator> GetMany<'g, 'q, K, V, S, Q, I> {
    #[inline(always)]
    pub(crate) fn new(map: &'g HashMap<K, V, S>, section: &'g smr_core::Guard, keys: I) -> Self {
        Self {
            map,
            section,
            keys: keys.fuse(),
            row: Row::new(),
        }
    }
}

#[inline(always)]
fn value<K, V>(found: Option<&Entry<K, V>>) -> Option<&V> {
    found.map(|entry| &entry.value)
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
        let map = self.map;
        if self.row.is_empty() && !map.raw.is_large() {
            let key = self.keys.next()?;
            return Some(value(map.find(key, self.section)));
        }
        while !self.row.is_full()
            && let Some(key) = self.keys.next()
        {
            self.row.take(&map.raw, key, map.hash(key));
        }
        let found = self.row.give(&map.raw, Q::equivalent, self.section)?;
        Some(value(found))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let ready = self.row.len();
        let (lower, upper) = self.keys.size_hint();
        let add = |bound: usize| bound.checked_add(ready);
        (lower.saturating_add(ready), upper.and_then(add))
    }

    #[inline]
    fn fold<B, F>(self, init: B, mut f: F) -> B
    where
        F: FnMut(B, Self::Item) -> B,
    {
        let (map, section, mut row) = (self.map, self.section, self.row);
        if row.is_empty() && !map.raw.is_large() {
            return self
                .keys
                .fold(init, |all, key| f(all, value(map.find(key, section))));
        }
        let mut all = self.keys.fold(init, |mut all, key| {
            if row.is_full()
                && let Some(found) = row.give(&map.raw, Q::equivalent, section)
            {
                all = f(all, value(found));
            }
            row.take(&map.raw, key, map.hash(key));
            all
        });
        while let Some(found) = row.give(&map.raw, Q::equivalent, section) {
            all = f(all, value(found));
        }
        all
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
    I: Iterator<Item = &'q Q>,
{
}

impl<K, V, S, Q: ?Sized, I> fmt::Debug for GetMany<'_, '_, K, V, S, Q, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetMany").finish_non_exhaustive()
    }
}
