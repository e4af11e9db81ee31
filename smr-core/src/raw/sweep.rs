//! Collecting for everybody: the cold half of reclamation.
//!
//! A sweep gathers what all participants and pools hold, into the depots; polls
//! once; and runs what has expired. It is what a thread does that stops retiring or
//! exits, and what `flush`, `barrier` and the reaper call. Gathering goes through the
//! latches: all are claimed, then one heavy barrier is made, then those whose owner
//! is out are emptied.
//!
//! A marked reader does the same at its exit, but that its poll marks no readers that
//! are in the way of newer garbage alone: see [`crate::raw::poll`].

use core::time::Duration;

use alloc::vec::Vec;

#[cfg(all(feature = "std", not(loom)))]
use crate::fork;
use crate::ord;
use crate::raw::inner::{Inner, count};
use crate::raw::latch::Busy;
use crate::raw::participant::Participant;
use crate::raw::pools::{self, NodeRef};
use crate::run;
use crate::sync::mutant;
use crate::tunables::{DROPS_PER_RETIRE, QUIET_EXITS, TIDY_EXITS};
use crate::wait::{self, WaitError};

impl Inner {
    /// Runs a collection, unless this thread is in one of this domain already.
    /// If a section inside one of its destructors held something up, a sweep
    /// follows.
    pub(crate) fn collecting(&self, collect: impl FnOnce() -> run::Panic) {
        let first_panic = {
            let Some(frame) = run::enter(self.id) else {
                return;
            };
            let mut first_panic = collect();
            while frame.is_wanted_again() {
                first_panic.keep(self.sweep_once(Busy::Ask));
            }
            first_panic
        };
        first_panic.go_on();
    }

    /// Gathers, polls, runs what has expired. Does not wait for readers.
    #[cold]
    pub(crate) fn sweep(&self) {
        self.collecting(|| self.sweep_once(Busy::Ask));
    }

    /// A sweep by an owner that another one has missed.
    #[cold]
    pub(crate) fn sweep_for_one_missed(&self) {
        if !run::want_again(self.id) {
            self.collecting(|| self.sweep_once(Busy::Leave));
        }
    }

    /// A sweep that must not get lost: inside a destructor of this domain, the
    /// collection that runs it goes round once more.
    pub(crate) fn sweep_or_ask(&self) {
        if !run::want_again(self.id) {
            self.sweep();
        }
    }

    fn sweep_once(&self, busy: Busy) -> run::Panic {
        count(&self.counts.sweeps, 1);
        self.gather(busy);
        // What was gathered has goals up to now.
        self.poll(self.clock.now());
        self.run_everything_expired()
    }

    fn run_everything_expired(&self) -> run::Panic {
        let mut first_panic = self.run_expired_of_depot(usize::MAX);
        first_panic.keep(pools::run_expired(self));
        first_panic
    }

    /// What the end of a section does that polls have waited for.
    fn collect_wanted(&self) -> run::Panic {
        count(&self.counts.sweeps, 1);
        self.gather(Busy::Ask);
        self.poll_for_wanted();
        self.run_everything_expired()
    }

    /// Moves what participants and pools hold to the depots. Returns how many
    /// owners were in the way.
    fn gather(&self, busy: Busy) -> usize {
        let mut claimed = Vec::new();
        for slot in self.registry.iter().filter(|slot| slot.has_garbage()) {
            // Whoever has the latch may poll for less than we are to poll for, or only
            // look at figures.
            slot.latch.claim_in_turn();
            claimed.push(slot);
        }
        let any = !claimed.is_empty();
        pools::gather(self, busy, any, |done| {
            self.gather_claimed(claimed, done, busy)
        })
    }

    /// Moves what is behind claimed latches to the depot, if a heavy barrier was
    /// made, and gives them back. Returns how many owners were in the way.
    fn gather_claimed(&self, claimed: Vec<&Participant>, done: bool, busy: Busy) -> usize {
        let mut skipped = 0;
        for slot in claimed {
            // A writer may stop after this, so what it holds should not be missed
            // because it is at it now.
            if done && slot.is_of_this_process() {
                slot.latch.let_owner_out();
            }
            let empty = || {
                slot.with_bins_of_stranger(|bins| self.empty_into_depot(bins))
                    .is_some()
            };
            let ask = || {
                busy == Busy::Ask && slot.is_of_this_process() && {
                    slot.ask();
                    mutant("asked_no_barrier") || self.clock.barrier()
                }
            };
            let emptied = done && (empty() || (ask() && empty()));
            if !emptied {
                // In a forked child the owner may be inside for ever, half way
                // through a change: then what it holds is left alone.
                skipped += usize::from(slot.is_of_this_process());
            }
            slot.latch.give_back();
        }
        self.depot.with(|depot| depot.seal(self.clock.advance()));
        skipped
    }

    /// Leaves the collecting to the reaper, if there is one.
    #[cfg(all(feature = "std", not(loom)))]
    fn wake_reaper(&self) -> bool {
        self.reaper.with(|reaper| {
            // In a forked child there is none.
            reaper.take_if(|awake| awake.generation != fork::generation());
            reaper.as_ref().map(|awake| awake.thread.unpark()).is_some()
        })
    }

