//! A list whose nodes are marked before they are unlinked (Harris, "A Pragmatic
//! Implementation of Non-Blocking Linked-Lists", 2001).
//!
//! # Invariants
//!
//! 1. The link of a marked node never changes. So the next node of a removed node
//!    is unlinked with it or later, never before: only an exchange on an unmarked
//!    link unlinks, and that link comes before both.
//! 2. Unlinking is one exchange, from a link that is not marked, over a run of
//!    marked nodes. The run is frozen, so it is the winner's as a whole: the
//!    winner retires it, nobody else can.
//! 3. A node that a section reaches was reachable at some moment of the section,
//!    so it was retired after the section began. (By induction from the head, with
//!    1 for the steps out of removed nodes.)
//!
//! # Linearization
//!
//! Insertion: the exchange of the link before. Removal: the mark. Replacement:
//! one exchange marks the old node and makes its link lead to the new one, which
//! leads to what followed: the element is never absent, and the new node is found
//! behind the old one until the old one is snipped.
//!
//! # Orderings
//!
//! Walking is Acquire, each exchange Release: see `ord.rs`.

use core::marker::PhantomData;

use smr_core::Guard;
use smr_core::sync::mutant;

use super::node::{Edge, Fresh, Link, Memory, Node, Retire, take_all};
use super::turns::Turns;
use crate::ord;

#[derive(Debug)]
pub(crate) struct Chain<T, M: Memory<Node<T>>> {
    pub(crate) head: Link<T>,
    pub(crate) memory: M,
    /// At the head, for who pushes and pops.
    pub(super) turns: Turns,
    /// What may be sent and shared is said below.
    _values: PhantomData<*mut T>,
}

// SAFETY: who owns the list owns its values.
unsafe impl<T: Send, M: Memory<Node<T>> + Send> Send for Chain<T, M> {}
// SAFETY: the list hands out `&T` on each thread, and drops values on each.
unsafe impl<T: Send + Sync, M: Memory<Node<T>> + Sync> Sync for Chain<T, M> {}

impl<T, M: Memory<Node<T>>> Chain<T, M> {
    const_unless_modelled! {
        pub(crate) fn new(memory: M) -> Self {
            Self {
                head: Link::new(Edge::end()),
                memory,
                turns: Turns::new(),
                _values: PhantomData,
            }
        }
    }

    /// Leads `at` past the marked nodes from `from` up to `to`. If so, they are the
    /// caller's to retire.
    #[inline(always)]
    pub(super) fn cut(&self, at: &Link<T>, from: Edge<T>, to: Edge<T>) -> bool {
        // Release: pairs with the Acquire in `Link::walk`.
        at.exchange(from, to, ord::link_snip()).is_ok() || mutant("snip_unwon")
    }

    /// Cuts out the marked nodes from `from` up to `to`. Whether it did.
    pub(crate) fn snip(&self, at: &Link<T>, from: Edge<T>, to: Edge<T>, guard: &Guard) -> bool {
        if !self.cut(at, from, to) {
            return false;
        }
        let run = Retire {
            at: from,
            to,
            memory: &self.memory,
            guard,
        };
        // SAFETY: the exchange was ours; see invariant 2.
        unsafe { run.run() };
        true
    }

    /// Cuts out the run of marked nodes that begins at `from`, and tells what is behind
    /// it. `None` if `at` leads elsewhere by now.
    #[cold]
    #[inline(never)]
    pub(super) fn snip_run(&self, at: &Link<T>, from: Edge<T>, guard: &Guard) -> Option<Edge<T>> {
        let mut to = from;
        // SAFETY: invariant 3.
        while let Some(node) = unsafe { to.follow() } {
            let next = node.next.walk();
            if !next.is_marked() {
                break;
            }
            to = next.plain();
        }
        self.snip(at, from, to, guard).then_some(to)
    }

    /// The first node from `edge` on that is not removed. Writes nothing.
    #[inline]
    pub(crate) fn live<'g>(&'g self, mut edge: Edge<T>, _guard: &'g Guard) -> Option<&'g Node<T>> {
        loop {
            // SAFETY: invariant 3, and the guard lives for `'g`.
            let node = unsafe { edge.follow() }?;
            let next = node.next.walk();
            if !next.is_marked() {
                return Some(node);
            }
            edge = next.plain();
        }
    }

    /// As [`live`](Self::live), from the node behind `node`.
    #[inline]
    pub(crate) fn after<'g>(&'g self, node: &Node<T>, guard: &'g Guard) -> Option<&'g Node<T>> {
        self.live(node.next.walk().onward(), guard)
    }

    /// The first node, at an instant at which it was the first and not removed.
    pub(crate) fn first<'g>(&'g self, guard: &'g Guard) -> Option<&'g Node<T>> {
        loop {
            let head = self.head.walk();
            let found = self.live(head, guard);
            // Were the head another by now, something could have come before. It
            // may have come and gone again: so what was found has to be there
            // still, after the head was seen to be what it had been.
            let same = self.head.walk() == head;
            let there = |node: &Node<T>| !node.next.walk().is_marked();
            if same && (mutant("first_has_gone") || found.is_none_or(there)) {
                return found;
            }
        }
    }

