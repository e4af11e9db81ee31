//! `churn`: items allocated, passed between threads and retired, at full speed.
//!
//! The test that sequences were announced with. Every thread loops over:
//!
//! 1. allocate 100 items, linked in a list; zero the first 64 bytes of each;
//! 2. in a section, push the list to a queue: a random thread's (`random`), the
//!    own one (`local`) or the next thread's (`remote`);
//! 3. in a section, take everything out of the own queue;
//! 4. outside of any section, retire what was taken, item by item.
//!
//! # What the section protects
//!
//! A queue is one pointer to its newest item, which counts the items from
//! there on. Who pushes loads that pointer, *reads the count in the item*, links
//! its list in front and swings the pointer by a compare-and-exchange. The owner
//! may take the queue in between and retire the item: without protection the
//! read would go to freed memory, and an item that came back at the same
//! address would let the exchange succeed wrongly.
//!
//! # A full queue
//!
//! A queue holds at most 16,384 items. Who finds it full does not wait: it
//! retires its own list on the spot, the same way. `queue_full_share` says how
//! often that happened. (With more threads than processors it is common:
//! sleeping owners do not empty their queues.)
//!
//! # What is measured
//!
//! An operation is one item that was allocated, offered and retired.
//! `throughput` counts them for all threads together. `overhead_peak` is the
//! largest (bytes held from the system − bytes of items not yet retired), seen
//! once a millisecond; slabs, bags and lists count in full, the rounding of the
//! system's allocator does not. `resident_peak` is the same of the memory that the
//! process occupies: there what malloc keeps for reuse counts as what a pool keeps
//! does. `frees_per_poll` is the number of items retired
//! for each scan of the readers, for those who tell. `free_to_use` is taken in
//! runs of its own.
//!
//! `none` never frees, so its run ends early when it has used up its memory;
//! its throughput is that of fresh memory, page faults included.

use std::cell::Cell;
use std::ptr::{self, NonNull};
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_utils::CachePadded;

use super::{Entry, check, comparison, entry, measured};
use crate::alloc;
use crate::cli::{Locality, Settings, Suite};
use crate::crew::{self, Worker};
use crate::probe::{Blind, Follow, Idle, Probe};
use crate::record::{Metric, Sample};
use crate::run::{Case, Comparison};
use crate::subjects::bare::{Never, limit};
use crate::subjects::rwlock::Locked;
use crate::subjects::tick::Tick;
use crate::subjects::{Local, Reclaim, Subject, for_each_reclaimer};

use item::Item;

mod item;

/// Items of a list.
const LIST: u64 = 100;
/// Items of a queue, at most.
const QUEUE_LIMIT: u64 = 16_384;

/// The sizes that drivers are compiled for.
pub(crate) const SIZES: [usize; 6] = [128, 256, 512, 1024, 2048, 4096];

/// Calls a function for each subject, for items with so many bytes behind their
/// first 64.
macro_rules! for_each_subject {
    ($rest:literal, $call:ident $(, $argument:expr)*) => {
        for_each_reclaimer!(
            Item<$rest>,
            [],
            [Locked, Tick, Never<Item<$rest>>],
            $call [$rest] ($($argument),*)
        )
    };
}

/// Who takes part.
pub(crate) fn subjects() -> Vec<Entry> {
    fn named<R: Subject, const REST: usize>() -> Entry {
        entry::<R>()
    }
    for_each_subject!(64, named)
}

/// What a run is given.
#[derive(Clone, Copy, Debug)]
struct Load {
    locality: Locality,
    threads: usize,
    time: Duration,
}

/// The comparisons that the settings ask for.
pub(crate) fn plan(settings: &Settings) -> Vec<Comparison> {
    let time = settings.time(0.07, 1.0);
    let mut all = Vec::new();
    for &size in &settings.sizes {
        for &locality in &settings.localities {
            for &threads in &settings.churn_threads {
                let load = Load {
                    locality,
                    threads,
                    time,
                };
                let cases: Vec<[Case; 2]> = match size {
                    128 => for_each_subject!(64, cases, load),
                    256 => for_each_subject!(192, cases, load),
                    512 => for_each_subject!(448, cases, load),
                    1024 => for_each_subject!(960, cases, load),
                    2048 => for_each_subject!(1984, cases, load),
                    4096 => for_each_subject!(4032, cases, load),
                    _ => unreachable!("checked with the command line"),
                };
                // All throughput runs of a round, then all latency runs.
                let (mut speed, mut idle) = (Vec::new(), Vec::new());
                for [first, second] in cases {
                    speed.push(first);
                    idle.push(second);
                }
                speed.append(&mut idle);
                all.push(comparison(
                    settings,
                    Suite::Churn,
                    format!("{}/{size}", locality.name()),
                    threads,
                    speed,
                ));
            }
        }
    }
    all
}

