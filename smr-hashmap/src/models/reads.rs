//! A reader, while the bucket changes and moves.

use super::support::{Reached, explore, key, play};
use crate::raw::Row;

/// A reader of an entry that is replaced twice: none is reused under the reader.
#[test]
fn reader_of_an_old_entry() {
    static OLD: Reached = Reached::new("the reader sees the first value");
    static NEW: Reached = Reached::new("the reader sees the last value");
    explore(2, || {
        let key = key(1, 0, 0);
        play(
            |bed, guard| assert!(bed.insert(key, 1, guard)),
            move |bed, own| bed.find(key, &own.pin()),
            move |bed, own| {
                for number in [2, 3] {
                    assert!(!bed.insert(key, number, &own.pin()));
                }
            },
            |all, one, ()| {
                OLD.hit_if(one == Some(1));
                NEW.hit_if(one == Some(3));
                assert!(one.is_some(), "a replaced key is never absent");
                assert_eq!(all, [(key, 3)]);
            },
        );
    });
    OLD.check();
    NEW.check();
}

/// A key that is there throughout is found, while its bucket is split and while it is
/// changed in the next table.
#[test]
fn reader_of_a_split() {
    static OLD: Reached = Reached::new("the reader sees the value before");
    static NEW: Reached = Reached::new("the reader sees the value after");
    explore(2, || {
        let key = key(2, 1, 0);
        play(
            |bed, guard| {
                assert!(bed.insert(key, 1, guard));
            },
            move |bed, own| {
                let guard = own.pin();
                (bed.find(key, &guard), bed.find(key, &guard))
            },
            move |bed, own| {
                let guard = bed.split(own);
                assert!(!bed.insert(key, 2, &guard));
            },
            |all, (one, two), ()| {
                OLD.hit_if(two == Some(1));
                NEW.hit_if(one == Some(2));
                assert!(one.is_some() && one <= two, "{one:?}, then {two:?}");
                assert_eq!(all, [(key, 2)]);
            },
        );
    });
    OLD.check();
    NEW.check();
}

/// Of two keys one is behind the link, and stays to be found there while its bucket is split
/// under the reader.
#[test]
fn reader_of_a_split_that_looks_behind_the_link() {
    explore(2, || {
        let (low, high) = (key(2, 0, 0), key(2, 1, 0));
        play(
            move |bed, guard| bed.begin_with([low, high], 2, guard),
            move |bed, own| {
                let guard = own.pin();
                (bed.find(low, &guard), bed.find(high, &guard))
            },
            move |bed, own| _ = bed.map.move_one(0, &own.pin()),
            |_, found, ()| assert_eq!(found, (Some(1), Some(2))),
        );
    });
}

/// As [`reader_of_a_split`], by look-ups in a row, which look at the bucket and at the entry
/// apart.
#[test]
fn row_of_a_split() {
    static OLD: Reached = Reached::new("a look-up sees the value before");
    static NEW: Reached = Reached::new("a look-up sees the value after");
    explore(2, || {
        let key = key(2, 1, 0);
        play(
            |bed, guard| assert!(bed.insert(key, 1, guard)),
            move |bed, own| {
                let guard = own.pin();
                let mut row = Row::new();
                row.take(&bed.map, &key, key);
                row.take(&bed.map, &key, key);
                let mut next = || {
                    let found = row.give(&bed.map, u64::eq, &guard);
                    let entry = found.expect("two were taken");
                    Some(entry?.value.number())
                };
                (next(), next())
            },
            move |bed, own| {
                let guard = bed.split(own);
                assert!(!bed.insert(key, 2, &guard));
            },
            |all, (one, two), ()| {
                OLD.hit_if(one == Some(1));
                NEW.hit_if(two == Some(2));
                assert!(one.is_some() && two.is_some(), "{one:?}, then {two:?}");
                assert_eq!(all, [(key, 2)]);
            },
        );
    });
    OLD.check();
    NEW.check();
}

/// An iteration meets a split, in which a key of the bucket changes: what is there
/// throughout is seen once.
#[test]
fn iteration_of_a_split() {
    static OLD: Reached = Reached::new("the iteration sees the value before");
    static NEW: Reached = Reached::new("the iteration sees the value after");
    explore(1, || {
        let (low, high) = (key(2, 0, 0), key(2, 1, 0));
        play(
            move |bed, guard| bed.begin_with([low, high], 2, guard),
            move |bed, own| bed.all_of(0..1, &own.pin()),
            move |bed, own| {
                let guard = own.pin();
                bed.map.move_one(0, &guard);
                assert!(!bed.insert(low, 3, &guard));
            },
            |all, mut seen, ()| {
                let mut expected = [(low, 1), (high, 2)];
                seen.sort_unstable();
                expected.sort_unstable();
                OLD.hit_if(seen.contains(&(low, 1)));
                NEW.hit_if(seen.contains(&(low, 3)));
                let keys = |pairs: &[(u64, u64)]| -> Vec<u64> {
                    pairs.iter().map(|(key, _)| *key).collect()
                };
                assert_eq!(keys(&seen), keys(&expected), "each once");
                assert_eq!(keys(all), keys(&expected));
            },
        );
    });
    OLD.check();
    NEW.check();
}

/// An iteration meets a merge: two buckets become one, which is seen from both. That it
/// does so shows the mutant `map_iter_all`.
#[test]
fn iteration_of_a_merge() {
    explore(1, || {
        let (low, high) = (key(2, 0, 0), key(2, 1, 0));
        play(
            |bed, guard| {
                assert!(bed.map.root_or_make(2).is_some());
                bed.begin_with([low, high], 1, guard);
            },
            move |bed, own| bed.all_of(0..2, &own.pin()),
            move |bed, own| bed.map.move_one(0, &own.pin()),
            |all, seen, ()| {
                assert_eq!(seen, all, "each once");
                assert_eq!(all.len(), 2);
            },
        );
    });
}
