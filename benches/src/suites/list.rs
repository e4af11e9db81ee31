//! `list`: linked lists, queues and stacks.
//!
//! # Workloads
//!
//! - `get-50/1000`: so many in a hundred operations look a key up, the others insert
//!   and remove, one half each. Keys are drawn uniformly from the range that is
//!   named; the list begins with half of them, put in in a random order, and keeps
//!   that size. At `get-100` the list without threads shows the limit.
//! - `queue`, `stack`: each thread pushes a value and pops one, in turn, beginning
//!   with a few inside.
//! - `handles`: each thread pushes a value and removes its oldest of sixteen by handle.
//! - `iterate/1000`: one thread writes, the others visit all elements again and again;
//!   `throughput` counts the elements. The writer takes the first out and puts
//!   another at the end, ten thousand times a second, so that nobody's readers are
//!   starved by it; `writer_throughput` says whether it could. A run of one thread
//!   has no writer. The limit is the list without threads, whose boxes have been taken out
//!   and put in before; beside readers its writer keeps time and writes nothing.
//!
//! `overhead_peak` is what is held beyond the live nodes (of 24 bytes in a list, of 16
//! in a queue or stack): what was retired, and what is kept for later; of a list that is
//! visited, what is held beyond the list as it was made. `retired_peak` is the part of it
//! that waits for readers, where a list that is visited tells.
//!
//! # What is checked
//!
//! Every value found belongs to its key, and at the end there are as many elements as
//! insertions and removals said, in order.

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use smr_list::{List, OrderedList, Queue, RcuList, Stack};

use super::map::keys::Random;
use super::{Entry, entry};
use crate::cli::{Settings, Suite};
use crate::crew::{self, Totals, Watch};
use crate::record::{Key, Metric, Sample};
use crate::run::{Case, Comparison};
use crate::subjects::lists::handles::Sdd;
use crate::subjects::lists::harris::{Epoch, Harris, Seize};
use crate::subjects::lists::locks::{Linked, Tree};
use crate::subjects::lists::plain::Plain;
use crate::subjects::lists::queues::{Channel, Ring, SddQueue, Seg};
use crate::subjects::lists::readable::{Locked, Swapped};
use crate::subjects::lists::skiplist::Skip;
use crate::subjects::lists::smr::Smr;
use crate::subjects::lists::stacks::{Parking, SddStack, Std};
use crate::subjects::lists::{Handles, Ordered, Readable, Sequence, Walk};

/// Bytes of a node with a key and a value, and of one with a value.
const NODE_BYTES: usize = 24;
const SMALL_NODE_BYTES: usize = 16;
/// Operations between two looks at the end of the run.
const BATCH: u64 = 64;
/// Values in a queue or a stack at the start.
const INSIDE: u64 = 64;
/// Handles that each thread holds.
const HELD: u64 = 16;
/// Elements of the list that is visited.
const VISITED: u64 = 1000;
/// Time between two changes of it.
const PACE: Duration = Duration::from_micros(100);
/// The list is asked what it has retired at one look in so many.
const ASKED: u32 = 8;

type SmrList = Smr<OrderedList<u64, u64>>;
type SmrQueue = Smr<Queue<u64>>;
type SmrStack = Smr<Stack<u64>>;
type SmrHandles = Smr<List<u64>>;
type SmrRcu = Smr<RcuList<u64>>;

/// Calls a function for each type.
macro_rules! for_each {
    ($call:ident $arguments:tt: $($type:ty),* $(,)?) => {
        vec![$($call::<$type> $arguments),*]
    };
}

macro_rules! for_each_ordered {
    ($call:ident $arguments:tt) => {
        for_each!($call $arguments: SmrList, Harris<Epoch>, Harris<Seize>, Skip, Tree, Linked)
    };
}

macro_rules! for_each_queue {
    ($call:ident $arguments:tt) => {
        for_each!($call $arguments: SmrQueue, Seg, SddQueue, Channel, Ring)
    };
}

macro_rules! for_each_stack {
    ($call:ident $arguments:tt) => {
        for_each!($call $arguments: SmrStack, SddStack, Parking, Std)
    };
}

macro_rules! for_each_readable {
    ($call:ident $arguments:tt) => {
        for_each!($call $arguments: SmrRcu, Locked, Swapped, Plain)
    };
}

/// Who takes part.
pub(crate) fn subjects() -> Vec<Entry> {
    let mut all = for_each_ordered!(entry());
    // Ours is there already.
    all.extend(for_each_queue!(entry()).into_iter().skip(1));
    all.extend(for_each_stack!(entry()).into_iter().skip(1));
    all.push(entry::<Sdd>());
    all.extend(for_each_readable!(entry()).into_iter().skip(1));
    all
}

/// What a run is given.
#[derive(Clone, Copy, Debug)]
struct Load {
    range: u64,
    gets: u64,
    threads: usize,
    time: Duration,
}

