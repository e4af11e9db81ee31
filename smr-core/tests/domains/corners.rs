//! Where two features meet.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::support::{Drops, Reader, ends, every_barrier, every_domain};
use smr_core::{Domain, OverLimit, Pool, is_pinned};

/// Allocates and retires one value. Nobody ever sees it.
fn pass<T: Send>(pool: &Pool<T>, value: T) {
    // SAFETY: never published, retired once.
    unsafe { pool.retire(pool.alloc(value).into_raw()) };
}

#[test]
fn a_handle_may_be_dropped_while_its_guard_steps_out() {
    every_barrier(|domain| {
        let handle = domain.register();
        let mut guard = handle.pin();
        guard.repin_after(|| {
            let nested = handle.pin();
            drop(handle);
            drop(nested);
        });
        // The slot is the guard's still: nobody else may get it.
        let other = domain.register();
        assert!(!other.is_pinned(), "a handle came with somebody's section");
        let goal = domain.advance();
        drop(other.pin());
        assert!(!domain.poll(goal), "the first guard is inside");
        drop(guard);
        assert!(domain.poll(goal));
        assert_eq!(domain.stats().participants, 1, "its slot was given back");
    });
}

#[test]
fn a_destructor_may_drop_another_pool_that_has_garbage() {
    every_domain(|builder| {
        ends("the collection", move || {
            let domain = builder.build().unwrap();
            let drops = Drops::default();
            let outer = Pool::new_in(&domain);
            for _ in 0..3 {
                let inner = Pool::new_in(&domain);
                pass(&outer, None);
                pass(&inner, drops.value());
                pass(&outer, Some(inner));
            }
            domain.barrier();
            assert_eq!(drops.count(), 3);
        });
    });
}

#[test]
fn the_domain_never_runs_the_destructors_of_a_scoped_pool() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::scoped_in(&domain);
        let reader = Reader::enter(&domain, "reader");
        pass(&pool, drops.value());
        // In vain, but the domain learns of the pool.
        pool.flush();
        assert!(pool.try_barrier(Duration::from_millis(1)).is_err());
        // From here on the values may refer to what is gone.
        mem::forget(pool);
        reader.leave();
        domain.flush();
        domain.barrier();
        assert_eq!(drops.count(), 0);
    });
}

#[test]
fn is_pinned_knows_every_way_into_the_global_domain() {
    std::thread::spawn(|| {
        assert!(!is_pinned());
        let guard = Domain::global().pin();
        assert!(Domain::global().is_pinned() && is_pinned());
        drop(guard);
        assert!(!is_pinned());
    })
    .join()
    .unwrap();
}

#[test]
fn memory_under_a_limit_is_off_the_account_when_no_reader_holds_it_up() {
    for policy in [OverLimit::Block, OverLimit::Help, OverLimit::Error] {
        every_domain(|builder| {
            ends("retiring without any reader", move || {
                let domain = builder.max_retired_bytes(1000, policy).build().unwrap();
                let (plain, other) = (Pool::new_in(&domain), Pool::new_in(&domain));
                let scoped = Pool::scoped_in(&domain);
                let scoped_with_drop = Pool::scoped_in(&domain);
                for _ in 0..100 {
                    // Twenty live at a time, so that none is reused at once.
                    let items: Vec<_> = (0..20_u64)
                        .map(|i| plain.alloc([i; 8]).into_raw())
                        .collect();
                    for item in items {
                        // SAFETY: never published, retired once.
                        unsafe { plain.retire(item) };
                    }
                    pass(&other, [1_u64; 20]);
                    pass(&scoped, [1_u64; 20]);
                    pass(&scoped_with_drop, vec![1_u64; 20]);
                }
                domain.flush();
                let stats = domain.stats();
                assert!(!stats.over_limit, "{policy:?}: {stats:?}");
                assert!(domain.try_retire(1).is_ok());
            });
        });
    }
}

