//! The inside of a domain: polling.
//!
//! # The mark comes before the barrier
//!
//! A poll first walks the slots without a barrier and marks those that are
//! surely in its way. Then it makes the heavy barrier and scans. A reader that
//! the scan still finds was marked before the barrier, so its exit will see the
//! mark (second case at the exit). One barrier serves both. The poll then says so
//! in the mark: it is *armed*. If every reader in the way carried an armed mark
//! already, and one of them holds the read hand where it is, the poll fails at
//! once and saves the barrier: a reader that stalls for ever costs a poll a few
//! loads. A mark that is not armed may be one that its reader has just missed:
//! another poll, which put it there, will find that out, but nobody else.
//!
//! # What a marked reader comes back for
//!
//! For all that it can get. It polls when it leaves, and who is then in the way of
//! what was retired when the mark was put (`wanted`, which only grows) is marked in
//! turn; who is in the way of newer garbage alone is not. So nobody is marked who
//! entered after the first poll, and ends of sections do not call forth ends for ever.
//!
//! # Orderings
//!
//! Counters are Relaxed, as in [`crate::raw::inner`]. `wanted` is Relaxed: it is
//! raised before the mark that makes somebody look at it, and the mark is put and
//! taken with an order. An exchange of `notice` that fails is Relaxed: it tells nothing
//! but that the mark is not armed.

use crate::ord;
use crate::raw::inner::{Inner, count};
use crate::raw::participant::{ARMED, ASSIST, Participant};
use crate::sync::{Ordering, mutant, spin_loop};
use crate::tunables::LOOKS;

/// Slots that a poll marked, or saw marked, before its next barrier. Those that
/// do not fit have their turn after it.
#[derive(Default)]
struct Noted {
    slots: [u32; 16],
    len: usize,
}

impl Noted {
    fn note(&mut self, slot: &Participant) {
        if let Some(place) = self.slots.get_mut(self.len) {
            *place = slot.index;
            self.len += 1;
        }
    }

    fn has(&self, slot: &Participant) -> bool {
        self.slots[..self.len].contains(&slot.index)
    }
}

/// What a poll or a scan found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Expired,
    /// Readers are in the way; all carry an armed mark.
    Marked,
    /// A reader in the way does not yet.
    Fresh,
}

