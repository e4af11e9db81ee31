//! What a map has besides its tables, made with the first of them: its length, and
//! what was asked for.

use core::ptr;

use smr_core::sync::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use smr_core::{Counter, Domain};

use crate::ord;
use crate::tunables::MIN_BITS;

pub(crate) struct Body {
    pub(crate) len: Counter,
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
            len: Counter::new(),
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
