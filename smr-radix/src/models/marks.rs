//! Marks: set, searched for, and copied.

use loom::sync::Arc;
use smr_core::sync::{AtomicU32, Ordering as Order};

use super::support::{Items, Reached, Tree, explore, play, play_three, put, remove, tree, walk};
use crate::raw::{Boxed, Walk};

fn set(tree: &Tree<Boxed<super::support::Item>>, key: u64) -> Option<bool> {
    tree.set_mark(key, 0, &tree.memory.pin())
}

/// A mark is set two levels down while both nodes are rebuilt.
#[test]
fn setting_against_rebuilding() {
    explore(2, || {
        let one = |tree: &Items| {
            assert_eq!(set(tree, 0), Some(false));
            assert_eq!(walk(tree, Some(0)), [0], "it is set, and searched for then");
        };
        let two = |tree: &Items| remove(tree, 4);
        play(tree(&[0, 1, 4]), one, two, |tree, (), removed| {
            assert_eq!(removed, Some(10));
            assert_eq!(walk(tree, Some(0)), [0], "the mark is found");
        });
    });
}

/// As above; the lower node is the one that is rebuilt.
#[test]
fn setting_against_rebuilding_below() {
    explore(2, || {
        let one = |tree: &Items| {
            assert_eq!(set(tree, 0), Some(false));
            assert_eq!(walk(tree, Some(0)), [0], "it is set, and searched for then");
        };
        let two = |tree: &Items| put(tree, 3, 1);
        play(tree(&[0, 1, 2, 4]), one, two, |tree, (), _| {
            assert_eq!(walk(tree, Some(0)), [0], "the mark is found");
        });
    });
}

/// The upper node is rebuilt when an earlier mark is no longer there: its mark goes, and
/// the one that is just being set must not go with it.
#[test]
fn setting_against_clearing_by_a_rebuild() {
    explore(2, || {
        let tree = tree(&[0, 1, 4, 8]);
        assert_eq!(set(&tree, 1), Some(false));
        assert_eq!(tree.clear_mark(1, 0, &tree.memory.pin()), Some(true));
        let one = |tree: &Items| {
            assert_eq!(set(tree, 0), Some(false));
            assert_eq!(walk(tree, Some(0)), [0], "it is set, and searched for then");
        };
        let two = |tree: &Items| put(tree, 12, 1);
        play(tree, one, two, |tree, (), _| {
            assert_eq!(walk(tree, Some(0)), [0], "the mark is found");
        });
    });
}

/// A mark is set while its node is copied; a third thread searches for it as soon as it
/// has been.
#[test]
fn searching_against_setting_and_growth() {
    static SET: Reached = Reached::new("the mark has been set when it is searched for");
    explore(1, || {
        let is_set = Arc::new(AtomicU32::new(0));
        let ours = Arc::clone(&is_set);
        let one = move |tree: &Items| {
            assert_eq!(set(tree, 0), Some(false));
            // Release: pairs with the Acquire below.
            is_set.store(1, Order::Release);
        };
        let two = |tree: &Items| put(tree, 3, 1);
        let three = move |tree: &Items| {
            // Acquire: pairs with the Release above.
            let is_set = ours.load(Order::Acquire) == 1;
            SET.hit_if(is_set);
            let seen = walk(tree, Some(0));
            assert!(seen == [0] || seen.is_empty() && !is_set, "{seen:?}");
        };
        play_three(tree(&[0, 1, 2]), one, two, three, |tree, (), _, ()| {
            assert_eq!(walk(tree, Some(0)), [0], "the mark is found");
        });
    });
    SET.check();
}

