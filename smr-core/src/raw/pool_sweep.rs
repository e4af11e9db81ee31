//! The inside of a pool: what is done to all of it at once.
//!
//! # Orderings
//!
//! `held` is Relaxed: only the sweep that has marked the pool looks at it, and the
//! mark goes from sweep to sweep behind the lock of the list.

use core::cell::Cell;
use core::ptr;

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::pool_report::PoolStats;
use crate::raw::bucket::Bucket;
use crate::raw::cache::{Item, Stock};
use crate::raw::inner::count;
use crate::raw::latch::Busy;
use crate::raw::pool::{Depot, PoolInner};
use crate::raw::pools::{self, Bequest, Frame, Holder, Node, Ops};
use crate::raw::slab::Slabs;
use crate::run;
use crate::sync::Ordering;

/// How the domain's sweeps reach a pool of `T`.
pub(crate) fn ops<T>(reached: bool) -> &'static Ops {
    const fn ops<T>(reached: bool) -> Ops {
        Ops {
            reached,
            claim: claim::<T>,
            gather: gather::<T>,
            run: run_expired::<T>,
            write_off: write_off::<T>,
            has_garbage: has_garbage::<T>,
            owes: owes::<T>,
        }
    }
    if reached {
        const { &ops::<T>(true) }
    } else {
        const { &ops::<T>(false) }
    }
}

/// # Safety
///
/// `node` is the node of a live pool of `T`.
unsafe fn pool<'a, T>(node: *const Node) -> &'a PoolInner<T> {
    // SAFETY: the node is the pool's first field, and the pool is `repr(C)`.
    unsafe { &*node.cast::<PoolInner<T>>() }
}

/// # Safety
///
/// As [`pool`], and the caller has marked the node.
unsafe fn claim<T>(node: *const Node) {
    // SAFETY: the caller's promise.
    let pool = unsafe { pool::<T>(node) };
    for (_, cache) in pool.caches.iter() {
        // No other sweep has it, for the node is ours. Who looks at figures, trims or
        // steals may: without our turn, what is in here would be passed over. They wait
        // for no latch while they hold some.
        cache.latch.claim_in_turn();
        cache.held.store(true, Ordering::Relaxed);
    }
}

/// # Safety
///
/// As [`claim`], after it; with a heavy barrier in between if `done`.
unsafe fn gather<T>(node: *const Node, done: bool, busy: Busy) -> bool {
    // SAFETY: the caller's promise.
    let pool = unsafe { pool::<T>(node) };
    let inner = pool.inner();
    let mut in_the_way = false;
    for (index, cache) in pool.caches.iter() {
        if !cache.held.load(Ordering::Relaxed) {
            // It is new.
            in_the_way = true;
            continue;
        }
        cache.held.store(false, Ordering::Relaxed);
        // In a forked child the owner may be inside for ever.
        let alive = inner.registry.is_of_this_process(index);
        if done && alive {
            cache.latch.let_owner_out();
        }
        // Behind the latch, so that a barrier finds it in either place.
        let empty = || {
            let absorb = |stock: &mut Stock<T>| {
                pool.absorb(stock.bins.take_all(), None);
            };
            cache.with_stock_of_stranger(absorb).is_some()
        };
        let ask = || {
            busy == Busy::Ask && alive && {
                inner.registry.ask(index);
                inner.clock.barrier()
            }
        };
        in_the_way |= !(done && (empty() || (ask() && empty()))) && alive;
        cache.latch.give_back();
    }
    pool.depot
        .with(|depot| depot.seal(pool.inner().clock.advance()));
    in_the_way
}

/// # Safety
///
/// As [`claim`].
unsafe fn has_garbage<T>(node: *const Node, up_to: u64) -> bool {
    // SAFETY: the caller's promise.
    let pool = unsafe { pool::<T>(node) };
    pool.depot.with(|depot| depot.holds_retired(up_to))
}

/// # Safety
///
/// As [`claim`].
unsafe fn write_off<T>(node: *const Node) {
    // SAFETY: the caller's promise.
    let pool = unsafe { pool::<T>(node) };
    let rd = pool.inner().clock.read_hand();
    let expired = pool.depot.with(|depot| depot.bins().write_off(rd));
    pool.inner().settle(expired);
}

