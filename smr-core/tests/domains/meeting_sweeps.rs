//! Sweeps that meet: in domains with more pools than a sweep takes at once, and in
//! pools that another one has in hand.
#![cfg(feature = "std")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::Reader;
use smr_core::{Domain, Pool};

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

/// Who only looks at figures has each latch for a moment; a sweep waits for that, and
/// does not pass over what is behind it.
#[test]
fn looking_at_figures_hides_nothing_from_a_sweep() {
    let domain = Domain::new();
    let pool = Pool::new_in(&domain);
    let dropped = Arc::new(AtomicUsize::new(0));
    let stop = AtomicBool::new(false);
    let own = domain.register();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(SeqCst) {
                let _ = pool.stats();
                let _ = domain.stats();
            }
        });
        let end = Instant::now() + Duration::from_millis(300);
        let (mut retired, mut missing) = (0, 0);
        while Instant::now() < end && missing == 0 {
            retire(&pool, Act::Count(Arc::clone(&dropped)));
            let count = Arc::clone(&dropped);
            own.pin().defer(move || {
                count.fetch_add(1, SeqCst);
            });
            retired += 2;
            domain.flush();
            missing = retired - dropped.load(SeqCst);
        }
        stop.store(true, SeqCst);
        assert_eq!(missing, 0, "passed over in the {retired}th");
    });
}

/// An item of a pool, which owns a pool.
struct Owner {
    other: Option<Arc<Pool<Owner>>>,
    middle: Option<Arc<Barrier>>,
    dropped: Arc<AtomicUsize>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        if let Some(middle) = &self.middle {
            middle.wait();
        }
        drop(self.other.take());
        self.dropped.fetch_add(1, SeqCst);
    }
}

/// Each of two pools holds an item that owns the other, and two sweeps have one each:
/// neither can wait for the other's end.
#[test]
fn two_pools_that_own_each_other_go() {
    crate::support::ends("two sweeps wait for each other", || {
        for _ in 0..200 {
            let domain = Domain::new();
            let dropped = Arc::new(AtomicUsize::new(0));
            let pools = [(); 2].map(|()| Arc::new(Pool::new_in(&domain)));
            let middle = Arc::new(Barrier::new(2));
            for (at, pool) in pools.iter().enumerate() {
                let owner = Some((Arc::clone(&pools[1 - at]), Arc::clone(&middle)));
                // The others are in the same hand.
                for owner in [None, owner, None] {
                    let (other, middle) = owner.unzip();
                    let dropped = Arc::clone(&dropped);
                    let item = Owner {
                        other,
                        middle,
                        dropped,
                    };
                    let item = pool.alloc(item).into_raw();
                    // SAFETY: nobody else has seen it.
                    unsafe { pool.retire(item) };
                }
            }
            drop(pools);
            let sweep = || {
                while dropped.load(SeqCst) < 6 {
                    domain.flush();
                }
            };
            thread::scope(|scope| {
                scope.spawn(sweep);
                sweep();
            });
            assert_eq!(dropped.load(SeqCst), 6, "each once");
        }
    });
}
