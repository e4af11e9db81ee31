//! Every number that was chosen rather than derived, in one place.
//!
//! Under loom they shrink, so that a model reaches every path.

/// Slots of a bucket, and of what follows it when they do not do: they fill a line of the
/// cache, with a head and a link.
pub(crate) const SLOTS: usize = if cfg!(shuttle) {
    2
} else if cfg!(loom) {
    1
} else {
    6
};

/// Entries of a bucket on the average when the table grows.
pub(crate) const MAX_LOAD: usize = if cfg!(loom) { 1 } else { 5 };

/// The table shrinks when it is less than one in so many parts full. More than two, or
/// the next removals after growth would shrink it again.
pub(crate) const SPARSE: usize = if cfg!(loom) { 2 } else { 4 };

/// Entries in a bucket from which on an insert looks whether the table is full. A
/// rarer look would let the load overshoot, a more frequent one sums the shards of
/// the length more often.
pub(crate) const LOOK_FROM: usize = if cfg!(loom) { 2 } else { 6 };

/// In a table whose length is kept in shards, writers of one in so many buckets look
/// how full it is.
pub(crate) const LOOK_EVERY: usize = 4;

/// Binary logarithm of the buckets from which on a table that shrinks has the memory of
/// removed entries given back.
pub(crate) const TRIM_FROM_BITS: u32 = 10;

/// Binary logarithm of the buckets of the smallest table.
pub(crate) const MIN_BITS: u32 = if cfg!(loom) { 1 } else { 2 };

/// Bits by which a table grows when it is full.
pub(crate) const GROW_BITS: u32 = 1;

/// Bits by which a table grows or shrinks at the most in one step, where all of it
/// is asked for: so many buckets come from one.
pub(crate) const MAX_STEP_BITS: u32 = if cfg!(loom) { 1 } else { 6 };

/// Groups of buckets that a write moves along while the table is being replaced, a power of
/// two.
pub(crate) const HELP: usize = if cfg!(loom) { 1 } else { 4 };

/// Binary logarithm of the buckets below which the writers of all of them look how full
/// the table is.
pub(crate) const LOOK_ALL_BITS: u32 = 8;

/// Look-ups of a row that are under way at a time, a power of two, and of how many of them
/// the bucket is looked at: half of the way is the bucket's, and half the entry's.
pub(crate) const TAKEN_AHEAD: usize = if cfg!(any(loom, smr_tiny)) { 2 } else { 32 };
pub(crate) const LOOKED_AHEAD: usize = TAKEN_AHEAD / 2;

/// Binary logarithm of the buckets from which on a row of look-ups, or an iteration, fetches what it
/// will look at: half a megabyte of them.
pub(crate) const FETCH_FROM_BITS: u32 = if cfg!(any(loom, smr_tiny)) { 0 } else { 13 };

/// Buckets that an iteration, and whoever moves buckets, looks ahead.
pub(crate) const AHEAD: usize = 8;

/// Entries that an iteration has ahead of it at the most, with a line to spare: a power of
/// two.
pub(crate) const FETCHED: usize = if cfg!(loom) { 4 } else { 64 };
