//! What a map has besides its tables, made with the first of them: its length, and
//! what was asked for.

use core::ptr;

use smr_core::sync::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use smr_core::{Domain, try_box};

use crate::ord;
use crate::tunables::{MAX_SHARDS, MIN_BITS};

pub(crate) struct Body {
    pub(crate) len: Length,
    /// Binary logarithm of the buckets below which the table does not shrink by
    /// itself: what was asked for.
    pub(crate) floor: AtomicU32,
    /// When it expires, entries whose memory should be given back are free. 0: none.
    trim_goal: AtomicU64,
    /// How many have looked whether it has.
    trim_looks: AtomicU32,
}

impl Body {
    pub(crate) fn new() -> Self {
        Self {
            len: Length::new(),
            floor: AtomicU32::new(MIN_BITS),
            trim_goal: AtomicU64::new(0),
            trim_looks: AtomicU32::new(0),
        }
    }

    /// Much was removed: once the sections that are open have ended, its memory should
    /// be given back.
    pub(crate) fn want_trim(&self, domain: &Domain) {
        // Relaxed, as all that follows: hints, on whose strength nothing is reached.
        self.trim_looks.store(0, Ordering::Relaxed);
        let goal = domain.advance().into_raw();
        self.trim_goal.store(goal, Ordering::Relaxed);
    }

    /// Whether that is to be done now, by the caller. Asks for it more and more rarely
    /// while a section stands in the way, since a poll is dear.
    pub(crate) fn takes_trim(&self, domain: &Domain) -> bool {
        // Relaxed: a hint.
        let goal = self.trim_goal.load(Ordering::Relaxed);
        if goal == 0 {
            return false;
        }
        // Relaxed: a hint; the poll orders what it finds free.
        let looks = self.trim_looks.fetch_add(1, Ordering::Relaxed);
        let asks = looks.wrapping_add(1).is_power_of_two();
        let is_over = asks
            && domain
                .seq_from_raw(goal)
                .is_ok_and(|goal| domain.poll(goal));
        // Relaxed: who takes it takes nothing else with it.
        let take = |goal| {
            self.trim_goal
                .compare_exchange(goal, 0, Ordering::Relaxed, Ordering::Relaxed)
        };
        is_over && take(goal).is_ok()
    }
}

/// How many entries there are: a counter, and shards of it once the map is large.
///
/// Every counter wraps; their sum does not, at a moment when nobody writes. Relaxed:
/// a count orders nothing.
pub(crate) struct Length {
    first: AtomicUsize,
    shards: AtomicPtr<Shards>,
}

/// A power of two of counters, each on lines of its own.
pub(crate) struct Shards(Box<[Shard]>);

#[repr(align(128))]
#[derive(Default)]
struct Shard(AtomicUsize);

impl Length {
    fn new() -> Self {
        Self {
            first: AtomicUsize::new(0),
            shards: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Adds to the length; `by` may be negative.
    #[inline]
    pub(crate) fn add(&self, by: isize) {
        let counter = match self.shards() {
            None => &self.first,
            Some(Shards(shards)) => &shards[place() & (shards.len() - 1)].0,
        };
        // Relaxed: a count orders nothing.
        counter.fetch_add(by as usize, Ordering::Relaxed);
    }

    /// The length. While others write, the count of some moment of each counter.
    pub(crate) fn sum(&self) -> usize {
        // Relaxed: a count orders nothing.
        let mut sum = self.first.load(Ordering::Relaxed);
        for shard in self.shards().into_iter().flat_map(|shards| &shards.0) {
            sum = sum.wrapping_add(shard.0.load(Ordering::Relaxed));
        }
        // Others may have removed in one shard what they added in another.
        if (sum as isize) < 0 { 0 } else { sum }
    }

    #[inline]
    fn shards(&self) -> Option<&Shards> {
        // Acquire: pairs with the Release in `publish_first`.
        let shards = self.shards.load(ord::map_table_load());
        // SAFETY: made by `shard`, and freed with us.
        unsafe { shards.as_ref() }
    }

    /// Counts in shards from now on. Without memory for them it goes on as it is.
    #[cold]
    pub(crate) fn shard(&self) {
        if self.shards().is_some() {
            return;
        }
        let count = (2 * processors()).next_power_of_two().min(MAX_SHARDS);
        let mut shards = Vec::new();
        if shards.try_reserve_exact(count).is_err() {
            return;
        }
        shards.resize_with(count, Shard::default);
        let Some(shards) = try_box(Shards(shards.into_boxed_slice())) else {
            return;
        };
        publish_first(&self.shards, shards);
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

/// A number that differs between most threads.
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

/// Publishes something where nothing was yet, and gives what is there then: this, or
/// what another published first.
pub(crate) fn publish_first<T>(place: &AtomicPtr<T>, new: Box<T>) -> *mut T {
    let new = Box::into_raw(new);
    // Release: pairs with the Acquire of those who look it up; Acquire: as there.
    match place.compare_exchange(
        ptr::null_mut(),
        new,
        ord::map_table_publish(),
        ord::map_table_load(),
    ) {
        Ok(_) => new,
        Err(theirs) => {
            // SAFETY: ours was never published.
            drop(unsafe { Box::from_raw(new) });
            theirs
        }
    }
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
    std::thread::available_parallelism().map_or(1, usize::from)
}
