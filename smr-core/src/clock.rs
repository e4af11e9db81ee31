//! The clock of a domain: two hands.
//!
//! ```text
//!      rd                 every active reader                 wr
//!   ----|------------------------|--------|--------------------|---->  sequences
//!       everything tagged        |        |                    advance: wr + 1,
//!       up to here is free       readers publish the wr        the new value is
//!                                that they saw                 the goal (tag)
//! ```
//!
//! Invariant: `rd <=` the (clamped) sequence of every active reader `<= wr`. A
//! goal `g` is *expired* once `rd >= g`: no reader can still hold what was
//! unlinked before the advance that returned `g`.
//!
//! Advancing and detecting are apart. The distance between the hands has no
//! bound, nobody waits for a hand, and one scan of the readers expires every
//! goal up to the point that it reaches.
//!
//! The scheme is FreeBSD's Global Unbounded Sequences (Jeffrey Roberson,
//! `subr_smr.c`, 2020). Sequences here have 64 bits and never wrap: at one
//! advance a nanosecond they last five hundred years.
//!
//! # The clamp
//!
//! A reader may load `wr`, be preempted, and publish a value that `rd` has
//! passed meanwhile. Only its number is old, not its view: the scan that raised
//! `rd` did not see it, so (second case of the barrier) its loads come after
//! that scan's barrier and see every unlink up to the new `rd`. It therefore
//! counts as if it had published the `rd` that the scan began with. Without the
//! clamp such a reader would pull the minimum below `rd`; taken together with a
//! store to `rd` that is not a maximum, the hand would go back.
//!
//! # Orderings
//!
//! The hands are moved and read with the orderings that `ord` names. `cost_ns`, `step`
//! and `scanned` are Relaxed: estimates, which say when polling is worth while. Scans at
//! once lose one sample.

use crossbeam_utils::CachePadded;

use crate::barrier::Barrier;
use crate::ord;
use crate::sync::{AtomicU64, Ordering, mutant, process};
use crate::tunables::{
    ASSUMED_BARRIER_NS, BARRIER_SHARE, FEW_POLL_ITEMS, FIRST_SEQ, MAX_BARRIER_NS, MAX_POLL_BYTES,
    MAX_POLL_ITEMS, MIN_POLL_ITEMS, SCAN_NS,
};

/// The step of a clock at its beginning: the least where it is measured what follows.
const FIRST_STEP: u32 = if cfg!(all(feature = "std", not(loom))) {
    FEW_POLL_ITEMS as u32
} else {
    MAX_POLL_ITEMS as u32
};

#[derive(Debug)]
pub(crate) struct Clock {
    own_wr: CachePadded<AtomicU64>,
    /// Where the global domain has its write hand instead.
    static_wr: Option<&'static AtomicU64>,
    rd: CachePadded<AtomicU64>,
    pub(crate) barrier: Barrier,
    /// Measured cost of a heavy barrier, in nanoseconds; a moving average.
    cost_ns: process::AtomicU32,
    /// Items that make a poll for memory worth while, as scans have come lately.
    step: process::AtomicU32,
    /// When the last scan began, in microseconds.
    #[cfg(all(feature = "std", not(loom)))]
    scanned: process::AtomicU32,
}

/// The write hand of the global domain. A place that the linker knows saves its
/// readers one load in seven.
#[cfg(all(feature = "std", not(loom)))]
pub(crate) static GLOBAL_WRITE_HAND: CachePadded<AtomicU64> =
    CachePadded::new(AtomicU64::new(FIRST_SEQ));

/// What a scan carries from its beginning to its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scan {
    rd: u64,
    min: u64,
}

impl Clock {
    /// A clock at its beginning. `static_wr` is for the one domain that has it.
    pub(crate) fn new(barrier: Barrier, static_wr: Option<&'static AtomicU64>) -> Self {
        Self {
            own_wr: CachePadded::new(AtomicU64::new(FIRST_SEQ)),
            static_wr,
            rd: CachePadded::new(AtomicU64::new(FIRST_SEQ)),
            barrier,
            cost_ns: process::AtomicU32::new(ASSUMED_BARRIER_NS),
            step: process::AtomicU32::new(FIRST_STEP),
            #[cfg(all(feature = "std", not(loom)))]
            scanned: process::AtomicU32::new(0),
        }
    }

    /// The word that readers publish.
    #[inline]
    pub(crate) fn write_hand(&self) -> &AtomicU64 {
        self.static_wr.unwrap_or(&self.own_wr)
    }

    /// Whether this is the clock of the global domain.
    #[cfg(all(feature = "std", not(loom)))]
    pub(crate) fn is_global(&self) -> bool {
        self.static_wr.is_some()
    }

