//! The queue. Its segments have two slots here.

use loom::sync::Arc;
use smr_core::Guard;

use super::support::{Item, Reached, Sections, Shelves, explore, spawn};
use crate::raw::queue::RawQueue;
use crate::raw::segment::{Found, Parcel, Segment};

type Queue = RawQueue<Item, Shelves<Segment<Item>>, Shelves<Parcel<Item>>>;

/// A queue with these numbers, and what says when its memory is overwritten.
fn queue(numbers: &[u32]) -> (Arc<Queue>, Sections) {
    let domain = Sections::default();
    let queue = Queue::new(Shelves::new(&domain), Shelves::new(&domain));
    for number in numbers {
        queue.push(&domain.pin(), Item::new(*number));
    }
    (Arc::new(queue), domain)
}

fn pop(queue: &Queue, guard: &Guard) -> Option<u32> {
    queue.pop(guard).map(Item::read)
}

/// What is left, when nobody else is there.
fn rest(queue: &Queue, guard: &Guard) -> Vec<u32> {
    std::iter::from_fn(|| pop(queue, guard)).collect()
}

fn walk(queue: &Queue, guard: &Guard) -> Vec<u32> {
    let mut place = None;
    std::iter::from_fn(|| queue.step(&mut place, guard).map(Item::read)).collect()
}

#[test]
fn push_against_pop() {
    static NOTHING: Reached = Reached::new("the pop comes first");
    static ONE: Reached = Reached::new("the push comes first");
    explore(2, || {
        let (queue, domain) = queue(&[]);
        let other = Arc::clone(&queue);
        let thread = spawn(&domain, move |pin| {
            other.push(&pin(), Item::new(1));
            other.push(&pin(), Item::new(2));
        });
        let first = pop(&queue, &domain.pin());
        NOTHING.hit_if(first.is_none());
        ONE.hit_if(first.is_some());
        thread.join().unwrap();
        let rest = rest(&queue, &domain.pin());
        match first {
            None => assert_eq!(rest, [1, 2]),
            Some(one) => assert_eq!((one, rest), (1, vec![2])),
        }
    });
    NOTHING.check();
    ONE.check();
}

#[test]
fn two_pushes_begin_a_queue() {
    static OTHER_FIRST: Reached = Reached::new("the other push comes first");
    explore(2, || {
        let (queue, domain) = queue(&[]);
        let other = Arc::clone(&queue);
        let thread = spawn(&domain, move |pin| {
            other.push(&pin(), Item::new(1));
            other.push(&pin(), Item::new(2));
        });
        queue.push(&domain.pin(), Item::new(3));
        thread.join().unwrap();
        let all = rest(&queue, &domain.pin());
        OTHER_FIRST.hit_if(all == [1, 2, 3]);
        assert!(
            all == [1, 2, 3] || all == [1, 3, 2] || all == [3, 1, 2],
            "{all:?}"
        );
    });
    OTHER_FIRST.check();
}

#[test]
fn pops_share_what_is_there() {
    explore(2, || {
        let (queue, domain) = queue(&[1, 2, 3]);
        let other = Arc::clone(&queue);
        let thread = spawn(&domain, move |pin| {
            assert!(pop(&other, &pin()).is_some());
            assert!(pop(&other, &pin()).is_some());
        });
        assert!(pop(&queue, &domain.pin()).is_some());
        thread.join().unwrap();
        assert!(pop(&queue, &domain.pin()).is_none());
    });
}

#[test]
fn who_finds_a_value_through_head_or_tail_sees_it() {
    explore(2, || {
        let (queue, domain) = queue(&[]);
        let (a, b) = (Arc::clone(&queue), Arc::clone(&queue));
        let pusher = spawn(&domain, move |pin| a.push(&pin(), Item::new(1)));
        let popper = spawn(&domain, move |pin| {
            let guard = pin();
            let _ = pop(&b, &guard);
        });
        let guard = domain.pin();
        let _ = queue.peek(&guard).map(Item::read);
        queue.push(&guard, Item::new(2));
        drop(guard);
        pusher.join().unwrap();
        popper.join().unwrap();
    });
}