/// # Safety
///
/// As [`claim`].
unsafe fn owes<T>(node: *const Node) -> bool {
    // SAFETY: the caller's promise.
    let pool = unsafe { pool::<T>(node) };
    pool.depot.with(|depot| depot.bins().owes())
}

/// # Safety
///
/// As [`claim`]; the pool knows the frame.
unsafe fn run_expired<T>(node: *const Node, frame: &Frame) -> run::Panic {
    // SAFETY: the caller's promise.
    let pool = unsafe { pool::<T>(node) };
    // An item may drop the pool, but the domain has this handle on it.
    let domain = pool.domain.clone();
    let inner = domain.inner();
    let mut first_panic = run::Panic::none();
    if !PoolInner::<T>::NEEDS_DROP {
        // Nothing to run: what has expired is free.
        let rd = inner.clock.read_hand();
        pool.depot.with(|depot| pool.free_expired(depot, rd));
        return first_panic;
    }
    loop {
        let rd = inner.clock.read_hand();
        let hand = inner.depot.with(|_| inner.hands.take());
        let Some(mut bucket) = pool.depot.with(|depot| depot.take_expired(rd)) else {
            return first_panic;
        };
        pool.settle(&mut bucket);
        let in_hand = InHand {
            bucket,
            next: Cell::new(0),
        };
        frame.in_hand.set(ptr::from_ref(&in_hand).cast());
        first_panic.keep(in_hand.drop_all());
        frame.in_hand.set(ptr::null());
        drop(hand);
        if frame.dead.get() {
            return first_panic;
        }
        pool.put_all_free(in_hand.bucket);
    }
}

/// Expired items, which are being dropped. One of them may drop the pool, which then
/// drops the rest.
struct InHand<T> {
    bucket: Bucket<Item<T>>,
    next: Cell<usize>,
}

impl<T> InHand<T> {
    fn drop_all(&self) -> run::Panic {
        let mut first_panic = run::Panic::none();
        while let Some(item) = self.bucket.entries().get(self.next.get()) {
            // Before it is dropped: from here on it is nobody else's.
            self.next.set(self.next.get() + 1);
            // SAFETY: the item holds a value that was retired once, its goal has
            // expired, and we took it out of the bins. If one before it dropped the
            // pool, the memory stays until the frame ends.
            first_panic.keep(run::catch(|| unsafe { ptr::drop_in_place(item.as_ptr()) }));
        }
        first_panic
    }
}

impl<T> PoolInner<T> {
    /// Gathers, polls and runs what has expired, of this pool.
    pub(crate) fn flush(&self) {
        if !Self::NEEDS_DROP {
            self.with_strangers(|_, _| true, |_, stock| self.empty_into_depot(stock));
            self.inner().poll(self.inner().clock.now());
            return;
        }
        let inner = self.inner();
        inner.collecting(|| {
            count(&inner.counts.sweeps, 1);
            // Where a sweep has the pool, that one collects.
            pools::gather_one(inner, self.as_node(), Busy::Ask);
            self.poll_for_drops(inner.clock.now());
            pools::run_one(inner, self.as_node()).unwrap_or_else(run::Panic::none)
        });
    }

    /// Makes what has expired in the depot free. Only of items without a
    /// destructor.
    fn free_expired(&self, depot: &mut Depot<T>, rd: u64) {
        debug_assert!(!Self::NEEDS_DROP, "values would be forgotten");
        while let Some(mut bucket) = depot.take_expired(rd) {
            self.settle(&mut bucket);
            depot.free.push_back(bucket);
        }
    }

    /// Runs the destructors of what has expired in the depot, unless a sweep is
    /// at it.
    #[cold]
    pub(crate) fn run_depot(&self) {
        let inner = self.inner();
        inner.collecting(|| pools::run_one(inner, self.as_node()).unwrap_or_else(run::Panic::none));
    }

