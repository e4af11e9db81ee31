//! Owned guards on a runtime that moves tasks from thread to thread.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use crate::support::{Drops, LONG};
use smr_core::{BarrierKind, Domain, OwnedGuard, Pool, SmrCell};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{spawn_blocking, yield_now};

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .build()
        .unwrap()
}

fn every_barrier<F: Future<Output = ()>>(test: impl Fn(Domain) -> F) {
    for kind in [BarrierKind::Auto, BarrierKind::Fence] {
        let domain = Domain::builder().barrier(kind).build().unwrap();
        runtime().block_on(test(domain));
    }
}

/// Knows whether it was dropped, for who looks at it wrongly.
struct Watched {
    version: usize,
    alive: Arc<AtomicBool>,
    drops: Drops,
}

impl Watched {
    fn new(version: usize, drops: &Drops) -> Self {
        Self {
            version,
            alive: Arc::new(AtomicBool::new(true)),
            drops: drops.clone(),
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        assert!(self.alive.swap(false, SeqCst), "dropped twice");
        self.drops.add();
    }
}

#[test]
fn values_live_as_long_as_a_guard_over_await() {
    every_barrier(async |domain| {
        const VERSIONS: usize = 500;
        let drops = Drops::default();
        let cell = Arc::new(SmrCell::new_in(Watched::new(0, &drops), &domain));
        let threads = Arc::new(Mutex::new(HashSet::<(usize, ThreadId)>::new()));
        let readers: Vec<_> = (0..16)
            .map(|number| {
                let (cell, domain, threads) = (cell.clone(), domain.clone(), threads.clone());
                tokio::spawn(async move {
                    let end = Instant::now() + LONG;
                    // Until a task has changed threads, which may take a while
                    // where others want the processors too.
                    let moved = || threads.lock().unwrap().len() > 16;
                    for round in 0.. {
                        if round >= 40 && (moved() || Instant::now() >= end) {
                            break;
                        }
                        let guard = domain.owned_guard();
                        let seen = cell.load(&guard);
                        let (version, alive) = (seen.version, seen.alive.clone());
                        for _ in 0..5 {
                            yield_now().await;
                            assert!(alive.load(SeqCst), "dropped under a reader");
                            assert_eq!(seen.version, version);
                            threads
                                .lock()
                                .unwrap()
                                .insert((number, thread::current().id()));
                        }
                    }
                })
            })
            .collect();
        let writer = tokio::spawn({
            let (cell, drops) = (cell.clone(), drops.clone());
            async move {
                for version in 1..VERSIONS {
                    cell.store(Watched::new(version, &drops));
                    if version.is_multiple_of(8) {
                        tokio::time::sleep(Duration::from_micros(100)).await;
                    }
                }
            }
        });
        for task in readers.into_iter().chain([writer]) {
            task.await.unwrap();
        }
        let inside = domain.clone();
        spawn_blocking(move || inside.barrier()).await.unwrap();
        assert_eq!(
            drops.count(),
            VERSIONS - 1,
            "the current one is in the cell"
        );
        drop(cell);
        assert_eq!(drops.count(), VERSIONS);
        assert!(
            threads.lock().unwrap().len() > 16,
            "no task ever changed threads"
        );
    });
}

#[test]
fn a_guard_goes_through_many_hands() {
    every_barrier(async |domain| {
        let drops = Drops::default();
        let guard = domain.owned_guard();
        domain.retire(drops.value());
        // From task to task, and through blocking threads.
        let mut guard: Option<OwnedGuard> = Some(guard);
        for hop in 0..50 {
            let (taken, drops, domain) = (guard.take().unwrap(), drops.clone(), domain.clone());
            let check = move || {
                domain.flush();
                assert_eq!(drops.count(), 0);
                taken
            };
            guard = Some(if hop % 2 == 0 {
                spawn_blocking(check).await.unwrap()
            } else {
                tokio::spawn(async move { check() }).await.unwrap()
            });
        }
        assert!(!domain.poll(domain.advance()));
        drop(guard);
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_blocking_call_keeps_the_guard_of_its_task() {
    every_barrier(async |domain| {
        let drops = Drops::default();
        let cell = Arc::new(SmrCell::new_in(Watched::new(1, &drops), &domain));
        let started = Arc::new(tokio::sync::Barrier::new(2));
        let reader = tokio::spawn({
            let (cell, domain, started) = (cell.clone(), domain.clone(), started.clone());
            async move {
                let guard = Arc::new(domain.owned_guard());
                let inner = (cell.clone(), guard.clone());
                started.wait().await;
                let version = spawn_blocking(move || {
                    let (cell, guard) = inner;
                    let seen = cell.load(&guard);
                    thread::sleep(Duration::from_millis(30));
                    assert!(seen.alive.load(SeqCst));
                    seen.version
                })
                .await
                .unwrap();
                drop(guard);
                version
            }
        });
        started.wait().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        cell.store(Watched::new(2, &drops));
        domain.flush();
        let seen = reader.await.unwrap();
        spawn_blocking(move || domain.barrier()).await.unwrap();
        assert!(seen == 1 || seen == 2);
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_task_that_is_cancelled_leaves_its_section() {
    every_barrier(async |domain| {
        let drops = Drops::default();
        let entered = Arc::new(tokio::sync::Barrier::new(2));
        let task = tokio::spawn({
            let (domain, entered) = (domain.clone(), entered.clone());
            async move {
                let _guard = domain.owned_guard();
                entered.wait().await;
                std::future::pending::<()>().await;
            }
        });
        entered.wait().await;
        domain.retire(drops.value());
        domain.flush();
        assert_eq!((drops.count(), domain.stats().active_sections), (0, 1));
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!((drops.count(), domain.stats().active_sections), (1, 0));
    });
}

#[test]
fn a_pool_is_shared_by_tasks() {
    every_barrier(async |domain| {
        let drops = Drops::default();
        let pool = Arc::new(Pool::new_in(&domain));
        let retired = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (domain, pool) = (domain.clone(), pool.clone());
                let (drops, retired) = (drops.clone(), retired.clone());
                tokio::spawn(async move {
                    for _ in 0..200 {
                        let guard = domain.owned_guard();
                        let item = pool.alloc_in(&guard, drops.value());
                        yield_now().await;
                        // SAFETY: never published, retired once.
                        unsafe { pool.retire_in(&guard, item.into_raw()) };
                        retired.fetch_add(1, SeqCst);
                        yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        spawn_blocking(move || pool.barrier()).await.unwrap();
        assert_eq!((drops.count(), retired.load(SeqCst)), (1600, 1600));
    });
}
