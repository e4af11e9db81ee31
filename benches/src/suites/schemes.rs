//! `schemes`: one structure over each system.
//!
//! The structure is the same code for all ([`list`]): an ordered lock-free list
//! of 512 keys (`list`), and a hash table of 16,384 such lists with 65,536 keys
//! (`table`), both half full and of constant size. Every operation is a section of
//! its own: a look-up, an insertion or a removal of a random key. `read-only`,
//! `90-10` and `50-50` are the shares of look-ups and of changes, which are
//! insertions and removals in equal parts.
//!
//! Two workloads disturb the mix of `50-50`:
//!
//! - `stalled`: one more reader enters, loads a node, and stays inside for the
//!   whole run. (Left out are those whose writers wait for it: a lock, and RCU
//!   that is asked to wait. They stand still.)
//! - `preempted`: once in 1,024 operations a thread sleeps for 100 µs in its
//!   section, as if it had lost its processor there.
//!
//! # What is measured
//!
//! `throughput` counts operations. `overhead_peak` is what the heap has grown
//! by beyond the filled structure, at its largest: what waits to be freed, and
//! what it waits in. `unreclaimed_peak` is the largest number of nodes that were
//! retired and whose destructor had not run.
//!
//! Every look-up checks that the value belongs to its key; a node that is
//! destroyed loses both. At the end the nodes are counted: as many as were
//! filled in and inserted, less those removed; and every one that was ever made
//! has been destroyed once.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_utils::CachePadded;

use super::{Entry, check, comparison, entry};
use crate::alloc;
use crate::cli::{Settings, Suite};
use crate::crew::{self, Worker};
use crate::record::{Metric, Sample};
use crate::run::{Case, Comparison};
use crate::subjects::bare::Never;
use crate::subjects::rwlock::Locked;
use crate::subjects::tick::Tick;
use crate::subjects::{Local, Reclaim, for_each_reclaimer};

use node::Node;

mod list;
mod node;

/// Operations between two looks at the end.
const BATCH: u64 = 16;
/// One operation in so many is interrupted in `preempted`.
const INTERRUPTED: u64 = 1024;
/// Time that an interrupted thread sleeps.
const NAP: Duration = Duration::from_micros(100);
/// How often the stalled reader looks whether it may go.
const LOOK: Duration = Duration::from_millis(1);
/// Who frees nothing may not run for longer.
const NEVER_TIME: Duration = Duration::from_secs(1);

/// What is run.
#[derive(Clone, Copy, Debug)]
struct Load {
    shape: Shape,
    /// Look-ups in a hundred operations.
    reads: u64,
    trouble: Trouble,
    threads: usize,
    time: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    List,
    Table,
}

impl Shape {
    const ALL: [Shape; 2] = [Shape::List, Shape::Table];

    fn name(self) -> &'static str {
        match self {
            Shape::List => "list",
            Shape::Table => "table",
        }
    }

    fn lists(self) -> usize {
        match self {
            Shape::List => 1,
            Shape::Table => 1 << 14,
        }
    }

    fn keys(self) -> u64 {
        match self {
            Shape::List => 512,
            Shape::Table => 1 << 16,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    None,
    Stalled,
    Preempted,
}

macro_rules! for_each_subject {
    ($call:ident $(, $argument:expr)*) => {
        for_each_reclaimer!(Node, [], [Locked, Tick, Never<Node>], $call [] ($($argument),*))
    };
}

/// Who takes part.
pub(crate) fn subjects() -> Vec<Entry> {
    for_each_subject!(entry)
}

/// The comparisons that the settings ask for.
pub(crate) fn plan(settings: &Settings) -> Vec<Comparison> {
    let time = settings.time(0.04, 0.5);
    let mut all = Vec::new();
    let mut add = |name: String, load: Load| {
        let cases: Vec<Option<Case>> = for_each_subject!(case, load);
        let cases = cases.into_iter().flatten().collect();
        all.push(comparison(
            settings,
            Suite::Schemes,
            name,
            load.threads,
            cases,
        ));
    };
    for shape in Shape::ALL {
        for &threads in &settings.schemes_threads {
            let load = |reads, trouble| Load {
                shape,
                reads,
                trouble,
                threads,
                time,
            };
            for (mix, reads) in [("read-only", 100), ("90-10", 90), ("50-50", 50)] {
                if settings.short && reads != 90 {
                    continue;
                }
                let name = format!("{}/{mix}", shape.name());
                add(name, load(reads, Trouble::None));
            }
            for (trouble, how) in [
                (Trouble::Stalled, "stalled"),
                (Trouble::Preempted, "preempted"),
            ] {
                if settings.short && (shape, trouble) != (Shape::Table, Trouble::Stalled) {
                    continue;
                }
                let name = format!("{}/{how}", shape.name());
                add(name, load(50, trouble));
            }
        }
    }
    all
}

fn case<R: Reclaim<Node> + 'static>(load: Load) -> Option<Case> {
    let stands_still = <R::Local<'_> as Local<Node>>::WAITS && load.trouble == Trouble::Stalled;
    (!stands_still).then(|| Case::new(R::NAME, move || run::<R>(load)))
}

