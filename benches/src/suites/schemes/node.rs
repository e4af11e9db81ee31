//! A node, and the count of those that are gone.

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use crossbeam_utils::CachePadded;

use crate::alloc;

/// A node: key, value, link.
#[derive(Debug)]
pub(crate) struct Node {
    key: AtomicU64,
    value: AtomicU64,
    pub(super) next: AtomicPtr<Node>,
}

/// What a value and its key add up to: who reads a node that is gone sees it.
const SUM: u64 = 0x5eed_0000_0000;
/// The key of a node that is gone.
const GONE: u64 = u64::MAX;

/// Destructors that have run, one counter for each counter of the allocator.
static DROPPED: [CachePadded<AtomicU64>; alloc::SHARDS] =
    [const { CachePadded::new(AtomicU64::new(0)) }; alloc::SHARDS];

/// How many nodes have been destroyed since the process began.
pub(super) fn dropped() -> u64 {
    let counts = DROPPED[..alloc::shards()].iter();
    counts.map(|count| count.load(Ordering::Relaxed)).sum()
}

impl Node {
    /// A node that is not linked.
    #[inline(always)]
    pub(super) fn new(key: u64) -> Self {
        Self {
            key: AtomicU64::new(key),
            value: AtomicU64::new(SUM - key),
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    #[inline(always)]
    pub(super) fn key(&self) -> u64 {
        self.key.load(Ordering::Relaxed)
    }

    #[inline(always)]
    pub(super) fn value(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }

    /// Whether this is the value of the key.
    #[inline(always)]
    pub(super) fn belongs(value: u64, key: u64) -> bool {
        value.wrapping_add(key) == SUM
    }
}

impl Drop for Node {
    #[inline(always)]
    fn drop(&mut self) {
        // Seen by whoever still reads it.
        self.key.store(GONE, Ordering::Relaxed);
        self.value.store(GONE, Ordering::Relaxed);
        alloc::add_to_own(&DROPPED, 1);
    }
}
