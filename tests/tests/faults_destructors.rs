//! Destructors that panic, retire, and drop what they live in.
#![cfg(not(miri))]

mod support;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use smr_core::{Domain, Guard, OverLimit, Pool};
use support::{Counted, Drops, GENEROUS, Reader, every_barrier};

/// Panics when it is dropped, having been counted.
struct Bomb {
    armed: bool,
    _count: Counted,
}

fn bomb(drops: &Drops) -> Bomb {
    Bomb {
        armed: true,
        _count: drops.one(),
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(!self.armed, "a destructor panics");
    }
}

fn retire_bomb(pool: &Pool<Bomb>, drops: &Drops) {
    // Allocating may run into the panic of another one, and drop this one: twice
    // would be the end.
    let mut item = pool.alloc(Bomb {
        armed: false,
        _count: drops.one(),
    });
    item.armed = true;
    // SAFETY: never published, retired once.
    unsafe { pool.retire(item.into_raw()) };
}

fn caught(f: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}

/// Calls `f` until it does not panic; returns how often it did.
fn panics(mut f: impl FnMut()) -> usize {
    let mut panics = 0;
    while caught(&mut f) {
        panics += 1;
    }
    panics
}

#[test]
fn others_are_dropped_once_when_destructors_panic() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::new_in(&domain);
        let bombs = Pool::new_in(&domain);
        let mut panicked = 0;
        for turn in 0..2000 {
            let retire = || {
                if turn % 100 == 7 {
                    domain.retire(bomb(&drops));
                } else {
                    domain.retire(drops.one());
                }
            };
            panicked += usize::from(caught(retire));
            panicked += usize::from(caught(|| {
                let item = pool.alloc(drops.one()).into_raw();
                // SAFETY: never published, retired once.
                unsafe { pool.retire(item) };
            }));
            if turn % 100 == 9 {
                panicked += usize::from(caught(|| {
                    retire_bomb(&bombs, &drops);
                }));
            }
        }
        panicked += panics(|| domain.try_barrier(GENEROUS).unwrap());
        assert!(panicked >= 1, "somebody is told");
        assert_eq!(drops.count(), 4020);
        drop((pool, bombs));
        drop(domain);
        assert_eq!(drops.count(), 4020, "nothing twice");
    });
}

#[test]
fn a_reader_whose_exit_meets_a_panic_has_left() {
    every_barrier(|domain| {
        let drops = Drops::default();
        for round in 1..=3 {
            let owned = domain.owned_guard();
            // Enough for a poll, which marks the guard.
            domain.retire(bomb(&drops));
            assert!(!domain.poll(domain.advance()));
            domain.retire(drops.one());
            assert!(caught(|| drop(owned)), "it collects");
            let _ = panics(|| domain.flush());
            assert_eq!(drops.count(), 2 * round);
            let stats = domain.stats();
            assert_eq!(stats.active_sections, 0);
            assert_eq!(stats.participants, 1, "this thread's; {stats:?}");
        }
    });
}

#[test]
fn a_guard_is_inside_again_after_a_panic_between() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let mut guard = domain.pin();
        domain.retire(bomb(&drops));
        domain.flush();
        // Marks this section: stepping out collects.
        assert!(!domain.poll(domain.advance()));
        let mut ran = false;
        assert!(caught(|| guard.repin_after(|| ran = true)));
        assert_eq!(drops.count(), 1);
        assert!(domain.is_pinned(), "the guard protects as before");
        assert!(!domain.poll(domain.advance()), "and readers are waited for");
        drop(guard);
        assert!(!domain.is_pinned());
        assert!(domain.poll(domain.advance()));
    });
}

#[test]
fn a_panic_inside_a_section_leaves_it() {
    every_barrier(|domain| {
        assert!(caught(|| {
            let _outer = domain.pin();
            let _inner = domain.pin();
            panic!("inside");
        }));
        assert!(!domain.is_pinned());
        domain.try_synchronize(GENEROUS).unwrap();
    });
}

#[test]
fn a_panic_in_a_destructor_while_unwinding_does_not_abort() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let again = caught(|| {
            let guard = domain.pin();
            guard.retire(bomb(&drops));
            domain.flush();
            assert!(!domain.poll(domain.advance()), "marks the section");
            // Unwinding drops the guard, which collects, which panics.
            panic!("the first");
        });
        assert!(again);
        let _ = panics(|| domain.flush());
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_panicking_destructor_does_not_abort_a_thread_that_exits() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Arc::new(Pool::new_in(&domain));
        for _ in 0..3 {
            let (domain, pool, drops) = (domain.clone(), pool.clone(), drops.clone());
            let thread = std::thread::spawn(move || {
                domain.retire(bomb(&drops));
                domain.retire(drops.one());
                retire_bomb(&pool, &drops);
            });
            thread.join().unwrap();
        }
        let _ = panics(|| domain.try_barrier(GENEROUS).unwrap());
        assert_eq!(drops.count(), 9);
        let _ = domain.pin();
        assert_eq!(domain.stats().participants, 1, "this thread's");
    });
}

