//! Treiber's stack ("Systems Programming: Coping with Parallelism", 1986).
//!
//! A node that a section can still reach is not used again, so comparing pointers
//! is enough: no ABA. Links below the head never change while they are linked.
//!
//! Linearization: push and pop at their exchange of the head; a pop that finds
//! nothing at its load of it.

use core::ptr::NonNull;

use smr_core::Guard;

use super::chain::Chain;
use super::node::{Edge, Memory, Node, Retire};
use crate::ord;

/// Another was faster.
struct Lost;

impl<T, M: Memory<Node<T>>> Chain<T, M> {
    /// Unlinks the first node. Only for chains without marks.
    #[inline(always)]
    pub(crate) fn pop<'g>(&'g self, guard: &'g Guard) -> Option<&'g Node<T>> {
        // SAFETY: in the guard's section, which lasts for `'g`.
        let node = match unsafe { self.unlink_first() } {
            Ok(node) => node?,
            // SAFETY: as above.
            Err(Lost) => unsafe { self.unlink_first_in_turn() }?,
        };
        // SAFETY: unlinked by us just now.
        unsafe { self.memory.retire(guard, NonNull::from(node)) };
        Some(node)
    }

    /// # Safety
    ///
    /// In a section that lasts as long as what is returned.
    #[inline(always)]
    unsafe fn unlink_first<'g>(&'g self) -> Result<Option<&'g Node<T>>, Lost> {
        let head = self.head.walk();
        // SAFETY: it was linked in the caller's section.
        let Some(node) = (unsafe { head.follow::<'g>() }) else {
            return Ok(None);
        };
        // AcqRel: pairs with the Acquire in `Link::walk`.
        let unlinked = self.head.exchange(head, node.next.peek(), ord::stack_pop());
        unlinked.map(|()| Some(node)).map_err(|_| Lost)
    }

    /// As [`unlink_first`](Self::unlink_first), for who has lost once.
    ///
    /// # Safety
    ///
    /// As there.
    #[cold]
    #[inline(never)]
    unsafe fn unlink_first_in_turn(&self) -> Option<&Node<T>> {
        loop {
            self.turns.wait();
            // SAFETY: the caller's promise.
            if let Ok(node) = unsafe { self.unlink_first() } {
                return node;
            }
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