#[test]
fn who_comes_to_a_segment_through_the_head_sees_what_is_in_it() {
    static SEEN: Reached = Reached::new("the value of the next segment is seen");
    explore(2, || {
        let (queue, domain) = queue(&[]);
        for number in 1..=2 {
            queue.push(&domain.pin(), Item::new(number));
            assert_eq!(pop(&queue, &domain.pin()), Some(number));
        }
        let (a, b) = (Arc::clone(&queue), Arc::clone(&queue));
        let pusher = spawn(&domain, move |pin| a.push(&pin(), Item::new(3)));
        let popper = spawn(&domain, move |pin| {
            let _ = pop(&b, &pin());
        });
        let guard = domain.pin();
        let peeked = queue.peek(&guard).map(Item::read);
        SEEN.hit_if(peeked == Some(3));
        assert!(peeked.is_none_or(|number| number == 3));
        drop(guard);
        pusher.join().unwrap();
        popper.join().unwrap();
    });
    SEEN.check();
}

#[test]
fn a_queue_has_no_aba() {
    explore(2, || {
        let (queue, domain) = queue(&[1, 2]);
        let other = Arc::clone(&queue);
        let thread = spawn(&domain, move |pin| {
            let guard = pin();
            let _ = pop(&other, &guard);
            other.push(&guard, Item::new(3));
            let _ = pop(&other, &guard);
        });
        let _ = pop(&queue, &domain.pin());
        queue.push(&domain.pin(), Item::new(4));
        thread.join().unwrap();
        let mut left = rest(&queue, &domain.pin());
        left.sort_unstable();
        assert!(left == [4] || left == [3], "{left:?}");
    });
}

#[test]
fn the_tail_is_never_left_on_what_was_retired() {
    explore(2, || {
        let (queue, domain) = queue(&[1, 2]);
        let other = Arc::clone(&queue);
        let thread = spawn(&domain, move |pin| other.push(&pin(), Item::new(3)));
        while pop(&queue, &domain.pin()).is_some() {}
        let tail = queue.tail().expect("there was a push");
        assert!(!queue.segments.is_gone(tail));
        thread.join().unwrap();
    });
}

#[test]
fn a_claim_that_nobody_fills_holds_nobody_up() {
    static VOID: Reached = Reached::new("a slot is given up");
    explore(2, || {
        let (queue, domain) = queue(&[1]);
        let segment = queue.tail().expect("there was a push");
        let other = Arc::clone(&queue);
        let thread = spawn(&domain, move |pin| other.push(&pin(), Item::new(2)));
        let guard = domain.pin();
        assert_eq!(pop(&queue, &guard), Some(1));
        let two = pop(&queue, &guard);
        // SAFETY: it stays allocated for the length of the model.
        let slot = unsafe { segment.as_ref() }.slot(1).expect("there are two");
        VOID.hit_if(matches!(slot.look(), Found::Void));
        drop(guard);
        thread.join().unwrap();
        let rest = rest(&queue, &domain.pin());
        assert!(two.map_or(rest == [2], |two| two == 2 && rest.is_empty()));
    });
    VOID.check();
}

#[test]
fn what_is_peeked_at_is_popped_first() {
    static LATER: Reached = Reached::new("the slot that was claimed last is seen");
    explore(3, || {
        let (queue, domain) = queue(&[1]);
        assert_eq!(pop(&queue, &domain.pin()), Some(1));
        let (a, b) = (Arc::clone(&queue), Arc::clone(&queue));
        let one = spawn(&domain, move |pin| a.push(&pin(), Item::new(2)));
        let two = spawn(&domain, move |pin| b.push(&pin(), Item::new(3)));
        let guard = domain.pin();
        let peeked = queue.peek(&guard).map(Item::read);
        let walked = walk(&queue, &guard);
        drop(guard);
        one.join().unwrap();
        two.join().unwrap();
        let all = rest(&queue, &domain.pin());
        LATER.hit_if(peeked == Some(3));
        assert!(all == [2, 3] || all == [3, 2], "{all:?}");
        assert!(peeked.is_none_or(|peeked| all[0] == peeked));
        assert!(walked.len() < 2 || walked == all, "{walked:?}");
    });
    LATER.check();
}

#[test]
fn nothing_is_found_only_where_nothing_is() {
    explore(2, || {
        let (queue, domain) = queue(&[1]);
        let other = Arc::clone(&queue);
        // It pushes before it pops, so one value is there throughout.
        let thread = spawn(&domain, move |pin| {
            let guard = pin();
            other.push(&guard, Item::new(2));
            assert!(pop(&other, &guard).is_some());
        });
        assert!(pop(&queue, &domain.pin()).is_some());
        thread.join().unwrap();
    });
}
