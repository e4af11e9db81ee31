//! Readers against writers.

use loom::sync::Arc;
use smr_core::sync::{AtomicU32, Ordering as Order};

use super::support::{Items, Numbers, Reached, explore, find, play, put, remove, tree, walk};
use crate::raw::{Run, Walk};

/// The reader's key is there throughout; the leaf is split and the node collapses.
#[test]
fn a_look_up_across_a_split_and_a_collapse() {
    static REUSED: Reached = Reached::new("the node's memory comes back while a reader looks");
    explore(2, || {
        let one = |tree: &Items| assert_eq!(find(tree, 0), Some(10), "it is there throughout");
        let two = |tree: &Items| {
            put(tree, 1, 1);
            remove(tree, 1);
            tree.memory.collect();
            REUSED.hit_if(tree.memory.reused());
        };
        play(tree(&[0]), one, two, |tree, (), ()| {
            assert_eq!(walk(tree, None), [0]);
        });
    });
    REUSED.check();
}

/// The reader's key is there throughout; its node grows.
#[test]
fn a_look_up_across_growth() {
    explore(2, || {
        let one = |tree: &Items| {
            assert_eq!(find(tree, 1), Some(10), "it is there throughout");
            let seen = find(tree, 3);
            assert!(seen.is_none_or(|seen| seen == 1));
        };
        let two = |tree: &Items| put(tree, 3, 1);
        play(tree(&[0, 1, 2]), one, two, |tree, (), _| {
            assert_eq!(walk(tree, None), [0, 1, 2, 3]);
        });
    });
}

/// A full node, which look-ups pass without a look at its head, comes to stand higher
/// and then lower again.
#[test]
fn a_look_up_in_a_full_node_that_moves() {
    explore(1, || {
        let one = |tree: &Items| {
            assert_eq!(find(tree, 1), Some(10), "it is there throughout");
            assert_eq!(find(tree, 17), None, "it never is");
        };
        let two = |tree: &Items| {
            remove(tree, 4);
            put(tree, 16, 1);
        };
        play(tree(&[0, 1, 4, 2, 3]), one, two, |tree, (), ()| {
            assert_eq!(walk(tree, None), [0, 1, 2, 3, 16]);
        });
    });
}

/// A value that stands in a slot moves out to a leaf when its node goes.
#[test]
fn a_look_up_of_a_value_that_moves() {
    explore(2, || {
        let one = |tree: &Numbers| assert_eq!(find(tree, 1), Some(10), "it is there throughout");
        let two = |tree: &Numbers| remove(tree, 0);
        play(tree(&[0, 1]), one, two, |tree, (), removed| {
            assert_eq!(removed, Some(10));
            assert_eq!(walk(tree, None), [1]);
            assert_eq!(tree.memory.nodes(), 0);
        });
    });
}

/// A key whose value is replaced is never absent.
#[test]
fn a_look_up_across_a_replacement() {
    static OLD: Reached = Reached::new("the old value is seen");
    static NEW: Reached = Reached::new("the new value is seen");
    explore(2, || {
        let one = |tree: &Items| {
            let seen = find(tree, 0).expect("it is never absent");
            OLD.hit_if(seen == 10);
            NEW.hit_if(seen == 11);
        };
        let two = |tree: &Items| put(tree, 0, 11);
        play(tree(&[0, 1]), one, two, |_, (), old| {
            assert_eq!(old, Some(10))
        });
    });
    OLD.check();
    NEW.check();
}

#[test]
fn who_misses_a_key_sees_what_came_before_its_removal() {
    explore(2, || {
        let note = Arc::new(AtomicU32::new(0));
        let ours = Arc::clone(&note);
        let one = move |tree: &Items| {
            if find(tree, 1).is_none() {
                // Relaxed: the tree orders it.
                assert_eq!(note.load(Order::Relaxed), 1);
            }
        };
        let two = |tree: &Items| {
            let guard = tree.memory.pin();
            // Relaxed: the tree orders it. Within the section, for entering orders too.
            ours.store(1, Order::Relaxed);
            let removed = tree.edit(1, &guard, |_, _| crate::raw::Action::<_, ()>::Remove);
            assert!(removed.is_ok());
        };
        play(tree(&[0, 1, 2]), one, two, |tree, (), ()| {
            assert_eq!(walk(tree, None), [0, 2]);
        });
    });
}