    /// The newest goal that was handed out.
    pub(crate) fn now(&self) -> u64 {
        // Acquire: pairs with the AcqRel in `advance`.
        self.write_hand().load(Ordering::Acquire)
    }

    /// Moves the write hand and returns the goal of all that was unlinked
    /// before.
    #[inline]
    pub(crate) fn advance(&self) -> u64 {
        // AcqRel: pairs with the Acquire of enter and of `begin_scan`. The
        // unlink is sequenced before, so whoever sees the goal sees the unlink.
        let before = self.write_hand().fetch_add(1, ord::advance_wr());
        before + u64::from(!mutant("goal_short"))
    }

    /// Whether `goal` is known to be expired, without looking at any reader.
    #[inline]
    pub(crate) fn is_expired(&self, goal: u64) -> bool {
        self.read_hand() >= goal
    }

    #[inline]
    pub(crate) fn read_hand(&self) -> u64 {
        // Acquire: pairs with the AcqRel in `finish_scan`; what the readers did
        // before that scan saw them gone happened before what we do next.
        self.rd.load(ord::poll_rd())
    }

    /// Begins a scan: loads both hands, *then* makes the heavy barrier.
    ///
    /// `wr` must be loaded before the barrier. A goal that is handed out after
    /// the barrier says nothing about readers that entered in between: they may
    /// have seen the pointer before it was unlinked. `None` if the system
    /// refused the barrier.
    pub(crate) fn begin_scan(&self) -> Option<Scan> {
        let rd = self.read_hand();
        // Acquire: pairs with the AcqRel in `advance`.
        let early = self.write_hand().load(ord::poll_wr());
        if !self.heavy() {
            return None;
        }
        self.space();
        let min = if mutant("wr_after_barrier") {
            self.write_hand().load(ord::poll_wr())
        } else {
            early
        };
        Some(Scan { rd, min })
    }

    /// Raises the read hand to what the scan reached, and returns it.
    pub(crate) fn finish_scan(&self, scan: Scan) -> u64 {
        if mutant("rd_plain_store") {
            self.rd.store(scan.min, ord::raise_rd());
            return scan.min;
        }
        // A maximum: of two scans that end in the wrong order the farther one stands.
        // Where the hand is there already, who raised it saw enough, and there is
        // nothing to publish. Exchanges, because ThreadSanitizer does not see what a
        // `fetch_max` orders. Relaxed: the exchange confirms it.
        let mut rd = self.rd.load(Ordering::Relaxed);
        while rd < scan.min {
            // AcqRel: the Release pairs with the Acquire in `read_hand`. Relaxed: the
            // next exchange confirms it.
            match self
                .rd
                .compare_exchange_weak(rd, scan.min, ord::raise_rd(), Ordering::Relaxed)
            {
                Ok(_) => break,
                Err(now) => rd = now,
            }
        }
        scan.min
    }

    fn heavy(&self) -> bool {
        #[cfg(all(feature = "std", not(loom)))]
        {
            let start = std::time::Instant::now();
            let done = self.barrier.heavy();
            let took = u32::try_from(start.elapsed().as_nanos()).unwrap_or(u32::MAX);
            let old = self.cost_ns.load(Ordering::Relaxed);
            self.cost_ns.store(cost_after(old, took), Ordering::Relaxed);
            done
        }
        #[cfg(any(not(feature = "std"), loom))]
        {
            let _ = cost_after;
            self.barrier.heavy()
        }
    }

    /// A heavy barrier for others than scans: latches, and marks on readers.
    pub(crate) fn barrier(&self) -> bool {
        self.heavy()
    }

    /// A scan was made: the next one should come when barriers have had their share of
    /// the time in between.
    fn space(&self) {
        #[cfg(all(feature = "std", not(loom)))]
        {
            let now = crate::sync::micros();
            let last = self.scanned.load(Ordering::Relaxed);
            self.scanned.store(now, Ordering::Relaxed);
            let step = self.step.load(Ordering::Relaxed);
            let step = step_after(step, self.barrier_cost_ns(), now.wrapping_sub(last));
            self.step.store(step, Ordering::Relaxed);
        }
        #[cfg(any(not(feature = "std"), loom))]
        let _ = step_after;
    }

    /// Whether barriers have not had their share of the time since the last scan.
    pub(crate) fn has_time(&self) -> bool {
        #[cfg(all(feature = "std", not(loom)))]
        {
            let elapsed = crate::sync::micros().wrapping_sub(self.scanned.load(Ordering::Relaxed));
            u64::from(elapsed) * 1000 >= time_for(self.barrier_cost_ns())
        }
        #[cfg(any(not(feature = "std"), loom))]
        true
    }

