//! Where leaves and nodes come from and go to.

use core::ptr::NonNull;

use smr_core::{Domain, Guard, Pool, PoolBox, PoolStats};

use crate::raw::leaf::Leaf;
use crate::raw::length::Length;
use crate::raw::node::{Draft, Full, Large, Middle, NodeRef, Shape, Small};

/// The memory of a tree, and its length. Models bring their own.
pub(crate) trait Memory<V> {
    /// A leaf that nobody has seen; the value if there is no memory.
    fn leaf(&self, key: u64, value: V) -> Result<NonNull<Leaf<V>>, V>;

    /// Takes back a leaf that nobody else can reach.
    ///
    /// # Safety
    ///
    /// It came from `leaf`, was not retired, and no section can reach it.
    unsafe fn take_leaf(&self, leaf: NonNull<Leaf<V>>) -> V;

    /// Takes over a leaf that no section that begins later can reach.
    ///
    /// # Safety
    ///
    /// It came from `leaf`, was unlinked, and is retired once.
    unsafe fn retire_leaf(&self, guard: &Guard, leaf: NonNull<Leaf<V>>);

    /// A node that nobody has seen; `None` if there is no memory.
    fn node(&self, draft: &Draft) -> Option<NodeRef<'_>>;

    /// Takes back a node that nobody else can reach.
    ///
    /// # Safety
    ///
    /// As for leaves.
    unsafe fn give_back(&self, node: NodeRef<'_>);

    /// Takes over a node that no section that begins later can reach.
    ///
    /// # Safety
    ///
    /// As for leaves.
    unsafe fn retire_node(&self, guard: &Guard, node: NodeRef<'_>);

    /// Counts an entry that came, or one that went.
    fn count(&self, by: isize);
}

/// A pool for leaves, and one for each shape of nodes. None owns memory before it is
/// used.
pub(crate) struct Pools<V> {
    pub(crate) leaves: Pool<Leaf<V>>,
    small: Pool<Small>,
    middle: Pool<Middle>,
    large: Pool<Large>,
    full: Pool<Full>,
    pub(crate) length: Length,
}

impl<V> Pools<V> {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Self {
            leaves: Pool::scoped(),
            small: Pool::scoped(),
            middle: Pool::scoped(),
            large: Pool::scoped(),
            full: Pool::scoped(),
            length: Length::new(),
        }
    }

    pub(crate) fn new_in(domain: &Domain) -> Self {
        Self {
            leaves: Pool::scoped_in(domain),
            small: Pool::scoped_in(domain),
            middle: Pool::scoped_in(domain),
            large: Pool::scoped_in(domain),
            full: Pool::scoped_in(domain),
            length: Length::new(),
        }
    }

    /// Collects what no section holds up.
    pub(crate) fn flush(&self) {
        // Nodes have no destructors, so only the first can panic.
        self.small.flush();
        self.middle.flush();
        self.large.flush();
        self.full.flush();
        self.leaves.flush();
    }

    /// Gives slabs that are wholly free back to the system.
    pub(crate) fn trim(&self) -> usize {
        self.small.trim()
            + self.middle.trim()
            + self.large.trim()
            + self.full.trim()
            + self.leaves.trim()
    }

    /// The figures of all pools, added up.
    pub(crate) fn stats(&self) -> PoolStats {
        let mut sum = PoolStats::default();
        for stats in [
            self.leaves.stats(),
            self.small.stats(),
            self.middle.stats(),
            self.large.stats(),
            self.full.stats(),
        ] {
            sum.slabs += stats.slabs;
            sum.slab_bytes += stats.slab_bytes;
            sum.live_items += stats.live_items;
            sum.retired_items += stats.retired_items;
            sum.retired_bytes += stats.retired_bytes;
            sum.free_items += stats.free_items;
            sum.caches += stats.caches;
        }
        sum
    }
}

fn published<T>(made: Option<PoolBox<'_, T>>) -> Option<NodeRef<'_>> {
    let at = made?.into_raw().as_ptr().cast();
    // SAFETY: a node, and the pool's until it is given back.
    Some(unsafe { NodeRef::new(at) })
}

/// # Safety
///
/// As for [`Memory::give_back`].
unsafe fn give_back<T>(pool: &Pool<T>, node: NodeRef<'_>) {
    let Some(item) = NonNull::new(node.as_ptr().cast()) else {
        unreachable!("nodes are somewhere");
    };
    // SAFETY: the caller's promise.
    drop(unsafe { PoolBox::from_raw(pool, item) });
}

/// # Safety
///
/// As for [`Memory::retire_node`].
unsafe fn retire<T: Send>(pool: &Pool<T>, guard: &Guard, node: NodeRef<'_>) {
    let Some(item) = NonNull::new(node.as_ptr().cast()) else {
        unreachable!("nodes are somewhere");
    };
    // SAFETY: the caller's promise.
    unsafe { pool.retire_in(guard, item) };
}

impl<V> Memory<V> for Pools<V> {
    #[inline]
    fn leaf(&self, key: u64, value: V) -> Result<NonNull<Leaf<V>>, V> {
        match self.leaves.try_alloc(Leaf::new(key, value)) {
            Ok(leaf) => Ok(leaf.into_raw()),
            Err(error) => Err(error.0.value),
        }
    }

    unsafe fn take_leaf(&self, leaf: NonNull<Leaf<V>>) -> V {
        // SAFETY: the caller's promise.
        let leaf = unsafe { PoolBox::from_raw(&self.leaves, leaf) };
        leaf.into_inner().value
    }

    #[inline]
    unsafe fn retire_leaf(&self, guard: &Guard, leaf: NonNull<Leaf<V>>) {
        // SAFETY: the caller's promise.
        unsafe { self.leaves.retire_in(guard, leaf) };
    }

    fn node(&self, draft: &Draft) -> Option<NodeRef<'_>> {
        match draft.shape() {
            Shape::Small => published(self.small.try_alloc(draft.build()).ok()),
            Shape::Middle => published(self.middle.try_alloc(draft.build()).ok()),
            Shape::Large => published(self.large.try_alloc(draft.build()).ok()),
            Shape::Full => published(self.full.try_alloc(draft.build()).ok()),
        }
    }

    unsafe fn give_back(&self, node: NodeRef<'_>) {
        match node.head().shape() {
            // SAFETY: the caller's promise.
            Shape::Small => unsafe { give_back(&self.small, node) },
            // SAFETY: the caller's promise.
            Shape::Middle => unsafe { give_back(&self.middle, node) },
            // SAFETY: the caller's promise.
            Shape::Large => unsafe { give_back(&self.large, node) },
            // SAFETY: the caller's promise.
            Shape::Full => unsafe { give_back(&self.full, node) },
        }
    }

    unsafe fn retire_node(&self, guard: &Guard, node: NodeRef<'_>) {
        match node.head().shape() {
            // SAFETY: the caller's promise.
            Shape::Small => unsafe { retire(&self.small, guard, node) },
            // SAFETY: the caller's promise.
            Shape::Middle => unsafe { retire(&self.middle, guard, node) },
            // SAFETY: the caller's promise.
            Shape::Large => unsafe { retire(&self.large, guard, node) },
            // SAFETY: the caller's promise.
            Shape::Full => unsafe { retire(&self.full, guard, node) },
        }
    }

    #[inline]
    fn count(&self, by: isize) {
        self.length.add(by);
    }
}