    /// Gives slabs that are wholly free back to the system. Returns their bytes.
    pub(crate) fn trim(&self) -> usize {
        self.flush();
        let mut freed = Slabs::default();
        // Everything is looked at under the pool's lock and the latches of all
        // caches: no item changes hands meanwhile. Owners that are inside keep
        // what they have, and the slabs that it belongs to.
        let mut bytes = 0;
        let mut stocks: Vec<*mut crate::raw::cache::Stock<T>> = Vec::new();
        let mut claimed = Vec::new();
        for (_, cache) in self.caches.iter() {
            if cache.latch.claim() {
                claimed.push(cache);
            }
        }
        if !claimed.is_empty() && self.inner().clock.barrier() {
            for cache in &claimed {
                let _ = cache.with_stock_of_stranger(|stock| stocks.push(stock));
            }
        }
        let rd = self.inner().clock.read_hand();
        self.depot.with(|depot| {
            if !Self::NEEDS_DROP {
                self.free_expired(depot, rd);
            }
            if !depot.is_whole {
                return;
            }
            let mut tally = Tally::new(&depot.slabs);
            depot.free.for_each(|bucket| {
                bucket
                    .entries()
                    .iter()
                    .for_each(|i| tally.free(i.as_ptr(), 1))
            });
            for stock in &stocks {
                // SAFETY: the latch is given back below; one at a time.
                let stock = unsafe { &mut **stock };
                if let Some(free) = &stock.free {
                    free.entries()
                        .iter()
                        .for_each(|item| tally.free(item.as_ptr(), 1));
                }
                if !Self::NEEDS_DROP {
                    self.free_expired_of(stock);
                }
                stock.spare.for_each(|bucket| {
                    bucket
                        .entries()
                        .iter()
                        .for_each(|i| tally.free(i.as_ptr(), 1))
                });
                if stock.fresh_items() != 0 {
                    tally.free(stock.fresh, stock.fresh_items());
                }
            }
            if !tally.any_free() {
                return;
            }
            depot
                .free
                .retain_entries(|item| !tally.is_free(item.as_ptr()));
            for stock in &stocks {
                // SAFETY: as above.
                let stock = unsafe { &mut **stock };
                if let Some(free) = &mut stock.free {
                    free.retain(|item| !tally.is_free(item.as_ptr()));
                }
                stock.retain_spare(|item| !tally.is_free(item.as_ptr()));
                // Where nothing is left of it, the slab that it ended in may go.
                if stock.fresh_items() == 0 || tally.is_free(stock.fresh) {
                    (stock.fresh, stock.fresh_end) = (ptr::null_mut(), ptr::null_mut());
                }
            }
            let mut kept = Slabs::default();
            while let Some(slab) = depot.slabs.pop() {
                if tally.is_free(slab.range().0) {
                    bytes += slab.bytes();
                    freed.push(slab);
                } else {
                    kept.push(slab);
                }
            }
            depot.slabs = kept;
            depot.reset_slab_size();
        });
        for cache in claimed {
            cache.latch.give_back();
        }
        bytes
    }

    pub(crate) fn stats(&self) -> PoolStats {
        let mut stats = self.depot.with(|depot| {
            let mut stats = PoolStats::default();
            for slab in depot.slabs.iter() {
                stats.slabs += 1;
                stats.slab_bytes += slab.bytes();
                stats.live_items += slab.items();
            }
            depot
                .free
                .for_each(|bucket| stats.free_items += bucket.len() as usize);
            Self::add_bins(&mut stats, depot.retired().items, depot.ready_items());
            stats
        });
        stats.caches = self.caches.iter().count();
        self.with_strangers(
            |_, _| true,
            |_, stock| {
                stats.free_items += stock.free_items() + stock.fresh_items();
                let bins = &stock.bins;
                Self::add_bins(&mut stats, bins.retired().items, bins.ready_items());
            },
        );
        stats.retired_bytes = stats.retired_items * size_of::<T>();
        stats.live_items = stats
            .live_items
            .saturating_sub(stats.retired_items + stats.free_items);
        stats
    }

    fn add_bins(stats: &mut PoolStats, retired: usize, ready: usize) {
        stats.retired_items += retired;
        if Self::NEEDS_DROP {
            stats.retired_items += ready;
        } else {
            stats.free_items += ready;
        }
    }

    /// Drops everything retired. Nobody uses the pool any more.
    pub(crate) fn drop_retired(&mut self) -> run::Panic {
        let mut first_panic = run::Panic::none();
        for cache in self.caches.drain() {
            let registry = &self.inner().registry;
            registry.forget_pool(cache.owner, self.address());
            let stock = cache.stock.with_mut(|stock| {
                // SAFETY: the cache is ours alone.
                core::mem::take(unsafe { &mut *stock })
            });
            self.absorb(stock.bins, stock.free);
        }
        loop {
            let bucket = self.depot.with(|depot| {
                let bins = depot.bins();
                bins.take_ready_bucket().or_else(|| {
                    bins.seal(1);
                    bins.take_sealed()
                })
            });
            let Some(mut bucket) = bucket else {
                return first_panic;
            };
            self.settle(&mut bucket);
            // SAFETY: nobody can be inside a structure that is being dropped, so
            // nobody can reach what it retired.
            first_panic.keep(unsafe { Self::drop_bucket(bucket) });
        }
    }

