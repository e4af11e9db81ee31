//! `memory`: what hash maps hold.
//!
//! # Workloads
//!
//! - `grown`: from empty, one insertion after the other; `presized`: with room for
//!   all from the start; `removed-90`: grown, then nine of ten entries removed.
//!   `bytes_per_entry` divides what the map holds by the entries in it.
//! - `empty`: `heap_bytes` of a new map, which is not its thread's first;
//!   `resident_bytes` is what each of many takes, since a page has room for several.
//! - `churn`: a map of constant size, a tenth of the entries asked for, in which
//!   every thread replaces its oldest key by one that never was. `heap_drift` is
//!   by how much what it holds swings once a quarter of the operations are
//!   done: the largest over the smallest, less one. `bytes_per_entry` and
//!   `resident_per_entry` are the largest in that time.
//!
//! # How it is counted
//!
//! By the bytes asked of the allocator and not given back, so without its headers
//! and rounding; those are in what is resident, which is disturbed by what the
//! system's allocator keeps of earlier runs. Each run has a thread of its
//! own and begins with the earlier runs' memory given back. What is retired and
//! not yet free counts. Before the count of a map at rest it is used lightly (one
//! key in and out, every millisecond) until nothing changes any more, for 50 ms at
//! most: what a map holds on to in use is what it is charged with.

use std::thread;
use std::time::Duration;

use super::map::keys::key;
use super::map::{churn_while, filled, for_each_map};
use super::{Entry, comparison, entry};
use crate::alloc;
use crate::cli::{Settings, Suite};
use crate::machine;
use crate::record::{Metric, Sample};
use crate::resident;
use crate::run::{Case, Comparison};
use crate::subjects::maps::bare::Unshared;
use crate::subjects::maps::dashmap::Dash;
use crate::subjects::maps::flurry::Flurry;
use crate::subjects::maps::locks::{ParkingLot, StdLock};
use crate::subjects::maps::papaya::Papaya;
use crate::subjects::maps::scc::{SccIndex, SccMap};
use crate::subjects::maps::smr::Smr;
use crate::subjects::maps::{Map, Table};

/// Rounds of light use before a map at rest is counted, a millisecond each.
const ROUNDS: usize = 50;
/// So many rounds without a change, and it is at rest.
const STEADY: usize = 8;
/// Empty maps whose resident memory is taken together.
const EMPTIES: usize = 256;

/// Who takes part.
pub(crate) fn subjects() -> Vec<Entry> {
    let mut all = for_each_map!(entry);
    all.push(entry::<Unshared>());
    all
}

/// The comparisons that the settings ask for.
pub(crate) fn plan(settings: &Settings) -> Vec<Comparison> {
    let maps = &settings.maps;
    let (threads, operations) = (machine::cores(), maps.operations);
    let compare = |workload: String, threads: usize, runs: usize, cases: Vec<Case>| Comparison {
        runs,
        ..comparison(settings, Suite::Memory, workload, threads, cases)
    };
    let mut cases = for_each_map!(empty_case);
    cases.push(empty_case::<Unshared>());
    let mut all = vec![compare("empty".to_owned(), 1, maps.memory_runs, cases)];
    for &entries in &maps.memory_entries {
        for (name, room) in [("grown", 0), ("presized", entries)] {
            let mut cases = for_each_map!(full_case, room, entries);
            cases.push(full_case::<Unshared>(room, entries));
            let name = format!("{name}/{entries}");
            all.push(compare(name, 1, maps.memory_runs, cases));
        }
        let cases = for_each_map!(removed_case, entries);
        let name = format!("removed-90/{entries}");
        all.push(compare(name, 1, maps.memory_runs, cases));

        let live = (entries / 10).max(threads as u64);
        let cases = for_each_map!(churn_case, live, threads, operations);
        let name = format!("churn/{live}/{operations}");
        all.push(compare(name, threads, maps.memory_runs, cases));
    }
    all
}

