//! The inside of a pool: give back, retire, run destructors.
//!
//! # Orderings
//!
//! `touched` is Relaxed, as in [`crate::raw::pool`].

use core::hint::cold_path;
use core::ptr;

use crate::raw::bucket::Bucket;
use crate::raw::cache::{Cache, Item, Stock};
use crate::raw::inner::Home;
use crate::raw::participant::Participant;
use crate::raw::pool::{NoMemory, PoolInner};
use crate::run;
use crate::sync::Ordering;
use crate::tunables::{DROPS_PER_RETIRE, FIRST_BUCKET_ITEMS};

impl<T> PoolInner<T> {
    // -- give back -----------------------------------------------------------

    /// Takes back an item that nobody else ever saw, or that was dropped.
    pub(crate) fn put_free(&self, home: Home<'_>, item: Item<T>) {
        if Self::IS_ZST {
            return;
        }
        #[cfg(debug_assertions)]
        self.retired
            .with(|retired| retired.remove(item.addr().get()));
        let full = match home {
            Home::Own(slot) => self
                .cache(slot)
                .with(slot.barrier(), |stock| stock.put_free(item)),
            Home::Depot | Home::Shared(_) => {
                self.depot.with(|depot| depot.put_free(item));
                None
            }
        };
        if let Some(bucket) = full {
            self.depot.with(|depot| depot.free.push_back(bucket));
        }
    }

    /// Takes back items that the owner of a cache has dropped.
    fn put_dropped(&self, slot: &Participant, cache: &Cache<T>, items: [Option<Item<T>>; 2]) {
        if Self::IS_ZST {
            return;
        }
        #[cfg(debug_assertions)]
        self.retired.with(|retired| {
            for item in items.iter().flatten() {
                retired.remove(item.addr().get());
            }
        });
        let full = cache.with(slot.barrier(), |stock| {
            items.map(|item| item.and_then(|item| stock.put_free(item)))
        });
        for bucket in full.into_iter().flatten() {
            self.depot.with(|depot| depot.free.push_back(bucket));
        }
    }

    /// Takes back a bucket of items that were dropped, for anybody to use.
    pub(crate) fn put_all_free(&self, bucket: Bucket<Item<T>>) {
        #[cfg(debug_assertions)]
        self.retired.with(|retired| {
            for item in bucket.entries() {
                retired.remove(item.addr().get());
            }
        });
        if !Self::IS_ZST && bucket.len() != 0 {
            self.depot.with(|depot| depot.free.push_back(bucket));
        }
    }

    /// Takes over an item that was unlinked.
    #[inline]
    pub(crate) fn retire(&self, home: Home<'_>, item: Item<T>) {
        self.retire_into(home, item, Bucket::with_capacity);
    }

    /// As [`retire`](Self::retire), with a bucket at hand, should it need one.
    #[inline]
    pub(crate) fn retire_into(
        &self,
        home: Home<'_>,
        item: Item<T>,
        room: impl FnOnce(u32) -> Bucket<Item<T>>,
    ) {
        match home {
            Home::Own(slot) => self.retire_at(slot, self.cache(slot), item, room),
            Home::Depot | Home::Shared(_) => self.retire_to_depot(home, item, room),
        }
    }

    /// As [`retire`](Self::retire), for who takes part.
    #[inline(always)]
    pub(crate) fn retire_for(&self, who: Option<&Participant>, item: Item<T>) {
        match self.at_hand(who) {
            Some((slot, cache)) => self.retire_at(slot, cache, item, Bucket::with_capacity),
            None => self.retire_elsewhere(who, item),
        }
    }

    #[cold]
    #[inline(never)]
    fn retire_elsewhere(&self, who: Option<&Participant>, item: Item<T>) {
        self.retire(self.home_of(who), item);
    }

    /// All that retiring one item may ask memory for: the owner's cache, which stays, and
    /// a bucket.
    pub(crate) fn room(&self, home: Home<'_>) -> Result<Bucket<Item<T>>, NoMemory> {
        if let Home::Own(slot) = home {
            self.try_cache(slot)?;
        }
        Bucket::try_with_capacity(FIRST_BUCKET_ITEMS).ok_or(NoMemory)
    }

    #[inline(always)]
    pub(crate) fn retire_own(&self, slot: &Participant, item: Item<T>) {
        if Self::IS_ZST && !Self::NEEDS_DROP {
            return;
        }
        self.retire_at(slot, self.cache(slot), item, Bucket::with_capacity);
    }

