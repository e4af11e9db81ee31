//! A reader leaves while a writer is at it, and the writer stops: what the reader
//! held up is destroyed all the same.
#![cfg(feature = "std")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use crate::support::{Drops, LONG, every_barrier};
use smr_core::{Domain, Pool};

/// So many wait for the reader, each time.
const BACKLOG: usize = 10_000;
/// So many may be left with a writer that has stopped: two polls' worth.
const LEFT: usize = 4_096;
const ROUNDS: usize = 5;

/// Lets a writer call `retire` until a reader has left, and stop then.
fn stop_after_a_reader(domain: &Domain, drops: &Drops, retire: impl Fn() + Sync) {
    for round in 0..ROUNDS {
        let stop = AtomicBool::new(false);
        let retired = AtomicUsize::new(0);
        let before = drops.count();
        let guard = domain.pin();
        thread::scope(|scope| {
            let (idle, look) = mpsc::channel();
            let (end, ended) = mpsc::channel::<()>();
            let (stop, retired, retire) = (&stop, &retired, &retire);
            let writer = scope.spawn(move || {
                while !stop.load(SeqCst) {
                    retire();
                    retired.fetch_add(1, SeqCst);
                }
                idle.send(()).unwrap();
                // It does not exit either: that would collect.
                let _ = ended.recv();
            });
            while retired.load(SeqCst) < BACKLOG {
                thread::yield_now();
            }
            drop(guard);
            stop.store(true, SeqCst);
            look.recv().unwrap();
            // What others have in hand comes to its end; nobody begins anything.
            let left = || retired.load(SeqCst) - (drops.count() - before);
            let patience = Instant::now() + LONG;
            while left() >= LEFT && Instant::now() < patience {
                thread::yield_now();
            }
            let left = left();
            drop(end);
            writer.join().unwrap();
            assert!(left < LEFT, "{left} are left in round {round}");
        });
        domain.barrier();
    }
}

#[test]
fn retired_values_do_not_stay_with_a_writer_that_stops() {
    every_barrier(|domain| {
        let drops = Drops::default();
        stop_after_a_reader(&domain, &drops, || domain.retire(drops.value()));
    });
}

#[test]
fn pool_items_do_not_stay_with_a_writer_that_stops() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::new_in(&domain);
        stop_after_a_reader(&domain, &drops, || {
            let item = pool.alloc(drops.value()).into_raw();
            // SAFETY: nobody else has seen it.
            unsafe { pool.retire(item) };
        });
    });
}
