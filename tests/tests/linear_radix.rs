//! Histories of real runs of the radix trees, judged key by key, while the nodes around
//! the keys split, grow, shrink and collapse.
//!
//! `SMR_LINEAR_OPERATIONS=10000000 cargo test --release -p smr-tests --test linear_radix`
//! is the long form.
#![cfg(not(miri))]

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use smr_core::Domain;
use smr_radix::{Boxed, Change, Inline, InlineValue, Policy, Tree};
use smr_tests::linear::Stalls;
use smr_tests::linear::drive::{Keys, Map};

/// Operations of a test in the short form.
const OPERATIONS: u64 = 40_000;
/// Operations of a thread in one recording.
const RECORDED: usize = 500;
const THREADS: usize = 3;
/// Where the keys that are recorded stand: two beside each other, one in the next node,
/// one far away.
const PLACES: [u64; 4] = [70, 71, 130, 1 << 40];

fn operations() -> u64 {
    let told = std::env::var("SMR_LINEAR_OPERATIONS");
    told.map_or(OPERATIONS, |number| number.parse().expect("a number"))
}

/// How a tree keeps numbers.
trait Kind: Sync + 'static {
    type Policy: Policy;

    fn value(number: u64) -> <Self::Policy as Policy>::Value;
    fn number(value: <Self::Policy as Policy>::Val<'_>) -> u64;
}

struct ByReference;

impl Kind for ByReference {
    type Policy = Boxed<u64>;

    fn value(number: u64) -> u64 {
        number
    }

    fn number(value: &u64) -> u64 {
        *value
    }
}

/// Odd numbers are too large for a slot, and go into a leaf.
#[derive(Debug, Clone, Copy)]
struct Word(u64);

impl InlineValue for Word {
    fn to_word(self) -> u64 {
        self.0.rotate_right(1)
    }

    fn from_word(word: u64) -> Self {
        Self(word.rotate_left(1))
    }
}

struct InNodes;

impl Kind for InNodes {
    type Policy = Inline<Word>;

    fn value(number: u64) -> Word {
        Word(number)
    }

    fn number(value: Word) -> u64 {
        value.0
    }
}

struct Radix<T: Kind>(Tree<u64, T::Policy>);

impl<T: Kind> Map for Radix<T>
where
    Tree<u64, T::Policy>: Sync,
{
    fn get(&self, key: u64) -> Option<u64> {
        let guard = self.0.guard();
        self.0.get(PLACES[key as usize], &guard).map(T::number)
    }

    fn insert(&self, key: u64, new: u64) -> Option<u64> {
        let guard = self.0.guard();
        let old = self.0.insert(PLACES[key as usize], T::value(new), &guard);
        old.map(T::number)
    }

    fn try_insert(&self, key: u64, new: u64) -> Option<u64> {
        let guard = self.0.guard();
        let made = self
            .0
            .try_insert(PLACES[key as usize], T::value(new), &guard);
        made.err().map(|taken| T::number(taken.current))
    }

    fn remove(&self, key: u64) -> Option<u64> {
        let guard = self.0.guard();
        self.0.remove(PLACES[key as usize], &guard).map(T::number)
    }

    fn add(&self, key: u64, by: u64) -> Option<u64> {
        let guard = self.0.guard();
        let sum = |old| T::value(T::number(old).wrapping_add(by));
        self.0
            .update(PLACES[key as usize], sum, &guard)
            .map(T::number)
    }

    fn swap(&self, key: u64, expected: Option<u64>, new: Option<u64>) -> Option<u64> {
        let (place, guard) = (PLACES[key as usize], self.0.guard());
        if let (Some(new), Some(seen)) = (new, self.0.get(place, &guard))
            && Some(T::number(seen)) == expected
        {
            // Values differ, so it is the same value or another number.
            return match self.0.compare_exchange(place, seen, T::value(new), &guard) {
                Ok(_) => expected,
                Err(other) => other.current.map(T::number),
            };
        }
        let found = Cell::new(None);
        let change = |now: Option<<T::Policy as Policy>::Val<'_>>| {
            found.set(now.map(T::number));
            match new {
                _ if found.get() != expected => Change::Leave,
                Some(new) => Change::Put(T::value(new)),
                None => Change::Remove,
            }
        };
        self.0.compute(place, change, &guard);
        found.get()
    }
}

/// Tells another thread to stop, however this one ends.
struct Stop<'d>(&'d AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        // Relaxed: only a hint to stop.
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Fills the nodes around the keys and empties them again, until it is told to stop;
/// gives how often.
fn crowd<T: Kind>(tree: &Tree<u64, T::Policy>, done: &AtomicBool) -> u64 {
    #[cfg(target_os = "linux")]
    let _enrolled = smr_tests::preempt::Enrolled::this_thread();
    let mut times = 0;
    while !done.load(Ordering::Relaxed) {
        let few = [3, 12, 40, 63][times as usize % 4];
        let near = |place: u64| (1..=few).map(move |n| place ^ n << (6 * (times % 7)));
        let keys = || {
            PLACES
                .into_iter()
                .flat_map(near)
                .filter(|key| !PLACES.contains(key))
        };
        keys().for_each(|key| _ = tree.insert(key, T::value(key), &tree.guard()));
        keys().for_each(|key| _ = tree.remove(key, &tree.guard()));
        times += 1;
    }
    times
}

fn linearizable<T: Kind>(operations: u64, mut stalls: Stalls)
where
    Tree<u64, T::Policy>: Sync,
{
    let (mut seen, mut seed, mut crowded) = (0, 0, 0);
    while seen < operations || !stalls.are_enough() {
        // A new tree now and then: to begin empty is a case of its own.
        let tree = Radix::<T>(if seed % 20 == 0 {
            Tree::new()
        } else {
            Tree::new_in(&Domain::new())
        });
        let mut start = vec![None; PLACES.len()];
        for _ in 0..10 {
            let keys = Keys {
                map: &tree,
                keys: PLACES.len() as u64,
            };
            let done = AtomicBool::new(false);
            let (end, operations) = thread::scope(|scope| {
                let crowd = scope.spawn(|| crowd::<T>(&tree.0, &done));
                let stop = Stop(&done);
                let judged = keys.judged(&start, THREADS, RECORDED, seed, &mut stalls);
                drop(stop);
                crowded += crowd.join().expect("no panic");
                judged
            });
            seen += operations;
            let present = end.iter().flatten().count();
            assert_eq!(tree.0.len(), present, "seed {seed}: the length");
            let guard = tree.0.guard();
            assert_eq!(
                tree.0.iter(&guard).count(),
                present,
                "seed {seed}: the walk"
            );
            start = end;
            seed += 1;
        }
    }
    assert!(crowded > 10, "{crowded}: the nodes hardly ever changed");
}

#[test]
fn a_radix_tree_of_references_is_linearizable() {
    linearizable::<ByReference>(operations(), Stalls::none());
}

#[test]
fn a_radix_tree_of_small_and_large_values_is_linearizable() {
    linearizable::<InNodes>(operations(), Stalls::none());
}

#[test]
fn a_radix_tree_whose_writers_are_stalled_is_linearizable() {
    linearizable::<ByReference>(operations() / 4, Stalls::at_random(1));
    linearizable::<InNodes>(operations() / 4, Stalls::at_random(2));
}
