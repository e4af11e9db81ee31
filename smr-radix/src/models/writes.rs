//! Writers against each other.

use super::support::{Items, Reached, explore, find, play, put, put_all, remove, tree, walk};
use crate::raw::{Claim, Draft, Memory};

/// Both split the same leaf.
#[test]
fn insertions_that_split_one_leaf() {
    static ABOVE: Reached = Reached::new("the higher fork is made first");
    explore(2, || {
        let one = |tree: &Items| put(tree, 1, 1);
        let two = |tree: &Items| {
            let new = put(tree, 4, 2);
            ABOVE.hit_if(walk(tree, None) == [0, 4]);
            new
        };
        play(tree(&[0]), one, two, |tree, one, two| {
            assert_eq!((one, two), (None, None));
            assert_eq!(walk(tree, None), [0, 1, 4]);
        });
    });
    ABOVE.check();
}

/// Both bring the same key, for which the node has no slot yet.
#[test]
fn insertions_of_one_key() {
    static FIRST: Reached = Reached::new("the other thread is first");
    explore(2, || {
        let one = |tree: &Items| put(tree, 2, 1);
        let two = |tree: &Items| put(tree, 2, 2);
        play(tree(&[0, 1]), one, two, |tree, one, two| {
            FIRST.hit_if(one.is_none());
            assert!((one, two) == (None, Some(1)) || (one, two) == (Some(2), None));
            assert_eq!(walk(tree, None), [0, 1, 2]);
        });
    });
    FIRST.check();
}

/// The node has one slot left; who comes second makes it larger.
#[test]
fn growth_against_insertion() {
    explore(2, || {
        let one = |tree: &Items| put(tree, 2, 1);
        let two = |tree: &Items| put(tree, 3, 2);
        play(tree(&[0, 1]), one, two, |tree, one, two| {
            assert_eq!((one, two), (None, None));
            assert_eq!(walk(tree, None), [0, 1, 2, 3]);
            assert_eq!(tree.memory.nodes(), 1, "the small node has gone");
        });
    });
}

/// The node is full already, and both make it larger.
#[test]
fn growth_against_removal() {
    explore(2, || {
        let one = |tree: &Items| put(tree, 3, 1);
        let two = |tree: &Items| remove(tree, 1);
        play(tree(&[0, 1, 2]), one, two, |tree, one, two| {
            assert_eq!((one, two), (None, Some(10)));
            assert_eq!(walk(tree, None), [0, 2, 3]);
        });
    });
}

/// The node loses its second child, and goes, while another child comes.
#[test]
fn collapse_against_insertion() {
    static KEPT: Reached = Reached::new("the insertion comes in time to keep the node");
    static GONE: Reached = Reached::new("the node has gone");
    explore(2, || {
        let one = |tree: &Items| put(tree, 1, 1);
        let two = |tree: &Items| {
            let removed = remove(tree, 2);
            GONE.hit_if(tree.memory.nodes() == 0);
            removed
        };
        play(tree(&[0, 2]), one, two, |tree, one, two| {
            assert_eq!((one, two), (None, Some(10)));
            assert_eq!(walk(tree, None), [0, 1]);
            KEPT.hit_if(!tree.memory.reused());
        });
    });
    KEPT.check();
    GONE.check();
}

/// A node and the one below it lose their second child at once.
#[test]
fn collapse_of_a_node_and_its_parent() {
    explore(2, || {
        let one = |tree: &Items| remove(tree, 1);
        let two = |tree: &Items| remove(tree, 4);
        play(tree(&[0, 1, 4]), one, two, |tree, one, two| {
            assert_eq!((one, two), (Some(10), Some(10)));
            assert_eq!(walk(tree, None), [0]);
            assert_eq!(put(tree, 0, 1), Some(10));
        });
    });
}

/// A node grows while the one above it does.
#[test]
fn growth_of_a_node_and_its_parent() {
    explore(1, || {
        let one = |tree: &Items| put(tree, 3, 1);
        let two = |tree: &Items| put(tree, 12, 2);
        play(tree(&[0, 1, 2, 4, 8]), one, two, |tree, one, two| {
            assert_eq!((one, two), (None, None));
            assert_eq!(walk(tree, None), [0, 1, 2, 3, 4, 8, 12]);
            assert_eq!(tree.memory.nodes(), 2, "both small nodes have gone");
        });
    });
}

/// The node that a batch has come to grows before it goes on from there.
#[test]
fn a_batch_against_growth() {
    static LEFT: Reached = Reached::new("the node has left the tree meanwhile");
    explore(2, || {
        let one = |tree: &Items| put_all(tree, &[(0, 20), (1, 21)]);
        let two = |tree: &Items| {
            let begun = find(tree, 0) == Some(20);
            let old = put(tree, 3, 1);
            LEFT.hit_if(begun && find(tree, 1) == Some(10));
            old
        };
        play(tree(&[0, 1, 2]), one, two, |tree, new, old| {
            assert_eq!((new, old), (0, None));
            let numbers = [0, 1, 2, 3].map(|key| find(tree, key));
            assert_eq!(numbers, [20, 21, 10, 1].map(Some));
        });
    });
    LEFT.check();
}

