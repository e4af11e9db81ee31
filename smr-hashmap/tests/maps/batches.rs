//! Look-ups and insertions of many keys.

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::support::Constant;
use smr_hashmap::HashMap;

/// Of a map with room for so many what a batch will look at is fetched.
const LARGE: usize = 100_000;
/// Keys that are taken ahead at the most, as is documented.
const AHEAD: usize = 32;

#[test]
fn batches_find_what_single_look_ups_find() {
    for capacity in [0, LARGE] {
        let map: HashMap<u32, u32> = HashMap::with_capacity(capacity);
        let map = map.pin();
        assert_eq!(map.insert_many((0..1000).map(|n| (n * 2, n))), 1000);
        for count in [0, 1, 15, 16, 17, 31, 32, 33, 100] {
            let keys: Vec<u32> = (0..count).map(|n| n * 37 % 2001).collect();
            let single: Vec<_> = keys.iter().map(|key| map.get(key)).collect();
            // Some one by one, and the others in a fold.
            for first in 0..=keys.len() {
                let mut many = map.get_many(&keys);
                let mut found = Vec::new();
                for left in (keys.len() - first..keys.len()).rev() {
                    found.push(many.next().expect("there are more"));
                    assert_eq!(many.len(), left);
                }
                many.for_each(|value| found.push(value));
                assert_eq!(found, single);
            }
        }
    }
    let map: HashMap<u32, u32> = (0..1000).map(|n| (n * 2, n)).collect();
    assert_eq!(map.pin().insert_many((0..10).map(|n| (n, n))), 5);
}

#[test]
fn a_batch_in_a_map_that_never_held_anything_finds_nothing() {
    let map = HashMap::<u32, u32>::new();
    let map = map.pin();
    let mut many = map.get_many(&[1, 2]);
    assert_eq!(many.next(), Some(None));
    // By now it holds much.
    map.reserve(LARGE);
    map.insert(2, 3);
    assert_eq!(many.next(), Some(Some(&3)));
    assert_eq!(many.next(), None);
}

#[test]
fn a_batch_finds_keys_whose_hashes_are_the_same() {
    let map = HashMap::with_capacity_and_hasher(LARGE, Constant);
    let map = map.pin();
    for count in [1, 2, 6, 7, 30] {
        for n in 0..count {
            map.insert(n, n);
        }
        let keys: Vec<u32> = (0..count + 5).rev().collect();
        let there = |key: &u32| (*key < count).then_some(*key);
        assert!(
            map.get_many(&keys)
                .map(Option::<&u32>::copied)
                .eq(keys.iter().map(there))
        );
        map.remove(&0);
        assert_eq!(
            map.get_many(&[0, 1]).flatten().count(),
            usize::from(count > 1)
        );
    }
}

#[test]
fn a_batch_finds_what_is_there_wherever_a_large_table_has_moved_it() {
    let whole = HashMap::new();
    let map = whole.pin();
    let mut capacities = 0;
    for n in 0..120_000_u32 {
        let before = whole.capacity();
        map.insert(2 * n, n);
        capacities += usize::from(whole.capacity() != before);
        if n % 500 == 0 {
            let keys: Vec<u32> = (0..300).map(|key| key * 7919 % (2 * n + 2)).collect();
            let there = |key: &u32| key.is_multiple_of(2).then_some(key / 2);
            assert!(
                map.get_many(&keys)
                    .map(Option::<&u32>::copied)
                    .eq(keys.iter().map(there))
            );
        }
    }
    assert!(capacities > 3, "the table has grown");
}

