//! Pools: what each operation promises.

use std::collections::HashSet;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use crate::support::{Drops, LONG, Reader, every_barrier, panic_of};
use smr_core::{
    AllocError, Domain, Pool, PoolBox, PoolStats, ReserveError, WaitError, unprotected,
};

fn pass<T: Send>(pool: &Pool<T>, value: T) {
    // SAFETY: never published, retired once.
    unsafe { pool.retire(pool.alloc(value).into_raw()) };
}

#[test]
fn pools_are_made_in_four_ways() {
    static GLOBAL: Pool<u64> = Pool::new();
    static SCOPED: Pool<u64> = Pool::scoped();
    let domain = Domain::new();
    assert_eq!(GLOBAL.domain(), Domain::global());
    assert_eq!(SCOPED.domain(), Domain::global());
    assert_eq!(Pool::<u64>::default().domain(), Domain::global());
    assert_eq!(Pool::<u64>::new_in(&domain).domain(), &domain);
    assert_eq!(Pool::<u64>::scoped_in(&domain).domain(), &domain);
    assert_eq!(*GLOBAL.alloc(1), 1);
    assert_eq!(*SCOPED.alloc(2), 2);
    assert!(format!("{GLOBAL:?}").starts_with("Pool { domain: Domain"));
}

#[test]
fn an_empty_pool_owns_nothing() {
    every_barrier(|domain| {
        let pool = Pool::<String>::new_in(&domain);
        pool.flush();
        pool.barrier();
        assert_eq!(pool.try_barrier(Duration::ZERO), Ok(()));
        assert_eq!(pool.trim(), 0);
        assert_eq!(pool.stats(), PoolStats::default());
        assert_eq!(size_of::<Pool<String>>(), 3 * size_of::<usize>());
    });
}

#[test]
fn a_box_is_read_written_and_taken_apart() {
    every_barrier(|domain| {
        let pool = Pool::new_in(&domain);
        let mut item = pool.alloc(String::from("one"));
        item.push_str(" and two");
        assert_eq!(
            (&**item, &*format!("{item:?}")),
            ("one and two", "\"one and two\"")
        );
        let value = item.into_inner();
        assert_eq!(value, "one and two");

        let raw = pool.alloc(String::from("raw")).into_raw();
        // SAFETY: never published, and taken back once.
        let back = unsafe { PoolBox::from_raw(&pool, raw) };
        assert_eq!(*back, "raw");
        assert_eq!(NonNull::from(&*back), raw, "it does not move");
        drop(back);
        let stats = pool.stats();
        assert_eq!((stats.live_items, stats.retired_items), (0, 0));
    });
}

#[test]
fn an_unpublished_item_is_given_back_at_once() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::new_in(&domain);
        let _reader = Reader::enter(&domain, "reader");
        let raw = NonNull::from(&*pool.alloc(drops.value()));
        assert_eq!(drops.count(), 1, "nobody can have seen it");
        for _ in 0..10 {
            let item = pool.alloc(drops.value());
            assert_eq!(NonNull::from(&*item), raw, "hot memory first");
            let value = item.into_inner();
            assert_eq!(pool.stats().live_items, 0);
            drop(value);
        }
        assert_eq!(drops.count(), 11);
    });
}

#[test]
fn a_box_goes_to_another_thread() {
    every_barrier(|domain| {
        let pool = Pool::new_in(&domain);
        let item = pool.alloc(vec![1]);
        thread::scope(|scope| {
            scope.spawn(move || {
                assert_eq!(*item, [1]);
                drop(item);
            });
        });
        assert_eq!(pool.stats().live_items, 0);
    });
}

