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
//! `latch_excludes` fails without either barrier, and without each ordering but
//! `latch_claim`: see there.
//!
//! # Forks
//!
//! `revoked` says in which generation of the process the stranger lived, and
//! whether it has gone in. In a forked child the claim of a stranger that
//! vanished is void. If it had gone in, what is behind the latch is a *wreck*,
//! perhaps half changed: whoever goes in next overwrites it without looking.
//!
//! # Orderings
//!
//! `busy` is set Relaxed: what that says to a stranger is said by the light barrier
//! behind it. Case 2 holds for a stranger's load of `busy` at any time after its
//! barrier, so it may wait for the owner to leave. Looks at `revoked` are Relaxed where nothing behind the latch is
//! touched on their strength: before an exchange, while waiting for another look, by
//! the stranger that holds the latch. The rest is in `ord`.

use core::hint::cold_path;

use crossbeam_utils::Backoff;

use crate::barrier::Barrier;
use crate::sync::{AtomicU32, AtomicU64, Ordering, mutant, yield_now};
use crate::{fork, ord};

/// The stranger has gone in.
const INSIDE: u32 = 1;
/// What is behind the latch is a wreck.
const WRECK: u32 = 2;
/// One generation; the bits from here up are the stranger's, plus one.
const GENERATION: u32 = 4;

fn claim_of_today() -> u32 {
    fork::generation().wrapping_add(1).wrapping_mul(GENERATION)
}

/// Whether the stranger that wrote this exists in this process.
fn is_alive(revoked: u32) -> bool {
    revoked & !(INSIDE | WRECK) == claim_of_today()
}

/// What a sweep does about an owner that is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Busy {
    /// Asks it to collect when it is done, lest a writer that stops keeps all it
    /// has.
    Ask,
    /// Leaves it alone: the caller comes again, or was asked itself. If those who
    /// were asked asked others, sweeps would never end.
    Leave,
}

#[derive(Debug, Default)]
pub(crate) struct Latch {
    busy: AtomicU64,
    /// 0, or the claim of a stranger, or `WRECK`.
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
    /// owns the participant. `repair` overwrites a wreck.
    #[inline(always)]
    pub(crate) fn enter(&self, barrier: Barrier, repair: impl FnOnce()) -> Inside<'_> {
        debug_assert_eq!(
            self.busy.load(Ordering::Relaxed),
            0,
            "the owner is inside already"
        );
        // Relaxed: the barrier orders it.
        barrier.publish(&self.busy, 1, Ordering::Relaxed);
        // Acquire: pairs with the Release in `give_back`.
        if self.revoked.load(ord::latch_revoked()) != 0 && !mutant("latch_owner_blind") {
            cold_path();
            self.enter_slow(barrier, repair);
        }
        Inside(self)
    }

    #[cold]
    #[inline(never)]
    fn enter_slow(&self, barrier: Barrier, repair: impl FnOnce()) {
        let backoff = Backoff::new();
        loop {
            let revoked = self.revoked.load(ord::latch_revoked());
            if revoked == 0 {
                return;
            }
            // A stranger that lives may take the place of one that vanished: then
            // the exchange fails, or it comes later and finds us busy.
            if !is_alive(revoked) && self.replace(revoked, 0) {
                if revoked & (INSIDE | WRECK) != 0 {
                    repair();
                }
                return;
            }
            // Release, although nothing was touched since `busy` was set: a
            // stranger that reads this 0 must still see what we did the time
            // before (the mutant `latch-give-up-relaxed` of the shape `latch`).
            self.busy.store(0, ord::latch_leave());
            while is_alive(self.revoked.load(Ordering::Relaxed)) {
                if backoff.is_completed() || cfg!(loom) {
                    yield_now();
                } else {
                    backoff.snooze();
                }
            }
            // Relaxed: as in `enter`.
            barrier.publish(&self.busy, 1, Ordering::Relaxed);
        }
    }

    fn replace(&self, old: u32, new: u32) -> bool {
        // Acquire: pairs with the Release of the stranger before us.
        self.revoked
            .compare_exchange(old, new, ord::latch_claim(), Ordering::Relaxed)
            .is_ok()
    }

    /// A stranger claims the latch. It must make a heavy barrier before it asks
    /// [`owner_is_out`](Self::owner_is_out), and must
    /// [`give_back`](Self::give_back).
    pub(crate) fn claim(&self) -> bool {
        let revoked = self.revoked.load(Ordering::Relaxed);
        if revoked == 0 {
            return self.replace(0, claim_of_today()) || mutant("latch_claimed_twice");
        }
        let wreck = if revoked & (INSIDE | WRECK) == 0 {
            0
        } else {
            WRECK
        };
        !is_alive(revoked) && self.replace(revoked, claim_of_today() | wreck)
    }

    /// Claims the latch as soon as no other stranger has it. Who claims several does
    /// so in one order.
    pub(crate) fn claim_in_turn(&self) {
        let backoff = Backoff::new();
        while !self.claim() {
            if backoff.is_completed() || cfg!(loom) {
                yield_now();
            } else {
                backoff.snooze();
            }
        }
    }

    /// After `claim` and a heavy barrier: gives an owner that is inside the time to
    /// leave, which is a few pointers' worth unless the system stopped it there. It
    /// cannot come in again. An owner that vanished in a fork never leaves: ask
    /// before.
    pub(crate) fn let_owner_out(&self) {
        let backoff = Backoff::new();
        // Relaxed: `owner_is_out` looks again.
        while !backoff.is_completed() && self.busy.load(Ordering::Relaxed) != 0 && !cfg!(loom) {
            backoff.snooze();
        }
    }

    /// After `claim` and a heavy barrier: whether the stranger may go in. If so,
    /// `repair` has overwritten a wreck.
    pub(crate) fn owner_is_out(&self, repair: impl FnOnce()) -> bool {
        // Acquire: pairs with the Release in `Inside::drop`.
        if self.busy.load(ord::latch_idle()) != 0 && !mutant("latch_stranger_blind") {
            return false;
        }
        // Relaxed: it is for a child that is forked meanwhile.
        let claim = self.revoked.fetch_or(INSIDE, Ordering::Relaxed);
        if claim & WRECK != 0 {
            repair();
        }
        true
    }

    pub(crate) fn give_back(&self) {
        let claim = self.revoked.load(Ordering::Relaxed);
        // A wreck that we could not reach is left to the next.
        let wreck = if claim & INSIDE == 0 {
            claim & WRECK
        } else {
            0
        };
        // Release: pairs with the Acquire in `enter` and in `claim`.
        self.revoked.store(wreck, ord::latch_return());
    }
}