/// What one thread has done to the structure.
#[derive(Debug, Default)]
struct Tally {
    made: AtomicU64,
    retired: AtomicU64,
    inserted: AtomicU64,
    removed: AtomicU64,
}

/// Adds to a counter that only this thread writes.
#[inline(always)]
fn bump(counter: &AtomicU64, by: u64) {
    counter.store(counter.load(Ordering::Relaxed) + by, Ordering::Relaxed);
}

/// The structure: lists by hash.
struct Lists(Box<[AtomicPtr<Node>]>);

impl Lists {
    fn new(shape: Shape) -> Self {
        let empty = || AtomicPtr::new(std::ptr::null_mut());
        Self((0..shape.lists()).map(|_| empty()).collect())
    }

    /// The list of a key.
    #[inline(always)]
    fn of(&self, key: u64) -> &AtomicPtr<Node> {
        // Fibonacci hashing; lists are a power of two.
        let hash = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        &self.0[hash as usize & (self.0.len() - 1)]
    }
}

/// One thread's hands.
struct Hands<'h, L> {
    local: L,
    lists: &'h Lists,
    tally: &'h Tally,
    gone: Vec<NonNull<Node>>,
    random: u64,
}

impl<'h, L: Local<Node>> Hands<'h, L> {
    fn new(local: L, lists: &'h Lists, tally: &'h Tally, seed: u64) -> Self {
        Self {
            local,
            lists,
            tally,
            gone: Vec::with_capacity(64),
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
        }
    }

    /// Marsaglia's xorshift.
    #[inline(always)]
    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    #[inline(always)]
    fn get(&mut self, key: u64, inside: impl FnOnce()) -> bool {
        let mut guard = self.local.enter();
        let head = self.lists.of(key);
        let value = list::get::<L>(head, key, &mut guard, &mut self.gone);
        inside();
        leave(&self.local, guard, &mut self.gone, self.tally);
        if let Some(value) = value {
            assert!(Node::belongs(value, key), "a node was reused");
        }
        value.is_some()
    }

    #[inline(always)]
    fn insert(&mut self, key: u64, inside: impl FnOnce()) -> bool {
        let mut guard = self.local.enter_to_write();
        let head = self.lists.of(key);
        let make = || {
            bump(&self.tally.made, 1);
            self.local.alloc(|| Node::new(key))
        };
        let inserted = list::insert::<L>(head, key, make, &mut guard, &mut self.gone);
        inside();
        leave(&self.local, guard, &mut self.gone, self.tally);
        bump(&self.tally.inserted, u64::from(inserted));
        inserted
    }

    #[inline(always)]
    fn remove(&mut self, key: u64, inside: impl FnOnce()) -> bool {
        let mut guard = self.local.enter_to_write();
        let head = self.lists.of(key);
        let removed = list::remove::<L>(head, key, &mut guard, &mut self.gone);
        inside();
        leave(&self.local, guard, &mut self.gone, self.tally);
        bump(&self.tally.removed, u64::from(removed));
        removed
    }

