//! Two writers of one bucket.

use super::support::{Reached, explore, key, play};

/// Two first insertions, which race for the table as well.
#[test]
fn first_insertions() {
    static FIRST: Reached = Reached::new("the other thread is first");
    explore(1, || {
        let key = key(1, 0, 0);
        play(
            |_, _| {},
            move |bed, own| bed.try_insert(key, 1, &own.pin()),
            move |bed, own| bed.try_insert(key, 2, &own.pin()),
            |all, one, two| {
                assert_ne!(one, two, "one of them wins");
                FIRST.hit_if(one);
                assert_eq!(all, [(key, if one { 1 } else { 2 })]);
            },
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
