//! Types by name, in structs and signatures.

use super::maps::{
    Equivalent, Guard, HashMap, HashMapRef, Iter, Keys, LocalGuard, OwnedGuard, Values,
};
use std::hash::{Hash, RandomState};
use std::rc::Rc;

struct Held<'map> {
    map: HashMapRef<'map, u32, u32, RandomState, LocalGuard<'map>>,
}

struct Walk<'g> {
    entries: Iter<'g, u32, u32, LocalGuard<'g>>,
    keys: Keys<'g, u32, u32, LocalGuard<'g>>,
    values: Values<'g, u32, u32, LocalGuard<'g>>,
}

fn of_any_guard<'g>(
    map: &'g HashMap<u32, u32, RandomState>,
    guard: &'g impl Guard,
) -> Option<&'g u32> {
    map.get(&1, guard)
}

fn of_owned(guard: OwnedGuard<'_>) {
    drop(guard);
}

fn map() -> HashMap<u32, u32, RandomState> {
    let map = HashMap::with_hasher(RandomState::new());
    map.pin().insert(1, 2);
    map
}

#[test]
fn pinned_references_are_held_in_structs() {
    let map = map();
    let held = Held { map: map.pin() };
    assert_eq!(held.map.get(&1), Some(&2));
}

#[test]
fn iterators_are_held_in_structs() {
    let map = map();
    let guard = map.guard();
    let mut walk = Walk {
        entries: map.iter(&guard),
        keys: map.keys(&guard),
        values: map.values(&guard),
    };
    assert_eq!(walk.entries.next(), Some((&1, &2)));
    assert_eq!((walk.keys.next(), walk.values.next()), (Some(&1), Some(&2)));
}

#[test]
fn functions_take_any_guard() {
    let map = map();
    assert_eq!(of_any_guard(&map, &map.guard()), Some(&2));
    assert_eq!(of_any_guard(&map, &map.owned_guard()), Some(&2));
    of_owned(map.owned_guard());
    let mut guard = map.guard();
    assert_eq!(map.get(&1, &guard), Some(&2));
    guard.refresh();
    guard.flush();
    assert_eq!(map.get(&1, &guard), Some(&2));
}

#[derive(PartialEq, Eq, Hash)]
struct Pair(String, u32);

struct Borrowed<'a>(&'a str, u32);

impl Hash for Borrowed<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
        self.1.hash(state);
    }
}

impl Equivalent<Pair> for Borrowed<'_> {
    fn equivalent(&self, key: &Pair) -> bool {
        self.0 == key.0 && self.1 == key.1
    }
}

#[test]
fn keys_that_are_equivalent() {
    let map = HashMap::new();
    let map = map.pin();
    map.insert(Pair("a".to_owned(), 1), 7);
    assert_eq!(map.get(&Borrowed("a", 1)), Some(&7));
    assert_eq!(map.remove(&Borrowed("a", 2)), None);
    assert_eq!(map.remove(&Borrowed("a", 1)), Some(&7));
}

#[test]
fn values_that_stay_on_one_thread_and_keys_that_borrow() {
    let text = String::from("a b a");
    let map = HashMap::new();
    for word in text.split(' ') {
        map.pin().insert(word, Rc::new(word.len()));
    }
    assert_eq!(map.len(), 2);
    assert_eq!(map.pin().get("a").map(|length| **length), Some(1));
}