/// Does a run on a thread of its own, from where the memory stands.
fn apart<T: Table>(run: impl FnOnce(&Base) -> Vec<Sample> + Send) -> Vec<Sample> {
    T::settle();
    let samples = thread::scope(|scope| {
        let handle = scope.spawn(|| {
            resident::settle();
            run(&Base::now())
        });
        handle.join()
    });
    T::settle();
    samples.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Where the memory stood before a run.
#[derive(Debug)]
pub(super) struct Base {
    heap: i64,
    resident: Option<u64>,
}

impl Base {
    pub(super) fn now() -> Self {
        Self {
            heap: alloc::heap_bytes(),
            resident: resident::bytes(),
        }
    }

    /// Bytes taken since.
    pub(super) fn held(&self) -> i64 {
        alloc::heap_bytes() - self.heap
    }

    /// Resident bytes since, where the system tells.
    fn resident(&self) -> Option<f64> {
        // Nothing but a map and its makers has taken memory since.
        let grown = resident::bytes()? as f64 - self.resident? as f64;
        Some(grown.max(0.0))
    }

    /// What each of so many entries takes.
    fn per_entry(&self, entries: u64) -> Vec<Sample> {
        per_entry(self.held(), self.resident(), entries)
    }

    /// Waits until what is held changes no more under light use.
    pub(super) fn rest(&self, mut touch: impl FnMut(), settle: impl Fn()) {
        let (mut before, mut steady) = (self.held(), 0);
        for _ in 0..ROUNDS {
            touch();
            settle();
            thread::sleep(Duration::from_millis(1));
            let now = self.held();
            steady = if now == before { steady + 1 } else { 0 };
            before = now;
            if steady == STEADY {
                break;
            }
        }
        // What the system's allocator keeps of it is nobody's.
        resident::settle();
    }
}

/// What each of so many entries takes of what is held, and of what is resident.
fn per_entry(held: i64, resident: Option<f64>, entries: u64) -> Vec<Sample> {
    let share = |bytes: f64| bytes.max(0.0) / entries as f64;
    let mut samples = vec![Sample::new(Metric::BytesPerEntry, share(held as f64))];
    let resident = resident.map(|bytes| Sample::new(Metric::ResidentPerEntry, share(bytes)));
    samples.extend(resident);
    samples
}

fn empty_case<T: Table>() -> Case {
    Case::new(T::NAME, || {
        apart::<T>(|_| {
            // What a thread's first map takes for the thread is not the map's.
            drop(std::hint::black_box(T::new(0)));
            let base = Base::now();
            let table = std::hint::black_box(T::new(0));
            let held = base.held();
            drop(table);
            let mut samples = vec![Sample::new(Metric::HeapBytes, held as f64)];
            // Their places are written to before, and are not theirs.
            let mut many: Vec<Option<T>> = (0..EMPTIES).map(|_| None).collect();
            T::settle();
            resident::settle();
            let base = Base::now();
            many.fill_with(|| Some(T::new(0)));
            let each = base.resident().map(|bytes| bytes / EMPTIES as f64);
            samples.extend(each.map(|bytes| Sample::new(Metric::ResidentBytes, bytes)));
            samples
        })
    })
}

fn full_case<T: Table>(room: u64, entries: u64) -> Case {
    Case::new(T::NAME, move || {
        apart::<T>(|base| {
            let mut table = T::new(room as usize);
            for index in 0..entries {
                table.put(key(index), index);
            }
            base.rest(|| table.put(key(0), 0), T::settle);
            let samples = base.per_entry(entries);
            assert!(table.get(key(entries - 1)).is_some(), "{}", T::NAME);
            samples
        })
    })
}

fn removed_case<M: Map>(entries: u64) -> Case {
    Case::new(M::NAME, move || {
        apart::<M>(|base| {
            let map: M = filled(0..entries);
            let left = entries.div_ceil(10);
            for index in left..entries {
                assert!(map.remove(key(index)), "{}: a key is lost", M::NAME);
            }
            let touch = || {
                map.insert(key(entries), 0);
                map.remove(key(entries));
            };
            base.rest(touch, M::settle);
            let samples = base.per_entry(left);
            assert!(map.get(key(0)).is_some(), "{}", M::NAME);
            samples
        })
    })
}

fn churn_case<M: Map>(live: u64, threads: usize, operations: u64) -> Case {
    Case::new(M::NAME, move || {
        apart::<M>(|base| churn::<M>(base, live, threads, operations))
    })
}

fn churn<M: Map>(base: &Base, live: u64, threads: usize, operations: u64) -> Vec<Sample> {
    let live = live / threads as u64 * threads as u64;
    let map: M = filled(0..live);
    let start = base.held();
    let (low, high, resident) =
        churn_while(&map, live, threads, operations, |watch, operations| {
            let (mut low, mut high, mut resident) = (i64::MAX, 0, None);
            watch.follow(operations, |done, more| {
                if done >= operations / 4 {
                    low = low.min(start + more);
                    high = high.max(start + more);
                    resident = base.resident().map(|now| now.max(resident.unwrap_or(0.0)));
                }
            });
            (low, high, resident)
        });
    let mut samples = per_entry(high, resident, live);
    samples.push(Sample::new(
        Metric::HeapDrift,
        high as f64 / low as f64 - 1.0,
    ));
    samples
}
