//! The chain in order, and looking things up in it without a write (Herlihy and
//! Shavit, "The Art of Multiprocessor Programming", 2008; Heller et al., 2005).
//!
//! Invariant: keys grow along the links, strictly but for one case: a replaced
//! node leads to its replacement, which has an equal key. Of equal keys, at most
//! the last is not marked.
//!
//! A look-up that misses has seen an instant of absence: each node that it met was
//! linked at some moment of the call, and an insertion of the key would first have
//! had to cut out the marked ones of its own key that the look-up walked through.
//!
//! No order at all is relied on for memory: with an `Ord` that contradicts itself
//! elements are lost or found twice, and nothing else happens.

use core::cmp::Ordering;
use core::ptr::NonNull;

use smr_core::Guard;

use super::chain::Chain;
use super::node::{Edge, Fresh, Link, Memory, Node};
use crate::ord;

/// A place in the list: the link that leads there, and what is there.
pub(crate) struct Place<'g, T> {
    link: &'g Link<T>,
    edge: Edge<T>,
    /// The node of the key, if that is what is there.
    pub(crate) node: Option<&'g Node<T>>,
}

/// Why nothing was inserted: the key is there.
pub(crate) struct Taken<'g, T> {
    pub(crate) node: &'g Node<T>,
    pub(crate) value: T,
}

/// The node that was linked in, or why none was.
pub(crate) type Linked<'g, T> = Result<&'g Node<T>, Taken<'g, T>>;