/// The first at or after a key, with one that is there throughout, while nearer ones
/// come and go.
#[test]
fn the_next_entry_against_insertion_and_removal() {
    static NEAR: Reached = Reached::new("the nearer one is met");
    static FAR: Reached = Reached::new("the one that stays is met");
    explore(2, || {
        let one = |tree: &Items| {
            let guard = tree.memory.pin();
            let mut walk = Walk::new(tree, &guard, None);
            let up = walk.seek_ge(3).expect("there always is one");
            assert!([4, 8].contains(&up.key), "within bounds");
            assert_eq!(walk.seek_le(63).map(|item| item.key), Some(8));
            NEAR.hit_if(up.key == 4);
            FAR.hit_if(up.key == 8);
        };
        let two = |tree: &Items| {
            put(tree, 4, 1);
            remove(tree, 4);
        };
        play(tree(&[0, 8]), one, two, |tree, (), ()| {
            assert_eq!(walk(tree, None), [0, 8]);
        });
    });
    NEAR.check();
    FAR.check();
}

/// Who goes through a row of slots and removes what is ahead does not meet it, though
/// the node has been rebuilt and shows it still.
#[test]
fn a_row_does_not_show_what_has_gone() {
    static ROW: Reached = Reached::new("there is a row");
    static STOPPED: Reached = Reached::new("the row ends early");
    explore(1, || {
        let one = |tree: &Items| {
            let guard = tree.memory.pin();
            let mut walk = Walk::new(tree, &guard, None);
            let first = walk.seek_ge(0).expect("2 is there").key;
            let mut row = walk
                .row(first + 1, 63)
                .unwrap_or_else(|| Run::none(first + 1));
            ROW.hit_if(row.is_row());
            remove(tree, 2);
            let mut seen = vec![first];
            while let Some(item) = row.next() {
                seen.push(item.key);
            }
            STOPPED.hit_if(row.is_row() && !row.is_over());
            if row.is_row() {
                walk.pass(row.key());
            }
            seen.extend(walk.go_on(row.key()).map(|item| item.key));
            assert!(first == 2 || !seen.contains(&2), "{seen:?}");
            assert!(seen.is_sorted_by(|one, other| one < other), "{seen:?}");
        };
        let two = |tree: &Items| {
            remove(tree, 1);
            remove(tree, 0);
        };
        let tree = tree(&[0, 1, 2, 3]);
        remove(&tree, 3);
        play(tree, one, two, |tree, (), ()| {
            assert_eq!(walk(tree, None), []);
        });
    });
    ROW.check();
    STOPPED.check();
}

/// An entry that came after another had gone is not met together with that one.
#[test]
fn a_walk_does_not_go_back_in_time() {
    static NEW: Reached = Reached::new("the new one is met");
    static OLD: Reached = Reached::new("the old one is met");
    explore(2, || {
        let one = |tree: &Items| {
            let seen = walk(tree, None);
            NEW.hit_if(seen.contains(&0));
            OLD.hit_if(seen.contains(&12));
            assert!(
                !(seen.contains(&0) && seen.contains(&12)),
                "12 had gone when 0 came"
            );
            assert!([1, 2, 4].iter().all(|key| seen.contains(key)));
        };
        let two = |tree: &Items| {
            put(tree, 8, 1);
            remove(tree, 12);
            put(tree, 0, 1);
        };
        play(tree(&[1, 2, 4, 12]), one, two, |tree, (), ()| {
            assert_eq!(walk(tree, None), [0, 1, 2, 4, 8]);
        });
    });
    NEW.check();
    OLD.check();
}
