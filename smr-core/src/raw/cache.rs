//! A participant's share of a pool, and where to find it.
//!
//! The cache of a slot is found by the slot's index, and passes to the slot's
//! next owner: a thread that exits leaves its cache behind, warm.
//!
//! The first participant's cache hangs on the pool itself; most pools of small
//! structures know one. Others stand in an open-addressed table that grows with
//! the participants that used *this* pool, not with all there are. Tables that
//! were outgrown stay until the pool goes, so a look-up needs no protection.
//!
//! # Orderings
//!
//! A look-up finds what announces a cache, or a table, with Acquire; `insert` stores
//! it with Release after what it announces: `first` after the cache that it leads to,
//! the `owner` of an entry after its cache, `table` after its entries. So the `cache`
//! of an entry is Relaxed, and so is everything that `insert` reads back, which the
//! pool's lock orders, and that `drain` does, which has the pool to itself.

use core::ptr;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ptr::NonNull;

use crate::barrier::Barrier;
use crate::ord;
use crate::raw::bins::Bins;
use crate::raw::bucket::{Bucket, Fifo};
use crate::raw::latch::Latch;
use crate::raw::prefetch::{HAS_PREFETCH, prefetch_write};
use crate::raw::slab;
use crate::raw::try_box;
use crate::sync::{AtomicBool, AtomicPtr, AtomicU32, Ordering, UnsafeCell};
use crate::tunables::{MAX_BUCKET_ITEMS, MAX_CACHED_BYTES, WARM_BYTES};

/// No participant has this index.
const NOBODY: u32 = u32::MAX;

pub(crate) type Item<T> = NonNull<T>;

/// What a cache holds, behind its latch.
pub(crate) struct Stock<T> {
    /// Retired items. Ready ones are free if `T` needs no drop, otherwise their
    /// destructors are due.
    pub(crate) bins: Bins<Item<T>>,
    /// Free items, dropped or never used: where items are taken from.
    pub(crate) free: Option<Bucket<Item<T>>>,
    /// Buckets of free items to follow it, those retired last first: they are
    /// the ones that the processor's caches still hold.
    pub(crate) spare: Fifo<Item<T>>,
    pub(crate) spare_items: u32,
    /// How many items the last slab had.
    pub(crate) slab_items: u32,
    /// Fresh memory, not cut into items yet.
    pub(crate) fresh: *mut T,
    pub(crate) fresh_end: *mut T,
}

impl<T> Default for Stock<T> {
    fn default() -> Self {
        Self {
            bins: Bins::default(),
            free: None,
            spare: Fifo::default(),
            spare_items: 0,
            slab_items: 0,
            fresh: ptr::null_mut(),
            fresh_end: ptr::null_mut(),
        }
    }
}

impl<T> Stock<T> {
    /// Cuts one item from the fresh memory.
    #[inline]
    pub(crate) fn carve(&mut self) -> Option<Item<T>> {
        if self.fresh == self.fresh_end {
            return None;
        }
        let item = NonNull::new(self.fresh);
        self.fresh = slab::next(self.fresh);
        item
    }

    pub(crate) fn fresh_items(&self) -> usize {
        slab::count(self.fresh, self.fresh_end)
    }

    pub(crate) fn free_items(&self) -> usize {
        self.free.as_ref().map_or(0, |b| b.len() as usize) + self.spare_items as usize
    }

    /// Puts a bucket of free items on top of the spare ones.
    pub(crate) fn put_spare(&mut self, bucket: Bucket<Item<T>>) {
        self.spare_items += bucket.len();
        self.spare.push_front(bucket);
    }

    /// Items are taken from this bucket now: the one before is used up. Returns the first.
    pub(crate) fn begin(&mut self, mut free: Bucket<Item<T>>, is_warm: bool) -> Option<Item<T>> {
        if HAS_PREFETCH && !is_warm {
            // Who takes an item writes to it, and publishes it by an exchange, which waits
            // until the line is there.
            free.entries()
                .iter()
                .rev()
                .for_each(|item| prefetch_write(item.as_ptr()));
        }
        let item = free.pop();
        if let Some(used_up) = self.free.replace(free) {
            self.bins.reuse(used_up);
        }
        item
    }

    /// Whether the spare items are so few that the processor's nearest cache may hold them.
    pub(crate) fn is_warm(&self) -> bool {
        self.spare_items as usize * slab::stride::<T>() <= WARM_BYTES
    }

    /// Takes the bucket on top of the spare ones.
    pub(crate) fn take_spare(&mut self) -> Option<Bucket<Item<T>>> {
        let bucket = self.spare.pop_front()?;
        self.spare_items -= bucket.len();
        Some(bucket)
    }

    /// Keeps the spare items that `keep` says.
    pub(crate) fn retain_spare(&mut self, keep: impl FnMut(&Item<T>) -> bool) {
        self.spare.retain_entries(keep);
        let mut items = 0;
        self.spare.for_each(|bucket| items += bucket.len());
        self.spare_items = items;
    }

