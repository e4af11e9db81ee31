//! Walking in the order of the keys.

use core::marker::PhantomData;

use smr_core::Guard;

use crate::raw::policy::Policy;
use crate::raw::tree::Raw;

/// An entry as a walk saw it.
pub(crate) struct Item<'g, P: Policy + 'g> {
    pub(crate) key: u64,
    pub(crate) value: P::Val<'g>,
}

impl<'g, P: Policy + 'g> Clone for Item<'g, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'g, P: Policy + 'g> Copy for Item<'g, P> {}

/// A position in a tree. Each step's answer was there at an instant of that step; keys
/// that are there from the last `seek` on are never missed. What was inserted since
/// the last `seek` may be missed by steps, never by a `seek`.
pub(crate) struct Walk<'g, P: Policy>(PhantomData<&'g P>);

impl<'g, P: Policy> Walk<'g, P> {
    /// Nowhere yet. With a mark (0, 1, 2), only entries that have it are met.
    pub(crate) fn new(_tree: &'g Raw<P>, _guard: &'g Guard, _mark: Option<u8>) -> Self {
        unimplemented!()
    }

    /// Goes to the first entry at or after `key`.
    pub(crate) fn seek_ge(&mut self, _key: u64) -> Option<Item<'g, P>> {
        unimplemented!()
    }

    /// Goes to the last entry at or before `key`.
    pub(crate) fn seek_le(&mut self, _key: u64) -> Option<Item<'g, P>> {
        unimplemented!()
    }

    /// Goes on from the entry last met, in whichever direction; also when it has been
    /// removed since. `None` before the first seek, and when there is none; then the
    /// position stays.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Item<'g, P>> {
        unimplemented!()
    }

    /// As `next`, backwards.
    #[inline]
    pub(crate) fn prev(&mut self) -> Option<Item<'g, P>> {
        unimplemented!()
    }

    /// Whether the entry last met is in the tree, the same and not another one of its
    /// key (in an inline tree: whether its key has the same value).
    pub(crate) fn is_current(&self) -> bool {
        unimplemented!()
    }

    /// Removes the entry last met, unless it has gone or was replaced: then `false`.
    pub(crate) fn remove(&mut self) -> bool {
        unimplemented!()
    }
}

impl<P: Policy> Raw<P> {
    /// Removes what is from `first` to `last`, both included, in the order of the keys;
    /// how many that were.
    pub(crate) fn remove_range(&self, _first: u64, _last: u64, _guard: &Guard) -> usize {
        unimplemented!()
    }
}
