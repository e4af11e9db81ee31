//! What trees are to `std` and to serde.

use std::collections::BTreeMap;

use smr_core::Domain;
use smr_radix::{Change, InlineTree, Mark, Mismatch, Occupied, RadixTree};

#[test]
fn trees_are_shown_as_maps() {
    let tree = RadixTree::from_iter([(2_u8, "b"), (1, "a")]);
    assert_eq!(format!("{tree:?}"), r#"{1: "a", 2: "b"}"#);
    let guard = tree.guard();
    let cursor = tree.cursor(2, &guard);
    assert_eq!(format!("{cursor:?}"), r#"Cursor(Some((2, "b")))"#);
    for (shown, starts) in [
        (format!("{:?}", tree.iter(&guard)), "Iter"),
        (format!("{:?}", tree.keys(&guard)), "Keys"),
        (format!("{:?}", tree.values(&guard)), "Values"),
        (format!("{:?}", tree.contiguous(1, 2, &guard)), "Contiguous"),
        (format!("{:?}", tree.iter_marked(Mark::A, &guard)), "Marked"),
        (format!("{:?}", tree.clone().into_iter()), "IntoIter"),
        (format!("{:?}", tree.clone().drain()), "Drain"),
    ] {
        assert!(shown.starts_with(starts), "{shown}");
    }
}

#[test]
fn a_copy_is_equal_has_its_own_values_and_the_marks() {
    let domain = Domain::new();
    let tree = InlineTree::new_in(&domain);
    let guard = domain.pin();
    tree.insert_batch((0..100_u64).map(|key| (key * key, key)), &guard);
    tree.set_mark(49, Mark::WRITEBACK, &guard);
    let copy = tree.clone();
    assert_eq!(copy.domain(), &domain);
    assert_eq!(copy, tree);
    assert!(copy.iter_marked(Mark::WRITEBACK, &guard).eq([(49, 7)]));
    copy.insert(3, 3, &guard);
    assert_ne!(copy, tree);
    assert_eq!(tree.get(3, &guard), None);
    copy.remove(3, &guard);
    assert_eq!(copy, tree);
    copy.insert(49, 8, &guard);
    assert_ne!(copy, tree, "the same keys and another value");
}

#[test]
fn collecting_keeps_the_later_of_two_values() {
    let entries = [(5_i32, 'a'), (-5, 'b'), (5, 'c')];
    let mut tree: RadixTree<i32, char> = entries.into_iter().collect();
    assert!(tree.iter(&tree.guard()).eq([(-5, &'b'), (5, &'c')]));
    tree.extend([(0, 'd'), (-5, 'e')]);
    let map: BTreeMap<i32, char> = tree.into_iter().collect();
    assert_eq!(map, BTreeMap::from([(-5, 'e'), (0, 'd'), (5, 'c')]));
}

#[test]
fn refusals_say_what_they_are() {
    let taken = Occupied {
        current: 1,
        value: 2,
    };
    assert_eq!(taken.to_string(), "the key is in the tree already");
    let other = Mismatch {
        current: Some(1),
        value: 2,
    };
    assert_eq!(other.to_string(), "the key has another value");
    let absent = Mismatch {
        current: None::<u8>,
        value: 2,
    };
    assert_eq!(absent.to_string(), "the key is not in the tree");
    assert_eq!(Change::Put(1), Change::Put(1));
}

#[test]
fn a_default_tree_is_empty_and_owns_no_heap() {
    let tree = RadixTree::<u64, String>::default();
    assert!(tree.is_empty() && tree.memory_usage() == 0);
    assert_eq!(tree.domain(), Domain::global());
}

#[cfg(feature = "serde")]
#[test]
fn trees_are_written_and_read_as_maps() {
    let tree = RadixTree::from_iter([(300_u64, vec![1, 2]), (7, vec![])]);
    let text = serde_json::to_string(&tree).unwrap();
    assert_eq!(text, r#"{"7":[],"300":[1,2]}"#);
    let read: RadixTree<u64, Vec<i32>> = serde_json::from_str(&text).unwrap();
    assert_eq!(read, tree);
    let small: InlineTree<i8, bool> = serde_json::from_str(r#"{"-1":true,"0":false}"#).unwrap();
    assert!(small.iter(&small.guard()).eq([(-1, true), (0, false)]));
    let wrong = serde_json::from_str::<InlineTree<i8, bool>>("[1]").unwrap_err();
    assert!(wrong.to_string().contains("a map from integers"), "{wrong}");
}
