//! The queue of Michael and Scott ("Simple, Fast, and Practical Non-Blocking and
//! Blocking Concurrent Queue Algorithms", 1996).
//!
//! The first node is a dummy: its value was taken, or never was. The head leads to
//! it, the tail to the last node or, between the two steps of a push, to the one
//! before.
//!
//! # Invariant
//!
//! The tail never leads to a node before the head: a pop moves the tail on before
//! it moves the head past it. So who follows the tail finds a node that was not
//! retired before its section began.
//!
//! A node that a section can still reach is not used again: no ABA.
//!
//! # Linearization
//!
//! Push: the exchange of the last link. Pop: the exchange of the head; one that
//! finds nothing: its load of the dummy's link.
//!
//! # Orderings
//!
//! Walking is Acquire, each exchange Release: see `ord.rs`.

use core::marker::PhantomData;

use smr_core::Guard;
use smr_core::sync::mutant;

use super::node::{Edge, Fresh, Link, Memory, Node, Retire, take_all};
use crate::ord;

/// Keeps what pushers write apart from what poppers write.
#[derive(Debug)]
#[repr(align(128))]
struct Apart<T>(T);

#[derive(Debug)]
pub(crate) struct RawQueue<T, M: Memory<Option<T>>> {
    head: Apart<Link<Option<T>>>,
    tail: Apart<Link<Option<T>>>,
    pub(crate) memory: M,
    _values: PhantomData<*mut T>,
}

// SAFETY: who owns the queue owns its values.
unsafe impl<T: Send, M: Memory<Option<T>> + Send> Send for RawQueue<T, M> {}
// SAFETY: the queue hands out `&T` on each thread, and drops values on each.
unsafe impl<T: Send + Sync, M: Memory<Option<T>> + Sync> Sync for RawQueue<T, M> {}

impl<T, M: Memory<Option<T>>> RawQueue<T, M> {
    pub(crate) fn new(memory: M) -> Self {
        let dummy = Edge::to(memory.make_alone(None));
        Self {
            head: Apart(Link::new(dummy)),
            tail: Apart(Link::new(dummy)),
            memory,
            _values: PhantomData,
        }
    }

    pub(crate) fn push(&self, guard: &Guard, value: T) {
        let fresh = Fresh::new(&self.memory, guard, Some(value));
        loop {
            let tail = self.tail.0.walk();
            // SAFETY: by the invariant it was not retired before this section.
            let Some(node) = (unsafe { tail.follow() }) else {
                unreachable!("there is always a dummy")
            };
            let next = node.next.walk();
            if next != Edge::end() {
                self.help(tail, next);
                continue;
            }
            // Release: pairs with the Acquire in `Link::walk`.
            let linked = node
                .next
                .exchange(Edge::end(), fresh.edge(), ord::link_publish());
            if linked.is_ok() {
                self.help(tail, fresh.edge());
                fresh.publish();
                return;
            }
        }
    }

    /// Where the tail leads to.
    #[cfg(loom)]
    pub(crate) fn tail(&self) -> Edge<Option<T>> {
        self.tail.0.walk()
    }

    /// Moves the tail on, unless another did.
    fn help(&self, tail: Edge<Option<T>>, next: Edge<Option<T>>) {
        // Release: pairs with the Acquire in `Link::walk`.
        let _ = self.tail.0.exchange(tail, next, ord::queue_tail());
    }

    /// The dummy, and the node of the first value.
    fn front<'g>(&'g self, _guard: &'g Guard) -> (Edge<Option<T>>, Edge<Option<T>>) {
        let head = self.head.0.walk();
        // SAFETY: it was linked in this section, which lasts for `'g`.
        let dummy = unsafe { head.follow::<'g>() };
        (head, dummy.map_or(Edge::end(), |dummy| dummy.next.walk()))
    }

    /// The first value.
    pub(crate) fn peek<'g>(&'g self, guard: &'g Guard) -> Option<&'g T> {
        self.first(guard)?.value.as_ref()
    }

    /// The node of the first value.
    pub(crate) fn first<'g>(&'g self, guard: &'g Guard) -> Option<&'g Node<Option<T>>> {
        let (_, first) = self.front(guard);
        // SAFETY: linked behind the dummy, which was linked in this section.
        unsafe { first.follow() }
    }

    /// The node behind.
    pub(crate) fn after<'g>(
        &'g self,
        node: &Node<Option<T>>,
        _guard: &'g Guard,
    ) -> Option<&'g Node<Option<T>>> {
        // SAFETY: links of nodes that were taken lead on as before.
        unsafe { node.next.walk().follow() }
    }

    pub(crate) fn pop<'g>(&'g self, guard: &'g Guard) -> Option<&'g Node<Option<T>>> {
        loop {
            let (head, first) = self.front(guard);
            // SAFETY: as in `first`.
            let node = unsafe { first.follow::<'g>() }?;
            if self.tail.0.walk() == head && !mutant("queue_tail_left") {
                self.help(head, first);
            }
            // Release: pairs with the Acquire in `Link::walk`.
            if self.head.0.exchange(head, first, ord::queue_head()).is_ok() {
                let one = Retire {
                    at: head,
                    to: first,
                    memory: &self.memory,
                    guard,
                };
                // SAFETY: unlinked by us just now.
                unsafe { one.run() };
                return Some(node);
            }
        }
    }

    /// Takes the first value out.
    pub(crate) fn pop_mut(&mut self) -> Option<T> {
        let dummy = self.head.0.peek().node()?;
        // SAFETY: exclusive.
        let mut first = unsafe { dummy.as_ref() }.next.peek().node()?;
        // SAFETY: exclusive.
        let value = unsafe { first.as_mut() }.value.take();
        self.head.0.prepare(Edge::to(first));
        if self.tail.0.peek() == Edge::to(dummy) {
            self.tail.0.prepare(Edge::to(first));
        }
        // SAFETY: exclusive, and no longer linked.
        drop(unsafe { self.memory.take(dummy) });
        value
    }
}

impl<T, M: Memory<Option<T>>> Drop for RawQueue<T, M> {
    fn drop(&mut self) {
        // SAFETY: exclusive; what is linked was not retired.
        unsafe { take_all(self.head.0.peek(), &self.memory) };
    }
}
