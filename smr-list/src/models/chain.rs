//! The ordered list, the list with handles, and the stack.

use std::cmp::Ordering;

use loom::sync::Arc;
use smr_core::Guard;
use smr_core::sync::{AtomicU32, Ordering as Order};

use super::support::{Item, Reached, Sections, Shelves, explore, spawn};
use crate::raw::chain::Chain;
use crate::raw::list::RawList;
use crate::raw::node::{Edge, Node};

type List = Chain<Item, Shelves<Node<Item>>>;

/// Keys are the tens, so that an update can be told from what it replaced.
fn order(a: &Item, key: u32) -> Ordering {
    (a.read() / 10).cmp(&key)
}

fn insert(list: &List, guard: &Guard, number: u32) -> bool {
    let by_key = |a: &Item, b: &Item| order(a, b.read() / 10);
    list.insert(guard, Item::new(number), by_key).is_ok()
}

fn put(list: &List, guard: &Guard, number: u32) -> Option<u32> {
    let by_key = |a: &Item, b: &Item| order(a, b.read() / 10);
    let old = list.put(guard, Item::new(number), by_key);
    old.map(|node| node.value.read())
}

fn remove(list: &List, guard: &Guard, key: u32) -> bool {
    let place = list.find(guard, |item| order(item, key));
    list.remove(guard, &place)
}

fn get(list: &List, guard: &Guard, key: u32) -> Option<u32> {
    let node = list.look(guard, |item| order(item, key));
    node.map(|node| node.value.read())
}

fn all(list: &List, guard: &Guard) -> Vec<u32> {
    let mut seen = Vec::new();
    let mut at = list.first(guard);
    while let Some(node) = at {
        seen.push(node.value.read());
        at = list.after(node, guard);
    }
    seen
}

fn of(domain: &Sections, numbers: &[u32]) -> Arc<List> {
    let list = Arc::new(Chain::new(Shelves::new(domain)));
    for number in numbers {
        assert!(insert(&list, &domain.pin(), *number));
    }
    list
}

fn look(list: &Arc<List>, domain: &Sections) -> Vec<u32> {
    let guard = domain.pin();
    all(list, &guard)
}

/// Two threads at a list; returns what each says and what is left.
fn two(
    numbers: &[u32],
    a: impl FnOnce(&List, &Guard) -> bool + Send + 'static,
    b: impl FnOnce(&List, &Guard) -> bool + Send + 'static,
) -> (bool, bool, Vec<u32>) {
    let domain = Sections::default();
    let list = of(&domain, numbers);
    let said = Arc::new(AtomicU32::new(0));
    let (other, theirs) = (Arc::clone(&list), Arc::clone(&said));
    let thread = spawn(&domain, move |pin| {
        let yes = a(&other, &pin());
        theirs.store(yes.into(), Order::Release);
    });
    let second = b(&list, &domain.pin());
    thread.join().unwrap();
    let first = said.load(Order::Acquire) == 1;
    let left = look(&list, &domain);
    (first, second, left)
}

#[test]
fn insert_against_insert_of_one_key() {
    static FIRST: Reached = Reached::new("the first insertion wins");
    static SECOND: Reached = Reached::new("the second insertion wins");
    explore(2, || {
        let (a, b, left) = two(&[10], |l, g| insert(l, g, 21), |l, g| insert(l, g, 22));
        assert!(a != b, "one of the two inserts the key");
        assert_eq!(left, [10, if a { 21 } else { 22 }]);
        FIRST.hit_if(a);
        SECOND.hit_if(b);
    });
    FIRST.check();
    SECOND.check();
}

