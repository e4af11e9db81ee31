//! A participant: one reader's slot, and what its owner has retired.
//!
//! ```text
//!   line 0   seq      0, or the sequence of the section     owner writes, scans read
//!            notice   why the exit must not be the short one
//!            latch    of the bins below
//!   beyond   bins, the name of the thread, links of the registry
//! ```
//!
//! Invariants: `seq` is written by the owner alone. `gate`, `quiet` and the
//! bins belong to the owner; a stranger reaches the bins behind the latch.
//!
//! # Orderings
//!
//! Enter: `wr` Acquire, `seq` Release, light barrier. Exit: `seq` Release, light
//! barrier, look at `notice`. Two cases at each end:
//!
//! * *Enter against a scan.* The scan sees `seq`: it holds the minimum down. Or
//!   it does not: then this reader's loads come after the scan's heavy barrier
//!   and see every unlink up to the `wr` that the scan loaded before it. Model:
//!   `enter_against_scan`.
//! * *Exit against a mark.* The poll that put `ASSIST` into `notice` and then
//!   made its heavy barrier sees `seq == 0`: it goes on itself. Or it does not:
//!   then the load of `notice` here comes after that barrier and sees the mark.
//!   Model: `exit_assist`.
//!
//! The Release on the *enter* store matters as well: a scan may read it and not
//! the 0 before it, and must still see what the earlier section did. Model: `repin`;
//! litmus shape: `reenter-scan`.
//!
//! The rest is Relaxed. The owner reads its own `seq` and `running`, and `notice`
//! to learn whether to take it; others read `seq` and `running` so for figures and
//! what is asked on the owner's thread. `generation`, `token`, `origin` are stamped
//! before the slot is used; comparing them reaches nothing.

use core::cell::Cell;
use core::hint::cold_path;
use core::ptr;

use crate::barrier::Barrier;
#[cfg(all(feature = "std", not(loom)))]
use crate::clock::GLOBAL_WRITE_HAND;
use crate::domain::Domain;
use crate::raw::bins::Bins;
use crate::raw::deferred::Deferred;
use crate::raw::inner::Inner;
use crate::raw::latch::Latch;
use crate::raw::lock::ForkLock;
use crate::raw::recent::Recent;
use crate::sync::{Arc, AtomicU32, AtomicU64, Ordering, UnsafeCell, mutant, process};
use crate::{fork, local, ord, run, tunables::TEND_LOOKS, tunables::TIDY_EXITS};

/// A poll waits for this section: its exit collects.
pub(crate) const ASSIST: u32 = 1;
/// The owner has retired something that is not destroyed yet.
pub(crate) const GARBAGE: u32 = 2;
/// No thread and no handle stands behind the slot any more: the last guard
/// releases it.
pub(crate) const LEAVING: u32 = 4;
/// With `ASSIST`: a barrier followed the mark, and the section was open after it.
/// So its exit sees the mark, and other polls may count on that.
pub(crate) const ARMED: u32 = 8;
/// A sweep found the owner at its bins, or at a cache, and left them: the owner
/// collects when it is done.
pub(crate) const MISSED: u32 = 16;

/// The domain's barrier is a fence: stores of `seq` are followed by one.
const FENCED: u32 = 1;
/// One nested guard.
const NESTED: u32 = 2;

#[repr(C, align(128))]
pub(crate) struct Participant {
    pub(crate) seq: AtomicU64,
    pub(crate) notice: AtomicU32,
    /// What keeps enter and exit from being the short ones: `FENCED`, and
    /// `NESTED` for each guard beyond the first.
    gate: Cell<u32>,
    write_hand: Cell<*const AtomicU64>,
    domain: Cell<*const Inner>,
    shared: Cell<bool>,
    pub(crate) latch: Latch,
    barrier: Barrier,
    /// Set while destructors run on this participant's account; odd then.
    pub(crate) running: AtomicU32,
    /// Outermost exits since the owner last retired something.
    quiet: Cell<u32>,
    /// See [`is_turn_to_look`](Self::is_turn_to_look).
    looks: Cell<u8>,
    pub(crate) index: u32,
    /// Of the owner's caches the one that it used last.
    pub(crate) recent: Recent,

    /// Frames on the owner's stack that come back to the slot.
    frames: Cell<u32>,
    /// Whether one of them is an exit that collects.
    pub(super) exiting: Cell<bool>,
    pub(crate) bins: UnsafeCell<Bins<Deferred>>,
    /// Next in the registry's list of free slots.
    pub(crate) next_free: AtomicU32,
    /// Whether a thread, a handle or a guard owns the slot.
    pub(crate) claimed: AtomicU32,
    face: UnsafeCell<Option<Arc<Inner>>>,
    generation: process::AtomicU32,
    token: process::AtomicUsize,
    origin: process::AtomicUsize,
    pub(crate) label: ForkLock<Label>,
}