    /// Adds a free item. Returns a bucket to be shared when there are too many.
    ///
    /// Where there is no memory for a bucket, the item is not used again: it goes
    /// with the pool.
    pub(crate) fn put_free(&mut self, item: Item<T>) -> Option<Bucket<Item<T>>> {
        // The item that was cut last is fresh memory again, and needs no bucket.
        // A slab begins with its header, so what ends where the fresh memory
        // begins is of the same slab.
        if slab::previous(self.fresh) == item.as_ptr() {
            self.fresh = slab::previous(self.fresh);
            return None;
        }
        let most =
            (MAX_CACHED_BYTES / size_of::<T>().max(1)).clamp(1, 4 * MAX_BUCKET_ITEMS as usize);
        if let Some(free) = &mut self.free
            && free.len() == free.capacity()
        {
            free.grow(most as u32);
        }
        let full = self.free.take_if(|free| free.len() == free.capacity());
        if self.free.is_none() {
            self.free = Bucket::try_with_capacity(4.min(most as u32));
        }
        if let Some(free) = &mut self.free {
            free.push(item, 0);
        }
        full
    }
}

#[repr(align(64))]
pub(crate) struct Cache<T> {
    pub(crate) latch: Latch,
    pub(crate) stock: UnsafeCell<Stock<T>>,
    /// A gathering sweep holds the latch.
    pub(crate) held: AtomicBool,
    /// Something worth stealing may be in here: set by slow paths of the owner.
    pub(crate) touched: AtomicBool,
    /// The slot that it belongs to.
    pub(crate) owner: u32,
}

// SAFETY: the stock is only reached behind the latch, and items are `Send`.
unsafe impl<T: Send> Sync for Cache<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Cache<T> {}

impl<T> Cache<T> {
    pub(crate) fn new(owner: u32) -> Self {
        Self {
            owner,
            latch: Latch::default(),
            stock: UnsafeCell::new(Stock::default()),
            held: AtomicBool::new(false),
            touched: AtomicBool::new(false),
        }
    }

    /// Runs `f` on the stock, as the owner. No user code in `f`.
    #[inline(always)]
    pub(crate) fn with<R>(&self, barrier: Barrier, f: impl FnOnce(&mut Stock<T>) -> R) -> R {
        let _inside = self.latch.enter(barrier, || self.stock.with_mut(overwrite));
        self.stock.with_mut(|stock| {
            // SAFETY: the latch is held until `_inside` is dropped.
            f(unsafe { &mut *stock })
        })
    }

    /// Runs `f` on the stock, as a stranger that claimed the latch and made the
    /// heavy barrier. `None` if the owner is inside.
    pub(crate) fn with_stock_of_stranger<R>(
        &self,
        f: impl FnOnce(&mut Stock<T>) -> R,
    ) -> Option<R> {
        let is_out = self.latch.owner_is_out(|| self.stock.with_mut(overwrite));
        is_out.then(|| {
            self.stock.with_mut(|stock| {
                // SAFETY: the latch is ours until it is given back.
                f(unsafe { &mut *stock })
            })
        })
    }
}

/// Makes an empty stock of what a vanished thread may have left half changed.
/// What was in it is leaked, in a forked child.
fn overwrite<T>(stock: *mut Stock<T>) {
    // SAFETY: behind the latch; the old value is neither read nor dropped.
    unsafe { stock.write(Stock::default()) };
}

struct Entry<T> {
    owner: AtomicU32,
    cache: AtomicPtr<Cache<T>>,
}

struct Table<T> {
    entries: Box<[Entry<T>]>,
    /// The table before this one, for look-ups that are still in it.
    outgrown: *mut Table<T>,
}

/// All caches of a pool.
pub(crate) struct Caches<T> {
    first: AtomicPtr<Cache<T>>,
    table: AtomicPtr<Table<T>>,
}

