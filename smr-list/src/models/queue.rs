//! The queue.

use loom::sync::Arc;
use smr_core::Guard;

use super::support::{Domain, Item, Reached, Shelves, explore, spawn};
use crate::raw::queue::RawQueue;

type Queue = RawQueue<Item, Shelves<Option<Item>>>;

fn pop(queue: &Queue, guard: &Guard) -> Option<u32> {
    let node = queue.pop(guard)?;
    node.value.as_ref().map(Item::read)
}

#[test]
fn push_against_pop() {
    static NOTHING: Reached = Reached::new("the pop comes first");
    static ONE: Reached = Reached::new("the push comes first");
    explore(2, || {
        let domain = Domain::new();
        let queue = Arc::new(Queue::new(Shelves::new(&domain)));
        let other = Arc::clone(&queue);
        let thread = spawn(&domain, move |pin| {
            other.push(&pin(), Item::new(1));
            other.push(&pin(), Item::new(2));
        });
        let handle = domain.register();
        let first = pop(&queue, &handle.pin());
        NOTHING.hit_if(first.is_none());
        ONE.hit_if(first.is_some());
        thread.join().unwrap();
        let rest: Vec<u32> = std::iter::from_fn(|| pop(&queue, &handle.pin())).collect();
        match first {
            None => assert_eq!(rest, [1, 2]),
            Some(one) => assert_eq!((one, rest), (1, vec![2])),
        }
    });
    NOTHING.check();
    ONE.check();
}

#[test]
fn pops_share_what_is_there() {
    explore(2, || {
        let domain = Domain::new();
        let queue = Arc::new(Queue::new(Shelves::new(&domain)));
        let handle = domain.register();
        queue.push(&handle.pin(), Item::new(1));
        queue.push(&handle.pin(), Item::new(2));
        let other = Arc::clone(&queue);
        let thread = spawn(&domain, move |pin| {
            assert!(pop(&other, &pin()).is_some());
        });
        assert!(pop(&queue, &handle.pin()).is_some());
        thread.join().unwrap();
        assert!(pop(&queue, &handle.pin()).is_none());
    });
}

#[test]
fn who_finds_a_node_through_head_or_tail_sees_it() {
    explore(2, || {
        let domain = Domain::new();
        let queue = Arc::new(Queue::new(Shelves::new(&domain)));
        let (a, b) = (Arc::clone(&queue), Arc::clone(&queue));
        let pusher = spawn(&domain, move |pin| a.push(&pin(), Item::new(1)));
        let popper = spawn(&domain, move |pin| {
            let guard = pin();
            let _ = pop(&b, &guard);
        });
        let handle = domain.register();
        let guard = handle.pin();
        let _ = queue.peek(&guard).map(Item::read);
        queue.push(&guard, Item::new(2));
        drop(guard);
        pusher.join().unwrap();
        popper.join().unwrap();
    });
}

#[test]
fn a_queue_has_no_aba() {
    explore(2, || {
        let domain = Domain::new();
        let queue = Arc::new(Queue::new(Shelves::new(&domain)));
        let handle = domain.register();
        queue.push(&handle.pin(), Item::new(1));
        let other = Arc::clone(&queue);
        let thread = spawn(&domain, move |pin| {
            let guard = pin();
            let _ = pop(&other, &guard);
            other.push(&guard, Item::new(3));
        });
        let _ = pop(&queue, &handle.pin());
        queue.push(&handle.pin(), Item::new(2));
        let _ = pop(&queue, &handle.pin());
        thread.join().unwrap();
    });
}

#[test]
fn the_tail_is_never_left_on_what_was_retired() {
    explore(2, || {
        let domain = Domain::new();
        let queue = Arc::new(Queue::new(Shelves::new(&domain)));
        let other = Arc::clone(&queue);
        let thread = spawn(&domain, move |pin| other.push(&pin(), Item::new(1)));
        let handle = domain.register();
        let popped = pop(&queue, &handle.pin());
        let tail = queue.tail();
        assert!(popped.is_none() || !queue.memory.is_gone(tail));
        thread.join().unwrap();
    });
}
