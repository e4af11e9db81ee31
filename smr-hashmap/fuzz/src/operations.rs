//! Sequences of operations against the map of `std`.
//!
//! Each step is three bytes: what to do, a key, a value. Keys hash to what their low
//! bits say, so that they meet in buckets and chains; with the first byte of the
//! input the hash can be told to use few bits, or none. Tunables are shrunk
//! (`smr_tiny`), so that tables grow and shrink all the time.
//!
//! ```text
//! mkdir -p corpus
//! cargo +nightly run --release -- corpus seeds -max_total_time=60
//! ```
//!
//! `make-seeds` makes what is in `seeds`.

#![no_main]

use std::cell::Cell;
use std::collections::HashMap as Std;
use std::hash::{BuildHasher, Hasher};
use std::rc::Rc;

use libfuzzer_sys::fuzz_target;
use smr_core::Domain;
use smr_hashmap::{Compute, Entry, HashMap, HashMapRef, LocalGuard, Operation};

/// A hash with so many of its bits from the key, at the top.
#[derive(Clone, Copy)]
struct Bits(u32, u64);

impl BuildHasher for Bits {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        *self
    }
}

impl Hasher for Bits {
    fn finish(&self) -> u64 {
        let whole = self.1.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        whole & !u64::MAX.checked_shr(self.0).unwrap_or(0)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.1 = self.1 << 8 | u64::from(*byte);
        }
    }
}

/// A value that is counted while it lives.
struct Value(u8, Rc<Cell<i64>>);

impl Value {
    fn new(value: u8, live: &Rc<Cell<i64>>) -> Self {
        live.set(live.get() + 1);
        Self(value, Rc::clone(live))
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.1.set(self.1.get() - 1);
    }
}

type Map = HashMap<u8, Value, Bits>;
type Pinned<'m> = HashMapRef<'m, u8, Value, Bits, LocalGuard<'m>>;
type Model = Std<u8, u8>;

fn step(map: &Pinned<'_>, model: &mut Model, live: &Rc<Cell<i64>>, [what, key, new]: [u8; 3]) {
    let value = || Value::new(new, live);
    let number = |value: &Value| value.0;
    match what % 14 {
        0..3 => assert_eq!(map.insert(key, value()).map(number), model.insert(key, new)),
        3..5 => assert_eq!(map.remove(&key).map(number), model.remove(&key)),
        5 => {
            let added = map.try_insert(key, value()).is_ok();
            assert_eq!(added, !model.contains_key(&key));
            model.entry(key).or_insert(new);
        }
        6 => {
            let ours = map.get_or_insert_with(key, value).0;
            assert_eq!(ours, *model.entry(key).or_insert(new));
        }
        7 => {
            let add = |old: u8| old.wrapping_add(new);
            let ours = map.update(key, |old| Value::new(add(old.0), live));
            let theirs = model.get_mut(&key).map(|old| {
                *old = add(*old);
                *old
            });
            assert_eq!(ours.map(number), theirs);
        }
        8 => {
            let outcome = map.compute(key, |entry| match entry {
                None => Operation::Insert(value()),
                Some((_, old)) if old.0 % 2 == 0 => Operation::Remove,
                Some((_, old)) => Operation::Abort(old.0),
            });
            match (outcome, model.get(&key).copied()) {
                (Compute::Inserted(..), None) => drop(model.insert(key, new)),
                (Compute::Removed(_, old), Some(known)) => {
                    assert!(known % 2 == 0 && old.0 == known);
                    model.remove(&key);
                }
                (Compute::Aborted(old), Some(known)) => assert_eq!(old, known),
                _ => panic!("it did what it was not told"),
            }
        }
        9 => {
            map.retain(|_, old| old.0 >= new);
            model.retain(|_, old| *old >= new);
        }
        10 => match map.entry(key) {
            Entry::Occupied(entry) => {
                assert!(entry.try_remove().is_ok());
                assert!(model.remove(&key).is_some());
            }
            Entry::Vacant(_) => assert!(!model.contains_key(&key)),
        },
        11 => match new % 4 {
            0 => map.shrink_to_fit(),
            1 => map.reserve(usize::from(key)),
            2 => map.map().flush(),
            _ => {
                map.clear();
                model.clear();
            }
        },
        12 => {
            let keys: Vec<u8> = (0..new % 40).map(|n| n.wrapping_mul(key)).collect();
            let many = map.get_many(&keys).map(|found| found.map(number));
            assert!(many.eq(keys.iter().map(|key| model.get(key).copied())));
        }
        _ => {
            let found: Model = map.iter().map(|(key, value)| (*key, value.0)).collect();
            assert_eq!(map.iter().count(), found.len());
            assert_eq!((&found, map.len()), (&*model, model.len()));
        }
    }
    assert_eq!(map.get(&key).map(number), model.get(&key).copied());
    assert_eq!(map.is_empty(), model.is_empty());
}

fuzz_target!(|bytes: &[u8]| {
    let [first, steps @ ..] = bytes else { return };
    let live = Rc::new(Cell::new(0));
    let bits = u32::from(first % 5) * 16;
    let map: Map = HashMap::builder()
        .hasher(Bits(bits, 0))
        .domain(Domain::new())
        .build();
    let mut model = Model::new();
    // Sections end now and then.
    for section in steps.chunks(3 * 32) {
        let map = map.pin();
        for one in section.chunks_exact(3) {
            step(&map, &mut model, &live, [one[0], one[1], one[2]]);
        }
    }
    map.barrier();
    assert_eq!(
        live.get(),
        model.len() as i64,
        "dropped too late, or too early"
    );
    let left: Model = map.into_iter().map(|(key, value)| (key, value.0)).collect();
    assert_eq!(left, model);
    assert_eq!(live.get(), 0, "something was not dropped once");
});
