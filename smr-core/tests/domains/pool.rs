//! Pools as their users meet them.

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use smr_core::{Domain, Pool};

use crate::support::every_barrier;

struct Counted(Arc<AtomicUsize>, #[allow(dead_code)] [u64; 3]);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn memory_comes_back_when_nobody_reads() {
    every_barrier(|domain| {
        let pool = Pool::new_in(&domain);
        for i in 0..1_000_000_u64 {
            let item = pool.alloc([i; 6]).into_raw();
            // SAFETY: never published, retired once.
            unsafe { pool.retire(item) };
        }
        let stats = pool.stats();
        assert!(stats.slab_bytes < 4 << 20, "{stats:?}");
        assert_eq!(stats.live_items, 0, "{stats:?}");
    });
}

#[test]
fn a_reader_keeps_items_from_being_reused() {
    every_barrier(|domain| {
        let pool = Pool::new_in(&domain);
        let guard = domain.pin();
        let item = pool.alloc([7_u64; 6]).into_raw();
        // SAFETY: retired once, and read below only inside the section.
        unsafe { pool.retire(item) };
        for _ in 0..100_000 {
            let other = pool.alloc([1_u64; 6]).into_raw();
            assert_ne!(other, item);
            // SAFETY: never published, retired once.
            unsafe { pool.retire(other) };
        }
        // SAFETY: the section began before it was retired.
        assert_eq!(unsafe { *item.as_ref() }, [7; 6]);
        drop(guard);
    });
}

#[test]
fn a_reader_does_not_hold_up_what_is_older() {
    every_barrier(|domain| {
        let pool = Pool::new_in(&domain);
        let mut items: Vec<_> = (0..10_000_u64).map(|i| pool.alloc(i).into_raw()).collect();
        let mut retire = |count| {
            for item in items.drain(..count) {
                // SAFETY: never published, retired once.
                unsafe { pool.retire(item) };
            }
        };
        let (first, second) = (domain.register(), domain.register());
        let older = first.pin();
        retire(1_000);
        let guard = second.pin();
        drop(older);
        // Until barriers have their share of the time, whatever they cost.
        std::thread::sleep(std::time::Duration::from_millis(5));
        retire(9_000);
        let stats = pool.stats();
        // The open bucket began before the section.
        assert!(stats.retired_items < 9_000 + 256, "{stats:?}");
        assert!(stats.retired_items >= 9_000, "{stats:?}");
        drop(guard);
    });
}

#[test]
fn a_thread_that_allocates_little_takes_little() {
    every_barrier(|domain| {
        let pool = Pool::new_in(&domain);
        let many: Vec<_> = (0..10_000_u64).map(|i| pool.alloc(i)).collect();
        let before = pool.stats().slab_bytes;
        std::thread::scope(|scope| {
            scope.spawn(|| drop(pool.alloc(7)));
        });
        let taken = pool.stats().slab_bytes - before;
        assert!(taken <= 1024, "{taken} bytes for an item of 8");
        drop(many);
    });
}

#[test]
fn a_pool_grows_by_a_share_of_what_a_reader_holds_up() {
    every_barrier(|domain| {
        let pool = Pool::new_in(&domain);
        let reader = domain.owned_guard();
        for i in 0..20_000_u64 {
            let item = pool.alloc([i; 2]).into_raw();
            // SAFETY: never published, retired once.
            unsafe { pool.retire(item) };
        }
        let stats = pool.stats();
        assert_eq!(stats.retired_items, 20_000, "{stats:?}");
        assert!(stats.slabs < 200, "{stats:?}");
        assert!(stats.free_items <= 20_000 / 16, "{stats:?}");
        drop(reader);
    });
}

#[test]
fn who_shares_a_slot_has_no_cache_of_the_one_who_had_it() {
    let domain = Domain::new();
    let pool = Pool::<u64>::new_in(&domain);
    let own = domain.register();
    let last = pool.alloc_in(&own, 1).into_raw();
    // SAFETY: never published, retired once.
    unsafe { pool.retire_in(&own, last) };
    drop(own);
    // Takes the slot that is free.
    let shared = domain.owned_guard();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for i in 0..1000 {
                    let item = pool.alloc_in(&shared, i).into_raw();
                    // SAFETY: never published, retired once.
                    unsafe { pool.retire_in(&shared, item) };
                }
            });
        }
    });
    assert_eq!(domain.stats().participants, 1, "it had another slot");
    assert_eq!(pool.stats().live_items, 0);
}

#[test]
fn a_pool_in_the_place_of_another_has_memory_of_its_own() {
    every_barrier(|domain| {
        for round in 0..100_u64 {
            // Where the one before was, as a rule; so this thread must not take its cache
            // in that one for its cache in this one.
            let pool = Pool::<u64>::new_in(&domain);
            let items: Vec<_> = (0..round).map(|value| pool.alloc(value)).collect();
            assert_eq!(pool.stats().live_items, items.len());
        }
    });
}

