//! When values are dropped.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::Duration;

use smr_core::{BarrierKind, Domain, PoolGuard, PoolOwnedGuard};
use smr_list::{List, OrderedList, Queue, RcuList, Stack};

/// Counts drops of its values.
#[derive(Clone, Default)]
struct Drops(Arc<AtomicUsize>);

struct Counted(Drops);

impl Drops {
    fn value(&self) -> Counted {
        Counted(self.clone())
    }

    fn count(&self) -> usize {
        self.0.load(SeqCst)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, SeqCst);
    }
}

/// In a fresh domain with each kind of barrier.
fn every_barrier(test: impl Fn(&Domain)) {
    for kind in [BarrierKind::Auto, BarrierKind::Fence] {
        test(&Domain::builder().barrier(kind).build().unwrap());
    }
}

/// A list with one value is read under a guard of its own; another thread takes the
/// value out and stops; the reader leaves. No writer comes again.
fn the_last_reader_drops<L: Sync>(
    make: impl Fn(&Domain, Counted) -> L,
    guard: for<'l> fn(&'l L) -> PoolGuard<'l>,
    owned: for<'l> fn(&'l L) -> PoolOwnedGuard<'l>,
    take: impl Fn(&L) + Sync,
) {
    every_barrier(|domain| {
        for by_owned in [false, true] {
            let drops = Drops::default();
            let list = make(domain, drops.value());
            let guards = (
                (!by_owned).then(|| guard(&list)),
                by_owned.then(|| owned(&list)),
            );
            thread::scope(|scope| {
                scope.spawn(|| take(&list));
            });
            assert_eq!(drops.count(), 0, "dropped under a reader");
            drop(guards);
            assert_eq!(drops.count(), 1, "left behind");
        }
    });
}

#[test]
fn the_last_reader_of_an_ordered_list_drops_though_writers_have_stopped() {
    the_last_reader_drops(
        |domain, value| {
            let list = OrderedList::new_in(domain);
            list.insert(1, value, &list.guard());
            list
        },
        OrderedList::guard,
        OrderedList::owned_guard,
        |list| assert!(list.remove(&1, &list.guard()).is_some()),
    );
}

#[test]
fn the_last_reader_of_a_stack_drops_though_writers_have_stopped() {
    the_last_reader_drops(
        |domain, value| {
            let stack = Stack::new_in(domain);
            stack.push(value, &stack.guard());
            stack
        },
        Stack::guard,
        Stack::owned_guard,
        |stack| assert!(stack.pop(&stack.guard()).is_some()),
    );
}

#[test]
fn the_last_reader_of_an_rcu_list_drops_though_writers_have_stopped() {
    the_last_reader_drops(
        |domain, value| {
            let list = RcuList::new_in(domain);
            list.write().push_back(value);
            list
        },
        RcuList::guard,
        RcuList::owned_guard,
        |list| assert!(list.write().pop_front().is_some()),
    );
}

#[test]
fn the_last_reader_of_a_queue_drops_though_writers_have_stopped() {
    the_last_reader_drops(
        |domain, value| {
            let queue = Queue::new_in(domain);
            queue.push(value, &queue.guard());
            queue
        },
        Queue::guard,
        Queue::owned_guard,
        |queue| assert!(queue.pop(&queue.guard()).is_some()),
    );
}

#[test]
fn the_last_reader_of_a_list_with_handles_drops_what_was_swept() {
    let lists = |domain: &Domain, value| {
        let list = List::new_in(domain);
        let handle = list.push_front(value, &list.guard());
        (list, Mutex::new(Some(handle)))
    };
    the_last_reader_drops(
        lists,
        |(list, _)| list.guard(),
        |(list, _)| list.owned_guard(),
        |(list, handle)| {
            let handle = handle.lock().unwrap().take().unwrap();
            let guard = list.guard();
            list.remove(handle, &guard).unwrap();
            list.sweep(&guard);
        },
    );
}

#[test]
fn the_end_of_a_writer_drops_what_it_removed_and_has_let_go_of_the_lock() {
    struct Writes(Weak<RcuList<Self>>);
    impl Drop for Writes {
        fn drop(&mut self) {
            if let Some(list) = self.0.upgrade() {
                list.write().push_back(Self(Weak::new()));
            }
        }
    }
    let list = Arc::new(RcuList::new_in(&Domain::new()));
    list.write().push_back(Writes(Arc::downgrade(&list)));
    list.write().pop_front();
    assert_eq!(
        list.iter(&list.guard()).count(),
        1,
        "the destructor has run"
    );
}

#[test]
fn the_end_of_an_owned_guard_drops_on_any_thread() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let list = OrderedList::new_in(domain);
        list.insert(1, drops.value(), &list.guard());
        let guard = list.owned_guard();
        list.remove(&1, &list.guard());
        assert_eq!(drops.count(), 0, "dropped under a reader");
        thread::scope(|scope| {
            scope.spawn(|| drop(guard));
        });
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_burst_is_dropped_by_the_readers_that_follow() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let list = OrderedList::new_in(domain);
        for n in 0..1000 {
            list.insert(n, drops.value(), &list.guard());
        }
        for n in 0..1000 {
            list.remove(&n, &list.guard());
        }
        thread::sleep(Duration::from_millis(2));
        for n in 0..16 {
            list.contains_key(&n, &list.guard());
        }
        assert_eq!(drops.count(), 1000);
    });
}

#[test]
fn flush_sweeps_a_list_with_handles() {
    let drops = Drops::default();
    let list = List::new();
    let handle = list.push_front(drops.value(), &list.guard());
    list.remove(handle, &list.guard()).unwrap();
    list.flush();
    assert_eq!(drops.count(), 1);
}

#[test]
fn barrier_drops_what_was_removed() {
    let drops = Drops::default();
    let list = OrderedList::new_in(&Domain::new());
    for n in 0..100 {
        list.insert(n, drops.value(), &list.guard());
    }
    list.clear(&list.guard());
    list.barrier();
    assert_eq!(drops.count(), 100);
}

#[test]
fn a_popped_value_waits_for_readers_alone() {
    let drops = Drops::default();
    let queue = Queue::new();
    queue.push(drops.value(), &queue.guard());
    queue.push(drops.value(), &queue.guard());
    let reader = queue.guard();
    assert!(queue.peek(&reader).is_some());
    assert!(queue.pop(&queue.guard()).is_some());
    queue.flush();
    assert_eq!(drops.count(), 0, "a reader has it");
    drop(reader);
    queue.flush();
    assert_eq!(drops.count(), 1, "without a further pop");
    drop(queue);
    assert_eq!(drops.count(), 2);
}
