//! The engine against `BTreeMap`, one thread at a time.

use std::collections::BTreeMap;

use smr_core::Domain;

use super::node::digit;
use super::path::Path;
use super::*;

type Numbers = Raw<Inline<u64>>;
type Texts = Raw<Boxed<String>>;

fn put<P: Policy>(tree: &Raw<P>, key: u64, value: P::Value, guard: &smr_core::Guard) -> bool {
    let mut value = Some(value);
    let done = tree.edit(key, guard, |_, spare| {
        Action::<_, ()>::Put(spare.or(value.take()).expect("it comes back"))
    });
    matches!(done, Ok(Done::Updated { .. }))
}

fn remove<P: Policy>(tree: &Raw<P>, key: u64, guard: &smr_core::Guard) -> bool {
    let done = tree.edit(key, guard, |current, _| match current {
        Some(_) => Action::Remove,
        None => Action::Abort(()),
    });
    matches!(done, Ok(Done::Removed(_)))
}

fn all<P: Policy>(tree: &Raw<P>, guard: &smr_core::Guard) -> Vec<u64> {
    let mut walk = Walk::new(tree, guard, None);
    let first = walk.seek_ge(0);
    std::iter::successors(first, |_| walk.next())
        .map(|item| item.key)
        .collect()
}

/// Keys that are close, that are far apart, and both.
fn keys() -> Vec<Vec<u64>> {
    let mut seed = 7_u64;
    let mut random = move || {
        seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        seed ^ seed >> 33
    };
    let far: Vec<u64> = (0..3000).map(|_| random()).collect();
    let close = (0..3000).collect();
    let runs = far
        .iter()
        .take(60)
        .flat_map(|k| (0..40).map(move |n| k.wrapping_add(n)));
    let runs = runs.chain([0, 1, u64::MAX, u64::MAX - 1]).collect();
    let steps = (0..3000).map(|n| n * 4096).collect();
    vec![close, far, runs, steps]
}

#[test]
fn a_tree_answers_as_a_map_does() {
    for keys in keys() {
        let tree = Numbers::new_in(&Domain::new());
        let mut map = BTreeMap::new();
        let guard = tree.pin();
        for (at, key) in keys.iter().enumerate() {
            let value = if at % 3 == 0 { at as u64 } else { !(at as u64) };
            assert_eq!(
                put(&tree, *key, value, &guard),
                map.insert(*key, value).is_some()
            );
        }
        for turn in 0..2 {
            for key in &keys {
                assert_eq!(tree.find(*key, &guard), map.get(key).copied());
                assert_eq!(
                    tree.find(key ^ 0x40, &guard),
                    map.get(&(key ^ 0x40)).copied()
                );
            }
            assert_eq!(tree.len(), map.len());
            assert!(all(&tree, &guard).iter().eq(map.keys()));
            for key in keys
                .iter()
                .flat_map(|k| [k.wrapping_sub(1), *k, k.wrapping_add(77)])
            {
                let mut walk = Walk::new(&tree, &guard, None);
                let up = walk.seek_ge(key).map(|item| (item.key, item.value));
                assert_eq!(up, map.range(key..).next().map(|(k, v)| (*k, *v)));
                let down = walk.seek_le(key).map(|item| (item.key, item.value));
                assert_eq!(down, map.range(..=key).next_back().map(|(k, v)| (*k, *v)));
                if let Some((key, _)) = down {
                    assert_eq!(
                        walk.prev().map(|i| i.key),
                        map.range(..key).next_back().map(|e| *e.0)
                    );
                }
            }
            for (at, key) in keys.iter().enumerate() {
                if at % 8 != turn {
                    assert_eq!(remove(&tree, *key, &guard), map.remove(key).is_some());
                }
            }
        }
        assert!(map.is_empty() && tree.is_empty(&guard));
        assert!(tree.root().peek().is_null(), "all nodes have gone");
    }
}

