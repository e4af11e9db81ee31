//! The lists under threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;

use smr_list::ordered_list::Change;
use smr_list::{List, OrderedList, Queue, RcuList, Stack};

use crate::counted::Counted;

#[test]
fn iteration_increases_and_meets_what_is_there_throughout() {
    let list = OrderedList::from_iter((0..60_u32).step_by(3).map(|k| (k, k)));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for seed in 1..3_u32 {
            let (list, done) = (&list, &done);
            scope.spawn(move || {
                let mut n = seed;
                while !done.load(SeqCst) {
                    n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let key = (n >> 8) % 60;
                    let guard = list.guard();
                    if key % 3 == 0 {
                        // Replaced, never absent.
                        list.update(&key, |v| v + 60, &guard).expect("never absent");
                    } else if n % 2 == 0 {
                        list.insert(key, key, &guard);
                    } else {
                        list.remove(&key, &guard);
                    }
                }
            });
        }
        for _ in 0..3000 {
            let guard = list.guard();
            let keys: Vec<u32> = list
                .iter(&guard)
                .map(|(k, v)| {
                    assert_eq!(k, &(v % 60));
                    *k
                })
                .collect();
            assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
            let fixed = keys.iter().filter(|k| **k % 3 == 0).count();
            assert_eq!(fixed, 20, "{keys:?}");
        }
        done.store(true, SeqCst);
    });
}

#[test]
fn iteration_goes_on_from_a_removed_element() {
    let list = OrderedList::from_iter((0..6).map(|k| (k, ())));
    let guard = list.guard();
    let mut iter = list.iter(&guard);
    assert_eq!(iter.next(), Some((&0, &())));
    list.remove(&0, &guard);
    list.remove(&1, &guard);
    list.insert(3, (), &guard);
    assert!(iter.map(|(k, ())| *k).eq([2, 3, 4, 5]));
}

#[test]
fn counters_in_an_ordered_list_lose_no_change() {
    let list = OrderedList::new();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for n in 0..3000_u32 {
                    let add = |now: Option<&u32>| Change::Put(now.map_or(1, |now| now + 1));
                    list.compute(n % 4, add, &list.guard());
                }
            });
        }
    });
    assert!(list.into_iter().eq((0..4).map(|k| (k, 2250))));
}

#[test]
fn what_threads_push_is_popped_once_and_queues_keep_order() {
    const EACH: u32 = 4000;
    let (stack, queue) = (Stack::new(), Queue::new());
    let seen = thread::scope(|scope| {
        let threads: Vec<_> = (0..3_u32)
            .map(|id| {
                let (stack, queue) = (&stack, &queue);
                scope.spawn(move || {
                    let (mut stacked, mut queued) = (Vec::new(), Vec::new());
                    for n in 0..EACH {
                        let guard = smr_core::pin();
                        stack.push((id, n), &guard);
                        queue.push((id, n), &guard);
                        stacked.extend(stack.pop(&guard).copied());
                        queued.extend(queue.pop(&guard).copied());
                    }
                    for id in 0..3 {
                        assert!(queued.iter().filter(|x| x.0 == id).is_sorted());
                    }
                    (stacked, queued)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|t| t.join().unwrap())
            .collect::<Vec<_>>()
    });
    let (mut stacked, mut queued): (Vec<_>, Vec<_>) =
        (stack.into_iter().collect(), queue.into_iter().collect());
    for (s, q) in seen {
        stacked.extend(s);
        queued.extend(q);
    }
    let all: Vec<_> = (0..3)
        .flat_map(|id| (0..EACH).map(move |n| (id, n)))
        .collect();
    for mut got in [stacked, queued] {
        got.sort_unstable();
        assert!(got == all);
    }
}

#[test]
fn an_rcu_list_is_read_while_it_is_written() {
    let list = RcuList::from_iter((0..40_u32).map(|n| (n, Box::new(n))));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut round = 0;
            while !done.load(SeqCst) {
                let mut writer = list.write();
                let mut cursor = writer.cursor();
                while let Some((n, _)) = cursor.current() {
                    match n % 4 {
                        // Once there, gone the next time.
                        0 if *n >= 100 => _ = cursor.remove(),
                        0 => {
                            cursor.insert_before((100 + n, Box::new(100 + n)));
                            cursor.move_next();
                        }
                        1 => {
                            cursor.replace((*n, Box::new(*n))).unwrap();
                            cursor.move_next();
                        }
                        _ => _ = cursor.move_next(),
                    }
                }
                round += 1;
                if round % 8 == 0 {
                    writer.retain(|(n, _)| *n < 100);
                }
            }
        });
        for _ in 0..3000 {
            let guard = list.guard();
            let seen: Vec<u32> = list
                .iter(&guard)
                .inspect(|(n, b)| assert_eq!(*n, **b))
                .map(|x| x.0)
                .filter(|n| *n < 40)
                .collect();
            assert!(seen.iter().copied().eq(0..40), "{seen:?}");
        }
        done.store(true, SeqCst);
    });
}

#[test]
fn handles_from_many_threads() {
    let live = Arc::new(AtomicUsize::new(0));
    let list = List::new();
    thread::scope(|scope| {
        for id in 0..3 {
            let (list, live) = (&list, &live);
            scope.spawn(move || {
                let mut handles = Vec::new();
                for n in 0..3000 {
                    let guard = list.guard();
                    handles.push((n, list.push_front(Counted::new(live, n), &guard)));
                    if n % 3 != id {
                        let at = (n as usize * 7) % handles.len();
                        let (was, handle) = handles.swap_remove(at);
                        assert_eq!(list.remove(handle, &guard).unwrap().1, was);
                    }
                }
                for (_, handle) in handles {
                    list.remove(handle, &list.guard()).unwrap();
                }
            });
        }
    });
    assert!(list.is_empty(&list.guard()));
    drop(list);
    assert_eq!(live.load(SeqCst), 0);
}
