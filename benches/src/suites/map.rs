//! `map`: hash maps from `u64` to `u64`, under mixes of operations.
//!
//! All maps hash with the same function. They are grown to their size one entry
//! after the other, as maps in use are, unless the workload says otherwise.
//!
//! # Workloads
//!
//! - `read-only`: look-ups that hit, each with a pin, guard or lock of its own;
//!   `read-only-pinned`: with what can be kept kept for 256 look-ups (a pin, but
//!   also a read lock). The map without threads shows the limit; the batched
//!   look-ups take part in the second.
//! - `read-heavy`, `exchange`: the mixes that conc-map-bench defines (98% look-ups,
//!   1% insertions, 1% removals; 10/40/40 and 10% updates); `90-10` and `50-50`
//!   with their writes half insertions, half removals. Keys are drawn from twice
//!   as many as the map has entries at the start, so that every other look-up
//!   hits, and the map keeps its size.
//! - `rapid-grow`: conc-map-bench's 5/80/5/10, until as many entries were inserted
//!   as asked for. There the map has room from the start
//!   (`rapid-grow-presized`); from empty it has to grow. Each thread inserts keys
//!   of its own, removes its oldest, reads and updates any of its own. The time is
//!   that from the first thread's first operation to the last thread's last.
//!   Left out below 10,000 entries, where nothing could be measured.
//! - `churn`: each thread inserts a key that never was, and removes its oldest.
//! - `iterate`: one thread visits all entries; `time_per_op` is that of an entry.
//! - `four-readers-one-writer`: `throughput` counts the look-ups, and
//!   `writer_throughput` the writes, one half insertions and one half removals.
//!
//! Keys are drawn uniformly or by Zipf's law with exponent 0.99, beforehand, and
//! read from a trace.
//!
//! # What is checked
//!
//! Every value found belongs to its key, every look-up of a key that must be
//! there finds it, and at the end the map has as many entries as insertions and
//! removals said.

use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use super::{Entry, entry};
use crate::cli::{Distribution, Settings, Suite, Workload};
use crate::crew::{self, Worker};
use crate::record::{Key, Metric, Sample};
use crate::run::{Case, Comparison};
use crate::subjects::maps::bare::{Boxed, Unshared};
use crate::subjects::maps::dashmap::Dash;
use crate::subjects::maps::flurry::Flurry;
use crate::subjects::maps::locks::{ParkingLot, StdLock};
use crate::subjects::maps::papaya::Papaya;
use crate::subjects::maps::scc::{SccIndex, SccMap};
use crate::subjects::maps::smr::{Batched, Smr};
use crate::subjects::maps::{Map, Table};

use keys::{Random, Walk, key, trace};
use ops::{Mix, Operation, Span, apply, flip, inspect};

pub(crate) mod keys;
mod ops;

/// How many entries a map may have.
pub(crate) const ENTRIES: std::ops::RangeInclusive<u64> = 16..=1 << 28;

/// Operations between two looks at the end of the run.
const BATCH: usize = 256;
/// Growth to fewer entries is over too soon.
const GROWTH_ENTRIES: u64 = 10_000;
/// How long growth may take.
const GROWTH_LIMIT: Duration = Duration::from_secs(600);
/// Threads of `four-readers-one-writer`.
const READERS_AND_WRITER: usize = 5;

/// Calls a function for each map that threads write.
macro_rules! for_each_map {
    ($call:ident $(, $argument:expr)*) => {
        vec![
            $call::<Smr>($($argument),*),
            $call::<Papaya>($($argument),*),
            $call::<Dash>($($argument),*),
            $call::<SccMap>($($argument),*),
            $call::<SccIndex>($($argument),*),
            $call::<Flurry>($($argument),*),
            $call::<StdLock>($($argument),*),
            $call::<ParkingLot>($($argument),*),
        ]
    };
}
pub(crate) use for_each_map;

/// Who takes part.
pub(crate) fn subjects() -> Vec<Entry> {
    let mut all = for_each_map!(entry);
    all.push(entry::<Batched>());
    all.push(entry::<Unshared>());
    all.push(entry::<Boxed>());
    all
}

/// What a run is given.
#[derive(Clone, Copy, Debug)]
struct Load {
    distribution: Distribution,
    entries: u64,
    threads: usize,
    time: Duration,
}

