//! Where leaves and nodes come from and go to.

use core::ptr::NonNull;

use smr_core::{Counter, Domain, Guard, Pool, PoolBox, PoolStats, Room};

use crate::raw::leaf::Leaf;
use crate::raw::node::{Draft, Full, Large, Middle, NodeRef, Shape, Small};

/// The memory of a tree, and its length. Models bring their own.
pub(crate) trait Memory<V> {
    /// What retiring a leaf may need memory for.
    type LeafRoom;

    /// What retiring a node may need memory for.
    type NodeRoom;

    /// A leaf that nobody has seen; the value if there is no memory.
    fn leaf(&self, key: u64, value: V) -> Result<NonNull<Leaf<V>>, V>;

    /// Takes back a leaf that nobody else can reach.
    ///
    /// # Safety
    ///
    /// It came from `leaf`, was not retired, and no section can reach it.
    unsafe fn take_leaf(&self, leaf: NonNull<Leaf<V>>) -> V;

    /// Room to retire a leaf, for who cannot go without; `None` if there is no memory.
    fn leaf_room(&self, guard: &Guard) -> Option<Self::LeafRoom>;

    /// Takes over a leaf that no section that begins later can reach. With the guard's
    /// room it needs no memory.
    ///
    /// # Safety
    ///
    /// It came from `leaf`, was unlinked, and is retired once.
    unsafe fn retire_leaf(
        &self,
        guard: &Guard,
        leaf: NonNull<Leaf<V>>,
        room: Option<Self::LeafRoom>,
    );

    /// A node that nobody has seen; `None` if there is no memory.
    fn node(&self, draft: &Draft<'_>) -> Option<NodeRef<'_>>;

    /// Takes back a node that nobody else can reach.
    ///
    /// # Safety
    ///
    /// As for leaves.
    unsafe fn give_back(&self, node: NodeRef<'_>);

    /// Room to retire a node; `None` if there is no memory.
    fn node_room(&self, guard: &Guard, node: NodeRef<'_>) -> Option<Self::NodeRoom>;

    /// Takes over a node that no section that begins later can reach, with the guard's
    /// room for it.
    ///
    /// # Safety
    ///
    /// As for leaves, and the room was made for this node.
    unsafe fn retire_node(&self, guard: &Guard, node: NodeRef<'_>, room: Self::NodeRoom);

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
    pub(crate) length: Counter,
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
            length: Counter::new(),
        }
    }

    pub(crate) fn new_in(domain: &Domain) -> Self {
        Self {
            leaves: Pool::scoped_in(domain),
            small: Pool::scoped_in(domain),
            middle: Pool::scoped_in(domain),
            large: Pool::scoped_in(domain),
            full: Pool::scoped_in(domain),
            length: Counter::new(),
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
        self.leaves.stats()
            + self.small.stats()
            + self.middle.stats()
            + self.large.stats()
            + self.full.stats()
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
unsafe fn retire<T: Send>(pool: &Pool<T>, guard: &Guard, node: NodeRef<'_>, room: Room<T>) {
    let Some(item) = NonNull::new(node.as_ptr().cast()) else {
        unreachable!("nodes are somewhere");
    };
    // SAFETY: the caller's promise.
    unsafe { pool.retire_into(guard, item, room) };
}

/// Room in the pool of a shape.
pub(crate) enum NodeRoom {
    Small(Room<Small>),
    Middle(Room<Middle>),
    Large(Room<Large>),
    Full(Room<Full>),
}

impl<V> Memory<V> for Pools<V> {
    type LeafRoom = Room<Leaf<V>>;
    type NodeRoom = NodeRoom;

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

    fn leaf_room(&self, guard: &Guard) -> Option<Self::LeafRoom> {
        self.leaves.room(guard).ok()
    }

    #[inline]
    unsafe fn retire_leaf(
        &self,
        guard: &Guard,
        leaf: NonNull<Leaf<V>>,
        room: Option<Self::LeafRoom>,
    ) {
        match room {
            // SAFETY: the caller's promise.
            None => unsafe { self.leaves.retire_in(guard, leaf) },
            // SAFETY: the caller's promise.
            Some(room) => unsafe { self.leaves.retire_into(guard, leaf, room) },
        }
    }

    fn node(&self, draft: &Draft<'_>) -> Option<NodeRef<'_>> {
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

    fn node_room(&self, guard: &Guard, node: NodeRef<'_>) -> Option<NodeRoom> {
        let room = match node.head().shape() {
            Shape::Small => NodeRoom::Small(self.small.room(guard).ok()?),
            Shape::Middle => NodeRoom::Middle(self.middle.room(guard).ok()?),
            Shape::Large => NodeRoom::Large(self.large.room(guard).ok()?),
            Shape::Full => NodeRoom::Full(self.full.room(guard).ok()?),
        };
        Some(room)
    }

    unsafe fn retire_node(&self, guard: &Guard, node: NodeRef<'_>, room: NodeRoom) {
        match room {
            // SAFETY: the caller's promise; room was asked for it, so it is of this shape.
            NodeRoom::Small(room) => unsafe { retire(&self.small, guard, node, room) },
            // SAFETY: as above.
            NodeRoom::Middle(room) => unsafe { retire(&self.middle, guard, node, room) },
            // SAFETY: as above.
            NodeRoom::Large(room) => unsafe { retire(&self.large, guard, node, room) },
            // SAFETY: as above.
            NodeRoom::Full(room) => unsafe { retire(&self.full, guard, node, room) },
        }
    }

    #[inline]
    fn count(&self, by: isize) {
        self.length.add(by);
    }
}