impl<T> Caches<T> {
    pub(crate) fn new() -> Self {
        Self {
            first: AtomicPtr::new(ptr::null_mut()),
            table: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The cache of the participant `index`, if it has one.
    pub(crate) fn find(&self, index: u32) -> Option<&Cache<T>> {
        // Acquire: pairs with the Release in `insert`, of this slot's owner or
        // the one before.
        if let Some(first) = self.first()
            && first.owner == index
        {
            return Some(first);
        }
        self.find_in_table(index)
    }

    fn first(&self) -> Option<&Cache<T>> {
        // Acquire: pairs with the Release in `insert`.
        let first = self.first.load(ord::cache_find());
        // SAFETY: a cache lives as long as the pool.
        unsafe { first.as_ref() }
    }

    fn find_in_table(&self, index: u32) -> Option<&Cache<T>> {
        let table = self.table()?;
        for entry in table.probe(index) {
            match entry.owner.load(ord::cache_find()) {
                owner if owner == index => {
                    let cache = entry.cache.load(Ordering::Relaxed);
                    // SAFETY: the owner is published after the cache.
                    return Some(unsafe { &*cache });
                }
                NOBODY => return None,
                _ => {}
            }
        }
        None
    }

    fn table(&self) -> Option<&Table<T>> {
        // Acquire: pairs with the Release in `insert`.
        let table = self.table.load(ord::cache_find());
        // SAFETY: tables live as long as the pool.
        unsafe { table.as_ref() }
    }

    /// Adds a cache for `index`, which has none. `None` if there is no memory.
    /// Called behind the pool's lock.
    pub(crate) fn insert(&self, index: u32) -> Option<&Cache<T>> {
        let cache = try_box(Cache::<T>::new(index))?;
        if !self.first.load(Ordering::Relaxed).is_null() {
            self.make_room_in_table()?;
        }
        let cache = Box::into_raw(cache);
        if self.first.load(Ordering::Relaxed).is_null() {
            self.first.store(cache, ord::cache_publish());
        } else {
            self.table().expect("it has room").put(index, cache);
        }
        // SAFETY: just made; it lives as long as the pool.
        Some(unsafe { &*cache })
    }

    /// Makes sure that the table takes one more. `None` if there is no memory.
    fn make_room_in_table(&self) -> Option<()> {
        let table = self.table.load(Ordering::Relaxed);
        // SAFETY: tables live as long as the pool.
        let old = unsafe { table.as_ref() };
        if old.is_some_and(|table| table.used() * 4 < table.entries.len() * 3) {
            return Some(());
        }
        let len = old.map_or(4, |old| old.entries.len() * 2);
        let mut entries = Vec::new();
        entries.try_reserve_exact(len).ok()?;
        entries.extend((0..len).map(|_| Entry {
            owner: AtomicU32::new(NOBODY),
            cache: AtomicPtr::new(ptr::null_mut()),
        }));
        let larger = try_box(Table {
            entries: entries.into_boxed_slice(),
            outgrown: table,
        })?;
        for entry in old.into_iter().flat_map(|old| old.entries.iter()) {
            let owner = entry.owner.load(Ordering::Relaxed);
            if owner != NOBODY {
                larger.put(owner, entry.cache.load(Ordering::Relaxed));
            }
        }
        // Release: pairs with the Acquire in `table`.
        self.table
            .store(Box::into_raw(larger), ord::cache_publish());
        Some(())
    }

    /// All caches, with their owners.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Cache<T>)> {
        let first = self.first().map(|cache| (cache.owner, cache));
        let rest = self
            .table()
            .into_iter()
            .flat_map(|table| table.entries.iter())
            .filter_map(|entry| {
                let owner = entry.owner.load(ord::cache_find());
                (owner != NOBODY).then(|| {
                    let cache = entry.cache.load(Ordering::Relaxed);
                    // SAFETY: the owner is published after the cache.
                    (owner, unsafe { &*cache })
                })
            });
        first.into_iter().chain(rest)
    }

    /// Takes all caches out. Nobody else uses the pool any more.
    #[expect(clippy::vec_box, reason = "each is in its own box already")]
    pub(crate) fn drain(&mut self) -> Vec<Box<Cache<T>>> {
        let all: Vec<*const Cache<T>> =
            self.iter().map(|(_, cache)| ptr::from_ref(cache)).collect();
        self.first.store(ptr::null_mut(), Ordering::Relaxed);
        let mut table = self.table.swap(ptr::null_mut(), Ordering::Relaxed);
        while !table.is_null() {
            // SAFETY: made by `Box::into_raw`, and nobody looks it up any more.
            let gone = unsafe { Box::from_raw(table) };
            table = gone.outgrown;
        }
        all.into_iter()
            .map(|cache| {
                // SAFETY: made by `Box::into_raw` in `insert`, listed once, and
                // gone from all places where it could be found.
                unsafe { Box::from_raw(cache.cast_mut()) }
            })
            .collect()
    }
}

impl<T> Drop for Caches<T> {
    fn drop(&mut self) {
        drop(self.drain());
    }
}

impl<T> Table<T> {
    fn probe(&self, index: u32) -> impl Iterator<Item = &Entry<T>> {
        let mask = self.entries.len() - 1;
        (0..self.entries.len()).map(move |step| &self.entries[(index as usize + step) & mask])
    }

    fn used(&self) -> usize {
        self.entries
            .iter()
            .filter(|e| e.owner.load(Ordering::Relaxed) != NOBODY)
            .count()
    }

    fn put(&self, index: u32, cache: *mut Cache<T>) {
        let entry = self
            .probe(index)
            .find(|entry| entry.owner.load(Ordering::Relaxed) == NOBODY)
            .expect("the table has room");
        entry.cache.store(cache, Ordering::Relaxed);
        // Release: pairs with the Acquire in `find_in_table`.
        entry.owner.store(index, ord::cache_publish());
    }
}