    #[cfg(any(not(feature = "std"), loom))]
    fn wake_reaper(&self) -> bool {
        false
    }

    /// A marked reader has left.
    #[cold]
    pub(crate) fn assist(&self) {
        count(&self.counts.assists, 1);
        self.wake_waiters();
        // Inside a destructor of this domain, the collection that runs it goes round
        // once more.
        if !self.wake_reaper() && !run::want_again(self.id) {
            self.collect_for_readers();
        }
    }

    /// Collects what readers that have left were in the way of.
    pub(crate) fn collect_for_readers(&self) {
        self.collecting(|| self.collect_wanted());
    }

    /// An outermost exit of a participant that holds garbage, the `quiet`th since it
    /// last retired: once in [`TIDY_EXITS`].
    pub(crate) fn tidy(&self, slot: &Participant, quiet: u32) {
        self.run_ready(slot, DROPS_PER_RETIRE * TIDY_EXITS as usize);
        let closed = self.is_closed();
        if quiet < QUIET_EXITS && !closed {
            return;
        }
        // If another did just now, the next of those exits tries again.
        if closed || self.tidied.is_due() != Some(false) {
            slot.reset_quiet();
            self.hand_over_and_forget(slot);
            self.sweep_or_ask();
        }
    }

    /// Leaves the owner nothing to collect.
    pub(crate) fn hand_over_and_forget(&self, slot: &Participant) {
        if mutant("garbage_forgotten_first") {
            slot.forget_garbage();
        }
        // In this order: a barrier passes over slots without the flag.
        self.hand_over(slot);
        slot.forget_garbage();
    }

    /// Collects what the owner holds, as far as it has expired, and what others
    /// left in the depots.
    pub(crate) fn flush(&self) {
        self.sweep();
    }

    /// Waits until everything that was retired before has been destroyed: of the
    /// domain, of the pools that it reaches, and of one that it may not reach by
    /// itself.
    pub(crate) fn barrier(
        &self,
        timeout: Option<Duration>,
        scoped: Option<NodeRef>,
    ) -> Result<(), WaitError> {
        if self.in_own_destructor() || run::is_collecting(self.id) {
            return Err(WaitError::InDestructor);
        }
        if self.in_own_section() {
            return Err(WaitError::InSection);
        }
        // 1. Everything into the depots.
        let gathered = wait::until_timeout(self, timeout, || {
            let busy = scoped
                .is_some_and(|node| pools::gather_one(self, node, Busy::Leave).unwrap_or(true));
            self.gather(Busy::Leave) == 0 && !busy
        });
        if !gathered {
            return Err(WaitError::Timeout);
        }
        // 2. Past all readers.
        let goal = self.clock.advance();
        if !wait::until_timeout(self, timeout, || self.poll(goal)) {
            return Err(WaitError::Timeout);
        }
        // 3. Run it; other sweeps may hold pools meanwhile, and put them back.
        let ran = wait::until_timeout(self, timeout, || {
            let mut busy = false;
            self.collecting(|| {
                let mut first_panic = self.run_everything_expired();
                if let Some(node) = scoped {
                    match pools::run_one(self, node) {
                        Some(panic) => first_panic.keep(panic),
                        None => busy = true,
                    }
                }
                first_panic
            });
            !busy && !pools::have_garbage(self, goal)
        });
        if !ran {
            return Err(WaitError::Timeout);
        }
        // 4. And wait for what others had in hand.
        let running: Vec<_> = self
            .registry
            .iter()
            .filter_map(|slot| {
                // Acquire: pairs with the Release in `Running::drop`.
                let count = slot.running.load(ord::running_look());
                (count % 2 == 1 && !mutant("running_not_seen") && slot.is_of_this_process())
                    .then_some((slot, count))
            })
            .collect();
        let mut left = 2;
        let done = wait::until_timeout(self, timeout, || {
            // Both counters in turn: an earlier barrier may have given up.
            while left > 0 {
                self.depot.with(|_| self.hands.avoid(left - 1));
                if !self.hands.are_empty(left - 1) {
                    return false;
                }
                left -= 1;
            }
            running.iter().all(|(slot, count)| {
                // Acquire: pairs with the Release in `Running::drop`.
                slot.running.load(ord::running_look()) != *count
            })
        });
        if done {
            Ok(())
        } else {
            Err(WaitError::Timeout)
        }
    }

    /// The last handle is gone: destroys what can be destroyed. What a reader
    /// still holds up goes when that reader leaves.
    #[cold]
    pub(crate) fn close(&self) {
        self.sweep_or_ask();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Nobody holds a slot, so nobody is inside: all has expired.
        let mut first_panic = run::Panic::none();
        for slot in self.registry.iter() {
            let mut bins = slot.bins.with_mut(|bins| {
                // SAFETY: exclusive: the last reference is being dropped.
                core::mem::take(unsafe { &mut *bins })
            });
            bins.seal(0);
            self.depot.with(|depot| depot.absorb(bins));
        }
        loop {
            let Some(bucket) = self.depot.with(|depot| {
                depot.seal(0);
                depot.take_ready_bucket().or_else(|| depot.take_sealed())
            }) else {
                break;
            };
            first_panic.keep(Self::run_bucket(bucket));
        }
        first_panic.go_on();
    }
}