    /// Drops a pool: its retired items at once, then its memory, unless one of
    /// those very items is dropping it.
    ///
    /// # Safety
    ///
    /// `this` is from `Box::into_raw`, and this is its last use.
    pub(crate) unsafe fn destroy(this: *mut Self) {
        // SAFETY: the caller's promise. Sweeps may have the pool still.
        let pool = unsafe { &*this };
        let domain = pool.domain.clone();
        let inner = domain.inner();
        // A barrier finds the items in the list, or in our hand.
        let hand = inner.depot.with(|_| inner.hands.take());
        let node: *mut Node = this.cast();
        let bequest = || Bequest {
            pool: node,
            free: free::<T>,
        };
        let holder = pool.node.unlink(inner, bequest);
        let mut first_panic = run::Panic::none();
        // SAFETY: no sweep has the pool, or one that will not touch it but to free it:
        // below us, or of a thread that waits for us.
        let pool = unsafe { &mut *this };
        let mut dropped = false;
        first_panic.keep(run::catch(|| {
            inner.collecting(|| {
                dropped = true;
                pool.drop_retired()
            });
        }));
        if !dropped {
            // Inside a collection of the domain already.
            first_panic.keep(pool.drop_retired());
        }
        drop(hand);
        match holder {
            Holder::Below(frame) => {
                // SAFETY: the frame is on this thread's stack, below us.
                let frame = unsafe { &*frame };
                let in_hand = frame.in_hand.get().cast::<InHand<T>>();
                // SAFETY: set by `run_expired` for this pool, whose frame it is.
                if let Some(in_hand) = unsafe { in_hand.as_ref() } {
                    first_panic.keep(in_hand.drop_all());
                }
                frame.dead.set(true);
                frame.bequest.set(Some(bequest()));
            }
            // What it has in hand, it drops as well.
            Holder::Heir => {}
            // SAFETY: the caller's promise.
            Holder::Nobody => drop(unsafe { Box::from_raw(this) }),
        }
        first_panic.go_on();
    }
}

/// # Safety
///
/// `node` is the node of a pool of `T` from `Box::into_raw`, used for the last
/// time.
unsafe fn free<T>(node: *mut Node) {
    // SAFETY: the caller's promise, and the node is the pool's first field.
    drop(unsafe { Box::from_raw(node.cast::<PoolInner<T>>()) });
}

/// Counts free items by slab.
struct Tally {
    /// First address, end, items, free items; sorted by address.
    slabs: Vec<(usize, usize, usize, usize)>,
    item: usize,
}

impl Tally {
    fn new<T>(slabs: &Slabs<T>) -> Self {
        let mut slabs: Vec<_> = slabs
            .iter()
            .map(|slab| {
                let (first, end) = slab.range();
                (first.addr(), end.addr(), slab.items(), 0)
            })
            .collect();
        slabs.sort_unstable();
        Self {
            slabs,
            item: size_of::<T>(),
        }
    }

    /// `None` in a forked child whose depot was overwritten, and with it what
    /// slabs there were: those stay.
    fn find(&self, address: usize) -> Option<usize> {
        let index = self
            .slabs
            .partition_point(|(first, ..)| *first <= address)
            .checked_sub(1)?;
        (address < self.slabs[index].1).then_some(index)
    }

    fn free<T>(&mut self, item: *mut T, items: usize) {
        debug_assert_eq!(self.item, size_of::<T>());
        if let Some(index) = self.find(item.addr()) {
            self.slabs[index].3 += items;
        }
    }

    fn is_free<T>(&self, item: *mut T) -> bool {
        self.find(item.addr()).is_some_and(|index| {
            let (_, _, items, free) = self.slabs[index];
            items == free
        })
    }

    fn any_free(&self) -> bool {
        self.slabs.iter().any(|(_, _, items, free)| items == free)
    }
}
