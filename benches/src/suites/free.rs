//! `free`: allocate, retire, reuse.
//!
//! Every thread loops over: allocate an item of 48 bytes and write it, retire
//! it. Nobody reads. `time_per_op` is the wall time of one such pair of one
//! thread, with everything that it entails later: scans, callbacks, `free`.
//! `malloc` is the same pair with plain malloc and free, which protects nobody. With a
//! lock it is that as well, with the lock taken to write before the item goes: what
//! keeps readers out there is the unlinking, of which the others have none here. `none`
//! frees nothing, so its run ends early when it has used up its memory.

use std::hint::black_box;
use std::time::Duration;

use super::{Entry, check, comparison, entry, measured};
use crate::alloc;
use crate::cli::{Settings, Suite};
use crate::crew;
use crate::record::{Metric, Sample};
use crate::run::{Case, Comparison};
use crate::subjects::bare::{Malloc, Never, limit};
use crate::subjects::rwlock::Locked;
use crate::subjects::tick::Tick;
use crate::subjects::{Local, Reclaim, for_each_reclaimer};

mod pools;

/// An item of 48 bytes.
type Item = [u64; 6];

/// Pairs between two looks at the end.
const BATCH: u64 = 64;

macro_rules! for_each_subject {
    ($call:ident $(, $argument:expr)*) => {
        for_each_reclaimer!(
            Item,
            [Malloc],
            [Locked, Tick, Never<Item>],
            $call [] ($($argument),*)
        )
    };
}

/// Who takes part.
pub(crate) fn subjects() -> Vec<Entry> {
    for_each_subject!(entry)
}

/// The comparisons that the settings ask for.
pub(crate) fn plan(settings: &Settings) -> Vec<Comparison> {
    let time = settings.time(0.06, 1.0);
    let mut all = Vec::new();
    for &threads in &settings.threads {
        let cases = for_each_subject!(case, threads, time);
        all.push(comparison(
            settings,
            Suite::Free,
            "48".to_owned(),
            threads,
            cases,
        ));
    }
    all.push(pools::plan(settings));
    all
}

fn case<R: Reclaim<Item> + 'static>(threads: usize, time: Duration) -> Case {
    Case::new(R::NAME, move || run::<R>(threads, time))
}

fn run<R: Reclaim<Item>>(threads: usize, time: Duration) -> Vec<Sample> {
    let heap_before = alloc::heap_bytes();
    let subject = R::new(threads);
    let ((done, elapsed, peak), total) = crew::run(
        threads,
        size_of::<Item>(),
        |worker| {
            let local = subject.local();
            let mut value = 0;
            let limit = limit::<Item, R>(threads);
            while worker.running() && value < limit {
                worker.allocated(BATCH);
                for _ in 0..BATCH {
                    value += 1;
                    let item = black_box(local.alloc(|| [value; 6]));
                    let alone =
                        <R::Local<'_> as Local<Item>>::EXCLUSIVE.then(|| local.enter_to_write());
                    drop(alone);
                    // SAFETY: never published, given up once.
                    unsafe { local.retire(item) };
                }
                worker.retired(BATCH);
            }
        },
        |watch| {
            let (done, elapsed) = measured::<Item, R>(watch, time, threads);
            (done, elapsed, watch.peak())
        },
    );
    subject.finish();
    check::<R>(total.allocated, total.retired, heap_before);
    if done.retired == 0 {
        return Vec::new();
    }
    let nanos = elapsed.as_nanos() as f64 * threads as f64;
    vec![
        Sample::new(Metric::TimePerOp, nanos / done.retired as f64),
        Sample::new(Metric::OverheadPeak, peak),
    ]
}
