//! Which pool a participant used last, and its cache there: what the next use most likely
//! asks for, at hand on a line that the owner has.
//!
//! The owner writes both words and is the only one to trust them. A pool that goes takes
//! its name off, wherever it has a cache, before its memory may become another's. So a
//! name that an owner finds is that of the pool that it has a reference to.
//!
//! # Orderings
//!
//! `pool` is Relaxed. No owner uses a pool that goes, so each has noted what it noted before
//! the name is taken off; and whoever finds a pool at the same address, finds it after.

use core::alloc::Layout;
use core::cell::Cell;
use core::hint::cold_path;
use core::ptr::{self, NonNull};

use alloc::alloc::handle_alloc_error;

use crate::raw::cache::Cache;
use crate::raw::participant::Participant;
use crate::raw::pool::{NoMemory, PoolInner};
use crate::sync::mutant;
use crate::sync::process::{AtomicUsize, Ordering};

pub(crate) struct Recent {
    /// The pool's address; 0 for none.
    pool: AtomicUsize,
    /// Means nothing without a pool.
    cache: Cell<NonNull<()>>,
}

impl Recent {
    pub(crate) const fn new() -> Self {
        Self {
            pool: AtomicUsize::new(0),
            cache: Cell::new(NonNull::dangling()),
        }
    }

    /// The owner's cache in the pool at this address, if that was the last. Owner only.
    #[inline(always)]
    pub(crate) fn find(&self, pool: usize) -> Option<NonNull<()>> {
        (self.pool.load(Ordering::Relaxed) == pool).then(|| self.cache.get())
    }

    /// Owner only.
    pub(crate) fn note(&self, pool: usize, cache: NonNull<()>) {
        self.cache.set(cache);
        self.pool.store(pool, Ordering::Relaxed);
    }

    /// The slot is to be shared: it has no owner, and no caches. Owner only.
    pub(crate) fn clear(&self) {
        self.pool.store(0, Ordering::Relaxed);
    }

    /// The pool goes.
    pub(crate) fn forget(&self, pool: usize) {
        if self.pool.load(Ordering::Relaxed) == pool && !mutant("recent_not_forgotten") {
            // The owner may be noting another.
            let _ = self
                .pool
                .compare_exchange(pool, 0, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}

impl<T> PoolInner<T> {
    /// The cache of a participant that the caller owns.
    #[inline(always)]
    pub(crate) fn cache(&self, slot: &Participant) -> &Cache<T> {
        self.try_cache(slot)
            .unwrap_or_else(|_| handle_alloc_error(Layout::new::<Cache<T>>()))
    }

    /// The same, where the system may have no memory for it.
    #[inline(always)]
    pub(crate) fn try_cache(&self, slot: &Participant) -> Result<&Cache<T>, NoMemory> {
        match self.at_hand(Some(slot)) {
            Some((_, cache)) => Ok(cache),
            None => {
                cold_path();
                self.find_cache(slot)
            }
        }
    }

    #[inline(never)]
    fn find_cache(&self, slot: &Participant) -> Result<&Cache<T>, NoMemory> {
        let cache = match self.caches.find(slot.index) {
            Some(cache) => cache,
            None => self
                .depot
                .with(|_| self.caches.insert(slot.index))
                .ok_or(NoMemory)?,
        };
        slot.recent
            .note(self.address(), NonNull::from(cache).cast());
        Ok(cache)
    }

    /// What the pool is known by to those who have a cache in it.
    #[inline(always)]
    pub(crate) fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// The cache at hand of one who owns it: of this domain, and no shared slot.
    #[inline(always)]
    pub(crate) fn at_hand<'a>(
        &self,
        who: Option<&'a Participant>,
    ) -> Option<(&'a Participant, &Cache<T>)> {
        let slot = who?;
        let cache = slot.recent.find(self.address())?;
        debug_assert!(!slot.is_shared() && slot.is_of(self.inner()));
        // SAFETY: noted by `find_cache` of a pool at this address, which is this one: it
        // lives, and those before it were forgotten.
        Some((slot, unsafe { cache.cast::<Cache<T>>().as_ref() }))
    }
}
