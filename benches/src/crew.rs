//! The threads of one run, and the eye on them.
//!
//! # How a run is measured
//!
//! Every worker counts what it has done in a tally that it alone writes. The
//! harness' thread reads all tallies at the beginning and at the end of the
//! measured time; the difference over the wall time between the two readings
//! is the figure. The workers are in full swing at both moments, so neither
//! their start nor their end is in it. A warm-up comes before.
//!
//! Once a millisecond the same thread compares the bytes held from the system
//! with the bytes of live items; the largest difference is the overhead. The
//! sums of a look are not taken at one instant, so a look during which the
//! thread lost its processor is thrown away. The same is done with the memory
//! that the process occupies, from where it stood before the run.
//!
//! # Orderings
//!
//! Tallies are relaxed: they order nothing. They are exact once the workers
//! are joined.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;

use crate::alloc::{self, OwnShard};
use crate::pin;
use crate::record::Point;
use crate::resident;

/// Time between two looks at the memory.
const LOOK: Duration = Duration::from_millis(1);
/// A look that took longer than this mixes two moments.
const LOOK_LIMIT: Duration = Duration::from_micros(200);
/// How long a run may take longer so that it measures anything at all.
const PATIENCE: Duration = Duration::from_secs(10);
/// Room for the looks of the longest runs, taken before memory is watched.
const LOOKS: usize = 1 << 14;
/// Share of the measured time that is spent warming up before it.
const WARM_UP: f64 = 0.25;

/// What one worker has done so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    allocated: AtomicU64,
    retired: AtomicU64,
}

/// Adds to a counter that only this thread writes.
#[inline(always)]
fn bump(counter: &AtomicU64, by: u64) {
    counter.store(counter.load(Ordering::Relaxed) + by, Ordering::Relaxed);
}

/// A worker's own view of the run.
#[derive(Debug)]
pub(crate) struct Worker<'c> {
    /// Its place, from 0.
    pub(crate) index: usize,
    tally: &'c Tally,
    stop: &'c AtomicBool,
}

impl Worker<'_> {
    /// Whether the run goes on.
    #[inline(always)]
    pub(crate) fn running(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// Counts allocated items.
    #[inline(always)]
    pub(crate) fn allocated(&self, items: u64) {
        bump(&self.tally.allocated, items);
    }

    /// Counts retired items, or operations.
    #[inline(always)]
    pub(crate) fn retired(&self, items: u64) {
        bump(&self.tally.retired, items);
    }
}

/// Sums over the tallies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Totals {
    /// Items allocated.
    pub(crate) allocated: u64,
    /// Items retired, or operations done.
    pub(crate) retired: u64,
}

fn totals(tallies: &[CachePadded<Tally>]) -> Totals {
    let mut sum = Totals {
        allocated: 0,
        retired: 0,
    };
    for tally in tallies {
        // Retired first: what is retired was allocated before.
        sum.retired += tally.retired.load(Ordering::Relaxed);
        sum.allocated += tally.allocated.load(Ordering::Relaxed);
    }
    sum
}

/// What the harness sees of a run while it goes on.
#[derive(Debug)]
pub(crate) struct Watch<'c> {
    tallies: &'c [CachePadded<Tally>],
    heap_before: i64,
    item_bytes: usize,
    begin: Instant,
    peak: f64,
    resident_before: Option<u64>,
    resident_peak: f64,
    series: Vec<Point>,
}

