//! Sweeps that meet: in domains with more pools than a sweep takes at once, and in
//! pools that another one has in hand.
#![cfg(feature = "std")]

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use smr_core::{Domain, Pool};
use support::Reader;

struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Other sweeps pass the pools through their hands meanwhile; a barrier must not
/// take a pool that they have moved for one that it has been to.
#[test]
fn a_barrier_goes_to_every_pool_while_others_sweep() {
    const POOLS: usize = 300;
    let domain = Domain::new();
    let pools: Vec<Pool<Counted>> = (0..POOLS).map(|_| Pool::new_in(&domain)).collect();
    let dropped = Arc::new(AtomicUsize::new(0));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(SeqCst) {
                    domain.flush();
                }
            });
        }
        let end = Instant::now() + Duration::from_secs(2);
        let mut retired = 0;
        let mut missing = 0;
        while Instant::now() < end && missing == 0 {
            for pool in &pools {
                let item = pool.alloc(Counted(Arc::clone(&dropped))).into_raw();
                // SAFETY: nobody else has seen it.
                unsafe { pool.retire(item) };
            }
            retired += POOLS;
            domain.barrier();
            missing = retired - dropped.load(SeqCst);
        }
        stop.store(true, SeqCst);
        assert_eq!(missing, 0, "not destroyed when the barrier returned");
    });
}

/// What a pool's destructor does.
enum Act {
    Wait(Arc<Barrier>),
    Count(Arc<AtomicUsize>),
}

impl Drop for Act {
    fn drop(&mut self) {
        match self {
            Self::Wait(barrier) => {
                barrier.wait();
                barrier.wait();
            }
            Self::Count(count) => {
                count.fetch_add(1, SeqCst);
            }
        }
    }
}

fn retire(pool: &Pool<Act>, act: Act) {
    let item = pool.alloc(act).into_raw();
    // SAFETY: nobody else has seen it.
    unsafe { pool.retire(item) };
}

/// A reader leaves while a sweep that began before it came is in a long
/// destructor: what the reader held up must not stay because that sweep had the
/// pool.
#[test]
fn what_a_reader_held_up_goes_although_a_sweep_has_the_pool() {
    let domain = Domain::new();
    let pool = Pool::new_in(&domain);
    let dropped = Arc::new(AtomicUsize::new(0));
    let middle = Arc::new(Barrier::new(2));
    retire(&pool, Act::Wait(Arc::clone(&middle)));
    thread::scope(|scope| {
        let sweeping = scope.spawn(|| domain.flush());
        middle.wait();
        let reader = Reader::enter(&domain, "reader");
        retire(&pool, Act::Count(Arc::clone(&dropped)));
        domain.flush();
        // Nobody retires, reads or flushes after this.
        reader.leave();
        assert_eq!(dropped.load(SeqCst), 0);
        middle.wait();
        sweeping.join().unwrap();
    });
    assert_eq!(dropped.load(SeqCst), 1);
}

/// The same for a pool that only its own users collect.
#[test]
fn a_flush_that_finds_a_pool_in_hand_is_not_lost() {
    let domain = Domain::new();
    let pool = Pool::scoped_in(&domain);
    let dropped = Arc::new(AtomicUsize::new(0));
    let middle = Arc::new(Barrier::new(2));
    retire(&pool, Act::Wait(Arc::clone(&middle)));
    thread::scope(|scope| {
        let sweeping = scope.spawn(|| pool.flush());
        middle.wait();
        retire(&pool, Act::Count(Arc::clone(&dropped)));
        pool.flush();
        middle.wait();
        sweeping.join().unwrap();
    });
    assert_eq!(dropped.load(SeqCst), 1);
}
