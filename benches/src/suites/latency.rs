//! `latency`: how long a single insertion takes while a map grows.
//!
//! Threads insert keys of their own, from an empty map to 4 M entries together,
//! and time each insertion. `insert_p50`, `insert_p99` and `insert_p9999` are the
//! times that 50, 99 and 99.99 of 100 insertions stayed below, `insert_max` is
//! the slowest; each is that of one run. The clock is read twice an insertion,
//! which is in all figures and matters for the median alone. So is what the
//! system does to a thread: with more threads than processors the tail is the
//! scheduler's.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::map::for_each_map;
use super::map::keys::key;
use super::{Entry, comparison, entry};
use crate::cli::{Settings, Suite};
use crate::crew;
use crate::record::{Metric, Sample};
use crate::run::{Case, Comparison};
use crate::subjects::maps::Map;
use crate::subjects::maps::dashmap::Dash;
use crate::subjects::maps::flurry::Flurry;
use crate::subjects::maps::locks::{ParkingLot, StdLock};
use crate::subjects::maps::papaya::Papaya;
use crate::subjects::maps::scc::{SccIndex, SccMap};
use crate::subjects::maps::smr::Smr;

/// The slowest insertion that can be told, in nanoseconds.
const SLOWEST_NANOS: u64 = 100_000_000_000;
/// How long a run may take.
const LIMIT: Duration = Duration::from_secs(600);

/// Who takes part.
pub(crate) fn subjects() -> Vec<Entry> {
    for_each_map!(entry)
}

/// The comparisons that the settings ask for.
pub(crate) fn plan(settings: &Settings) -> Vec<Comparison> {
    let mut all = Vec::new();
    for &entries in &settings.maps.latency_entries {
        for &threads in &settings.maps.latency_threads {
            all.push(comparison(
                settings,
                Suite::Latency,
                format!("insert/{entries}"),
                threads,
                for_each_map!(case, entries, threads),
            ));
        }
    }
    all
}

fn case<M: Map>(entries: u64, threads: usize) -> Case {
    Case::new(M::NAME, move || {
        let samples = run::<M>(entries, threads);
        M::settle();
        samples
    })
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, SLOWEST_NANOS, 3).expect("valid bounds")
}

fn run<M: Map>(entries: u64, threads: usize) -> Vec<Sample> {
    let map = M::new(0);
    let share = (entries / threads as u64).max(1);
    let all = Mutex::new(histogram());
    crew::run(
        threads,
        0,
        |worker| {
            let mut own = histogram();
            for at in 0..share {
                let key = key(at * threads as u64 + worker.index as u64);
                let begin = Instant::now();
                let new = map.insert(key, key);
                let nanos = begin.elapsed().as_nanos() as u64;
                assert!(new, "{}: a new key was there", M::NAME);
                own.saturating_record(nanos.max(1));
            }
            let mut all = all.lock().expect("nobody panics with the lock held");
            *all += own;
            worker.allocated(share);
        },
        |watch| watch.wait_allocated(share * threads as u64, LIMIT),
    );
    let all = all.into_inner().expect("nobody has panicked");
    assert_eq!(all.len(), share * threads as u64, "every insertion counts");
    let below = |quantile: f64| all.value_at_quantile(quantile) as f64;
    vec![
        Sample::new(Metric::InsertP9999, below(0.9999)),
        Sample::new(Metric::InsertMax, all.max() as f64),
        Sample::new(Metric::InsertP50, below(0.5)),
        Sample::new(Metric::InsertP99, below(0.99)),
    ]
}
