//! The trees under threads.
//!
//! `SMR_RADIX_ROUNDS=1000 cargo test --release -p smr-radix --test trees threads::` is the
//! long form.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::thread;

use crate::support::{ByReference, Counted, InNodes, Kind, Mixed};
use smr_core::{BarrierKind, Domain};
use smr_radix::{Change, InlineTree, Mark, RadixTree, Tree};

/// How often readers look at everything.
fn rounds() -> u32 {
    let told = std::env::var("SMR_RADIX_ROUNDS");
    let short = if cfg!(debug_assertions) { 60 } else { 300 };
    told.map_or(short, |rounds| rounds.parse().expect("a number"))
}

/// Random numbers, by multiplication.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % below
    }
}

/// Keys that stay: alone, dense, and with common beginnings of every length.
fn stable() -> Vec<u64> {
    let mut keys: Vec<u64> = (0..11).map(|level| 1 << (6 * level)).collect();
    keys.extend([0, u64::MAX, u64::MAX - 64, 0x1234_5678_9abc_def0]);
    keys.extend((0..70).map(|n| 0x55_0000 + 2 * n));
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// A key that is none of those, near one: it splits the way there, or fills its node.
fn neighbour(dice: &mut Dice, stable: &[u64]) -> u64 {
    loop {
        let near = stable[dice.roll(stable.len() as u64) as usize];
        let digit = 6 * dice.roll(11);
        let key = near ^ (1 + dice.roll(63)).checked_shl(digit as u32).unwrap_or(1);
        if stable.binary_search(&key).is_err() {
            return key;
        }
    }
}

/// In each round of a writer: neighbours come, fill nodes, and go again.
fn churn<T: Kind>(tree: &Tree<u64, T::Policy>, stable: &[u64], dice: &mut Dice) {
    let few = 1 + dice.roll(80);
    let mut mine = Vec::new();
    for _ in 0..few {
        let guard = tree.guard();
        let key = neighbour(dice, stable);
        // What another thread put there is its own to remove.
        if tree.try_insert(key, T::value(7), &guard).is_ok() {
            mine.push(key);
        }
        if dice.roll(4) == 0 {
            let key = stable[dice.roll(stable.len() as u64) as usize];
            let replaced = tree.update(key, |old| T::value(T::number(old) + 3), &guard);
            assert!(replaced.is_some(), "{key:#x} was absent to a writer");
        }
    }
    for key in mine {
        assert!(
            tree.remove(key, &tree.guard()).is_some(),
            "{key:#x} was lost"
        );
    }
}

/// Readers look, as often as `rounds` says, while two writers churn.
fn while_neighbours_churn<T: Kind>(look: impl Fn(&Tree<u64, T::Policy>, &[u64], &mut Dice) + Sync)
where
    Tree<u64, T::Policy>: Sync,
{
    let stable = stable();
    for kind in [BarrierKind::Auto, BarrierKind::Fence] {
        let domain = Domain::builder().barrier(kind).build().unwrap();
        let tree = Tree::<u64, T::Policy>::new_in(&domain);
        let guard = tree.guard();
        for key in &stable {
            tree.insert(*key, T::value(1), &guard);
            tree.set_mark(*key, Mark::A, &guard);
        }
        drop(guard);
        let done = AtomicBool::new(false);
        let churned = AtomicUsize::new(0);
        thread::scope(|scope| {
            for seed in 1..3 {
                let (tree, stable, done, churned) = (&tree, &stable[..], &done, &churned);
                scope.spawn(move || {
                    let mut dice = Dice(seed);
                    while !done.load(SeqCst) {
                        churn::<T>(tree, stable, &mut dice);
                        churned.fetch_add(1, SeqCst);
                    }
                });
            }
            // However it ends, the writers stop.
            struct Stop<'d>(&'d AtomicBool);
            impl Drop for Stop<'_> {
                fn drop(&mut self) {
                    self.0.store(true, SeqCst);
                }
            }
            let _stop = Stop(&done);
            let mut dice = Dice(99);
            for _ in 0..rounds() {
                look(&tree, &stable, &mut dice);
            }
            while churned.load(SeqCst) < 4 {
                thread::yield_now();
            }
        });
        let guard = tree.guard();
        assert!(
            tree.keys(&guard).eq(stable.iter().copied()),
            "what stays is left"
        );
        assert_eq!(tree.len(), stable.len());
    }
}

fn is_found_by_key<T: Kind>(tree: &Tree<u64, T::Policy>, stable: &[u64], _: &mut Dice) {
    for key in stable {
        let guard = tree.guard();
        let value = tree
            .get(*key, &guard)
            .unwrap_or_else(|| panic!("get missed {key:#x}"));
        assert_eq!(
            T::number(value) % 3,
            1,
            "the value of another key at {key:#x}"
        );
        let ge = tree.get_ge(*key, &guard).map(|(found, _)| found);
        assert_eq!(ge, Some(*key), "get_ge");
        let le = tree.get_le(*key, &guard).map(|(found, _)| found);
        assert_eq!(le, Some(*key), "get_le");
        let cursor = tree.cursor(*key, &guard);
        assert_eq!(cursor.key(), Some(*key), "cursor");
        assert!(
            tree.test_mark(*key, Mark::A, &guard),
            "the mark of {key:#x} is lost"
        );
    }
}

