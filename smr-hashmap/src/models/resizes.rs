//! Two writers, while a table is replaced.

use loom::sync::Arc;
use loom::thread;

use super::support::{Bed, Reached, Sendable, explore, key, play};
use crate::raw::Hash;

/// A write and the freezing of its bucket: the write is in the image, or goes to the
/// next table.
#[test]
fn write_and_freezing() {
    static BEFORE: Reached = Reached::new("the write finds one table");
    static AFTER: Reached = Reached::new("the write finds two tables");
    explore(1, || {
        let (there, key) = (key(2, 0, 0), key(2, 0, 1));
        play(
            |bed, guard| assert!(bed.insert(there, 7, guard)),
            move |bed, own| {
                let guard = bed.split(own);
                assert_eq!(bed.add(there, 10, &guard), Some(7));
            },
            move |bed, own| {
                let is_settled = bed.map.root().is_some_and(|root| root.next().is_none());
                assert!(bed.insert(key, 1, &own.pin()));
                is_settled
            },
            |all, (), settled| {
                BEFORE.hit_if(settled);
                AFTER.hit_if(!settled);
                let mut expected = [(there, 17), (key, 1)];
                expected.sort_unstable();
                assert_eq!(all, expected);
            },
        );
    });
    BEFORE.check();
    AFTER.check();
}

/// One moves a bucket that the other changes, where it is, or in the next table after it
/// has helped: no late filling undoes the change, and the writer finds what it wrote,
/// although the other may not have come to say that the bucket has moved.
#[test]
fn split_by_two() {
    static HERE: Reached = Reached::new("the write goes to the first table");
    static THERE: Reached = Reached::new("the write helps to move the bucket");
    explore(1, || {
        let (low, high) = (key(2, 0, 0), key(2, 1, 0));
        play(
            move |bed, guard| bed.begin_with([low, high], 2, guard),
            move |bed, own| {
                let guard = own.pin();
                let table = bed.map.root().expect("there are entries");
                let head = || table.line_of(Hash::new(low)).head();
                let is_frozen = head().is_frozen();
                assert_eq!(bed.add(low, 10, &guard), Some(1));
                HERE.hit_if(head().is_live());
                THERE.hit_if(is_frozen);
                assert_eq!(bed.find(low, &guard), Some(11), "our write is not there");
            },
            move |bed, own| bed.map.move_one(0, &own.pin()),
            |all, (), ()| {
                let mut expected = [(low, 11), (high, 2)];
                expected.sort_unstable();
                assert_eq!(all, expected, "a change was undone");
            },
        );
    });
    HERE.check();
    THERE.check();
}

/// Two move one of the two buckets of a table, each in a round of his own: neither round is
/// complete, and the other bucket is still where it was.
#[test]
fn one_half_by_two() {
    explore(1, || {
        let (low, high) = (key(1, 0, 0), key(1, 1, 0));
        play(
            move |bed, guard| bed.begin_with([low, high], 2, guard),
            move |bed, own| bed.map.move_one(0, &own.pin()),
            // Two claims are a round: the first one of the third, which is counted where
            // the first round is.
            move |bed, own| bed.map.move_one(4, &own.pin()),
            |all, (), ()| assert_eq!(all.len(), 2, "not all of the table had moved"),
        );
    });
}

/// Two writers move the two buckets of a table, and then look for what the other has
/// moved, through whatever table is the current one.
#[test]
fn halves_by_two() {
    static PROMOTED: Reached = Reached::new("one finds the new table as the current one");
    explore(1, || {
        let (low, high) = (key(1, 0, 0), key(1, 1, 0));
        play(
            move |bed, guard| bed.begin_with([low, high], 2, guard),
            move |bed, own| {
                let guard = own.pin();
                bed.map.move_one(0, &guard);
                PROMOTED.hit_if(bed.map.root().is_some_and(|root| root.bits == 2));
                assert_eq!(bed.find(high, &guard), Some(2));
            },
            move |bed, own| {
                let guard = own.pin();
                bed.map.move_one(1, &guard);
                assert_eq!(bed.find(low, &guard), Some(1));
            },
            |all, (), ()| assert_eq!(all.len(), 2),
        );
    });
    PROMOTED.check();
}

/// Two merge two buckets into one, which one of them changes: the other, who may be late,
/// does not undo it.
#[test]
fn merge_by_two() {
    explore(1, || {
        let low = key(2, 0, 0);
        play(
            |bed, guard| {
                assert!(bed.map.root_or_make(2).is_some());
                assert!(bed.insert(low, 1, guard));
                bed.begin(1);
            },
            move |bed, own| bed.remove(low, &own.pin()),
            // On this thread, which may be late at the cost of one preemption.
            move |bed, own| bed.map.move_one(0, &own.pin()),
            |all, one, ()| {
                assert_eq!(one, Some(1));
                assert_eq!(all, [], "it has come back");
            },
        );
    });
}

/// Two writers move the two buckets of a table. A reader that finds the new table as
/// the current one finds in it what either has moved. The guards are there before, so
/// that no barrier of a pin orders anything; nor does the reader yield, since loom then
/// keeps from it what it has seen to be replaced.
#[test]
fn promotion_and_reader() {
    static PROMOTED: Reached = Reached::new("the reader finds the new table");
    explore(2, || {
        let low = key(1, 0, 0);
        let bed = Bed::new();
        let handles: [_; 3] = std::array::from_fn(|_| bed.register());
        let guards = [0, 1, 2].map(|of| Sendable(handles[of].0.pin()));
        let [Sendable(ours), one, two] = guards;
        assert!(bed.insert(low, 1, &ours));
        bed.begin(2);
        let movers = [(0, one), (1, two)].map(|(group, guard)| {
            let bed = Arc::clone(&bed);
            thread::spawn(move || {
                let guard = guard;
                bed.map.move_one(group, &guard.0);
            })
        });
        PROMOTED.hit_if(bed.map.root().is_some_and(|root| root.bits == 2));
        assert_eq!(bed.find(low, &ours), Some(1));
        for mover in movers {
            mover.join().expect("it fails the model");
        }
        drop(ours);
    });
    PROMOTED.check();
}

/// An iteration that finds a frozen head finds the next table. The guards are there
/// before, as above.
#[test]
fn frozen_head_and_iteration() {
    static BOTH: Reached = Reached::new("the iteration sees both");
    explore(1, || {
        let (low, high) = (key(2, 0, 0), key(2, 1, 0));
        let bed = Bed::new();
        let handles: [_; 2] = std::array::from_fn(|_| bed.register());
        let [Sendable(ours), theirs] = [0, 1].map(|of| Sendable(handles[of].0.pin()));
        assert!(bed.insert(low, 1, &ours));
        assert!(bed.insert(high, 2, &ours));
        let mover = {
            let bed = Arc::clone(&bed);
            thread::spawn(move || {
                let guard = theirs;
                bed.begin(2);
                bed.map.move_one(0, &guard.0);
            })
        };
        let seen = bed.all(&ours).len();
        assert_eq!(seen, 2, "each once");
        BOTH.hit_if(seen == 2);
        mover.join().expect("it fails the model");
        drop(ours);
    });
    BOTH.check();
}
