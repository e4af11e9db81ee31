//! The inside of a pool: what ends of its own sections collect.
//!
//! A domain's sweeps do not reach the values of a pool that may borrow. The
//! pool's own guards do: each looks, at both ends, at three words that are
//! seldom written.
//!
//! ```text
//!   waits    something was retired since the last collection began, or was left
//!   wanted   the highest goal that a poll for this pool was made for
//!   last     when the last collection was made that looked at the time
//! ```
//!
//! # Orderings
//!
//! The first two are Relaxed, as is the third, of which [`crate::pace`] speaks.
//!
//! `wanted` against the end of a section, two cases: the poll that raised
//! `wanted` and then made its heavy barrier sees that the section has ended; or
//! it does not, and then the load of `wanted` after the end comes after that
//! barrier and sees it. The section's sequence is below the goal, or the poll
//! would not have failed because of it. Model: `end_of_a_pools_section`; with the
//! asymmetric barrier it is the litmus shape `exit-assist`, word for mark.
//!
//! `waits` is set behind the latch of a cache, or before the lock of the depot is
//! given back, and cleared before a collection claims those latches: either it
//! finds what was put there, or it meets the owner inside and sets `waits`
//! itself, or the owner entered later and saw that it is clear.

use crate::guard::Guard;
use crate::pace::Pace;
use crate::raw::cache::Cache;
use crate::raw::inner::count;
use crate::raw::latch::Busy;
use crate::raw::participant::Participant;
use crate::raw::pool::PoolInner;
use crate::raw::pools;
use crate::run;
use crate::sync::{AtomicBool, AtomicU64, Ordering, mutant};

#[derive(Default)]
pub(crate) struct Tend {
    wanted: AtomicU64,
    last: Pace,
    waits: AtomicBool,
}

impl Tend {
    /// Something was retired. See above for where this is called.
    #[inline(always)]
    pub(crate) fn note(&self) {
        if !self.waits.load(Ordering::Relaxed) {
            self.waits.store(true, Ordering::Relaxed);
        }
    }

    /// Before a poll: sections that are in the way of `goal` come back to it.
    pub(crate) fn want(&self, goal: u64) {
        if !mutant("goal_not_wanted") {
            self.wanted.fetch_max(goal, Ordering::Relaxed);
        }
    }

    #[inline(always)]
    fn waits(&self) -> bool {
        self.waits.load(Ordering::Relaxed)
    }
}

/// A pool, whatever it holds.
pub(crate) trait Tended {
    /// `None` while the pool has never been used.
    fn tend(&self) -> Option<&Tend>;

    /// Collects: for the goal that was wanted, or all that can be had.
    fn collect(&self, wanted: Option<u64>);
}

/// A section, for a pool.
pub(crate) struct Visit<'p, P: ?Sized> {
    pool: &'p P,
    tend: Option<&'p Tend>,
    /// Whether something waited when it began.
    waited: bool,
}

/// What a section was when it ended.
#[derive(Clone, Copy)]
pub(crate) struct End {
    /// 0 if it goes on, in another guard.
    seq: u64,
    looks: bool,
}

impl<'p, P: Tended + ?Sized> Visit<'p, P> {
    #[inline(always)]
    pub(crate) fn begin(pool: &'p P) -> Self {
        let tend = pool.tend();
        Self {
            pool,
            tend,
            waited: tend.is_some_and(Tend::waits),
        }
    }

    /// To be asked before the section is left.
    #[inline(always)]
    pub(crate) fn end(&self, guard: &Guard) -> End {
        let nested = End {
            seq: 0,
            looks: false,
        };
        guard.slot().map_or(nested, |slot| {
            if !slot.is_outermost() {
                return nested;
            }
            End {
                // Relaxed: our own store.
                seq: slot.seq.load(Ordering::Relaxed),
                looks: !self.waited || slot.is_turn_to_look(),
            }
        })
    }

    /// To be called after the section was left.
    #[inline(always)]
    pub(crate) fn leave(&self, end: End) {
        if end.seq == 0 {
            return;
        }
        let Some(tend) = self.tend.or_else(|| self.pool.tend()) else {
            return;
        };
        let wanted = tend.wanted.load(Ordering::Relaxed);
        if end.seq < wanted {
            self.pool.collect(Some(wanted));
        } else if end.looks && tend.waits() {
            self.look(tend);
        }
    }

    #[cold]
    #[inline(never)]
    fn look(&self, tend: &Tend) {
        if tend.last.is_due() == Some(true) {
            self.pool.collect(None);
        }
    }

    /// The section has moved to the present.
    pub(crate) fn go_on(&mut self, end: End) {
        self.leave(end);
        *self = Self::begin(self.pool);
    }
}

impl<T> PoolInner<T> {
    /// Polls for a goal of items that are to be dropped.
    pub(crate) fn poll_for_drops(&self, goal: u64) -> bool {
        if !self.node.is_reached() && !self.inner().clock.is_expired(goal) {
            self.tend.want(goal);
        }
        self.inner().poll(goal)
    }

    /// Drops what waits: up to the goal that a section was in the way of, or all
    /// that no reader holds up.
    ///
    /// Only the latter polls for a goal of its own. So a section that has ended
    /// never makes others come back, and they come to an end however many there
    /// are.
    #[cold]
    #[inline(never)]
    pub(crate) fn collect_for_readers(&self, wanted: Option<u64>) {
        self.collect_as(wanted, Busy::Ask);
    }

    /// What the owner of a cache does at the end of its work whom a sweep, or the end of a
    /// section, found at it: nobody else need come again.
    #[cold]
    #[inline(never)]
    pub(crate) fn collect_missed(&self, slot: &Participant, cache: &Cache<T>) {
        self.hand_over(slot, cache);
        if !self.node.is_reached() {
            // Relaxed: raised before the barrier behind which we were asked.
            let wanted = self.tend.wanted.load(Ordering::Relaxed);
            self.collect_as(Some(wanted), Busy::Leave);
        }
    }

    fn collect_as(&self, wanted: Option<u64>, busy: Busy) {
        let inner = self.inner();
        inner.collecting(|| {
            count(&inner.counts.sweeps, 1);
            self.tend.waits.store(false, Ordering::Relaxed);
            let busy = pools::gather_one(inner, self.as_node(), busy);
            self.poll_for_drops(wanted.unwrap_or_else(|| inner.clock.now()));
            let panic = pools::run_one(inner, self.as_node());
            // The guard that ends borrows the pool: it is there still.
            if busy != Some(false) || self.depot.with(|depot| depot.holds_retired(u64::MAX)) {
                self.tend.note();
            }
            panic.unwrap_or_else(run::Panic::none)
        });
    }
}