/// The head is the same again, and what was found behind it was never the first.
#[test]
fn the_first_was_the_first_at_an_instant() {
    static NONE: Reached = Reached::new("all had gone");
    static SECOND: Reached = Reached::new("what came before was seen");
    explore(3, || {
        let domain = Sections::default();
        let list = of(&domain, &[20]);
        let other = Arc::clone(&list);
        let thread = spawn(&domain, move |pin| {
            let guard = pin();
            let node = |key| other.look(&guard, |item| order(item, key)).unwrap();
            assert!(insert(&other, &guard, 10) && insert(&other, &guard, 30));
            let (before, at, behind) = (node(1), node(2), node(3));
            assert!(
                [at, behind, before]
                    .iter()
                    .all(|node| other.mark(node).is_some())
            );
            let (before, at) = (Edge::to(before.into()), Edge::to(at.into()));
            assert!(other.snip(&other.head, before, at, &guard));
        });
        let guard = domain.pin();
        let first = list.first(&guard).map(|node| node.value.read());
        assert_ne!(first, Some(30), "it always had one before it");
        NONE.hit_if(first.is_none());
        SECOND.hit_if(first == Some(10));
        drop(guard);
        thread.join().unwrap();
    });
    NONE.check();
    SECOND.check();
}

#[test]
fn insert_against_removal_of_the_node_before() {
    explore(2, || {
        let (a, b, left) = two(&[10], |l, g| remove(l, g, 1), |l, g| insert(l, g, 20));
        assert!(a && b);
        assert_eq!(left, [20], "what is inserted behind a removed node stays");
    });
}

#[test]
fn removal_against_removal_of_the_same() {
    static FIRST: Reached = Reached::new("the first removal wins");
    static SECOND: Reached = Reached::new("the second removal wins");
    explore(2, || {
        let (a, b, left) = two(&[10], |l, g| remove(l, g, 1), |l, g| remove(l, g, 1));
        assert!(a != b, "one of the two removes it");
        assert!(left.is_empty());
        FIRST.hit_if(a);
        SECOND.hit_if(b);
    });
    FIRST.check();
    SECOND.check();
}

#[test]
fn removal_against_removal_of_the_neighbour() {
    explore(2, || {
        let (a, b, left) = two(&[10, 20], |l, g| remove(l, g, 1), |l, g| remove(l, g, 2));
        assert!(a && b);
        assert!(left.is_empty(), "a removed neighbour does not come back");
    });
}

#[test]
fn a_get_walks_through_a_chain_that_is_snipped() {
    static HIT: Reached = Reached::new("the reader stands in the chain");
    explore(2, || {
        let domain = Sections::default();
        let list = of(&domain, &[10, 20, 30]);
        let other = Arc::clone(&list);
        let reader = spawn(&domain, move |pin| {
            let guard = pin();
            assert_eq!(get(&other, &guard, 3), Some(30), "it is there throughout");
        });
        let guard = domain.pin();
        for key in [1, 2] {
            let place = list.find(&guard, |item| order(item, key));
            assert!(place.node.and_then(|node| list.mark(node)).is_some());
        }
        drop(guard);
        list.sweep(&domain.pin());
        list.memory.collect();
        HIT.hit_if(list.memory.reused());
        reader.join().unwrap();
    });
    HIT.check();
}

#[test]
fn a_key_that_is_replaced_is_never_absent() {
    static OLD: Reached = Reached::new("the old value is seen");
    static NEW: Reached = Reached::new("the new value is seen");
    explore(2, || {
        let domain = Sections::default();
        let list = of(&domain, &[10]);
        let other = Arc::clone(&list);
        let reader = spawn(&domain, move |pin| {
            let seen = get(&other, &pin(), 1).expect("it is never absent");
            OLD.hit_if(seen == 10);
            NEW.hit_if(seen == 11);
        });
        assert_eq!(put(&list, &domain.pin(), 11), Some(10));
        reader.join().unwrap();
    });
    OLD.check();
    NEW.check();
}