#[test]
fn a_destructor_that_panics_in_a_box_gives_the_item_back() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    every_barrier(|domain| {
        let pool = Pool::new_in(&domain);
        assert_eq!(panic_of(|| drop(pool.alloc((Panics, 1_u64)))), "dropped");
        assert_eq!(pool.stats().live_items, 0);
        // Retired: the panic comes out of whatever runs it, once.
        pass(&pool, (Panics, 1_u64));
        let mut panics = 0;
        for _ in 0..3 {
            panics += usize::from(catch_unwind(AssertUnwindSafe(|| pool.barrier())).is_err());
        }
        assert_eq!((panics, pool.stats().retired_items), (1, 0));
    });
}

#[test]
fn who_takes_part_is_named() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::new_in(&domain);
        let handle = domain.register();
        let owned = domain.owned_guard();
        let guard = domain.pin();
        // SAFETY: this thread is alone with the pool.
        let nobody = unsafe { unprotected() };
        for _ in 0..100 {
            let items = [
                pool.alloc_in(&handle, drops.value()).into_raw(),
                pool.alloc_in(&owned, drops.value()).into_raw(),
                pool.alloc_in(&guard, drops.value()).into_raw(),
                pool.alloc_in(nobody, drops.value()).into_raw(),
                pool.alloc(drops.value()).into_raw(),
            ];
            assert_eq!(HashSet::from(items).len(), 5);
            // SAFETY: never published, each retired once.
            unsafe { pool.retire_in(&owned, items[0]) };
            // SAFETY: as above.
            unsafe { pool.retire_in(&guard, items[1]) };
            // SAFETY: as above.
            unsafe { pool.retire_in(nobody, items[2]) };
            // SAFETY: as above.
            unsafe { pool.retire(items[3]) };
            // SAFETY: as above.
            unsafe { pool.retire_in(&handle, items[4]) };
        }
        let stats = pool.stats();
        assert_eq!((drops.count(), stats.retired_items), (0, 500), "{stats:?}");
        assert_eq!(stats.caches, 2, "of the handle, and of this thread");
        drop((guard, owned));
        pool.barrier();
        assert_eq!(drops.count(), 500);
        let stats = pool.stats();
        assert_eq!((stats.live_items, stats.retired_items), (0, 0), "{stats:?}");
    });
}

#[test]
fn a_stranger_is_refused() {
    let (domain, other) = (Domain::new(), Domain::new());
    let pool = Pool::new_in(&domain);
    let says = "the guard belongs to another domain than the pool";
    assert_eq!(panic_of(|| drop(pool.alloc_in(&other.pin(), 1))), says);
    assert_eq!(panic_of(|| drop(pool.alloc_in(&other.register(), 1))), says);
    assert_eq!(
        panic_of(|| drop(pool.alloc_in(&other.owned_guard(), 1))),
        says
    );
    let item = pool.alloc(1).into_raw();
    // SAFETY: never published; refused, so it is not retired.
    let refused = || unsafe { pool.retire_in(&other.pin(), item) };
    assert_eq!(panic_of(refused), says);
    // SAFETY: retired once.
    unsafe { pool.retire_in(&domain.pin(), item) };
}

#[test]
fn reserve_spares_asking_the_system() {
    every_barrier(|domain| {
        let pool = Pool::new_in(&domain);
        pool.reserve(0);
        assert_eq!(pool.stats().slabs, 0);
        pool.reserve(1000);
        let before = pool.stats();
        assert!(before.free_items >= 1000);
        let items: Vec<_> = (0..1000).map(|i| pool.alloc(i)).collect();
        assert_eq!(pool.stats().slabs, before.slabs);
        assert_eq!(pool.stats().live_items, 1000);
        drop(items);
        pool.reserve(1000);
        assert_eq!(pool.stats().slabs, before.slabs, "it was at hand");
        // Beyond what is at hand; what was fresh is not lost.
        pool.reserve(5000);
        let items: Vec<_> = (0..5000).map(|i| pool.alloc(i)).collect();
        let addresses: HashSet<_> = items.iter().map(|item| NonNull::from(&**item)).collect();
        assert_eq!(addresses.len(), 5000);
        assert!(pool.stats().slabs <= before.slabs + 1);
    });
}