/// Who takes a slot.
pub(crate) enum Owner {
    /// The calling thread, for itself; by name if it is to be named.
    Thread(Label),
    /// An owned guard that the calling thread takes, and that may go anywhere.
    /// Named if the thread has no slot of its own that says its name.
    Guard(Option<Label>),
}

/// Who is behind a slot, for people.
#[derive(Debug, Default)]
pub(crate) struct Label {
    #[cfg(feature = "std")]
    pub(crate) thread: Option<alloc::string::String>,
    /// The sequence at which a scan first found the section behind, and when.
    #[cfg(feature = "std")]
    pub(crate) behind: Option<(u64, std::time::Instant)>,
}

// SAFETY: the cells are touched by the owner alone (`gate`, `quiet`, `looks`,
// `frames`, `exiting`, the cache in `recent`), or written while nobody else can reach the slot (`write_hand`, `domain`: when the
// registry creates and claims it); the bins are behind the latch.
unsafe impl Sync for Participant {}
// SAFETY: nothing in here is bound to the thread that made it.
unsafe impl Send for Participant {}

impl Participant {
    pub(crate) fn new(index: u32, domain: &Inner) -> Self {
        Self {
            seq: AtomicU64::new(0),
            notice: AtomicU32::new(0),
            gate: Cell::new(if domain.clock.barrier.is_fence() {
                FENCED
            } else {
                0
            }),
            write_hand: Cell::new(domain.clock.write_hand()),
            domain: Cell::new(domain),
            shared: Cell::new(false),
            face: UnsafeCell::new(None),
            latch: Latch::default(),
            barrier: domain.clock.barrier,
            running: AtomicU32::new(0),
            quiet: Cell::new(0),
            looks: Cell::new(0),
            index,
            recent: Recent::new(),
            frames: Cell::new(0),
            exiting: Cell::new(false),
            bins: UnsafeCell::new(Bins::default()),
            next_free: AtomicU32::new(0),
            claimed: AtomicU32::new(0),
            generation: process::AtomicU32::new(0),
            token: process::AtomicUsize::new(0),
            origin: process::AtomicUsize::new(0),
            label: ForkLock::new(Label::default()),
        }
    }

    /// The domain whose registry this slot stands in.
    #[inline(always)]
    pub(crate) fn domain(&self) -> &Inner {
        // SAFETY: the slot is part of the domain's registry, which is freed with
        // the domain and not before.
        unsafe { &*self.domain.get() }
    }

    #[inline(always)]
    pub(crate) fn is_of(&self, domain: &Inner) -> bool {
        ptr::eq(self.domain.get(), domain)
    }

