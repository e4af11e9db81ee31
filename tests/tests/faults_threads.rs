//! Threads that come and go, leave guards behind, or are too many.
#![cfg(not(miri))]

mod support;

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Barrier};

use smr_core::{Domain, Guard, LocalHandle, Pool, RegisterError};
use support::{Counted, Drops, GENEROUS, every_barrier};

#[test]
fn thousands_of_threads_in_a_row_leave_nothing_behind() {
    short_lived_threads(5_000);
}

#[test]
#[ignore = "takes up to half a minute"]
fn a_hundred_thousand_threads_in_a_row_leave_nothing_behind() {
    short_lived_threads(100_000);
}

fn short_lived_threads(threads: usize) {
    let domain = Domain::new();
    let drops = Drops::default();
    let pool = Arc::new(Pool::new_in(&domain));
    for turn in 0..threads {
        let thread = std::thread::spawn({
            let (domain, pool, drops) = (domain.clone(), pool.clone(), drops.clone());
            move || {
                let guard = domain.pin();
                guard.retire(drops.one());
                let item = pool.alloc_in(&guard, drops.one()).into_raw();
                // SAFETY: never published, retired once.
                unsafe { pool.retire_in(&guard, item) };
            }
        });
        // Returns when its thread-locals have gone as well.
        thread.join().unwrap();
        if turn % 100 == 0 {
            assert_eq!(domain.stats().participants, 0);
            assert_eq!(pool.stats().caches, 1, "slot and cache are handed on");
        }
    }
    domain.try_barrier(GENEROUS).unwrap();
    assert_eq!(drops.count(), 2 * threads);
    let stats = domain.stats();
    assert_eq!((stats.retired_items, stats.retired_bytes), (0, 0));
    assert_eq!(stats.active_sections, 0);
    assert_eq!(pool.stats().slabs, 1, "{:?}", pool.stats());
}

#[test]
fn a_thread_that_was_joined_has_left_no_garbage() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Arc::new(Pool::new_in(&domain));
        for turn in 1..=500 {
            let (domain, pool, seen) = (domain.clone(), pool.clone(), drops.clone());
            std::thread::spawn(move || {
                domain.retire(seen.one());
                let item = pool.alloc(seen.one()).into_raw();
                // SAFETY: never published, retired once.
                unsafe { pool.retire(item) };
            })
            .join()
            .unwrap();
            assert_eq!(drops.count(), 2 * turn, "the exit has collected");
        }
        assert_eq!(domain.stats().participants, 0);
    });
}

#[test]
fn hundreds_of_threads_at_once_get_slots_and_give_them_back() {
    every_barrier(|domain| {
        const THREADS: usize = 300;
        let drops = Drops::default();
        let pool = Arc::new(Pool::new_in(&domain));
        for _ in 0..3 {
            let together = Arc::new(Barrier::new(THREADS));
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    let (domain, pool) = (domain.clone(), pool.clone());
                    let (together, drops) = (together.clone(), drops.clone());
                    std::thread::spawn(move || {
                        let guard = domain.pin();
                        together.wait();
                        assert_eq!(domain.stats().participants, THREADS as u32);
                        together.wait();
                        for _ in 0..20 {
                            guard.retire(drops.one());
                            let item = pool.alloc_in(&guard, drops.one()).into_raw();
                            // SAFETY: never published, retired once.
                            unsafe { pool.retire_in(&guard, item) };
                        }
                    })
                })
                .collect();
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!(domain.stats().participants, 0);
        }
        domain.try_barrier(GENEROUS).unwrap();
        assert_eq!(drops.count(), 3 * 40 * THREADS);
    });
}

#[test]
fn one_more_than_the_most_participants_is_told_so() {
    let domain = Domain::builder().max_participants(3).build().unwrap();
    let drops = Drops::default();
    let full = RegisterError::TooManyParticipants { max: 3 };
    let handles = [domain.register(), domain.register()];
    let owned = domain.owned_guard();
    assert_eq!(domain.try_register().unwrap_err(), full);
    assert_eq!(domain.try_owned_guard().unwrap_err(), full);
    let pinned = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(domain.pin())));
    assert!(pinned.is_err(), "pin cannot return an error");
    // Retiring, allocating and collecting need no slot.
    let pool = Pool::new_in(&domain);
    let item = pool.alloc(drops.one()).into_raw();
    // SAFETY: never published, retired once.
    unsafe { pool.retire(item) };
    domain.retire(drops.one());
    assert_eq!(drops.count(), 0, "the owned guard is inside");
    drop(owned);
    domain.try_barrier(GENEROUS).unwrap();
    assert_eq!(drops.count(), 2);
    // A slot is free again, for whoever comes first.
    drop(domain.pin());
    assert_eq!(
        domain.try_register().unwrap_err(),
        full,
        "now it is this thread's"
    );
    drop(handles);
    assert!(domain.try_register().is_ok());
    assert_eq!(domain.stats().participants, 1);
}

