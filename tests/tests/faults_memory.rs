//! Memory that runs out, and memory that must come back: with an allocator that
//! counts, and that refuses when it is told to.
#![cfg(not(miri))]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smr_core::{AllocError, Domain, Pool};
use support::{Drops, GENEROUS, Reader, every_barrier};

struct Counting;

static LIVE_BYTES: AtomicIsize = AtomicIsize::new(0);

thread_local! {
    /// Whether the system has no memory for this thread.
    static REFUSES: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: everything is passed on to the system's allocator, or refused.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if REFUSES.try_with(Cell::get).unwrap_or(false) {
            return std::ptr::null_mut();
        }
        LIVE_BYTES.fetch_add(layout.size() as isize, SeqCst);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        LIVE_BYTES.fetch_sub(layout.size() as isize, SeqCst);
        // SAFETY: the caller's promise, and `ptr` came from the system.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test at a time: all share the counter.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `f` while the calling thread gets no memory.
fn without_memory<R>(f: impl FnOnce() -> R) -> R {
    struct Restore;
    impl Drop for Restore {
        fn drop(&mut self) {
            REFUSES.set(false);
        }
    }
    REFUSES.set(true);
    let _restore = Restore;
    f()
}

/// More than the test harness allocates meanwhile.
const NOISE: isize = 64 << 10;

#[track_caller]
fn assert_back_at(baseline: isize) {
    let more = LIVE_BYTES.load(SeqCst) - baseline;
    assert!(more.abs() < NOISE, "{more} bytes more than before");
}

#[test]
fn try_alloc_hands_the_value_back_when_there_is_no_memory() {
    let _alone = alone();
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::new_in(&domain);
        let mut items = vec![pool.alloc((drops.one(), [1_u64; 16])).into_raw()];
        items.reserve(100_000);
        let refused = without_memory(|| {
            loop {
                match pool.try_alloc((drops.one(), [2_u64; 16])) {
                    Ok(item) => items.push(item.into_raw()),
                    Err(AllocError(value)) => break value,
                }
            }
        });
        assert_eq!(refused.1, [2; 16]);
        assert_eq!(drops.count(), 0, "nothing was lost");
        let held = pool.stats();
        assert_eq!(held.live_items, items.len(), "{held:?}");
        // It works again, with the same value.
        items.push(pool.try_alloc(refused).unwrap().into_raw());
        let live = items.len();
        for item in items {
            // SAFETY: never published, retired once.
            unsafe { pool.retire(item) };
        }
        pool.try_barrier(GENEROUS).unwrap();
        assert_eq!(drops.count(), live);
        // What has come back is used without asking anybody.
        let again = without_memory(|| pool.try_alloc((drops.one(), [3; 16])).is_ok());
        assert!(again);
    });
}

#[test]
fn the_first_try_alloc_of_a_pool_and_a_thread_may_fail() {
    let _alone = alone();
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::new_in(&domain);
        let value = drops.one();
        let AllocError(value) = without_memory(|| pool.try_alloc(value).unwrap_err());
        assert_eq!(drops.count(), 0);
        drop(pool.try_alloc(value).unwrap());
        assert_eq!(drops.count(), 1);
        // Another thread, which has neither a slot in the domain nor a cache.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let value = drops.one();
                let outcome = without_memory(|| pool.try_alloc(value).map(drop));
                assert!(outcome.is_ok() || drops.count() == 1, "lost");
                drop(outcome);
                assert_eq!(drops.count(), 2);
                drop(pool.try_alloc(drops.one()).unwrap());
            });
        });
        assert_eq!(drops.count(), 3);
    });
}

#[test]
fn try_reserve_says_no_and_changes_nothing() {
    let _alone = alone();
    every_barrier(|domain| {
        let pool = Pool::new_in(&domain);
        drop(pool.alloc([1_u64; 4]));
        let before = pool.stats();
        for items in [100_000, usize::MAX / 64, usize::MAX] {
            let refused = without_memory(|| pool.try_reserve(items));
            assert_eq!(refused.unwrap_err().items, items);
        }
        // Impossible whatever the memory.
        assert!(pool.try_reserve(usize::MAX).is_err());
        assert_eq!(pool.stats(), before);
        pool.try_reserve(1000).unwrap();
        let items: Vec<_> = without_memory_but(Vec::with_capacity(1000), |items: &mut Vec<_>| {
            for n in 0..1000 {
                items.push(pool.try_alloc([n; 4]).expect("reserved").into_raw());
            }
        });
        for item in items {
            // SAFETY: never published, retired once.
            unsafe { pool.retire(item) };
        }
    });
}

fn without_memory_but<T>(mut with: T, f: impl FnOnce(&mut T)) -> T {
    without_memory(|| f(&mut with));
    with
}

#[test]
fn try_register_says_that_there_is_no_memory() {
    let _alone = alone();
    every_barrier(|domain| {
        let refused = without_memory(|| domain.try_register().map(drop));
        assert_eq!(refused, Err(smr_core::RegisterError::OutOfMemory));
        let handle = domain.try_register().unwrap();
        drop(handle.pin());
    });
}

#[test]
fn memory_is_back_where_it_was_when_the_reader_has_left() {
    let _alone = alone();
    every_barrier(|domain| {
        let drops = Drops::default();
        domain.try_barrier(GENEROUS).unwrap();
        let baseline = LIVE_BYTES.load(SeqCst);
        let reader = Reader::enter(&domain);
        for _ in 0..20_000 {
            domain.retire((drops.one(), vec![0_u8; 1000]));
        }
        let held = LIVE_BYTES.load(SeqCst) - baseline;
        assert!(held >= 20_000_000, "{held}");
        reader.leave();
        assert_eq!(drops.count(), 20_000);
        assert_back_at(baseline);
    });
}

#[test]
fn threads_that_went_leave_no_memory_behind() {
    let _alone = alone();
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Arc::new(Pool::new_in(&domain));
        let turn = || {
            let (domain, pool, drops) = (domain.clone(), pool.clone(), drops.clone());
            std::thread::spawn(move || {
                for _ in 0..10 {
                    domain.retire((drops.one(), vec![0_u8; 1000]));
                    let item = pool.alloc((drops.one(), [0_u64; 16])).into_raw();
                    // SAFETY: never published, retired once.
                    unsafe { pool.retire(item) };
                }
            })
            .join()
            .unwrap();
        };
        turn();
        let baseline = LIVE_BYTES.load(SeqCst);
        (0..2_000).for_each(|_| turn());
        assert_back_at(baseline);
        assert_eq!(drops.count(), 20 * 2_001);
    });
}

#[test]
fn domains_and_pools_that_went_leave_no_memory_behind() {
    let _alone = alone();
    let turn = |leave_garbage: bool| {
        every_barrier(|domain| {
            let drops = Drops::default();
            let pool = Pool::new_in(&domain);
            let owned = domain.owned_guard();
            for _ in 0..100 {
                domain.retire(drops.one());
                owned.retire(drops.one());
                let item = pool.alloc(drops.one()).into_raw();
                // SAFETY: never published, retired once.
                unsafe { pool.retire(item) };
            }
            if leave_garbage {
                std::thread::scope(|scope| {
                    scope.spawn(|| domain.retire(drops.one()));
                });
            }
            drop(owned);
            drop(domain.register());
        });
        // This thread's slots of domains that are gone go at its next
        // registration.
        drop(Domain::new().pin());
    };
    turn(true);
    let baseline = LIVE_BYTES.load(SeqCst);
    (0..500).for_each(|n| turn(n % 2 == 0));
    assert_back_at(baseline);
}
