//! What is compared. Each suite turns the settings into comparisons.

pub(crate) mod churn;
pub(crate) mod free;
pub(crate) mod latency;
pub(crate) mod list;
pub(crate) mod map;
pub(crate) mod memory;
pub(crate) mod page;
pub(crate) mod radix;
pub(crate) mod schemes;
pub(crate) mod section;
pub(crate) mod stall;

use std::time::Duration;

use crate::alloc;
use crate::cli::{Settings, Suite};
use crate::crew::{Totals, Watch};
use crate::record::Key;
use crate::run::{Case, Comparison};
use crate::subjects::{Reclaim, Subject, bare};

/// Bytes that may stay behind a run: what threads and progress bars keep.
const SLACK_BYTES: i64 = 1 << 20;

/// A subject of a suite.
pub(crate) type Entry = (&'static str, &'static str);

/// Name and description of a subject.
pub(crate) fn entry<S: Subject>() -> Entry {
    (S::NAME, S::ABOUT)
}

/// The comparisons that the settings ask for.
pub(crate) fn plan(settings: &Settings) -> Vec<Comparison> {
    let mut all = Vec::new();
    for suite in &settings.suites {
        all.extend(match suite {
            Suite::Section => section::plan(settings),
            Suite::Churn => churn::plan(settings),
            Suite::Stall => stall::plan(settings),
            Suite::Free => free::plan(settings),
            Suite::Schemes => schemes::plan(settings),
            Suite::Map => map::plan(settings),
            Suite::Latency => latency::plan(settings),
            Suite::Memory => memory::plan(settings),
            Suite::List => list::plan(settings),
            Suite::Radix => radix::plan(settings),
            Suite::Page => page::plan(settings),
        });
    }
    all.retain(|comparison| !comparison.cases.is_empty());
    all
}

/// Who takes part in a suite.
pub(crate) fn subjects(suite: Suite) -> Vec<Entry> {
    match suite {
        Suite::Section => section::subjects(),
        Suite::Churn => churn::subjects(),
        Suite::Stall => stall::subjects(),
        Suite::Free => free::subjects(),
        Suite::Schemes => schemes::subjects(),
        Suite::Map => map::subjects(),
        Suite::Latency => latency::subjects(),
        Suite::Memory => memory::subjects(),
        Suite::List => list::subjects(),
        Suite::Radix => radix::subjects(),
        Suite::Page => page::subjects(),
    }
}

/// A comparison among the cases that were asked for.
fn comparison(
    settings: &Settings,
    suite: Suite,
    workload: String,
    threads: usize,
    cases: Vec<Case>,
) -> Comparison {
    Comparison {
        key: Key {
            suite: suite.name().to_owned(),
            workload,
            threads,
        },
        cases: cases
            .into_iter()
            .filter(|case| settings.wants(case.subject))
            .collect(),
        runs: settings.runs,
    }
}

/// Measures what so many threads retire in a time. A subject that never frees begins with
/// fresh memory and is through when it has used it up ([`bare::limit`]).
fn measured<T, R>(watch: &mut Watch<'_>, time: Duration, threads: usize) -> (Totals, Duration)
where
    T: Send + Sync + 'static,
    R: Reclaim<T>,
{
    if R::RECLAIMS {
        watch.measure(time)
    } else {
        watch.measure_until(time, bare::limit::<T, R>(threads) * threads as u64)
    }
}

/// Checks at the end of a run that nothing was lost.
///
/// # Panics
///
/// When items are missing, or when a subject has not given its memory back.
fn check<S: Subject>(allocated: u64, retired: u64, heap_before: i64) {
    assert_eq!(
        allocated,
        retired,
        "{}: items allocated and retired differ",
        S::NAME
    );
    let left = alloc::heap_bytes() - heap_before;
    assert!(
        left <= SLACK_BYTES,
        "{}: {left} bytes were not given back",
        S::NAME
    );
}
