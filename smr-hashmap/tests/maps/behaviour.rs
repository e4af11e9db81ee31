//! Corners: constant hashes, re-entry, references held while writing, bad input,
//! sizes of keys and values.

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::support::{Constant, ends, panic_of};
use smr_core::Domain;
use smr_hashmap::{Compute, Entry, HashMap, HashSet, Operation};

// -- constant hash ------------------------------------------------------------

#[test]
fn a_constant_hash_works() {
    let map = HashMap::with_hasher(Constant);
    let guard = map.guard();
    for n in 0..300 {
        assert_eq!(map.insert(n, n, &guard), None);
    }
    for n in (0..300).step_by(2) {
        assert_eq!(map.remove(&n, &guard), Some(&n));
    }
    for n in 0..300 {
        assert_eq!(map.get(&n, &guard).is_some(), n % 2 == 1, "{n}");
    }
    assert_eq!(map.len(), 150);
    assert_eq!(map.iter(&guard).count(), 150);
    for n in 0..300 {
        map.update_or_insert(n, |old| old + 1, 0, &guard);
    }
    assert_eq!(map.len(), 300);
    map.clear(&guard);
    assert_eq!(map.iter(&guard).count(), 0);
}

#[test]
fn a_constant_hash_works_with_threads() {
    let map = HashMap::with_hasher(Constant);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let map = &map;
            scope.spawn(move || {
                for n in 0..60 {
                    assert!(map.pin().insert(thread * 60 + n, n).is_none());
                    map.pin().update_or_insert(1000, |count| count + 1, 1);
                    if n % 2 == 0 {
                        assert_eq!(map.pin().remove(&(thread * 60 + n)), Some(&n));
                    }
                }
            });
        }
    });
    assert_eq!(map.pin().get(&1000), Some(&240));
    assert_eq!(map.len(), 121);
}

/// Hashes that differ in one end of the word alone.
#[test]
fn hashes_that_use_few_bits_work() {
    #[derive(Clone, Copy)]
    struct Shifted(u32, u64);
    impl BuildHasher for Shifted {
        type Hasher = Self;
        fn build_hasher(&self) -> Self {
            *self
        }
    }
    impl Hasher for Shifted {
        fn finish(&self) -> u64 {
            self.1 << self.0
        }
        fn write(&mut self, bytes: &[u8]) {
            for byte in bytes.iter().rev() {
                self.1 = self.1 << 8 | u64::from(*byte);
            }
        }
    }
    for shift in [0, 16, 40, 54] {
        let map = HashMap::with_hasher(Shifted(shift, 0));
        let map = map.pin();
        for n in 0..600_u64 {
            map.insert(n, n);
        }
        assert!((0..600).all(|n| map.get(&n) == Some(&n)), "shift {shift}");
        assert_eq!(map.iter().count(), 600);
        assert!((0..600).all(|n| map.remove(&n) == Some(&n)));
    }
}

// -- re-entry -----------------------------------------------------------------

#[test]
fn closures_may_use_the_same_map() {
    ends("re-entry", || {
        let map = HashMap::new();
        let map = map.pin();
        map.insert(1, 10);
        map.insert(2, 20);
        let outcome: Compute<'_, _, _, ()> = map.compute(1, |entry| {
            let other = map.get(&2).copied().unwrap_or(0);
            map.insert(3, 30);
            map.remove(&4);
            Operation::Insert(entry.map_or(0, |(_, value)| *value) + other)
        });
        assert!(matches!(outcome, Compute::Updated { new: (1, 30), .. }));
        map.update(1, |value| map.iter().count() as i32 + value);
        assert_eq!(map.get(&1), Some(&33));
        map.get_or_insert_with(5, || {
            map.insert(6, 60);
            50
        });
        map.retain(|key, _| {
            map.insert(100 + key, 0);
            true
        });
        map.iter().for_each(|(key, _)| {
            map.remove(key);
        });
        assert_eq!(map.remove_if(&5, |_, _| map.contains_key(&6)), Ok(None));
    });
}

