//! Processes that fork while others are inside.
#![cfg(all(unix, not(miri)))]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use smr_core::{Domain, Pool};
use support::process::{in_child, try_in_child};
use support::{Drops, GENEROUS, Reader, every_barrier};

/// Everything that a program does with a domain and a pool.
fn use_everything(domain: &Domain, pool: &Pool<support::Counted>, drops: &Drops) {
    let before = drops.count();
    let guard = domain.pin();
    domain.retire(drops.one());
    guard.retire(drops.one());
    let item = pool.alloc(drops.one()).into_raw();
    // SAFETY: never published, retired once.
    unsafe { pool.retire(item) };
    drop(guard);
    domain.try_synchronize(GENEROUS).unwrap();
    domain.flush();
    domain.try_barrier(GENEROUS).unwrap();
    pool.try_barrier(GENEROUS).unwrap();
    assert!(drops.count() >= before + 3, "barrier has run destructors");
}

fn use_everything_from_new_threads(domain: &Domain, pool: &Pool<support::Counted>, drops: &Drops) {
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..300 {
                    let guard = domain.pin();
                    guard.retire(drops.one());
                    let item = pool.alloc_in(&guard, drops.one()).into_raw();
                    // SAFETY: never published, retired once.
                    unsafe { pool.retire_in(&guard, item) };
                }
                domain.try_synchronize(GENEROUS).unwrap();
            });
        }
    });
    domain.try_barrier(GENEROUS).unwrap();
}

#[test]
fn a_child_is_not_held_up_by_readers_that_it_does_not_have() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Arc::new(Pool::new_in(&domain));
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let (pool, drops) = (pool.clone(), drops.clone());
                // Each holds garbage, too.
                Reader::enter_after(&domain, move |domain| {
                    for _ in 0..100 {
                        domain.retire(drops.one());
                        let item = pool.alloc(drops.one()).into_raw();
                        // SAFETY: never published, retired once.
                        unsafe { pool.retire(item) };
                    }
                })
            })
            .collect();
        let goal = domain.advance();
        assert!(!domain.poll(goal), "in the parent they hold it up");
        in_child(|| {
            assert!(domain.poll(goal), "in the child there is nobody");
            assert_eq!(domain.oldest_section(), None);
            assert_eq!(domain.stats().active_sections, 0);
            use_everything(&domain, &pool, &drops);
            use_everything_from_new_threads(&domain, &pool, &drops);
            domain.try_barrier(GENEROUS).unwrap();
            assert_eq!(
                drops.count(),
                600 + 3 + 1800,
                "the parent's threads' as well"
            );
        });
        assert!(!domain.poll(goal), "in the parent nothing has changed");
        readers.into_iter().for_each(Reader::leave);
        domain.try_barrier(GENEROUS).unwrap();
        assert_eq!(drops.count(), 600);
    });
}

#[test]
fn a_guard_of_the_thread_that_forks_protects_in_the_child() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let other = Reader::enter(&domain);
        let guard = domain.pin();
        domain.retire(drops.one());
        in_child(|| {
            let goal = domain.advance();
            assert!(!domain.poll(goal));
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        domain.retire(drops.one());
                    }
                    domain.flush();
                    assert!(
                        domain.try_synchronize(Duration::from_millis(5)).is_err(),
                        "the forked guard is inside"
                    );
                });
            });
            assert_eq!(drops.count(), 0);
            drop(guard);
            domain.try_barrier(GENEROUS).unwrap();
            assert_eq!(drops.count(), 10_001);
        });
        assert_eq!(drops.count(), 0);
        other.leave();
    });
}

#[test]
fn an_owned_guard_protects_in_the_child_whoever_took_it() {
    every_barrier(|domain| {
        let guard =
            std::thread::scope(|scope| scope.spawn(|| domain.owned_guard()).join().unwrap());
        in_child(|| {
            let goal = domain.advance();
            assert!(!domain.poll(goal));
            drop(guard);
            assert!(domain.poll(goal));
        });
    });
}