#[test]
fn who_misses_a_key_sees_what_came_before_its_removal() {
    explore(2, || {
        let domain = Sections::default();
        let list = of(&domain, &[10]);
        let note = Arc::new(AtomicU32::new(0));
        let (other, theirs) = (Arc::clone(&list), Arc::clone(&note));
        let reader = spawn(&domain, move |pin| {
            if get(&other, &pin(), 1).is_none() {
                // Relaxed: the list orders it.
                assert_eq!(theirs.load(Order::Relaxed), 1);
            }
        });
        let guard = domain.pin();
        // Relaxed: the list orders it. Within the section, for entering orders too.
        note.store(1, Order::Relaxed);
        let place = list.find(&guard, |item| order(item, 1));
        assert!(place.node.and_then(|node| list.mark(node)).is_some());
        drop(guard);
        reader.join().unwrap();
    });
}

#[test]
fn who_snips_hands_on_what_is_behind() {
    explore(2, || {
        let domain = Sections::default();
        let list = of(&domain, &[10]);
        let (a, b) = (Arc::clone(&list), Arc::clone(&list));
        let writer = spawn(&domain, move |pin| {
            assert!(insert(&a, &pin(), 20));
        });
        let reader = spawn(&domain, move |pin| {
            let seen = get(&b, &pin(), 2);
            assert!(seen.is_none_or(|seen| seen == 20));
        });
        assert!(remove(&list, &domain.pin(), 1));
        writer.join().unwrap();
        reader.join().unwrap();
    });
}

#[test]
fn removal_by_handle_against_iteration() {
    static REUSED: Reached = Reached::new("the memory comes back while a reader iterates");
    explore(2, || {
        let domain = Sections::default();
        let list = Arc::new(RawList::new(Shelves::<Node<Item>>::new(&domain)));
        let guard = domain.pin();
        let last = list.push(Item::new(1), &guard);
        let first = list.push(Item::new(2), &guard);
        drop(guard);
        let other = Arc::clone(&list);
        let reader = spawn(&domain, move |pin| {
            let guard = pin();
            let seen = all(&other.chain, &guard);
            assert!(seen.contains(&1), "it is there throughout");
        });
        assert!(list.remove(first, &domain.pin()).is_ok());
        list.sweep(&domain.pin());
        list.chain.memory.collect();
        REUSED.hit_if(list.chain.memory.reused());
        reader.join().unwrap();
        assert!(list.get(&last, &domain.pin()).is_some());
    });
    REUSED.check();
}

#[test]
fn a_stack_has_no_aba() {
    explore(2, || {
        let domain = Sections::default();
        let stack = Arc::new(List::new(Shelves::new(&domain)));
        stack.push(Item::new(1), &domain.pin());
        stack.push(Item::new(2), &domain.pin());
        let other = Arc::clone(&stack);
        let thread = spawn(&domain, move |pin| {
            let guard = pin();
            let popped = other.pop(&guard).expect("there are two");
            assert!(popped.value.read() <= 3);
        });
        let guard = domain.pin();
        let popped = stack.pop(&guard).expect("there are two").value.read();
        assert!((1..=2).contains(&popped));
        drop(guard);
        stack.push(Item::new(3), &domain.pin());
        thread.join().unwrap();
        assert_eq!(look(&stack, &domain).len(), 1);
    });
}

#[test]
fn a_pop_hands_on_what_came_before_it() {
    explore(2, || {
        let domain = Sections::default();
        let stack = Arc::new(List::new(Shelves::new(&domain)));
        stack.push(Item::new(1), &domain.pin());
        let note = Arc::new(AtomicU32::new(0));
        let (other, theirs) = (Arc::clone(&stack), Arc::clone(&note));
        let thread = spawn(&domain, move |pin| {
            if other.pop(&pin()).is_none() {
                // Relaxed: the stack orders it.
                assert_eq!(theirs.load(Order::Relaxed), 1);
            }
        });
        let guard = domain.pin();
        // Relaxed: the stack orders it. Within the section, for entering orders too.
        note.store(1, Order::Relaxed);
        let _ = stack.pop(&guard);
        drop(guard);
        thread.join().unwrap();
    });
}