/// The comparisons that the settings ask for.
pub(crate) fn plan(settings: &Settings) -> Vec<Comparison> {
    let lists = &settings.lists;
    let time = settings.time(0.03, 0.2);
    let mut all = Vec::new();
    let mut add = |workload: String, threads: usize, mut cases: Vec<Case>| {
        cases.retain(|case| settings.wants(case.subject));
        all.push(Comparison {
            key: Key {
                suite: Suite::List.name().to_owned(),
                workload,
                threads,
            },
            cases,
            runs: settings.maps.runs,
        });
    };
    for &threads in &lists.threads {
        for &range in &lists.ranges {
            for &gets in &lists.gets {
                let load = Load {
                    range,
                    gets,
                    threads,
                    time,
                };
                let mut cases = for_each_ordered!(ordered_case(load));
                if gets == 100 {
                    cases.push(walk_case::<Plain>(load));
                }
                add(format!("get-{gets}/{range}"), threads, cases);
            }
        }
        add(
            "queue".into(),
            threads,
            for_each_queue!(sequence_case(threads, time)),
        );
        add(
            "stack".into(),
            threads,
            for_each_stack!(sequence_case(threads, time)),
        );
        let handles = for_each!(handles_case(threads, time): SmrHandles, Sdd);
        add("handles".into(), threads, handles);
    }
    let beside = lists.threads.iter().filter(|threads| **threads > 1);
    for threads in [1].into_iter().chain(beside.copied()) {
        let cases = for_each_readable!(readable_case(threads, time));
        add(format!("iterate/{VISITED}"), threads, cases);
    }
    all
}

fn ordered_case<L: Ordered>(load: Load) -> Case {
    Case::new(L::NAME, move || {
        let samples = mix::<L>(load);
        L::settle();
        samples
    })
}

fn walk_case<L: Walk>(load: Load) -> Case {
    Case::new(L::NAME, move || gets(&filled::<L>(load.range), load))
}

fn sequence_case<S: Sequence>(threads: usize, time: Duration) -> Case {
    Case::new(S::NAME, move || {
        let samples = sequence::<S>(threads, time);
        S::settle();
        samples
    })
}

fn handles_case<H: Handles>(threads: usize, time: Duration) -> Case {
    Case::new(H::NAME, move || {
        let samples = handles::<H>(threads, time);
        H::settle();
        samples
    })
}

fn readable_case<R: Readable>(threads: usize, time: Duration) -> Case {
    Case::new(R::NAME, move || iterate::<R>(threads, time))
}

fn rate(operations: u64, elapsed: Duration) -> f64 {
    operations as f64 / elapsed.as_secs_f64()
}

/// Throughput and memory of a run.
fn figures(watch: &Watch<'_>, (done, elapsed): (Totals, Duration)) -> Vec<Sample> {
    let mut samples = vec![
        Sample::new(Metric::Throughput, rate(done.retired, elapsed)),
        Sample::new(Metric::OverheadPeak, watch.peak()),
    ];
    let resident = watch.resident_peak();
    samples.extend(resident.map(|bytes| Sample::new(Metric::ResidentPeak, bytes)));
    samples
}

/// A list with every other key of a range, put in in a random order.
fn filled<L: Walk>(range: u64) -> L {
    let mut keys: Vec<u64> = (0..range / 2).map(|half| 2 * half).collect();
    let mut random = Random::new(range);
    for at in (1..keys.len()).rev() {
        keys.swap(at, random.below(at as u64 + 1) as usize);
    }
    let mut list = L::new();
    for key in keys {
        list.put(key, value(key));
    }
    list
}

/// The value of a key.
#[inline(always)]
fn value(key: u64) -> u64 {
    key ^ 0xffff_ffff
}

fn audit<L: Walk>(list: &L, expected: i64) {
    let (count, in_order) = list.audit();
    assert_eq!(count as i64, expected, "{}: elements at the end", L::NAME);
    assert!(in_order, "{}: the order", L::NAME);
}

#[inline(always)]
fn look_up<L: Walk>(list: &L, key: u64) {
    if let Some(found) = list.get(key) {
        assert_eq!(found, value(key), "{}: a foreign value", L::NAME);
    }
}

fn gets<L: Walk>(list: &L, load: Load) -> Vec<Sample> {
    let (samples, _) = crew::run(
        load.threads,
        NODE_BYTES,
        |worker| {
            let mut random = Random::new(worker.index as u64);
            while worker.running() {
                for _ in 0..BATCH {
                    look_up(list, random.below(load.range));
                }
                worker.allocated(BATCH);
                worker.retired(BATCH);
            }
        },
        |watch| {
            let done = watch.measure(load.time);
            figures(watch, done)
        },
    );
    audit(list, (load.range / 2) as i64);
    samples
}

