//! Nodes, the links between them, and the memory that they come from.
//!
//! A link is one word: the address of the next node, and in its lowest bit a
//! *mark*, which says that the node that the link is **in** has been removed. A
//! marked link never changes again, so a removed node keeps its way on for the
//! readers that stand on it.

use core::ptr::{self, NonNull};

use smr_core::sync::{AtomicPtr, Ordering};
use smr_core::{Guard, Pool, PoolBox};

use crate::ord;

/// One element and the way on.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Node<T> {
    pub(crate) next: Link<T>,
    pub(crate) value: T,
}

// SAFETY: nodes wait in a scoped pool, which only those reach who have the list:
// their values are dropped on threads that the list may be used on, and each list
// says which these are.
unsafe impl<T> Send for Node<T> {}

impl<T> Node<T> {
    pub(crate) fn new(value: T, next: Edge<T>) -> Self {
        Self {
            next: Link::new(next),
            value,
        }
    }
}

/// What a link holds: an address and a mark.
#[derive(Debug)]
pub(crate) struct Edge<T>(*mut Node<T>);

impl<T> Clone for Edge<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Edge<T> {}

impl<T> PartialEq for Edge<T> {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.0, other.0)
    }
}

impl<T> Edge<T> {
    pub(crate) const fn end() -> Self {
        Self(ptr::null_mut())
    }

    pub(crate) fn to(node: NonNull<Node<T>>) -> Self {
        Self(node.as_ptr())
    }

    #[inline(always)]
    pub(crate) fn is_marked(self) -> bool {
        self.0.addr() & 1 != 0
    }

    #[inline(always)]
    pub(crate) fn marked(self) -> Self {
        Self(self.0.map_addr(|addr| addr | 1))
    }

    /// The same way, without the mark.
    #[inline(always)]
    pub(crate) fn plain(self) -> Self {
        Self(self.0.map_addr(|addr| addr & !1))
    }

    pub(crate) fn node(self) -> Option<NonNull<Node<T>>> {
        NonNull::new(self.plain().0)
    }

    /// The node that an unmarked edge leads to.
    ///
    /// # Safety
    ///
    /// The edge is unmarked, and what it leads to was reachable at some moment of
    /// a section that lasts for `'g`, or nobody frees it during `'g`.
    #[inline(always)]
    pub(crate) unsafe fn follow<'g>(self) -> Option<&'g Node<T>> {
        // SAFETY: the caller's promise.
        unsafe { self.0.as_ref() }
    }
}

/// The word that threads share.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Link<T>(AtomicPtr<Node<T>>);

impl<T> Link<T> {
    pub(crate) fn new(edge: Edge<T>) -> Self {
        Self(AtomicPtr::new(edge.0))
    }

    /// Follows the link.
    #[inline(always)]
    pub(crate) fn walk(&self) -> Edge<T> {
        // Acquire: pairs with the Release of every exchange in `ord.rs`.
        Edge(self.0.load(ord::link_walk()))
    }

    /// What the link holds, for who will not look behind it or is alone.
    #[inline(always)]
    pub(crate) fn peek(&self) -> Edge<T> {
        // Relaxed: nothing is read through it, or nobody else is there.
        Edge(self.0.load(Ordering::Relaxed))
    }

    /// Sets the link of a node that nobody has seen.
    pub(crate) fn prepare(&self, edge: Edge<T>) {
        // Relaxed: the node is published afterwards.
        self.0.store(edge.0, Ordering::Relaxed);
    }

    /// Sets the link; only one thread may be changing it.
    pub(crate) fn set(&self, edge: Edge<T>, order: Ordering) {
        self.0.store(edge.0, order);
    }

    pub(crate) fn swap(&self, edge: Edge<T>, order: Ordering) -> Edge<T> {
        Edge(self.0.swap(edge.0, order))
    }

    /// Exchanges the link; on failure what it held.
    #[inline(always)]
    pub(crate) fn exchange(
        &self,
        from: Edge<T>,
        to: Edge<T>,
        order: Ordering,
    ) -> Result<(), Edge<T>> {
        self.0
            // Relaxed on failure: the caller walks again before it looks.
            .compare_exchange(from.0, to.0, order, Ordering::Relaxed)
            .map(|_| ())
            .map_err(Edge)
    }
}

/// Where nodes come from and go to. Models bring their own.
pub(crate) trait Memory<T> {
    /// A node that nobody has seen.
    fn make(&self, guard: &Guard, value: T, next: Edge<T>) -> NonNull<Node<T>>;

    /// As `make`, for who is alone.
    fn make_alone(&self, value: T) -> NonNull<Node<T>>;

