//! The global allocator of the comparison: the system's (or mimalloc, by the
//! feature of that name), with a count.
//!
//! # What is counted
//!
//! The bytes that were asked for and not yet given back, by anybody: items,
//! slabs of a pool, bags, lists. The headers and the rounding of the system's
//! allocator are not in it, which flatters whoever calls it once an item. What our
//! structures take from the system beside it is in the sum.
//!
//! # How
//!
//! A locked instruction on every call would weigh on the subjects that call
//! the allocator most, so each worker has a counter of its own that nobody
//! else writes: a load, an addition and a store. Threads that did not ask for
//! a counter (the harness itself, destructors of thread-locals) share one, and
//! pay for it with an atomic addition.
//!
//! # Orderings
//!
//! All relaxed: a sum over the counters is an estimate while threads run, and
//! exact once they are joined.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use crossbeam_utils::CachePadded;

/// The shared counter, one for each worker that can run at a time, and that of nobody.
pub(crate) const SHARDS: usize = 514;
/// The counter of those who have none.
const COMMON: usize = 0;
/// A counter that is not in the sum.
const NOBODY: usize = SHARDS - 1;

static BYTES: [CachePadded<AtomicI64>; SHARDS] =
    [const { CachePadded::new(AtomicI64::new(0)) }; SHARDS];
/// One more than the largest counter ever handed out.
static USED: AtomicUsize = AtomicUsize::new(COMMON + 1);
/// Counters that were handed out and have come back.
static SPARE: Mutex<Vec<usize>> = Mutex::new(Vec::new());

thread_local! {
    static SHARD: Cell<usize> = const { Cell::new(COMMON) };
}

#[cfg(not(feature = "mimalloc"))]
mod base {
    pub(super) const BASE: std::alloc::System = std::alloc::System;
    pub(super) const NAME: &str = "the system's";
}
#[cfg(feature = "mimalloc")]
mod base {
    pub(super) const BASE: mimalloc::MiMalloc = mimalloc::MiMalloc;
    pub(super) const NAME: &str = "mimalloc";
}
use base::BASE;

/// What is counted.
pub(crate) const NAME: &str = base::NAME;

/// The allocator, counted.
#[derive(Debug)]
pub(crate) struct Counting;

#[inline]
fn add(bytes: i64) {
    let shard = SHARD.get();
    let counter = &BYTES[shard];
    if shard == COMMON {
        counter.fetch_add(bytes, Ordering::Relaxed);
    } else {
        let before = counter.load(Ordering::Relaxed);
        counter.store(before.wrapping_add(bytes), Ordering::Relaxed);
    }
}

// SAFETY: every call goes to the allocator below unchanged; the count
// neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size() as i64);
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { BASE.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size() as i64);
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { BASE.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        add(-(layout.size() as i64));
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { BASE.dealloc(ptr, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        add(new_size as i64 - layout.size() as i64);
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { BASE.realloc(ptr, layout, new_size) }
    }
}

/// Bytes asked of the system and not given back, over all threads.
pub(crate) fn heap_bytes() -> i64 {
    let used = USED.load(Ordering::Relaxed);
    let counters = BYTES[..used].iter();
    let allocated: i64 = counters
        .map(|counter| counter.load(Ordering::Relaxed))
        .sum();
    allocated + smr_core::mapped_bytes() as i64
}

/// How many of the counters have ever been handed out.
pub(crate) fn shards() -> usize {
    USED.load(Ordering::Relaxed)
}

/// Adds to this thread's place in a set of counters like the allocator's.
#[inline]
pub(crate) fn add_to_own(counters: &[CachePadded<AtomicU64>; SHARDS], count: u64) {
    let shard = SHARD.get();
    let counter = &counters[shard];
    if shard == COMMON {
        counter.fetch_add(count, Ordering::Relaxed);
    } else {
        let before = counter.load(Ordering::Relaxed);
        counter.store(before + count, Ordering::Relaxed);
    }
}

/// Leaves out what this thread asks for from now on: it works beside a run that counts,
/// and has no part in it.
pub(crate) fn leave_out() {
    SHARD.set(NOBODY);
}

/// A thread's right to a counter of its own; the count stays when it ends.
#[derive(Debug)]
pub(crate) struct OwnShard {
    shard: usize,
    _not_send: std::marker::PhantomData<*mut ()>,
}

impl OwnShard {
    /// Takes a counter for this thread; when all are taken, the thread stays
    /// with the common one.
    pub(crate) fn take() -> Self {
        // The mutex orders the last write of the counter's owner before us.
        let mut spare = SPARE.lock().expect("nobody panics with the lock held");
        let shard = spare.pop().unwrap_or_else(|| {
            let next = USED.load(Ordering::Relaxed);
            if next < NOBODY {
                USED.store(next + 1, Ordering::Relaxed);
                next
            } else {
                COMMON
            }
        });
        drop(spare);
        SHARD.set(shard);
        Self {
            shard,
            _not_send: std::marker::PhantomData,
        }
    }
}

impl Drop for OwnShard {
    fn drop(&mut self) {
        SHARD.set(COMMON);
        if self.shard != COMMON {
            let mut spare = SPARE.lock().expect("nobody panics with the lock held");
            spare.push(self.shard);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::MutexGuard;

    use super::*;

    /// For tests that hold much memory and look at how much there is.
    pub(crate) fn alone() -> MutexGuard<'static, ()> {
        static ALONE: Mutex<()> = Mutex::new(());
        ALONE.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    #[test]
    fn a_large_box_is_seen_and_its_end_too() {
        const SIZE: usize = 64 << 20;
        let _alone = alone();
        let before = heap_bytes();
        let held = {
            let _own = OwnShard::take();
            vec![1_u8; SIZE]
        };
        // Other tests run beside this one: leave them some room.
        assert!(heap_bytes() - before > (SIZE as i64) / 2);
        drop(held);
        assert!(heap_bytes() - before < (SIZE as i64) / 2);
    }

    #[test]
    fn what_a_large_map_takes_beside_the_allocator_is_seen() {
        let _alone = alone();
        let before = heap_bytes();
        let map = smr_hashmap::HashMap::<u64, u64>::with_capacity(4_000_000);
        let bytes = map.memory_usage() as i64;
        assert!(bytes > 32 << 20);
        // Other tests run beside this one: leave them some room.
        assert!(heap_bytes() - before > bytes / 2);
        drop(map);
        assert!(heap_bytes() - before < bytes / 2);
    }

    #[test]
    fn what_a_thread_beside_a_run_asks_for_is_left_out() {
        const SIZE: usize = 64 << 20;
        let _alone = alone();
        let before = heap_bytes();
        let held = std::thread::spawn(|| {
            leave_out();
            vec![1_u8; SIZE]
        });
        let held = held.join().expect("it allocates");
        let after = heap_bytes();
        // Given back by a thread that counts: asked for by it first.
        add(SIZE as i64);
        drop(held);
        assert!(after - before < (SIZE as i64) / 2);
    }

    #[test]
    fn a_counter_comes_back_with_its_count() {
        let first = OwnShard::take();
        let shard = first.shard;
        drop(first);
        assert_eq!(SHARD.get(), COMMON);
        assert_ne!(shard, COMMON);
    }
}