    /// As [`retire_own`](Self::retire_own), where the owner's cache is known.
    #[inline(always)]
    pub(crate) fn retire_at(
        &self,
        slot: &Participant,
        cache: &Cache<T>,
        item: Item<T>,
        room: impl FnOnce(u32) -> Bucket<Item<T>>,
    ) {
        if Self::IS_ZST && !Self::NEEDS_DROP {
            return;
        }
        #[cfg(debug_assertions)]
        self.check_retire(item);
        if self.inner().is_limited() {
            return self.retire_limited(slot, cache, item, room);
        }
        self.retire_noted(slot, cache, item, room, false);
    }

    /// Under a limit. The item is put on the account before others find it, so that it is
    /// not taken off first.
    #[cold]
    #[inline(never)]
    fn retire_limited(
        &self,
        slot: &Participant,
        cache: &Cache<T>,
        item: Item<T>,
        room: impl FnOnce(u32) -> Bucket<Item<T>>,
    ) {
        self.inner().charge(size_of::<T>());
        self.retire_noted(slot, cache, item, room, true);
        self.inner().keep_to_limit(Home::Own(slot));
    }

    #[inline(always)]
    fn retire_noted(
        &self,
        slot: &Participant,
        cache: &Cache<T>,
        item: Item<T>,
        room: impl FnOnce(u32) -> Bucket<Item<T>>,
        limited: bool,
    ) {
        let sealed = cache.with(slot.barrier(), |stock| {
            let advance = || self.inner().clock.advance();
            let sealed = stock.bins.push(item, size_of::<T>(), room, advance);
            if self.is_listed(limited) {
                self.node.note_dirty(self.inner(), self.as_node());
            }
            if Self::NEEDS_DROP {
                self.tend.note();
            }
            sealed
        });
        if Self::NEEDS_DROP {
            if self.node.is_reached() {
                slot.note_garbage();
            }
            self.run_ready(slot, cache, DROPS_PER_RETIRE);
        }
        if sealed {
            cold_path();
            self.after_seal(slot, cache);
        }
        if Self::NEEDS_DROP {
            slot.after_work(|| self.collect_missed(slot, cache));
        }
    }

    #[inline(never)]
    fn retire_to_depot(
        &self,
        home: Home<'_>,
        item: Item<T>,
        room: impl FnOnce(u32) -> Bucket<Item<T>>,
    ) {
        if Self::IS_ZST && !Self::NEEDS_DROP {
            return;
        }
        #[cfg(debug_assertions)]
        self.check_retire(item);
        let limited = self.charge();
        let advance = || self.inner().clock.advance();
        self.depot.with(|depot| {
            depot.bins().push(item, size_of::<T>(), room, advance);
            if Self::NEEDS_DROP {
                self.tend.note();
            }
        });
        if self.is_listed(limited) {
            self.as_node().link(self.inner());
        }
        if Self::NEEDS_DROP {
            self.after_retire_to_depot(home);
        }
        if limited {
            self.inner().keep_to_limit(home);
        }
    }

    /// Puts an item on the account, where there is a limit; tells whether. Before
    /// others find the item, so that it is not taken off first.
    #[inline(always)]
    fn charge(&self) -> bool {
        let limited = self.inner().is_limited();
        if limited {
            cold_path();
            self.inner().charge(size_of::<T>());
        }
        limited
    }

    /// Whether the domain's list should hold the pool. Under a limit all do:
    /// whoever is kept waiting must be able to find out that no reader is to
    /// blame.
    #[inline(always)]
    fn is_listed(&self, limited: bool) -> bool {
        limited || (Self::NEEDS_DROP && self.node.is_reached())
    }

    #[cold]
    #[inline(never)]
    fn after_retire_to_depot(&self, home: Home<'_>) {
        if self.node.is_reached() {
            if let Home::Shared(slot) = home {
                // Not with the owned guard, but its end collects.
                slot.flag_garbage();
            }
            if self.inner().is_last_chance(home) {
                return self.inner().sweep();
            }
        }
        if self.poll_for_depot(self.poll_step()) {
            self.run_depot();
        }
    }

