//! Every method of the map and of the pinned map.

use super::maps::{Compute, HashMap, OccupiedError, Operation};
use std::hash::RandomState;

#[test]
fn pinned_inserts_and_gets() {
    let map = HashMap::new();
    map.pin().insert(1, "one");
    let map = map.pin();
    assert_eq!(map.insert(2, "two"), None);
    assert_eq!(map.insert(2, "deux"), Some(&"two"));
    assert_eq!(map.get(&1), Some(&"one"));
    assert_eq!(map.get(&3), None);
    assert_eq!(map.get_key_value(&2), Some((&2, &"deux")));
    assert!(map.contains_key(&1));
    assert_eq!(map.len(), 2);
    assert!(!map.is_empty());
    assert_eq!(map.map().len(), 2);
}

#[test]
fn guards_are_passed_by_hand() {
    let map: HashMap<String, usize> = HashMap::with_capacity(10);
    let guard = map.guard();
    map.insert("a".to_owned(), 1, &guard);
    assert_eq!(map.get("a", &guard), Some(&1));
    assert_eq!(map.get_key_value("a", &guard), Some((&"a".to_owned(), &1)));
    assert!(map.contains_key("a", &guard));
    let owned = map.owned_guard();
    assert_eq!(map.get("a", &owned), Some(&1));
    assert_eq!(map.remove("a", &owned), Some(&1));
    assert_eq!(map.remove("a", &guard), None);
    assert!(map.is_empty());
}

#[test]
fn inserts_that_do_not_replace() {
    let map = HashMap::new();
    let map = map.pin();
    assert_eq!(map.try_insert(37, "a"), Ok(&"a"));
    assert_eq!(
        map.try_insert(37, "b"),
        Err(OccupiedError {
            current: &"a",
            not_inserted: "b",
        })
    );
    assert_eq!(map.try_insert_with(37, || "c"), Err(&"a"));
    assert_eq!(map.try_insert_with(38, || "c"), Ok(&"c"));
    assert_eq!(map.get_or_insert(38, "d"), &"c");
    assert_eq!(map.get_or_insert(39, "d"), &"d");
    assert_eq!(map.get_or_insert_with(39, || "e"), &"d");
    assert_eq!(map.get_or_insert_with(40, || "e"), &"e");
}

#[test]
fn updates() {
    let map = HashMap::new();
    let map = map.pin();
    assert_eq!(map.update("a", |count| count + 1), None);
    assert_eq!(map.update_or_insert("a", |count| count + 1, 0), &0);
    assert_eq!(map.update_or_insert("a", |count| count + 1, 0), &1);
    assert_eq!(map.update("a", |count| count + 1), Some(&2));
    assert_eq!(map.update_or_insert_with("a", |n| n + 1, || 0), &3);
    assert_eq!(map.update_or_insert_with("b", |n| n + 1, || 7), &7);
}

#[test]
fn computes() {
    let map = HashMap::new();
    let map = map.pin();
    let count = |entry: Option<(&&str, &i32)>| match entry {
        Some((_key, value)) if *value > 1 => Operation::Remove,
        Some((_key, value)) => Operation::Insert(value + 1),
        None => Operation::Insert(0),
    };
    let abort = |_: Option<(&&'static str, &i32)>| Operation::<i32, _>::Abort("no");
    assert_eq!(map.compute("a", abort), Compute::Aborted("no"));
    let compute: Compute<'_, _, _, ()> = map.compute("a", count);
    assert_eq!(compute, Compute::Inserted(&"a", &0));
    let compute: Compute<'_, _, _, ()> = map.compute("a", count);
    assert_eq!(
        compute,
        Compute::Updated {
            old: (&"a", &0),
            new: (&"a", &1)
        }
    );
    let _: Compute<'_, _, _, ()> = map.compute("a", count);
    let compute: Compute<'_, _, _, ()> = map.compute("a", count);
    assert_eq!(compute, Compute::Removed(&"a", &2));
    assert!(map.is_empty());
}

#[test]
#[should_panic]
fn removing_what_is_not_there_panics() {
    let map: HashMap<i32, i32> = HashMap::new();
    map.pin().compute(1, |_| Operation::<i32, ()>::Remove);
}

#[test]
fn removes() {
    let map = HashMap::new();
    let map = map.pin();
    map.insert(1, "a");
    assert_eq!(map.remove_if(&1, |_, value| *value == "b"), Err((&1, &"a")));
    assert_eq!(
        map.remove_if(&1, |_, value| *value == "a"),
        Ok(Some((&1, &"a")))
    );
    assert_eq!(map.remove_if(&1, |_, _| true), Ok(None));
    map.insert(1, "b");
    assert_eq!(map.remove_entry(&1), Some((&1, &"b")));
    assert_eq!(map.remove(&1), None);
}

#[test]
fn the_whole_map() {
    let map: HashMap<i32, i32> = (0..100).map(|i| (i, i * 10)).collect();
    let map = map.pin();
    map.reserve(10);
    let mut keys: Vec<_> = map.keys().copied().collect();
    keys.sort_unstable();
    assert_eq!(keys, (0..100).collect::<Vec<_>>());
    assert_eq!(map.values().sum::<i32>(), (0..100).sum::<i32>() * 10);
    assert!(map.iter().all(|(key, value)| key * 10 == *value));
    assert!((&map).into_iter().count() == 100);
    map.retain(|key, _| key % 2 == 0);
    assert_eq!(map.len(), 50);
    map.clear();
    assert_eq!(map.len(), 0);
}

#[test]
fn the_whole_map_with_guards() {
    let map = HashMap::from([(1, 10), (2, 20)]);
    let guard = map.guard();
    map.reserve(10, &guard);
    assert_eq!(map.iter(&guard).count(), 2);
    assert_eq!(map.keys(&guard).sum::<i32>(), 3);
    assert_eq!(map.values(&guard).sum::<i32>(), 30);
    map.retain(|key, _| *key == 1, &guard);
    assert_eq!(map.len(), 1);
    map.clear(&guard);
    assert!(map.is_empty());
}

#[test]
fn traits_of_std() {
    let map: HashMap<&str, i32> = HashMap::default();
    let mut reference = &map;
    reference.extend([("a", 1), ("b", 2)]);
    reference.extend([(&"c", &3)]);
    let copy = map.clone();
    assert_eq!(copy, map);
    copy.pin().remove("a");
    assert_ne!(copy, map);
    let one = HashMap::from([("a", 1)]);
    assert_eq!(format!("{one:?}"), r#"{"a": 1}"#);
    assert_eq!(format!("{:?}", one.pin()), r#"{"a": 1}"#);
}

#[test]
fn hashers_and_builders() {
    let map: HashMap<i32, i32, RandomState> = HashMap::with_hasher(RandomState::new());
    map.pin().insert(1, 2);
    let map: HashMap<i32, i32, RandomState> =
        HashMap::with_capacity_and_hasher(10, RandomState::new());
    map.pin().insert(1, 2);
    let map: HashMap<i32, i32, RandomState> = HashMap::builder()
        .capacity(2048)
        .hasher(RandomState::new())
        .build();
    assert_eq!(map.pin().insert(1, 2), None);
}
