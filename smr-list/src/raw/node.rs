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

    /// As [`plain`](Self::plain), for who expects no mark: a branch is foreseen, so
    /// nothing comes between the load of one link and that of the next.
    #[inline(always)]
    pub(crate) fn onward(self) -> Self {
        /// Out of line, or the compiler would make one mask of both cases.
        #[cold]
        #[inline(never)]
        fn past_mark<T>(edge: Edge<T>) -> Edge<T> {
            edge.plain()
        }
        if self.is_marked() {
            past_mark(self)
        } else {
            self
        }
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
    const_unless_modelled! {
        pub(crate) fn new(edge: Edge<T>) -> Self {
            Self(AtomicPtr::new(edge.0))
        }
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

/// Where items come from and go to: nodes, and what a queue is made of. Models bring
/// their own.
pub(crate) trait Memory<X> {
    /// An item that nobody has seen.
    fn make(&self, guard: &Guard, item: X) -> NonNull<X>;

    /// Takes over an item that no section that begins later can reach.
    ///
    /// # Safety
    ///
    /// It came from `make`, was unlinked, and is retired once.
    unsafe fn retire(&self, guard: &Guard, item: NonNull<X>);

    /// Takes back an item that nobody else can reach.
    ///
    /// # Safety
    ///
    /// It came from `make`, was not retired, and no section can reach it.
    unsafe fn take(&self, item: NonNull<X>) -> X;
}

impl<X: Send> Memory<X> for Pool<X> {
    // Inlined, so that an item is written where it is to be.
    #[inline(always)]
    fn make(&self, guard: &Guard, item: X) -> NonNull<X> {
        self.alloc_in(guard, item).into_raw()
    }

    #[inline(always)]
    unsafe fn retire(&self, guard: &Guard, item: NonNull<X>) {
        // SAFETY: the caller's promise.
        unsafe { self.retire_in(guard, item) }
    }

    unsafe fn take(&self, item: NonNull<X>) -> X {
        // SAFETY: the caller's promise.
        unsafe { PoolBox::from_raw(self, item) }.into_inner()
    }
}

/// An item before it is published: taken back if a panic comes between.
pub(crate) struct Fresh<'a, X, M: Memory<X>> {
    item: NonNull<X>,
    memory: &'a M,
}

impl<'a, X, M: Memory<X>> Fresh<'a, X, M> {
    #[inline(always)]
    pub(crate) fn new(memory: &'a M, guard: &Guard, item: X) -> Self {
        let item = memory.make(guard, item);
        Self { item, memory }
    }

    #[inline]
    pub(crate) fn item(&self) -> &X {
        // SAFETY: ours alone.
        unsafe { self.item.as_ref() }
    }

    pub(crate) fn as_ptr(&self) -> *mut X {
        self.item.as_ptr()
    }

    /// It was published.
    #[inline]
    pub(crate) fn publish<'g>(self) -> &'g X {
        let item = self.item;
        core::mem::forget(self);
        // SAFETY: reachable in the section that published it.
        unsafe { &*item.as_ptr() }
    }

    /// The item, for it is not wanted.
    pub(crate) fn into_inner(self) -> X {
        let (item, memory) = (self.item, self.memory);
        core::mem::forget(self);
        // SAFETY: never published.
        unsafe { memory.take(item) }
    }
}

impl<T, M: Memory<Node<T>>> Fresh<'_, Node<T>, M> {
    /// A node that leads nowhere yet.
    #[inline(always)]
    pub(crate) fn node<'a>(memory: &'a M, guard: &Guard, value: T) -> Fresh<'a, Node<T>, M> {
        Fresh::new(memory, guard, Node::new(value, Edge::end()))
    }

    pub(crate) fn edge(&self) -> Edge<T> {
        Edge::to(self.item)
    }

    /// The value, for the node is not wanted.
    pub(crate) fn into_value(self) -> T {
        self.into_inner().value
    }
}

impl<X, M: Memory<X>> Drop for Fresh<'_, X, M> {
    fn drop(&mut self) {
        // SAFETY: never published.
        drop(unsafe { self.memory.take(self.item) });
    }
}

/// Retires the nodes from one edge to another, all of them even when a destructor
/// that runs on the occasion panics.
pub(crate) struct Retire<'a, T, M: Memory<Node<T>>> {
    pub(crate) at: Edge<T>,
    pub(crate) to: Edge<T>,
    pub(crate) memory: &'a M,
    pub(crate) guard: &'a Guard,
}

impl<T, M: Memory<Node<T>>> Retire<'_, T, M> {
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

impl<T, M: Memory<Node<T>>> Drop for Retire<'_, T, M> {
    fn drop(&mut self) {
        self.step();
    }
}

/// Takes back every node from an edge on, to the end, whatever panics.
///
/// # Safety
///
/// Nobody else can reach them, and none was retired.
pub(crate) unsafe fn take_all<T, M: Memory<Node<T>>>(from: Edge<T>, memory: &M) {
    struct Rest<'a, T, M: Memory<Node<T>>>(Edge<T>, &'a M);
    impl<T, M: Memory<Node<T>>> Rest<'_, T, M> {
        fn step(&mut self) {
            while let Some(node) = self.0.node() {
                // SAFETY: ours alone.
                self.0 = unsafe { node.as_ref() }.next.peek().plain();
                // SAFETY: as above.
                drop(unsafe { self.1.take(node) });
            }
        }
    }
    impl<T, M: Memory<Node<T>>> Drop for Rest<'_, T, M> {
        fn drop(&mut self) {
            self.step();
        }
    }
    Rest(from, memory).step();
}
