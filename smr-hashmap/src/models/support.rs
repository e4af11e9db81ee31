//! What the models share.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use loom::thread;
use smr_core::sync::UnsafeCell;
pub(super) use smr_core::sync::model::{Reached, explore};
use smr_core::{Domain, Guard, LocalHandle, Pool};

use crate::raw::{Action, Computed, Hash, Inserted, RawMap};

const DEAD: u64 = u64::MAX;

/// A number in a cell that loom watches. Its memory stays until the end of the
/// execution.
struct Thing(UnsafeCell<u64>);

// SAFETY: loom fails the model when two threads are in the cell at once.
unsafe impl Sync for Thing {}
// SAFETY: as above.
unsafe impl Send for Thing {}

impl Thing {
    #[track_caller]
    fn read(&self) -> u64 {
        self.0.with(|value| {
            // SAFETY: loom fails the model if a write is not ordered with it.
            unsafe { *value }
        })
    }

    #[track_caller]
    fn destroy(&self) {
        let seen = self.0.with_mut(|value| {
            // SAFETY: loom fails the model if any access is not ordered with it.
            unsafe { value.replace(DEAD) }
        });
        assert_ne!(seen, DEAD, "destroyed twice");
    }
}

/// What one thread writes, and another reads when it may know that.
#[derive(Default)]
pub(super) struct Note(UnsafeCell<()>);

// SAFETY: there is nothing in it; loom fails the model when accesses meet.
unsafe impl Sync for Note {}
// SAFETY: as above.
unsafe impl Send for Note {}

impl Note {
    #[track_caller]
    pub(super) fn write(&self) {
        self.0.with_mut(|_| ());
    }

    #[track_caller]
    pub(super) fn read(&self) {
        self.0.with(|_| ());
    }
}

/// A value of a model's map: dropping it poisons it.
pub(super) struct Value(Arc<Thing>);

impl Value {
    #[track_caller]
    pub(super) fn number(&self) -> u64 {
        let number = self.0.read();
        assert_ne!(number, DEAD, "a reader holds what was destroyed");
        number
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.0.destroy();
    }
}

/// The `n`-th key in a bucket of a table of 2^`bits` buckets. Keys are their own
/// hashes.
pub(super) fn key(bits: u32, bucket: usize, n: usize) -> u64 {
    let in_bucket = |key: &u64| Hash::new(*key).bucket(bits) == bucket;
    (1..).filter(in_bucket).nth(n).expect("hashes are spread")
}

/// A map of numbers, in a domain of its own.
pub(super) struct Bed {
    pub(super) map: RawMap<u64, Value>,
    domain: Domain,
    things: Mutex<Vec<Arc<Thing>>>,
}

impl Bed {
    pub(super) fn new() -> loom::sync::Arc<Self> {
        let domain = Domain::new();
        loom::sync::Arc::new(Self {
            map: RawMap::new(Pool::scoped_in(&domain)),
            domain,
            things: Mutex::default(),
        })
    }

    pub(super) fn register(&self) -> Sendable<LocalHandle> {
        Sendable(self.domain.register())
    }

    fn value(&self, number: u64) -> Value {
        let thing = Arc::new(Thing(UnsafeCell::new(number)));
        let mut things = self.things.lock().expect("no thread panics here");
        things.push(Arc::clone(&thing));
        Value(thing)
    }

    #[track_caller]
    pub(super) fn find(&self, key: u64, guard: &Guard) -> Option<u64> {
        let entry = self
            .map
            .find(key, |other| *other == key, |entry| entry, guard)?;
        assert_eq!(entry.key, key);
        Some(entry.value.number())
    }

    /// Tells whether the key was not there before.
    #[track_caller]
    pub(super) fn insert(&self, key: u64, number: u64, guard: &Guard) -> bool {
        let value = self.value(number);
        match self.map.insert(key, u64::eq, guard, key, value, true) {
            Inserted::New(new) => {
                assert_eq!(new.value.number(), number);
                true
            }
            Inserted::Replaced { old, new } => {
                assert_eq!((old.key, new.value.number()), (key, number));
                old.value.number();
                false
            }
            Inserted::Exists { .. } => unreachable!("it is replaced"),
        }
    }

    /// As `insert`, where nothing is replaced.
    #[track_caller]
    pub(super) fn try_insert(&self, key: u64, number: u64, guard: &Guard) -> bool {
        let value = self.value(number);
        match self.map.insert(key, u64::eq, guard, key, value, false) {
            Inserted::New(_) => true,
            Inserted::Replaced { .. } => unreachable!("nothing is replaced"),
            Inserted::Exists { current, .. } => {
                current.value.number();
                false
            }
        }
    }

