//! Cases for schedules at random, with more threads and longer than loom can look at.
//!
//! `cargo shuttle` runs them; see CONTRIBUTING.md. Tables are as small as in models, so
//! they grow and shrink all the time.

use std::collections::BTreeMap;
use std::sync::Arc;

use smr_core::sync::shuffle::{Counted, Ledger, below, shuffle, thread};
use smr_core::{Domain, Guard, Pool};

use crate::raw::{Action, Computed, Inserted, RawMap};

const THREADS: u64 = 4;

/// Keys of each thread; half of them share their hashes.
const KEYS: u64 = 6;

/// The key that all threads count up.
const SHARED: u64 = 1000;

fn hash(key: u64) -> u64 {
    key & !1
}

/// A map of numbers.
struct Bed {
    map: RawMap<u64, Counted>,
    ledger: Ledger,
}

impl Bed {
    fn find(&self, key: u64, guard: &Guard) -> Option<u64> {
        let entry = self
            .map
            .find(hash(key), |other| *other == key, |entry| entry, guard)?;
        assert_eq!(entry.key, key);
        Some(entry.value.read())
    }

    /// What was there before.
    fn insert(&self, key: u64, number: u64, replace: bool, guard: &Guard) -> Option<u64> {
        let value = self.ledger.value(number);
        match self
            .map
            .insert(hash(key), u64::eq, guard, key, value, replace)
        {
            Inserted::New(new) => {
                new.value.read();
                None
            }
            Inserted::Replaced { old, .. } => Some(old.value.read()),
            Inserted::Exists { current, .. } => Some(current.value.read()),
        }
    }

    /// Changes a number as `change` says; what was there before.
    fn compute(
        &self,
        key: u64,
        guard: &Guard,
        change: impl Fn(Option<u64>) -> Option<u64>,
    ) -> Option<u64> {
        let is_ours = |_: Option<&u64>, other: &u64| *other == key;
        let computed = self
            .map
            .compute(hash(key), &mut Some(key), is_ours, guard, |found, _| {
                let before = found.map(|entry| entry.value.read());
                match (before, change(before)) {
                    (_, Some(number)) => Action::Put(self.ledger.value(number)),
                    (Some(_), None) => Action::Remove,
                    (None, None) => Action::Abort(()),
                }
            });
        match computed {
            Computed::Updated { old, .. } | Computed::Removed(old) => Some(old.value.read()),
            Computed::Inserted(_) | Computed::Aborted(()) => None,
        }
    }

    fn all(&self, guard: &Guard) -> Vec<(u64, u64)> {
        let entries = self.map.iter(guard);
        entries.map(|e| (e.key, e.value.read())).collect()
    }

    /// Does something to a key that only the caller writes to, and to what the caller
    /// knows to be there; both must agree.
    fn one_step(&self, own: &mut BTreeMap<u64, u64>, key: u64, guard: &Guard) {
        let number = below(100);
        match below(9) {
            0..3 => assert_eq!(
                self.insert(key, number, true, guard),
                own.insert(key, number)
            ),
            3 => {
                let before = self.insert(key, number, false, guard);
                assert_eq!(before, own.get(&key).copied());
                own.entry(key).or_insert(number);
            }
            4 => assert_eq!(self.compute(key, guard, |_| None), own.remove(&key)),
            5 => {
                let before = self.compute(key, guard, |n| n.map(|n| n + number));
                assert_eq!(before, own.get(&key).copied());
                own.entry(key).and_modify(|n| *n += number);
            }
            6 => {
                let first = key - key % KEYS;
                let is_ours = |(key, _): &(u64, u64)| (first..first + KEYS).contains(key);
                let mut seen: Vec<_> = self.all(guard).into_iter().filter(is_ours).collect();
                seen.sort_unstable();
                assert!(
                    seen.into_iter().eq(own.iter().map(|(k, n)| (*k, *n))),
                    "each that is there, once"
                );
            }
            7 => {
                self.map.shrink_to(0, guard);
            }
            _ => assert_eq!(self.find(key, guard), own.get(&key).copied()),
        }
    }
}

/// Threads write to keys of their own, and know what they must find; they read those of
/// others, and count one up together. The table grows and shrinks meanwhile.
#[test]
fn each_thread_finds_what_it_wrote() {
    shuffle(|| {
        let domain = Domain::new();
        let ledger = Ledger::default();
        let bed = Arc::new(Bed {
            map: RawMap::new(Pool::scoped_in(&domain)),
            ledger: ledger.clone(),
        });
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                let (bed, domain) = (Arc::clone(&bed), domain.clone());
                thread::spawn(move || {
                    let handle = domain.register();
                    let (mut own, mut counted, mut last) = (BTreeMap::new(), 0, 0);
                    for _ in 0..below(24) {
                        let guard = handle.pin();
                        bed.one_step(&mut own, number * KEYS + below(KEYS), &guard);
                        bed.find(below(THREADS * KEYS), &guard);
                        if below(2) == 0 {
                            counted += 1;
                            let before = bed.compute(SHARED, &guard, |n| Some(n.unwrap_or(0) + 1));
                            last = before.unwrap_or(0) + 1;
                        }
                        let now = bed.find(SHARED, &guard).unwrap_or(0);
                        assert!(now >= last, "the count has gone back");
                        last = now;
                    }
                    (own, counted)
                })
            })
            .collect();
        let (mut expected, mut total) = (BTreeMap::new(), 0);
        for thread in threads {
            let (own, counted) = thread.join().expect("it fails the case");
            expected.extend(own);
            total += counted;
        }
        if total > 0 {
            expected.insert(SHARED, total);
        }
        let handle = domain.register();
        let guard = handle.pin();
        let mut all = bed.all(&guard);
        all.sort_unstable();
        assert_eq!(all.len(), bed.map.len(), "the length is that of all");
        assert!(all.into_iter().eq(expected), "all that was written");
        drop(guard);
        drop((handle, bed));
        ledger.check();
    });
}
