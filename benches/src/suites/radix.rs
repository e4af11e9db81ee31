//! `radix`: ordered maps from integers.
//!
//! # Workloads
//!
//! - `alone/dense/1000000`: one thread puts so many keys in, in the order of their
//!   spread; `bytes_per_entry` is what the tree holds then, counted by the allocator.
//!   It looks each key up, in no order; then as many that are not there; searches the
//!   first entry at or after those that lie between others (at or after those that are
//!   there, where none does); and visits all entries in order, once. An operation has a
//!   pin, guard or lock of its own. Here the trees without threads show the limit; the
//!   one without compression stays away from random keys, of which each takes it up to
//!   four kilobytes.
//! - `100-0`, `95-5`, `50-50`: look-ups against writes, which are half insertions and
//!   half removals. Keys are drawn uniformly from twice as many as the tree has
//!   entries, so that it keeps its size; at `100-0` from its entries.
//! - `churn`: each thread inserts the next of its keys and removes its oldest. They
//!   come in the order of the spread, round and round through four times as many as the
//!   tree has entries.
//!
//! Values are words of 32 bits, which fit beside every key.
//!
//! # What is checked
//!
//! Every value found belongs to its key; keys that must be there are found, and others
//! are not; a visit is in order and complete; and at the end of a mix a tree has as
//! many entries as insertions and removals said. Two subjects are let off part of it:
//! the skip list, which does not tell exactly what it inserted, and masstree, which
//! loses keys.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use super::map::keys::{Random, Walk};
use super::memory::Base;
use super::{Entry, entry};
use crate::cli::{Mix, Settings, Spread, Suite};
use crate::crew;
use crate::record::{Key, Metric, Sample};
use crate::run::{Case, Comparison};
use crate::subjects::trees::congee::Art;
use crate::subjects::trees::locks::{ParkingLot, StdLock};
use crate::subjects::trees::masstree::Mass;
use crate::subjects::trees::plain::{BTree, XArray};
use crate::subjects::trees::scc::Index;
use crate::subjects::trees::skiplist::SkipTree;
use crate::subjects::trees::smr::{Boxed, Inline};
use crate::subjects::trees::{Shared, Tree};

use keys::{inspect, keys, shuffled, value};

pub(crate) mod keys;

/// Operations between two looks at the end of the run.
const BATCH: usize = 256;
/// Keys drawn beforehand for a mix.
const DRAWN: usize = 1 << 20;
/// How long a thread alone may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// Calls a function for each tree that threads write.
macro_rules! for_each_tree {
    ($call:ident $arguments:tt) => {
        for_each_tree!($call $arguments: Inline, Boxed, Art, Index, SkipTree, Mass, StdLock, ParkingLot)
    };
    ($call:ident $arguments:tt: $($type:ty),*) => {
        vec![$($call::<$type> $arguments),*]
    };
}
pub(crate) use for_each_tree;

/// Who takes part.
pub(crate) fn subjects() -> Vec<Entry> {
    let mut all = for_each_tree!(entry());
    all.push(entry::<BTree>());
    all.push(entry::<XArray>());
    all
}

/// What a run is given.
#[derive(Clone, Copy, Debug)]
struct Load {
    spread: Spread,
    entries: u64,
    threads: usize,
    time: Duration,
}

/// The comparisons that the settings ask for.
pub(crate) fn plan(settings: &Settings) -> Vec<Comparison> {
    let trees = &settings.trees;
    let time = settings.time(0.03, 0.2);
    let mut all = Vec::new();
    for &entries in &trees.entries {
        for &spread in &trees.spreads {
            for &mix in &trees.mixes {
                let threads = if mix == Mix::Alone {
                    &[1]
                } else {
                    &trees.threads[..]
                };
                for &threads in threads {
                    let load = Load {
                        spread,
                        entries,
                        threads,
                        time,
                    };
                    all.push(comparison(settings, mix, load));
                }
            }
        }
    }
    all
}

