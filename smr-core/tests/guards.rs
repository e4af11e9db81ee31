//! Sections: guards, owned guards, handles.

mod support;

use std::cell::RefCell;
use std::mem;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::thread;

use smr_core::{
    BarrierKind, Domain, Guard, LocalHandle, OwnedGuard, Participate, Pool, is_pinned, pin,
    unprotected,
};
use support::{Drops, Reader, every_barrier, panic_of};

/// Whether a reader older than now is inside.
fn occupied(domain: &Domain) -> bool {
    !domain.poll(domain.advance())
}

#[test]
fn guards_nest_and_go_in_any_order() {
    every_barrier(|domain| {
        let handle = domain.register();
        type Pin<'a> = &'a dyn Fn() -> Guard;
        for pin in [&(|| domain.pin()) as Pin<'_>, &(|| handle.pin())] {
            for order in [
                [0, 1, 2],
                [0, 2, 1],
                [1, 0, 2],
                [1, 2, 0],
                [2, 0, 1],
                [2, 1, 0],
            ] {
                let mut guards = [Some(pin()), Some(pin()), Some(pin())];
                for (gone, index) in order.into_iter().enumerate() {
                    assert!(occupied(&domain), "{gone} of {order:?} are gone");
                    guards[index] = None;
                }
                assert!(!occupied(&domain));
            }
        }
    });
}

#[test]
fn a_forgotten_guard_keeps_its_section_open() {
    every_barrier(|domain| {
        let drops = Drops::default();
        thread::scope(|scope| {
            scope.spawn(|| mem::forget(domain.pin()));
        });
        domain.retire(drops.value());
        domain.flush();
        assert!(occupied(&domain));
        assert_eq!(drops.count(), 0);
    });
}

#[test]
fn a_panic_leaves_the_section() {
    every_barrier(|domain| {
        let handle = domain.register();
        let work = || {
            let _guards = (
                domain.pin(),
                domain.pin(),
                handle.pin(),
                domain.owned_guard(),
            );
            panic!("inside");
        };
        assert_eq!(panic_of(work), "inside");
        assert!(!occupied(&domain) && !domain.is_pinned() && !handle.is_pinned());
    });
}

#[test]
fn is_pinned_says_whether_the_thread_is_inside() {
    every_barrier(|domain| {
        assert!(!domain.is_pinned());
        let first = domain.pin();
        let second = domain.pin();
        drop(first);
        assert!(domain.is_pinned());
        thread::scope(|scope| {
            scope.spawn(|| assert!(!domain.is_pinned(), "another thread is"));
        });
        drop(second);
        assert!(!domain.is_pinned());
        // A handle is a slot apart.
        let handle = domain.register();
        let guard = handle.pin();
        assert!(handle.is_pinned() && !domain.is_pinned());
        drop(guard);
        assert!(!handle.is_pinned());
    });
    let guard = pin();
    assert!(is_pinned() && Domain::global().is_pinned());
    drop(guard);
    assert!(!is_pinned());
}

#[test]
fn repin_moves_the_section_and_refresh_is_the_same() {
    every_barrier(|domain| {
        let moves: [fn(&mut Guard); 2] = [Guard::repin, Guard::refresh];
        for repin in moves {
            let mut guard = domain.pin();
            let goal = domain.advance();
            assert!(!domain.poll(goal));
            let nested = domain.pin();
            repin(&mut guard);
            assert!(!domain.poll(goal), "a nested guard protects as before");
            drop(nested);
            repin(&mut guard);
            assert!(domain.poll(goal) && occupied(&domain));
        }
        let moves: [fn(&mut OwnedGuard); 2] = [OwnedGuard::repin, OwnedGuard::refresh];
        for repin in moves {
            let mut guard = domain.owned_guard();
            let goal = domain.advance();
            assert!(!domain.poll(goal));
            repin(&mut guard);
            assert!(domain.poll(goal) && occupied(&domain));
        }
    });
}