    /// One operation of the mix.
    #[inline(always)]
    fn turn(&mut self, load: &Load) {
        let random = self.random();
        let key = ((u128::from(random) * u128::from(load.shape.keys())) >> 64) as u64;
        let dice = self.random();
        let share = (dice >> 40) % 200;
        let nap = load.trouble == Trouble::Preempted && dice.is_multiple_of(INTERRUPTED);
        let inside = || {
            if nap {
                thread::sleep(NAP);
            }
        };
        if share < 2 * load.reads {
            self.get(key, inside);
        } else if share.is_multiple_of(2) {
            self.insert(key, inside);
        } else {
            self.remove(key, inside);
        }
    }

    /// Every second key.
    fn fill(&mut self, shape: Shape) {
        // Downwards, so that each is put in front of its list.
        for key in (0..shape.keys()).rev().step_by(2) {
            self.insert(key, || {});
        }
    }
}

/// Ends a section and gives up what was unlinked in it.
#[inline(always)]
fn leave<'l, L: Local<Node>>(
    local: &'l L,
    guard: L::Guard<'l>,
    gone: &mut Vec<NonNull<Node>>,
    tally: &Tally,
) {
    if gone.is_empty() {
        drop(guard);
        return;
    }
    bump(&tally.retired, gone.len() as u64);
    // SAFETY: each was unlinked by this thread alone, or never linked, and was
    // put there once; the references into the structure have ended.
    unsafe { local.leave(guard, gone.drain(..)) };
}

fn run<R: Reclaim<Node>>(load: Load) -> Vec<Sample> {
    let heap_before = alloc::heap_bytes();
    let dropped_before = node::dropped();
    let stalled = usize::from(load.trouble == Trouble::Stalled);
    let subject = R::new(load.threads + stalled);
    let lists = Lists::new(load.shape);
    // The last one is the harness' own.
    let tallies: Vec<CachePadded<Tally>> = (0..=load.threads).map(|_| Default::default()).collect();
    let own = &tallies[load.threads];
    Hands::new(subject.local(), &lists, own, 1).fill(load.shape);
    let filled = own.inserted.load(Ordering::Relaxed);
    let time = if R::RECLAIMS {
        load.time
    } else {
        load.time.min(NEVER_TIME)
    };

    let retired = || -> u64 {
        let counts = tallies.iter();
        counts.map(|t| t.retired.load(Ordering::Relaxed)).sum()
    };
    let mut unreclaimed = 0;
    let ((done, elapsed, overhead), _) = crew::run(
        load.threads + stalled,
        0,
        |worker| {
            if worker.index == load.threads {
                stall(&subject, &lists, worker);
                return;
            }
            let tally = &tallies[worker.index];
            let seed = worker.index as u64 + 2;
            let mut hands = Hands::new(subject.local(), &lists, tally, seed);
            while worker.running() {
                for _ in 0..BATCH {
                    hands.turn(&load);
                }
                // Operations; nodes are counted by ourselves.
                worker.retired(BATCH);
            }
        },
        |watch| {
            let (done, elapsed) = watch.measure_and_see(time, || {
                // Destroyed first: what is destroyed was retired before.
                let destroyed = node::dropped() - dropped_before;
                unreclaimed = unreclaimed.max(retired().saturating_sub(destroyed));
            });
            (done, elapsed, watch.peak())
        },
    );

    let mut last = Hands::new(subject.local(), &lists, own, 1);
    let left: u64 = lists
        .0
        .iter()
        .map(|head| list::clear(head, &mut last.gone))
        .sum();
    leave(
        &last.local,
        last.local.enter_to_write(),
        &mut last.gone,
        own,
    );
    drop(last);
    subject.finish();
    let sum = |of: fn(&Tally) -> &AtomicU64| -> u64 {
        let counts = tallies.iter();
        counts.map(|tally| of(tally).load(Ordering::Relaxed)).sum()
    };
    let (inserted, removed) = (sum(|t| &t.inserted), sum(|t| &t.removed));
    assert_eq!(left, inserted - removed, "{}: nodes were lost", R::NAME);
    assert_eq!(filled, load.shape.keys() / 2, "{}: not half full", R::NAME);
    let (made, given_up) = (sum(|t| &t.made), retired());
    assert_eq!(
        node::dropped() - dropped_before,
        made,
        "{}: made and destroyed differ",
        R::NAME
    );
    drop(lists);
    drop(tallies);
    check::<R>(made, given_up, heap_before);
    if done.retired == 0 {
        return Vec::new();
    }
    vec![
        Sample::new(
            Metric::Throughput,
            done.retired as f64 / elapsed.as_secs_f64(),
        ),
        Sample::new(Metric::OverheadPeak, overhead),
        Sample::new(Metric::UnreclaimedPeak, unreclaimed as f64),
    ]
}

