//! A list with one writer at a time, whose readers only follow links.
//!
//! # Invariants
//!
//! 1. A link is changed by the holder of the lock alone, by one Release store,
//!    after all that can be reached through it is complete.
//! 2. A node that is taken out keeps its link, and no link leads to it again: it
//!    is retired, and comes back from the pool as another element when no section
//!    can stand on it.
//! 3. `tail` is the last node; only the writer looks at it.
//!
//! # Orderings
//!
//! Walking is Acquire and pairs with `rcu_publish`. `tail` is Relaxed: the lock
//! orders it.

use core::marker::PhantomData;
use std::sync::Arc;

use smr_core::Guard;
use smr_core::sync::mutant;

use super::node::{Edge, Fresh, Link, Memory, Node, Retire, take_all};
use crate::ord;

#[derive(Debug)]
pub(crate) struct RawRcu<T, M: Memory<Node<T>>> {
    head: Link<T>,
    tail: Link<T>,
    /// Lists that share it can be joined without moving a value.
    pub(crate) memory: Arc<M>,
    _values: PhantomData<*mut T>,
}

// SAFETY: who owns the list owns its values. The memory may be shared with lists
// on other threads, which drop values of this one: that asks for `Send`.
unsafe impl<T: Send, M: Memory<Node<T>> + Send + Sync> Send for RawRcu<T, M> {}
// SAFETY: the list hands out `&T` on each thread, and drops values on each.
unsafe impl<T: Send + Sync, M: Memory<Node<T>> + Send + Sync> Sync for RawRcu<T, M> {}

impl<T, M: Memory<Node<T>>> RawRcu<T, M> {
    pub(crate) fn new(memory: Arc<M>) -> Self {
        Self {
            head: Link::new(Edge::end()),
            tail: Link::new(Edge::end()),
            memory,
            _values: PhantomData,
        }
    }

    /// The link to the first node.
    pub(crate) fn way(&self) -> &Link<T> {
        &self.head
    }

    /// The node behind a link of this list, that in a removed node included.
    #[inline(always)]
    pub(crate) fn behind<'g>(&'g self, way: &Link<T>, _guard: &'g Guard) -> Option<&'g Node<T>> {
        // SAFETY: it was linked in this section, which lasts for `'g`; by invariant 2,
        // what a removed node leads to is retired no earlier than that.
        unsafe { way.walk().follow() }
    }

    pub(crate) fn first<'g>(&'g self, guard: &'g Guard) -> Option<&'g Node<T>> {
        self.behind(&self.head, guard)
    }

    pub(crate) fn after<'g>(&'g self, node: &Node<T>, guard: &'g Guard) -> Option<&'g Node<T>> {
        self.behind(&node.next, guard)
    }

    /// The link behind `prev`; `None` is before the first.
    fn link<'a>(&'a self, prev: Option<&'a Node<T>>) -> &'a Link<T> {
        prev.map_or(&self.head, |node| &node.next)
    }

    /// The last node. For the holder of the lock.
    pub(crate) fn last<'g>(&'g self, _guard: &'g Guard) -> Option<&'g Node<T>> {
        // SAFETY: linked, and only the holder of the lock unlinks.
        unsafe { self.tail.peek().follow() }
    }