#[test]
fn a_key_that_is_always_there_is_always_found() {
    while_neighbours_churn::<ByReference>(is_found_by_key::<ByReference>);
    while_neighbours_churn::<InNodes>(is_found_by_key::<InNodes>);
    while_neighbours_churn::<Mixed>(is_found_by_key::<Mixed>);
}

/// Between two stable keys, in order, and with all stable ones.
#[track_caller]
fn is_complete(seen: &[u64], stable: &[u64], from: u64, to: u64) {
    assert!(seen.is_sorted_by(|a, b| a < b), "out of order: {seen:x?}");
    assert!(
        seen.iter().all(|key| (from..=to).contains(key)),
        "out of bounds"
    );
    let right = stable.iter().filter(|key| (from..=to).contains(key));
    let found = seen.iter().filter(|key| stable.binary_search(key).is_ok());
    assert!(found.eq(right), "a stable key is missing: {seen:x?}");
}

fn ranges_are_complete<T: Kind>(tree: &Tree<u64, T::Policy>, stable: &[u64], dice: &mut Dice) {
    let guard = tree.guard();
    let mut any = || stable[dice.roll(stable.len() as u64) as usize];
    let (a, b) = (any(), any());
    for (from, to) in [(0, u64::MAX), (a.min(b), a.max(b))] {
        let forwards: Vec<u64> = tree.range(from..=to, &guard).map(|(key, _)| key).collect();
        is_complete(&forwards, stable, from, to);
        let mut back: Vec<u64> = tree
            .range(from..=to, &guard)
            .rev()
            .map(|(key, _)| key)
            .collect();
        back.reverse();
        is_complete(&back, stable, from, to);
        let marked = tree.range_marked(from..=to, Mark::A, &guard);
        let marked: Vec<u64> = marked.map(|(key, _)| key).collect();
        is_complete(&marked, stable, from, to);
        // From both ends, until they meet.
        let (mut low, mut high) = (Vec::new(), Vec::new());
        let mut both = tree.range(from..=to, &guard).map(|(key, _)| key);
        while let Some(key) = both.next() {
            low.push(key);
            high.extend(both.next_back());
        }
        low.extend(high.into_iter().rev());
        is_complete(&low, stable, from, to);
    }
    let mut walked = Vec::new();
    let mut cursor = tree.cursor(0, &guard);
    while let Some(key) = cursor.key() {
        walked.push(key);
        if walked.len() % 7 == 0 {
            cursor = tree.resume(cursor.pause(), &guard);
            // Where that has gone, the cursor is at the next.
            if cursor.key() != Some(key) {
                continue;
            }
        }
        cursor.next();
    }
    is_complete(&walked, stable, 0, u64::MAX);
    let dense = 0x55_0000;
    assert!(tree.contiguous(dense, 2, &guard).next().is_some());
    assert!(tree.next_gap(dense, &guard) > Some(dense));
}

#[test]
fn ranges_are_in_order_in_bounds_and_meet_what_is_there_throughout() {
    while_neighbours_churn::<ByReference>(ranges_are_complete::<ByReference>);
    while_neighbours_churn::<InNodes>(ranges_are_complete::<InNodes>);
}

/// Neighbours are of different threads, so each node that a batch has come to may have
/// grown, or have gone, when its next key comes.
#[test]
fn batches_lose_no_key_while_nodes_come_and_go() {
    fn check<T: Kind>()
    where
        Tree<u64, T::Policy>: Sync,
    {
        let tree = Tree::<u64, T::Policy>::new();
        thread::scope(|scope| {
            for id in 0..3_u64 {
                let tree = &tree;
                scope.spawn(move || {
                    let mut dice = Dice(id);
                    let mut there = std::collections::BTreeMap::new();
                    for round in 0..rounds() / 4 {
                        let guard = tree.guard();
                        let from = dice.roll(600);
                        let keys = (from..from + 1 + dice.roll(300)).map(|n| 3 * n + id);
                        let keys: Vec<u64> = keys.collect();
                        let new = keys.iter().filter(|key| !there.contains_key(*key)).count();
                        let batch = keys.iter().map(|key| (*key, T::value(round)));
                        assert_eq!(tree.insert_batch(batch, &guard), new);
                        there.extend(keys.into_iter().map(|key| (key, round)));
                        for (key, number) in &there {
                            let found = tree.get(*key, &guard).map(T::number);
                            assert_eq!(found, Some(*number), "{key} of {id}");
                        }
                        let from = 3 * dice.roll(600);
                        for key in (from..from + 900).filter(|key| key % 3 == id) {
                            let gone = tree.remove(key, &guard).map(T::number);
                            assert_eq!(gone, there.remove(&key), "{key} of {id}");
                        }
                    }
                    there.into_keys().for_each(|key| {
                        tree.remove(key, &tree.guard()).expect("it is there");
                    });
                });
            }
        });
        assert_eq!((tree.is_empty(), tree.len()), (true, 0));
    }
    check::<ByReference>();
    check::<InNodes>();
    check::<Mixed>();
}