#[test]
fn dropping_a_domain_drops_everything_though_one_panics() {
    every_barrier(|domain| {
        let drops = Drops::default();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..10 {
                    domain.retire(drops.one());
                }
                domain.retire(bomb(&drops));
                let held = domain.owned_guard();
                for _ in 0..10 {
                    let _ = caught(|| held.retire(drops.one()));
                }
                let _ = caught(|| drop(held));
            });
        });
        // Each may come upon what was retired before, where a barrier costs little.
        let _ = caught(|| domain.retire(bomb(&drops)));
        let _ = caught(|| domain.retire(drops.one()));
        let _ = caught(|| drop(domain));
        // This thread still had a slot, which keeps the inside of the domain:
        // the next registration lets it go.
        let _ = caught(|| drop(Domain::new().pin()));
        assert_eq!(drops.count(), 23);
    });
}

#[test]
fn an_item_may_drop_another_pool_of_the_domain() {
    struct Nested {
        pool: Pool<Counted>,
        _count: Counted,
    }
    every_barrier(|domain| {
        let drops = Drops::default();
        let outer = Pool::new_in(&domain);
        for _ in 0..100 {
            let inner = Pool::new_in(&domain);
            for _ in 0..3 {
                let item = inner.alloc(drops.one()).into_raw();
                // SAFETY: never published, retired once.
                unsafe { inner.retire(item) };
            }
            let item = outer
                .alloc(Nested {
                    pool: inner,
                    _count: drops.one(),
                })
                .into_raw();
            // SAFETY: never published, not retired yet.
            assert_eq!(unsafe { item.as_ref() }.pool.domain(), &domain);
            // SAFETY: never published, retired once.
            unsafe { outer.retire(item) };
        }
        domain.try_barrier(GENEROUS).unwrap();
        assert_eq!(drops.count(), 400);
    });
}

#[test]
fn a_scoped_pool_is_never_reached_by_the_domain() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::scoped_in(&domain);
        let reader = Reader::enter(&domain);
        let item = pool.alloc(drops.one()).into_raw();
        // SAFETY: never published, retired once.
        unsafe { pool.retire(item) };
        pool.flush();
        assert_eq!(drops.count(), 0, "a reader is inside");
        // Were the pool forgotten now, nobody would be allowed to drop the item.
        reader.leave();
        domain.flush();
        domain.try_barrier(GENEROUS).unwrap();
        assert_eq!(drops.count(), 0, "only the pool's own operations drop it");
        pool.try_barrier(GENEROUS).unwrap();
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn destructors_that_retire_do_not_wait_for_themselves_under_a_limit() {
    for policy in [
        OverLimit::Report,
        OverLimit::Help,
        OverLimit::Block,
        OverLimit::Error,
    ] {
        let domain = Domain::builder()
            .max_retired_bytes(64, policy)
            .build()
            .unwrap();
        let drops = Drops::default();
        let guard = domain.pin();
        for _ in 0..1000 {
            let (domain, drops) = (domain.clone(), drops.clone());
            guard.defer_sized(8, move || {
                domain.retire(drops.one());
                drops.add();
            });
        }
        drop(guard);
        domain.try_barrier(GENEROUS).unwrap();
        domain.try_barrier(GENEROUS).unwrap();
        assert_eq!(drops.count(), 2000, "{policy:?}");
        assert!(!domain.stats().over_limit, "{policy:?}");
    }
}

#[test]
fn what_panics_is_still_taken_off_the_account() {
    let reports = Arc::new(AtomicUsize::new(0));
    let seen = reports.clone();
    let domain = Domain::builder()
        .max_retired_bytes(1 << 20, OverLimit::Error)
        .on_limit(move |_| {
            seen.fetch_add(1, SeqCst);
        })
        .build()
        .unwrap();
    let drops = Drops::default();
    let pool = Pool::new_in(&domain);
    for _ in 0..5000 {
        let _ = caught(|| domain.retire(bomb(&drops)));
        let _ = caught(|| {
            retire_bomb(&pool, &drops);
        });
    }
    let _ = panics(|| domain.try_barrier(GENEROUS).unwrap());
    assert_eq!(drops.count(), 10_000);
    let stats = domain.stats();
    assert!(!stats.over_limit, "{stats:?}");
    assert_eq!(reports.load(SeqCst), 0, "the limit was never near");
    assert!(domain.try_retire(1_u8).is_ok());
}

#[test]
fn collections_in_thread_local_destructors_are_allowed() {
    struct Late {
        domain: Domain,
        drops: Drops,
        pool: Arc<Pool<Counted>>,
    }
    impl Drop for Late {
        fn drop(&mut self) {
            let guard = self.domain.pin();
            guard.retire(self.drops.one());
            let nested = self.domain.pin();
            drop(guard);
            self.domain.retire(self.drops.one());
            let item = self.pool.alloc(self.drops.one()).into_raw();
            // SAFETY: never published, retired once.
            unsafe { self.pool.retire(item) };
            drop(nested);
        }
    }
    thread_local! {
        static LATE: Cell<Option<Late>> = const { Cell::new(None) };
        static LATE_GUARD: Cell<Option<Guard>> = const { Cell::new(None) };
    }
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Arc::new(Pool::new_in(&domain));
        // Registered with the domain before or after: the thread-locals go in the
        // one order or the other.
        for before in [true, false] {
            let late = Late {
                domain: domain.clone(),
                drops: drops.clone(),
                pool: pool.clone(),
            };
            let domain = domain.clone();
            std::thread::spawn(move || {
                if before {
                    drop(domain.pin());
                }
                LATE.set(Some(late));
                LATE_GUARD.set(Some(domain.pin()));
            })
            .join()
            .unwrap();
        }
        domain.try_barrier(GENEROUS).unwrap();
        assert_eq!(drops.count(), 6);
        assert_eq!(domain.stats().participants, 0);
    });
}