#[test]
fn marks_are_found_and_go_with_their_entry() {
    for keys in keys() {
        let tree = Texts::new_in(&Domain::new());
        let guard = tree.pin();
        let marked = |mark| {
            let mut walk = Walk::new(&tree, &guard, Some(mark));
            let first = walk.seek_ge(0);
            let items = std::iter::successors(first, |_| walk.next());
            items.map(|item| item.key).collect::<Vec<_>>()
        };
        let mut expected = std::collections::BTreeSet::new();
        for (at, key) in keys.iter().enumerate() {
            let before = put(&tree, *key, key.to_string(), &guard);
            assert_eq!(
                tree.test_mark(*key, 1, &guard),
                Some(before && expected.contains(key))
            );
            if at % 5 == 0 {
                assert_eq!(tree.set_mark(*key, 1, &guard), Some(expected.contains(key)));
                expected.insert(*key);
            }
        }
        assert!(marked(1).iter().eq(&expected));
        assert!(marked(0).is_empty() && marked(2).is_empty());
        for (at, key) in keys.iter().enumerate() {
            match at % 4 {
                0 => {
                    remove(&tree, *key, &guard);
                    expected.remove(key);
                }
                1 => {
                    assert_eq!(
                        tree.clear_mark(*key, 1, &guard).is_some(),
                        tree.find(*key, &guard).is_some()
                    );
                    expected.remove(key);
                }
                _ => {}
            }
        }
        assert!(marked(1).iter().eq(&expected));
    }
}

#[test]
fn what_is_taken_out_is_each_entry_once() {
    for keys in keys() {
        let mut tree = Texts::new_in(&Domain::new());
        let expected: BTreeMap<u64, String> = keys.iter().map(|k| (*k, k.to_string())).collect();
        for part in 0..3 {
            let guard = tree.pin();
            for key in &keys {
                put(&tree, *key, key.to_string(), &guard);
            }
            drop(guard);
            if part == 0 {
                assert!(tree.drain().eq(expected.clone()));
            } else if part == 1 {
                assert_eq!(
                    tree.drain().nth(5).as_ref().map(|e| &e.0),
                    expected.keys().nth(5)
                );
            }
            assert_eq!(tree.len(), if part == 2 { expected.len() } else { 0 });
        }
        assert!(tree.into_iter().eq(expected));
    }
}

#[test]
fn a_range_is_removed_and_nothing_beside_it() {
    for keys in keys() {
        let tree = Numbers::new_in(&Domain::new());
        let guard = tree.pin();
        let mut map = BTreeMap::new();
        for key in &keys {
            put(&tree, *key, *key, &guard);
            map.insert(*key, ());
        }
        let mut order: Vec<u64> = map.keys().copied().collect();
        let (first, last) = (order[order.len() / 4], order[order.len() / 2]);
        order.retain(|key| !(first..=last).contains(key));
        assert_eq!(
            tree.remove_range(first, last, &guard),
            map.len() - order.len()
        );
        assert_eq!(all(&tree, &guard), order);
    }
}

#[test]
fn digits_of_the_highest_level_are_the_last_bits() {
    assert_eq!(digit(u64::MAX, 10), 15);
    assert_eq!(digit(0x41, 0), 1);
    assert_eq!(digit(0x41, 1), 1);
}

#[test]
fn keys_in_order_get_full_nodes_and_keep_them_to_the_end() {
    let tree = Numbers::new_in(&Domain::new());
    let guard = tree.pin();
    let is_full = |key| {
        let mut path = Path::new();
        tree.descend(key, &mut path);
        path.last().map(|step| (step.level, step.is_direct))
    };
    for key in 0..=192 {
        put(&tree, key, key, &guard);
    }
    assert_eq!(is_full(192), Some((0, true)), "it is the first one there");
    for key in 64..123 {
        remove(&tree, key, &guard);
        assert_eq!(is_full(127), Some((0, true)), "{key} has gone");
    }
    remove(&tree, 123, &guard);
    assert_eq!(is_full(127), Some((0, false)), "four are left");
    // A lone entry far behind has no row before it.
    put(&tree, 1000, 1, &guard);
    assert_eq!(is_full(1000), Some((1, false)));
}
