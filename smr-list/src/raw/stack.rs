//! Treiber's stack ("Systems Programming: Coping with Parallelism", 1986).
//!
//! A node that a section can still reach is not used again, so comparing pointers
//! is enough: no ABA. Links below the head never change while they are linked.
//!
//! Linearization: push and pop at their exchange of the head; a pop that finds
//! nothing at its load of it.

use smr_core::Guard;

use super::chain::Chain;
use super::node::{Edge, Memory, Node, Retire};
use crate::ord;

impl<T, M: Memory<Node<T>>> Chain<T, M> {
    /// Unlinks the first node. Only for chains without marks.
    pub(crate) fn pop<'g>(&'g self, guard: &'g Guard) -> Option<&'g Node<T>> {
        loop {
            let head = self.head.walk();
            let first = head.node()?;
            // SAFETY: it was linked in this section, which lasts for `'g`.
            let node: &'g Node<T> = unsafe { first.as_ref() };
            // AcqRel: pairs with the Acquire in `Link::walk`.
            let unlinked = self.head.exchange(head, node.next.peek(), ord::stack_pop());
            if unlinked.is_ok() {
                // SAFETY: unlinked by us just now.
                unsafe { self.memory.retire(guard, first) };
                return Some(node);
            }
            self.turns.wait();
        }
    }

    /// Unlinks all nodes in one step. They are retired when what is returned goes.
    pub(crate) fn pop_all<'g>(&'g self, guard: &'g Guard) -> All<'g, T, M> {
        // AcqRel: pairs with the Acquire in `Link::walk`.
        let first = self.head.swap(Edge::end(), ord::stack_pop());
        All {
            first,
            at: first,
            memory: &self.memory,
            guard,
        }
    }
}

/// Nodes that were unlinked together and are not retired yet.
pub(crate) struct All<'g, T, M: Memory<Node<T>>> {
    first: Edge<T>,
    at: Edge<T>,
    memory: &'g M,
    guard: &'g Guard,
}

impl<'g, T, M: Memory<Node<T>>> All<'g, T, M> {
    pub(crate) fn next(&mut self) -> Option<&'g Node<T>> {
        // SAFETY: linked when the section was open already.
        let node = unsafe { self.at.follow::<'g>() }?;
        self.at = node.next.walk();
        Some(node)
    }
}

impl<T, M: Memory<Node<T>>> Drop for All<'_, T, M> {
    fn drop(&mut self) {
        let all = Retire {
            at: self.first,
            to: Edge::end(),
            memory: self.memory,
            guard: self.guard,
        };
        // SAFETY: unlinked by `pop_all`, in this section, for us alone.
        unsafe { all.run() };
    }
}
