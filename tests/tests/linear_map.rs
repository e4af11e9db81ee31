//! Histories of real runs of the hash map, judged key by key, while its table
//! grows and shrinks.
//!
//! `SMR_LINEAR_OPERATIONS=10000000 cargo test --release -p smr-tests --test linear_map`
//! is the long form.
#![cfg(not(miri))]

use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use smr_core::Domain;
use smr_hashmap::{Compute, DefaultHashBuilder, HashMap, Operation};
use smr_tests::linear::drive::{Keys, Map};
use smr_tests::linear::models::{OnKey, Register};
use smr_tests::linear::{Stalls, judge_keys, record};

/// Operations of a test in the short form.
const OPERATIONS: u64 = 60_000;
/// Operations of a thread in one recording.
const RECORDED: usize = 500;
const THREADS: usize = 3;
/// Keys that are recorded; few, so that threads meet.
const KEYS: u64 = 3;
/// Keys from here on only make the table grow and shrink.
const FILLER: u64 = 1000;

struct Smr<S>(HashMap<u64, u64, S>);

impl<S: BuildHasher + Sync> Map for Smr<S> {
    fn get(&self, key: u64) -> Option<u64> {
        let map = self.0.pin();
        // Either way of looking up, by the key's turn.
        if key.is_multiple_of(2) {
            map.get(&key).copied()
        } else {
            map.get_many(&[key]).next().flatten().copied()
        }
    }

    fn insert(&self, key: u64, new: u64) -> Option<u64> {
        self.0.pin().insert(key, new).copied()
    }

    fn try_insert(&self, key: u64, new: u64) -> Option<u64> {
        let map = self.0.pin();
        map.try_insert(key, new).err().map(|error| *error.current)
    }

    fn remove(&self, key: u64) -> Option<u64> {
        self.0.pin().remove(&key).copied()
    }

    fn add(&self, key: u64, by: u64) -> Option<u64> {
        let map = self.0.pin();
        map.update(key, |old| old.wrapping_add(by)).copied()
    }

    fn swap(&self, key: u64, expected: Option<u64>, new: Option<u64>) -> Option<u64> {
        let map = self.0.pin();
        let done = map.compute(key, |entry| {
            let found = entry.map(|(_, value)| *value);
            match new {
                _ if found != expected => Operation::Abort(found),
                Some(new) => Operation::Insert(new),
                None if found.is_some() => Operation::Remove,
                None => Operation::Abort(None),
            }
        });
        match done {
            Compute::Inserted(..) => None,
            Compute::Updated { old: (_, old), .. } | Compute::Removed(_, old) => Some(*old),
            Compute::Aborted(found) => found,
        }
    }
}

/// Fills the table and empties it again, until it is told to stop; gives how
/// often it became smaller by that.
fn resize<S: BuildHasher>(map: &HashMap<u64, u64, S>, most: u64, done: &AtomicBool) -> u64 {
    #[cfg(target_os = "linux")]
    let _enrolled = smr_tests::preempt::Enrolled::this_thread();
    let (mut times, mut shrunk) = (0, 0);
    // Relaxed: only a hint to stop.
    while !done.load(Ordering::Relaxed) {
        let many = FILLER..FILLER + (most >> (times % 4));
        many.clone().for_each(|key| _ = map.pin().insert(key, key));
        let full = map.memory_usage();
        many.for_each(|key| _ = map.pin().remove(&key));
        map.pin().shrink_to_fit();
        shrunk += u64::from(map.memory_usage() < full);
        times += 1;
    }
    shrunk
}

fn operations() -> u64 {
    let told = std::env::var("SMR_LINEAR_OPERATIONS");
    told.map_or(OPERATIONS, |number| number.parse().expect("a number"))
}

/// Records and judges until so many operations have been seen, and compares the
/// length each time that everybody has gone.
fn linearizable<S: BuildHasher + Sync>(
    map: impl Fn() -> HashMap<u64, u64, S>,
    operations: u64,
    filler: u64,
    mut stalls: Stalls,
) {
    let mut seen = 0;
    let mut seed = 0;
    let mut resized = 0;
    while seen < operations || !stalls.are_enough() {
        // A new map now and then: its first table is a case of its own.
        let map = Smr(map());
        let mut start = vec![None; KEYS as usize];
        for _ in 0..20 {
            let done = AtomicBool::new(false);
            let mut history = thread::scope(|scope| {
                let filler = scope.spawn(|| resize(&map.0, filler, &done));
                let driven = Keys {
                    map: &map,
                    keys: KEYS,
                };
                let history = record(&driven, THREADS, RECORDED, seed);
                done.store(true, Ordering::Relaxed);
                resized += filler.join().expect("no panic");
                history
            });
            seen += history.events().len() as u64;
            stalls.look(&history);
            let end: Vec<_> = (0..KEYS).map(|key| map.get(key)).collect();
            for (key, now) in (0..KEYS).zip(&end) {
                history.then((key, OnKey::Get { now: *now }));
            }
            let judged = judge_keys(|key| Register(start[*key as usize]), history);
            if let Err((key, refusal)) = judged {
                panic!("seed {seed}, key {key}: {refusal}");
            }
            let present = end.iter().flatten().count();
            assert_eq!(map.0.len(), present, "seed {seed}: the length");
            assert_eq!(map.0.pin().iter().count(), present, "seed {seed}: the walk");
            start = end;
            seed += 1;
        }
    }
    assert!(resized > 0, "the table never changed its size");
}

#[test]
fn a_map_that_begins_empty_is_linearizable() {
    linearizable(
        || HashMap::with_hasher(DefaultHashBuilder::default()),
        operations(),
        512,
        Stalls::none(),
    );
}

#[test]
fn a_map_whose_writers_are_stalled_is_linearizable() {
    linearizable(
        || HashMap::with_hasher(DefaultHashBuilder::default()),
        operations() / 4,
        512,
        Stalls::at_random(1),
    );
}

#[test]
fn a_map_with_capacity_in_a_domain_of_its_own_is_linearizable() {
    let map = || {
        HashMap::builder()
            .domain(Domain::new())
            .capacity(2000)
            .build()
    };
    linearizable(map, operations() / 4, 4096, Stalls::none());
}

/// Gives every key the same hash.
#[derive(Debug, Clone, Copy, Default)]
struct Constant;

impl Hasher for Constant {
    fn finish(&self) -> u64 {
        7
    }

    fn write(&mut self, _: &[u8]) {}
}

impl BuildHasher for Constant {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        Self
    }
}

#[test]
fn a_map_whose_hashes_are_all_equal_is_linearizable() {
    linearizable(
        || HashMap::with_hasher(Constant),
        operations() / 4,
        32,
        Stalls::none(),
    );
}

#[test]
fn a_map_of_one_bucket_whose_writers_are_stalled_is_linearizable() {
    linearizable(
        || HashMap::with_hasher(Constant),
        operations() / 8,
        32,
        Stalls::at_random(2),
    );
}
