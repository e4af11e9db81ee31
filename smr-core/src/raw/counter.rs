//! How many there are: a counter, and shards of it once there are many.
//!
//! Every counter wraps; their sum does not, at a moment when nobody writes.
//!
//! # Orderings
//!
//! Counts are Relaxed: they order nothing. The shards are published as anything that
//! is made and then looked up.

use core::ptr;

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::ord;
use crate::raw::try_box;
use crate::sync::{AtomicPtr, AtomicUsize, Ordering};
use crate::tunables::{MAX_SHARDS, SHARD_FROM};

/// The length of a structure that many threads change.
#[derive(Debug)]
pub struct Counter {
    first: AtomicUsize,
    shards: AtomicPtr<Shards>,
}

/// A power of two of counters.
#[derive(Debug)]
struct Shards(Box<[Shard]>);

/// Each on lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard(AtomicUsize);

impl Counter {
    /// Nothing was counted.
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self {
            first: AtomicUsize::new(0),
            shards: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Nothing was counted.
    #[cfg(loom)]
    pub fn new() -> Self {
        Self {
            first: AtomicUsize::new(0),
            shards: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Counts so many; `by` may be negative.
    #[inline]
    pub fn add(&self, by: isize) {
        if let Some(Shards(shards)) = self.shards() {
            // Relaxed: see the head of the file.
            shards[place() & (shards.len() - 1)]
                .0
                .fetch_add(by as usize, Ordering::Relaxed);
            return;
        }
        // Relaxed: see the head of the file.
        let before = self.first.fetch_add(by as usize, Ordering::Relaxed);
        if before as isize >= SHARD_FROM {
            self.shard();
        }
    }

    /// How many. While others count, the sum of what each counter was at some moment.
    pub fn sum(&self) -> usize {
        // Relaxed: see the head of the file.
        let mut sum = self.first.load(Ordering::Relaxed);
        for shard in self.shards().into_iter().flat_map(|shards| &shards.0) {
            // Relaxed: see the head of the file.
            sum = sum.wrapping_add(shard.0.load(Ordering::Relaxed));
        }
        // Others may have taken from one shard what they added to another.
        if (sum as isize) < 0 { 0 } else { sum }
    }

    #[inline]
    fn shards(&self) -> Option<&Shards> {
        // Acquire: pairs with the Release in `shard`, so that the counters are there.
        let shards = self.shards.load(ord::counter_load());
        // SAFETY: made by `shard`, and freed with us.
        unsafe { shards.as_ref() }
    }

    /// Counts in shards from now on. Without memory for them it goes on as it is.
    #[cold]
    fn shard(&self) {
        let count = (2 * processors()).next_power_of_two().min(MAX_SHARDS);
        let mut shards = Vec::new();
        if shards.try_reserve_exact(count).is_err() {
            return;
        }
        shards.resize_with(count, Shard::default);
        let Some(shards) = try_box(Shards(shards.into_boxed_slice())) else {
            return;
        };
        let new = Box::into_raw(shards);
        // Release: pairs with the Acquire in `shards`. Relaxed: theirs is not looked at.
        let exchanged = self.shards.compare_exchange(
            ptr::null_mut(),
            new,
            ord::counter_publish(),
            Ordering::Relaxed,
        );
        if exchanged.is_err() {
            // SAFETY: ours was never published.
            drop(unsafe { Box::from_raw(new) });
        }
    }
}

impl Default for Counter {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        // Relaxed: nobody else is there.
        let shards = self.shards.load(Ordering::Relaxed);
        if !shards.is_null() {
            // SAFETY: made by `shard`, and nobody else is there.
            drop(unsafe { Box::from_raw(shards) });
        }
    }
}

/// A number that differs between most threads.
#[cfg(feature = "std")]
#[inline]
fn place() -> usize {
    std::thread_local! {
        static PLACE: u8 = const { 0 };
    }
    // Where the thread's locals are: threads have them far apart.
    let at = PLACE.try_with(|place| ptr::from_ref(place).addr());
    at.map_or(0, |at| {
        (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) as usize >> 40
    })
}

/// The same for all, where threads have nothing of their own.
#[cfg(not(feature = "std"))]
#[inline]
fn place() -> usize {
    0
}

/// How many processors there are, found out without allocating.
#[cfg(all(target_os = "linux", not(any(loom, miri))))]
fn processors() -> usize {
    let ours = rustix::thread::sched_getaffinity(None);
    // An error: more than fit into a mask.
    ours.map_or(MAX_SHARDS, |ours| ours.count() as usize)
}

/// How many processors there are.
#[cfg(not(all(target_os = "linux", not(any(loom, miri)))))]
fn processors() -> usize {
    #[cfg(feature = "std")]
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    #[cfg(not(feature = "std"))]
    let count = 1;
    count
}
