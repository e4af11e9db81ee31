//! Cases for schedules at random, with more threads and longer than loom can look at.
//!
//! `cargo shuttle` runs them; see CONTRIBUTING.md. Each is a few threads that do a few
//! things chosen by the seed, to values that notice being read after they were dropped.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ptr::NonNull;

use crate::cell::SmrCell;
use crate::domain::Domain;
use crate::guard::Guard;
use crate::pool::Pool;
use crate::sync::shuffle::{Counted, Ledger, below, fails, shuffle, thread};
use crate::sync::{AtomicPtr, AtomicU64, Ordering};

/// Threads of a case. Under loom and shuttle a domain has few slots.
const THREADS: u64 = 4;

/// Runs `work` in several threads, which it is told apart by.
fn crowd(work: impl Fn(u64) + Clone + Send + 'static) {
    let threads: Vec<_> = (0..THREADS)
        .map(|number| {
            let work = work.clone();
            thread::spawn(move || work(number))
        })
        .collect();
    for thread in threads {
        thread.join().expect("it fails the case");
    }
}

/// The tool finds a planted bug, and its seed finds it again.
#[test]
fn a_lost_update_is_found_and_found_again() {
    let case = || {
        let count = Arc::new(AtomicU64::new(0));
        let same = Arc::clone(&count);
        crowd(move |_| {
            let old = count.load(Ordering::Acquire);
            count.store(old + 1, Ordering::Release);
        });
        assert_eq!(same.load(Ordering::Acquire), THREADS);
    };
    let failing = (0..20).find(|seed| fails(*seed, case));
    let failing = failing.expect("no schedule loses an update");
    let passing = (0..200).find(|seed| !fails(*seed, case));
    let passing = passing.expect("no schedule keeps all updates");
    for _ in 0..3 {
        assert!(fails(failing, case), "the seed is another schedule now");
        assert!(!fails(passing, case), "the seed is another schedule now");
    }
}

/// Readers hold what writers replace; threads come and go; some collect.
#[test]
fn what_is_replaced_outlives_its_readers() {
    shuffle(|| {
        let ledger = Ledger::default();
        let domain = Domain::new();
        let cells = [0, 1].map(|n| SmrCell::new_in(ledger.value(n), &domain));
        let cells = Arc::new(cells);
        let work = {
            let (ledger, domain, cells) = (ledger.clone(), domain.clone(), Arc::clone(&cells));
            move |number| {
                for _ in 0..2 {
                    let own = domain.register();
                    for _ in 0..below(6) {
                        let guard = own.pin();
                        let cell = &cells[below(2) as usize];
                        match below(5) {
                            0 | 1 => {
                                cell.swap(ledger.value(number), &guard).read();
                            }
                            2 => {
                                let outer = cell.load(&guard);
                                let nested = own.pin();
                                cells[0].load(&nested).read();
                                drop(nested);
                                outer.read();
                            }
                            3 => {
                                drop(guard);
                                domain.flush();
                            }
                            _ => assert!(cell.load(&guard).read() < THREADS),
                        }
                    }
                }
            }
        };
        crowd(work);
        domain.barrier();
        assert_eq!(ledger.alive(), cells.len(), "something sticks");
        drop(cells);
        domain.barrier();
        ledger.check();
    });
}

/// What a thread retired is gone after its barrier, whoever had it in hand.
#[test]
fn a_barrier_leaves_nothing_behind() {
    shuffle(|| {
        let domain = Domain::new();
        let same = domain.clone();
        crowd(move |number| {
            let ledger = Ledger::default();
            let own = domain.register();
            for _ in 0..3 {
                let guard = own.pin();
                for _ in 0..below(4) {
                    let value = ledger.value(number);
                    guard.defer(move || drop(value));
                }
                drop(guard);
                match below(4) {
                    0 => domain.flush(),
                    1 => drop(own.pin()),
                    2 => {
                        domain.barrier();
                        ledger.check();
                    }
                    _ => {}
                }
            }
            drop(own);
            domain.barrier();
            ledger.check();
        });
        drop(same);
    });
}

/// An item of a pool that others find through a pointer.
struct Place(AtomicPtr<Counted>);

impl Place {
    fn swap(&self, new: *mut Counted) -> Option<NonNull<Counted>> {
        // AcqRel: pairs with the load in `read`, and with itself.
        NonNull::new(self.0.swap(new, Ordering::AcqRel))
    }

    fn read(&self, _guard: &Guard) {
        // Acquire: pairs with the exchange in `swap`.
        let found = self.0.load(Ordering::Acquire);
        // SAFETY: unlinked before it was retired, and we are in a section.
        if let Some(found) = unsafe { found.as_ref() } {
            found.read();
        }
    }
}

/// Items of a pool are used again, and dropped, when nobody is in them.
#[test]
fn items_of_a_pool_outlive_their_readers() {
    shuffle(|| {
        let ledger = Ledger::default();
        let domain = Domain::new();
        let pool = Arc::new(Pool::<Counted>::new_in(&domain));
        let places: Arc<[Place; 3]> =
            Arc::new(core::array::from_fn(|_| Place(AtomicPtr::default())));
        let work = {
            let (ledger, pool, places) = (ledger.clone(), Arc::clone(&pool), Arc::clone(&places));
            move |number| {
                let own = pool.domain().register();
                for _ in 0..below(12) {
                    let guard = own.pin();
                    let place = &places[below(3) as usize];
                    match below(6) {
                        0..3 => {
                            let new = pool.alloc_in(&guard, ledger.value(number)).into_raw();
                            if let Some(old) = place.swap(new.as_ptr()) {
                                // SAFETY: of this pool, and retired by us, who unlinked it.
                                unsafe { pool.retire_in(&guard, old) };
                            }
                        }
                        3 => {
                            drop(guard);
                            pool.flush();
                        }
                        4 => {
                            drop(guard);
                            pool.trim();
                        }
                        _ => place.read(&guard),
                    }
                }
            }
        };
        crowd(work);
        let own = domain.register();
        for place in &*places {
            if let Some(last) = place.swap(core::ptr::null_mut()) {
                // SAFETY: as above.
                unsafe { pool.retire_in(&own, last) };
            }
        }
        drop(own);
        domain.barrier();
        ledger.check();
    });
}