fn comparison(settings: &Settings, mix: Mix, load: Load) -> Comparison {
    let mut cases = if mix == Mix::Alone {
        let mut cases = for_each_tree!(alone_case(load));
        cases.push(alone_case::<BTree>(load));
        if !matches!(load.spread, Spread::RandomU32 | Spread::RandomU64) {
            cases.push(alone_case::<XArray>(load));
        }
        cases
    } else {
        for_each_tree!(mix_case(mix, load))
    };
    cases.retain(|case| settings.wants(case.subject));
    Comparison {
        key: Key {
            suite: Suite::Radix.name().to_owned(),
            workload: format!("{}/{}/{}", mix.name(), load.spread.name(), load.entries),
            threads: load.threads,
        },
        cases,
        runs: settings.trees.runs,
    }
}

fn alone_case<T: Tree>(load: Load) -> Case {
    Case::new(T::NAME, move || {
        // Made before the run, so that no tree is charged with it.
        let keys = keys(load.spread, 2 * load.entries);
        let (present, absent) = keys.split_at(load.entries as usize);
        let samples = apart(|| alone::<T>(present, absent));
        T::settle();
        samples
    })
}

/// Does a run on a thread of the crew's.
fn apart(run: impl Fn() -> Vec<Sample> + Sync) -> Vec<Sample> {
    let found = Mutex::new(Vec::new());
    crew::run(
        1,
        0,
        |worker| {
            let samples = run();
            *found.lock().expect("nobody panics with the lock held") = samples;
            worker.allocated(1);
        },
        |watch| watch.wait_allocated(1, PATIENCE),
    );
    found.into_inner().expect("nobody has panicked")
}

/// Times a pass over so many keys.
fn timed(metric: Metric, count: usize, pass: impl FnOnce()) -> Sample {
    let begin = Instant::now();
    pass();
    let nanos = begin.elapsed().as_nanos() as f64;
    Sample::new(metric, nanos / count.max(1) as f64)
}

fn alone<T: Tree>(present: &[u64], absent: &[u64]) -> Vec<Sample> {
    let (hits, misses) = (shuffled(present), shuffled(absent));
    let first = present.iter().min().expect("a tree has entries");
    let last = present.iter().max().expect("a tree has entries");
    let (count, base) = (present.len(), Base::now());
    let mut tree = T::new();
    let mut samples = vec![timed(Metric::InsertTime, count, || {
        for &key in present {
            tree.put(key, value(key));
        }
    })];
    base.rest(|| tree.put(present[0], value(present[0])), T::settle);
    let held = base.held() as f64 / count as f64;
    samples.push(Sample::new(Metric::BytesPerEntry, held));
    samples.push(timed(Metric::GetTime, count, || {
        for &key in &hits {
            match tree.get(key) {
                Some(found) => inspect(key, found),
                None => panic!("{}: {key} is lost", T::NAME),
            }
        }
    }));
    samples.push(timed(Metric::MissTime, misses.len(), || {
        for &key in &misses {
            assert!(
                tree.get(key).is_none(),
                "{}: {key} was never put in",
                T::NAME
            );
        }
    }));
    // Absent ones between others; else those that are there. Before the first key
    // TreeIndex walks its leaves back from each of its leaves: no end at a million.
    let is_between = |key: &u64| first < key && key < last;
    let between: Vec<u64> = misses.iter().copied().filter(is_between).collect();
    let from = if between.is_empty() { &hits } else { &between };
    samples.push(timed(Metric::AtOrAfterTime, from.len(), || {
        for &key in from {
            let (found, held) = tree.at_or_after(key).expect("the last is after it");
            assert!(found >= key, "{}: {found} is before {key}", T::NAME);
            inspect(found, held);
        }
    }));
    samples.push(timed(Metric::ScanTime, count, || {
        let (mut visited, mut before) = (0, None);
        tree.visit(|key, found| {
            assert!(before < Some(key), "{}: {key} is out of order", T::NAME);
            inspect(key, found);
            before = Some(key);
            visited += 1;
        });
        assert_eq!(visited, count, "{}: entries visited", T::NAME);
    }));
    samples
}

fn mix_case<T: Shared>(mix: Mix, load: Load) -> Case {
    Case::new(T::NAME, move || {
        let samples = match mix {
            Mix::Reads => mixed::<T>(100, load),
            Mix::NinetyFive => mixed::<T>(95, load),
            Mix::Half => mixed::<T>(50, load),
            Mix::Churn => churn::<T>(load),
            Mix::Alone => unreachable!("one thread alone is not a mix"),
        };
        T::settle();
        samples
    })
}