/// Whichever bucket they share.
#[test]
fn a_closure_may_write_to_every_other_key() {
    ends("writes to neighbours", || {
        let map = HashMap::new();
        let map = map.pin();
        for key in 0..32 {
            map.insert(key, 0);
        }
        for key in 0..32 {
            let calls = Cell::new(0);
            map.update(key, |value| {
                calls.set(calls.get() + 1);
                for other in (0..64).filter(|other| *other != key) {
                    map.insert(other, *value);
                }
                value + 1
            });
            assert_eq!(calls.get(), 1, "the key itself was left alone");
            let outcome: Compute<'_, _, _, ()> = map.compute(key, |_| {
                map.insert(key + 1000, 0);
                Operation::Remove
            });
            assert!(matches!(outcome, Compute::Removed(..)));
        }
    });
}

#[test]
fn a_closure_may_change_the_very_key() {
    ends("re-entry", || {
        let map = HashMap::new();
        let map = map.pin();
        map.insert(1, 1);
        let calls = Cell::new(0);
        // The first answer is out of date, so it is asked again.
        map.update(1, |value| {
            if calls.replace(calls.get() + 1) == 0 {
                map.insert(1, 100);
            }
            value + 1
        });
        assert_eq!((map.get(&1), calls.get()), (Some(&101), 2));
        // Found first by the closure itself.
        assert_eq!(
            map.get_or_insert_with(2, || {
                map.insert(2, 7);
                8
            }),
            &7
        );
        calls.set(0);
        let outcome = map.remove_if(&2, |_, value| {
            if calls.replace(calls.get() + 1) == 0 {
                map.insert(2, 9);
            }
            *value >= 7
        });
        assert_eq!((outcome, calls.get()), (Ok(Some((&2, &9))), 2));
    });
}

#[test]
fn closures_may_use_another_map_of_the_domain_and_of_another() {
    ends("two maps", || {
        let first = HashMap::new();
        let second = HashMap::builder().domain(Domain::new()).build();
        second.pin().insert(1, 5);
        let first = first.pin();
        let sum = first.get_or_insert_with(1, || {
            second.pin().update_or_insert(1, |n| n + first.len(), 0);
            second.pin().get(&1).copied().unwrap()
        });
        assert_eq!(*sum, 5);
        // As a look-up does, a decision may ask the other map, and each may ask back.
        let outcome = first.compute(1, |entry| {
            let second = second.pin();
            let known = second.get(&1).copied();
            let answer = second.compute(2, |_| match first.get(&1) {
                Some(five) => Operation::Insert(five + 2),
                None => Operation::Abort(0),
            });
            assert!(!matches!(answer, Compute::Aborted(_)), "it was there");
            match (entry, known) {
                (Some((_, five)), Some(known)) if *five == known => Operation::Insert(known + 1),
                _ => Operation::Abort(known),
            }
        });
        assert!(matches!(
            outcome,
            Compute::Updated {
                old: (1, 5),
                new: (1, 6)
            }
        ));
        assert_eq!((second.pin().get(&2), first.get(&1)), (Some(&7), Some(&6)));
    });
}

// -- references held while writing ----------------------------------------------

#[test]
fn references_are_held_while_the_same_thread_writes() {
    ends("writing beside a reference", || {
        let map = HashMap::new();
        let map = map.pin();
        map.insert(0, "first".to_owned());
        let first = map.get(&0).unwrap();
        // Over several growths.
        for n in 1..5000 {
            map.insert(n, n.to_string());
        }
        let replaced = map.insert(0, "second".to_owned()).unwrap();
        assert!(std::ptr::eq(first, replaced), "entries do not move");
        map.remove(&0);
        map.clear();
        map.shrink_to_fit();
        assert_eq!(first, "first");
    });
}

#[test]
fn references_stay_while_other_threads_write() {
    let map = HashMap::new();
    map.pin().insert(0, String::from("first"));
    let guard = map.guard();
    let first = map.get(&0, &guard).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..5000 {
                map.pin().insert(n, n.to_string());
            }
            for n in 0..5000 {
                map.pin().remove(&n);
            }
        });
    });
    assert_eq!(first, "first");
}

