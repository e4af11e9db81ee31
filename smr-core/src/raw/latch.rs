//! A lock that costs its owner two plain stores.
//!
//! What a participant has retired is touched by its owner at every operation
//! and by others almost never: when they flush, when a reader that held things
//! up leaves, when the owner has exited. So the lock is biased. The owner says
//! `busy`, looks whether the lock was revoked, and works. A stranger says
//! `revoked`, makes one heavy barrier (one for any number of latches), and may
//! touch what is behind those whose owner is not busy.
//!
//! ```text
//!   owner                        stranger
//!   busy = 1                     revoked: 0 -> 1
//!   light barrier                heavy barrier
//!   revoked == 0 ? work          busy == 0 ? work
//!   busy = 0 (Release)           revoked = 0 (Release)
//! ```
//!
//! # The two cases
//!
//! 1. The stranger's load of `busy` sees the owner's store: the stranger leaves.
//! 2. It does not: then the owner's light barrier comes after the stranger's
//!    heavy one, so the owner's load sees `revoked` and the owner waits.
//!
//! So never both. The owner waits for a stranger for as long as that moves a
//! few pointers; no user code runs behind a latch. The loom model
//! `latch_excludes` fails without either barrier, and without each ordering.

use core::hint::cold_path;

use crossbeam_utils::Backoff;

use crate::barrier::Barrier;
use crate::ord;
use crate::sync::{AtomicU32, AtomicU64, Ordering, yield_now};

#[derive(Debug, Default)]
pub(crate) struct Latch {
    busy: AtomicU64,
    revoked: AtomicU32,
}

/// The owner is inside; leaving is dropping this.
pub(crate) struct Inside<'a>(&'a Latch);

impl Drop for Inside<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // Release: pairs with the Acquire in `Latch::owner_is_out`.
        self.0.busy.store(0, ord::latch_leave());
    }
}

impl Latch {
    /// The owner goes in. Only one thread at a time may call this: the one that
    /// owns the participant.
    #[inline(always)]
    pub(crate) fn enter(&self, barrier: Barrier) -> Inside<'_> {
        debug_assert_eq!(
            self.busy.load(Ordering::Relaxed),
            0,
            "the owner is inside already"
        );
        barrier.publish(&self.busy, 1, Ordering::Relaxed);
        // Acquire: pairs with the Release in `give_back`.
        if self.revoked.load(ord::latch_revoked()) != 0 {
            cold_path();
            self.enter_slow(barrier);
        }
        Inside(self)
    }

    #[cold]
    #[inline(never)]
    fn enter_slow(&self, barrier: Barrier) {
        let backoff = Backoff::new();
        loop {
            // Release, although nothing was touched since `busy` was set: a
            // stranger that reads this 0 must still see what we did the time
            // before (the mutant `latch-give-up-relaxed` of the shape `latch`).
            self.busy.store(0, ord::latch_leave());
            while self.revoked.load(Ordering::Relaxed) != 0 {
                if backoff.is_completed() || cfg!(loom) {
                    yield_now();
                } else {
                    backoff.snooze();
                }
            }
            barrier.publish(&self.busy, 1, Ordering::Relaxed);
            if self.revoked.load(ord::latch_revoked()) == 0 {
                return;
            }
        }
    }

    /// A stranger claims the latch. It must make a heavy barrier before it asks
    /// [`owner_is_out`](Self::owner_is_out), and must
    /// [`give_back`](Self::give_back).
    pub(crate) fn claim(&self) -> bool {
        // Acquire: pairs with the Release of the stranger before us.
        self.revoked
            .compare_exchange(0, 1, ord::latch_claim(), Ordering::Relaxed)
            .is_ok()
    }

    /// After `claim` and a heavy barrier: whether the stranger may go in.
    pub(crate) fn owner_is_out(&self) -> bool {
        // Acquire: pairs with the Release in `Inside::drop`.
        self.busy.load(ord::latch_idle()) == 0
    }

    pub(crate) fn give_back(&self) {
        // Release: pairs with the Acquire in `enter` and in `claim`.
        self.revoked.store(0, ord::latch_return());
    }
}