#[test]
fn a_guard_that_was_forgotten_keeps_memory_and_frees_nothing_early() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::new_in(&domain);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // Sealed buckets, and an open one, from before the guard.
                for _ in 0..1000 {
                    domain.retire(drops.one());
                    let item = pool.alloc(drops.one()).into_raw();
                    // SAFETY: never published, retired once.
                    unsafe { pool.retire(item) };
                }
                domain.flush();
                assert_eq!(drops.count(), 2000);
                let guard = domain.pin();
                for _ in 0..1000 {
                    guard.retire(drops.one());
                    let item = pool.alloc_in(&guard, drops.one()).into_raw();
                    // SAFETY: never published, retired once.
                    unsafe { pool.retire_in(&guard, item) };
                }
                std::mem::forget(guard);
            });
        });
        let _wait_for_thread_locals = domain.stats();
        domain.flush();
        assert_eq!(drops.count(), 2000);
        assert!(
            !domain.poll(domain.advance()),
            "the section is open for ever"
        );
        for _ in 0..1000 {
            domain.retire(drops.one());
        }
        domain.flush();
        assert_eq!(drops.count(), 2000);
        assert_eq!(domain.stats().active_sections, 1);
        assert_eq!(domain.stats().retired_items, 2000 - 1000 + 1000);
        drop(pool);
        assert_eq!(
            drops.count(),
            3000,
            "a pool that goes needs no readers gone"
        );
    });
}

#[test]
fn an_owned_guard_that_was_forgotten_keeps_memory() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let guard = domain.owned_guard();
        guard.retire(drops.one());
        std::mem::forget(guard);
        domain.flush();
        assert!(!domain.poll(domain.advance()));
        drop(domain);
        assert_eq!(drops.count(), 0);
    });
}

thread_local! {
    static GUARD: RefCell<Option<Guard>> = const { RefCell::new(None) };
    static HANDLE: RefCell<Option<LocalHandle>> = const { RefCell::new(None) };
    static LATE: Cell<Option<Late>> = const { Cell::new(None) };
}

/// Retires when the thread-locals go, within the section of a guard that is kept
/// there too.
struct Late {
    domain: Domain,
    pool: Arc<Pool<Counted>>,
    drops: Drops,
}

impl Drop for Late {
    fn drop(&mut self) {
        for _ in 0..100 {
            let guard = self.domain.pin();
            guard.retire(self.drops.one());
            self.domain.retire(self.drops.one());
            let item = self.pool.alloc(self.drops.one()).into_raw();
            // SAFETY: never published, retired once.
            unsafe { self.pool.retire(item) };
        }
    }
}

#[test]
fn guards_and_retires_in_thread_locals_work_in_every_order_of_destruction() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Arc::new(Pool::new_in(&domain));
        // The orders of first use: of the domain, of the guard's place, of what
        // retires late, of the handle's place.
        for order in [
            [0, 1, 2, 3],
            [1, 0, 2, 3],
            [1, 2, 0, 3],
            [2, 1, 0, 3],
            [2, 0, 1, 3],
            [0, 2, 1, 3],
            [3, 2, 1, 0],
            [3, 0, 1, 2],
        ] {
            let (domain, pool, drops) = (domain.clone(), pool.clone(), drops.clone());
            std::thread::spawn(move || {
                for step in order {
                    match step {
                        0 => drop(domain.pin()),
                        1 => GUARD.with(|_| ()),
                        2 => LATE.set(Some(Late {
                            domain: domain.clone(),
                            pool: pool.clone(),
                            drops: drops.clone(),
                        })),
                        _ => HANDLE.with(|_| ()),
                    }
                }
                GUARD.with(|kept| *kept.borrow_mut() = Some(domain.pin()));
                let handle = domain.register();
                drop(handle.pin());
                HANDLE.with(|kept| *kept.borrow_mut() = Some(handle));
            })
            .join()
            .unwrap();
        }
        domain.try_barrier(GENEROUS).unwrap();
        assert_eq!(drops.count(), 8 * 300);
        assert_eq!(domain.stats().participants, 0);
        assert_eq!(domain.stats().active_sections, 0);
    });
}

#[test]
fn guards_may_outlive_the_handle_they_came_from() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let handle = domain.register();
        let guard = handle.pin();
        guard.retire(drops.one());
        drop(handle);
        assert!(!domain.poll(domain.advance()));
        assert_eq!(domain.stats().participants, 1);
        drop(guard);
        assert_eq!(domain.stats().participants, 0);
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn garbage_of_a_thread_that_exits_inside_readers_goes_with_the_last_reader() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let readers: Vec<_> = (0..3).map(|_| support::Reader::enter(&domain)).collect();
        let (writer, seen) = (domain.clone(), drops.clone());
        std::thread::spawn(move || {
            for _ in 0..10_007 {
                writer.retire(seen.one());
            }
        })
        .join()
        .unwrap();
        for reader in readers {
            assert_eq!(drops.count(), 0);
            reader.leave();
        }
        assert_eq!(drops.count(), 10_007);
    });
}
