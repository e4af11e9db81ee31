//! The inside of a pool: allocate and retire.
//!
//! ```text
//!   allocate   own free -> own oldest sealed bucket, if expired -> own fresh
//!              memory -> the depot -> caches of slots that nobody owns -> a poll,
//!              if enough waits -> a fresh slab
//!   retire     own open bucket -> sealed (one advance) -> own queue; too long a
//!              queue gives its oldest bucket to the depot
//! ```
//!
//! Neither waits for readers. A hot item comes back to the thread that retired
//! it, through nothing but its bucket. Nothing is written into an item between
//! its retirement and the expiry of its bucket's goal: readers may be in it.
//!
//! Items with destructors are not free when their goal expires: they are *ready*
//! to be dropped, two at each retire, or by a sweep; then they are free.
//!
//! # Orderings
//!
//! `touched` is Relaxed: a hint. What it is about lies behind the cache's latch.

use core::hint::cold_path;
use core::mem;
use core::ptr::{self, NonNull};

use alloc::boxed::Box;

use crate::domain::Domain;
use crate::raw::bins::{Bins, Held};
use crate::raw::bucket::{Bucket, Fifo};
use crate::raw::cache::{Cache, Caches, Item, Stock};
use crate::raw::inner::{Home, Inner};
use crate::raw::lock::ForkLock;
use crate::raw::participant::Participant;
use crate::raw::pool_sweep;
use crate::raw::pool_tend::Tend;
use crate::raw::pools::{Node, NodeRef};
use crate::raw::slab::{self, Slab, Slabs};
use crate::sync::{Ordering, mutant};
use crate::tunables::{DROPS_PER_RETIRE, SHARED_BUCKET_ITEMS};

/// There is no memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoMemory;

#[repr(C)]
pub(crate) struct PoolInner<T> {
    /// First, so that a pointer to it is a pointer to the pool.
    pub(crate) node: Node,
    pub(crate) domain: Domain,
    pub(crate) caches: Caches<T>,
    pub(crate) depot: ForkLock<Depot<T>>,
    pub(crate) tend: Tend,
    #[cfg(debug_assertions)]
    pub(crate) retired: ForkLock<crate::retired::Retired>,
    #[cfg(debug_assertions)]
    pub(crate) made_in: u32,
}

/// Gives an item back that was taken, when dropped.
struct GiveBack<'a, T>(&'a PoolInner<T>, &'a Participant, Item<T>);

impl<T> Drop for GiveBack<'_, T> {
    fn drop(&mut self) {
        self.0.put_free(Home::Own(self.1), self.2);
    }
}

/// What is nobody's in particular.
pub(crate) struct Depot<T> {
    pub(crate) bins: Option<Box<Bins<Item<T>>>>,
    pub(crate) free: Fifo<Item<T>>,
    pub(crate) slabs: Slabs<T>,
    largest_slab_items: u32,
    /// Bytes of all slabs.
    pub(crate) slab_bytes: usize,
    /// Whether the list of slabs is whole. In a forked child it may have been
    /// lost with a lock that was broken.
    pub(crate) is_whole: bool,
}

impl<T> Default for Depot<T> {
    fn default() -> Self {
        Self {
            bins: None,
            free: Fifo::default(),
            slabs: Slabs::default(),
            largest_slab_items: 0,
            slab_bytes: 0,
            is_whole: false,
        }
    }
}

impl<T> Depot<T> {
    pub(crate) fn bins(&mut self) -> &mut Bins<Item<T>> {
        self.bins.get_or_insert_default()
    }

    pub(crate) fn retired(&self) -> Held {
        self.bins
            .as_ref()
            .map_or_else(Held::default, |bins| bins.retired())
    }

    pub(crate) fn ready_items(&self) -> usize {
        self.bins.as_ref().map_or(0, |bins| bins.ready_items())
    }

