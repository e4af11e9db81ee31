//! What a participant's owner does when others have left it a notice.
//!
//! # Orderings
//!
//! `notice` is looked at Relaxed, after a light barrier (see
//! [`crate::raw::participant`] and [`Participant::after_work`]), and taken with
//! `ord::assist_take`.

use core::cell::Cell;
use core::hint::cold_path;

use crate::raw::participant::{ARMED, ASSIST, GARBAGE, MISSED, Participant};
use crate::sync::{Ordering, mutant};
use crate::{ord, run};

impl Participant {
    /// Does what the notice says.
    #[cold]
    #[inline(never)]
    pub(super) fn heed(&self) {
        if self.is_running() || self.exiting.get() {
            // Inside a destructor that this participant, or an exit of it, runs:
            // the frame below comes back to the notice when it is done.
            return;
        }
        let _stay = self.stay();
        let _exiting = Exiting::new(&self.exiting);
        let domain = self.domain();
        // Each of these runs destructors; one that panics stops none of the rest.
        let mut first_panic = run::Panic::none();
        loop {
            // AcqRel: pairs with the poll that put the mark; we see what it
            // wanted collected.
            let taken = ASSIST | ARMED | MISSED;
            let notice = self.notice.fetch_and(!taken, ord::assist_take());
            if notice & ASSIST != 0 && !mutant("no_assist") {
                first_panic.keep(run::catch(|| domain.assist()));
            } else if notice & MISSED != 0 {
                domain.hand_over(self);
                first_panic.keep(run::catch(|| domain.sweep_for_one_missed()));
            }
            if notice & GARBAGE != 0 && !self.is_shared() {
                first_panic.keep(run::catch(|| domain.tidy(self, self.quiet_exits())));
            }
            // Sections inside those destructors may have been marked, and this
            // owner been missed while it was at its bins. The light barrier is as
            // in `after_work`.
            self.barrier().light();
            let notice = self.notice.load(Ordering::Relaxed);
            if self.is_active() || notice & (ASSIST | MISSED) == 0 {
                break;
            }
        }
        first_panic.go_on();
    }

    /// After destructors ran on this account: sections inside them that were
    /// marked left the mark alone.
    #[inline]
    pub(crate) fn after_running(&self) {
        if !self.is_active() && self.notice.load(Ordering::Relaxed) & ASSIST != 0 {
            self.heed();
        }
    }

    /// Asks the owner, which was inside a latch after the caller's barrier, to
    /// collect when it is done. The caller makes another barrier and looks again.
    pub(crate) fn ask(&self) {
        if !mutant("owner_not_asked") {
            // AcqRel: as for `ASSIST`.
            self.notice.fetch_or(MISSED, ord::assist_arm());
        }
    }

    /// At the end of what the owner does behind latches: collects if a sweep was
    /// in vain because of it. The light barrier is between the last leaving of a
    /// latch and the look. `hand_over` moves what is behind that latch to a depot:
    /// the sweep may not have given the latch back yet. Either the sweep's second look finds the owner out, or
    /// this one comes after the sweep's barrier, and finds that it was asked. Model:
    /// `a_missed_owner_collects`.
    #[inline(always)]
    pub(crate) fn after_work(&self, hand_over: impl FnOnce()) {
        if !mutant("after_work_no_light") {
            self.barrier().light();
        }
        // Relaxed: what is behind the notice is acquired when it is taken.
        if self.notice.load(Ordering::Relaxed) & MISSED != 0 {
            cold_path();
            self.heed_missed(hand_over);
        }
    }

    #[cold]
    #[inline(never)]
    fn heed_missed(&self, hand_over: impl FnOnce()) {
        if self.is_running() {
            // Inside a destructor: the work that runs it ends later.
            return;
        }
        // AcqRel: as in `heed`.
        self.notice.fetch_and(!MISSED, ord::assist_take());
        hand_over();
        self.domain().sweep_for_one_missed();
    }
}

struct Exiting<'a>(&'a Cell<bool>);

impl<'a> Exiting<'a> {
    fn new(flag: &'a Cell<bool>) -> Self {
        flag.set(true);
        Self(flag)
    }
}

impl Drop for Exiting<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
