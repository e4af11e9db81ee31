//! `section`: what it costs to be allowed to read.
//!
//! Every thread loops over: enter, load one shared pointer, read the value
//! behind it, exit. Nobody writes, and all threads read the same pointer, so
//! the line stays shared; what is measured is the subject's own work, and the
//! traffic of subjects whose readers write to one place (a lock).
//!
//! Workloads: `enter` (the section alone), `nested` (the same inside a section
//! that is already held), `owned` (with a guard that could move to another
//! thread, for those who have one).
//!
//! `time_per_op` is the wall time of one such section of one thread. The loop
//! lets sections overlap in the processor, as they do in real code, unless the
//! subject's fences forbid it. "Above a bare load" is the difference to the
//! same loop with an unprotected load.
//!
//! Not measured: the first entry of a thread, which registers it.

use std::hint::black_box;
use std::time::Duration;

use super::{Entry, comparison, entry};
use crate::cli::{Settings, Suite};
use crate::crew;
use crate::record::{Metric, Sample};
use crate::run::{Case, Comparison};
use crate::subjects::arc_swap::Swap;
use crate::subjects::bare::BareLoad;
#[cfg(feature = "c-peers")]
use crate::subjects::ck::Ck;
use crate::subjects::crossbeam::Crossbeam;
use crate::subjects::haphazard::Haphazard;
use crate::subjects::parsec::Parsec;
use crate::subjects::rwlock::ReadLock;
use crate::subjects::sdd::Sdd;
use crate::subjects::seize::Seize;
use crate::subjects::smr::{Fallback, Smr};
use crate::subjects::tick::Tick;
#[cfg(feature = "c-peers")]
use crate::subjects::urcu::{
    Urcu,
    raw::{Bp, Mb, Memb, Qsbr},
};
use crate::subjects::{Section, repeat};

/// Sections between two looks at the clock of the harness.
const ROUNDS: u64 = 1000;
/// The value that every section must find.
const VALUE: u64 = 7;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Workload {
    Enter,
    Nested,
    Owned,
}

impl Workload {
    const ALL: [Workload; 3] = [Workload::Enter, Workload::Nested, Workload::Owned];

    fn name(self) -> &'static str {
        match self {
            Workload::Enter => "enter",
            Workload::Nested => "nested",
            Workload::Owned => "owned",
        }
    }

    fn suits<S: Section>(self) -> bool {
        match self {
            Workload::Enter => true,
            Workload::Nested => S::NESTS,
            Workload::Owned => S::OWNED,
        }
    }
}

macro_rules! for_each_subject {
    ($call:ident $(, $argument:expr)*) => {{
        #[cfg_attr(not(feature = "c-peers"), expect(unused_mut, reason = "the peers in C"))]
        let mut all = vec![
            $call::<BareLoad>($($argument),*),
            $call::<Smr>($($argument),*),
            $call::<Fallback>($($argument),*),
            $call::<Crossbeam>($($argument),*),
            $call::<Sdd>($($argument),*),
            $call::<Parsec>($($argument),*),
            $call::<Seize>($($argument),*),
            $call::<Haphazard>($($argument),*),
            $call::<Swap>($($argument),*),
            $call::<Tick>($($argument),*),
            $call::<ReadLock>($($argument),*),
        ];
        #[cfg(feature = "c-peers")]
        all.extend([
            $call::<Ck>($($argument),*),
            $call::<Urcu<Memb>>($($argument),*),
            $call::<Urcu<Mb>>($($argument),*),
            $call::<Urcu<Bp>>($($argument),*),
            $call::<Urcu<Qsbr>>($($argument),*),
        ]);
        all
    }};
}

/// Who takes part.
pub(crate) fn subjects() -> Vec<Entry> {
    for_each_subject!(entry)
}

/// The comparisons that the settings ask for.
pub(crate) fn plan(settings: &Settings) -> Vec<Comparison> {
    let time = settings.time(0.03, 0.5);
    let mut all = Vec::new();
    for workload in Workload::ALL {
        for &threads in &settings.threads {
            let cases: Vec<Option<Case>> = for_each_subject!(case, workload, threads, time);
            all.push(comparison(
                settings,
                Suite::Section,
                workload.name().to_owned(),
                threads,
                cases.into_iter().flatten().collect(),
            ));
        }
    }
    all
}

fn case<S: Section + 'static>(workload: Workload, threads: usize, time: Duration) -> Option<Case> {
    workload
        .suits::<S>()
        .then(|| Case::new(S::NAME, move || run::<S>(workload, threads, time)))
}

fn run<S: Section>(workload: Workload, threads: usize, time: Duration) -> Vec<Sample> {
    let shared = S::share(VALUE);
    let ((done, elapsed), _) = crew::run(
        threads,
        0,
        |worker| {
            let mut reader = S::reader(&shared);
            while worker.running() {
                let reader = black_box(&mut reader);
                let sum = match workload {
                    Workload::Enter => repeat(ROUNDS, || S::read(reader)),
                    Workload::Nested => S::nested(reader, ROUNDS),
                    Workload::Owned => repeat(ROUNDS, || S::owned(reader)),
                };
                assert_eq!(sum, VALUE * ROUNDS, "{}: a wrong value", S::NAME);
                worker.retired(ROUNDS);
            }
        },
        |watch| watch.measure(time),
    );
    if done.retired == 0 {
        // Too short a time for one batch: no figure is better than a wrong one.
        return Vec::new();
    }
    let nanos = elapsed.as_nanos() as f64 * threads as f64;
    vec![Sample::new(Metric::TimePerOp, nanos / done.retired as f64)]
}
