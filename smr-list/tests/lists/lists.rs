//! The lists against the collections of `std`, with user code that panics or lies,
//! and with threads.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use proptest::prelude::*;
use smr_core::Domain;
use smr_list::ordered_list::Change;
use smr_list::rcu_list::{WriteToken, WrongToken};
use smr_list::{List, OrderedList, OrderedSet, Queue, RcuList, Stack};

use crate::counted::Counted;

#[derive(Debug, Clone)]
enum Step {
    Insert(u8, u32),
    TryInsert(u8, u32),
    Remove(u8),
    RemoveIf(u8, u32),
    Update(u8, u32),
    Compute(u8, u32),
    Get(u8),
    PopFirst,
    Range(u8, u8),
    Retain(u32),
    Clear,
    Clone,
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0..24_u8;
    prop_oneof![
        4 => (key.clone(), any::<u32>()).prop_map(|(k, v)| Step::Insert(k, v)),
        4 => (key.clone(), any::<u32>()).prop_map(|(k, v)| Step::TryInsert(k, v)),
        4 => key.clone().prop_map(Step::Remove),
        2 => (key.clone(), 0..3_u32).prop_map(|(k, v)| Step::RemoveIf(k, v)),
        2 => (key.clone(), any::<u32>()).prop_map(|(k, v)| Step::Update(k, v)),
        3 => (key.clone(), any::<u32>()).prop_map(|(k, v)| Step::Compute(k, v)),
        2 => key.clone().prop_map(Step::Get),
        1 => Just(Step::PopFirst),
        1 => (key.clone(), key).prop_map(|(a, b)| Step::Range(a.min(b), a.max(b))),
        1 => (2..5_u32).prop_map(Step::Retain),
        1 => Just(Step::Clear),
        1 => Just(Step::Clone),
    ]
}

fn change(now: Option<&u32>, by: u32) -> Change<u32> {
    match (now, by % 3) {
        (_, 0) => Change::Leave,
        (Some(_), 1) => Change::Remove,
        (now, _) => Change::Put(now.map_or(by, |n| n ^ by)),
    }
}