#[test]
fn threads_of_a_child_are_not_taken_for_those_that_vanished() {
    // The C library gives a new thread the stack, and with it the thread-locals'
    // addresses, of one that vanished.
    every_barrier(|domain| {
        let readers: Vec<_> = (0..8).map(|_| Reader::enter(&domain)).collect();
        in_child(|| {
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| domain.try_synchronize(GENEROUS).unwrap());
                }
            });
        });
        readers.into_iter().for_each(Reader::leave);
    });
}

#[test]
fn a_grandchild_is_not_held_up_either() {
    every_barrier(|domain| {
        let readers: Vec<_> = (0..8).map(|_| Reader::enter(&domain)).collect();
        in_child(|| {
            let more: Vec<_> = (0..4).map(|_| Reader::enter(&domain)).collect();
            // Forked by a new thread, with the thread-locals of one that vanished.
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        in_child(|| domain.try_synchronize(GENEROUS).unwrap());
                    });
                }
            });
            more.into_iter().for_each(Reader::leave);
            in_child(|| domain.try_synchronize(GENEROUS).unwrap());
        });
        readers.into_iter().for_each(Reader::leave);
    });
}

#[test]
fn a_child_without_the_reaper_collects_itself() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let reaper = domain.reaper(Duration::from_millis(1)).unwrap();
        in_child(|| {
            let reader = Reader::enter(&domain);
            for _ in 0..10_000 {
                domain.retire(drops.one());
            }
            assert_eq!(drops.count(), 0);
            reader.leave();
            assert_eq!(drops.count(), 10_000, "the reader that left has collected");
            drop(reaper);
            let reaper = domain.reaper(Duration::from_millis(1)).unwrap();
            let (gone, is_gone) = channel();
            domain.defer(move || gone.send(()).unwrap());
            is_gone.recv().unwrap();
            drop(reaper);
        });
    });
}

#[test]
fn a_child_may_drop_the_domain_and_its_pools() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::new_in(&domain);
        let reader = Reader::enter(&domain);
        domain.retire(drops.one());
        let item = pool.alloc(drops.one()).into_raw();
        // SAFETY: never published, retired once.
        unsafe { pool.retire(item) };
        let seen = drops.clone();
        let held = try_in_child(move || {
            drop(pool);
            assert_eq!(seen.count(), 1, "a pool that goes drops everything");
            drop(domain);
            assert_eq!(seen.count(), 2, "so does a domain");
        });
        reader.leave();
        held.unwrap();
    });
}

/// Says when its drop begins, and ends it when it is told to, if it is to be told.
struct Slow {
    handshake: Option<(Sender<()>, Receiver<()>)>,
    pool: Option<Arc<Pool<Slow>>>,
    drops: Drops,
}

impl Drop for Slow {
    fn drop(&mut self) {
        if let Some((begun, go_on)) = &self.handshake {
            begun.send(()).unwrap();
            go_on.recv().unwrap();
        }
        drop(self.pool.take());
        self.drops.add();
    }
}

#[test]
fn a_pool_that_a_vanished_thread_had_in_hand_may_go_by_its_own_item() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let slow = |handshake, pool| Slow {
            handshake,
            pool,
            drops: drops.clone(),
        };
        let pool = Arc::new(Pool::new_in(&domain));
        let retire = |pool: &Pool<Slow>, value| {
            let item = pool.alloc(value).into_raw();
            // SAFETY: never published, retired once.
            unsafe { pool.retire(item) };
        };
        let ((begun, has_begun), (go_on, may_go_on)) = (channel(), channel());
        // The first bucket holds one item, the second two.
        retire(&pool, slow(None, None));
        retire(&pool, slow(Some((begun, may_go_on)), None));
        retire(&pool, slow(None, None));
        let mut here = Some(pool.clone());
        std::thread::scope(|scope| {
            // It has no handle of its own, which would keep the pool in the child.
            scope.spawn(|| pool.flush());
            has_begun.recv().unwrap();
            let worked = try_in_child(|| {
                let here = here.take().unwrap();
                // SAFETY: takes the count of `pool` away, which is not used in the
                // child any more, and not dropped there.
                unsafe { Arc::decrement_strong_count(Arc::as_ptr(&pool)) };
                retire(&here.clone(), slow(None, Some(here)));
                domain.flush();
                assert_eq!(drops.count(), 2, "what it had in hand is leaked");
                domain.try_barrier(GENEROUS).unwrap();
            });
            go_on.send(()).unwrap();
            worked.unwrap();
        });
        domain.try_barrier(GENEROUS).unwrap();
        assert_eq!(drops.count(), 3);
    });
}