    /// Whether anything with a goal of at most `up_to` is in here.
    pub(crate) fn holds_retired(&self, up_to: u64) -> bool {
        let bins = self.bins.as_ref();
        bins.is_some_and(|bins| bins.holds_expired(up_to))
    }

    /// Adds a free item, to the first bucket if that has room. Where there is no
    /// memory for another, the item is not used again: it goes with the pool.
    pub(crate) fn put_free(&mut self, item: Item<T>) {
        if let Some(bucket) = self.free.front_mut()
            && bucket.len() < bucket.capacity()
        {
            bucket.push(item, 0);
            return;
        }
        if let Some(mut bucket) = Bucket::try_with_capacity(SHARED_BUCKET_ITEMS) {
            bucket.push(item, 0);
            self.free.push_front(bucket);
        }
    }

    /// Gives the open bucket a goal.
    pub(crate) fn seal(&mut self, goal: u64) {
        if let Some(bins) = &mut self.bins {
            bins.seal(goal);
        }
    }

    pub(crate) fn reset_slab_size(&mut self) {
        self.slab_bytes = self.slabs.iter().map(Slab::bytes).sum();
        let largest = self.slabs.iter().map(Slab::items).max().unwrap_or(0);
        self.largest_slab_items = u32::try_from(largest).unwrap_or(u32::MAX);
    }

    pub(crate) fn take_expired(&mut self, rd: u64) -> Option<Bucket<Item<T>>> {
        let bins = self.bins.as_mut()?;
        bins.take_ready_bucket().or_else(|| bins.take_expired(rd))
    }
}

impl<T> PoolInner<T> {
    pub(crate) const NEEDS_DROP: bool = mem::needs_drop::<T>();
    pub(crate) const IS_ZST: bool = size_of::<T>() == 0;

    pub(crate) fn new(domain: Domain, reached: bool) -> Self {
        Self {
            node: Node::new(pool_sweep::ops::<T>(reached || !Self::NEEDS_DROP)),
            domain,
            caches: Caches::new(),
            depot: ForkLock::new(Depot {
                is_whole: true,
                ..Depot::default()
            }),
            tend: Tend::default(),
            #[cfg(debug_assertions)]
            retired: ForkLock::default(),
            #[cfg(debug_assertions)]
            made_in: crate::fork::generation(),
        }
    }

    /// The pool as the domain's list knows it.
    #[inline(always)]
    pub(crate) fn as_node(&self) -> NodeRef {
        NodeRef::new(ptr::from_ref(self).cast())
    }

    #[inline(always)]
    pub(crate) fn inner(&self) -> &Inner {
        self.domain.inner()
    }