#[test]
fn repin_collects_what_it_held_up() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let mut guard = domain.pin();
        thread::scope(|scope| {
            scope.spawn(|| domain.retire(drops.value()));
        });
        domain.flush();
        assert_eq!(drops.count(), 0);
        guard.repin();
        assert_eq!(drops.count(), 1);
        assert!(domain.is_pinned());
    });
}

#[test]
fn repin_after_is_outside_for_a_while() {
    every_barrier(|domain| {
        let mut guard = domain.pin();
        let answer = guard.repin_after(|| {
            assert!(!domain.is_pinned() && !occupied(&domain));
            domain.synchronize();
            domain.barrier();
            42
        });
        assert_eq!(answer, 42);
        assert!(domain.is_pinned() && occupied(&domain));

        let nested = domain.pin();
        guard.repin_after(|| assert!(domain.is_pinned(), "a nested guard is inside"));
        drop(nested);

        // What was entered meanwhile may stay.
        let entered = guard.repin_after(|| domain.pin());
        drop(guard);
        assert!(domain.is_pinned() && occupied(&domain));
        drop(entered);
        assert!(!domain.is_pinned() && !occupied(&domain));
    });
}

#[test]
fn repin_after_comes_back_from_a_panic() {
    every_barrier(|domain| {
        let mut guard = domain.pin();
        let caught = catch_unwind(AssertUnwindSafe(|| guard.repin_after(|| panic!("outside"))));
        assert!(caught.is_err());
        assert!(domain.is_pinned() && occupied(&domain));
        drop(guard);
        assert!(!domain.is_pinned());
    });
}

#[test]
fn a_guard_knows_its_domain() {
    every_barrier(|domain| {
        let other = Domain::new();
        let handle = domain.register();
        let owned = domain.owned_guard();
        for guard in [&domain.pin(), &handle.pin(), &*owned] {
            assert_eq!(guard.domain(), Some(&domain));
            assert_eq!(guard.collector(), Some(&domain));
            assert!(guard.protects(&domain) && guard.protects(&domain.clone()));
            assert!(!guard.protects(&other) && !guard.protects(Domain::global()));
            assert!(format!("{guard:?}").contains("Domain"));
        }
        assert_eq!((handle.domain(), handle.collector()), (&domain, &domain));
        assert!(format!("{handle:?} {owned:?}").contains("LocalHandle"));
    });
}

#[test]
fn unprotected_protects_nothing_and_retires_at_once() {
    let drops = Drops::default();
    // SAFETY: nothing is shared here.
    let guard = unsafe { unprotected() };
    assert_eq!((guard.domain(), guard.collector()), (None, None));
    assert!(!guard.protects(Domain::global()));
    guard.flush();
    guard.retire(drops.value());
    assert_eq!(drops.count(), 1);
    let value = drops.value();
    guard.defer(move || drop(value));
    assert_eq!(drops.count(), 2);
    let value = drops.value();
    guard.defer_sized(1 << 40, move || drop(value));
    assert_eq!(drops.count(), 3);
    assert_eq!(Domain::global().stats().retired_items, 0);
    // A pool takes it for somebody without a cache.
    let pool = Pool::new_in(&Domain::new());
    let item = pool.alloc_in(guard, 7);
    assert_eq!(*item, 7);
}

#[test]
fn a_guard_outlives_its_handle_and_its_domain() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let handle = domain.register();
        let guard = handle.pin();
        domain.retire(drops.value());
        drop((handle, domain));
        assert_eq!(drops.count(), 0);
        let again = guard.domain().unwrap().clone();
        assert!(guard.protects(&again));
        again.retire(drops.value());
        again.flush();
        assert_eq!(drops.count(), 0, "the section is older than both");
        drop(again);
        drop(guard);
        assert_eq!(drops.count(), 2);
    });
}

#[test]
fn owned_guards_are_sections_of_their_own() {
    every_barrier(|domain| {
        let one = domain.owned_guard();
        let goal = domain.advance();
        let two = domain.owned_guard();
        assert_eq!(domain.stats().active_sections, 2);
        assert!(!domain.is_pinned(), "no thread is inside");
        assert!(!domain.poll(goal));
        thread::spawn(move || drop(one)).join().unwrap();
        assert!(domain.poll(goal), "the second is younger");
        assert!(occupied(&domain));
        drop(two);
        assert_eq!(domain.stats().active_sections, 0);
        assert!(!occupied(&domain));
    });
}