#[test]
fn values_may_hold_atomics_that_survive_growth() {
    let map = HashMap::new();
    let map = map.pin();
    map.insert(0, AtomicU64::new(0));
    let counter = map.get(&0).unwrap();
    for n in 1..3000 {
        map.insert(n, AtomicU64::new(0));
        map.get(&0).unwrap().fetch_add(1, Ordering::Relaxed);
    }
    assert_eq!(counter.load(Ordering::Relaxed), 2999);
}

// -- bad input ------------------------------------------------------------------

#[test]
fn too_much_capacity_is_refused() {
    let said = panic_of(|| HashMap::<u64, u64>::with_capacity(usize::MAX));
    assert!(said.contains("capacity overflow"), "{said}");
    let said = panic_of(|| {
        HashMap::<u64, u64>::builder()
            .capacity(usize::MAX / 2)
            .build()
    });
    assert!(said.contains("capacity overflow"), "{said}");
    let map = HashMap::<u64, u64>::new();
    let said = panic_of(|| map.pin().reserve(usize::MAX));
    assert!(said.contains("capacity overflow"), "{said}");
    for additional in [usize::MAX, usize::MAX / 8, 1 << 60] {
        let error = map.pin().try_reserve(additional).unwrap_err();
        assert_eq!(error.additional(), additional);
        assert!(error.to_string().contains("capacity overflow"));
    }
    map.pin().insert(1, 2);
    assert!(map.pin().try_reserve(usize::MAX).is_err());
    assert_eq!(map.pin().get(&1), Some(&2));
}

#[test]
fn a_wrong_size_hint_is_no_reason_to_fail() {
    struct Liar(u32);
    impl Iterator for Liar {
        type Item = (u32, u32);
        fn next(&mut self) -> Option<(u32, u32)> {
            self.0 = self.0.checked_sub(1)?;
            Some((self.0, 0))
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            (usize::MAX, None)
        }
    }
    let map: HashMap<u32, u32> = Liar(10).collect();
    assert_eq!(map.len(), 10);
}

#[test]
fn a_guard_of_another_domain_is_refused() {
    let map = HashMap::from([(1, 2)]);
    let other = Domain::new();
    let foreign = HashMap::<i32, i32>::builder().domain(other.clone()).build();
    let refused = |said: String| assert!(said.contains("does not protect this map"), "{said}");
    refused(panic_of(|| map.get(&1, &other.pin()).is_some()));
    refused(panic_of(|| map.get(&1, &other.owned_guard()).is_some()));
    refused(panic_of(|| map.contains_key(&1, &foreign.guard())));
    refused(panic_of(|| {
        map.insert(1, 3, &foreign.owned_guard()).is_some()
    }));
    refused(panic_of(|| map.remove(&1, &other.pin()).is_some()));
    refused(panic_of(|| map.iter(&other.pin()).count()));
    refused(panic_of(|| map.clear(&other.pin())));
    refused(panic_of(|| map.retain(|_, _| false, &other.pin())));
    refused(panic_of(|| map.reserve(1, &other.pin())));
    refused(panic_of(|| map.shrink_to_fit(&other.pin())));
    refused(panic_of(|| map.get_many(&[1], &other.pin()).count()));
    refused(panic_of(|| map.insert_many([(1, 1)], &other.pin())));
    refused(panic_of(|| {
        map.update(1, |n| n + 1, &other.pin()).is_some()
    }));
    refused(panic_of(|| _ = map.entry(1, &other.pin())));
    // SAFETY: it is refused.
    let nobody = unsafe { smr_core::unprotected() };
    refused(panic_of(|| map.get(&1, nobody).is_some()));
    // Those of the domain are welcome, whoever made them.
    let neighbour = HashMap::<u8, u8>::new();
    assert_eq!(map.get(&1, &neighbour.guard()), Some(&2));
    assert_eq!(map.get(&1, &smr_core::pin()), Some(&2));
    assert_eq!(map.get(&1, &Domain::global().owned_guard()), Some(&2));
}

#[test]
fn a_barrier_under_the_own_guard_is_refused() {
    let map = HashMap::builder().domain(Domain::new()).build();
    map.pin().insert(1, 2);
    let guard = map.guard();
    assert!(panic_of(|| map.barrier()).contains("section"));
    drop(guard);
    map.barrier();
}

// -- keys and values of all kinds -------------------------------------------------