    /// Where a participant's items come from and go to.
    ///
    /// # Panics
    ///
    /// If it takes part in another domain.
    pub(crate) fn home_of<'a>(&self, who: Option<&'a Participant>) -> Home<'a> {
        let Some(slot) = who else { return Home::Depot };
        assert!(
            slot.is_of(self.inner()),
            "the guard belongs to another domain than the pool"
        );
        Home::with(slot)
    }

    // -- allocate ------------------------------------------------------------

    /// As [`take`](Self::take), for who takes part.
    #[inline(always)]
    pub(crate) fn take_for(&self, who: Option<&Participant>) -> Result<Item<T>, NoMemory> {
        match self.at_hand(who) {
            Some((slot, cache)) => self.take_at(slot, cache),
            None => self.take_elsewhere(who),
        }
    }

    #[cold]
    #[inline(never)]
    fn take_elsewhere(&self, who: Option<&Participant>) -> Result<Item<T>, NoMemory> {
        self.take(self.home_of(who))
    }

    /// Memory for one item.
    #[inline]
    pub(crate) fn take(&self, home: Home<'_>) -> Result<Item<T>, NoMemory> {
        match home {
            Home::Own(slot) => self.take_own(slot),
            Home::Depot | Home::Shared(_) => self.take_from_depot(),
        }
    }

    #[inline(always)]
    pub(crate) fn take_own(&self, slot: &Participant) -> Result<Item<T>, NoMemory> {
        if Self::IS_ZST {
            return Ok(NonNull::dangling());
        }
        self.take_at(slot, self.try_cache(slot)?)
    }

    /// As [`take_own`](Self::take_own), where the owner's cache is known.
    #[inline(always)]
    pub(crate) fn take_at(
        &self,
        slot: &Participant,
        cache: &Cache<T>,
    ) -> Result<Item<T>, NoMemory> {
        if Self::IS_ZST {
            return Ok(NonNull::dangling());
        }
        let item = match cache.with(slot.barrier(), |stock| self.take_from(stock)) {
            Some(item) => item,
            None => {
                cold_path();
                self.refill(slot, cache)?
            }
        };
        self.note_taken(item);
        if Self::NEEDS_DROP {
            // A destructor may panic.
            let give_back = GiveBack(self, slot, item);
            slot.after_work(|| self.collect_missed(slot, cache));
            mem::forget(give_back);
        }
        Ok(item)
    }

    /// Debug builds remember what is retired.
    #[inline(always)]
    fn note_taken(&self, item: Item<T>) {
        #[cfg(debug_assertions)]
        self.retired
            .with(|retired| retired.remove(item.addr().get()));
        #[cfg(not(debug_assertions))]
        let _ = item;
    }

    #[inline(always)]
    fn take_from(&self, stock: &mut Stock<T>) -> Option<Item<T>> {
        if let Some(item) = stock.free.as_mut().and_then(Bucket::pop) {
            return Some(item);
        }
        cold_path();
        self.restock(stock)
    }

    /// The free bucket is used up: a spare one takes its place. Otherwise fresh
    /// memory is cut.
    #[inline(never)]
    fn restock(&self, stock: &mut Stock<T>) -> Option<Item<T>> {
        if !Self::NEEDS_DROP
            && stock.spare.is_empty()
            && stock.bins.holds_expired(self.inner().clock.read_hand())
        {
            self.free_expired_of(stock);
        }
        let is_warm = stock.is_warm();
        match stock.take_spare() {
            Some(bucket) => stock.begin(bucket, is_warm),
            None => stock.carve(),
        }
    }

    /// Makes what has expired free, what was retired last on top. Only of items
    /// without a destructor.
    pub(crate) fn free_expired_of(&self, stock: &mut Stock<T>) {
        debug_assert!(!Self::NEEDS_DROP, "values would be forgotten");
        let rd = self.inner().clock.read_hand();
        while let Some(mut bucket) = stock
            .bins
            .take_ready_bucket()
            .or_else(|| stock.bins.take_expired(rd))
        {
            self.settle(&mut bucket);
            stock.put_spare(bucket);
        }
    }

    #[cold]
    #[inline(never)]
    fn refill(&self, slot: &Participant, cache: &Cache<T>) -> Result<Item<T>, NoMemory> {
        cache.touched.store(true, Ordering::Relaxed);
        if Self::NEEDS_DROP {
            self.run_ready(slot, cache, 4 * DROPS_PER_RETIRE);
        }
        // What was dropped just now is free, and at hand.
        if let Some(item) = cache.with(slot.barrier(), |stock| self.take_from(stock)) {
            return Ok(item);
        }
        if let Some(item) = self.take_bucket(slot, cache) {
            return Ok(item);
        }
        if self.poll_for(slot, cache) || self.steal() {
            if Self::NEEDS_DROP {
                self.run_ready(slot, cache, 4 * DROPS_PER_RETIRE);
            }
            if let Some(item) = cache.with(slot.barrier(), |stock| self.take_from(stock)) {
                return Ok(item);
            }
            if let Some(item) = self.take_bucket(slot, cache) {
                return Ok(item);
            }
        }
        // Destructors above may have put something in.
        if let Some(item) = cache.with(slot.barrier(), |stock| self.take_from(stock)) {
            return Ok(item);
        }
        let (waiting, before) = cache.with(slot.barrier(), |stock| {
            (stock.bins.retired().items, stock.slab_items)
        });
        let most = (waiting != 0).then(|| self.slab_beside(waiting));
        let (first, end) = self.new_slab(before, most)?;
        Ok(cache.with(slot.barrier(), |stock| {
            // Nobody else puts fresh memory into our stock, and there was none.
            (stock.fresh, stock.fresh_end) = (first, end);
            stock.slab_items = u32::try_from(stock.fresh_items()).unwrap_or(u32::MAX);
            stock.carve().expect("a slab has an item")
        }))
    }

    /// Takes a bucket from the depot for an owner that has no free items, and an
    /// item from the bucket.
    fn take_bucket(&self, slot: &Participant, cache: &Cache<T>) -> Option<Item<T>> {
        let bucket = self.bucket_from_depot()?;
        // Others have used them last.
        cache.with(slot.barrier(), |stock| stock.begin(bucket, false))
    }

    /// Free items from the depot, as a bucket.
    fn bucket_from_depot(&self) -> Option<Bucket<Item<T>>> {
        let rd = self.inner().clock.read_hand();
        self.depot.with(|depot| {
            if let Some(bucket) = depot.free.pop_front() {
                return Some(bucket);
            }
            if Self::NEEDS_DROP {
                return None;
            }
            let mut bucket = depot.take_expired(rd)?;
            self.settle(&mut bucket);
            Some(bucket)
        })
    }

    /// Takes an expired bucket off the accounts, unless that was done.
    pub(crate) fn settle(&self, bucket: &mut Bucket<Item<T>>) {
        self.inner().settle(bucket.on_account());
        bucket.reset();
    }

    /// Moves what lies in caches whose slots nobody owns to the depot.
    fn steal(&self) -> bool {
        let worth = |index: u32, cache: &Cache<T>| {
            cache.touched.load(Ordering::Relaxed) && !self.inner().registry.is_claimed(index)
        };
        if !self.caches.iter().any(|(index, cache)| worth(index, cache)) {
            return false;
        }
        self.with_strangers(worth, |cache, stock| {
            cache.touched.store(false, Ordering::Relaxed);
            self.empty_into_depot(stock);
        });
        true
    }

    /// Runs `f` on the caches that `which` picks and whose owner is out.
    pub(crate) fn with_strangers(
        &self,
        which: impl Fn(u32, &Cache<T>) -> bool,
        mut f: impl FnMut(&Cache<T>, &mut Stock<T>),
    ) {
        let mut claimed = alloc::vec::Vec::new();
        for (index, cache) in self.caches.iter() {
            // Without memory to note it, a cache is left alone.
            if which(index, cache) && claimed.try_reserve(1).is_ok() && cache.latch.claim() {
                claimed.push(cache);
            }
        }
        let done = !claimed.is_empty() && self.inner().clock.barrier();
        for cache in claimed {
            if done {
                let _ = cache.with_stock_of_stranger(|stock| f(cache, stock));
            }
            cache.latch.give_back();
        }
    }

    /// Moves everything but fresh memory to the depot.
    pub(crate) fn empty_into_depot(&self, stock: &mut Stock<T>) {
        let bins = stock.bins.take_all();
        let free = stock.free.take();
        self.absorb(bins, free);
        self.depot.with(|depot| {
            while let Some(bucket) = stock.take_spare() {
                depot.free.push_back(bucket);
            }
        });
    }

    /// Moves what the owner has retired to the depot.
    pub(crate) fn hand_over(&self, slot: &Participant, cache: &Cache<T>) {
        cache.with(slot.barrier(), |stock| {
            self.absorb(stock.bins.take_all(), None);
        });
    }

    pub(crate) fn absorb(&self, mut bins: Bins<Item<T>>, free: Option<Bucket<Item<T>>>) {
        // What was retired last has no tag yet. Model: `steal_from_the_exited`.
        let clock = &self.inner().clock;
        bins.seal(if mutant("stolen_tag_old") {
            clock.read_hand()
        } else {
            clock.advance()
        });
        self.depot.with(|depot| {
            if !bins.is_empty() {
                depot.bins().absorb(bins);
            }
            if let Some(free) = free.filter(|free| free.len() != 0) {
                depot.free.push_back(free);
            }
        });
    }

    #[cold]
    fn take_from_depot(&self) -> Result<Item<T>, NoMemory> {
        if Self::IS_ZST {
            return Ok(NonNull::dangling());
        }
        let item = self.cut_from_depot()?;
        self.note_taken(item);
        Ok(item)
    }

    fn cut_from_depot(&self) -> Result<Item<T>, NoMemory> {
        self.poll_for_depot(self.poll_step());
        if let Some(mut bucket) = self.bucket_from_depot() {
            let item = bucket.pop().expect("empty buckets are not shared");
            if bucket.len() != 0 {
                self.depot.with(|depot| depot.free.push_front(bucket));
            }
            return Ok(item);
        }
        const ITEMS: u32 = 8;
        let mut bucket = Bucket::try_with_capacity(ITEMS).ok_or(NoMemory)?;
        let (first, end) = self.new_slab(ITEMS, Some(ITEMS as usize))?;
        let item = NonNull::new(first).expect("a slab has an item");
        let mut rest = slab::next(first);
        if rest != end {
            while let Some(free) = NonNull::new(rest).filter(|free| free.as_ptr() != end) {
                bucket.push(free, 0);
                rest = slab::next(rest);
            }
            self.depot.with(|depot| depot.free.push_back(bucket));
        }
        Ok(item)
    }

    /// A fresh slab: of the size after the one `before` that the caller took, but at most
    /// `most` items if that is said.
    fn new_slab(&self, before: u32, most: Option<usize>) -> Result<(*mut T, *mut T), NoMemory> {
        let users = self.caches.iter().count().max(1);
        let items = self.depot.with(|depot| {
            // What was trimmed is not what comes before.
            let before = before.min(depot.largest_slab_items) as usize;
            slab::next_items::<T>(before, depot.slab_bytes / users)
        });
        self.new_slab_of(most.map_or(items, |most| items.min(most)))
    }

    pub(crate) fn new_slab_of(&self, items: usize) -> Result<(*mut T, *mut T), NoMemory> {
        // Outside the lock: the system may take its time.
        let slab = Slab::new(items).ok_or(NoMemory)?;
        let range = slab.range();
        self.depot.with(|depot| {
            let items = u32::try_from(items).unwrap_or(u32::MAX);
            depot.largest_slab_items = depot.largest_slab_items.max(items);
            depot.slab_bytes += slab.bytes();
            depot.slabs.push(slab);
        });
        Ok(range)
    }

    /// Makes sure that the owner can take `items` without asking the system.
    pub(crate) fn reserve(&self, slot: &Participant, items: usize) -> Result<(), NoMemory> {
        if Self::IS_ZST || items == 0 {
            return Ok(());
        }
        let cache = self.try_cache(slot)?;
        let at_hand = cache.with(slot.barrier(), |stock| {
            stock.free_items() + stock.fresh_items()
        });
        if at_hand >= items {
            return Ok(());
        }
        let (first, end) = self.new_slab_of(items)?;
        cache.touched.store(true, Ordering::Relaxed);
        let (mut rest, rest_end) = cache.with(slot.barrier(), |stock| {
            let old = (stock.fresh, stock.fresh_end);
            (stock.fresh, stock.fresh_end) = (first, end);
            old
        });
        while rest != rest_end {
            if let Some(item) = NonNull::new(rest) {
                self.put_free(Home::Own(slot), item);
            }
            rest = slab::next(rest);
        }
        Ok(())
    }
}
