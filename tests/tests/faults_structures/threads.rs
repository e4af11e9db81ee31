//! Threads that panic, exit at the wrong moment, leave guards behind, or are many.

use std::cell::RefCell;
use std::sync::{Arc, Barrier};

use smr_core::{Domain, Guard};
use smr_tests::for_every_shape;
use smr_tests::ledger::Ledger;
use smr_tests::shapes::Shape;

use super::{empty, fill, works};
use crate::support::{GENEROUS, Reader, every_barrier};

#[test]
fn a_thread_that_panics_inside_has_left() {
    fn check<S: Shape>(domain: &Domain) {
        let ledger = Ledger::open();
        let shape = Arc::new(S::new_in(domain));
        fill(&*shape, ledger, 300, &domain.pin());
        let thread = std::thread::spawn({
            let (domain, shape) = (domain.clone(), Arc::clone(&shape));
            move || {
                let guard = domain.pin();
                for key in 0..100 {
                    assert!(shape.remove(key, &guard));
                }
                shape.visit(&guard, &mut |value| {
                    value.look();
                    // Without the hook, which would print it.
                    std::panic::resume_unwind(Box::new("in the middle of an iteration"));
                });
            }
        });
        assert!(thread.join().is_err());
        assert_eq!(domain.stats().active_sections, 0, "{}", S::NAME);
        let guard = domain.pin();
        assert_eq!(shape.keys(&guard).len(), 200, "{}", S::NAME);
        works(&*shape, ledger, &guard);
        drop(guard);
        shape.flush();
        assert_eq!(ledger.live(), 200, "{}", S::NAME);
    }
    every_barrier(|domain| {
        for_every_shape!(check(&domain));
    });
}

#[test]
fn a_forgotten_guard_keeps_memory_and_nothing_else() {
    fn check<S: Shape>() {
        let domain = Domain::new();
        let ledger = Ledger::open();
        let shape = Arc::new(S::new_in(&domain));
        std::thread::spawn({
            let (domain, shape) = (domain.clone(), Arc::clone(&shape));
            move || {
                std::mem::forget(domain.pin());
                fill(&*shape, ledger, 1000, &domain.pin());
                empty(&*shape, 1000, &domain.pin());
            }
        })
        .join()
        .unwrap();
        shape.flush();
        domain.flush();
        assert_eq!(ledger.dropped(), 0, "{}: its section is open", S::NAME);
        assert_eq!(domain.stats().active_sections, 1, "{}", S::NAME);
        works(&*shape, ledger, &domain.pin());
        drop(shape);
        // Nobody can be inside of what is gone.
        assert_eq!(ledger.live(), 0, "{}", S::NAME);
    }
    for_every_shape!(check());
}

#[test]
fn garbage_of_a_thread_that_is_gone_goes_with_the_reader() {
    // The thread exits with sealed buckets that nobody could collect.
    fn check<S: Shape>(domain: &Domain) {
        let ledger = Ledger::open();
        let shape = Arc::new(S::new_in(domain));
        let reader = Reader::enter(domain);
        std::thread::spawn({
            let (domain, shape) = (domain.clone(), Arc::clone(&shape));
            move || {
                for _ in 0..3 {
                    fill(&*shape, ledger, 1_000, &domain.pin());
                    empty(&*shape, 1_000, &domain.pin());
                }
            }
        })
        .join()
        .unwrap();
        assert_eq!(ledger.dropped(), 0, "{}", S::NAME);
        reader.leave();
        if !S::REACHED_BY_DOMAIN {
            shape.flush();
        }
        assert_eq!(ledger.live(), 0, "{}", S::NAME);
    }
    every_barrier(|domain| {
        for_every_shape!(check(&domain));
    });
}

thread_local! {
    static GUARD: RefCell<Option<Guard>> = const { RefCell::new(None) };
    static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
}

/// Runs what it was given when the thread-locals go.
struct Late(Option<Box<dyn FnOnce()>>);

impl Drop for Late {
    fn drop(&mut self) {
        if let Some(last) = self.0.take() {
            last();
        }
    }
}