    /// What was removed.
    #[track_caller]
    pub(super) fn remove(&self, key: u64, guard: &Guard) -> Option<u64> {
        let is_ours = |_: Option<&u64>, other: &u64| *other == key;
        let computed = self
            .map
            .compute(key, &mut None, is_ours, guard, |found, _| match found {
                Some(_) => Action::Remove,
                None => Action::Abort(()),
            });
        match computed {
            Computed::Removed(old) => Some(old.value.number()),
            _ => None,
        }
    }

    /// Adds to a number that is there; what it was before.
    #[track_caller]
    pub(super) fn add(&self, key: u64, by: u64, guard: &Guard) -> Option<u64> {
        let is_ours = |_: Option<&u64>, other: &u64| *other == key;
        let computed = self
            .map
            .compute(key, &mut Some(key), is_ours, guard, |found, spare| {
                drop(spare);
                match found {
                    Some(entry) => Action::Put(self.value(entry.value.number() + by)),
                    None => Action::Abort(()),
                }
            });
        match computed {
            Computed::Updated { old, new } => {
                assert_eq!(new.value.number(), old.value.number() + by);
                Some(old.value.number())
            }
            _ => None,
        }
    }

    /// Keys and numbers, in the order of the keys.
    #[track_caller]
    pub(super) fn all(&self, guard: &Guard) -> Vec<(u64, u64)> {
        self.all_of(0..usize::MAX, guard)
    }

    /// The same, of some buckets of the current table.
    #[track_caller]
    pub(super) fn all_of(&self, buckets: Range<usize>, guard: &Guard) -> Vec<(u64, u64)> {
        let entries = self.map.iter_of(buckets, guard);
        let mut all: Vec<_> = entries.map(|e| (e.key, e.value.number())).collect();
        all.sort_unstable();
        all
    }

    /// Gives the bucket of these keys two slots, which are free.
    pub(super) fn widen(&self, keys: [u64; 2], guard: &Guard) {
        for key in keys {
            assert!(self.insert(key, 0, guard));
        }
        for key in keys {
            assert!(self.remove(key, guard).is_some());
        }
    }

    /// Puts two keys, and gives the table a successor.
    pub(super) fn begin_with(&self, keys: [u64; 2], bits: u32, guard: &Guard) {
        for (key, number) in keys.into_iter().zip(1..) {
            assert!(self.insert(key, number, guard));
        }
        self.begin(bits);
    }

    /// Gives the table a successor, of which nobody has moved anything yet.
    pub(super) fn begin(&self, bits: u32) {
        self.map.give_next(bits);
    }

    /// Splits the first bucket of a table of two; in the section that this returns.
    pub(super) fn split(&self, own: &LocalHandle) -> Guard {
        self.begin(2);
        let guard = own.pin();
        self.map.move_one(0, &guard);
        guard
    }
}

/// A handle or a guard for the thread that plays its owner.
pub(super) struct Sendable<T>(pub(super) T);

// SAFETY: it is used by one thread at a time, and loom orders them.
unsafe impl<T> Send for Sendable<T> {}

/// Plays two threads on a map, which `first` fills before; then looks whether exactly
/// these keys are there, and drops all of it. `end` says what is expected.
#[track_caller]
pub(super) fn play<A: Send + 'static, B>(
    first: impl FnOnce(&Bed, &Guard),
    one: impl FnOnce(&Bed, &LocalHandle) -> A + Send + 'static,
    two: impl FnOnce(&Bed, &LocalHandle) -> B,
    end: impl FnOnce(&[(u64, u64)], A, B),
) {
    let bed = Bed::new();
    let (Sendable(ours), theirs) = (bed.register(), bed.register());
    first(&bed, &ours.pin());
    let thread = {
        let bed = loom::sync::Arc::clone(&bed);
        thread::spawn(move || {
            let theirs = theirs;
            let result = one(&bed, &theirs.0);
            (result, theirs)
        })
    };
    let two = two(&bed, &ours);
    let (one, theirs) = thread.join().expect("it fails the model");
    let guard = ours.pin();
    let all = bed.all(&guard);
    assert_eq!(all.len(), bed.map.len(), "the length is that of all");
    for (key, number) in &all {
        assert_eq!(bed.find(*key, &guard), Some(*number));
    }
    end(&all, one, two);
    drop(guard);
    drop((ours, theirs));
    let bed = loom::sync::Arc::try_unwrap(bed);
    let bed = bed.unwrap_or_else(|_| unreachable!("the other thread has ended"));
    let Bed {
        map,
        domain,
        things,
    } = bed;
    drop(map);
    for thing in things.into_inner().expect("no thread panics here") {
        assert_eq!(thing.read(), DEAD, "a value was never dropped");
    }
    drop(domain);
}