    /// Links a value in behind `prev`.
    ///
    /// # Safety
    ///
    /// The caller holds the lock; `prev` is linked.
    pub(crate) unsafe fn insert<'g>(
        &'g self,
        guard: &'g Guard,
        prev: Option<&Node<T>>,
        value: T,
    ) -> &'g Node<T> {
        let link = self.link(prev);
        let next = link.peek();
        let fresh = Fresh::node(&*self.memory, guard, value);
        let edge = fresh.edge();
        fresh.item().next.prepare(next);
        // Release: pairs with the Acquire in `Link::walk`.
        link.set(edge, ord::rcu_publish());
        if next == Edge::end() {
            self.tail.prepare(edge);
        }
        fresh.publish()
    }

    /// Unlinks the node behind `prev`; it is retired.
    ///
    /// # Safety
    ///
    /// The caller holds the lock; `prev` is linked.
    pub(crate) unsafe fn remove<'g>(
        &'g self,
        guard: &'g Guard,
        prev: Option<&Node<T>>,
    ) -> Option<&'g Node<T>> {
        let link = self.link(prev);
        let at = link.peek();
        // SAFETY: linked, and only the holder of the lock unlinks.
        let node = unsafe { at.follow::<'g>() }?;
        let next = node.next.peek();
        // Release: pairs with the Acquire in `Link::walk`.
        link.set(next, ord::rcu_publish());
        if next == Edge::end() {
            self.tail
                .prepare(prev.map_or(Edge::end(), |prev| Edge::to(prev.into())));
        }
        if mutant("rcu_next_cut") {
            node.next.prepare(Edge::end());
        }
        // SAFETY: unlinked just now.
        unsafe { self.bury(at, next, guard) };
        Some(node)
    }

    /// Puts `copy` at the front and unlinks the node behind `prev` then, which is
    /// retired: two steps for readers.
    ///
    /// # Safety
    ///
    /// The caller holds the lock; `prev` is linked.
    pub(crate) unsafe fn move_to_front(&self, guard: &Guard, prev: &Node<T>, copy: T) {
        // SAFETY: the caller's promise.
        unsafe { self.insert(guard, None, copy) };
        // SAFETY: as above; what was linked is so still.
        unsafe { self.remove(guard, Some(prev)) };
    }

    /// Puts a value in place of the node behind `prev`, which is retired.
    ///
    /// # Safety
    ///
    /// The caller holds the lock; `prev` is linked.
    pub(crate) unsafe fn replace<'g>(
        &'g self,
        guard: &'g Guard,
        prev: Option<&Node<T>>,
        value: T,
    ) -> Result<&'g Node<T>, T> {
        let link = self.link(prev);
        let at = link.peek();
        // SAFETY: linked, and only the holder of the lock unlinks.
        let Some(old) = (unsafe { at.follow::<'g>() }) else {
            return Err(value);
        };
        let next = old.next.peek();
        let fresh = Fresh::node(&*self.memory, guard, value);
        let edge = fresh.edge();
        fresh.item().next.prepare(next);
        // Release: pairs with the Acquire in `Link::walk`.
        link.set(edge, ord::rcu_publish());
        if next == Edge::end() {
            self.tail.prepare(edge);
        }
        fresh.publish();
        // SAFETY: unlinked just now.
        unsafe { self.bury(at, next, guard) };
        Ok(old)
    }

    /// # Safety
    ///
    /// The nodes were unlinked by the caller in this section.
    unsafe fn bury(&self, at: Edge<T>, to: Edge<T>, guard: &Guard) {
        let one = Retire {
            at,
            to: if mutant("rcu_next_cut") {
                Edge::end()
            } else {
                to
            },
            memory: &*self.memory,
            guard,
        };
        // SAFETY: the caller's promise.
        unsafe { one.run() };
    }

    /// Moves all of `other` behind `prev`, in one step for readers.
    ///
    /// # Safety
    ///
    /// The caller holds the lock; `prev` is linked. Both lists share their memory.
    pub(crate) unsafe fn splice(&self, prev: Option<&Node<T>>, other: &mut Self) {
        let (first, last) = (other.head.peek(), other.tail.peek());
        let Some(last_node) = last.node() else { return };
        other.head.prepare(Edge::end());
        other.tail.prepare(Edge::end());
        let link = self.link(prev);
        let next = link.peek();
        // SAFETY: `other` is exclusive, so nobody else knows its nodes.
        unsafe { last_node.as_ref() }.next.prepare(next);
        // Release: pairs with the Acquire in `Link::walk`.
        link.set(first, ord::rcu_publish());
        if next == Edge::end() {
            self.tail.prepare(last);
        }
    }

    /// Unlinks all nodes in one step; they are retired.
    ///
    /// # Safety
    ///
    /// The caller holds the lock.
    pub(crate) unsafe fn clear(&self, guard: &Guard) {
        let first = self.head.peek();
        // Release: nothing is published.
        self.head.set(Edge::end(), ord::rcu_publish());
        self.tail.prepare(Edge::end());
        // SAFETY: unlinked just now.
        unsafe { self.bury(first, Edge::end(), guard) };
    }

    /// Takes the first value out.
    pub(crate) fn pop_mut(&mut self) -> Option<T> {
        let node = self.head.peek().node()?;
        // SAFETY: exclusive.
        let next = unsafe { node.as_ref() }.next.peek();
        self.head.prepare(next);
        if next == Edge::end() {
            self.tail.prepare(next);
        }
        // SAFETY: exclusive; what is linked was not retired.
        Some(unsafe { self.memory.take(node) }.value)
    }
}

impl<T, M: Memory<Node<T>>> Drop for RawRcu<T, M> {
    fn drop(&mut self) {
        // SAFETY: exclusive; what is linked was not retired.
        unsafe { take_all(self.head.peek(), &*self.memory) };
    }
}