/// The comparisons that the settings ask for.
pub(crate) fn plan(settings: &Settings) -> Vec<Comparison> {
    let maps = &settings.maps;
    let time = settings.time(0.03, 0.2);
    let mut all = Vec::new();
    for &entries in &maps.entries {
        for (at, &distribution) in maps.distributions.iter().enumerate() {
            for &workload in &maps.workloads {
                if at > 0 && !draws(workload) {
                    continue;
                }
                if grows(workload) && entries < GROWTH_ENTRIES {
                    continue;
                }
                for &threads in own_threads(workload).unwrap_or(&maps.threads[..]) {
                    let load = Load {
                        distribution,
                        entries,
                        threads,
                        time,
                    };
                    all.push(comparison(settings, workload, load));
                }
            }
        }
    }
    all
}

/// Whether the keys of a workload are drawn.
fn draws(workload: Workload) -> bool {
    !matches!(
        workload,
        Workload::RapidGrow | Workload::RapidGrowPresized | Workload::Churn | Workload::Iterate
    )
}

/// Whether a workload is over when the map has grown.
fn grows(workload: Workload) -> bool {
    matches!(workload, Workload::RapidGrow | Workload::RapidGrowPresized)
}

/// The number of threads, where it belongs to the workload.
fn own_threads(workload: Workload) -> Option<&'static [usize]> {
    match workload {
        Workload::Iterate => Some(&[1]),
        Workload::FourReadersOneWriter => Some(&[READERS_AND_WRITER]),
        _ => None,
    }
}

fn comparison(settings: &Settings, workload: Workload, load: Load) -> Comparison {
    let mut cases: Vec<Case> = match workload {
        Workload::ReadOnly | Workload::ReadOnlyPinned | Workload::Iterate => {
            let mut cases = for_each_map!(read_case, workload, load);
            if workload == Workload::ReadOnlyPinned {
                cases.push(read_case::<Batched>(workload, load));
            }
            cases.push(read_case::<Unshared>(workload, load));
            cases.push(read_case::<Boxed>(workload, load));
            cases
        }
        _ => for_each_map!(write_case, workload, load),
    };
    cases.retain(|case| settings.wants(case.subject));
    let mut name = format!("{}/{}", workload.name(), load.entries);
    if draws(workload) {
        name = format!("{name}/{}", load.distribution.name());
    }
    Comparison {
        key: Key {
            suite: Suite::Map.name().to_owned(),
            workload: name,
            threads: load.threads,
        },
        cases,
        runs: settings.maps.runs,
    }
}

fn read_case<T: Table>(workload: Workload, load: Load) -> Case {
    Case::new(T::NAME, move || {
        let samples = match workload {
            Workload::ReadOnly => read::<T, false>(load),
            Workload::ReadOnlyPinned => read::<T, true>(load),
            Workload::Iterate => iterate::<T>(load),
            _ => unreachable!("{workload:?} writes"),
        };
        T::settle();
        samples
    })
}

fn write_case<M: Map>(workload: Workload, load: Load) -> Case {
    Case::new(M::NAME, move || {
        let samples = match workload {
            Workload::ReadHeavy => mix::<M>(Mix::READ_HEAVY, load),
            Workload::NinetyTen => mix::<M>(Mix::NINETY_TEN, load),
            Workload::Half => mix::<M>(Mix::HALF, load),
            Workload::Exchange => mix::<M>(Mix::EXCHANGE, load),
            Workload::RapidGrow => grow::<M>(0, load),
            Workload::RapidGrowPresized => grow::<M>(load.entries, load),
            Workload::Churn => churn::<M>(load),
            Workload::FourReadersOneWriter => lock::<M>(load),
            _ => unreachable!("{workload:?} does not write"),
        };
        M::settle();
        samples
    })
}

/// A grown map with these keys, each its own value.
pub(crate) fn filled<T: Table>(indices: impl Iterator<Item = u64>) -> T {
    let mut table = T::new(0);
    for index in indices {
        table.put(key(index), key(index));
    }
    table
}

/// Checks that a map has as many entries as it should, each with its value.
fn audit<T: Table>(table: &T, expected: i64) {
    let mut count = 0;
    table.visit(|key, value| {
        inspect(key, value);
        count += 1;
    });
    assert_eq!(count, expected, "{}: entries at the end", T::NAME);
}