impl Watch<'_> {
    /// Bytes held beyond the live ones, unless the look was disturbed.
    fn look(&mut self) {
        let before = Instant::now();
        let first = totals(self.tallies);
        let heap = alloc::heap_bytes();
        let resident = resident::bytes();
        let second = totals(self.tallies);
        if before.elapsed() > LOOK_LIMIT {
            return;
        }
        let live = |sum: Totals| sum.allocated as f64 - sum.retired as f64;
        let live_items = f64::midpoint(live(first), live(second));
        let held = (heap - self.heap_before) as f64;
        let overhead = (held - live_items * self.item_bytes as f64).max(0.0);
        self.peak = self.peak.max(overhead);
        if let (Some(resident), Some(before)) = (resident, self.resident_before) {
            let grown = resident as f64 - before as f64;
            let beyond = grown - live_items * self.item_bytes as f64;
            self.resident_peak = self.resident_peak.max(beyond);
        }
        if self.series.len() < LOOKS {
            let at = self.begin.elapsed().as_secs_f64() * 1e3;
            self.series.push((at, overhead));
        }
    }

    /// Sleeps, with an eye on the memory, until the time is over or `done`.
    pub(crate) fn sleep(&mut self, time: Duration, mut done: impl FnMut() -> bool) {
        let end = Instant::now() + time;
        while !done() {
            let now = Instant::now();
            if now >= end {
                break;
            }
            thread::sleep(LOOK.min(end - now));
            self.look();
        }
    }

    /// Warms up, then measures what is retired in a time.
    pub(crate) fn measure(&mut self, time: Duration) -> (Totals, Duration) {
        self.measure_and_see(time, || {})
    }

    /// The same, with a look of the suite's own once a millisecond.
    pub(crate) fn measure_and_see(
        &mut self,
        time: Duration,
        mut see: impl FnMut(),
    ) -> (Totals, Duration) {
        let mut look = || {
            see();
            false
        };
        self.sleep(time.mul_f64(WARM_UP), &mut look);
        let before = totals(self.tallies);
        let begin = Instant::now();
        self.sleep(time, &mut look);
        let mut after = totals(self.tallies);
        // On a busy machine the workers may not have had a turn yet.
        while after.retired == before.retired && begin.elapsed() < PATIENCE {
            self.sleep(LOOK, || false);
            after = totals(self.tallies);
        }
        let elapsed = begin.elapsed();
        let done = Totals {
            allocated: after.allocated - before.allocated,
            retired: after.retired - before.retired,
        };
        (done, elapsed)
    }

    /// As [`measure`](Self::measure), for workers that stop by themselves after
    /// so many items: without a warm-up, and over when they are through.
    pub(crate) fn measure_until(&mut self, time: Duration, items: u64) -> (Totals, Duration) {
        let tallies = self.tallies;
        let begin = Instant::now();
        self.sleep(time, || totals(tallies).retired >= items);
        (totals(tallies), begin.elapsed())
    }

    /// Waits until so many items are allocated, or for this long.
    ///
    /// # Panics
    ///
    /// When the time is over.
    pub(crate) fn wait_allocated(&mut self, items: u64, limit: Duration) {
        let begin = Instant::now();
        while totals(self.tallies).allocated < items {
            assert!(begin.elapsed() < limit, "the workers take too long");
            thread::sleep(LOOK);
        }
    }

    /// Looks at the heap once a millisecond until so many operations are done:
    /// operations so far, and bytes since the run began.
    pub(crate) fn follow(&mut self, operations: u64, mut see: impl FnMut(u64, i64)) {
        loop {
            let done = totals(self.tallies).retired;
            see(done, alloc::heap_bytes() - self.heap_before);
            if done >= operations {
                break;
            }
            thread::sleep(LOOK);
        }
    }

    /// The largest overhead seen.
    pub(crate) fn peak(&self) -> f64 {
        self.peak
    }

    /// The same in resident memory, where the system tells it.
    pub(crate) fn resident_peak(&self) -> Option<f64> {
        self.resident_before.map(|_| self.resident_peak)
    }

    /// The overhead over time, thinned to about a hundred points.
    pub(crate) fn series(&self) -> Vec<Point> {
        let step = self.series.len().div_ceil(100).max(1);
        let mut thin: Vec<Point> = self.series.iter().copied().step_by(step).collect();
        if let (Some(last), Some(end)) = (thin.last_mut(), self.series.last()) {
            *last = *end;
        }
        thin
    }
}

/// Runs `work` on so many threads while `watch` looks on, then stops and joins
/// them. Gives what `watch` found, and the exact totals.
///
/// A worker that panics ends the comparison.
pub(crate) fn run<R>(
    threads: usize,
    item_bytes: usize,
    work: impl Fn(&Worker<'_>) + Sync,
    watch: impl FnOnce(&mut Watch<'_>) -> R,
) -> (R, Totals) {
    let tallies: Vec<CachePadded<Tally>> = (0..threads).map(|_| Default::default()).collect();
    let stop = CachePadded::new(AtomicBool::new(false));
    let start = Barrier::new(threads + 1);
    let found = thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|index| {
                let (tally, stop, start, work) = (&*tallies[index], &*stop, &start, &work);
                scope.spawn(move || {
                    let _own = OwnShard::take();
                    pin::bind(index, threads);
                    start.wait();
                    work(&Worker { index, tally, stop });
                })
            })
            .collect();
        let series = Vec::with_capacity(LOOKS);
        resident::settle();
        let mut eye = Watch {
            tallies: &tallies,
            heap_before: alloc::heap_bytes(),
            item_bytes,
            begin: Instant::now(),
            peak: 0.0,
            resident_before: resident::bytes(),
            resident_peak: 0.0,
            series,
        };
        start.wait();
        let found = watch(&mut eye);
        stop.store(true, Ordering::Relaxed);
        // Joined one by one, and not by the end of the scope: a join waits for
        // the destructors of thread-locals as well, where subjects clean up.
        for handle in handles {
            if let Err(panic) = handle.join() {
                std::panic::resume_unwind(panic);
            }
        }
        found
    });
    (found, totals(&tallies))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_exact_once_joined() {
        let (measured, total) = run(
            3,
            0,
            |worker| {
                while worker.running() {
                    worker.allocated(2);
                    worker.retired(1);
                }
            },
            |watch| watch.measure(Duration::from_millis(5)).0,
        );
        assert_eq!(total.allocated, 2 * total.retired);
        assert!(measured.retired <= total.retired);
    }

    #[test]
    fn a_series_ends_with_its_last_point() {
        let (series, _) = run(
            1,
            0,
            |worker| while worker.running() {},
            |watch| {
                watch.sleep(Duration::from_millis(20), || false);
                watch.series()
            },
        );
        assert!(series.len() <= 101);
        assert!(series.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    }
}