/// Threads that do everything all the time, until this is dropped.
struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Load {
    fn start(domain: &Domain, pool: &Arc<Pool<support::Counted>>, drops: &Drops) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..4)
            .map(|role| {
                let (stop, domain, pool, drops) =
                    (stop.clone(), domain.clone(), pool.clone(), drops.clone());
                std::thread::spawn(move || {
                    let mut turn = 0_u32;
                    while !stop.load(SeqCst) {
                        turn += 1;
                        let guard = domain.pin();
                        guard.retire(drops.one());
                        let item = pool.alloc_in(&guard, drops.one()).into_raw();
                        // SAFETY: never published, retired once.
                        unsafe { pool.retire_in(&guard, item) };
                        drop(guard);
                        match (role, turn % 8) {
                            (0, _) => domain.flush(),
                            (1, _) => pool.flush(),
                            (2, 0) => drop(domain.stats()),
                            (2, 1) => drop(pool.stats()),
                            (2, 2) => drop(pool.trim()),
                            (2, 3) => drop(domain.owned_guard()),
                            (2, 4) => drop(domain.register()),
                            (3, 0) => {
                                // Makes a pool with a cache, and lets it go.
                                let pool = Pool::new_in(&domain);
                                let item = pool.alloc(drops.one()).into_raw();
                                // SAFETY: never published, retired once.
                                unsafe { pool.retire(item) };
                            }
                            _ => {}
                        }
                    }
                })
            })
            .collect();
        Self { stop, threads }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, SeqCst);
        for thread in self.threads.drain(..) {
            let worked = thread.join();
            assert!(worked.is_ok() || std::thread::panicking());
        }
    }
}

#[test]
fn locks_that_vanished_threads_held_hold_nobody_up() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Arc::new(Pool::new_in(&domain));
        let load = Load::start(&domain, &pool, &drops);
        let mut held = 0;
        for _ in 0..FORKS {
            let (domain, pool) = (domain.clone(), pool.clone());
            // This thread has slots and caches of its own, and garbage.
            domain.retire(drops.one());
            let item = pool.alloc(drops.one()).into_raw();
            // SAFETY: never published, retired once.
            unsafe { pool.retire(item) };
            let worked = try_in_child(|| {
                pool.trim();
                domain.flush();
                // An owned guard may be anywhere, so that of a thread which vanished
                // protects in the child as well: see above.
                let oldest = domain.oldest_section();
                if domain.stats().active_sections != 0 {
                    assert!(oldest.is_none_or(|section| section.owned_guard));
                    panic!("{HELD}");
                }
                use_everything(&domain, &pool, &drops);
                use_everything_from_new_threads(&domain, &pool, &drops);
                pool.trim();
                use_everything(&domain, &pool, &drops);
            });
            match worked {
                Err(story) if story.contains(HELD) => held += 1,
                worked => worked.unwrap(),
            }
        }
        drop(load);
        assert!(held <= FORKS / 2, "{held} owned guards at {FORKS} moments");
        domain.try_barrier(GENEROUS).unwrap();
    });
}

const FORKS: usize = 100;
const HELD: &str = "held up by an owned guard of the parent's";