fn throughput(operations: u64, elapsed: Duration) -> Vec<Sample> {
    if operations == 0 {
        return Vec::new();
    }
    let rate = operations as f64 / elapsed.as_secs_f64();
    vec![Sample::new(Metric::Throughput, rate)]
}

fn read<T: Table, const KEPT: bool>(load: Load) -> Vec<Sample> {
    let trace = trace(load.distribution, load.entries);
    let table: T = filled(0..load.entries);
    let ((done, elapsed), _) = crew::run(
        load.threads,
        0,
        |worker| {
            let mut walk = Walk::new(&trace, worker.index, load.threads);
            while worker.running() {
                let keys = walk.take(BATCH);
                let (mut sum, mut hits) = (0_u64, 0);
                let mut found = |value| {
                    sum = sum.wrapping_add(value);
                    hits += 1;
                };
                if KEPT {
                    table.read_many(keys, found);
                } else {
                    for &key in keys {
                        if let Some(value) = table.get(key) {
                            found(value);
                        }
                    }
                }
                black_box(sum);
                assert_eq!(hits, keys.len(), "{}: a key is lost", T::NAME);
                worker.retired(keys.len() as u64);
            }
        },
        |watch| watch.measure(load.time),
    );
    audit(&table, load.entries as i64);
    throughput(done.retired, elapsed)
}

fn iterate<T: Table>(load: Load) -> Vec<Sample> {
    let table: T = filled(0..load.entries);
    // A visit of a large map is long: whole visits are timed where they are made.
    let visits = Mutex::new((0_u64, Duration::ZERO));
    crew::run(
        load.threads,
        0,
        |worker| {
            let mut begin = None;
            let mut visited = 0;
            loop {
                let (mut sum, mut count) = (0_u64, 0);
                table.visit(|key, value| {
                    sum = sum.wrapping_add(key ^ value);
                    count += 1;
                });
                assert_eq!((sum, count), (0, load.entries), "{}", T::NAME);
                worker.retired(count);
                match begin {
                    // The first one warms up.
                    None => begin = Some(Instant::now()),
                    Some(begin) => {
                        visited += count;
                        if !worker.running() {
                            let mut visits = visits.lock().expect("nobody panics inside");
                            visits.0 += visited;
                            visits.1 += begin.elapsed();
                            break;
                        }
                    }
                }
            }
        },
        |watch| watch.sleep(load.time, || false),
    );
    let (visited, elapsed) = visits.into_inner().expect("nobody has panicked");
    let nanos = elapsed.as_nanos() as f64;
    vec![Sample::new(Metric::TimePerOp, nanos / visited as f64)]
}

fn mix<M: Map>(mix: Mix, load: Load) -> Vec<Sample> {
    let trace = trace(load.distribution, 2 * load.entries);
    // Every other rank, so that as many of the frequent keys are there as not.
    let map: M = filled((0..load.entries).map(|index| 2 * index));
    let net = AtomicI64::new(load.entries as i64);
    let ((done, elapsed), _) = crew::run(
        load.threads,
        0,
        |worker| {
            let mut walk = Walk::new(&trace, worker.index, load.threads);
            let mut random = Random::new(worker.index as u64);
            let mut own = 0;
            while worker.running() {
                let keys = walk.take(BATCH);
                for &key in keys {
                    own += apply(&map, mix.draw(&mut random), key);
                }
                worker.retired(keys.len() as u64);
            }
            net.fetch_add(own, Ordering::Relaxed);
        },
        |watch| watch.measure(load.time),
    );
    audit(&map, net.into_inner());
    throughput(done.retired, elapsed)
}