#[test]
fn what_was_found_expired_is_counted_once() {
    every_domain(|builder| {
        let domain = builder
            .max_retired_bytes(1 << 30, OverLimit::Report)
            .build()
            .unwrap();
        let pool = Pool::new_in(&domain);
        for _ in 0..3 {
            let items: Vec<_> = (0..1000).map(|i| pool.alloc(vec![i]).into_raw()).collect();
            for item in items {
                // SAFETY: never published, retired once.
                unsafe { pool.retire(item) };
            }
            // Some are dropped by the next retires, the rest by the sweep.
            assert!(domain.poll(domain.now()));
            pass(&pool, vec![]);
            pass(&pool, vec![]);
            domain.flush();
        }
        domain.barrier();
        let stats = domain.stats();
        assert_eq!(stats.reclaimed_items, 3 * 1002, "{stats:?}");
        assert_eq!(
            stats.reclaimed_bytes,
            3 * 1002 * size_of::<Vec<u8>>() as u64,
            "{stats:?}"
        );
        assert!(!stats.over_limit, "{stats:?}");
    });
}

#[test]
fn a_panicking_destructor_leaves_the_account_in_order() {
    every_domain(|builder| {
        let domain = builder
            .max_retired_bytes(1 << 20, OverLimit::Error)
            .build()
            .unwrap();
        struct Panics(bool);
        impl Drop for Panics {
            fn drop(&mut self) {
                if self.0 {
                    panic!("a destructor panics");
                }
            }
        }
        let pool = Pool::new_in(&domain);
        for i in 0..20_000 {
            let work = || {
                domain.retire((Panics(i % 1000 == 0), [0_u8; 4]));
                pass(&pool, (Panics(i % 1000 == 1), [0_u8; 4]));
            };
            // It panics now and then; which retire is hit does not matter.
            let _ = catch_unwind(AssertUnwindSafe(work));
        }
        while catch_unwind(AssertUnwindSafe(|| domain.barrier())).is_err() {}
        let stats = domain.stats();
        assert_eq!(stats.retired_bytes, 0, "{stats:?}");
        assert!(!stats.over_limit, "{stats:?}");
        assert!(domain.try_retire(0_u8).is_ok());
    });
}

#[test]
fn a_destructor_that_retires_is_not_kept_waiting_by_the_limit() {
    every_domain(|builder| {
        ends("the collection", move || {
            let domain = builder
                .max_retired_bytes(1000, OverLimit::Block)
                .build()
                .unwrap();
            let drops = Drops::default();
            let (inner, value) = (domain.clone(), drops.value());
            domain.defer_sized(1, move || inner.retire((value, [0_u8; 5000])));
            domain.flush();
            domain.barrier();
            domain.barrier();
            assert_eq!(drops.count(), 1);
        });
    });
}

#[test]
fn refilling_a_cache_loses_no_item() {
    every_barrier(|domain| {
        let pool = Pool::new_in(&domain);
        for round in 0..50 {
            let items: Vec<_> = (0..500).map(|i| pool.alloc(vec![i]).into_raw()).collect();
            for item in items {
                // SAFETY: never published, retired once.
                unsafe { pool.retire(item) };
            }
            if round % 3 == 0 {
                // To the depot; what comes back from there meets what the
                // owner has just dropped itself.
                pool.flush();
            }
        }
        pool.barrier();
        let stats = pool.stats();
        assert_eq!((stats.live_items, stats.retired_items), (0, 0), "{stats:?}");
        pool.trim();
        assert_eq!(pool.stats().slab_bytes, 0, "{:?}", pool.stats());
    });
}

#[test]
fn a_pool_used_through_owned_guards_alone_stays_small() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::new_in(&domain);
        const ITEMS: usize = 50_000;
        for _ in 0..ITEMS {
            let guard = domain.owned_guard();
            let item = pool.alloc_in(&guard, (drops.value(), [0_u64; 15]));
            // SAFETY: never published, retired once.
            unsafe { pool.retire_in(&guard, item.into_raw()) };
        }
        let stats = pool.stats();
        assert!(drops.count() > ITEMS / 2, "{stats:?}");
        assert!(stats.slab_bytes < 2 << 20, "{stats:?}");
    });
}

#[test]
fn what_an_owned_guard_retired_to_a_pool_goes_with_the_guard() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Arc::new(Pool::new_in(&domain));
        let guard = domain.owned_guard();
        let item = pool.alloc_in(&guard, drops.value());
        // SAFETY: never published, retired once.
        unsafe { pool.retire_in(&guard, item.into_raw()) };
        assert_eq!(drops.count(), 0);
        drop(guard);
        assert_eq!(drops.count(), 1, "the program may be idle from here on");
    });
}