/// A mark is set in a node that goes, because another entry does, whose mark is taken
/// away meanwhile.
#[test]
fn setting_against_clearing_and_removal() {
    static CLEARED: Reached = Reached::new("the mark is taken away");
    static GONE: Reached = Reached::new("the entry goes before its mark is taken away");
    explore(1, || {
        let tree = tree(&[0, 1]);
        assert_eq!(set(&tree, 1), Some(false));
        let one = |tree: &Items| {
            assert_eq!(set(tree, 0), Some(false));
            let seen = walk(tree, Some(0));
            assert!(seen == [0] || seen == [0, 1], "{seen:?}");
        };
        let two = |tree: &Items| tree.clear_mark(1, 0, &tree.memory.pin());
        let three = |tree: &Items| remove(tree, 1);
        play_three(tree, one, two, three, |tree, (), cleared, removed| {
            assert_eq!(removed, Some(10));
            CLEARED.hit_if(cleared == Some(true));
            GONE.hit_if(cleared.is_none());
            assert_eq!(walk(tree, Some(0)), [0], "the mark is found");
        });
    });
    CLEARED.check();
    GONE.check();
}

/// Both set the same mark; who comes second may not rely on the first to finish.
#[test]
fn setting_against_setting() {
    static SECOND: Reached = Reached::new("the mark was set already");
    explore(2, || {
        let one = |tree: &Items| set(tree, 0);
        let two = |tree: &Items| {
            let was_set = set(tree, 0);
            SECOND.hit_if(was_set == Some(true));
            assert_eq!(walk(tree, Some(0)), [0], "it is set, and searched for then");
            was_set
        };
        play(tree(&[0, 1, 4]), one, two, |_, one, two| {
            assert!(
                (one, two) == (Some(false), Some(true)) || (one, two) == (Some(true), Some(false))
            );
        });
    });
    SECOND.check();
}

/// A marked leaf goes below a new node, and the mark stays in sight.
#[test]
fn searching_against_a_split() {
    explore(2, || {
        let tree = tree(&[0]);
        assert_eq!(set(&tree, 0), Some(false));
        let one = |tree: &Items| assert_eq!(walk(tree, Some(0)), [0], "it is set throughout");
        let two = |tree: &Items| put(tree, 1, 1);
        play(tree, one, two, |tree, (), _| {
            assert_eq!(walk(tree, Some(0)), [0], "the new one has no mark");
        });
    });
}

/// A mark goes with its entry, and stays with one whose value is replaced.
#[test]
fn setting_against_removal_and_insertion() {
    static LATE: Reached = Reached::new("the new entry is marked");
    static NONE: Reached = Reached::new("there is no entry");
    explore(2, || {
        let one = |tree: &Items| set(tree, 0);
        let two = |tree: &Items| {
            remove(tree, 0);
            put(tree, 0, 11);
            walk(tree, Some(0))
        };
        play(tree(&[0, 1]), one, two, |tree, one, two| {
            NONE.hit_if(one.is_none());
            LATE.hit_if(two == [0]);
            let marked = walk(tree, Some(0));
            assert!(one.is_some() || marked.is_empty());
            assert!(two.is_empty() || marked == [0]);
            let guard = tree.memory.pin();
            assert_eq!(tree.test_mark(0, 0, &guard), Some(!marked.is_empty()));
        });
    });
    LATE.check();
    NONE.check();
}

#[test]
fn a_replacement_keeps_a_mark() {
    explore(2, || {
        let one = |tree: &Items| set(tree, 0);
        let two = |tree: &Items| put(tree, 0, 11);
        play(tree(&[0, 1]), one, two, |tree, one, two| {
            assert_eq!((one, two), (Some(false), Some(10)));
            assert_eq!(walk(tree, Some(0)), [0]);
        });
    });
}

#[test]
fn who_finds_a_mark_sees_what_came_before_it() {
    explore(2, || {
        let note = Arc::new(AtomicU32::new(0));
        let ours = Arc::clone(&note);
        let one = move |tree: &Items| {
            let guard = tree.memory.pin();
            if Walk::new(tree, &guard, Some(0)).seek_ge(0).is_some() {
                // Relaxed: the tree orders it.
                assert_eq!(note.load(Order::Relaxed), 1);
            }
        };
        let two = |tree: &Items| {
            let guard = tree.memory.pin();
            // Relaxed: the tree orders it. Within the section, for entering orders too.
            ours.store(1, Order::Relaxed);
            assert_eq!(tree.set_mark(0, 0, &guard), Some(false));
        };
        play(tree(&[0, 1]), one, two, |_, (), ()| {});
    });
}