impl<T, M: Memory<Node<T>>> Chain<T, M> {
    /// Where the key is or belongs. Cuts out the marked nodes before it.
    #[inline(always)]
    pub(crate) fn find<'g>(
        &'g self,
        guard: &'g Guard,
        mut order: impl FnMut(&T) -> Ordering,
    ) -> Place<'g, T> {
        'again: loop {
            let mut link = &self.head;
            let mut edge = link.walk();
            // SAFETY: invariant 3 of the chain.
            while let Some(node) = unsafe { edge.follow::<'g>() } {
                let next = node.next.walk();
                if next.is_marked() {
                    match self.snip_run(link, edge, guard) {
                        Some(behind) => edge = behind,
                        None => continue 'again,
                    }
                } else if order(&node.value).is_lt() {
                    (link, edge) = (&node.next, next);
                } else {
                    // Asked last, so that who takes the one way or the other branches once.
                    let node = Some(node).filter(|node| order(&node.value).is_eq());
                    return Place { link, edge, node };
                }
            }
            let node = None;
            return Place { link, edge, node };
        }
    }

    /// The node of the key. Writes nothing, and goes through what is marked.
    #[inline]
    pub(crate) fn look<'g>(
        &'g self,
        _guard: &'g Guard,
        mut order: impl FnMut(&T) -> Ordering,
    ) -> Option<&'g Node<T>> {
        let mut edge = self.head.walk();
        loop {
            // SAFETY: invariant 3 of the chain.
            let node = unsafe { edge.follow::<'g>() }?;
            // Asked twice, so that each hop is one comparison and one branch.
            if order(&node.value).is_lt() {
                edge = node.next.walk().onward();
                continue;
            }
            if order(&node.value).is_gt() {
                return None;
            }
            let next = node.next.walk();
            if !next.is_marked() {
                return Some(node);
            }
            edge = next.plain();
        }
    }

    /// The first node that is not removed and that `below` does not hold for.
    pub(crate) fn seek<'g>(
        &'g self,
        guard: &'g Guard,
        mut below: impl FnMut(&T) -> bool,
    ) -> Option<&'g Node<T>> {
        let mut edge = self.head.walk();
        loop {
            let node = self.live(edge, guard)?;
            if !below(&node.value) {
                return Some(node);
            }
            edge = node.next.walk().onward();
        }
    }

    /// Links the value in, unless its key is there.
    pub(crate) fn insert<'g>(
        &'g self,
        guard: &'g Guard,
        value: T,
        order: impl Fn(&T, &T) -> Ordering,
    ) -> Linked<'g, T> {
        let mut place = self.find(guard, |other| order(other, &value));
        if let Some(node) = place.node {
            return Err(Taken { node, value });
        }
        let fresh = Fresh::node(&self.memory, guard, value);
        loop {
            if self.link(&place, &fresh) {
                return Ok(fresh.publish());
            }
            place = self.find(guard, |other| order(other, &fresh.item().value));
            if let Some(node) = place.node {
                let value = fresh.into_value();
                return Err(Taken { node, value });
            }
        }
    }

    /// Links the value in, in place of the one with the same key if there is one.
    pub(crate) fn put<'g>(
        &'g self,
        guard: &'g Guard,
        value: T,
        order: impl Fn(&T, &T) -> Ordering,
    ) -> Option<&'g Node<T>> {
        let fresh = Fresh::node(&self.memory, guard, value);
        loop {
            let place = self.find(guard, |other| order(other, &fresh.item().value));
            match place.node {
                None if self.link(&place, &fresh) => {
                    fresh.publish();
                    return None;
                }
                Some(old) if self.exchange(old, &fresh) => {
                    // Published first: tidying may run a destructor that panics.
                    let new = fresh.edge();
                    fresh.publish();
                    self.tidy(guard, &place, old, new);
                    return Some(old);
                }
                _ => {}
            }
        }
    }

    /// Puts a value in place of that of `place`, if it is still there.
    pub(crate) fn replace<'g>(
        &'g self,
        guard: &'g Guard,
        place: &Place<'g, T>,
        value: T,
    ) -> Result<&'g Node<T>, T> {
        let fresh = Fresh::node(&self.memory, guard, value);
        match place.node {
            Some(old) if self.exchange(old, &fresh) => {
                let edge = fresh.edge();
                let new = fresh.publish();
                self.tidy(guard, place, old, edge);
                Ok(new)
            }
            _ => Err(fresh.into_value()),
        }
    }

    /// Links a value in at `place`, if nothing changed there.
    pub(crate) fn link_at<'g>(
        &'g self,
        guard: &'g Guard,
        place: &Place<'g, T>,
        value: T,
    ) -> Result<&'g Node<T>, T> {
        let fresh = Fresh::node(&self.memory, guard, value);
        if place.node.is_none() && self.link(place, &fresh) {
            Ok(fresh.publish())
        } else {
            Err(fresh.into_value())
        }
    }

    /// Removes what `keep` does not hold for. Linear: marks first, cuts out then.
    pub(crate) fn retain(&self, guard: &Guard, mut keep: impl FnMut(&T) -> bool) {
        let mut at = self.live(self.head.walk(), guard);
        while let Some(node) = at {
            if !keep(&node.value) {
                // Lost to a replacement, it is asked about that next.
                self.mark(node);
            }
            at = self.after(node, guard);
        }
        self.sweep(guard);
    }

    fn link(&self, place: &Place<'_, T>, fresh: &Fresh<'_, Node<T>, M>) -> bool {
        fresh.item().next.prepare(place.edge);
        // Release: pairs with the Acquire in `Link::walk`.
        let linked = place
            .link
            .exchange(place.edge, fresh.edge(), ord::link_publish());
        linked.is_ok()
    }

    /// Marks `old` and makes it lead to the fresh node, in one exchange.
    fn exchange(&self, old: &Node<T>, fresh: &Fresh<'_, Node<T>, M>) -> bool {
        loop {
            let next = old.next.walk();
            if next.is_marked() {
                return false;
            }
            fresh.item().next.prepare(next);
            let new = fresh.edge().marked();
            // Release: pairs with the Acquire in `Link::walk`.
            if old.next.exchange(next, new, ord::link_replace()).is_ok() {
                return true;
            }
        }
    }

    /// Marks the node of `place`. Whether it was this call that did.
    #[inline]
    pub(crate) fn remove(&self, guard: &Guard, place: &Place<'_, T>) -> bool {
        let Some(node) = place.node else { return false };
        let Some(next) = self.mark(node) else {
            return false;
        };
        self.tidy(guard, place, node, next);
        true
    }

    /// Cuts out the node of `place`, which was just marked and leads on `to`. Where
    /// something came between, whoever walks here next does it, and a sweep at the
    /// latest.
    #[inline]
    fn tidy(&self, guard: &Guard, place: &Place<'_, T>, node: &Node<T>, to: Edge<T>) {
        if self.cut(place.link, place.edge, to) {
            // SAFETY: the exchange was ours, and the run is this node; see invariant 2.
            unsafe { self.memory.retire(guard, NonNull::from(node)) };
        } else {
            self.sweep_to(guard, place.edge);
        }
    }

    /// Cuts out runs of marked nodes up to and with `target`.
    #[cold]
    #[inline(never)]
    fn sweep_to(&self, guard: &Guard, target: Edge<T>) {
        'again: loop {
            let mut link = &self.head;
            let mut way = link.walk();
            let mut edge = way;
            let mut met = false;
            // SAFETY: invariant 3 of the chain.
            while let Some(node) = unsafe { edge.follow() } {
                met |= edge == target;
                let next = node.next.walk();
                if next.is_marked() {
                    edge = next.plain();
                } else if met {
                    break;
                } else {
                    (link, way, edge) = (&node.next, next, next);
                }
            }
            // Not met: it was cut out by another.
            if met && way != edge && !self.snip(link, way, edge, guard) {
                continue 'again;
            }
            return;
        }
    }
}