#[test]
fn an_impossible_reserve_is_refused() {
    every_barrier(|domain| {
        let pool = Pool::<[u64; 8]>::new_in(&domain);
        for items in [usize::MAX, usize::MAX / 64, isize::MAX as usize / 64] {
            let error = pool.try_reserve(items).unwrap_err();
            assert_eq!(error.items, items);
            assert!(error.to_string().contains("reserve fewer"), "{error}");
            assert_eq!(panic_of(|| pool.reserve(items)), error.to_string());
        }
        assert_eq!(pool.stats().slabs, 0);
        assert!(pool.try_reserve(10).is_ok());
        let _: &dyn Error = &pool.try_reserve(usize::MAX).unwrap_err();
        // Without size there is always room.
        assert!(Pool::<()>::new_in(&domain).try_reserve(usize::MAX).is_ok());
        let _: fn(ReserveError) -> usize = |error| error.items;
    });
}

#[test]
fn an_alloc_error_carries_the_value() {
    struct Opaque(u8);
    let error = AllocError([Opaque(7), Opaque(8)]);
    assert_eq!(format!("{error:?}"), "AllocError(..)");
    let shown: &dyn Error = &error;
    assert!(shown.to_string().contains("2-byte items"));
    assert_eq!(error.0[1].0, 8);
    let pool = Pool::new_in(&Domain::new());
    assert_eq!(pool.try_alloc(5).map(PoolBox::into_inner).ok(), Some(5));
}

#[test]
fn barrier_waits_for_readers_and_flush_does_not() {
    every_barrier(|domain| {
        for scoped in [false, true] {
            let drops = Drops::default();
            let pool = if scoped {
                Pool::scoped_in(&domain)
            } else {
                Pool::new_in(&domain)
            };
            let reader = Reader::enter(&domain, "reader");
            pass(&pool, drops.value());
            pool.flush();
            assert_eq!(
                pool.try_barrier(Duration::from_millis(5)),
                Err(WaitError::Timeout)
            );
            assert_eq!((drops.count(), pool.stats().retired_items), (0, 1));
            let guard = domain.pin();
            assert_eq!(pool.try_barrier(LONG), Err(WaitError::InSection));
            assert_eq!(
                panic_of(|| pool.barrier()),
                WaitError::InSection.to_string()
            );
            drop(guard);
            reader.leave();
            pool.barrier();
            assert_eq!((drops.count(), pool.stats().retired_items), (1, 0));
            pass(&pool, drops.value());
            pool.flush();
            assert_eq!(drops.count(), 2, "nobody is inside");
        }
    });
}

#[test]
fn the_domain_collects_pools_that_it_reaches() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let (pool, scoped) = (Pool::new_in(&domain), Pool::scoped_in(&domain));
        pass(&pool, drops.value());
        pass(&scoped, drops.value());
        domain.flush();
        assert_eq!(drops.count(), 1);
        domain.barrier();
        assert_eq!(drops.count(), 1, "a scoped pool is its owner's");
        scoped.flush();
        assert_eq!(drops.count(), 2);
        // A reader that leaves, and a thread that ends.
        let reader = Reader::enter(&domain, "reader");
        pass(&pool, drops.value());
        domain.flush();
        reader.leave();
        assert_eq!(drops.count(), 3);
        thread::scope(|scope| {
            let _ = scope.spawn(|| pass(&pool, drops.value())).join();
        });
        assert_eq!(drops.count(), 4);
        // A thread that goes on reading.
        pass(&pool, drops.value());
        (0..1000).for_each(|_| drop(domain.pin()));
        assert_eq!(drops.count(), 5);
    });
}

#[test]
fn dropping_a_pool_waits_for_nobody() {
    every_barrier(|domain| {
        let drops = Drops::default();
        // A reader of the domain, though not of this pool.
        let _reader = Reader::enter(&domain, "reader");
        let pool = Pool::new_in(&domain);
        for _ in 0..1000 {
            pass(&pool, drops.value());
        }
        drop(pool);
        assert_eq!(drops.count(), 1000);
    });
}