fn cases<R, const REST: usize>(load: Load) -> [Case; 2]
where
    R: Reclaim<Item<REST>>,
{
    let brief = Load {
        time: load.time / 2,
        ..load
    };
    [
        Case::new(R::NAME, move || run::<R, Blind, REST>(load, &Blind)),
        Case::new(R::NAME, move || {
            run::<R, Follow, REST>(brief, &Follow::new())
        }),
    ]
}

/// A thread's queue: its newest item.
type Queue<const REST: usize> = CachePadded<AtomicPtr<Item<REST>>>;

fn run<R, P, const REST: usize>(load: Load, probe: &P) -> Vec<Sample>
where
    R: Reclaim<Item<REST>>,
    P: Probe,
{
    let heap_before = alloc::heap_bytes();
    let queues: Vec<Queue<REST>> = (0..load.threads)
        .map(|_| CachePadded::new(AtomicPtr::new(ptr::null_mut())))
        .collect();
    let subject = R::new(load.threads);
    let idle = Mutex::new(Idle::new(P::ON));
    let full = AtomicU64::new(0);
    let lists = AtomicU64::new(0);
    let item_bytes = size_of::<Item<REST>>();
    let limit = limit::<Item<REST>, R>(load.threads);

    let ((done, elapsed, peak, resident), total) = crew::run(
        load.threads,
        item_bytes,
        |worker| {
            let mut churner = Churner {
                local: subject.local(),
                worker,
                probe,
                queues: &queues,
                idle: Idle::new(P::ON),
                random: worker.index as u64 + 1,
                retired: Cell::new(0),
                full: 0,
                lists: 0,
            };
            while worker.running() && churner.retired.get() < limit {
                churner.turn(load.locality);
            }
            full.fetch_add(churner.full, Ordering::Relaxed);
            lists.fetch_add(churner.lists, Ordering::Relaxed);
            let mut all = idle.lock().expect("nobody panics with the lock held");
            all.add(&churner.idle);
        },
        |watch| {
            let (done, elapsed) = measured::<Item<REST>, R>(watch, load.time, load.threads);
            (done, elapsed, watch.peak(), watch.resident_peak())
        },
    );

    // What still lies in the queues.
    let left = retire_left::<R, REST>(&subject, &queues);
    let polls = subject.polls();
    subject.finish();
    drop(queues);
    let idle = idle.into_inner().expect("nobody panics with the lock held");
    let samples = if P::ON {
        [(Metric::FreeToUseP50, 0.5), (Metric::FreeToUseP99, 0.99)]
            .into_iter()
            .filter_map(|(metric, share)| Some(Sample::new(metric, idle.quantile(share)?)))
            .collect()
    } else {
        let throughput = done.retired as f64 / elapsed.as_secs_f64();
        let full = full.into_inner() as f64 / lists.into_inner().max(1) as f64;
        let mut samples = vec![
            Sample::new(Metric::Throughput, throughput),
            Sample::new(
                Metric::ThroughputPerThread,
                throughput / load.threads as f64,
            ),
            Sample::new(Metric::OverheadPeak, peak),
            Sample::new(Metric::QueueFullShare, full),
        ];
        samples.extend(resident.map(|bytes| Sample::new(Metric::ResidentPeak, bytes)));
        if let Some(polls) = polls.filter(|&polls| polls > 0) {
            samples.push(Sample::new(
                Metric::FreesPerPoll,
                total.retired as f64 / polls as f64,
            ));
        }
        samples
    };
    drop(idle);
    check::<R>(total.allocated, total.retired + left, heap_before);
    samples
}

/// Retires what the queues still hold, and counts it.
fn retire_left<R, const REST: usize>(subject: &R, queues: &[Queue<REST>]) -> u64
where
    R: Reclaim<Item<REST>>,
{
    let local = subject.local();
    let mut left = 0;
    for queue in queues {
        let head = queue.swap(ptr::null_mut(), Ordering::AcqRel);
        let items = Chain::new(head, |_| left += 1);
        // SAFETY: the items were taken out of the queue, which nobody uses any
        // more; the chain yields each of them once.
        unsafe { local.retire_all(items) };
    }
    left
}

/// The items of a chain that belongs to this thread alone.
///
/// The successor is read before an item is handed out, since the item may be
/// gone when the next one is asked for.
struct Chain<F, const REST: usize> {
    next: *mut Item<REST>,
    each: F,
}

impl<F: FnMut(NonNull<Item<REST>>), const REST: usize> Chain<F, REST> {
    fn new(head: *mut Item<REST>, each: F) -> Self {
        Self { next: head, each }
    }
}

