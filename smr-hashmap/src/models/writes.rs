//! Two writers of one bucket.

use smr_core::{Guard, LocalHandle};

use super::support::{Bed, Note, Reached, explore, key, play};

/// One inserts a key with 1 into what `first` made, `two` does so with 2: one is first, and
/// the key is there once.
#[track_caller]
fn race(
    seen: &'static Reached,
    key: u64,
    first: impl FnOnce(&Bed, &Guard),
    two: impl FnOnce(&Bed, &LocalHandle) -> bool,
) {
    play(
        first,
        move |bed, own| bed.try_insert(key, 1, &own.pin()),
        two,
        |all, one, two| {
            seen.hit_if(one);
            assert_ne!(one, two, "one of them is first");
            assert_eq!(all, [(key, if one { 1 } else { 2 })]);
        },
    );
}

/// Two first insertions, which race for the table as well.
#[test]
fn first_insertions() {
    static FIRST: Reached = Reached::new("the other thread is first");
    explore(1, || {
        let key = key(1, 0, 0);
        race(
            &FIRST,
            key,
            |_, _| {},
            |bed, own| bed.try_insert(key, 2, &own.pin()),
        );
    });
    FIRST.check();
}

/// One inserts a key that the other removes.
#[test]
fn insertion_and_removal() {
    static REMOVED: Reached = Reached::new("what was just inserted is removed");
    static MISSED: Reached = Reached::new("the removal is first");
    explore(1, || {
        let (there, key) = (key(1, 0, 0), key(1, 0, 1));
        play(
            |bed, guard| assert!(bed.insert(there, 7, guard)),
            move |bed, own| bed.insert(key, 1, &own.pin()),
            move |bed, own| bed.remove(key, &own.pin()),
            |all, one, two| {
                assert!(one);
                REMOVED.hit_if(two.is_some());
                MISSED.hit_if(two.is_none());
                let both = [(there, 7), (key, 1)];
                assert_eq!(all, &both[..if two.is_some() { 1 } else { 2 }]);
            },
        );
    });
    REMOVED.check();
    MISSED.check();
}

/// One changes what the other removes.
#[test]
fn update_and_removal() {
    static UPDATED: Reached = Reached::new("the update is first");
    static GONE: Reached = Reached::new("the removal is first");
    explore(1, || {
        let key = key(1, 0, 0);
        play(
            |bed, guard| assert!(bed.insert(key, 1, guard)),
            move |bed, own| bed.add(key, 10, &own.pin()),
            move |bed, own| bed.remove(key, &own.pin()),
            |all, one, two| {
                UPDATED.hit_if(one.is_some());
                GONE.hit_if(one.is_none());
                assert_eq!(two, Some(if one.is_some() { 11 } else { 1 }));
                assert_eq!(all, []);
            },
        );
    });
    UPDATED.check();
    GONE.check();
}

/// Two count up one number.
#[test]
fn updates() {
    static FIRST: Reached = Reached::new("the other thread is first");
    explore(1, || {
        let key = key(1, 0, 0);
        play(
            |bed, guard| assert!(bed.insert(key, 1, guard)),
            move |bed, own| bed.add(key, 10, &own.pin()),
            move |bed, own| bed.add(key, 100, &own.pin()),
            |all, one, two| {
                FIRST.hit_if(one == Some(1));
                assert!(one == Some(1) || two == Some(1));
                assert_eq!(all, [(key, 111)], "an update was lost");
            },
        );
    });
    FIRST.check();
}

/// Two insert one key into a bucket that has free slots: one of them is first.
#[test]
fn insertions_of_one_key() {
    static FIRST: Reached = Reached::new("the other thread is first");
    explore(2, || {
        let (key, others) = (key(1, 0, 0), [key(1, 0, 1), key(1, 0, 2)]);
        race(
            &FIRST,
            key,
            |bed, guard| bed.widen(others, guard),
            |bed, own| bed.try_insert(key, 2, &own.pin()),
        );
    });
    FIRST.check();
}

/// An insertion, and one of the same key into a slot that is freed meanwhile.
#[test]
fn insertions_into_a_freed_slot() {
    static FIRST: Reached = Reached::new("the other thread is first");
    explore(2, || {
        let (old, key, other) = (key(1, 0, 0), key(1, 0, 1), key(1, 0, 2));
        race(
            &FIRST,
            key,
            |bed, guard| {
                assert!(bed.insert(old, 7, guard));
                assert!(bed.insert(other, 8, guard));
                assert!(bed.remove(other, guard).is_some());
            },
            |bed, own| {
                let guard = own.pin();
                assert_eq!(bed.remove(old, &guard), Some(7));
                bed.try_insert(key, 2, &guard)
            },
        );
    });
    FIRST.check();
}

/// Two insert keys of their own into a bucket that has one slot left: the other follows.
#[test]
fn insertions_into_the_last_slot() {
    explore(1, || {
        let (one, two) = (key(1, 0, 1), key(1, 0, 2));
        play(
            |bed, _| assert!(bed.map.root_or_make(1).is_some()),
            move |bed, own| assert!(bed.try_insert(one, 1, &own.pin())),
            move |bed, own| assert!(bed.try_insert(two, 2, &own.pin())),
            |all, (), ()| assert_eq!(all.len(), 2),
        );
    });
}

/// Who does not find what was removed finds what came before its removal.
#[test]
fn removal_and_what_came_before() {
    static GONE: Reached = Reached::new("the key is gone");
    explore(1, || {
        let key = key(1, 0, 0);
        let note = std::sync::Arc::new(Note::default());
        let theirs = std::sync::Arc::clone(&note);
        play(
            |bed, guard| assert!(bed.insert(key, 1, guard)),
            move |bed, own| {
                let guard = own.pin();
                theirs.write();
                assert_eq!(bed.remove(key, &guard), Some(1));
            },
            move |bed, own| {
                let guard = own.pin();
                let is_gone = bed.find(key, &guard).is_none();
                GONE.hit_if(is_gone);
                if is_gone {
                    note.read();
                }
            },
            |all, (), ()| assert!(all.is_empty()),
        );
    });
    GONE.check();
}