fn grow<M: Map>(room: u64, load: Load) -> Vec<Sample> {
    let map = M::new(room as usize);
    let share = load.entries / load.threads as u64;
    let entries = AtomicI64::new(0);
    let clocks = Mutex::new(Vec::new());
    let (_, total) = crew::run(
        load.threads,
        0,
        |worker| {
            let mut random = Random::new(worker.index as u64);
            let mut own = Span::new(worker, load.threads, 0);
            let begin = Instant::now();
            while own.end < share {
                match Mix::RAPID_GROW.draw(&mut random) {
                    Operation::Insert => own.insert(&map),
                    Operation::Remove if own.len() > 0 => own.remove(&map),
                    Operation::Remove => {}
                    Operation::Read => {
                        if let Some(key) = own.any(&mut random) {
                            inspect(key, map.get(key).expect("an own key"));
                        }
                    }
                    Operation::Update => {
                        if let Some(key) = own.any(&mut random) {
                            assert!(map.update(key, flip), "{}: a key is lost", M::NAME);
                        }
                    }
                }
                worker.retired(1);
            }
            let end = Instant::now();
            let mut clocks = clocks.lock().expect("nobody panics with the lock held");
            clocks.push((begin, end));
            entries.fetch_add(own.len(), Ordering::Relaxed);
            // Insertions, so that the watch knows when all are through.
            worker.allocated(own.end);
        },
        |watch| watch.wait_allocated(share * load.threads as u64, GROWTH_LIMIT),
    );
    audit(&map, entries.into_inner());
    let clocks = clocks.into_inner().expect("nobody has panicked");
    let begin = clocks.iter().map(|(begin, _)| *begin).min();
    let end = clocks.iter().map(|(_, end)| *end).max();
    let elapsed = begin.zip(end).map(|(begin, end)| end - begin);
    throughput(total.retired, elapsed.expect("every thread has a clock"))
}

fn churn<M: Map>(load: Load) -> Vec<Sample> {
    let share = (load.entries / load.threads as u64).max(1);
    let live = share * load.threads as u64;
    let map: M = filled(0..live);
    let ((done, elapsed), _) = crew::run(
        load.threads,
        0,
        |worker| churn_on(&map, worker, Span::new(worker, load.threads, share), None),
        |watch| watch.measure(load.time),
    );
    audit(&map, live as i64);
    throughput(done.retired, elapsed)
}

/// Replaces the oldest key by a new one until the run is over, or so many
/// operations are done.
fn churn_on<M: Map>(map: &M, worker: &Worker<'_>, mut own: Span, limit: Option<u64>) {
    let mut left = limit.unwrap_or(u64::MAX);
    while left > 0 && worker.running() {
        for _ in 0..BATCH / 2 {
            own.insert(map);
            own.remove(map);
        }
        worker.retired(BATCH as u64);
        left = left.saturating_sub(BATCH as u64);
    }
}

fn lock<M: Map>(load: Load) -> Vec<Sample> {
    let trace = trace(load.distribution, 2 * load.entries);
    let map: M = filled((0..load.entries).map(|index| 2 * index));
    let net = AtomicI64::new(load.entries as i64);
    let ((done, elapsed), _) = crew::run(
        load.threads,
        0,
        |worker| {
            let mut walk = Walk::new(&trace, worker.index, load.threads);
            let mut own = 0;
            while worker.running() {
                let keys = walk.take(BATCH);
                if worker.index == 0 {
                    for (at, &key) in keys.iter().enumerate() {
                        let write = [Operation::Insert, Operation::Remove][at % 2];
                        own += apply(&map, write, key);
                        worker.allocated(1);
                    }
                } else {
                    for &key in keys {
                        apply(&map, Operation::Read, key);
                    }
                    worker.retired(keys.len() as u64);
                }
            }
            net.fetch_add(own, Ordering::Relaxed);
        },
        |watch| watch.measure(load.time),
    );
    audit(&map, net.into_inner());
    let mut samples = throughput(done.retired, elapsed);
    let writes = done.allocated as f64 / elapsed.as_secs_f64();
    samples.push(Sample::new(Metric::WriterThroughput, writes));
    samples
}

/// Replaces keys of a map of constant size, so many operations over all threads;
/// `follow` looks on and is told how many.
pub(crate) fn churn_while<M: Map, R>(
    map: &M,
    live: u64,
    threads: usize,
    operations: u64,
    follow: impl FnOnce(&mut crew::Watch<'_>, u64) -> R,
) -> R {
    let share = live / threads as u64;
    let batch = BATCH as u64;
    let each = (operations / threads as u64).div_ceil(batch) * batch;
    let (found, _) = crew::run(
        threads,
        0,
        |worker| {
            let own = Span::new(worker, threads, share);
            churn_on(map, worker, own, Some(each));
        },
        |watch| follow(watch, each * threads as u64),
    );
    audit(map, (share * threads as u64) as i64);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "entries at the end")]
    fn a_lost_entry_is_noticed() {
        let map: Dash = filled(0..100);
        map.remove(key(7));
        audit(&map, 100);
    }
}
