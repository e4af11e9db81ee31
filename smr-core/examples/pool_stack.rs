//! A lock-free stack on a pool: its nodes come back without a trip through the
//! system's allocator.
//!
//! It is Treiber's stack ("Systems Programming: Coping with Parallelism", 1986).
//! His version has an ABA problem when memory is reused. Here a node that a
//! section can still reach does not come back, so comparing pointers is enough.
//! The values may borrow: the pool is a scoped one.

use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::sync::atomic::{
    AtomicPtr,
    Ordering::{Acquire, Relaxed, Release},
};
use std::thread;

use smr_core::{Pool, pin};

struct Node<T> {
    value: ManuallyDrop<T>,
    next: *mut Node<T>,
}

// SAFETY: a node owns its value; `next` is only followed inside of sections.
unsafe impl<T: Send> Send for Node<T> {}

struct Stack<T: Send> {
    head: AtomicPtr<Node<T>>,
    nodes: Pool<Node<T>>,
}

impl<T: Send> Stack<T> {
    const fn new() -> Self {
        Self {
            head: AtomicPtr::new(ptr::null_mut()),
            nodes: Pool::scoped(),
        }
    }

    fn push(&self, value: T) {
        let mut node = self.nodes.alloc(Node {
            value: ManuallyDrop::new(value),
            next: self.head.load(Relaxed),
        });
        loop {
            // Release: pairs with the Acquire in `pop`.
            match self
                .head
                .compare_exchange_weak(node.next, &raw mut *node, Release, Relaxed)
            {
                Ok(_) => {
                    // It is the stack's now.
                    let _ = node.into_raw();
                    return;
                }
                Err(now) => node.next = now,
            }
        }
    }

    fn pop(&self) -> Option<T> {
        let guard = pin();
        let mut head = self.head.load(Acquire);
        loop {
            let node = NonNull::new(head)?;
            // SAFETY: it was in the stack when this section was open already, so
            // it is not reused before the section ends.
            let top = unsafe { node.as_ref() };
            match self
                .head
                .compare_exchange_weak(head, top.next, Acquire, Acquire)
            {
                Ok(_) => {
                    // SAFETY: the exchange was won, so the value is ours. The
                    // node keeps a copy that nobody looks at again.
                    let value = unsafe { ptr::read(&top.value) };
                    // SAFETY: from this pool; unlinked, and by us alone.
                    unsafe { self.nodes.retire_in(&guard, node) };
                    return Some(ManuallyDrop::into_inner(value));
                }
                Err(now) => head = now,
            }
        }
    }
}

impl<T: Send> Drop for Stack<T> {
    fn drop(&mut self) {
        while self.pop().is_some() {}
    }
}

fn main() {
    const EACH: usize = 100_000;
    let names: Vec<String> = (0..EACH).map(|i| format!("item {i}")).collect();
    let stack = Stack::new();
    let popped: usize = thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    // Borrowed values.
                    names.iter().fold(0, |popped, name| {
                        stack.push(name.as_str());
                        stack.push("twice");
                        popped + stack.pop().map_or(0, |_| 1)
                    })
                })
            })
            .collect();
        workers.into_iter().map(|w| w.join().unwrap()).sum()
    });
    let stats = stack.nodes.stats();
    println!(
        "{popped} popped, {} nodes left in {} KiB",
        stats.live_items,
        stats.slab_bytes >> 10
    );
    assert_eq!((popped, stats.live_items), (2 * EACH, 2 * EACH));
    while stack.pop().is_some() {}
    stack.nodes.barrier();
    assert_eq!(stack.nodes.stats().live_items, 0);
    println!("{} KiB were given back", stack.nodes.trim() >> 10);
}