proptest! {
    #[test]
    fn an_ordered_list_is_a_btree_map(steps in proptest::collection::vec(step(), 0..200)) {
        let mut list = OrderedList::new();
        let mut map = BTreeMap::new();
        for step in steps {
            let copy = list.clone();
            let guard = copy.guard();
            let l = &list;
            match step {
                Step::Insert(k, v) => prop_assert_eq!(l.insert(k, v, &guard).copied(), map.insert(k, v)),
                Step::TryInsert(k, v) => {
                    let was = map.get(&k).copied();
                    map.entry(k).or_insert(v);
                    let said = l.try_insert(k, v, &guard).map_err(|e| *e.current);
                    prop_assert_eq!(said.err(), was);
                }
                Step::Remove(k) => prop_assert_eq!(l.remove(&k, &guard).copied(), map.remove(&k)),
                Step::RemoveIf(k, r) => {
                    let goes = map.get(&k).is_some_and(|v| v % 3 == r);
                    let expected = goes.then(|| map.remove(&k)).flatten();
                    prop_assert_eq!(l.remove_if(&k, |v| v % 3 == r, &guard).copied(), expected);
                }
                Step::Update(k, v) => {
                    let expected = map.get_mut(&k).map(|now| { *now ^= v; *now });
                    prop_assert_eq!(l.update(&k, |now| now ^ v, &guard).copied(), expected);
                }
                Step::Compute(k, v) => {
                    match change(map.get(&k), v) {
                        Change::Put(new) => { map.insert(k, new); }
                        Change::Remove => { map.remove(&k); }
                        Change::Leave => {}
                    }
                    let said = l.compute(k, |now| change(now, v), &guard);
                    prop_assert_eq!(said, map.get(&k));
                }
                Step::Get(k) => prop_assert_eq!(l.get(&k, &guard), map.get(&k)),
                Step::PopFirst => prop_assert_eq!(l.pop_first(&guard).map(|(k, v)| (*k, *v)), map.pop_first()),
                Step::Range(a, b) => {
                    prop_assert!(l.range(a..b, &guard).eq(map.range(a..b)));
                    prop_assert!(l.range(a..=b, &guard).eq(map.range(a..=b)));
                }
                Step::Retain(by) => {
                    l.retain(|_, v| v % by == 0, &guard);
                    map.retain(|_, v| *v % by == 0);
                }
                Step::Clear => { l.clear(&guard); map.clear(); }
                Step::Clone => { drop(guard); list = copy; continue; }
            }
            prop_assert!(l.iter(&guard).eq(&map));
            prop_assert_eq!(l.first(&guard), map.first_key_value());
            prop_assert_eq!(l.last(&guard), map.last_key_value());
        }
        prop_assert!(list.into_iter().eq(map));
    }

    #[test]
    fn stack_and_queue_are_vec_and_vec_deque(steps in proptest::collection::vec(any::<Option<u8>>(), 0..100)) {
        let (stack, queue) = (Stack::new(), Queue::new());
        let (mut vec, mut deque) = (Vec::new(), VecDeque::new());
        let guard = smr_core::pin();
        for step in steps {
            match step {
                Some(n) => {
                    stack.push(n, &guard);
                    queue.push(n, &guard);
                    vec.push(n);
                    deque.push_back(n);
                }
                None => {
                    prop_assert_eq!(stack.pop(&guard).copied(), vec.pop());
                    prop_assert_eq!(queue.pop(&guard).copied(), deque.pop_front());
                }
            }
            prop_assert!(stack.iter(&guard).eq(vec.iter().rev()));
            prop_assert!(queue.iter(&guard).eq(&deque));
            prop_assert_eq!(stack.is_empty(), vec.is_empty());
            prop_assert_eq!(queue.peek(&guard), deque.front());
        }
        drop(guard);
        prop_assert!(stack.clone().into_iter().eq(vec.into_iter().rev()));
        prop_assert!(queue.clone().into_iter().eq(deque));
    }

    #[test]
    fn a_list_is_a_vec_with_handles(steps in proptest::collection::vec(any::<(bool, u8)>(), 0..300)) {
        let list = List::new();
        let guard = list.guard();
        let (mut handles, mut vec) = (Vec::new(), Vec::new());
        for (push, n) in steps {
            if push || vec.is_empty() {
                handles.push(list.push_front(n, &guard));
                vec.push(n);
            } else {
                let at = usize::from(n) % vec.len();
                prop_assert_eq!(list.get(&handles[at], &guard), Some(&vec[at]));
                prop_assert_eq!(list.remove(handles.remove(at), &guard).unwrap(), &vec.remove(at));
            }
            prop_assert!(list.iter(&guard).eq(vec.iter().rev()));
        }
        list.sweep(&guard);
        prop_assert!(list.iter(&guard).eq(vec.iter().rev()));
        prop_assert_eq!(list.is_empty(&guard), vec.is_empty());
    }

    #[test]
    fn an_rcu_list_is_a_vec(steps in proptest::collection::vec(any::<(u8, u8, u8)>(), 0..60)) {
        let list = RcuList::new();
        let mut vec: Vec<u8> = Vec::new();
        for (what, place, n) in steps {
            let mut writer = list.write();
            let mut cursor = writer.cursor();
            let at = usize::from(place) % (vec.len() + 1);
            for _ in 0..at {
                prop_assert!(cursor.move_next());
            }
            prop_assert_eq!(cursor.current(), vec.get(at));
            match what % 12 {
                0 => { cursor.insert_before(n); vec.insert(at, n);
                       prop_assert_eq!(cursor.current(), vec.get(at + 1)); }
                1 => { cursor.insert_after(n); vec.insert((at + 1).min(vec.len()), n); }
                2 => prop_assert_eq!(cursor.remove().copied(), (at < vec.len()).then(|| vec.remove(at))),
                3 => match cursor.replace(n) {
                    Ok(old) => { prop_assert_eq!(*old, vec[at]); vec[at] = n; }
                    Err(back) => { prop_assert_eq!(back, n); prop_assert_eq!(at, vec.len()); }
                },
                4 => {
                    prop_assert_eq!(cursor.move_to_front(), at < vec.len());
                    if at < vec.len() { let v = vec.remove(at); vec.insert(0, v);
                        prop_assert_eq!(cursor.current(), vec.get(at + 1)); }
                }
                5 => { writer.push_front(n); vec.insert(0, n); }
                6 => { writer.push_back(n); vec.push(n); }
                7 => {
                    let mut other = if n % 2 == 0 { list.sibling() } else { RcuList::new() };
                    other.extend([n, n ^ 1]);
                    cursor.splice_before(other);
                    vec.splice(at..at, [n, n ^ 1]);
                    prop_assert_eq!(cursor.current(), vec.get(at + 2));
                }
                8 => {
                    let mut other = if n % 2 == 0 { list.sibling() } else { RcuList::new() };
                    other.extend((0..n % 4).map(|more| n ^ more));
                    writer.append(other);
                    vec.extend((0..n % 4).map(|more| n ^ more));
                }
                9 => { writer.retain(|v| v % 3 != n % 3); vec.retain(|v| v % 3 != n % 3); }
                10 if n < 64 => { writer.clear(); vec.clear(); }
                _ => prop_assert_eq!(writer.pop_front().copied(), (!vec.is_empty()).then(|| vec.remove(0))),
            }
            prop_assert_eq!((writer.first(), writer.last()), (vec.first(), vec.last()));
            drop(writer);
            let guard = list.guard();
            prop_assert!(list.iter(&guard).eq(&vec), "{what} at {at}: {list:?} {vec:?}");
        }
        prop_assert!(list.clone().into_iter().eq(vec));
    }
}

