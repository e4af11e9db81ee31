//! The lists.

use smr_core::Domain;
use smr_list::ordered_list::Change;
use smr_list::{List, OrderedList, Queue, RcuList, Stack};

use super::{Fused, at_every_call};

/// So many are retired beforehand, under guards of the domain: they wait, and are
/// dropped while others are being retired.
const WAITING: u32 = 600;

#[test]
fn an_ordered_list_survives_a_panic_anywhere() {
    at_every_call(
        |ledger| {
            let list = OrderedList::new_in(&Domain::new());
            for _ in 0..WAITING {
                list.insert(ledger.value(1), ledger.value(1), &list.domain().pin());
                list.pop_first(&list.domain().pin());
            }
            for key in [1, 2, 3, 4, 5, 6] {
                list.insert(ledger.value(key), ledger.value(key), &list.guard());
            }
            list
        },
        |list, ledger| {
            let value = |key| ledger.value(key);
            list.retain(|key, _| key.key % 2 > 0, &list.domain().pin());
            for key in 1..7 {
                list.insert(value(key), value(key), &list.domain().pin());
            }
            list.insert(value(3), value(30), &list.guard());
            list.insert(value(7), value(7), &list.guard());
            _ = list.try_insert(value(3), value(31), &list.guard());
            list.remove(&value(2), &list.guard());
            list.remove_if(&value(4), |_| (ledger.call(), true).1, &list.guard());
            let again = |old: &Fused| (ledger.call(), old.clone()).1;
            list.update(&value(5), again, &list.guard());
            let change = |old: Option<&Fused>| (ledger.call(), Change::Put(old.unwrap().clone())).1;
            list.compute(value(5), change, &list.guard());
            list.compute(value(5), |_| Change::Remove, &list.guard());
            let make = || (ledger.call(), value(8)).1;
            list.get_or_insert_with(value(8), make, &list.guard());
            list.pop_first(&list.guard());
            list.retain(|key, _| (ledger.call(), key.key != 6).1, &list.guard());
            drop(list.clone());
            list.flush();
            list.clear(&list.guard());
            list.flush();
            for key in 0..6 {
                list.insert(value(key), value(key), &list.domain().pin());
            }
            list.clear(&list.domain().pin());
        },
        |list, ledger| {
            let guard = list.guard();
            let keys: Vec<u32> = list.iter(&guard).map(|(key, _)| key.key).collect();
            assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
            for key in keys {
                assert!(list.remove(&ledger.value(key), &guard).is_some());
            }
            assert!(list.is_empty(&guard));
        },
    );
}

#[test]
fn a_stack_survives_a_panic_anywhere() {
    at_every_call(
        |ledger| {
            let stack = Stack::new_in(&Domain::new());
            for key in 0..WAITING {
                stack.push(ledger.value(key), &stack.domain().pin());
                stack.pop(&stack.domain().pin());
            }
            (0..6).for_each(|key| stack.push(ledger.value(key), &stack.domain().pin()));
            stack
        },
        |stack, ledger| {
            drop(stack.drain(&stack.domain().pin()));
            (0..6).for_each(|key| stack.push(ledger.value(key), &stack.domain().pin()));
            stack.pop(&stack.guard());
            drop(stack.pop_cloned());
            stack.push(ledger.value(7), &stack.guard());
            drop(stack.clone());
            stack.flush();
            assert_eq!(stack.drain(&stack.guard()).count(), 5);
            (0..6).for_each(|key| stack.push(ledger.value(key), &stack.domain().pin()));
            drop(stack.drain(&stack.domain().pin()));
        },
        |mut stack, ledger| {
            stack.push(ledger.value(9), &stack.guard());
            assert_eq!(stack.pop_mut().map(|value| value.key), Some(9));
        },
    );
}

#[test]
fn a_queue_survives_a_panic_anywhere() {
    at_every_call(
        |ledger| {
            let queue = Queue::new_in(&Domain::new());
            for key in 0..WAITING {
                queue.push(ledger.value(key), &queue.domain().pin());
                queue.pop(&queue.domain().pin());
            }
            (0..6).for_each(|key| queue.push(ledger.value(key), &queue.domain().pin()));
            queue
        },
        |queue, ledger| {
            queue.pop(&queue.guard());
            drop(queue.pop_cloned());
            queue.push(ledger.value(7), &queue.guard());
            drop(queue.clone());
            queue.flush();
            assert_eq!(queue.drain(&queue.guard()).count(), 5);
            (0..6).for_each(|key| queue.push(ledger.value(key), &queue.guard()));
        },
        |mut queue, ledger| {
            queue.push(ledger.value(9), &queue.guard());
            let last = std::iter::from_fn(|| queue.pop_mut()).last();
            assert_eq!(last.map(|value| value.key), Some(9));
        },
    );
}

#[test]
fn a_list_with_handles_survives_a_panic_anywhere() {
    at_every_call(
        |_| List::new_in(&Domain::new()),
        |list, ledger| {
            let push = |key| list.push_front(ledger.value(key), &list.guard());
            let handles: Vec<_> = (0..80).map(push).collect();
            for (n, handle) in handles.into_iter().enumerate() {
                if n % 3 > 0 {
                    _ = list.remove(handle, &list.guard());
                }
            }
            list.flush();
        },
        |mut list, ledger| {
            let handle = list.push_front(ledger.value(99), &list.guard());
            assert_eq!(list.get(&handle, &list.guard()).map(|v| v.key), Some(99));
            assert!(list.remove(handle, &list.guard()).is_ok());
            assert!(list.drain().all(|value| value.key < 80));
        },
    );
}

#[test]
fn an_rcu_list_survives_a_panic_anywhere() {
    at_every_call(
        |ledger| {
            let list = RcuList::new_in(&Domain::new());
            // A reader, so that what is retired waits.
            let guard = list.domain().pin();
            for key in 0..WAITING {
                list.write().push_back(ledger.value(key));
                list.write().pop_front();
            }
            (0..6).for_each(|key| list.write().push_back(ledger.value(key)));
            drop(guard);
            list
        },
        |list, ledger| {
            list.write().clear();
            (0..6).for_each(|key| list.write().push_back(ledger.value(key)));
            list.write().push_front(ledger.value(10));
            list.write().pop_front();
            {
                let mut writer = list.write();
                let mut cursor = writer.cursor();
                cursor.move_next();
                assert!(cursor.move_to_front());
                cursor.insert_after(ledger.value(11));
                _ = cursor.replace(ledger.value(12));
                cursor.remove();
                let other = RcuList::new_in(list.domain());
                other.write().push_back(ledger.value(13));
                cursor.splice_before(other);
            }
            let keep = |value: &Fused| (ledger.call(), value.key != 2).1;
            list.write().retain(keep);
            drop(list.clone());
            list.flush();
            list.write().clear();
        },
        |mut list, ledger| {
            // Its lock is free, and its end is where it should be.
            list.write().push_back(ledger.value(99));
            let guard = list.guard();
            assert_eq!(list.iter(&guard).last().map(|value| value.key), Some(99));
            drop(guard);
            while list.pop_mut().is_some() {}
        },
    );
}