    /// The same slot, for a guard or handle: they keep it claimed, a claimed
    /// slot keeps the domain allocated, and they do not use it after they have
    /// given it back.
    #[inline(always)]
    pub(crate) fn outlive(&self) -> &'static Self {
        // SAFETY: see above.
        unsafe { &*ptr::from_ref(self) }
    }

    /// The domain as its users know it. Only of a claimed slot.
    pub(crate) fn face(&self) -> &Domain {
        let face = self.face.with(|face| {
            // SAFETY: written when the slot was claimed, by its owner, and left
            // alone until it is released, by its last user.
            unsafe { &*face }
        });
        Domain::from_ref(face.as_ref().expect("the slot is claimed"))
    }

    /// Gives the slot a reference to its domain, or takes it back. Only while
    /// the slot is nobody's.
    pub(crate) fn set_face(&self, face: Option<Arc<Inner>>) -> Option<Arc<Inner>> {
        self.face.with_mut(|place| {
            // SAFETY: the caller is the only one who knows the slot.
            core::mem::replace(unsafe { &mut *place }, face)
        })
    }

    /// Whether the slot belongs to an owned guard.
    #[inline(always)]
    pub(crate) fn is_shared(&self) -> bool {
        self.shared.get()
    }

    /// Enters a section, or nests in the one that is open. Owner only.
    #[inline(always)]
    pub(crate) fn enter(&self) {
        // Relaxed: our own store, or 0.
        if self.seq.load(Ordering::Relaxed) != 0 {
            cold_path();
            self.nest();
            return;
        }
        // SAFETY: points into the domain, which outlives its slots.
        let hand = unsafe { &*self.write_hand.get() };
        // Acquire: pairs with the AcqRel of `Clock::advance`.
        let seq = hand.load(ord::enter_wr());
        // Release: pairs with the Acquire of the scan. Then the light barrier.
        self.publish(seq, ord::enter_seq());
    }

    /// As [`enter`](Self::enter), for the slots that `pin` keeps at hand: of the
    /// global domain, with the asymmetric barrier. Owner only.
    #[cfg(all(feature = "std", not(loom)))]
    #[inline(always)]
    pub(crate) fn enter_global(&self) {
        if self.seq.load(Ordering::Relaxed) != 0 {
            cold_path();
            self.nest();
            return;
        }
        let seq = GLOBAL_WRITE_HAND.load(ord::enter_wr());
        Barrier::ASYMMETRIC.publish(&self.seq, seq, ord::enter_seq());
    }

    #[inline(always)]
    fn nest(&self) {
        // Guards can be forgotten, so the count can be driven to its end.
        let gate = self.gate.get().checked_add(NESTED);
        self.gate.set(gate.expect("too many guards of one section"));
    }

    /// Whether the slot is of the global domain, which alone has a static for its hand.
    #[cfg(all(feature = "std", not(loom)))]
    #[inline(always)]
    pub(crate) fn is_of_global(&self) -> bool {
        let hand: &AtomicU64 = &GLOBAL_WRITE_HAND;
        ptr::eq(self.write_hand.get(), hand)
    }

    /// Whether [`enter_global`](Self::enter_global) may be used.
    #[cfg(all(feature = "std", not(loom)))]
    pub(crate) fn is_global_and_asymmetric(&self) -> bool {
        !self.barrier.is_fence() && self.is_of_global()
    }

    #[inline(always)]
    fn publish(&self, seq: u64, order: Ordering) {
        // Outside a section and in its outermost guard the gate has no other bit.
        if self.gate.get() == 0 {
            Barrier::ASYMMETRIC.publish(&self.seq, seq, order);
        } else {
            cold_path();
            Barrier::FENCE.publish(&self.seq, seq, order);
        }
    }

    /// Leaves the section, if this is the outermost guard. Owner only. What is
    /// returned may be all that keeps the slot allocated.
    #[inline(always)]
    pub(crate) fn exit(&self) -> Option<Arc<Inner>> {
        let gate = self.gate.get();
        // Release: pairs with the Acquire of the scan. Then the light barrier.
        if gate == 0 {
            Barrier::ASYMMETRIC.publish(&self.seq, 0, ord::exit_seq());
        } else if gate >= NESTED && !mutant("nested_exit") {
            cold_path();
            self.gate.set(gate - NESTED);
            return None;
        } else {
            cold_path();
            Barrier::FENCE.publish(&self.seq, 0, ord::exit_seq());
        }
        self.after_exit()
    }

    #[inline(always)]
    fn after_exit(&self) -> Option<Arc<Inner>> {
        // Relaxed: what is behind the notice is acquired when it is taken.
        if self.notice.load(Ordering::Relaxed) != 0 {
            cold_path();
            return self.exit_noticed();
        }
        None
    }

    /// Moves the section to the present sequence, unless nested. Owner only.
    #[inline]
    pub(crate) fn repin(&self) {
        if !self.is_outermost() && !mutant("nested_repin") {
            return;
        }
        // SAFETY: points into the domain, which outlives its slots.
        let hand = unsafe { &*self.write_hand.get() };
        // As in `enter`: the Release covers what the section did so far, for a
        // scan that reads this store.
        let seq = hand.load(ord::enter_wr());
        self.publish(seq, ord::enter_seq());
        self.look_at_notice();
    }

    /// Whether the guard that asks is the only one.
    pub(crate) fn is_outermost(&self) -> bool {
        self.gate.get() < NESTED
    }

    /// Leaves the section and keeps the slot. Owner only, outermost, and behind
    /// [`stay`](Self::stay).
    pub(crate) fn step_out(&self) {
        self.publish(0, ord::exit_seq());
        self.look_at_notice();
    }

    fn look_at_notice(&self) {
        // Relaxed: what is behind the notice is acquired when it is taken.
        let notice = self.notice.load(Ordering::Relaxed);
        if notice != 0 && !self.is_quiet(notice) {
            self.heed();
        }
    }

    /// Keeps the slot until the result is dropped, whoever leaves meanwhile.
    pub(crate) fn stay(&self) -> Stay<'_> {
        self.frames.set(self.frames.get() + 1);
        Stay(self)
    }

    /// Whether a guard or a frame of the owner's stack will use the slot again.
    /// Owner only.
    pub(crate) fn is_in_use(&self) -> bool {
        self.is_active() || self.is_running() || self.frames.get() != 0
    }

    #[inline(always)]
    pub(crate) fn is_active(&self) -> bool {
        self.seq.load(Ordering::Relaxed) != 0
    }

    /// Many an exit of a thread that retires: it has nothing to do yet.
    #[inline(never)]
    fn exit_noticed(&self) -> Option<Arc<Inner>> {
        let notice = self.notice.load(Ordering::Relaxed);
        if self.is_quiet(notice) {
            return None;
        }
        self.exit_slow(notice)
    }

    #[cold]
    #[inline(never)]
    fn exit_slow(&self, notice: u32) -> Option<Arc<Inner>> {
        if notice == LEAVING && !self.is_in_use() {
            // An owned guard without garbage: the common end of one.
            if self.is_shared() && local::keep_spare(self) {
                return None;
            }
            return Some(self.domain().release(self));
        }
        let panic = run::catch(|| self.heed());
        // Only now: what ran may have been the owner's last use of the slot.
        let left = self.notice.load(Ordering::Relaxed) & LEAVING != 0 && !self.is_in_use();
        let reference = left.then(|| self.domain().release(self));
        panic.go_on();
        reference
    }

    pub(crate) fn barrier(&self) -> Barrier {
        self.barrier
    }

    /// Runs `f` on the bins, as the owner.
    #[inline(always)]
    pub(crate) fn with_bins<R>(&self, f: impl FnOnce(&mut Bins<Deferred>) -> R) -> R {
        let _inside = self
            .latch
            .enter(self.barrier, || self.bins.with_mut(overwrite));
        self.bins.with_mut(|bins| {
            // SAFETY: the latch is held until `_inside` is dropped.
            f(unsafe { &mut *bins })
        })
    }

    /// Runs `f` on the bins, as a stranger that claimed the latch and made the
    /// heavy barrier. `None` if the owner is inside.
    pub(crate) fn with_bins_of_stranger<R>(
        &self,
        f: impl FnOnce(&mut Bins<Deferred>) -> R,
    ) -> Option<R> {
        let is_out = self.latch.owner_is_out(|| self.bins.with_mut(overwrite));
        is_out.then(|| {
            self.bins.with_mut(|bins| {
                // SAFETY: the latch is ours until it is given back.
                f(unsafe { &mut *bins })
            })
        })
    }

    /// Notes that the owner has something to collect.
    #[inline(always)]
    pub(crate) fn note_garbage(&self) {
        self.quiet.set(0);
        self.flag_garbage();
    }

    /// The same, for a slot that several threads use: releasing it collects.
    #[inline(always)]
    pub(crate) fn flag_garbage(&self) {
        if self.notice.load(Ordering::Relaxed) & GARBAGE == 0 {
            // Relaxed: what the flag speaks of is behind the latch.
            self.notice.fetch_or(GARBAGE, Ordering::Relaxed);
        }
    }

    /// Whether the owner has something to collect. Who finds nothing here, and then
    /// locks the depot, finds there what there was; see
    /// [`forget_garbage`](Self::forget_garbage).
    pub(crate) fn has_garbage(&self) -> bool {
        // Relaxed: as in `forget_garbage`.
        self.notice.load(Ordering::Relaxed) & GARBAGE != 0
    }

    /// After the bins were emptied into the depot, and nothing is running.
    ///
    /// Two things must be seen by a barrier that does not find the flag. *What was
    /// handed over*: the depot's lock was held before the flag went. Whoever takes it
    /// after that finds all of it; whoever took it before had looked at the flag
    /// before that, and so cannot have seen it gone. *What was destroyed*: the latch's
    /// light barrier, of the handing over, lies between the end of that and here, and
    /// the barrier's heavy one between its look and its look at `running`. So the lock
    /// and the barriers order it, and the flag need not. Litmus shapes `garbage-depot`
    /// and `garbage-running`; model: `barrier_finds_what_is_handed_over`.
    pub(crate) fn forget_garbage(&self) {
        // Relaxed: see above.
        self.notice.fetch_and(!GARBAGE, Ordering::Relaxed);
    }

    /// Whether an outermost exit has nothing to do, although the owner holds garbage:
    /// one in [`TIDY_EXITS`] looks after it, and each where the domain is closed.
    #[inline]
    fn is_quiet(&self, notice: u32) -> bool {
        if notice != GARBAGE || self.is_shared() {
            return false;
        }
        let quiet = self.quiet.get().wrapping_add(1);
        self.quiet.set(quiet);
        !quiet.is_multiple_of(TIDY_EXITS) && !self.domain().is_closed()
    }

    /// Outermost exits with garbage, and nothing else to do, since the last retire.
    pub(crate) fn quiet_exits(&self) -> u32 {
        self.quiet.get()
    }

    /// Whether the end of a section looks after a pool: every so often. Owner only.
    #[inline]
    pub(crate) fn is_turn_to_look(&self) -> bool {
        self.looks.set((self.looks.get() + 1) % TEND_LOOKS);
        self.looks.get() == 0
    }

    pub(crate) fn reset_quiet(&self) {
        self.quiet.set(0);
    }

    /// Whether a destructor runs on this participant's account.
    pub(crate) fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed) % 2 == 1
    }

    /// Marks that destructors run, until the result is dropped. `None` if they
    /// do already: destructors do not nest on one participant.
    pub(crate) fn start_running(&self) -> Option<Running<'_>> {
        let count = self.running.load(Ordering::Relaxed);
        if count % 2 == 1 {
            return None;
        }
        // Release on both ends: pairs with the Acquire in `Inner::barrier`,
        // which then sees what the destructors did.
        self.running
            .store(count.wrapping_add(1), ord::running_mark());
        Some(Running(self))
    }

    /// Stamps the slot with its new owner. Called while nobody else can.
    pub(crate) fn take_over(&self, owner: Owner) {
        self.generation.store(fork::generation(), Ordering::Relaxed);
        self.gate.set(self.gate.get() & FENCED);
        self.quiet.set(0);
        let (token, origin) = match owner {
            Owner::Thread(label) => {
                self.label.with(|l| *l = label);
                self.shared.set(false);
                (fork::token(), 0)
            }
            Owner::Guard(label) => {
                let known = label.is_none();
                if let Some(label) = label {
                    self.label.with(|l| *l = label);
                }
                self.shared.set(true);
                self.recent.clear();
                // The only guard is the last one.
                self.notice.store(LEAVING, Ordering::Relaxed);
                (0, if known { fork::token() } else { 0 })
            }
        };
        self.token.store(token, Ordering::Relaxed);
        self.origin.store(origin, Ordering::Relaxed);
    }

    /// Stamps a slot that an owned guard left, and that nobody had since, for
    /// another. The calling thread has a slot of its own, which says its name.
    #[cfg(all(feature = "std", not(loom)))]
    #[inline(always)]
    pub(crate) fn take_again(&self) {
        self.generation.store(fork::generation(), Ordering::Relaxed);
        self.origin.store(fork::token(), Ordering::Relaxed);
    }

    #[cfg(all(feature = "std", not(loom)))]
    /// The thread that took this slot's owned guard and says its name, or 0.
    pub(crate) fn origin(&self) -> usize {
        self.origin.load(Ordering::Relaxed)
    }

    #[cfg(all(feature = "std", not(loom)))]
    /// The thread that owns the slot; 0 if none does.
    pub(crate) fn token(&self) -> usize {
        self.token.load(Ordering::Relaxed)
    }

    /// Whether the thread that owns the slot exists in this process.
    pub(crate) fn is_of_this_process(&self) -> bool {
        fork::is_alive(
            self.generation.load(Ordering::Relaxed),
            self.token.load(Ordering::Relaxed),
        )
    }

    /// Whether the slot belongs to the calling thread.
    pub(crate) fn is_of_this_thread(&self) -> bool {
        let token = self.token.load(Ordering::Relaxed);
        token != 0 && token == fork::token()
    }
}

/// Makes empty bins of what a vanished thread may have left half changed. What
/// was in them is leaked, in a forked child.
fn overwrite(bins: *mut Bins<Deferred>) {
    // SAFETY: behind the latch; the old value is neither read nor dropped.
    unsafe { bins.write(Bins::default()) };
}

/// Destructors run on the account of a participant while this lives.
pub(crate) struct Running<'a>(&'a Participant);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let count = self.0.running.load(Ordering::Relaxed);
        // Release: pairs with the Acquire in `Inner::barrier`.
        self.0
            .running
            .store(count.wrapping_add(1), ord::running_mark());
    }
}

/// A frame that comes back to a slot; see [`Participant::stay`].
pub(crate) struct Stay<'a>(&'a Participant);

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        self.0.frames.set(self.0.frames.get() - 1);
    }
}