#[test]
fn every_value_is_dropped_once() {
    let live = Arc::new(AtomicUsize::new(0));
    let make = |n| Counted::new(&live, n);
    {
        let ordered = OrderedList::new();
        let (stack, queue, list) = (Stack::new(), Queue::new(), List::new());
        let rcu = RcuList::new();
        for n in 0..200 {
            let guard = smr_core::pin();
            ordered.insert(n % 50, make(n), &guard);
            stack.push(make(n), &guard);
            queue.push(make(n), &guard);
            let handle = list.push_front(make(n), &guard);
            rcu.write().push_back(make(n));
            if n % 3 == 0 {
                ordered.remove(&(n % 7), &guard);
                ordered.update(&(n % 11), Counted::clone, &guard);
                stack.pop(&guard);
                queue.pop(&guard);
                list.remove(handle, &guard).unwrap();
                rcu.write().pop_front();
            }
        }
        assert_ne!(live.load(SeqCst), 0);
        let copies = (ordered.clone(), stack.clone(), queue.clone(), rcu.clone());
        assert_eq!(copies.1.into_iter().take(3).count(), 3);
    }
    assert_eq!(live.load(SeqCst), 0);
}

#[test]
fn flush_drops_what_was_removed() {
    let live = Arc::new(AtomicUsize::new(0));
    let list = OrderedList::new_in(&Domain::new());
    for n in 0..10 {
        list.insert(n, Counted::new(&live, n), &list.guard());
    }
    list.clear(&list.guard());
    list.flush();
    assert_eq!(live.load(SeqCst), 0);
    assert!(list.is_empty(&list.guard()));
    assert!(list.trim() > 0);
}

#[test]
fn values_may_borrow() {
    let text = String::from("borrowed");
    let set = OrderedSet::from_iter([text.as_str()]);
    assert!(set.contains("borrowed", &set.guard()));
    let rcu = RcuList::from_iter([text.as_str()]);
    assert_eq!(rcu.into_iter().next(), Some("borrowed"));
}

#[test]
fn an_empty_list_owns_no_heap() {
    let list = OrderedList::<u64, u64>::new();
    assert!(list.get(&1, &list.guard()).is_none());
    assert_eq!(list.stats().slab_bytes, 0);
}

#[test]
fn a_handle_is_good_for_its_list_alone() {
    let (mut list, other) = (List::new(), List::new());
    let guard = smr_core::pin();
    let handle = list.push_front(1, &guard);
    assert!(other.get(&handle, &guard).is_none());
    let wrong = other.remove(handle, &guard).unwrap_err();
    assert!(list.get(&wrong.0, &guard).is_some());
    assert!(list.drain().eq([1]));
    assert!(list.remove(wrong.0, &guard).is_err(), "it was drained");
    let again = list.push_front(2, &guard);
    list.clear();
    assert!(list.get(&again, &guard).is_none());
}

