//! Every number that was chosen rather than derived, in one place.
//!
//! Under loom they shrink, so that a model reaches every path.

/// Bits of the key that a node looks at.
pub(crate) const BITS: u32 = if cfg!(loom) { 2 } else { 6 };

/// Levels of nodes at the most: those that a key has bits for. Models have short keys.
pub(crate) const LEVELS: usize = if cfg!(loom) { 3 } else { 11 };

/// Slots of the small node, which with its head fills one cache line; and of the next
/// two, which fill two and four.
pub(crate) const SMALL: usize = if cfg!(loom) { 3 } else { 6 };
/// See [`SMALL`].
pub(crate) const MIDDLE: usize = if cfg!(loom) { 3 } else { 13 };
/// See [`SMALL`].
pub(crate) const LARGE: usize = if cfg!(loom) { 3 } else { 27 };
/// Slots of the full node, one for each value of the bits that it looks at.
pub(crate) const FULL: usize = 1 << BITS;

/// A node of each shape becomes a smaller one, or goes, when it has so few children
/// left. Far enough below what the smaller one holds, so that a few keys that come and
/// go do not rebuild it each time.
pub(crate) const SPARSE: [usize; 4] = if cfg!(loom) { [1; 4] } else { [1, 3, 9, 18] };

/// One slot in so many stays free in a node that is built, so that growing is paid for
/// by the insertions between.
pub(crate) const SLACK: usize = 4;

/// A full node is counted when so many neighbouring slots have become empty: counting
/// it costs as many loads as it has slots.
pub(crate) const NEIGHBOURS: usize = if cfg!(loom) { 1 } else { 4 };

/// A full node that loses its children in order is left as it is until so few are left,
/// which a small one has room for: each size in between would be made for a few removals.
pub(crate) const REST: usize = if cfg!(loom) { 1 } else { 4 };

/// So many slots at each end of a full node tell whether its entries are a row, which is
/// taken to go on in the next node: that is full from its beginning then.
pub(crate) const ROW: usize = if cfg!(loom) { 1 } else { 8 };

/// One entry in so many slots makes a row: several threads may take turns at it, and one of
/// them be far ahead.
pub(crate) const SHARE: usize = 4;

/// Children of a node whose memory a walk asks for at the most when it enters the node.
pub(crate) const AHEAD: usize = 32;

/// How many slots further a walk asks for memory in a full node of leaves.
pub(crate) const NEAR: usize = 8;