#[test]
fn stats_account_for_every_item() {
    every_barrier(|domain| {
        let pool = Pool::new_in(&domain);
        let live: Vec<_> = (0..100_u64).map(|i| pool.alloc(Box::new(i))).collect();
        let guard = domain.pin();
        for i in 0..50 {
            pass(&pool, Box::new(i));
        }
        let stats = pool.stats();
        assert_eq!((stats.live_items, stats.retired_items), (100, 50));
        assert_eq!(stats.retired_bytes, 50 * size_of::<Box<u64>>());
        assert_eq!(stats.caches, 1);
        let items = stats.live_items + stats.retired_items + stats.free_items;
        assert!(stats.slab_bytes >= items * size_of::<Box<u64>>());
        assert!(stats.slabs > 0);
        drop((guard, live));
        pool.barrier();
        let after = pool.stats();
        assert_eq!((after.live_items, after.free_items), (0, items));
        assert_eq!(pool.trim(), after.slab_bytes);
        assert_eq!((pool.stats().slabs, pool.stats().free_items), (0, 0));
        // And it works on.
        assert_eq!(**pool.alloc(Box::new(3)), 3);
    });
}

#[test]
fn a_pool_shares_what_threads_leave_behind() {
    every_barrier(|domain| {
        let pool = Pool::new_in(&domain);
        let mut bytes = 0;
        for _ in 0..50 {
            thread::scope(|scope| {
                let work = || (0..1000).for_each(|i| pass(&pool, [i as u64; 4]));
                let _ = scope.spawn(work).join();
            });
            bytes = pool.stats().slab_bytes;
        }
        assert!(
            bytes < 2 << 20,
            "{bytes} bytes for a thousand items at a time"
        );
    });
}

#[test]
fn who_allocates_and_who_retires_may_be_two() {
    every_barrier(|domain| {
        let pool = Pool::new_in(&domain);
        let sum = AtomicU64::new(0);
        let (sender, receiver) = std::sync::mpsc::sync_channel::<Sent>(100);
        struct Sent(NonNull<[u64; 4]>);
        // SAFETY: it is sent to the only one who uses it.
        unsafe impl Send for Sent {}
        thread::scope(|scope| {
            let (pool, sum) = (&pool, &sum);
            scope.spawn(move || {
                for i in 0..200_000 {
                    let item = pool.alloc([i; 4]);
                    sender.send(Sent(item.into_raw())).unwrap();
                }
            });
            scope.spawn(move || {
                for Sent(item) in receiver {
                    // SAFETY: ours, and live.
                    sum.fetch_add(unsafe { item.as_ref() }[3], Relaxed);
                    // SAFETY: known to nobody else, retired once.
                    unsafe { pool.retire(item) };
                }
            });
        });
        assert_eq!(sum.load(Relaxed), 199_999 * 100_000);
        let stats = pool.stats();
        assert!(stats.slab_bytes < 6 << 20, "memory goes round: {stats:?}");
        assert_eq!(stats.live_items, 0);
    });
}

#[test]
fn a_destructor_may_use_its_own_pool() {
    struct Chain(Option<(Arc<Pool<Chain>>, u32)>, Drops);
    impl Drop for Chain {
        fn drop(&mut self) {
            self.1.add();
            if let Some((pool, left)) = self.0.take()
                && left > 0
            {
                let next = Chain(Some((pool.clone(), left - 1)), self.1.clone());
                pass(&pool, next);
            }
        }
    }
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Arc::new(Pool::new_in(&domain));
        for _ in 0..50 {
            pass(&pool, Chain(Some((pool.clone(), 9)), drops.clone()));
        }
        while drops.count() < 500 {
            domain.barrier();
        }
        assert_eq!((drops.count(), Arc::strong_count(&pool)), (500, 1));
    });
}