impl<F: FnMut(NonNull<Item<REST>>), const REST: usize> Iterator for Chain<F, REST> {
    type Item = NonNull<Item<REST>>;

    #[inline(always)]
    fn next(&mut self) -> Option<NonNull<Item<REST>>> {
        let item = NonNull::new(self.next)?;
        // SAFETY: the chain is ours and its items are not retired before they
        // are handed out. Others may still read, so we borrow shared.
        self.next = unsafe { item.as_ref() }.next;
        (self.each)(item);
        Some(item)
    }
}

/// One thread at work.
struct Churner<'c, L, P, const REST: usize> {
    local: L,
    worker: &'c Worker<'c>,
    probe: &'c P,
    queues: &'c [Queue<REST>],
    idle: Idle,
    random: u64,
    retired: Cell<u64>,
    full: u64,
    lists: u64,
}

impl<L, P, const REST: usize> Churner<'_, L, P, REST>
where
    L: Local<Item<REST>>,
    P: Probe,
{
    /// One loop: a list made and offered, the own queue taken and retired.
    #[inline(always)]
    fn turn(&mut self, locality: Locality) {
        let (head, tail) = self.make();
        let queue = &self.queues[self.target(locality)];
        self.lists += 1;
        if !self.push(queue, head, tail) {
            self.full += 1;
            self.retire(head.as_ptr());
        }
        let taken = {
            let _inside = self.local.enter_to_write();
            let own = &self.queues[self.worker.index];
            // Acquire: pairs with the Release of the pushes that we take.
            own.swap(ptr::null_mut(), Ordering::AcqRel)
        };
        self.retire(taken);
    }

    /// Allocates a list: first and last item.
    #[inline(always)]
    fn make(&mut self) -> (NonNull<Item<REST>>, NonNull<Item<REST>>) {
        let tail = self.item(ptr::null_mut());
        let mut head = tail;
        for _ in 1..LIST {
            head = self.item(head.as_ptr());
        }
        (head, tail)
    }

    #[inline(always)]
    fn item(&mut self, next: *mut Item<REST>) -> NonNull<Item<REST>> {
        let item = self.local.alloc(|| Item::new(next));
        self.worker.allocated(1);
        self.probe.allocated(item.addr().get(), &mut self.idle);
        item
    }

    /// Whose queue is next.
    #[inline(always)]
    fn target(&mut self, locality: Locality) -> usize {
        let threads = self.queues.len() as u64;
        match locality {
            Locality::Local => self.worker.index,
            Locality::Remote => (self.worker.index + 1) % self.queues.len(),
            Locality::Random => {
                // Marsaglia's xorshift, then a multiplication into range.
                self.random ^= self.random << 13;
                self.random ^= self.random >> 7;
                self.random ^= self.random << 17;
                ((u128::from(self.random) * u128::from(threads)) >> 64) as usize
            }
        }
    }

    /// Puts a list in front of a queue, unless the queue is full.
    #[inline(always)]
    fn push(
        &self,
        queue: &AtomicPtr<Item<REST>>,
        head: NonNull<Item<REST>>,
        tail: NonNull<Item<REST>>,
    ) -> bool {
        let mut inside = self.local.enter_to_write();
        loop {
            let first = L::load(&mut inside, queue);
            let before = if first.is_null() {
                0
            } else {
                // SAFETY: loaded in the section that we are in, so not yet
                // reused; a published item is not written to.
                unsafe { (*first).count }
            };
            if before + LIST > QUEUE_LIMIT {
                // An attempt before may have tied the list to the queue.
                // SAFETY: the list is not published, hence ours.
                unsafe { (*tail.as_ptr()).next = ptr::null_mut() };
                return false;
            }
            // SAFETY: the list is not published yet, hence ours.
            unsafe { (*tail.as_ptr()).next = first };
            // SAFETY: as above.
            unsafe { (*head.as_ptr()).count = before + LIST };
            // Release: pairs with the Acquire of whoever loads or takes.
            let pushed =
                queue.compare_exchange(first, head.as_ptr(), Ordering::Release, Ordering::Relaxed);
            if pushed.is_ok() {
                return true;
            }
        }
    }

    /// Retires a chain that is ours.
    #[inline(always)]
    fn retire(&self, head: *mut Item<REST>) {
        let items = Chain::new(head, |item| {
            self.probe.retired(item.addr().get());
            self.worker.retired(1);
            self.retired.set(self.retired.get() + 1);
        });
        // SAFETY: the chain was taken out of its queue, or never published, and
        // belongs to this thread, which is in no section.
        unsafe { self.local.retire_all(items) };
    }
}
