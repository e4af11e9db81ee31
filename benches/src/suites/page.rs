//! `page`: what a page cache does with an ordered map.
//!
//! # Workloads
//!
//! - `faults-sequential`, `faults-random`: of a hundred operations 90 look a page up, 8
//!   put one in, one takes one out, and one truncates: it removes a run of eight. Pages
//!   are drawn from so many as the name says, of which about half are there; or each
//!   thread goes from a page to its neighbour, and jumps once in 64 operations.
//! - `replay`: what a real program touched ([`trace`]), by several threads, each from a
//!   place of its own in the same trace. A page that is found counts as touched; one
//!   that is not is put in. The cache has room for half of the pages: a thread that has
//!   put its share of them in takes its oldest out each time.
//!
//! `throughput` counts the operations, or the references.
//!
//! # What is checked
//!
//! Every value found belongs to its key, and at the end there are as many pages as
//! insertions and removals said.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::map::keys::{Random, Walk};
use super::radix::keys::value;
use super::radix::{audit, for_each_tree, look_up, throughput};
use super::{Entry, entry};
use crate::cli::{Fault, Settings, Suite};
use crate::crew::{self, Worker};
use crate::record::{Key, Metric, Sample};
use crate::run::{Case, Comparison};
use crate::subjects::trees::Shared;
use crate::subjects::trees::congee::Art;
use crate::subjects::trees::locks::{ParkingLot, StdLock};
use crate::subjects::trees::masstree::Mass;
use crate::subjects::trees::scc::Index;
use crate::subjects::trees::skiplist::SkipTree;
use crate::subjects::trees::smr::{Boxed, Inline};
use crate::trace;

/// Operations between two looks at the end of the run.
const BATCH: usize = 256;
/// Operations on neighbours before a jump.
const RUN: u64 = 64;
/// Pages that are truncated.
const CUT: u64 = 8;
/// The cache has room for one page in so many.
const ROOM: usize = 2;

/// Who takes part.
pub(crate) fn subjects() -> Vec<Entry> {
    for_each_tree!(entry())
}

/// The comparisons that the settings ask for.
pub(crate) fn plan(settings: &Settings) -> Vec<Comparison> {
    let trees = &settings.trees;
    let time = settings.time(0.03, 0.2);
    let mut all = Vec::new();
    let mut add = |workload: String, threads: usize, mut cases: Vec<Case>| {
        cases.retain(|case| settings.wants(case.subject));
        all.push(Comparison {
            key: Key {
                suite: Suite::Page.name().to_owned(),
                workload,
                threads,
            },
            cases,
            runs: trees.runs,
        });
    };
    for &fault in &trees.faults {
        for &threads in &trees.threads {
            if fault == Fault::Replay {
                let name = format!("{}/{}", fault.name(), trace::NAME);
                add(name, threads, for_each_tree!(replay_case(threads, time)));
                continue;
            }
            for &pages in &trees.entries {
                let name = format!("{}/{pages}", fault.name());
                add(
                    name,
                    threads,
                    for_each_tree!(fault_case(fault, pages, threads, time)),
                );
            }
        }
    }
    all
}

fn fault_case<T: Shared>(fault: Fault, pages: u64, threads: usize, time: Duration) -> Case {
    Case::new(T::NAME, move || {
        let samples = faults::<T>(fault, pages, threads, time);
        T::settle();
        samples
    })
}

fn replay_case<T: Shared>(threads: usize, time: Duration) -> Case {
    Case::new(T::NAME, move || {
        let samples = replay::<T>(&stored(), threads, time);
        T::settle();
        samples
    })
}

