//! `stall`: what piles up while a reader stays inside.
//!
//! One writer replaces a shared item of 48 bytes at full speed and retires the
//! old one, until a number of items is reached (or the time is over). One reader
//! is inside: for ever (`pinned`), or 10 ms at a time with a short breath between
//! (`sleepy`). The reader has loaded the shared pointer, so it may hold the item
//! that was current then, and that one only.
//!
//! `overhead_peak` is the largest (bytes held from the system − the one live
//! item), which is what the reader keeps from being freed. `overhead_series` is
//! the same over time, in the records only. `throughput` is the writer's.
//! With a lock the writer waits for the reader; it gets on when the time is over. `none`
//! frees nothing, whoever is inside: more cannot be held up.
//! The number of items is fixed, so that a fast writer is not blamed for having
//! retired more; `items_retired` tells if the time was over first.

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;

use super::{Entry, check, comparison, entry};
use crate::alloc;
use crate::cli::{Settings, Suite};
use crate::crew::{self, Worker};
use crate::record::{Metric, Sample};
use crate::run::{Case, Comparison};
use crate::subjects::bare::{Never, limit};
use crate::subjects::rwlock::Locked;
use crate::subjects::tick::Tick;
use crate::subjects::{Local, Reclaim, for_each_reclaimer};

/// An item of 48 bytes.
type Item = [u64; 6];

/// Time that the sleepy reader stays inside.
const NAP: Duration = Duration::from_millis(10);
/// How often the pinned reader looks whether it may go.
const LOOK: Duration = Duration::from_millis(1);
/// Items between two looks of the writer at the end.
const BATCH: u64 = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Workload {
    Pinned,
    Sleepy,
}

macro_rules! for_each_subject {
    ($call:ident $(, $argument:expr)*) => {
        for_each_reclaimer!(Item, [], [Locked, Tick, Never<Item>], $call [] ($($argument),*))
    };
}

/// Who takes part.
pub(crate) fn subjects() -> Vec<Entry> {
    for_each_subject!(entry)
}

/// The comparisons that the settings ask for.
pub(crate) fn plan(settings: &Settings) -> Vec<Comparison> {
    let time = settings.time(0.4, 10.0);
    let items = settings.items;
    [(Workload::Pinned, "pinned"), (Workload::Sleepy, "sleepy")]
        .into_iter()
        .map(|(workload, name)| {
            let cases = for_each_subject!(case, workload, time, items);
            comparison(settings, Suite::Stall, name.to_owned(), 2, cases)
        })
        .collect()
}

fn case<R: Reclaim<Item> + 'static>(workload: Workload, time: Duration, items: u64) -> Case {
    Case::new(R::NAME, move || run::<R>(workload, time, items))
}

/// What writer and reader share.
struct Scene<'s, R> {
    subject: &'s R,
    source: CachePadded<AtomicPtr<Item>>,
    /// The reader is inside.
    inside: AtomicBool,
    /// The writer has finished; nanoseconds that it took.
    done: AtomicU64,
}

fn run<R: Reclaim<Item>>(workload: Workload, time: Duration, items: u64) -> Vec<Sample> {
    let heap_before = alloc::heap_bytes();
    let items = items.min(limit::<Item, R>(1));
    let subject = R::new(2);
    let scene = Scene {
        subject: &subject,
        source: CachePadded::new(AtomicPtr::new(ptr::null_mut())),
        inside: AtomicBool::new(false),
        done: AtomicU64::new(0),
    };
    let ((peak, resident, series), total) = crew::run(
        2,
        size_of::<Item>(),
        |worker| {
            if worker.index == 0 {
                scene.write(worker, items);
            } else {
                scene.read(worker, workload);
            }
        },
        |watch| {
            watch.sleep(time, || scene.done.load(Ordering::Acquire) != 0);
            (watch.peak(), watch.resident_peak(), watch.series())
        },
    );
    let seconds = Duration::from_nanos(scene.done.into_inner()).as_secs_f64();
    subject.finish();
    check::<R>(total.allocated, total.retired, heap_before);
    let mut over_time = Sample::new(
        Metric::OverheadSeries,
        series.last().map_or(0.0, |&(_, bytes)| bytes),
    );
    over_time.series = Some(series);
    let mut samples = vec![
        Sample::new(Metric::Throughput, total.retired as f64 / seconds),
        Sample::new(Metric::OverheadPeak, peak),
        over_time,
        Sample::new(Metric::ItemsRetired, total.retired as f64),
    ];
    samples.extend(resident.map(|bytes| Sample::new(Metric::ResidentPeak, bytes)));
    samples
}

impl<R: Reclaim<Item>> Scene<'_, R> {
    fn write(&self, worker: &Worker<'_>, items: u64) {
        let local = self.subject.local();
        while !self.inside.load(Ordering::Acquire) {
            thread::yield_now();
        }
        let begin = Instant::now();
        let mut retired = 0;
        while worker.running() && retired < items {
            for value in retired..retired + BATCH {
                let fresh = local.alloc(|| [value; 6]);
                worker.allocated(1);
                let alone =
                    <R::Local<'_> as Local<Item>>::EXCLUSIVE.then(|| local.enter_to_write());
                let old = self.source.swap(fresh.as_ptr(), Ordering::AcqRel);
                drop(alone);
                if let Some(old) = NonNull::new(old) {
                    worker.retired(1);
                    // SAFETY: we took it out, and we are the only writer.
                    unsafe { local.retire(old) };
                }
            }
            retired += BATCH;
        }
        let elapsed = begin.elapsed().as_nanos() as u64;
        self.done.store(elapsed.max(1), Ordering::Release);
        // The last item, once nobody measures any more.
        while worker.running() {
            thread::sleep(LOOK);
        }
        let alone = <R::Local<'_> as Local<Item>>::EXCLUSIVE.then(|| local.enter_to_write());
        let last = self.source.swap(ptr::null_mut(), Ordering::AcqRel);
        drop(alone);
        if let Some(last) = NonNull::new(last) {
            worker.retired(1);
            // SAFETY: as above.
            unsafe { local.retire(last) };
        }
    }

    fn read(&self, worker: &Worker<'_>, workload: Workload) {
        let local = self.subject.local();
        loop {
            let mut guard = local.enter();
            let item = <R::Local<'_> as Local<Item>>::load(&mut guard, &self.source);
            self.inside.store(true, Ordering::Release);
            match workload {
                Workload::Pinned => {
                    while worker.running() {
                        thread::sleep(LOOK);
                    }
                }
                Workload::Sleepy => thread::sleep(NAP),
            }
            // What a reader is inside for: the item is still itself.
            if let Some(item) = NonNull::new(item) {
                // SAFETY: loaded in this section.
                let words = unsafe { item.as_ref() };
                assert!(
                    words.iter().all(|word| *word == words[0]),
                    "{}: an item was reused under its reader",
                    R::NAME
                );
            }
            drop(guard);
            if !worker.running() {
                break;
            }
        }
    }
}
