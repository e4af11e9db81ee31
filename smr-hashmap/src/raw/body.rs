//! What a map has besides its tables, made with the first of them: the memory of its
//! blocks, and its length.

use core::ptr;

use smr_core::sync::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use smr_core::{Domain, Guard, Pool, PoolBox};

use crate::ord;
use crate::raw::block::{BlockRef, Draft, Full, Memory, Small};
use crate::raw::resize::Panics;
use crate::raw::watch;
use crate::tunables::{MAX_SHARDS, MIN_BITS};

pub(crate) struct Body {
    full: Pool<Full>,
    small: Pool<Small>,
    pub(crate) len: Length,
    /// Binary logarithm of the buckets below which the table does not shrink by
    /// itself: what was asked for.
    pub(crate) floor: AtomicU32,
}

impl Body {
    pub(crate) fn new(domain: &Domain) -> Self {
        Self {
            full: Pool::new_in(domain),
            small: Pool::new_in(domain),
            len: Length::new(),
            floor: AtomicU32::new(MIN_BITS),
        }
    }

    /// Bytes of memory for blocks, and of the body itself.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.full.stats().slab_bytes + self.small.stats().slab_bytes
    }

    /// Gives free memory for blocks back to the system.
    pub(crate) fn trim(&self) {
        self.full.trim();
        self.small.trim();
    }

    // -- blocks --------------------------------------------------------------

    /// Makes a block. It is published by a word, or given back by
    /// [`give_back`](Self::give_back).
    #[inline]
    pub(crate) fn make(&self, draft: Draft, guard: &Guard) -> BlockRef {
        let block = if draft.is_small() {
            let block = self.small.alloc_in(guard, draft.into_small());
            block.into_raw().cast()
        } else {
            let block = self.full.alloc_in(guard, draft.into_full());
            block.into_raw().cast()
        };
        watch::made(block.as_ptr());
        // SAFETY: made just now; it lives until it is given back, or retired and every
        // section that is open then has ended.
        unsafe { BlockRef::new(block) }
    }

    /// Takes back the blocks of a chain, up to `shared`, that nobody else has seen.
    ///
    /// # Safety
    ///
    /// They were made here, were never published (or nobody else uses the map), and
    /// are given back once.
    pub(crate) unsafe fn give_back(&self, first: Option<BlockRef>, shared: Option<BlockRef>) {
        let mut next = first;
        while let Some(block) = next.filter(|block| Some(*block) != shared) {
            next = block.next();
            watch::gone(block.as_ptr());
            match block.memory() {
                Memory::Full(item) => {
                    // SAFETY: the caller's promise.
                    drop(unsafe { PoolBox::from_raw(&self.full, item) });
                }
                Memory::Small(item) => {
                    // SAFETY: the caller's promise.
                    drop(unsafe { PoolBox::from_raw(&self.small, item) });
                }
            }
        }
    }

    /// Retires the blocks of a chain, up to `shared`, that no word leads to any more.
    ///
    /// # Safety
    ///
    /// They were made here, the caller's exchange cut them off, and it retires them
    /// once.
    #[inline]
    pub(crate) unsafe fn retire(
        &self,
        first: Option<BlockRef>,
        shared: Option<BlockRef>,
        guard: &Guard,
    ) {
        let mut chain = Cut {
            body: self,
            next: first,
            shared,
            guard,
        };
        while chain.retire_one() {}
    }
}

/// Blocks to be retired. A retire may run destructors of others, which may panic: the
/// rest is retired also then.
struct Cut<'b> {
    body: &'b Body,
    next: Option<BlockRef>,
    shared: Option<BlockRef>,
    guard: &'b Guard,
}

impl Cut<'_> {
    /// Retires a block; `false` if there was none.
    #[inline(always)]
    fn retire_one(&mut self) -> bool {
        let Some(block) = self.next.filter(|block| Some(*block) != self.shared) else {
            self.next = None;
            return false;
        };
        self.next = block.next();
        watch::gone(block.as_ptr());
        match block.memory() {
            Memory::Full(item) => {
                // SAFETY: promised to `Body::retire`.
                unsafe { self.body.full.retire_in(self.guard, item) };
            }
            Memory::Small(item) => {
                // SAFETY: promised to `Body::retire`.
                unsafe { self.body.small.retire_in(self.guard, item) };
            }
        }
        true
    }
}

impl Drop for Cut<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.next.is_some() {
            retire_rest(self);
        }
    }
}

#[cold]
fn retire_rest(chain: &mut Cut<'_>) {
    let mut panics = Panics::default();
    let mut is_more = true;
    while is_more {
        panics.catch(|| is_more = chain.retire_one());
    }
    // The first panic is under way.
}