    /// The last node, at an instant at which it was the last and not removed.
    pub(crate) fn last<'g>(&'g self, guard: &'g Guard) -> Option<&'g Node<T>> {
        'again: loop {
            let mut last: Option<&Node<T>> = None;
            let mut way = self.head.walk();
            let mut edge = way;
            // SAFETY: as in `live`.
            while let Some(node) = unsafe { edge.follow::<'g>() } {
                let next = node.next.walk();
                edge = next.plain();
                if !next.is_marked() {
                    last = Some(node);
                    way = next;
                }
            }
            let link = last.map_or(&self.head, |node| &node.next);
            // All behind it is marked, if it still leads there.
            if link.walk() == way {
                return last;
            }
            let _ = guard;
            continue 'again;
        }
    }

    /// Links a value in at the front.
    #[inline(always)]
    pub(crate) fn push<'g>(&'g self, value: T, guard: &'g Guard) -> &'g Node<T> {
        let fresh = Fresh::node(&self.memory, guard, value);
        if self.link_first(&fresh) {
            return fresh.publish();
        }
        self.push_in_turn(fresh)
    }

    /// For who has lost once.
    #[cold]
    #[inline(never)]
    fn push_in_turn<'g>(&'g self, fresh: Fresh<'g, Node<T>, M>) -> &'g Node<T> {
        loop {
            self.turns.wait();
            if self.link_first(&fresh) {
                return fresh.publish();
            }
        }
    }

    #[inline(always)]
    fn link_first(&self, fresh: &Fresh<'_, Node<T>, M>) -> bool {
        let head = self.head.peek();
        fresh.item().next.prepare(head);
        // Release: pairs with the Acquire in `Link::walk`.
        let linked = self.head.exchange(head, fresh.edge(), ord::link_publish());
        linked.is_ok()
    }

    /// Links a value in behind `last`, or at the front, while nobody else has the
    /// list.
    pub(crate) fn push_behind<'g>(
        &'g self,
        last: Option<&'g Node<T>>,
        value: T,
        guard: &'g Guard,
    ) -> &'g Node<T> {
        let fresh = Fresh::node(&self.memory, guard, value);
        let link = last.map_or(&self.head, |last| &last.next);
        let edge = link.peek();
        fresh.item().next.prepare(edge);
        // Release: pairs with the Acquire in `Link::walk`.
        let linked = link.exchange(edge, fresh.edge(), ord::link_publish());
        assert!(linked.is_ok(), "nobody else has the list");
        fresh.publish()
    }

    /// Marks the node, and tells where it leads. `None` if it was not this call that
    /// did.
    #[inline]
    pub(crate) fn mark(&self, node: &Node<T>) -> Option<Edge<T>> {
        loop {
            // Walked each time, for the caller hands on what is behind.
            let next = node.next.walk();
            if next.is_marked() {
                return None;
            }
            // Release: pairs with the Acquire in `Link::walk`.
            let marked = node.next.exchange(next, next.marked(), ord::link_mark());
            if marked.is_ok() {
                return Some(next);
            }
        }
    }

    /// Cuts out every run of marked nodes that it meets, and returns how many
    /// nodes are left.
    pub(crate) fn sweep(&self, guard: &Guard) -> usize {
        let mut left = 0;
        let mut link = &self.head;
        let mut way = link.walk();
        let mut edge = way;
        loop {
            // SAFETY: as in `live`.
            let node = unsafe { edge.follow() };
            let next = node.map(|node| node.next.walk());
            if let Some(next) = next.filter(|next| next.is_marked()) {
                edge = next.plain();
                continue;
            }
            if way != edge {
                // Lost to another, which cut it, or to an insertion.
                self.snip(link, way, edge, guard);
            }
            let (Some(node), Some(next)) = (node, next) else {
                return left;
            };
            left += 1;
            (link, way, edge) = (&node.next, next, next);
        }
    }

    /// Takes every node back.
    pub(crate) fn clear_mut(&mut self) {
        let first = self.head.peek();
        self.head.prepare(Edge::end());
        // SAFETY: exclusive; what is still linked was not retired.
        unsafe { take_all(first, &self.memory) };
    }

    /// Takes the first value out, past those that were removed.
    pub(crate) fn pop_mut(&mut self) -> Option<T> {
        loop {
            let node = self.head.peek().node()?;
            // SAFETY: exclusive.
            let next = unsafe { node.as_ref() }.next.peek();
            self.head.prepare(next.plain());
            // SAFETY: exclusive; what is still linked was not retired.
            let value = unsafe { self.memory.take(node) }.value;
            if !next.is_marked() {
                return Some(value);
            }
        }
    }
}

impl<T, M: Memory<Node<T>>> Drop for Chain<T, M> {
    fn drop(&mut self) {
        self.clear_mut();
    }
}
