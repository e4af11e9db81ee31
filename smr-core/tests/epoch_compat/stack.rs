//! Treiber's stack.

use super::epoch::{self, Atomic, Owned, unprotected};
use super::support::{Drops, on_threads};
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

struct Stack<T> {
    head: Atomic<Node<T>>,
}

struct Node<T> {
    value: ManuallyDrop<T>,
    next: Atomic<Node<T>>,
}

impl<T> Stack<T> {
    const fn new() -> Self {
        Self {
            head: Atomic::null(),
        }
    }

    fn push(&self, value: T) {
        let guard = &epoch::pin();
        let mut node = Owned::new(Node {
            value: ManuallyDrop::new(value),
            next: Atomic::null(),
        });
        loop {
            let head = self.head.load(Relaxed, guard);
            node.next.store(head, Relaxed);
            match self
                .head
                .compare_exchange_weak(head, node, Release, Relaxed, guard)
            {
                Ok(_) => return,
                Err(e) => node = e.new,
            }
        }
    }

    fn pop(&self) -> Option<T> {
        let guard = &epoch::pin();
        loop {
            let head = self.head.load(Acquire, guard);
            // SAFETY: the guard protects it, and nodes are retired when
            // unlinked.
            let node = unsafe { head.as_ref() }?;
            let next = node.next.load(Relaxed, guard);
            if self
                .head
                .compare_exchange(head, next, Release, Relaxed, guard)
                .is_ok()
            {
                // SAFETY: only the winner of the exchange takes the value.
                let value = unsafe { ptr::read(&*node.value) };
                // SAFETY: unlinked by us alone; the value is not dropped twice
                // for it is in a `ManuallyDrop`.
                unsafe { guard.defer_destroy(head) };
                return Some(value);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.head.load(Acquire, &epoch::pin()).is_null()
    }
}

impl<T> Drop for Stack<T> {
    fn drop(&mut self) {
        // SAFETY: the stack is ours alone.
        let guard = unsafe { unprotected() };
        let mut next = self.head.load(Relaxed, guard);
        // SAFETY: nobody else reaches the nodes any more.
        while let Some(node) = unsafe { next.try_into_owned() } {
            next = node.next.load(Relaxed, guard);
            drop(ManuallyDrop::into_inner(node.into_box().value));
        }
    }
}

#[test]
fn stack_gives_back_last_in_first_out() {
    let stack = Stack::new();
    assert!(stack.is_empty());
    (0..10).for_each(|i| stack.push(i));
    assert!(!stack.is_empty());
    assert!((0..10).rev().all(|i| stack.pop() == Some(i)));
    assert_eq!(stack.pop(), None);
}

#[test]
fn stack_loses_and_duplicates_nothing() {
    const THREADS: u64 = 4;
    const EACH: u64 = 2_000;
    let stack = Stack::new();
    let popped = Mutex::new(Vec::new());
    let drops = Drops::default();
    on_threads(THREADS, |thread| {
        let mut mine = Vec::new();
        for i in 0..EACH {
            stack.push(drops.value(thread * EACH + i));
            if i % 3 != 0 {
                mine.extend(stack.pop());
            }
        }
        popped.lock().unwrap().extend(mine);
    });
    let mut popped = popped.into_inner().unwrap();
    assert_eq!(drops.count(), 0, "a value was dropped that nobody dropped");
    popped.extend(std::iter::from_fn(|| stack.pop()));
    let mut ids: Vec<_> = popped.iter().map(|value| value.id).collect();
    ids.sort_unstable();
    assert!(ids.into_iter().eq(0..THREADS * EACH));
    drop(popped);
    drop(stack);
    drops.settle_at((THREADS * EACH) as usize);
}

#[test]
fn stack_drops_what_is_left_in_it() {
    let drops = Drops::default();
    let stack = Stack::new();
    (0..5).for_each(|i| stack.push(drops.value(i)));
    drop(stack.pop());
    assert_eq!(drops.count(), 1);
    drop(stack);
    assert_eq!(drops.count(), 5);
}

#[test]
fn stack_may_stand_in_a_static() {
    static STACK: Stack<u32> = Stack::new();
    STACK.push(1);
    assert_eq!(STACK.pop(), Some(1));
}