#[test]
fn removed_elements_of_a_list_do_not_pile_up() {
    let list = List::new();
    for n in 0..10_000_u32 {
        let guard = list.guard();
        let handle = list.push_front(n, &guard);
        // A live one in front of it.
        let _front = (n < 100).then(|| list.push_front(n, &guard));
        list.remove(handle, &guard).unwrap();
    }
    let guard = list.guard();
    assert_eq!(list.iter(&guard).count(), 100);
    drop(guard);
    list.flush();
    let live = list.stats().live_items;
    assert!(live <= 100 + 101 + 32, "{live} nodes for 100 elements");
}

#[test]
fn a_token_writes_to_its_own_lists() {
    let mut token = WriteToken::new();
    let (a, b) = (RcuList::with_token(&token), RcuList::with_token(&token));
    a.write_with(&mut token).unwrap().push_back(1);
    b.write_with(&mut token).unwrap().push_back(2);
    let mut other = WriteToken::new();
    assert_eq!(a.write_with(&mut other).unwrap_err(), WrongToken);
    let own = RcuList::<u32>::new();
    assert_eq!(own.write_with(&mut token).unwrap_err(), WrongToken);
    a.write_with(&mut token).unwrap().append(b);
    assert!(a.iter(&a.guard()).eq(&[1, 2]));
}

#[test]
fn a_panic_of_a_writer_leaves_the_list_to_others() {
    let list = RcuList::from_iter([1, 2, 3]);
    let caught = catch_unwind(AssertUnwindSafe(|| {
        list.write()
            .retain(|n| if *n == 2 { panic!("two") } else { false });
    }));
    assert!(caught.is_err());
    list.write().push_back(4);
    assert!(list.iter(&list.guard()).eq(&[2, 3, 4]));
}

thread_local! {
    static FUSE: Cell<u32> = const { Cell::new(u32::MAX) };
}

/// Counts down to a panic.
fn burn() {
    FUSE.with(|fuse| {
        let left = fuse.get();
        if left == 0 {
            fuse.set(u32::MAX);
            panic!("as the test wants it");
        }
        fuse.set(if left == u32::MAX { left } else { left - 1 });
    });
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Touchy(u32);

impl PartialOrd for Touchy {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Touchy {
    fn cmp(&self, other: &Self) -> Ordering {
        burn();
        self.0.cmp(&other.0)
    }
}

#[test]
fn a_panic_of_ord_loses_that_operation_alone() {
    let live = Arc::new(AtomicUsize::new(0));
    for fuse in 0..40 {
        let list = OrderedList::new();
        for n in 0..8 {
            list.insert(Touchy(n), Counted::new(&live, n), &list.guard());
        }
        FUSE.set(fuse);
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let guard = list.guard();
            list.insert(Touchy(9), Counted::new(&live, 9), &guard);
            list.remove(&Touchy(3), &guard);
            list.insert(Touchy(5), Counted::new(&live, 5), &guard);
            list.update(&Touchy(6), Counted::clone, &guard);
        }));
        assert_eq!(caught.is_err(), FUSE.get() == u32::MAX);
        FUSE.set(u32::MAX);
        let guard = list.guard();
        let keys: Vec<u32> = list.iter(&guard).map(|(k, _)| k.0).collect();
        assert!(keys.is_sorted() && keys.len() >= 7, "{keys:?}");
        drop(guard);
        drop(list);
        assert_eq!(live.load(SeqCst), 0, "after {fuse} comparisons");
    }
}

#[test]
fn a_panic_of_a_closure_changes_nothing() {
    let list = OrderedList::from_iter([(1, 1)]);
    let guard = list.guard();
    let calls: [&dyn Fn(); 4] = [
        &|| _ = list.update(&1, |_| panic!("update"), &guard),
        &|| _ = list.compute(1, |_| panic!("compute"), &guard),
        &|| _ = list.remove_if(&1, |_| panic!("remove_if"), &guard),
        &|| _ = list.get_or_insert_with(2, || panic!("make"), &guard),
    ];
    for call in calls {
        assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
        assert!(list.iter(&guard).eq([(&1, &1)]));
    }
}

