//! The inside of a pool: when it polls, and how.

use crate::raw::cache::Cache;
use crate::raw::participant::Participant;
use crate::raw::pool::PoolInner;
use crate::tunables::{MAX_DROP_POLL_BYTES, MAX_DROP_POLL_ITEMS, MIN_SLAB_ITEMS, SLAB_SHARE};

impl<T> PoolInner<T> {
    /// How many items should wait before a poll is worth its barrier.
    pub(crate) fn poll_step(&self) -> usize {
        let item = size_of::<T>();
        let clock = &self.inner().clock;
        if Self::NEEDS_DROP {
            clock
                .poll_step(item)
                .min(MAX_DROP_POLL_ITEMS)
                .min(MAX_DROP_POLL_BYTES / item.max(1))
                .max(1)
        } else if self.inner().is_limited() {
            clock.poll_step(item)
        } else {
            clock.memory_step(item)
        }
    }

    /// Polls for `goal`, or for what can be had from `least` on.
    pub(crate) fn poll(&self, goal: u64, least: u64) -> bool {
        // Destructors must run, and an account be settled: then the reader in
        // the way has to know.
        if Self::NEEDS_DROP {
            self.poll_for_drops(goal)
        } else if self.inner().is_limited() {
            self.inner().poll(goal)
        } else {
            self.inner().poll_lightly(goal, least)
        }
    }

    /// Polls, if enough waits in the cache or in the depot. Tells whether
    /// anything may have expired.
    pub(crate) fn poll_for(&self, slot: &Participant, cache: &Cache<T>) -> bool {
        let step = self.poll_step();
        let own = cache.with(slot.barrier(), |stock| {
            stock.bins.next_goal().filter(|_| stock.bins.is_due(step))
        });
        if let Some(goal) = own {
            let expired = self.poll(goal, goal);
            cache.with(slot.barrier(), |stock| stock.bins.polled(expired, step));
            if expired {
                return true;
            }
        }
        self.poll_for_depot(step)
    }

    pub(crate) fn poll_for_depot(&self, step: usize) -> bool {
        let goal = self.depot.with(|depot| {
            let bins = depot.bins.as_mut()?;
            bins.fit(step);
            bins.next_goal().filter(|_| bins.is_due(step))
        });
        goal.is_some_and(|goal| {
            let expired = self.poll(goal, goal);
            self.depot.with(|depot| depot.bins().polled(expired, step));
            expired
        })
    }

    /// Items of a slab that is taken while so many of the owner's wait: as many more as
    /// make a poll worth while, and so many that a large pool need not grow by few.
    pub(crate) fn slab_beside(&self, waiting: usize) -> usize {
        let item = size_of::<T>().max(1);
        let share = self.depot.with(|depot| depot.slab_bytes) / item / SLAB_SHARE;
        let share = share.min(self.inner().clock.poll_step(item));
        let most = self.poll_step().saturating_sub(waiting);
        most.max(share).max(MIN_SLAB_ITEMS)
    }
}
