//! Harris's list as `smr-list` has it, over the reclamation of others: the same walk,
//! the same snipping of a chain with one exchange, the same look-up without a write,
//! nodes of the same fields. What differs is the pin, the load and where nodes come
//! from and go to: boxes, and what the peer's documentation says.

use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::{Ordered, Walk};
use crate::subjects::Subject;

/// A reclamation that a list is written over.
pub(crate) trait Reclaimer: Sync + Sized + 'static {
    /// The name of the list over it.
    const NAME: &'static str;
    /// What it is.
    const ABOUT: &'static str;
    /// Shows that the thread is inside.
    type Guard<'r>;
    /// One of its own.
    fn new() -> Self;
    /// Enters.
    fn enter(&self) -> Self::Guard<'_>;
    /// Loads a link.
    fn load(guard: &Self::Guard<'_>, link: &AtomicPtr<Node>) -> *mut Node;
    /// Gives a node up that was unlinked.
    ///
    /// # Safety
    ///
    /// It is a box that no section that begins later finds, given up once.
    unsafe fn retire(guard: &Self::Guard<'_>, node: *mut Node);
    /// Frees what is still held.
    fn settle() {}
}

/// Over crossbeam-epoch's global collector, the way its users have it.
#[derive(Debug)]
pub(crate) struct Epoch;

impl Reclaimer for Epoch {
    const NAME: &'static str = "harris-crossbeam";
    const ABOUT: &'static str = "the same list of boxes over crossbeam-epoch";
    type Guard<'r> = crossbeam_epoch::Guard;

    fn new() -> Self {
        Self
    }

    #[inline(always)]
    fn enter(&self) -> crossbeam_epoch::Guard {
        crossbeam_epoch::pin()
    }

    #[inline(always)]
    fn load(_guard: &crossbeam_epoch::Guard, link: &AtomicPtr<Node>) -> *mut Node {
        link.load(Acquire)
    }

    #[inline(always)]
    unsafe fn retire(guard: &crossbeam_epoch::Guard, node: *mut Node) {
        let node = crossbeam_epoch::Shared::from(node.cast_const());
        // SAFETY: the caller's promise.
        unsafe { guard.defer_destroy(node) };
    }

    fn settle() {
        super::settle_epoch();
    }
}

/// Over seize, with a collector of the list's own and batches as in the other suites.
#[derive(Debug)]
pub(crate) struct Seize(seize::Collector);

impl Reclaimer for Seize {
    const NAME: &'static str = "harris-seize";
    const ABOUT: &'static str = "the same list of boxes over seize";
    type Guard<'r> = seize::LocalGuard<'r>;

    fn new() -> Self {
        Self(seize::Collector::new().batch_size(crate::subjects::seize::BATCH))
    }

    #[inline(always)]
    fn enter(&self) -> seize::LocalGuard<'_> {
        self.0.enter()
    }

    #[inline(always)]
    fn load(guard: &seize::LocalGuard<'_>, link: &AtomicPtr<Node>) -> *mut Node {
        seize::Guard::protect(guard, link, Acquire)
    }

    #[inline(always)]
    unsafe fn retire(guard: &seize::LocalGuard<'_>, node: *mut Node) {
        // SAFETY: the caller's promise.
        unsafe { seize::Guard::defer_retire(guard, node, seize::reclaim::boxed) };
    }
}

/// The fields of our node.
#[derive(Debug)]
pub(crate) struct Node {
    next: AtomicPtr<Self>,
    key: u64,
    value: u64,
}

/// A list.
#[derive(Debug)]
pub(crate) struct Harris<R: Reclaimer> {
    head: AtomicPtr<Node>,
    reclaimer: R,
}

fn is_marked(edge: *mut Node) -> bool {
    edge.addr() & 1 != 0
}

fn plain(edge: *mut Node) -> *mut Node {
    edge.map_addr(|addr| addr & !1)
}

fn marked(edge: *mut Node) -> *mut Node {
    edge.map_addr(|addr| addr | 1)
}

/// The node that an unmarked edge leads to.
#[inline(always)]
fn node<'g>(edge: *mut Node) -> Option<&'g Node> {
    // SAFETY: reached inside of a section that the caller keeps open.
    unsafe { edge.as_ref() }
}