fn faults<T: Shared>(fault: Fault, pages: u64, threads: usize, time: Duration) -> Vec<Sample> {
    let mut tree = T::new();
    // As full as the mix keeps it.
    let mut there = 0;
    for page in (0..pages).filter(|page| (page / CUT).is_multiple_of(2)) {
        tree.put(page, value(page));
        there += 1;
    }
    let (tree, net) = (tree, AtomicI64::new(there));
    let ((done, elapsed), _) = crew::run(
        threads,
        0,
        |worker| {
            let mut random = Random::new(worker.index as u64);
            let (mut own, mut page, mut jump) = (0, 0, 0);
            while worker.running() {
                for _ in 0..BATCH {
                    if jump == 0 || fault == Fault::FaultsRandom {
                        page = random.below(pages);
                        jump = RUN;
                    } else {
                        page = (page + 1) % pages;
                        jump -= 1;
                    }
                    match random.below(100) {
                        0..90 => {
                            look_up(&tree, page);
                        }
                        90..98 => own += i64::from(tree.insert(page, value(page))),
                        98 => own -= i64::from(tree.remove(page)),
                        _ => own -= tree.remove_range(page..page + CUT) as i64,
                    }
                }
                worker.retired(BATCH as u64);
            }
            net.fetch_add(own, Ordering::Relaxed);
        },
        |watch| watch.measure(time),
    );
    audit(&tree, net.into_inner());
    throughput(done.retired, elapsed)
}

/// The stored trace, unpacked once.
fn stored() -> Arc<[u64]> {
    static UNPACKED: Mutex<Option<Arc<[u64]>>> = Mutex::new(None);
    let mut unpacked = UNPACKED.lock().expect("nobody panics with the lock held");
    Arc::clone(unpacked.get_or_insert_with(|| trace::stored().into()))
}

fn distinct(trace: &[u64]) -> usize {
    let mut pages = trace.to_vec();
    pages.sort_unstable();
    pages.dedup();
    pages.len()
}

/// A thread's part in a cache.
#[derive(Debug, Default)]
struct Part {
    /// The pages that it has put in, the oldest first.
    own: VecDeque<u64>,
    /// Pages put in less pages taken out.
    net: i64,
    hits: u64,
}

impl Part {
    /// Touches a page: looks it up, and puts it in if it is not there.
    #[inline(always)]
    fn touch<T: Shared>(&mut self, tree: &T, page: u64, share: usize) {
        if look_up(tree, page) {
            self.hits += 1;
            return;
        }
        // Another thread may have put it in meanwhile: then it is that one's.
        if tree.insert(page, value(page)) {
            self.net += 1;
            self.own.push_back(page);
        }
        if self.own.len() > share
            && let Some(oldest) = self.own.pop_front()
        {
            self.net -= i64::from(tree.remove(oldest));
        }
    }
}

fn replay<T: Shared>(trace: &[u64], threads: usize, time: Duration) -> Vec<Sample> {
    let tree = T::new();
    let share = (distinct(trace) / ROOM / threads).max(1);
    let (net, hits) = (AtomicI64::new(0), AtomicU64::new(0));
    let work = |worker: &Worker<'_>| {
        let mut walk = Walk::new(trace, worker.index, threads);
        let mut part = Part::default();
        while worker.running() {
            let pages = walk.take(BATCH);
            for &page in pages {
                part.touch(&tree, page, share);
            }
            worker.retired(pages.len() as u64);
        }
        net.fetch_add(part.net, Ordering::Relaxed);
        hits.fetch_add(part.hits, Ordering::Relaxed);
    };
    let ((done, elapsed), total) = crew::run(threads, 0, work, |watch| watch.measure(time));
    audit(&tree, net.into_inner());
    let mut samples = throughput(done.retired, elapsed);
    let rate = hits.into_inner() as f64 / total.retired as f64;
    samples.push(Sample::new(Metric::HitRate, rate));
    samples
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subjects::trees::Tree;

    #[test]
    fn a_cache_holds_no_more_than_its_room() {
        let tree = <StdLock as Tree>::new();
        let mut part = Part::default();
        for page in (0..10).chain(0..10).chain([9, 8]) {
            part.touch(&tree, page, 4);
        }
        // Ten pages and then the same pages again find none of four; the last find two.
        assert_eq!((part.hits, part.net, part.own.len()), (2, 4, 4));
        audit(&tree, 4);
    }

    #[test]
    fn distinct_pages_are_counted_once() {
        assert_eq!(distinct(&[3, 1, 3, 3, 2, 1]), 3);
    }
}