/// Stays inside, with a node in hand, until the run is over.
fn stall<R: Reclaim<Node>>(subject: &R, lists: &Lists, worker: &Worker<'_>) {
    let local = subject.local();
    let mut guard = local.enter();
    // The first list that has a node, if any has one at this moment.
    let node = lists
        .0
        .iter()
        .find_map(|head| NonNull::new(<R::Local<'_> as Local<Node>>::load(&mut guard, head)));
    // SAFETY: loaded in this section, which protects the last one loaded.
    let node = node.map(|node| unsafe { node.as_ref() });
    let key = node.map(Node::key);
    while worker.running() {
        thread::sleep(LOOK);
    }
    if let (Some(node), Some(key)) = (node, key) {
        assert!(
            node.key() == key && Node::belongs(node.value(), key),
            "{}: a node was reused under its reader",
            R::NAME
        );
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::subjects::crossbeam::Crossbeam;
    use crate::subjects::haphazard::Haphazard;

    /// For the runs, whose counts of destructors belong to them alone.
    fn alone() -> std::sync::MutexGuard<'static, ()> {
        alloc::tests::alone()
    }

    fn answers_like_a_set<R: Reclaim<Node>>() {
        for shape in Shape::ALL {
            let subject = R::new(1);
            let lists = Lists::new(shape);
            let tally = Tally::default();
            let mut hands = Hands::new(subject.local(), &lists, &tally, 7);
            let mut model = BTreeSet::new();
            for step in 0..20_000 {
                let random = hands.random();
                let key = random % 100;
                match random >> 62 {
                    0 => assert_eq!(hands.insert(key, || {}), model.insert(key), "{step}"),
                    1 => assert_eq!(hands.remove(key, || {}), model.remove(&key), "{step}"),
                    _ => assert_eq!(hands.get(key, || {}), model.contains(&key), "{step}"),
                }
            }
            let left: u64 = lists
                .0
                .iter()
                .map(|head| list::clear(head, &mut hands.gone))
                .sum();
            assert_eq!(left, model.len() as u64, "{}", R::NAME);
            leave(
                &hands.local,
                hands.local.enter_to_write(),
                &mut hands.gone,
                &tally,
            );
            drop(hands);
            subject.finish();
        }
    }

    #[test]
    fn both_structures_answer_like_a_set_over_every_subject() {
        let _alone = alone();
        for_each_subject!(answers_like_a_set);
    }

    #[test]
    fn the_counts_of_disturbed_runs_match_over_every_subject() {
        fn runs<R: Reclaim<Node>>() {
            for trouble in [Trouble::None, Trouble::Stalled, Trouble::Preempted] {
                if <R::Local<'_> as Local<Node>>::WAITS && trouble == Trouble::Stalled {
                    continue;
                }
                let samples = run::<R>(Load {
                    shape: Shape::List,
                    reads: 20,
                    trouble,
                    threads: 3,
                    time: Duration::from_millis(10),
                });
                assert_eq!(samples.len(), 3, "{}", R::NAME);
            }
        }
        let _alone = alone();
        for_each_subject!(runs);
    }

    #[test]
    fn a_stalled_reader_holds_what_epochs_retire_and_not_what_hazards_do() {
        let _alone = alone();
        let load = Load {
            shape: Shape::Table,
            reads: 0,
            trouble: Trouble::Stalled,
            threads: 1,
            time: Duration::from_millis(30),
        };
        let unreclaimed = |samples: Vec<Sample>| {
            let found = samples.iter().find(|s| s.metric == Metric::UnreclaimedPeak);
            found.expect("measured").value
        };
        let epochs = unreclaimed(run::<Crossbeam>(load));
        let hazards = unreclaimed(run::<Haphazard>(load));
        assert!(epochs > 2.0 * hazards, "{epochs} against {hazards}");
    }
}