impl Inner {
    /// Whether `goal` has expired; looks at the readers if it must.
    #[inline]
    pub(crate) fn poll(&self, goal: u64) -> bool {
        self.clock.is_expired(goal) || self.poll_slow(goal)
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn poll_slow(&self, goal: u64) -> bool {
        // A goal may have come to us by a path that does not order the hand.
        self.poll_and_mark(goal, self.clock.now().max(goal))
    }

    /// The poll of a marked reader that has left. It expires what it can, and marks
    /// who is in the way of what is wanted.
    pub(crate) fn poll_for_wanted(&self) {
        if !self.clock.is_expired(self.clock.now()) {
            let wanted = self.wanted.load(Ordering::Relaxed);
            self.poll_and_mark(wanted, wanted);
        }
    }

    /// Polls. Readers that are in the way come back for what has a goal of at most
    /// `wanted`.
    fn poll_and_mark(&self, goal: u64, wanted: u64) -> bool {
        count(&self.counts.polls, 1);
        let mut noted = Noted::default();
        let (mut found, oldest) = self.mark_blockers(goal, wanted, &mut noted);
        // Not if all come back, and the oldest holds the hand where it is.
        let mut again = found != Found::Marked || oldest > self.clock.read_hand();
        while again {
            found = self.scan(goal, Some((wanted, &mut noted)));
            // Each further turn is owed to a reader that published a stale sequence
            // between the marking and the barrier.
            again = found == Found::Fresh && !mutant("no_second_scan");
        }
        if found != Found::Expired {
            count(&self.counts.failed_polls, 1);
        }
        found == Found::Expired
    }

    /// As [`poll`](Self::poll), for memory that can wait for the next poll: no
    /// reader is marked, and while one is visibly in the way there is no barrier.
    /// A section is mostly over before a few looks are. Where one is not, as with more
    /// threads than there are processors, the barrier is made for what is older, at
    /// least the goal `least`, but seldom.
    pub(crate) fn poll_lightly(&self, goal: u64, least: u64) -> bool {
        if self.clock.is_expired(goal) {
            return true;
        }
        count(&self.counts.polls, 1);
        let in_the_way = |slot| {
            let slot: &Participant = slot;
            // Acquire: as in a scan, whose place this takes.
            let seq = slot.seq.load(ord::scan_seq());
            (seq != 0 && seq < goal && slot.is_of_this_process()).then_some((slot, seq))
        };
        let mut blocker = None;
        for look in 0..LOOKS {
            if look != 0 {
                spin_loop();
            }
            blocker = self.registry.iter().find_map(in_the_way);
            if blocker.is_none() {
                break;
            }
        }
        let mut blockers = self.registry.iter().filter_map(in_the_way);
        match blocker {
            Some((slot, seq)) if blockers.any(|(_, seq)| seq < least) || !self.clock.has_time() => {
                self.note_behind(slot, seq);
            }
            _ if self.scan(goal, None) == Found::Expired => return true,
            _ => {}
        }
        count(&self.counts.failed_polls, 1);
        false
    }

    /// Marks the readers that are in the way of `goal`, and returns the sequence of
    /// the oldest. No barrier: a reader that it does not see is found by the scan.
    fn mark_blockers(&self, goal: u64, wanted: u64, noted: &mut Noted) -> (Found, u64) {
        let none = Noted::default();
        let mut found = Found::Expired;
        let mut oldest = u64::MAX;
        for slot in self.registry.iter() {
            let seq = slot.seq.load(ord::scan_seq());
            if seq != 0 && seq < goal && slot.is_of_this_process() {
                found = self.mark(slot, wanted, found, &none, noted);
                oldest = oldest.min(seq);
            }
        }
        (found, oldest)
    }

    /// Marks a reader in the way. `before` tells whether it was marked before the
    /// last barrier, `next` that it was before the one to come.
    fn mark(
        &self,
        slot: &Participant,
        wanted: u64,
        found: Found,
        before: &Noted,
        next: &mut Noted,
    ) -> Found {
        // Before the mark: who takes that finds this.
        if !mutant("nothing_wanted") {
            self.wanted.fetch_max(wanted, Ordering::Relaxed);
        }
        // AcqRel: pairs with the reader's exit, which takes the mark and then
        // must find what we want collected. Where another poll put the mark, our
        // RMW joins its release.
        let old = slot.notice.fetch_or(ASSIST, ord::assist_arm());
        let armed = old & ARMED != 0
            || (old & ASSIST != 0 && mutant("assist_joined_blindly"))
            || (old & ASSIST != 0
                && before.has(slot)
                // If anything changed, the reader may have taken the mark.
                && slot
                    .notice
                    .compare_exchange(old, old | ARMED, ord::assist_arm(), Ordering::Relaxed)
                    .is_ok());
        if !armed {
            next.note(slot);
        }
        if armed && found != Found::Fresh {
            Found::Marked
        } else {
            Found::Fresh
        }
    }

    /// One heavy barrier, one walk over all slots, `rd` raised to what it shows.
    /// Readers in the way are marked, if there is a place to note that.
    fn scan(&self, goal: u64, mut noted: Option<(u64, &mut Noted)>) -> Found {
        count(&self.counts.scans, 1);
        let Some(mut scan) = self.clock.begin_scan() else {
            count(&self.counts.refused_barriers, 1);
            return Found::Marked;
        };
        let mut found = Found::Expired;
        let mut next = Noted::default();
        for slot in self.registry.iter() {
            // Acquire: pairs with the Release of enter and exit.
            let seq = slot.seq.load(ord::scan_seq());
            if seq == 0 || !slot.is_of_this_process() {
                continue;
            }
            if scan.meet(seq) < goal {
                if let Some((wanted, noted)) = &noted {
                    found = self.mark(slot, *wanted, found, noted, &mut next);
                }
                self.note_behind(slot, seq);
            }
        }
        if let Some((_, noted)) = &mut noted {
            **noted = next;
        }
        // To the end even when this goal fails: others have lower ones.
        if self.clock.finish_scan(scan) >= goal {
            Found::Expired
        } else if found == Found::Fresh {
            Found::Fresh
        } else {
            // All marked; or nobody in the way, and the `wr` that we loaded was
            // older than the goal, which came to the caller by a path without
            // order. The next poll will see it.
            Found::Marked
        }
    }

    #[cfg(all(feature = "std", not(loom)))]
    pub(crate) fn note_behind(&self, slot: &Participant, seq: u64) {
        slot.label.try_with(|label| {
            if label.behind.is_none_or(|(at, _)| at != seq) {
                label.behind = Some((seq, std::time::Instant::now()));
            }
        });
    }

    #[cfg(any(not(feature = "std"), loom))]
    fn note_behind(&self, _slot: &Participant, _seq: u64) {}
}
