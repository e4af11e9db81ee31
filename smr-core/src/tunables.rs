//! Every number that was chosen rather than derived, in one place.
//!
//! Under loom, and under `--cfg smr_tiny` in stress builds, they shrink, so that
//! limits are reached and every path is taken all the time.

const TINY: bool = cfg!(any(loom, smr_tiny));

/// First sequence. Above a 32-bit boundary in debug builds, so that code which
/// cuts a sequence to 32 bits is caught there and not after an hour of traffic.
pub(crate) const FIRST_SEQ: u64 = if cfg!(debug_assertions) {
    (1 << 32) - 3
} else {
    1
};

/// Slots in the first segment of a registry; each later segment doubles.
pub(crate) const FIRST_SEGMENT: u32 = if TINY { 2 } else { 4 };

/// Segments of a registry. With [`FIRST_SEGMENT`] this bounds the slots.
pub(crate) const SEGMENTS: usize = if cfg!(loom) { 2 } else { 22 };

/// Slots a domain allows unless its builder says otherwise.
pub(crate) const DEFAULT_MAX_PARTICIPANTS: u32 = if cfg!(loom) {
    FIRST_SEGMENT * 3
} else {
    1 << 20
};

/// Items of an owner's first bucket; each later one holds twice as many.
pub(crate) const FIRST_BUCKET_ITEMS: u32 = 1;

/// Items of a bucket that items of many owners are put into.
pub(crate) const SHARED_BUCKET_ITEMS: u32 = if TINY { 1 } else { 16 };

/// Items of a bucket at the most.
pub(crate) const MAX_BUCKET_ITEMS: u32 = if TINY { 2 } else { 256 };

/// Bytes of retired memory at which a bucket is sealed, however few its items.
pub(crate) const MAX_BUCKET_BYTES: usize = 64 << 10;

/// Backlog (sealed, not yet expired, of one participant) at which a poll is
/// worth its barrier, however fast items come: at least this many items ...
pub(crate) const MIN_POLL_ITEMS: usize = if TINY { 1 } else { 256 };

/// ... at most this many ...
pub(crate) const MAX_POLL_ITEMS: usize = if TINY { 1 } else { 4 << 10 };

/// ... and never more bytes than this.
pub(crate) const MAX_POLL_BYTES: usize = 2 << 20;

/// The same bounds where destructors wait: they should run soon.
pub(crate) const MAX_DROP_POLL_ITEMS: usize = if TINY { 1 } else { 2 << 10 };
/// See [`MAX_DROP_POLL_ITEMS`].
pub(crate) const MAX_DROP_POLL_BYTES: usize = 1 << 20;

/// What a scan takes besides the barrier, with the buckets that were sealed for it, in ns.
pub(crate) const SCAN_NS: u32 = 300;

/// Memory that is only to be reused is polled for sooner if it comes slowly: for so few
/// items that scans take one part of the time in so many ...
pub(crate) const BARRIER_SHARE: u32 = 50;

/// ... but not for fewer than this.
pub(crate) const FEW_POLL_ITEMS: usize = if TINY { 1 } else { 128 };

/// Where less than this is polled for, a bucket holds a fourth of it at the most.
pub(crate) const FINE_POLL_ITEMS: usize = if TINY { 0 } else { 256 };

/// What a heavy barrier is taken to cost until it was measured, in ns.
pub(crate) const ASSUMED_BARRIER_NS: u32 = 400;

/// A measured cost above this, in ns, is a preemption and not the barrier.
pub(crate) const MAX_BARRIER_NS: u32 = 20_000;

/// Looks at the readers before a poll for plain memory gives up.
pub(crate) const LOOKS: usize = if cfg!(loom) { 1 } else { 64 };

/// Destructors that one retire runs at the most, beyond the one it adds.
pub(crate) const DROPS_PER_RETIRE: usize = 2;

/// Outermost exits without a retire after which a thread that still holds
/// garbage collects it, unless another did lately.
pub(crate) const QUIET_EXITS: u32 = if TINY { 2 } else { 64 };

/// Of those exits, one in so many looks whether there is anything to do.
pub(crate) const TIDY_EXITS: u32 = if TINY { 1 } else { 8 };

/// Ends of a pool's sections on one slot of which one looks whether it is time to
/// collect, while something waits.
pub(crate) const TEND_LOOKS: u8 = 16;

/// How long lies between two such collections, of one pool, and between two by
/// threads that stopped retiring, of one domain; in microseconds.
pub(crate) const TEND_EVERY: u32 = 1_000;

/// Bytes of a pool's first slab, and of its largest unless one item is larger.
pub(crate) const FIRST_SLAB_BYTES: usize = if TINY { 128 } else { 512 };
/// See [`FIRST_SLAB_BYTES`].
pub(crate) const MAX_SLAB_BYTES: usize = if TINY { 1 << 10 } else { 256 << 10 };

/// Items of a slab that a pool takes because its items wait, at the least ...
pub(crate) const MIN_SLAB_ITEMS: usize = 32;

/// ... and in a large pool one part of it in so many, but no more than a poll is for.
pub(crate) const SLAB_SHARE: usize = 16;

/// Bytes of a slab of a large pool: a huge page, so that its items do not cost a look
/// into the page tables each.
pub(crate) const HUGE_BYTES: usize = if TINY { 4 << 10 } else { 2 << 20 };

/// A pool takes such slabs when it has as much as so many of them for each of those
/// who use it.
pub(crate) const HUGE_FROM: usize = 2;

/// Bytes from which on memory that has to be zeros is mapped: below, an allocator that
/// clears it writes no more than the system does for one huge page.
pub(crate) const MAP_FROM_BYTES: usize = 2 * HUGE_BYTES;

/// Free items, in bytes, that one participant keeps before it shares.
pub(crate) const MAX_CACHED_BYTES: usize = if TINY { 512 } else { 2 << 20 };

/// Free items, in bytes, that may still be in the processor's nearest cache.
pub(crate) const WARM_BYTES: usize = if TINY { 64 } else { 16 << 10 };

/// The longest pause between two polls of a waiting thread, in microseconds.
#[cfg(feature = "std")]
pub(crate) const MAX_WAIT_US: u64 = 1_000;

/// From how many on a [`Counter`](crate::Counter) has shards.
pub(crate) const SHARD_FROM: isize = if TINY { 1 } else { 1 << 10 };

/// Shards of a counter at the most.
pub(crate) const MAX_SHARDS: usize = if cfg!(loom) { 1 } else { 64 };
