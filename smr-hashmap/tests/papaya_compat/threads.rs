//! Threads that share a map.

use super::maps::{Compute, HashMap, HashSet, Operation};
use std::thread;

#[test]
fn many_threads_insert_and_remove() {
    let map = HashMap::new();
    thread::scope(|scope| {
        for thread in 0..4 {
            let map = &map;
            scope.spawn(move || {
                for i in 0..1000 {
                    map.pin().insert(thread * 1000 + i, i);
                }
                let map = map.pin();
                for i in (0..1000).step_by(2) {
                    assert_eq!(map.remove(&(thread * 1000 + i)), Some(&i));
                }
            });
        }
    });
    assert_eq!(map.len(), 2000);
    assert_eq!(map.pin().iter().count(), 2000);
}

#[test]
fn updates_are_not_lost() {
    let map = HashMap::new();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for i in 0..1000 {
                    map.pin().update_or_insert(i % 10, |n| n + 1, 1);
                }
            });
        }
    });
    assert!(map.pin().values().all(|count| *count == 400));
}

#[test]
fn one_of_many_wins() {
    let map = HashMap::new();
    let set = HashSet::new();
    let wins: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let (map, set) = (&map, &set);
                scope.spawn(move || {
                    let map = map.pin();
                    let won = (0..500)
                        .filter(|i| map.try_insert(*i, thread).is_ok())
                        .count();
                    set.pin().insert(thread);
                    won
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(wins, 500);
    assert_eq!(set.len(), 4);
}

#[test]
fn a_queue_of_two_states_by_compute() {
    let map = HashMap::new();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for i in 0..1000 {
                    let map = map.pin();
                    let done: Compute<'_, _, _, ()> = map.compute(i % 4, |entry| match entry {
                        None => Operation::Insert(1_u32),
                        Some((_, n)) if *n == 3 => Operation::Remove,
                        Some((_, n)) => Operation::Insert(n + 1),
                    });
                    assert!(!matches!(done, Compute::Aborted(())));
                }
            });
        }
    });
    // Each key was computed 500 times: 125 rounds of insert, 2, 3, remove.
    assert!(map.is_empty(), "{map:?}");
}