#[test]
fn a_panic_of_a_destructor_loses_no_other_value() {
    struct Bomb(Arc<AtomicUsize>, bool);
    impl Drop for Bomb {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
            if self.1 && !thread::panicking() {
                panic!("as the test wants it");
            }
        }
    }
    let live = Arc::new(AtomicUsize::new(0));
    for bad in 0..20 {
        let list = OrderedList::new_in(&Domain::new());
        for n in 0..20 {
            live.fetch_add(1, SeqCst);
            let bomb = Bomb(Arc::clone(&live), n == bad);
            let _ = catch_unwind(AssertUnwindSafe(|| {
                list.insert(n % 10, bomb, &list.guard());
            }));
        }
        let _ = catch_unwind(AssertUnwindSafe(|| list.clear(&list.guard())));
        let _ = catch_unwind(AssertUnwindSafe(|| list.flush()));
        let _ = catch_unwind(AssertUnwindSafe(|| drop(list)));
        assert_eq!(live.load(SeqCst), 0, "bomb {bad}");
    }
}

#[test]
fn an_order_that_lies_does_no_harm_to_memory() {
    thread_local! {
        static DICE: Cell<u32> = const { Cell::new(1) };
    }
    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Liar(u32);
    impl PartialOrd for Liar {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }
    impl Ord for Liar {
        fn cmp(&self, _: &Self) -> Ordering {
            DICE.with(|dice| {
                let mut n = dice.get();
                n ^= n << 13;
                n ^= n >> 17;
                n ^= n << 5;
                dice.set(n);
                [
                    Ordering::Less,
                    Ordering::Equal,
                    Ordering::Greater,
                    Ordering::Less,
                ][(n % 4) as usize]
            })
        }
    }
    let live = Arc::new(AtomicUsize::new(0));
    let list = OrderedList::new();
    thread::scope(|scope| {
        for seed in 1..4 {
            let (list, live) = (&list, &live);
            scope.spawn(move || {
                DICE.set(seed * 7919);
                for n in 0..3000 {
                    let guard = list.guard();
                    match n % 5 {
                        0 | 1 => _ = list.insert(Liar(n), Counted::new(live, n), &guard),
                        2 => _ = list.remove(&Liar(n), &guard),
                        3 => _ = list.update(&Liar(n), Counted::clone, &guard),
                        _ => _ = list.iter(&guard).take(50).count(),
                    }
                    if n % 64 == 0 {
                        list.clear(&guard);
                    }
                }
            });
        }
    });
    drop(list);
    assert_eq!(live.load(SeqCst), 0);
}

#[cfg(feature = "serde")]
#[test]
fn lists_are_written_and_read() {
    let list = OrderedList::from_iter([(1, 2), (3, 4)]);
    let text = serde_json::to_string(&list).unwrap();
    assert_eq!(text, r#"{"1":2,"3":4}"#);
    let back: OrderedList<i32, i32> = serde_json::from_str(&text).unwrap();
    assert!(back.into_iter().eq([(1, 2), (3, 4)]));
    let stack: Stack<i32> = serde_json::from_str("[2,1]").unwrap();
    assert_eq!(serde_json::to_string(&stack).unwrap(), "[2,1]");
    let queue: Queue<i32> = serde_json::from_str("[2,1]").unwrap();
    assert_eq!(serde_json::to_string(&queue).unwrap(), "[2,1]");
    let rcu: RcuList<i32> = serde_json::from_str("[2,1]").unwrap();
    assert_eq!(serde_json::to_string(&rcu).unwrap(), "[2,1]");
    let list: List<i32> = serde_json::from_str("[2,1]").unwrap();
    assert!(
        list.iter(&list.guard()).eq(&[2, 1]),
        "the first is in front"
    );
    assert_eq!(serde_json::to_string(&list).unwrap(), "[2,1]");
    let set: OrderedSet<i32> = serde_json::from_str("[2,1,2]").unwrap();
    assert_eq!(serde_json::to_string(&set).unwrap(), "[1,2]");
    let wrong = serde_json::from_str::<OrderedSet<i32>>(r#"{"1":2}"#).unwrap_err();
    assert!(wrong.to_string().contains("a sequence"), "{wrong}");
    let wrong = serde_json::from_str::<List<i32>>(r#"["one"]"#).unwrap_err();
    assert!(wrong.to_string().contains("invalid type"), "{wrong}");
}