#[test]
fn counters_lose_no_change() {
    fn check<T: Kind>()
    where
        Tree<u32, T::Policy>: Sync,
    {
        let tree = Tree::<u32, T::Policy>::new();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for n in 0..4000_u32 {
                        let add = |now: Option<_>| {
                            Change::Put(T::value(now.map_or(1, |now| T::number(now) + 1)))
                        };
                        tree.compute(n % 4 * 64, add, &tree.guard());
                    }
                });
            }
        });
        let counted = tree.into_iter().map(|(key, value)| (key, T::owned(&value)));
        assert!(counted.eq((0..4).map(|key| (key * 64, 3000))));
    }
    check::<ByReference>();
    check::<InNodes>();
    check::<Mixed>();
}

#[test]
fn what_threads_insert_is_removed_once_and_dropped_once() {
    let live = Arc::new(AtomicUsize::new(0));
    let removed = AtomicUsize::new(0);
    let tree = RadixTree::<u64, Counted>::new_in(&Domain::new());
    const EACH: u64 = 3000;
    thread::scope(|scope| {
        for seed in 0..3 {
            let (tree, live, removed) = (&tree, &live, &removed);
            scope.spawn(move || {
                let mut dice = Dice(seed);
                for n in 0..EACH {
                    let key = dice.roll(200) << (6 * dice.roll(4));
                    let guard = tree.guard();
                    if n % 2 == 0 {
                        let old = tree.insert(key, Counted::new(live, 1), &guard);
                        removed.fetch_add(usize::from(old.is_some()), SeqCst);
                    } else if n % 50 == 49 {
                        removed.fetch_add(tree.remove_range(key..key + 300, &guard), SeqCst);
                    } else {
                        let gone = tree.remove(key, &guard);
                        removed.fetch_add(usize::from(gone.is_some()), SeqCst);
                    }
                }
            });
        }
    });
    let inserted = 3 * EACH as usize / 2;
    let guard = tree.guard();
    assert_eq!(tree.iter(&guard).count(), tree.len());
    assert_eq!(removed.load(SeqCst) + tree.len(), inserted);
    drop(guard);
    tree.barrier();
    assert_eq!(live.load(SeqCst), tree.len());
    drop(tree);
    assert_eq!(live.load(SeqCst), 0);
}

#[test]
fn an_entry_that_was_acquired_and_is_still_current_was_not_taken_before() {
    // The page cache's protocol: who removes an entry freezes its count, if that is
    // zero, and frees it.
    const FROZEN: usize = 1 << 32;
    struct Page {
        count: AtomicUsize,
        freed: AtomicBool,
    }
    let page = || Page {
        count: AtomicUsize::new(0),
        freed: AtomicBool::new(false),
    };
    let cache = RadixTree::from_iter((0..4_u64).map(|key| (key, page())));
    let done = AtomicBool::new(false);
    let freed = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut dice = Dice(5);
            while !done.load(SeqCst) {
                let guard = cache.guard();
                let key = dice.roll(4);
                if let Some(page) = cache.remove(key, &guard)
                    && page
                        .count
                        .compare_exchange(0, FROZEN, SeqCst, SeqCst)
                        .is_ok()
                {
                    // Who acquires it from now on sees that it has gone.
                    page.freed.store(true, SeqCst);
                    freed.fetch_add(1, SeqCst);
                }
                cache.insert(dice.roll(4), page(), &guard);
            }
        });
        let mut acquired = 0;
        let mut dice = Dice(6);
        for _ in 0..rounds() * 200 {
            let guard = cache.guard();
            let cursor = cache.cursor(dice.roll(4), &guard);
            let Some(page) = cursor.value() else { continue };
            page.count.fetch_add(1, SeqCst);
            if cursor.still_current() {
                // It was in the tree after it was acquired, so its remover sees that.
                assert!(!page.freed.load(SeqCst), "freed in use");
                acquired += 1;
            }
            page.count.fetch_sub(1, SeqCst);
        }
        while freed.load(SeqCst) == 0 {
            thread::yield_now();
        }
        done.store(true, SeqCst);
        assert!(acquired > 0);
    });
}

#[test]
fn identifiers_that_are_found_as_gaps_are_given_out_once() {
    let tree = InlineTree::<u16, u32>::new();
    let given = AtomicU64::new(0);
    thread::scope(|scope| {
        for owner in 0..3_u32 {
            let (tree, given) = (&tree, &given);
            scope.spawn(move || {
                for _ in 0..300 {
                    let guard = tree.guard();
                    let mut from = 0;
                    while let Some(gap) = tree.next_gap(from, &guard) {
                        if tree.try_insert(gap, owner, &guard).is_ok() {
                            given.fetch_add(1, SeqCst);
                            break;
                        }
                        from = gap;
                    }
                }
            });
        }
    });
    assert_eq!(given.load(SeqCst), 900);
    let guard = tree.guard();
    assert!(tree.keys(&guard).eq(0..900), "the smallest that are free");
    assert_eq!(tree.next_gap(0, &guard), Some(900));
}
