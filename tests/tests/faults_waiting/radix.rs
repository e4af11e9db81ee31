//! The radix tree.

use std::rc::Rc;

use smr_core::Domain;
use smr_radix::{Change, Mark, RadixTree};

use super::{Fused, Ledger, at_every_call};

/// As in the lists.
const WAITING: u32 = 150;

type Tree = RadixTree<u32, Fused>;

/// Keys that share nodes of every size, and some that are far away.
fn keys() -> impl Iterator<Item = u32> {
    (0..20).chain([100, 5000, 1 << 20, u32::MAX])
}

fn full(ledger: &Rc<Ledger>) -> Tree {
    let tree = RadixTree::new_in(&Domain::new());
    for _ in 0..WAITING {
        tree.insert(1, ledger.value(1), &tree.domain().pin());
        tree.remove(1, &tree.domain().pin());
    }
    for key in keys() {
        tree.insert(key, ledger.value(key), &tree.domain().pin());
    }
    tree.set_mark(5000, Mark::A, &tree.domain().pin());
    tree
}

/// As [`at_every_call`]. After each run the tree must hold what an iteration says, and be
/// emptied by that.
fn on_a_tree(work: impl Fn(&mut Tree, &Rc<Ledger>)) {
    at_every_call(full, work, |tree, ledger| {
        let guard = tree.guard();
        let found: Vec<u32> = tree.keys(&guard).collect();
        assert!(found.is_sorted_by(|a, b| a < b), "{found:?}");
        assert_eq!(tree.len(), found.len());
        tree.insert(77, ledger.value(77), &guard);
        assert_eq!(tree.get(77, &guard).map(|value| value.key), Some(77));
        for key in found.into_iter().chain([77]) {
            assert_eq!(
                tree.get(key, &guard).is_some(),
                tree.remove(key, &guard).is_some()
            );
        }
        assert!(tree.is_empty());
    });
}

#[test]
fn inserting_survives_a_panic_anywhere() {
    on_a_tree(|tree, ledger| {
        for key in [3, 21, 300, 1 << 30] {
            tree.insert(key, ledger.value(1), &tree.domain().pin());
            _ = tree.try_insert(key, ledger.value(2), &tree.guard());
            let make = || (ledger.call(), ledger.value(3)).1;
            tree.get_or_insert_with(key + 1, make, &tree.guard());
            tree.insert_with_predecessor(key, ledger.value(4), &tree.guard());
            _ = tree.try_insert_alloc(key, ledger.value(5), &tree.guard());
        }
        let made = (0..5).map(|key| (ledger.call(), (key * 7, ledger.value(6))).1);
        tree.insert_batch(made, &tree.guard());
        tree.flush();
    });
}

#[test]
fn changing_survives_a_panic_anywhere() {
    on_a_tree(|tree, ledger| {
        let guard = tree.domain().pin();
        _ = tree.replace(3, ledger.value(1), &guard);
        _ = tree.replace(400, ledger.value(1), &guard);
        let seen = tree.get(4, &guard).expect("it is there");
        _ = tree.compare_exchange(4, seen, ledger.value(2), &guard);
        _ = tree.compare_exchange(4, seen, ledger.value(2), &guard);
        let again = |old: &Fused| (ledger.call(), old.clone()).1;
        tree.update(5, again, &guard);
        for _ in 0..3 {
            let change = |now: Option<&Fused>| {
                ledger.call();
                match now {
                    Some(now) if now.key == 6 => Change::Put(ledger.value(60)),
                    Some(_) => Change::Remove,
                    None => Change::Leave,
                }
            };
            tree.compute(6, change, &guard);
        }
        drop(guard);
        tree.flush();
    });
}

#[test]
fn removing_survives_a_panic_anywhere() {
    on_a_tree(|tree, ledger| {
        tree.remove(3, &tree.guard());
        tree.remove_if(4, |_| (ledger.call(), true).1, &tree.guard());
        tree.remove_if(5, |_| (ledger.call(), false).1, &tree.guard());
        tree.retain(
            |key, _| (ledger.call(), key % 3 > 0).1,
            &tree.domain().pin(),
        );
        tree.remove_range(10..15, &tree.guard());
        tree.clear(&tree.domain().pin());
        tree.flush();
    });
}

#[test]
fn copying_and_comparing_survive_a_panic_anywhere() {
    on_a_tree(|tree, ledger| {
        let copy = tree.clone();
        assert!(copy == *tree);
        drop(copy);
        tree.extend((0..3).map(|key| (ledger.call(), (key * 9, ledger.value(1))).1));
    });
}

#[test]
fn draining_survives_a_panic_anywhere() {
    on_a_tree(|tree, ledger| {
        tree.drain().take(3).for_each(|_| ledger.call());
        assert!(tree.is_empty());
        for key in keys() {
            tree.insert(key, ledger.value(1), &tree.domain().pin());
        }
        drop(std::mem::take(tree).into_iter().nth(4));
    });
}

#[test]
fn dropping_a_tree_survives_a_panic_anywhere() {
    on_a_tree(|tree, _| drop(std::mem::take(tree)));
}
