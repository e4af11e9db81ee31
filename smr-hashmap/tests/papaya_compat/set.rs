//! Every method of the set and of the pinned set.

use super::maps::HashSet;
use std::hash::RandomState;

#[test]
fn pinned() {
    let set = HashSet::new();
    let set = set.pin();
    assert!(set.insert("a"));
    assert!(!set.insert("a"));
    assert!(set.contains("a"));
    assert_eq!(set.get("a"), Some(&"a"));
    assert_eq!(set.len(), 1);
    set.reserve(10);
    assert_eq!(set.iter().count(), 1);
    assert!(set.remove("a"));
    assert!(!set.remove("a"));
    assert!(set.is_empty());
    set.insert("b");
    set.retain(|key| *key != "b");
    assert!(set.set().is_empty());
    set.insert("b");
    set.clear();
    assert!(set.is_empty());
}

#[test]
fn with_guards() {
    let set: HashSet<i32> = HashSet::with_capacity(10);
    let guard = set.guard();
    set.reserve(5, &guard);
    assert!(set.insert(1, &guard));
    assert!(set.contains(&1, &set.owned_guard()));
    assert_eq!(set.get(&1, &guard), Some(&1));
    assert_eq!(set.iter(&guard).sum::<i32>(), 1);
    set.retain(|key| *key == 1, &guard);
    assert!(set.remove(&1, &guard));
    set.clear(&guard);
}

#[test]
fn traits_of_std() {
    let set: HashSet<i32> = [1, 2, 3].into_iter().collect();
    let mut reference = &set;
    reference.extend([4]);
    reference.extend(&[5]);
    assert_eq!(set.len(), 5);
    assert_eq!(set.clone(), set);
    let one = HashSet::from(["a"]);
    assert_eq!(format!("{one:?}"), r#"{"a"}"#);
    let set: HashSet<i32, RandomState> = HashSet::builder()
        .capacity(16)
        .hasher(RandomState::new())
        .build();
    assert!(set.pin_owned().is_empty());
}
