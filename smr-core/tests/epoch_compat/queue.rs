//! Michael and Scott's queue.

use super::epoch::{self, Atomic, Guard, Owned, Shared, unprotected};
use super::support::{Drops, on_threads};
use std::mem::MaybeUninit;
use std::sync::Mutex;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// `head` points to a node whose value is gone, `tail` to the last node or to
/// one before it.
struct Queue<T> {
    head: Atomic<Node<T>>,
    tail: Atomic<Node<T>>,
}

struct Node<T> {
    value: MaybeUninit<T>,
    next: Atomic<Node<T>>,
}

// SAFETY: values move through it from thread to thread; no two threads see one
// at a time.
unsafe impl<T: Send> Send for Queue<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Queue<T> {}

impl<T> Queue<T> {
    fn new() -> Self {
        let queue = Self {
            head: Atomic::new(Node {
                value: MaybeUninit::uninit(),
                next: Atomic::null(),
            }),
            tail: Atomic::null(),
        };
        // SAFETY: the queue is ours alone.
        let guard = unsafe { unprotected() };
        queue.tail.store(queue.head.load(Relaxed, guard), Relaxed);
        queue
    }

    fn push(&self, value: T) {
        let guard = &epoch::pin();
        let node = Owned::new(Node {
            value: MaybeUninit::new(value),
            next: Atomic::null(),
        })
        .into_shared(guard);
        loop {
            let tail = self.tail.load(Acquire, guard);
            // SAFETY: the tail is never null, and the guard protects it.
            let next = &unsafe { tail.deref() }.next;
            if next
                .compare_exchange(Shared::null(), node, Release, Relaxed, guard)
                .is_ok()
            {
                self.move_tail(tail, node, guard);
                return;
            }
            self.move_tail(tail, next.load(Acquire, guard), guard);
        }
    }

    fn move_tail(&self, from: Shared<'_, Node<T>>, to: Shared<'_, Node<T>>, guard: &Guard) {
        let _ = self
            .tail
            .compare_exchange(from, to, Release, Relaxed, guard);
    }

    fn pop(&self) -> Option<T> {
        let guard = &epoch::pin();
        loop {
            let head = self.head.load(Acquire, guard);
            // SAFETY: the head is never null, and the guard protects it.
            let next = unsafe { head.deref() }.next.load(Acquire, guard);
            // SAFETY: the guard protects it.
            let node = unsafe { next.as_ref() }?;
            // The tail must not stay behind on a node that is retired.
            let tail = self.tail.load(Acquire, guard);
            if tail == head {
                self.move_tail(tail, next, guard);
            }
            if self
                .head
                .compare_exchange(head, next, AcqRel, Relaxed, guard)
                .is_ok()
            {
                // SAFETY: unlinked by us alone; its own value went before.
                unsafe { guard.defer_destroy(head) };
                // SAFETY: whoever makes a node the head takes its value.
                return Some(unsafe { node.value.assume_init_read() });
            }
        }
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        while self.pop().is_some() {}
        // SAFETY: the queue is ours alone, and its head is never null.
        drop(unsafe { std::mem::take(&mut self.head).into_owned() });
    }
}

#[test]
fn queue_gives_back_first_in_first_out() {
    let queue = Queue::new();
    assert_eq!(queue.pop(), None);
    (0..10).for_each(|i| queue.push(i));
    assert!((0..10).all(|i| queue.pop() == Some(i)));
    assert_eq!(queue.pop(), None);
}

#[test]
fn queue_keeps_the_order_of_each_producer() {
    const PRODUCERS: u64 = 2;
    const CONSUMERS: u64 = 2;
    const EACH: u64 = 3_000;
    let queue = Queue::new();
    let seen = Mutex::new(Vec::new());
    let drops = Drops::default();
    on_threads(PRODUCERS + CONSUMERS, |thread| {
        if thread < PRODUCERS {
            (0..EACH).for_each(|i| queue.push(drops.value(thread * EACH + i)));
            return;
        }
        let mut mine = Vec::new();
        while (mine.len() as u64) < EACH * PRODUCERS / CONSUMERS {
            match queue.pop() {
                Some(value) => mine.push(value.id),
                None => std::thread::yield_now(),
            }
        }
        for producer in 0..PRODUCERS {
            let of_one = mine.iter().filter(|&&id| id / EACH == producer);
            assert!(
                of_one.is_sorted(),
                "a producer's values overtook each other"
            );
        }
        seen.lock().unwrap().extend(mine);
    });
    let mut seen = seen.into_inner().unwrap();
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..PRODUCERS * EACH));
    drop(queue);
    drops.settle_at((PRODUCERS * EACH) as usize);
}

#[test]
fn queue_drops_what_is_left_in_it() {
    let drops = Drops::default();
    let queue = Queue::new();
    (0..5).for_each(|i| queue.push(drops.value(i)));
    drop(queue);
    assert_eq!(drops.count(), 5);
}
