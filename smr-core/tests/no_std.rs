//! The part of the interface that needs no thread-locals.
//!
//! It holds with every set of features. What it is for is
//! `cargo test -p smr-core --no-default-features --test no_std`.

mod support;

use std::sync::atomic::Ordering::{AcqRel, Acquire};
use std::thread;
use std::time::Duration;

use smr_core::{
    Atomic, Domain, OverLimit, Owned, Pool, PoolBox, Shared, SmrCell, WaitError, unprotected,
};
use support::{Drops, every_domain, panic_of};

#[test]
fn handles_enter_nest_and_leave() {
    every_domain(|builder| {
        let domain = builder.name("bare").build().unwrap();
        let handle = domain.register();
        let guard = handle.pin();
        let goal = domain.advance();
        assert!(handle.is_pinned() && !domain.poll(goal));
        let nested = handle.pin();
        drop(guard);
        assert!(!domain.poll(goal));
        let mut guard = nested;
        guard.repin();
        assert!(domain.poll(goal));
        guard.repin_after(|| assert!(domain.poll(domain.advance())));
        drop(handle);
        assert!(
            !domain.poll(domain.advance()),
            "the guard outlives its handle"
        );
        drop(guard);
        assert!(domain.poll(domain.advance()));
        assert_eq!(domain.stats().participants, 0);
    });
}

#[test]
fn what_is_retired_waits_for_handles_and_owned_guards() {
    every_domain(|builder| {
        let domain = builder.build().unwrap();
        let drops = Drops::default();
        let handle = domain.register();
        let owned = domain.owned_guard();
        let guard = handle.pin();
        guard.retire(drops.value());
        owned.retire(drops.value());
        domain.retire(drops.value());
        let value = drops.value();
        domain.defer(move || drop(value));
        domain.flush();
        assert_eq!(drops.count(), 0);
        assert_eq!(domain.stats().retired_items, 4);
        drop(guard);
        domain.flush();
        assert_eq!(drops.count(), 0);
        drop(owned);
        domain.barrier();
        assert_eq!(drops.count(), 4);
    });
}

#[test]
fn pools_serve_handles_guards_and_nobody() {
    every_domain(|builder| {
        let domain = builder.build().unwrap();
        let drops = Drops::default();
        let pool = Pool::new_in(&domain);
        let handle = domain.register();
        for _ in 0..5000 {
            let item = pool.alloc_in(&handle, drops.value()).into_raw();
            let guard = handle.pin();
            // SAFETY: never published, retired once.
            unsafe { pool.retire_in(&guard, item) };
            let item = pool.alloc(drops.value()).into_raw();
            // SAFETY: as above.
            unsafe { pool.retire(item) };
            drop(pool.alloc(drops.value()));
        }
        assert!(drops.count() > 10_000, "it keeps up: {:?}", pool.stats());
        let owned = domain.owned_guard();
        let item = pool.alloc_in(&owned, drops.value()).into_raw();
        // SAFETY: never published, retired once.
        unsafe { pool.retire_in(&owned, item) };
        // SAFETY: this thread is alone with the pool.
        let nobody = unsafe { unprotected() };
        drop(pool.alloc_in(nobody, drops.value()).into_inner());
        drop(owned);
        pool.barrier();
        assert_eq!(drops.count(), 15_002);
        assert_eq!(pool.stats().live_items, 0);
        assert!(pool.trim() > 0);
    });
}

#[test]
fn plain_items_are_reused() {
    every_domain(|builder| {
        let domain = builder.build().unwrap();
        let pool = Pool::<[u64; 8]>::scoped_in(&domain);
        assert!(pool.try_reserve(10).is_ok());
        for i in 0..200_000 {
            let item: PoolBox<'_, _> = pool.alloc([i; 8]);
            assert_eq!(item[7], i);
            // SAFETY: never published, retired once.
            unsafe { pool.retire(item.into_raw()) };
        }
        let stats = pool.stats();
        assert!(stats.slab_bytes < 4 << 20, "{stats:?}");
    });
}

#[test]
fn cells_and_pointers_work_with_guards() {
    every_domain(|builder| {
        let domain = builder.build().unwrap();
        let drops = Drops::default();
        let cell = SmrCell::new_in((1, drops.value()), &domain);
        let handle = domain.register();
        let guard = handle.pin();
        let one = cell.load(&guard);
        cell.store((2, drops.value()));
        let old = cell.swap((3, drops.value()), &guard);
        assert_eq!((one.0, old.0, cell.load(&guard).0), (1, 2, 3));

        let shared = Atomic::new(drops.value());
        let old = shared.swap(Owned::new(drops.value()), AcqRel, &guard);
        // SAFETY: unlinked, and retired once.
        unsafe { guard.defer_destroy(old) };
        let last = shared.swap(Shared::null(), AcqRel, &guard);
        assert!(shared.load(Acquire, &guard).is_null());
        // SAFETY: as above.
        unsafe { guard.defer_destroy(last) };
        assert_eq!(drops.count(), 0);
        drop(guard);
        drop(cell);
        domain.barrier();
        assert_eq!(drops.count(), 5);
    });
}

#[test]
fn waiting_is_bounded_by_tries_or_time() {
    every_domain(|builder| {
        let domain = builder.build().unwrap();
        let owned = domain.owned_guard();
        let short = Duration::from_millis(1);
        assert_eq!(domain.try_synchronize(short), Err(WaitError::Timeout));
        assert_eq!(domain.try_barrier(Duration::ZERO), Err(WaitError::Timeout));
        drop(owned);
        assert_eq!(domain.try_synchronize(short), Ok(()));
        domain.synchronize();
        domain.barrier();
    });
}

#[test]
fn a_limit_is_kept_to() {
    every_domain(|builder| {
        let domain = builder
            .max_retired_bytes(1000, OverLimit::Block)
            .build()
            .unwrap();
        let drops = Drops::default();
        let handle = domain.register();
        for _ in 0..1000 {
            let guard = handle.pin();
            // Inside: it helps and does not wait.
            guard.retire((drops.value(), [0_u8; 200]));
            drop(guard);
            domain.retire((drops.value(), [0_u8; 200]));
        }
        assert!(!domain.stats().over_limit);
        domain.barrier();
        assert_eq!(drops.count(), 2000);
        assert_eq!(domain.stats().retired_bytes, 0);
    });
}

#[test]
fn threads_share_a_domain_by_handles() {
    every_domain(|builder| {
        let domain = builder.build().unwrap();
        let drops = Drops::default();
        let cell = SmrCell::new_in((0, drops.value()), &domain);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let handle = domain.register();
                    let mut last = 0;
                    while last < 1000 {
                        let guard = handle.pin();
                        let now = cell.load(&guard).0;
                        assert!(now >= last);
                        last = now;
                    }
                });
            }
            for version in 1..=1000 {
                cell.store((version, drops.value()));
            }
        });
        domain.barrier();
        assert_eq!(drops.count(), 1000);
        assert_eq!(domain.stats().retired_items, 0);
    });
}

#[test]
fn a_guard_of_another_domain_is_refused() {
    let (domain, other) = (Domain::new(), Domain::new());
    let pool = Pool::new_in(&domain);
    let handle = other.register();
    let said = panic_of(|| drop(pool.alloc_in(&handle, 1)));
    assert!(said.contains("another domain"));
    let cell = SmrCell::new_in(1, &domain);
    let guard = handle.pin();
    assert!(panic_of(|| *cell.load(&guard)).contains("does not protect"));
}