/// The node above grows, so the slot that led to the one below is frozen when that is to
/// grow as well.
#[test]
fn a_batch_below_a_node_that_grows() {
    explore(1, || {
        let one = |tree: &Items| put_all(tree, &[(0, 20), (3, 23)]);
        let two = |tree: &Items| put(tree, 12, 2);
        play(tree(&[0, 1, 2, 4, 8]), one, two, |tree, new, old| {
            assert_eq!((new, old), (1, None));
            assert_eq!(walk(tree, None), [0, 1, 2, 3, 4, 8, 12]);
            assert_eq!((find(tree, 0), find(tree, 3)), (Some(20), Some(23)));
            assert_eq!(tree.memory.nodes(), 2, "both small nodes have gone");
        });
    });
}

/// The node that a batch has come to loses its other children, and goes.
#[test]
fn a_batch_against_collapse() {
    static GONE: Reached = Reached::new("the node has gone before the batch comes back");
    explore(1, || {
        let one = |tree: &Items| put_all(tree, &[(0, 20), (1, 21)]);
        let two = |tree: &Items| {
            let removed = remove(tree, 2);
            GONE.hit_if(tree.memory.nodes() == 0 && find(tree, 0) == Some(20));
            removed
        };
        play(tree(&[0, 2]), one, two, |tree, new, removed| {
            assert_eq!((new, removed), (1, Some(10)));
            assert_eq!(walk(tree, None), [0, 1]);
            assert_eq!((find(tree, 0), find(tree, 1)), (Some(20), Some(21)));
        });
    });
    GONE.check();
}

/// The node before is full and a row, so the first entry of the next one gets a full
/// node at once; the second one would do with a leaf.
#[test]
fn the_beginning_of_a_row_against_insertion() {
    static ROW: Reached = Reached::new("the node is made at once");
    static LEAF: Reached = Reached::new("the leaf is first");
    explore(2, || {
        let one = |tree: &Items| put(tree, 4, 1);
        let two = |tree: &Items| {
            let old = put(tree, 5, 2);
            let seen = find(tree, 4);
            assert!(seen.is_none_or(|seen| seen == 1));
            ROW.hit_if(seen.is_some() && tree.memory.nodes() == 3);
            LEAF.hit_if(seen.is_none() && tree.memory.nodes() == 2);
            old
        };
        play(tree(&[0, 1, 2, 3, 8]), one, two, |tree, one, two| {
            assert_eq!((one, two), (None, None));
            assert_eq!(walk(tree, None), [0, 1, 2, 3, 4, 5, 8]);
        });
    });
    ROW.check();
    LEAF.check();
}

/// All goes, from both ends.
#[test]
fn removals_of_all() {
    explore(2, || {
        let one = |tree: &Items| remove(tree, 0);
        let two = |tree: &Items| remove(tree, 1);
        play(tree(&[0, 1]), one, two, |tree, one, two| {
            assert_eq!((one, two), (Some(10), Some(10)));
            assert_eq!(walk(tree, None), []);
            assert_eq!(put(tree, 1, 1), None);
        });
    });
}

/// A value is replaced while its entry goes.
#[test]
fn replacement_against_removal() {
    static FIRST: Reached = Reached::new("the replacement is first");
    explore(2, || {
        let one = |tree: &Items| put(tree, 0, 11);
        let two = |tree: &Items| remove(tree, 0);
        play(tree(&[0, 1]), one, two, |tree, one, two| {
            FIRST.hit_if(two == Some(11));
            if two == Some(11) {
                assert_eq!(one, Some(10));
                assert_eq!(walk(tree, None), [1]);
            } else {
                assert_eq!((one, two), (None, Some(10)));
                assert_eq!(walk(tree, None), [0, 1]);
            }
        });
    });
    FIRST.check();
}

/// Two removals of one key.
#[test]
fn removals_of_one_key() {
    explore(2, || {
        let one = |tree: &Items| remove(tree, 1);
        let two = |tree: &Items| remove(tree, 1);
        play(tree(&[0, 1]), one, two, |tree, one, two| {
            assert!(one.is_some() != two.is_some(), "one of the two removes it");
            assert_eq!(walk(tree, None), [0]);
        });
    });
}

/// Both need a slot for one digit; there is room for two.
#[test]
fn claims_of_one_digit() {
    static LATE: Reached = Reached::new("the digit had come when it was to be claimed");
    explore(2, || {
        let tree: loom::sync::Arc<Items> = tree(&[]);
        let empty = Draft::new(0, 0, &[]);
        let node = tree.memory.node(&empty).expect("there is memory");
        let at = node.as_ptr().addr();
        let claim = move |tree: &Items| {
            let node = tree.memory.node_at(at);
            loop {
                let head = node.head();
                if let Some(slot) = node.slot(head, 2) {
                    return std::ptr::from_ref(slot).addr();
                }
                match node.claim(head, 2) {
                    Claim::Slot(slot) => return std::ptr::from_ref(slot).addr(),
                    Claim::Changed => LATE.hit_if(true),
                    Claim::Full => unreachable!("there are three"),
                }
            }
        };
        play(tree, claim, claim, |_, one, two| {
            assert_eq!(one, two, "a digit has one slot");
        });
    });
    LATE.check();
}