#[test]
fn structures_work_in_destructors_of_thread_locals() {
    fn check<S: Shape>(domain: &Domain) {
        let ledger = Ledger::open();
        let shape = Arc::new(S::new_in(domain));
        // The thread's slot, its guard and what runs last are first used in turn:
        // they go in this order or the other.
        for order in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            let (own, shape) = (domain.clone(), Arc::clone(&shape));
            std::thread::spawn(move || {
                let domain = own;
                for step in order {
                    match step {
                        0 => drop(domain.pin()),
                        1 => GUARD.set(Some(domain.pin())),
                        _ => {
                            let (domain, shape) = (domain.clone(), Arc::clone(&shape));
                            LATE.set(Some(Late(Some(Box::new(move || {
                                let guard = domain.pin();
                                fill(&*shape, ledger, 100, &guard);
                                empty(&*shape, 90, &guard);
                                let mut seen = 0;
                                shape.visit(&guard, &mut |value| {
                                    value.look();
                                    seen += 1;
                                });
                                assert!(seen >= 10);
                                for key in 90..100 {
                                    assert!(shape.remove(key, &guard));
                                }
                            })))));
                        }
                    }
                }
            })
            .join()
            .unwrap();
            assert_eq!(domain.stats().active_sections, 0, "{}", S::NAME);
        }
        assert_eq!(ledger.made(), 600, "{}: not all were run", S::NAME);
        shape.flush();
        assert_eq!(ledger.live(), 0, "{}", S::NAME);
    }
    every_barrier(|domain| {
        for_every_shape!(check(&domain));
    });
}

#[test]
fn threads_in_a_row_leave_nothing_behind() {
    threads_in_a_row(200);
}

#[test]
#[ignore = "takes minutes"]
fn a_hundred_thousand_threads_in_a_row_leave_nothing_behind() {
    threads_in_a_row(100_000);
}

fn threads_in_a_row(threads: u64) {
    fn check<S: Shape>(threads: u64) {
        let domain = Domain::new();
        let ledger = Ledger::open();
        let shape = Arc::new(S::new_in(&domain));
        for turn in 0..threads {
            std::thread::spawn({
                let (domain, shape) = (domain.clone(), Arc::clone(&shape));
                move || {
                    let guard = domain.pin();
                    for key in (0..5).rev() {
                        shape.add(ledger.value(key, turn), &guard);
                    }
                    empty(&*shape, 5, &guard);
                }
            })
            .join()
            .unwrap();
            // What waits is bounded: it does not grow with the threads.
            let live = ledger.live();
            assert!(live <= 2 * 2048, "{}: {live} after {turn}", S::NAME);
        }
        // This thread's own slot.
        assert!(domain.stats().participants <= 1, "{}", S::NAME);
        shape.flush();
        assert_eq!(ledger.live(), 0, "{}", S::NAME);
    }
    for_every_shape!(check(threads));
}

#[test]
fn more_threads_at_once_than_ever_before_find_room() {
    fn check<S: Shape>() {
        let domain = Domain::new();
        let ledger = Ledger::open();
        let shape = S::new_in(&domain);
        for threads in [3, 60, 20, 150] {
            let together = Barrier::new(threads);
            std::thread::scope(|scope| {
                let one = |index| {
                    let (domain, shape, together) = (&domain, &shape, &together);
                    scope.spawn(move || {
                        let guard = domain.pin();
                        together.wait();
                        assert_eq!(domain.stats().active_sections as usize, threads);
                        together.wait();
                        shape.add(ledger.value(index, index), &guard);
                        shape.visit(&guard, &mut |value| {
                            value.look();
                        });
                        assert!(shape.remove(index, &guard), "{}", S::NAME);
                    })
                };
                let threads: Vec<_> = (0..threads as u64).map(one).collect();
                // Until their thread-locals have gone as well.
                threads
                    .into_iter()
                    .for_each(|thread| thread.join().unwrap());
            });
            // This thread's own slot.
            assert!(domain.stats().participants <= 1, "{}", S::NAME);
            assert!(shape.keys(&domain.pin()).is_empty(), "{}", S::NAME);
        }
        shape.flush();
        domain.try_barrier(GENEROUS).unwrap();
        assert_eq!(ledger.live(), 0, "{}", S::NAME);
    }
    for_every_shape!(check());
}