/// A tree with these keys.
fn filled<T: Tree>(keys: impl Iterator<Item = u64>) -> T {
    let mut tree = T::new();
    for key in keys {
        tree.put(key, value(key));
    }
    tree
}

/// Looks a key up; whether it is there.
#[inline(always)]
pub(crate) fn look_up<T: Tree>(tree: &T, key: u64) -> bool {
    match tree.get(key) {
        Some(found) => {
            inspect(key, found);
            true
        }
        None => false,
    }
}

/// Checks that a tree has as many entries as it should, in order, with their values.
pub(crate) fn audit<T: Shared>(tree: &T, expected: i64) {
    let (mut count, mut before) = (0, None);
    tree.visit(|key, found| {
        assert!(before < Some(key), "{}: {key} is out of order", T::NAME);
        inspect(key, found);
        before = Some(key);
        count += 1;
    });
    if T::COUNTED {
        assert_eq!(count, expected, "{}: entries at the end", T::NAME);
    }
}

pub(crate) fn throughput(operations: u64, elapsed: Duration) -> Vec<Sample> {
    let rate = operations as f64 / elapsed.as_secs_f64();
    vec![Sample::new(Metric::Throughput, rate)]
}

fn mixed<T: Shared>(gets: u64, load: Load) -> Vec<Sample> {
    let all = keys(load.spread, 2 * load.entries);
    // Every other key, so that those that are there lie as all of them do.
    let there = || all.iter().copied().step_by(2);
    let tree: T = filled(there());
    let mut random = Random::new(gets);
    let drawn: Vec<u64> = (0..DRAWN)
        .map(|_| {
            let at = random.below(all.len() as u64) as usize;
            all[if gets == 100 { at & !1 } else { at }]
        })
        .collect();
    let net = AtomicI64::new(load.entries as i64);
    let ((done, elapsed), _) = crew::run(
        load.threads,
        0,
        |worker| {
            let mut walk = Walk::new(&drawn, worker.index, load.threads);
            let mut random = Random::new(worker.index as u64);
            let mut own = 0;
            while worker.running() {
                let keys = walk.take(BATCH);
                for &key in keys {
                    let dice = random.below(200);
                    if dice < 2 * gets {
                        let found = look_up(&tree, key);
                        assert!(gets < 100 || found, "{}: {key} is lost", T::NAME);
                    } else if dice.is_multiple_of(2) {
                        own += i64::from(tree.insert(key, value(key)));
                    } else {
                        own -= i64::from(tree.remove(key));
                    }
                }
                worker.retired(keys.len() as u64);
            }
            net.fetch_add(own, Ordering::Relaxed);
        },
        |watch| watch.measure(load.time),
    );
    audit(&tree, net.into_inner());
    throughput(done.retired, elapsed)
}

fn churn<T: Shared>(load: Load) -> Vec<Sample> {
    let threads = load.threads;
    let share = (load.entries as usize / threads).max(1);
    let live = share * threads;
    // Each thread has every so manieth key, and comes round after four times its share.
    let all = &keys(load.spread, 4 * live as u64)[..];
    let key = |at: usize, thread: usize| all[at % (4 * share) * threads + thread];
    let tree: T = filled(all[..live].iter().copied());
    let ((done, elapsed), _) = crew::run(
        threads,
        0,
        |worker| {
            let (mut first, mut end) = (0, share);
            while worker.running() {
                for _ in 0..BATCH / 2 {
                    let new = key(end, worker.index);
                    let inserted = tree.insert(new, value(new));
                    assert!(inserted || !T::COUNTED, "{}: {new} was there", T::NAME);
                    let oldest = key(first, worker.index);
                    let removed = tree.remove(oldest);
                    assert!(removed || !T::COUNTED, "{}: {oldest} is lost", T::NAME);
                    (first, end) = (first + 1, end + 1);
                }
                worker.retired(BATCH as u64);
            }
        },
        |watch| watch.measure(load.time),
    );
    audit(&tree, live as i64);
    throughput(done.retired, elapsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "entries at the end")]
    fn a_lost_entry_is_noticed() {
        let tree: StdLock = filled(0..100);
        tree.remove(7);
        audit(&tree, 100);
    }

    #[test]
    #[should_panic(expected = "is not the value of 7")]
    fn a_foreign_value_is_noticed() {
        let tree: StdLock = filled(0..100);
        tree.insert(7, value(8));
        look_up(&tree, 7);
    }
}
