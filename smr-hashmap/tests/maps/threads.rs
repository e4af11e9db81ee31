//! What threads see of each other.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::Drops;
use smr_core::Domain;
use smr_hashmap::{Compute, HashMap, Operation};

/// Runs `reader` again and again on two threads while `writer` runs on another.
fn beside(reader: impl Fn() + Sync, writer: impl FnOnce() + Send) -> usize {
    let done = AtomicBool::new(false);
    let rounds = AtomicUsize::new(0);
    let start = Barrier::new(3);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                start.wait();
                while !done.load(Ordering::Relaxed) {
                    reader();
                    rounds.fetch_add(1, Ordering::Relaxed);
                }
                reader();
            });
        }
        start.wait();
        writer();
        done.store(true, Ordering::Relaxed);
    });
    rounds.into_inner()
}

const TIME: Duration = Duration::from_millis(300);

fn for_a_while(mut work: impl FnMut(u64)) {
    let end = Instant::now() + TIME;
    let mut round = 0;
    while Instant::now() < end {
        work(round);
        round += 1;
    }
}

#[test]
fn a_key_that_is_replaced_is_never_absent() {
    let map = HashMap::new();
    map.pin().insert(7_u64, 0_u64);
    beside(
        || assert!(map.pin().get(&7).is_some(), "absent for an instant"),
        || {
            for_a_while(|round| {
                map.pin().insert(7, round);
                // Others make the table grow and shrink meanwhile.
                let n = round % 4000;
                if round / 4000 % 2 == 0 {
                    map.pin().insert(100 + n, n);
                } else {
                    map.pin().remove(&(100 + n));
                }
            });
        },
    );
}

#[test]
fn values_of_one_key_do_not_go_back() {
    let map = HashMap::new();
    map.pin().insert(7_u64, 0_u64);
    thread_local!(static LAST: std::cell::Cell<u64> = const { std::cell::Cell::new(0) });
    beside(
        || {
            let now = *map.pin().get(&7).unwrap();
            assert!(now >= LAST.replace(now), "an older value came back");
        },
        || {
            for_a_while(|round| {
                map.pin().update(7, |value| value + 1);
                map.pin().insert(100 + round % 5000, round);
            });
        },
    );
}

#[test]
fn iteration_sees_what_stays_exactly_once_while_the_table_changes() {
    let map = HashMap::new();
    const STAY: u64 = 500;
    for n in 0..STAY {
        map.pin().insert(n, n);
    }
    let rounds = beside(
        || {
            let mut seen = [0_u8; STAY as usize];
            let mut others = std::collections::HashSet::new();
            for (key, value) in &map.pin() {
                assert_eq!(key, value);
                match seen.get_mut(*key as usize) {
                    Some(times) => *times += 1,
                    None => {
                        others.insert(*key);
                    }
                }
            }
            let wrong: Vec<_> = seen.iter().enumerate().filter(|(_, n)| **n != 1).collect();
            assert!(wrong.is_empty(), "(key, times): {wrong:?}");
        },
        || {
            for_a_while(|_| {
                for n in STAY..5000 {
                    map.pin().insert(n, n);
                }
                for n in STAY..5000 {
                    map.pin().remove(&n);
                }
                map.pin().shrink_to_fit();
            });
        },
    );
    assert!(rounds > 2);
    assert_eq!(map.len(), STAY as usize);
}

#[test]
fn batches_and_single_look_ups_find_what_stays_while_the_table_changes() {
    // In a large table what a batch will look at is fetched.
    for (stay, others) in [(64, 10_000), (42_000, 2_000)] {
        let map = HashMap::new();
        map.pin().insert_many((0..stay).map(|n| (n, n)));
        let keys: Vec<u64> = (0..64).map(|n| n * (stay / 64)).collect();
        beside(
            || {
                let map = map.pin();
                assert!(map.get_many(&keys).eq(keys.iter().map(Some)));
                assert!(keys.iter().all(|key| map.contains_key(key)));
            },
            || {
                for_a_while(|round| {
                    let n = round % others;
                    if round / others % 2 == 0 {
                        map.pin().insert(stay + n, n);
                    } else {
                        map.pin().remove(&(stay + n));
                    }
                    if n == 0 && stay > others {
                        map.pin().reserve(stay as usize);
                    } else if n == others / 2 && stay > others {
                        map.pin().shrink_to_fit();
                    }
                });
            },
        );
    }
}