#[test]
fn a_batch_whose_caller_writes_finds_what_was_so_after_its_key_was_taken() {
    let map: HashMap<usize, usize> = HashMap::with_capacity(LARGE);
    let map = map.pin();
    let keys: Vec<usize> = (0..400).collect();
    // What each key was mapped to, and from which step on.
    let mut history: Vec<_> = keys.iter().map(|_| vec![(0, None)]).collect();
    let mut at = 0;
    map.get_many(&keys).for_each(|found| {
        let past = &history[at];
        let ends = past[1..].iter().map(|(end, _)| *end).chain([at]);
        let mut recent = past.iter().zip(ends).filter(|(_, end)| end + AHEAD >= at);
        assert!(
            recent.any(|((_, value), _)| *value == found.copied()),
            "{at}: {found:?} of {past:?}"
        );
        for ahead in [1, 8, 15, 16, 17, 31, 32, 33] {
            let Some(past) = history.get_mut(at + ahead) else {
                continue;
            };
            let value = ((at + ahead / 8) % 2 == 0).then_some(at);
            match value {
                Some(value) => _ = map.insert(at + ahead, value),
                None => _ = map.remove(&(at + ahead)),
            }
            past.push((at, value));
        }
        at += 1;
    });
    assert_eq!(at, keys.len());
}

#[test]
fn keys_are_taken_no_further_ahead_than_is_said() {
    let keys: Vec<u32> = (0..1000).collect();
    for capacity in [0, LARGE] {
        let map: HashMap<u32, u32> = HashMap::with_capacity(capacity);
        map.pin().insert(7, 7);
        let map = map.pin();
        let taken = Cell::new(0);
        let counted = || keys.iter().inspect(|_| taken.set(taken.get() + 1));
        let is_near = |given| taken.get() <= given + AHEAD;
        let mut many = map.get_many(counted());
        assert!(
            (1..)
                .map_while(|given| many.next().map(|_| given))
                .all(is_near)
        );
        assert_eq!(taken.take(), keys.len());
        let mut given = 0;
        map.get_many(counted()).for_each(|_| {
            given += 1;
            assert!(is_near(given));
        });
        assert_eq!(taken.get(), keys.len());
        // Dropped early, it has taken so many, and no more.
        taken.set(0);
        map.get_many(counted()).next();
        assert!((1..=AHEAD).contains(&taken.get()));
    }
}

#[test]
fn a_batch_that_has_ended_asks_for_no_more_keys() {
    for capacity in [0, LARGE] {
        let map: HashMap<u32, u32> = HashMap::with_capacity(capacity);
        map.pin().insert(7, 7);
        let map = map.pin();
        let asked = Cell::new(0);
        // It would go on after its end.
        let keys = std::iter::from_fn(|| {
            asked.set(asked.get() + 1);
            (asked.get() % 3 != 0).then_some(&7)
        });
        let mut many = map.get_many(keys);
        assert_eq!(many.by_ref().count(), 2);
        assert_eq!(many.next(), None);
        assert_eq!(many.size_hint(), (0, Some(0)));
        assert_eq!(asked.get(), 3);
    }
}

/// A key whose hash, or comparison, fails.
struct Fails<'a> {
    number: u32,
    hashes: &'a Cell<bool>,
    compares: &'a Cell<bool>,
}

impl Hash for Fails<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        assert!(self.number != 5 || !self.hashes.get(), "no hash");
        self.number.hash(state);
    }
}

impl PartialEq for Fails<'_> {
    fn eq(&self, other: &Self) -> bool {
        assert!(self.number != 5 || !self.compares.get(), "no comparison");
        self.number == other.number
    }
}

impl Eq for Fails<'_> {}

#[test]
fn a_batch_goes_on_after_a_panic_without_the_key_that_caused_it() {
    let (hashes, compares) = (Cell::new(false), Cell::new(false));
    let key = |number| Fails {
        number,
        hashes: &hashes,
        compares: &compares,
    };
    for capacity in [0, LARGE] {
        for flag in [&hashes, &compares] {
            let map = HashMap::with_capacity(capacity);
            let map = map.pin();
            for number in 0..40 {
                map.insert(key(number), number);
            }
            let keys: Vec<_> = (0..40).map(key).collect();
            let mut many = map.get_many(&keys);
            let mut found = Vec::new();
            let mut panics = 0;
            flag.set(true);
            loop {
                match catch_unwind(AssertUnwindSafe(|| many.next())) {
                    Ok(Some(value)) => found.push(*value.expect("it is there")),
                    Ok(None) => break,
                    Err(_) => panics += 1,
                }
            }
            flag.set(false);
            assert_eq!(panics, 1);
            assert!(found.into_iter().eq((0..40).filter(|number| *number != 5)));
        }
    }
}