/// How many entries there are: a counter, and shards of it once the map is large.
///
/// Every counter wraps; their sum does not, at a moment when nobody writes. Relaxed:
/// a count orders nothing.
pub(crate) struct Length {
    first: AtomicUsize,
    shards: AtomicPtr<Shards>,
}

/// A power of two of counters, each on lines of its own.
pub(crate) struct Shards(Box<[Shard]>);

#[repr(align(128))]
#[derive(Default)]
struct Shard(AtomicUsize);

impl Length {
    fn new() -> Self {
        Self {
            first: AtomicUsize::new(0),
            shards: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Adds to the length; `by` may be negative.
    #[inline]
    pub(crate) fn add(&self, by: isize) {
        let counter = match self.shards() {
            None => &self.first,
            Some(Shards(shards)) => &shards[place() & (shards.len() - 1)].0,
        };
        // Relaxed: a count orders nothing.
        counter.fetch_add(by as usize, Ordering::Relaxed);
    }

    /// The length. While others write, the count of some moment of each counter.
    pub(crate) fn sum(&self) -> usize {
        // Relaxed: a count orders nothing.
        let mut sum = self.first.load(Ordering::Relaxed);
        for shard in self.shards().into_iter().flat_map(|shards| &shards.0) {
            sum = sum.wrapping_add(shard.0.load(Ordering::Relaxed));
        }
        // Others may have removed in one shard what they added in another.
        if (sum as isize) < 0 { 0 } else { sum }
    }

    #[inline]
    fn shards(&self) -> Option<&Shards> {
        // Acquire: pairs with the Release in `publish_first`.
        let shards = self.shards.load(ord::map_table_load());
        // SAFETY: made by `shard`, and freed with us.
        unsafe { shards.as_ref() }
    }

    /// Counts in shards from now on. Without memory for them it goes on as it is.
    #[cold]
    pub(crate) fn shard(&self) {
        if self.shards().is_some() {
            return;
        }
        let count = (2 * processors()).next_power_of_two().min(MAX_SHARDS);
        let mut shards = Vec::new();
        if shards.try_reserve_exact(count).is_err() {
            return;
        }
        shards.resize_with(count, Shard::default);
        let Some(shards) = try_box(Shards(shards.into_boxed_slice())) else {
            return;
        };
        publish_first(&self.shards, shards);
    }
}

impl Drop for Length {
    fn drop(&mut self) {
        // Relaxed: nobody else is there.
        let shards = self.shards.load(Ordering::Relaxed);
        if !shards.is_null() {
            // SAFETY: made by `shard`, and nobody else is there.
            drop(unsafe { Box::from_raw(shards) });
        }
    }
}

/// A number that differs between most threads.
#[inline]
fn place() -> usize {
    std::thread_local! {
        static PLACE: u8 = const { 0 };
    }
    // Where the thread's locals are: threads have them far apart.
    let at = PLACE.try_with(|place| ptr::from_ref(place).addr());
    at.map_or(0, |at| {
        (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) as usize >> 40
    })
}

/// `None` if there is no memory.
pub(crate) fn try_box<T>(value: T) -> Option<Box<T>> {
    const { assert!(size_of::<T>() != 0, "allocated") };
    let mut one = Vec::new();
    one.try_reserve_exact(1).ok()?;
    one.push(value);
    let one = Box::into_raw(one.into_boxed_slice()).cast::<T>();
    // SAFETY: a slice of one was allocated as one.
    Some(unsafe { Box::from_raw(one) })
}

/// Publishes something where nothing was yet, and gives what is there then: this, or
/// what another published first.
pub(crate) fn publish_first<T>(place: &AtomicPtr<T>, new: Box<T>) -> *mut T {
    let new = Box::into_raw(new);
    // Release: pairs with the Acquire of those who look it up; Acquire: as there.
    match place.compare_exchange(
        ptr::null_mut(),
        new,
        ord::map_table_publish(),
        ord::map_table_load(),
    ) {
        Ok(_) => new,
        Err(theirs) => {
            // SAFETY: ours was never published.
            drop(unsafe { Box::from_raw(new) });
            theirs
        }
    }
}

/// How many processors there are, found out without allocating.
#[cfg(all(target_os = "linux", not(any(loom, miri))))]
fn processors() -> usize {
    let ours = rustix::thread::sched_getaffinity(None);
    // An error: more than fit into a mask.
    ours.map_or(MAX_SHARDS, |ours| ours.count() as usize)
}

/// How many processors there are.
#[cfg(not(all(target_os = "linux", not(any(loom, miri)))))]
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
