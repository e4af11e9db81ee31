//! The inside of a domain: slots, retiring, running what has expired.
//!
//! # Who collects
//!
//! 1. The owner: each retire runs up to two destructors that are ready, each
//!    sealed bucket may lead to a poll.
//! 2. A reader that a poll had to wait for: the poll marks it, and its exit
//!    collects (`assist`). So nothing sticks because writers have stopped.
//! 3. A thread that stopped retiring but goes on reading, after `QUIET_EXITS`
//!    sections; a thread that exits; whoever calls `flush` or `barrier`.
//! 4. An owner that a sweep found at its bins, when it is done there; a sweep that
//!    another found with a pool in hand, before it puts the pool back.
//!
//! What remains is what a thread retired and never came back to: less than one
//! poll's worth, see `tunables`.
//!
//! # Orderings
//!
//! Counters (`counter`, `NEXT_ID`) are Relaxed: nothing is reached on their
//! strength. So is a mere look at `handles`; the AcqRel that closes a domain stands
//! in `Domain::drop`. LEAVING is put into `notice` Relaxed, by the owner, who alone
//! acts on it.

use core::hint::cold_path;
use core::num::NonZeroU64;

use alloc::string::String;

use crossbeam_utils::CachePadded;

use crate::clock::Clock;
use crate::limits::Limits;
use crate::pace::Pace;
use crate::raw::bins::Bins;
use crate::raw::bucket::Bucket;
use crate::raw::deferred::Deferred;
use crate::raw::lock::ForkLock;
use crate::raw::participant::{LEAVING, Owner, Participant, Running};
use crate::raw::pools::PoolList;
use crate::raw::registry::{Full, Registry};
use crate::sync::{Arc, AtomicBool, AtomicU64, AtomicUsize, Ordering, process};
use crate::tunables::{DROPS_PER_RETIRE, MAX_DROP_POLL_BYTES, MAX_DROP_POLL_ITEMS};
use crate::{fork, run};

pub(crate) struct Inner {
    pub(crate) clock: Clock,
    /// Up to where marked readers collect; see [`crate::raw::poll`].
    pub(crate) wanted: AtomicU64,
    /// When threads that stopped retiring collected last.
    pub(crate) tidied: Pace,
    pub(crate) registry: Registry,
    /// What has no participant of its own: retired through owned guards or by
    /// threads that are going, gathered from others, left behind by the dead.
    pub(crate) depot: ForkLock<Bins<Deferred>>,
    /// Pools whose retired items have destructors to run.
    pub(crate) pools: ForkLock<PoolList>,
    pub(crate) id: NonZeroU64,
    pub(crate) name: Option<String>,
    pub(crate) limits: Limits,
    /// Handles in the user's hands; at 0 the domain closes.
    pub(crate) handles: AtomicUsize,
    /// Retired bytes; kept only where there is a limit.
    pub(crate) pending: CachePadded<AtomicU64>,
    pub(crate) over_limit: AtomicBool,
    pub(crate) hands: run::Hands,
    pub(crate) counts: Counts,
    #[cfg(all(feature = "std", not(loom)))]
    pub(crate) waiters: ForkLock<alloc::vec::Vec<std::thread::Thread>>,
    #[cfg(all(feature = "std", not(loom)))]
    pub(crate) reaper: ForkLock<Option<Awake>>,
}

/// The reaper's thread, and the generation of the process in which it runs.
#[cfg(all(feature = "std", not(loom)))]
#[derive(Debug)]
pub(crate) struct Awake {
    pub(crate) thread: std::thread::Thread,
    pub(crate) generation: u32,
}

/// Counters of cold paths.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) polls: process::AtomicU64,
    pub(crate) scans: process::AtomicU64,
    pub(crate) failed_polls: process::AtomicU64,
    pub(crate) refused_barriers: process::AtomicU64,
    pub(crate) sweeps: process::AtomicU64,
    pub(crate) helps: process::AtomicU64,
    pub(crate) assists: process::AtomicU64,
    pub(crate) reclaimed_items: process::AtomicU64,
    pub(crate) reclaimed_bytes: process::AtomicU64,
}

pub(crate) fn count(counter: &process::AtomicU64, by: usize) {
    counter.fetch_add(by as u64, Ordering::Relaxed);
}

