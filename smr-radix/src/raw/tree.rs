//! The tree: look-ups, and the whole of it.

use core::marker::PhantomData;

use smr_core::{Domain, Guard, PoolGuard, PoolOwnedGuard, PoolStats};

use crate::raw::policy::Policy;

/// A tree over keys of 64 bits, which the face maps its keys to. The guards that are
/// passed in are sections of the tree's domain; the caller sees to that.
pub(crate) struct Raw<P: Policy>(PhantomData<P>);

impl<P: Policy> Raw<P> {
    /// Under the global domain.
    pub(crate) const fn new() -> Self {
        unimplemented!()
    }

    pub(crate) fn new_in(_domain: &Domain) -> Self {
        unimplemented!()
    }

    pub(crate) fn domain(&self) -> &Domain {
        unimplemented!()
    }

    /// A section that collects for the tree when it ends.
    pub(crate) fn pin(&self) -> PoolGuard<'_> {
        unimplemented!()
    }

    pub(crate) fn owned_guard(&self) -> PoolOwnedGuard<'_>
    where
        P::Value: Send,
    {
        unimplemented!()
    }

    /// Drops what no section holds up.
    pub(crate) fn flush(&self) {
        unimplemented!()
    }

    /// Waits until all that was removed is dropped.
    pub(crate) fn barrier(&self) {
        unimplemented!()
    }

    /// The value of a key. Wait-free.
    #[inline]
    pub(crate) fn find<'g>(&'g self, _key: u64, _guard: &'g Guard) -> Option<P::Val<'g>> {
        unimplemented!()
    }

    /// How many entries there are, exact when nobody writes.
    pub(crate) fn len(&self) -> usize {
        unimplemented!()
    }

    /// Whether there is no entry at all. Exact.
    pub(crate) fn is_empty(&self, _guard: &Guard) -> bool {
        unimplemented!()
    }

    /// The figures of all pools, added up: `slab_bytes` is what the tree has of the heap,
    /// but for some hundred bytes.
    pub(crate) fn stats(&self) -> PoolStats {
        unimplemented!()
    }
}