    #[cold]
    #[inline(never)]
    fn after_seal(&self, slot: &Participant, cache: &Cache<T>) {
        cache.touched.store(true, Ordering::Relaxed);
        let step = self.poll_step();
        if Self::NEEDS_DROP {
            // Nobody may come to allocate: the retiring side polls.
            let goal = cache.with(slot.barrier(), |stock| {
                stock.bins.fit(step);
                stock.bins.next_goal().filter(|_| stock.bins.is_due(step))
            });
            if let Some(goal) = goal {
                let expired = self.poll_for_drops(goal);
                cache.with(slot.barrier(), |stock| stock.bins.polled(expired, step));
            }
            // What was gathered, and was not expired then.
            let rd = self.inner().clock.read_hand();
            if self.depot.with(|depot| depot.holds_retired(rd)) {
                self.run_depot();
            }
            return;
        }
        // Plain memory: where enough waits, a poll now lets the next allocations
        // have what is still in the processor's caches.
        // The caller's own section holds up what was sealed after it began, and no
        // poll changes that.
        let now = self.inner().clock.now();
        // Relaxed: our own store.
        let goal = match slot.seq.load(Ordering::Relaxed) {
            0 => now,
            ours => now.min(ours),
        };
        let oldest = cache.with(slot.barrier(), |stock| {
            stock.bins.fit(step);
            self.free_expired_of(stock);
            let oldest = stock.bins.next_goal().filter(|oldest| *oldest <= goal);
            oldest.filter(|_| stock.bins.is_due(step))
        });
        if let Some(oldest) = oldest {
            let expired = self.poll(goal, oldest);
            cache.with(slot.barrier(), |stock| {
                self.free_expired_of(stock);
                stock.bins.polled(expired, step);
            });
        }
        // Who only retires passes it on to those who only allocate.
        let surplus = cache.with(slot.barrier(), |stock| {
            (stock.spare_items as usize > 2 * step)
                .then(|| stock.take_spare())
                .flatten()
        });
        if let Some(bucket) = surplus {
            self.depot.with(|depot| depot.free.push_back(bucket));
        }
    }

    // -- destructors ---------------------------------------------------------

    /// Drops at most `most` of the owner's items that are ready, two at a time.
    #[inline]
    pub(crate) fn run_ready(&self, slot: &Participant, cache: &Cache<T>, most: usize) {
        let mut first_panic = run::Panic::none();
        for _ in 0..most.div_ceil(2) {
            let start = |stock: &mut Stock<T>| self.inner().start_ready(slot, &mut stock.bins);
            let Some((ready, running)) = cache.with(slot.barrier(), start) else {
                break;
            };
            for item in ready.into_iter().flatten() {
                // SAFETY: the item holds a value that was retired once, its goal has
                // expired, and we took it out of the bins.
                first_panic.keep(run::catch(|| unsafe { ptr::drop_in_place(item.as_ptr()) }));
            }
            drop(running);
            self.put_dropped(slot, cache, ready);
            first_panic.keep(run::catch(|| slot.after_running()));
        }
        first_panic.go_on();
    }

    /// Drops, in place, what a bucket of retired items holds.
    ///
    /// # Safety
    ///
    /// Nobody can reach the items, and each was retired once.
    pub(crate) unsafe fn drop_bucket(mut bucket: Bucket<Item<T>>) -> run::Panic {
        let mut first_panic = run::Panic::none();
        if Self::NEEDS_DROP {
            while let Some(item) = bucket.pop() {
                // SAFETY: the caller's promise.
                first_panic.keep(run::catch(|| unsafe { ptr::drop_in_place(item.as_ptr()) }));
            }
        }
        first_panic
    }

    #[cfg(debug_assertions)]
    fn check_retire(&self, item: Item<T>) {
        if Self::IS_ZST || crate::fork::generation() != self.made_in {
            // In a forked child the depot may have been overwritten, and the
            // slabs in it forgotten.
            return;
        }
        let ours = self.depot.with(|depot| {
            !depot.is_whole
                || depot.slabs.iter().any(|slab| {
                    let (first, end) = slab.range();
                    (first..end).contains(&item.as_ptr())
                })
        });
        assert!(
            ours,
            "an item was retired to a pool that it does not come from"
        );
        let fresh = self
            .retired
            .with(|retired| retired.insert(item.addr().get()));
        assert!(
            fresh,
            "a pool item was retired twice: only the one who unlinks it may retire it"
        );
    }
}