impl<R: Reclaimer> Harris<R> {
    fn snip(guard: &R::Guard<'_>, link: &AtomicPtr<Node>, from: *mut Node, to: *mut Node) -> bool {
        if link.compare_exchange(from, to, Release, Relaxed).is_err() {
            return false;
        }
        let mut at = from;
        while at != to {
            let Some(here) = node(at) else { break };
            let next = plain(R::load(guard, &here.next));
            // SAFETY: the exchange was ours, and the chain frozen.
            unsafe { R::retire(guard, at) };
            at = next;
        }
        true
    }

    /// The link that leads to the key's place, what is there, and whether it is it.
    #[inline(always)]
    fn find<'g>(
        &'g self,
        guard: &R::Guard<'g>,
        key: u64,
    ) -> (&'g AtomicPtr<Node>, *mut Node, bool) {
        loop {
            let mut link = &self.head;
            let mut way = R::load(guard, link);
            let mut edge = way;
            let found = loop {
                let Some(here) = node(edge) else { break false };
                let next = R::load(guard, &here.next);
                if is_marked(next) {
                    edge = plain(next);
                } else if here.key < key {
                    (link, way, edge) = (&here.next, next, next);
                } else {
                    break here.key == key;
                }
            };
            if way == edge || Self::snip(guard, link, way, edge) {
                return (link, edge, found);
            }
        }
    }
}

impl<R: Reclaimer> Subject for Harris<R> {
    const NAME: &'static str = R::NAME;
    const ABOUT: &'static str = R::ABOUT;
}

impl<R: Reclaimer> Walk for Harris<R> {
    fn new() -> Self {
        Self {
            head: AtomicPtr::default(),
            reclaimer: R::new(),
        }
    }

    fn put(&mut self, key: u64, value: u64) {
        self.insert(key, value);
    }

    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        let guard = self.reclaimer.enter();
        let mut edge = R::load(&guard, &self.head);
        loop {
            let here = node(edge)?;
            if here.key < key {
                edge = plain(R::load(&guard, &here.next));
            } else {
                let there = here.key == key && !is_marked(R::load(&guard, &here.next));
                return there.then_some(here.value);
            }
        }
    }

    fn audit(&self) -> (u64, bool) {
        let guard = self.reclaimer.enter();
        let (mut count, mut grow, mut last) = (0, true, None);
        let mut edge = R::load(&guard, &self.head);
        while let Some(here) = node(edge) {
            let next = R::load(&guard, &here.next);
            if !is_marked(next) {
                count += 1;
                grow &= last < Some(here.key);
                last = Some(here.key);
            }
            edge = plain(next);
        }
        (count, grow)
    }

    fn settle() {
        R::settle();
    }
}

impl<R: Reclaimer> Ordered for Harris<R> {
    #[inline(always)]
    fn insert(&self, key: u64, value: u64) -> bool {
        let guard = self.reclaimer.enter();
        let (mut link, mut edge, found) = self.find(&guard, key);
        if found {
            return false;
        }
        let fresh = Box::into_raw(Box::new(Node {
            next: AtomicPtr::default(),
            key,
            value,
        }));
        loop {
            // SAFETY: nobody else has seen it.
            unsafe { &*fresh }.next.store(edge, Relaxed);
            if link.compare_exchange(edge, fresh, Release, Relaxed).is_ok() {
                return true;
            }
            let found;
            (link, edge, found) = self.find(&guard, key);
            if found {
                // SAFETY: nobody else has seen it.
                drop(unsafe { Box::from_raw(fresh) });
                return false;
            }
        }
    }

    #[inline(always)]
    fn remove(&self, key: u64) -> bool {
        let guard = self.reclaimer.enter();
        loop {
            let (link, edge, found) = self.find(&guard, key);
            if !found {
                return false;
            }
            let Some(here) = node(edge) else { return false };
            let next = R::load(&guard, &here.next);
            if is_marked(next) {
                continue;
            }
            let mark = here
                .next
                .compare_exchange(next, marked(next), Release, Relaxed);
            if mark.is_ok() {
                if !Self::snip(&guard, link, edge, next) {
                    self.find(&guard, key);
                }
                return true;
            }
        }
    }
}

impl<R: Reclaimer> Drop for Harris<R> {
    fn drop(&mut self) {
        let mut edge = *self.head.get_mut();
        while !edge.is_null() {
            // SAFETY: ours alone, and what is linked was not given up.
            let mut owned = unsafe { Box::from_raw(edge) };
            edge = plain(*owned.next.get_mut());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subjects::lists::testing;

    #[test]
    fn the_adapters_do_as_told() {
        testing::writes_as_told::<Harris<Epoch>>();
        testing::writes_as_told::<Harris<Seize>>();
    }
}