#[test]
fn an_owned_guard_is_used_by_many_threads_at_a_time() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::new_in(&domain);
        let guard = domain.owned_guard();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        guard.retire(drops.value());
                        let value = drops.value();
                        guard.defer(move || drop(value));
                        let item = pool.alloc_in(&guard, drops.value());
                        // SAFETY: never published, retired once.
                        unsafe { pool.retire_in(&guard, item.into_raw()) };
                        assert!(guard.protects(&domain));
                    }
                    guard.flush();
                });
            }
        });
        assert_eq!(drops.count(), 0, "all of it is younger than the guard");
        drop(guard);
        assert_eq!(drops.count(), 12_000);
    });
}

#[test]
fn threads_that_end_leave_nothing_behind() {
    every_barrier(|domain| {
        let drops = Drops::default();
        for _ in 0..100 {
            thread::scope(|scope| {
                // Joined, so that its thread-locals are gone.
                let _ = scope
                    .spawn(|| {
                        let guard = domain.pin();
                        guard.retire(drops.value());
                        domain.retire(drops.value());
                    })
                    .join();
            });
        }
        assert_eq!(drops.count(), 200);
        assert_eq!(domain.stats().participants, 0);
    });
}

#[test]
fn sections_work_in_destructors_of_thread_locals() {
    struct Last(Domain, Drops);
    impl Drop for Last {
        fn drop(&mut self) {
            let guard = self.0.pin();
            let nested = pin();
            guard.retire(self.1.value());
            self.0.retire(self.1.value());
            assert!(guard.protects(&self.0) && nested.protects(Domain::global()));
            drop(guard);
            self.1.add();
        }
    }
    thread_local! {
        static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
    }
    every_barrier(|domain| {
        let drops = Drops::default();
        // The destructors run in the order of first use, or its reverse.
        for before in [true, false] {
            let last = Last(domain.clone(), drops.clone());
            let enter = domain.clone();
            thread::spawn(move || {
                if before {
                    drop(enter.pin());
                }
                LAST.with(|place| *place.borrow_mut() = Some(last));
                drop(enter.pin());
            })
            .join()
            .unwrap();
        }
        domain.barrier();
        assert_eq!(drops.count(), 6);
        assert_eq!(domain.stats().participants, 0);
        Domain::global().synchronize();
    });
}

#[test]
fn a_reader_marked_by_a_poll_wakes_who_waits() {
    every_barrier(|domain| {
        let reader = Reader::enter(&domain, "reader");
        assert!(occupied(&domain));
        let before = domain.stats();
        assert_eq!((before.assists, before.active_sections), (0, 1));
        reader.leave();
        assert_eq!(domain.stats().assists, 1);
        assert!(!occupied(&domain));
    });
}

#[test]
fn types_are_as_big_and_as_bound_to_their_thread_as_they_say() {
    fn anywhere<T: Send + Sync + UnwindSafe + RefUnwindSafe>() {}
    fn caught<T: UnwindSafe + RefUnwindSafe>() {}
    fn takes_part<T: Participate>() {}
    anywhere::<OwnedGuard>();
    anywhere::<BarrierKind>();
    caught::<Guard>();
    caught::<Domain>();
    caught::<LocalHandle>();
    caught::<Pool<std::cell::Cell<u8>>>();
    takes_part::<Guard>();
    takes_part::<OwnedGuard>();
    takes_part::<LocalHandle>();
    fn sent<T: Send + Sync>() {}
    sent::<Domain>();
    sent::<Pool<Vec<u8>>>();
    assert_eq!(size_of::<Option<Guard>>(), 2 * size_of::<usize>());
    assert_eq!(size_of::<Guard>(), size_of::<usize>());
    assert_eq!(size_of::<Domain>(), size_of::<usize>());
}