fn mix<L: Ordered>(load: Load) -> Vec<Sample> {
    let list = filled::<L>(load.range);
    if load.gets == 100 {
        return gets(&list, load);
    }
    let total = AtomicI64::new((load.range / 2) as i64);
    let (samples, _) = crew::run(
        load.threads,
        NODE_BYTES,
        |worker| {
            let mut random = Random::new(worker.index as u64);
            let mut all = 0;
            while worker.running() {
                let mut net = 0;
                for _ in 0..BATCH {
                    let key = random.below(load.range);
                    let dice = random.below(200);
                    if dice < 2 * load.gets {
                        look_up(&list, key);
                    } else if dice.is_multiple_of(2) {
                        net += i64::from(list.insert(key, value(key)));
                    } else {
                        net -= i64::from(list.remove(key));
                    }
                }
                all += net;
                // The difference of the two is that of the live nodes.
                worker.allocated((BATCH as i64 + net) as u64);
                worker.retired(BATCH);
            }
            total.fetch_add(all, Ordering::Relaxed);
        },
        |watch| {
            let done = watch.measure(load.time);
            figures(watch, done)
        },
    );
    if L::COUNTED {
        audit(&list, total.into_inner());
        return samples;
    }
    let throughput = |sample: &Sample| sample.metric == Metric::Throughput;
    samples.into_iter().filter(throughput).collect()
}

fn sequence<S: Sequence>(threads: usize, time: Duration) -> Vec<Sample> {
    let sequence = S::new();
    (0..INSIDE).for_each(|value| sequence.push(value));
    let (samples, _) = crew::run(
        threads,
        SMALL_NODE_BYTES,
        |worker| {
            while worker.running() {
                for value in 0..BATCH / 2 {
                    sequence.push(value);
                    let popped = sequence.pop().expect("more were pushed than popped");
                    assert!(popped < INSIDE, "{}: a foreign value", S::NAME);
                }
                worker.allocated(BATCH);
                worker.retired(BATCH);
            }
        },
        |watch| {
            let done = watch.measure(time);
            figures(watch, done)
        },
    );
    let left = std::iter::from_fn(|| sequence.pop()).count() as u64;
    assert_eq!(left, INSIDE, "{}: values at the end", S::NAME);
    samples
}

fn handles<H: Handles>(threads: usize, time: Duration) -> Vec<Sample> {
    let list = H::new();
    let (samples, _) = crew::run(
        threads,
        SMALL_NODE_BYTES,
        |worker| {
            let mut own: VecDeque<_> = (0..HELD).map(|value| (value, list.push(value))).collect();
            let mut next = HELD;
            while worker.running() {
                for _ in 0..BATCH / 2 {
                    own.push_back((next, list.push(next)));
                    next += 1;
                    let (value, handle) = own.pop_front().expect("some are held");
                    assert_eq!(list.remove(handle), value, "{}", H::NAME);
                }
                worker.allocated(BATCH);
                worker.retired(BATCH);
            }
        },
        |watch| {
            let done = watch.measure(time);
            figures(watch, done)
        },
    );
    assert_eq!(list.count(), HELD * threads as u64, "{}", H::NAME);
    samples
}

fn iterate<R: Readable>(threads: usize, time: Duration) -> Vec<Sample> {
    let list = R::of(0..VISITED);
    if R::WRITTEN {
        // As that of the limit: nodes that took each other's places.
        (0..8 * VISITED).for_each(|value| list.rotate(value % VISITED));
    }
    let has_writer = threads > 1;
    let (samples, _) = crew::run(
        threads,
        0,
        |worker| {
            if has_writer && worker.index == 0 {
                let mut due = Instant::now();
                while worker.running() {
                    if R::WRITTEN {
                        list.rotate(due.elapsed().as_nanos() as u64 % VISITED);
                        worker.allocated(1);
                    }
                    due += PACE;
                    while Instant::now() < due && worker.running() {
                        std::thread::sleep(PACE);
                    }
                }
                return;
            }
            while worker.running() {
                let (mut sum, mut count) = (0_u64, 0);
                list.visit(|value| {
                    sum = sum.wrapping_add(value);
                    count += 1;
                });
                black_box(sum);
                // Of what is taken out and put in meanwhile, a reader sees a part.
                let changes = has_writer && R::WRITTEN;
                assert!(changes || count == VISITED, "{}: {count}", R::NAME);
                worker.retired(count);
            }
        },
        |watch| {
            let (mut looks, mut retired) = (0_u32, None);
            let (done, elapsed) = watch.measure_and_see(time, || {
                if looks.is_multiple_of(ASKED) {
                    retired = retired.max(list.retired_bytes());
                }
                looks += 1;
            });
            let mut samples = figures(watch, (done, elapsed));
            let retired = retired.map(|bytes| Sample::new(Metric::RetiredPeak, bytes as f64));
            samples.extend(retired);
            if has_writer && R::WRITTEN {
                let writes = rate(done.allocated, elapsed);
                samples.push(Sample::new(Metric::WriterThroughput, writes));
            }
            samples
        },
    );
    samples
}