/// Where a retired thing waits.
#[derive(Clone, Copy)]
pub(crate) enum Home<'a> {
    /// With the participant that the caller owns.
    Own(&'a Participant),
    /// With everybody's, behind a lock.
    Depot,
    /// There as well; the caller holds this owned guard, and so is in a section.
    Shared(&'a Participant),
}

impl<'a> Home<'a> {
    /// With a participant whose section, or handle, the caller has: an owned guard may be
    /// used by several threads at a time.
    #[inline]
    pub(crate) fn with(slot: &'a Participant) -> Self {
        if slot.is_shared() {
            Self::Shared(slot)
        } else {
            Self::Own(slot)
        }
    }
}

impl Inner {
    pub(crate) fn new(
        clock: Clock,
        name: Option<String>,
        max_participants: u32,
        limits: Limits,
    ) -> Self {
        static NEXT_ID: process::AtomicU64 = process::AtomicU64::new(1);
        fork::install();
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Self {
            clock,
            wanted: AtomicU64::new(0),
            tidied: Pace::default(),
            registry: Registry::new(max_participants),
            depot: ForkLock::new(Bins::default()),
            pools: ForkLock::new(PoolList::default()),
            id: NonZeroU64::new(id).expect("64 bits of domains"),
            name,
            limits,
            handles: AtomicUsize::new(1),
            pending: CachePadded::new(AtomicU64::new(0)),
            over_limit: AtomicBool::new(false),
            hands: run::Hands::default(),
            counts: Counts::default(),
            #[cfg(all(feature = "std", not(loom)))]
            waiters: ForkLock::new(alloc::vec::Vec::new()),
            #[cfg(all(feature = "std", not(loom)))]
            reaper: ForkLock::new(None),
        }
    }

    // -- slots ---------------------------------------------------------------

    /// Takes a slot and with it a reference to the domain, which
    /// [`release`](Self::release) gives back.
    pub(crate) fn claim(this: &Arc<Self>, owner: Owner) -> Result<&Participant, Full> {
        let slot = this.registry.claim(this, owner)?;
        slot.set_face(Some(Arc::clone(this)));
        Ok(slot)
    }

    /// Gives a slot back, after what its owner retired was collected or went to
    /// the depot. The domain may be freed with the reference that this returns:
    /// to drop it is the last thing that a caller does with either.
    pub(crate) fn release(&self, slot: &Participant) -> Arc<Self> {
        debug_assert!(slot.is_of(self), "a slot goes back to its own registry");
        let mut panic = run::Panic::none();
        if !slot.is_shared() {
            self.hand_over(slot);
        }
        if slot.has_garbage() {
            panic.keep(run::catch(|| self.sweep()));
            // A destructor may have retired through this very slot.
            self.hand_over(slot);
        }
        let reference = slot.set_face(None);
        self.registry.release(slot);
        panic.go_on();
        reference.expect("the slot was claimed")
    }

    /// Whether there are no handles. A guard can bring the domain back.
    pub(crate) fn is_closed(&self) -> bool {
        self.handles.load(Ordering::Relaxed) == 0
    }

    /// The owner is gone but may have guards in flight, or frames that come back
    /// to the slot: the last one releases it, or this call does. See
    /// [`release`](Self::release) for what it returns.
    #[must_use = "the caller drops it when it is done with the domain"]
    pub(crate) fn leave(&self, slot: &Participant) -> Option<Arc<Self>> {
        if slot.is_in_use() {
            slot.notice.fetch_or(LEAVING, Ordering::Relaxed);
            None
        } else {
            Some(self.release(slot))
        }
    }

    /// Moves what the owner has to the depot.
    pub(crate) fn hand_over(&self, slot: &Participant) {
        slot.with_bins(|bins| {
            if !bins.is_empty() {
                self.empty_into_depot(bins);
            }
        });
    }

    /// Moves what is in a participant's bins to the depot. The caller holds the
    /// latch throughout, so that a barrier finds it in either place.
    pub(crate) fn empty_into_depot(&self, bins: &mut Bins<Deferred>) {
        let mut bins = bins.take_all();
        bins.seal(self.clock.advance());
        self.depot.with(|depot| depot.absorb(bins));
    }

    /// Whether the calling thread is inside a section of this domain through a
    /// guard that cannot leave the thread.
    pub(crate) fn in_own_section(&self) -> bool {
        self.registry
            .iter()
            .any(|slot| slot.is_active() && slot.is_of_this_thread())
    }

    /// Whether the calling thread runs a destructor of this domain.
    pub(crate) fn in_own_destructor(&self) -> bool {
        self.registry
            .iter()
            .any(|slot| slot.is_running() && slot.is_of_this_thread())
    }

    // -- retiring ------------------------------------------------------------

    /// Takes over something that was unlinked. Never waits for readers, except
    /// under [`OverLimit::Block`] outside a section.
    #[inline]
    pub(crate) fn retire(&self, home: Home<'_>, what: Deferred, bytes: usize) {
        self.retire_into(home, what, bytes, Bucket::with_capacity);
    }

    /// As [`retire`](Self::retire), with a bucket at hand, should it need one.
    #[inline]
    pub(crate) fn retire_into(
        &self,
        home: Home<'_>,
        what: Deferred,
        bytes: usize,
        room: impl FnOnce(u32) -> Bucket<Deferred>,
    ) {
        if self.is_limited() {
            self.charge(bytes);
        }
        let advance = || self.clock.advance();
        match home {
            Home::Own(slot) => {
                let sealed = slot.with_bins(|bins| bins.push(what, bytes, room, advance));
                slot.note_garbage();
                if sealed {
                    self.after_seal(slot);
                }
                self.run_ready(slot, DROPS_PER_RETIRE);
                slot.after_work(|| self.hand_over(slot));
            }
            Home::Depot | Home::Shared(_) => self.retire_to_depot(home, what, bytes, room),
        }
        if self.is_limited() {
            cold_path();
            self.keep_to_limit(home);
        }
    }

    #[cold]
    #[inline(never)]
    fn retire_to_depot(
        &self,
        home: Home<'_>,
        what: Deferred,
        bytes: usize,
        room: impl FnOnce(u32) -> Bucket<Deferred>,
    ) {
        if let Home::Shared(slot) = home {
            // Not with the owned guard, but its end collects.
            slot.flag_garbage();
        }
        let due = self.depot.with(|depot| {
            let sealed = depot.push(what, bytes, room, || self.clock.advance());
            sealed && {
                let step = self.drop_step(depot.backlog().mean());
                depot.fit(step);
                depot.is_due(step)
            }
        });
        if self.is_last_chance(home) {
            self.sweep();
        } else if due {
            self.collect_depot();
        }
    }

    /// Whether the caller retires with nothing left that would come back to it:
    /// a thread that is past its thread-locals. Without them every caller of
    /// `Domain::retire` looks so, and none is treated so.
    pub(crate) fn is_last_chance(&self, home: Home<'_>) -> bool {
        cfg!(feature = "std") && matches!(home, Home::Depot)
    }

    fn drop_step(&self, item_bytes: usize) -> usize {
        let by_bytes = MAX_DROP_POLL_BYTES / item_bytes.max(1);
        self.clock
            .poll_step(item_bytes)
            .min(MAX_DROP_POLL_ITEMS)
            .min(by_bytes)
            .max(1)
    }

    #[cold]
    #[inline(never)]
    fn after_seal(&self, slot: &Participant) {
        let (goal, due) = slot.with_bins(|bins| {
            let step = self.drop_step(bins.backlog().mean());
            bins.fit(step);
            (bins.next_goal(), bins.is_due(step))
        });
        let Some(goal) = goal else { return };
        if due && !self.clock.is_expired(goal) {
            let expired = self.poll_slow(goal);
            slot.with_bins(|bins| {
                bins.polled(expired, self.drop_step(bins.backlog().mean()));
            });
        }
        self.collecting(|| self.run_expired_of_depot(1));
    }

    /// Polls for the depot's oldest and runs what has expired there.
    pub(crate) fn collect_depot(&self) {
        let oldest = self.depot.with(|depot| depot.next_goal());
        if let Some(goal) = oldest {
            let expired = self.poll(goal);
            self.depot.with(|depot| {
                depot.polled(expired, self.drop_step(depot.backlog().mean()));
            });
            self.collecting(|| self.run_expired_of_depot(usize::MAX));
        }
    }

    // -- running destructors -------------------------------------------------

    /// Runs at most `most` destructors of the owner that are ready, two at a time.
    #[inline]
    pub(crate) fn run_ready(&self, slot: &Participant, most: usize) {
        let mut first_panic = run::Panic::none();
        for _ in 0..most.div_ceil(2) {
            let Some((ready, running)) = slot.with_bins(|bins| self.start_ready(slot, bins)) else {
                break;
            };
            for what in ready.into_iter().flatten() {
                first_panic.keep(run::catch(|| what.run()));
            }
            drop(running);
            first_panic.keep(run::catch(|| slot.after_running()));
        }
        first_panic.go_on();
    }

    /// Takes up to two entries that are ready, of an owner whose destructors do not
    /// run yet.
    #[inline]
    pub(crate) fn start_ready<'s, E>(
        &self,
        slot: &'s Participant,
        bins: &mut Bins<E>,
    ) -> Option<([Option<E>; 2], Running<'s>)> {
        if bins.ready_items() == 0 {
            self.settle(bins.expire(self.clock.read_hand())?);
        }
        let running = slot.start_running()?;
        let first = bins.pop_ready();
        if bins.ready_items() == 0
            && let Some(expired) = bins.expire(self.clock.read_hand())
        {
            self.settle(expired);
        }
        Some(([first, bins.pop_ready()], running))
    }

    /// Runs at most `most` expired buckets of the depot.
    pub(crate) fn run_expired_of_depot(&self, most: usize) -> run::Panic {
        let mut first_panic = run::Panic::none();
        for _ in 0..most {
            let Some((bucket, hand)) = self.depot.with(|depot| {
                let bucket = match depot.take_ready_bucket() {
                    Some(bucket) => bucket,
                    None => depot.take_expired(self.clock.read_hand())?,
                };
                Some((bucket, self.hands.take()))
            }) else {
                break;
            };
            self.settle(bucket.on_account());
            first_panic.keep(Self::run_bucket(bucket));
            drop(hand);
        }
        first_panic
    }

    pub(crate) fn run_bucket(mut bucket: Bucket<Deferred>) -> run::Panic {
        let mut first_panic = run::Panic::none();
        while let Some(what) = bucket.pop() {
            first_panic.keep(run::catch(|| what.run()));
        }
        first_panic
    }
}