    /// How many items of `item_bytes`, of plain memory, should wait before a poll is
    /// worth its barrier: as [`poll_step`](Self::poll_step), or fewer if they come so
    /// slowly that barriers take their share of the time and no more.
    pub(crate) fn memory_step(&self, item_bytes: usize) -> usize {
        let by_time = self.step.load(Ordering::Relaxed) as usize;
        self.poll_step(item_bytes).min(by_time)
    }

    /// How many items of `item_bytes` should wait before a poll is worth its
    /// barrier, however fast they come: so many that the barrier costs a nanosecond an
    /// item, but never more than the bounds in `tunables`.
    pub(crate) fn poll_step(&self, item_bytes: usize) -> usize {
        let by_cost = self.cost_ns.load(Ordering::Relaxed) as usize;
        let by_bytes = MAX_POLL_BYTES / item_bytes.max(1);
        by_cost
            .clamp(MIN_POLL_ITEMS, MAX_POLL_ITEMS)
            .min(by_bytes)
            .max(1)
    }

    pub(crate) fn barrier_cost_ns(&self) -> u32 {
        self.cost_ns.load(Ordering::Relaxed)
    }
}

/// The average cost of a barrier with one more that took so long. What takes many times
/// as long as those before was interrupted, unless that goes on: it raises the average by
/// three eighths at the most.
fn cost_after(old: u32, took: u32) -> u32 {
    old - old / 8 + took.min(old.saturating_mul(4)).min(MAX_BARRIER_NS) / 8
}

/// How long, in nanoseconds, a scan with a barrier of this cost should last.
fn time_for(cost_ns: u32) -> u64 {
    u64::from(cost_ns.saturating_add(SCAN_NS)) * u64::from(BARRIER_SHARE)
}

/// The step after a scan that came so long after the one before: in proportion to the
/// time that it should have been, a fourth more or less at the most.
fn step_after(step: u32, cost_ns: u32, elapsed_us: u32) -> u32 {
    let was = 1000 * u64::from(elapsed_us.max(1));
    let wanted = u64::from(step) * time_for(cost_ns) / was;
    let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
    wanted
        .clamp(step - step / 4, step + step / 4)
        .clamp(FEW_POLL_ITEMS as u32, MAX_POLL_ITEMS as u32)
}

impl Scan {
    /// Takes a reader's published sequence (not 0) into account.
    pub(crate) fn meet(&mut self, seq: u64) -> u64 {
        let seq = if mutant("no_clamp") {
            seq
        } else {
            seq.max(self.rd)
        };
        self.min = self.min.min(seq);
        seq
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn an_interruption_is_not_the_cost_of_a_barrier() {
        let interrupted = cost_after(400, 5_000_000);
        assert_eq!(interrupted, 550);
        let after = (0..8).fold(interrupted, |cost, _| cost_after(cost, 400));
        assert!((400..475).contains(&after), "{after} ns");
        let dear = (0..60).fold(400, |cost, _| cost_after(cost, 12_000));
        assert!((11_000..=12_000).contains(&dear), "{dear} ns");
        let dearer = (0..60).fold(400, |cost, _| cost_after(cost, 50_000));
        assert!((15_000..=MAX_BARRIER_NS).contains(&dearer), "{dearer} ns");
        // It never comes to a stand at nothing.
        let cheap = (0..60).fold(400, |cost, _| cost_after(cost, 0));
        assert!(cost_after(cheap, 400) > cheap, "{cheap} ns");
    }

    #[test]
    fn barriers_get_their_share_of_the_time() {
        const COST: u32 = 2_000;
        // Items that come so many nanoseconds after each other, from any beginning.
        let settled = |item_ns: u32, first: u32| {
            (0..60).fold(first, |step, _| {
                step_after(step, COST, step * item_ns / 1000)
            })
        };
        for first in [FEW_POLL_ITEMS as u32, 700, MAX_POLL_ITEMS as u32] {
            let step = settled(100, first);
            let share = f64::from(COST + SCAN_NS) / f64::from(step * 100);
            let wanted = 1.0 / f64::from(BARRIER_SHARE);
            assert!((0.9..1.1).contains(&(share / wanted)), "{step}: {share}");
            assert_eq!(settled(1, first), MAX_POLL_ITEMS as u32, "too fast");
            assert_eq!(settled(100_000, first), FEW_POLL_ITEMS as u32, "slow");
        }
        // A clock that jumps, or a long pause, moves it by a fourth.
        assert_eq!(step_after(1000, COST, u32::MAX), 750);
        assert_eq!(step_after(1000, COST, 0), 1250);
    }
}