    /// Takes over a node that no section that begins later can reach.
    ///
    /// # Safety
    ///
    /// It came from `make`, was unlinked, and is retired once.
    unsafe fn retire(&self, guard: &Guard, node: NonNull<Node<T>>);

    /// Takes back a node that nobody else can reach.
    ///
    /// # Safety
    ///
    /// It came from `make`, was not retired, and no section can reach it.
    unsafe fn take(&self, node: NonNull<Node<T>>) -> T;
}

impl<T> Memory<T> for Pool<Node<T>> {
    fn make(&self, guard: &Guard, value: T, next: Edge<T>) -> NonNull<Node<T>> {
        self.alloc_in(guard, Node::new(value, next)).into_raw()
    }

    fn make_alone(&self, value: T) -> NonNull<Node<T>> {
        self.alloc(Node::new(value, Edge::end())).into_raw()
    }

    unsafe fn retire(&self, guard: &Guard, node: NonNull<Node<T>>) {
        // SAFETY: the caller's promise.
        unsafe { self.retire_in(guard, node) }
    }

    unsafe fn take(&self, node: NonNull<Node<T>>) -> T {
        // SAFETY: the caller's promise.
        unsafe { PoolBox::from_raw(self, node) }.into_inner().value
    }
}

/// A node before it is published: taken back if a panic comes between.
pub(crate) struct Fresh<'a, T, M: Memory<T>> {
    node: NonNull<Node<T>>,
    memory: &'a M,
}

impl<'a, T, M: Memory<T>> Fresh<'a, T, M> {
    pub(crate) fn new(memory: &'a M, guard: &Guard, value: T) -> Self {
        let node = memory.make(guard, value, Edge::end());
        Self { node, memory }
    }

    pub(crate) fn as_node(&self) -> &Node<T> {
        // SAFETY: ours alone.
        unsafe { self.node.as_ref() }
    }

    pub(crate) fn edge(&self) -> Edge<T> {
        Edge::to(self.node)
    }

    /// It was published.
    pub(crate) fn publish<'g>(self) -> &'g Node<T> {
        let node = self.node;
        core::mem::forget(self);
        // SAFETY: reachable in the section that published it.
        unsafe { &*node.as_ptr() }
    }

    /// The value, for the node is not wanted.
    pub(crate) fn into_value(self) -> T {
        let (node, memory) = (self.node, self.memory);
        core::mem::forget(self);
        // SAFETY: never published.
        unsafe { memory.take(node) }
    }
}

impl<T, M: Memory<T>> Drop for Fresh<'_, T, M> {
    fn drop(&mut self) {
        // SAFETY: never published.
        drop(unsafe { self.memory.take(self.node) });
    }
}

/// Retires the nodes from one edge to another, all of them even when a destructor
/// that runs on the occasion panics.
pub(crate) struct Retire<'a, T, M: Memory<T>> {
    pub(crate) at: Edge<T>,
    pub(crate) to: Edge<T>,
    pub(crate) memory: &'a M,
    pub(crate) guard: &'a Guard,
}

impl<T, M: Memory<T>> Retire<'_, T, M> {
    /// # Safety
    ///
    /// The nodes were unlinked by this thread alone, with this exchange, and the
    /// guard's section was open when they were.
    pub(crate) unsafe fn run(mut self) {
        self.step();
    }

    fn step(&mut self) {
        while self.at != self.to {
            let Some(node) = self.at.node() else { return };
            // SAFETY: the section keeps it, also after it was retired.
            let next = unsafe { node.as_ref() }.next.walk().plain();
            self.at = next;
            // SAFETY: `run`'s promise; each is met once.
            unsafe { self.memory.retire(self.guard, node) };
        }
    }
}

impl<T, M: Memory<T>> Drop for Retire<'_, T, M> {
    fn drop(&mut self) {
        self.step();
    }
}

/// Takes back every node from an edge on, to the end, whatever panics.
///
/// # Safety
///
/// Nobody else can reach them, and none was retired.
pub(crate) unsafe fn take_all<T, M: Memory<T>>(from: Edge<T>, memory: &M) {
    struct Rest<'a, T, M: Memory<T>>(Edge<T>, &'a M);
    impl<T, M: Memory<T>> Rest<'_, T, M> {
        fn step(&mut self) {
            while let Some(node) = self.0.node() {
                // SAFETY: ours alone.
                self.0 = unsafe { node.as_ref() }.next.peek().plain();
                // SAFETY: as above.
                drop(unsafe { self.1.take(node) });
            }
        }
    }
    impl<T, M: Memory<T>> Drop for Rest<'_, T, M> {
        fn drop(&mut self) {
            self.step();
        }
    }
    Rest(from, memory).step();
}