#[test]
fn values_without_size_and_keys_without_size() {
    let map = HashMap::new();
    let map = map.pin();
    assert_eq!(map.insert((), ()), None);
    assert_eq!(map.insert((), ()), Some(&()));
    assert_eq!((map.len(), map.get(&())), (1, Some(&())));
    assert_eq!(map.remove(&()), Some(&()));
    assert!(map.is_empty());
    let map = HashMap::new();
    let map = map.pin();
    (0..1000).for_each(|n| assert!(map.insert(n, ()).is_none()));
    assert_eq!(map.keys().count(), 1000);
}

#[test]
fn large_and_aligned_values() {
    #[repr(align(256))]
    #[derive(Clone, Copy, PartialEq, Debug)]
    struct Wide([u64; 100]);
    let map = HashMap::new();
    let map = map.pin();
    for n in 0..200_u64 {
        map.insert(n, Wide([n; 100]));
    }
    for n in 0..200_u64 {
        let value = map.get(&n).unwrap();
        assert_eq!(std::ptr::from_ref(value).addr() % 256, 0);
        assert_eq!(*value, Wide([n; 100]));
    }
}

#[test]
fn unsized_look_ups() {
    let map = HashMap::from([("a".to_owned(), 1)]);
    assert_eq!(map.pin()["a"], 1);
    assert_eq!(panic_of(|| map.pin()["b"]), "no entry found for key");
    let paths = HashSet::from([Arc::<str>::from("x")]);
    assert!(paths.pin().contains("x"));
}

// -- entries and batches ----------------------------------------------------------

#[test]
fn an_entry_changes_only_what_it_saw() {
    let map = HashMap::from([("a", 1)]);
    let map = map.pin();
    let Entry::Occupied(seen) = map.entry("a") else {
        panic!("it is there");
    };
    map.insert("a", 2);
    assert_eq!(seen.get(), &1);
    assert_eq!(seen.try_replace(3), Err(3));
    let Entry::Occupied(seen) = map.entry("a") else {
        panic!("it is there");
    };
    assert_eq!(seen.try_replace(3), Ok(&3));
    let Entry::Occupied(seen) = map.entry("a") else {
        panic!("it is there");
    };
    map.remove("a");
    assert_eq!(seen.try_remove(), Err((&"a", &3)));
    let Entry::Vacant(absent) = map.entry("a") else {
        panic!("it is gone");
    };
    map.insert("a", 4);
    assert_eq!(absent.try_insert(5).unwrap_err().current, &4);
    let Entry::Occupied(seen) = map.entry("a") else {
        panic!("it is there");
    };
    assert_eq!(seen.try_remove(), Ok((&"a", &4)));
    assert_eq!(map.entry("b").and_modify(|n| n + 1).or_insert(1), &1);
    assert_eq!(map.entry("b").and_modify(|n| n + 1).or_insert(1), &2);
    assert_eq!(map.entry("c").or_default(), &0);
    assert_eq!(map.entry("d").key(), &"d");
}

#[test]
fn conveniences_show_no_guard() {
    let map = HashMap::new();
    assert_eq!(map.insert_cloned("a", 1), None);
    assert_eq!(map.insert_cloned("a", 2), Some(1));
    assert_eq!(map.get_cloned("a"), Some(2));
    assert_eq!(
        map.view("a", |key, value| (key.len(), *value)),
        Some((1, 2))
    );
    assert_eq!(map.get_or_insert_cloned("b", || 3), 3);
    let mut all = map.to_vec();
    all.sort_unstable();
    assert_eq!(all, [("a", 2), ("b", 3)]);
    assert_eq!(map.remove_cloned("a"), Some(2));
    assert_eq!(map.remove_cloned("a"), None);
}

