//! How many entries there are: a counter, and shards of it once the tree is large.
//!
//! Every counter wraps; their sum does not, at a moment when nobody writes.
//!
//! # Orderings
//!
//! Counts are Relaxed: they order nothing.

use core::ptr;

use smr_core::sync::{AtomicPtr, AtomicUsize, Ordering};

use crate::tunables::{SHARD_FROM, SHARDS};

/// Each on lines of its own.
#[repr(align(128))]
struct Shard(AtomicUsize);

type Shards = [Shard; SHARDS];

pub(crate) struct Length {
    first: AtomicUsize,
    shards: AtomicPtr<Shards>,
}

impl Length {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Self {
            first: AtomicUsize::new(0),
            shards: AtomicPtr::new(ptr::null_mut()),
        }
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self {
            first: AtomicUsize::new(0),
            shards: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Adds to the length; `by` may be negative.
    #[inline]
    pub(crate) fn add(&self, by: isize) {
        if let Some(shards) = self.shards() {
            // Relaxed: see the head of the file.
            shards[place()].0.fetch_add(by as usize, Ordering::Relaxed);
            return;
        }
        // Relaxed: see the head of the file.
        if self.first.fetch_add(by as usize, Ordering::Relaxed) == SHARD_FROM {
            self.shard();
        }
    }

    /// The length. While others write, the count of some moment of each counter.
    pub(crate) fn sum(&self) -> usize {
        // Relaxed: see the head of the file.
        let mut sum = self.first.load(Ordering::Relaxed);
        for shard in self.shards().into_iter().flatten() {
            // Relaxed: see the head of the file.
            sum = sum.wrapping_add(shard.0.load(Ordering::Relaxed));
        }
        // Others may have removed in one shard what they added in another.
        if (sum as isize) < 0 { 0 } else { sum }
    }

    #[inline]
    fn shards(&self) -> Option<&Shards> {
        // Acquire: pairs with the Release in `shard`, so that the counters are there.
        let shards = self.shards.load(Ordering::Acquire);
        // SAFETY: made by `shard`, and freed with us.
        unsafe { shards.as_ref() }
    }

    /// Counts in shards from now on. Without memory for them it goes on as it is.
    #[cold]
    fn shard(&self) {
        let mut shards = Vec::new();
        if shards.try_reserve_exact(SHARDS).is_err() {
            return;
        }
        shards.resize_with(SHARDS, || Shard(AtomicUsize::new(0)));
        let new = Box::into_raw(shards.into_boxed_slice()).cast::<Shards>();
        // Release: pairs with the Acquire in `shards`. Relaxed: theirs is not looked at.
        let exchanged = self.shards.compare_exchange(
            ptr::null_mut(),
            new,
            Ordering::Release,
            Ordering::Relaxed,
        );
        if exchanged.is_err() {
            // SAFETY: ours was never published.
            drop(unsafe { Box::from_raw(new) });
        }
    }
}

impl Drop for Length {
    fn drop(&mut self) {
        // Relaxed: nobody else is there.
        let shards = self.shards.load(Ordering::Relaxed);
        if !shards.is_null() {
            // SAFETY: made by `shard`, and nobody else is there.
            drop(unsafe { Box::from_raw(shards) });
        }
    }
}

/// The shard of a thread.
#[inline]
fn place() -> usize {
    std::thread_local! {
        static PLACE: u8 = const { 0 };
    }
    // Where the thread's locals are: threads have them far apart.
    let at = PLACE.try_with(|place| ptr::from_ref(place).addr());
    at.map_or(0, |at| {
        (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) as usize >> 40
    }) % SHARDS
}