#[test]
fn one_remover_wins_and_one_inserter_wins() {
    let map = HashMap::new();
    let (inserts, removes) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..4000_u64 {
                    let key = n % 8;
                    let map = map.pin();
                    if map.try_insert(key, n).is_ok() {
                        inserts.fetch_add(1, Ordering::Relaxed);
                    }
                    if map.remove(&key).is_some() {
                        removes.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(
        inserts.into_inner() - removes.into_inner(),
        map.len(),
        "an entry was lost or doubled"
    );
    assert_eq!(map.len(), map.pin().iter().count());
}

#[test]
fn computes_add_up() {
    let map = HashMap::new();
    let removed = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..4000_u64 {
                    let map = map.pin();
                    let outcome: Compute<'_, _, _, ()> = map.compute(n % 4, |entry| match entry {
                        None => Operation::Insert(1_usize),
                        Some((_, 9)) => Operation::Remove,
                        Some((_, count)) => Operation::Insert(count + 1),
                    });
                    if let Compute::Removed(_, count) = outcome {
                        // With the call that removed it.
                        removed.fetch_add(count + 1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let left: usize = map.pin().values().sum();
    assert_eq!(left + removed.into_inner(), 4 * 4000);
}

#[test]
fn every_value_is_dropped_once_whatever_threads_do() {
    let drops = Drops::default();
    let made = AtomicUsize::new(0);
    let domain = Domain::new();
    let map = HashMap::builder().domain(domain).build();
    let value = || {
        made.fetch_add(1, Ordering::Relaxed);
        drops.value()
    };
    thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (map, value) = (&map, &value);
            scope.spawn(move || {
                for n in 0..3000_u64 {
                    let key = (n * 7 + thread * 13) % 400;
                    match n % 7 {
                        0 | 1 => _ = map.pin().insert(key, value()),
                        2 => _ = map.pin().try_insert(key, value()),
                        3 => _ = map.pin().update(key, |_| value()),
                        4 => _ = map.pin().get_or_insert_with(key, value),
                        5 => _ = map.pin_owned().remove(&key),
                        _ => _ = map.pin().remove(&(key + 1)),
                    }
                }
            });
        }
    });
    map.barrier();
    assert_eq!(drops.count() + map.len(), made.load(Ordering::Relaxed));
    map.pin().retain(|key, _| key % 2 == 0);
    map.barrier();
    assert_eq!(drops.count() + map.len(), made.load(Ordering::Relaxed));
    drop(map);
    assert_eq!(drops.count(), made.load(Ordering::Relaxed));
}

#[test]
fn clearing_and_retaining_beside_writers_leaves_a_whole_map() {
    let map = HashMap::new();
    beside(
        || {
            for n in 0..200_u64 {
                map.pin().insert(n, n);
            }
        },
        || {
            for_a_while(|round| {
                if round % 2 == 0 {
                    map.pin().clear();
                } else {
                    map.pin().retain(|key, _| key % 3 == 0);
                }
            });
        },
    );
    let found: std::collections::HashSet<_> = map.pin().keys().copied().collect();
    assert_eq!(found.len(), map.len());
    map.pin().clear();
    assert!(map.is_empty());
    assert_eq!(map.pin().iter().count(), 0);
}

#[test]
fn owned_pins_are_held_over_await_and_moved() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    let map = std::sync::Arc::new(HashMap::new());
    map.pin().insert(0, "zero".to_owned());
    runtime.block_on(async {
        let tasks: Vec<_> = (1..9)
            .map(|n| {
                let map = std::sync::Arc::clone(&map);
                tokio::spawn(async move {
                    let pinned = map.pin_owned();
                    let zero = pinned.get(&0).unwrap();
                    for round in 0..10 {
                        map.pin().insert(n, round.to_string());
                        tokio::time::sleep(Duration::from_micros(100)).await;
                    }
                    map.pin().insert(0, "other".to_owned());
                    tokio::task::yield_now().await;
                    zero.clone()
                })
            })
            .collect();
        for task in tasks {
            assert!(["zero", "other"].contains(&task.await.unwrap().as_str()));
        }
    });
    assert_eq!(map.len(), 9);
}