#[test]
fn sets_do_as_maps_do() {
    let set = HashSet::new();
    let set = set.pin();
    assert_eq!(set.insert_many([1, 2, 2, 3]), 3);
    assert_eq!(set.take(&2), Some(&2));
    assert_eq!(set.get_or_insert(2), &2);
    assert!(set.try_reserve(usize::MAX).is_err());
    assert!(set.try_reserve(100).is_ok());
    set.shrink_to(50);
    assert!((50..100).contains(&set.set().capacity()));
    set.shrink_to_fit();
    assert!(set.set().capacity() < 50);
    let mut keys: Vec<_> = set.iter().copied().collect();
    keys.sort_unstable();
    assert_eq!(keys, [1, 2, 3]);
    let mut set = HashSet::from(["a", "b"]);
    assert_eq!(set.drain().count(), 2);
    assert!(set.is_empty());
    set.extend(["c"]);
    set.extend(&["c"]);
    assert_eq!(set.into_iter().collect::<Vec<_>>(), ["c"]);
}

#[test]
fn maps_of_std_come_and_go() {
    let there = std::collections::HashMap::from([(1, 'a'), (2, 'b')]);
    let mut map = HashMap::from([(3, 'c')]);
    map.extend(&there);
    assert_eq!(map.len(), 3);
    let back: std::collections::HashMap<_, _> = map.drain().collect();
    map.extend(there);
    map.insert_many([(3, 'c')], &map.guard());
    assert_eq!(back, map.into_iter().collect());
}

#[test]
fn what_is_taken_out_knows_how_much_is_left() {
    let mut map: HashMap<u32, u32> = (0..1000).map(|n| (n, n)).collect();
    map.pin().remove(&7);
    let mut drain = map.drain();
    assert_eq!(drain.len(), 999);
    drain.next();
    assert_eq!(drain.size_hint(), (998, Some(998)));
    assert_eq!(drain.count(), 998);
    assert_eq!(map.drain().len(), 0);
    let mut keys = HashSet::from([1, 2]).into_iter();
    assert_eq!(keys.len(), 2);
    keys.by_ref().for_each(drop);
    assert_eq!(keys.len(), 0);
}

#[test]
fn sizes() {
    let mut map: HashMap<u64, u64> = HashMap::new();
    assert_eq!((map.memory_usage(), map.capacity()), (0, 0));
    for n in 0..10_000 {
        map.pin().insert(n, n);
    }
    let full = map.memory_usage();
    assert!(full >= 10_000 * 16, "{full}");
    for n in 100..10_000 {
        map.pin().remove(&n);
    }
    map.pin().shrink_to_fit();
    map.barrier();
    map.pin().shrink_to_fit();
    assert!(map.capacity() < 5_000, "{}", map.capacity());
    assert_eq!(map.pin().iter().count(), 100);
    map.iter_mut().for_each(|(_, value)| *value += 1);
    assert!(map.pin().iter().all(|(key, value)| key + 1 == *value));
}

/// Without being asked: also what was removed in one long section, some writes later.
#[test]
fn memory_follows_the_entries() {
    for is_one_section in [false, true] {
        let map = HashMap::builder().domain(Domain::new()).build();
        for n in 0..40_000_u64 {
            map.pin().insert(n, n);
        }
        let full = map.memory_usage();
        let long = is_one_section.then(|| map.pin());
        for n in 1_000..40_000 {
            map.pin().remove(&n);
        }
        drop(long);
        for n in 1_000..3_000 {
            map.pin().insert(n, n);
            map.pin().remove(&n);
        }
        let left = map.memory_usage();
        assert!(left < full / 2, "{left} of {full} bytes");
        assert!(map.capacity() < 10_000, "{}", map.capacity());
        assert!((0..1_000).all(|n| map.pin().get(&n) == Some(&n)));
    }
}

#[test]
fn maps_may_be_left_by_panics_and_sent_and_shared() {
    fn good<T: Send + Sync + std::panic::UnwindSafe + std::panic::RefUnwindSafe>() {}
    good::<HashMap<String, u64>>();
    good::<HashSet<String>>();
    fn send<T: Send>() {}
    send::<HashMap<u64, Cell<u64>>>();
    send::<smr_hashmap::OwnedGuard<'_>>();
    fn shared<T: Sync>() {}
    shared::<smr_hashmap::OwnedGuard<'_>>();
    let map = HashMap::from([(1, 2)]);
    let (local, owned) = (map.pin(), map.pin_owned());
    let change = || owned.update(1, |_| panic!("in a closure")) == local.get(&1);
    assert!(std::panic::catch_unwind(change).is_err());
    assert_eq!(local.get(&1), Some(&2));
}