#[test]
fn values_are_dropped_once() {
    every_barrier(|domain| {
        let drops = Arc::new(AtomicUsize::new(0));
        let pool = Pool::new_in(&domain);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        let guard = domain.pin();
                        let item = pool.alloc_in(&guard, Counted(drops.clone(), [0; 3]));
                        // SAFETY: never published, retired once.
                        unsafe { pool.retire_in(&guard, item.into_raw()) };
                    }
                });
            }
        });
        domain.barrier();
        assert_eq!(drops.load(SeqCst), 40_000);
        let kept = pool.alloc(Counted(drops.clone(), [0; 3]));
        drop(kept);
        assert_eq!(drops.load(SeqCst), 40_001);
        // SAFETY: never published, retired once.
        unsafe { pool.retire(pool.alloc(Counted(drops.clone(), [0; 3])).into_raw()) };
        drop(pool);
        assert_eq!(drops.load(SeqCst), 40_002);
    });
}

#[test]
fn a_scoped_pool_takes_values_that_borrow() {
    let drops = AtomicUsize::new(0);
    struct Borrows<'a>(&'a AtomicUsize);
    impl Drop for Borrows<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let pool = Pool::scoped();
    for _ in 0..1000 {
        // SAFETY: never published, retired once.
        unsafe { pool.retire(pool.alloc(Borrows(&drops)).into_raw()) };
    }
    pool.barrier();
    assert_eq!(drops.load(SeqCst), 1000);
    // SAFETY: never published, retired once.
    unsafe { pool.retire(pool.alloc(Borrows(&drops)).into_raw()) };
    drop(pool);
    assert_eq!(drops.load(SeqCst), 1001);
}

#[test]
fn odd_sizes_and_alignments() {
    #[repr(align(4096))]
    struct Page(#[allow(dead_code)] [u8; 4096]);
    struct Huge(#[allow(dead_code)] [u64; 40_000]);

    fn cycle<T: Send + 'static>(make: impl Fn() -> T) {
        let pool = Pool::new();
        let mut items: Vec<NonNull<T>> = Vec::new();
        for _ in 0..20 {
            let item = pool.alloc(make()).into_raw();
            assert!(item.is_aligned());
            items.push(item);
        }
        if size_of::<T>() != 0 {
            items.sort_unstable();
            items.dedup();
            assert_eq!(items.len(), 20, "each item is its own");
        }
        for item in items {
            // SAFETY: never published, retired once.
            unsafe { pool.retire(item) };
        }
        pool.barrier();
        assert_eq!(pool.stats().retired_items, 0);
        pool.trim();
        assert_eq!(pool.stats().slab_bytes, 0, "{:?}", pool.stats());
    }
    cycle(|| Page([1; 4096]));
    cycle(|| Huge([1; 40_000]));
    cycle(|| 1_u8);
    cycle(|| ());
    cycle(|| vec![1]);
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "retired twice")]
fn retiring_twice_is_seen_in_debug_builds() {
    let domain = Domain::new();
    let pool = Pool::new_in(&domain);
    let item = pool.alloc(1_u64).into_raw();
    // SAFETY: never published; the second is the mistake to be seen.
    unsafe { pool.retire(item) };
    // SAFETY: not fulfilled.
    unsafe { pool.retire(item) };
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "does not come from")]
fn retiring_to_another_pool_is_seen_in_debug_builds() {
    let (one, other) = (Pool::new(), Pool::new());
    other.alloc(2_u64);
    let item = one.alloc(1_u64).into_raw();
    // SAFETY: not fulfilled.
    unsafe { other.retire(item) };
}

#[test]
#[should_panic(expected = "another domain")]
fn a_guard_of_another_domain_is_refused() {
    let pool = Pool::new();
    let guard = Domain::new().pin();
    pool.alloc_in(&guard, 1_u64);
}

#[test]
fn an_item_may_drop_the_pool_it_came_from() {
    struct Owner(
        #[allow(dead_code)] Option<Arc<Pool<Owner>>>,
        Arc<AtomicUsize>,
    );
    // SAFETY: test type.
    unsafe impl Sync for Owner {}
    impl Drop for Owner {
        fn drop(&mut self) {
            self.1.fetch_add(1, SeqCst);
        }
    }
    let drops = Arc::new(AtomicUsize::new(0));
    let domain = Domain::new();
    let pool = Arc::new(Pool::new_in(&domain));
    for i in 0..10 {
        let last = (i == 5).then(|| pool.clone());
        let item = pool.alloc(Owner(last, drops.clone())).into_raw();
        // SAFETY: never published, retired once.
        unsafe { pool.retire(item) };
    }
    drop(pool);
    domain.barrier();
    assert_eq!(drops.load(SeqCst), 10);
}

#[test]
fn trim_gives_memory_back() {
    every_barrier(|domain| {
        let pool = Pool::new_in(&domain);
        let items: Vec<_> = (0..100_000)
            .map(|i| pool.alloc([i as u64; 8]).into_raw())
            .collect();
        assert_eq!(pool.stats().live_items, 100_000);
        for item in &items[..99_999] {
            // SAFETY: never published, retired once.
            unsafe { pool.retire(*item) };
        }
        pool.barrier();
        let before = pool.stats().slab_bytes;
        let freed = pool.trim();
        let stats = pool.stats();
        assert_eq!(before - freed, stats.slab_bytes);
        assert_eq!((stats.slabs, stats.live_items), (1, 1), "{stats:?}");
    });
}
