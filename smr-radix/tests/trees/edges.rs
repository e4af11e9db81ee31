//! Input at the edges, and beyond them.

use std::ops::Bound::{Excluded, Included, Unbounded};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::support::{ByReference, InNodes, Kind, Lie, Mixed, TestKey};
use smr_core::{Domain, Guard};
use smr_radix::{InlineTree, Key, Mark, RadixTree, Tree};

fn panics(what: impl FnOnce()) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(what)).err()?;
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
}

#[test]
fn ranges_that_are_none_are_refused_as_btree_map_refuses_them() {
    let tree = InlineTree::from_iter((0..9_u32).map(|key| (key, key)));
    let guard = tree.guard();
    let (t, g) = (&tree, &guard);
    type Bounds = (std::ops::Bound<u32>, std::ops::Bound<u32>);
    type Method<'t> = (&'static str, Box<dyn Fn(Bounds) -> usize + 't>);
    let every: [Method<'_>; 4] = [
        ("range", Box::new(|b| t.range(b, g).count())),
        (
            "range_marked",
            Box::new(|b| t.range_marked(b, Mark::A, g).count()),
        ),
        (
            "set_mark_range",
            Box::new(|b| t.set_mark_range(b, Mark::A, g)),
        ),
        ("remove_range", Box::new(|b| t.remove_range(b, g))),
    ];
    for (name, with) in &every {
        for bounds in [
            (Included(5), Included(4)),
            (Included(5), Excluded(4)),
            (Excluded(5), Included(4)),
        ] {
            let said = panics(|| _ = with(bounds)).unwrap_or_default();
            assert!(said.contains("begins behind its end"), "{name}: {said}");
        }
        let said = panics(|| _ = with((Excluded(5), Excluded(5)))).unwrap_or_default();
        assert!(
            said.contains("begins and ends at the same key"),
            "{name}: {said}"
        );
        for empty in [
            (Included(5), Excluded(5)),
            (Excluded(5), Included(5)),
            (Excluded(5), Excluded(6)),
            (Excluded(u32::MAX), Unbounded),
            (Unbounded, Excluded(0)),
        ] {
            assert_eq!(with(empty), 0, "{name} {empty:?}");
        }
    }
    assert_eq!(tree.len(), 9);
}

/// All that can be asked of a tree with one entry, at the given key.
fn alone<K: TestKey, T: Kind>(key: K) {
    let tree = Tree::<K, T::Policy>::new();
    let guard = tree.guard();
    let (first, last) = (K::at(0), K::at(crate::support::last::<K>()));
    assert!(tree.first(&guard).is_none() && tree.last(&guard).is_none());
    assert!(tree.get(key, &guard).is_none() && tree.remove(key, &guard).is_none());
    assert_eq!(tree.next_gap(key, &guard), Some(key));
    assert!(!tree.set_mark(key, Mark::C, &guard));
    assert!(tree.cursor(key, &guard).key().is_none());
    assert!(tree.insert(key, T::value(9), &guard).is_none());
    let it = |found: Option<(K, _)>| found.map(|(key, value)| (key, T::number(value)));
    let there = Some((key, 9));
    assert_eq!(it(tree.first(&guard)), there);
    assert_eq!(it(tree.last(&guard)), there);
    assert_eq!(it(tree.get_ge(first, &guard)), there);
    assert_eq!(it(tree.get_le(last, &guard)), there);
    assert_eq!(it(tree.get_ge(key, &guard)), there);
    assert_eq!(it(tree.get_le(key, &guard)), there);
    assert_eq!(it(tree.get_gt(key, &guard)), None);
    assert_eq!(it(tree.get_lt(key, &guard)), None);
    assert_eq!(it(tree.get_ge(last, &guard)), there.filter(|_| key == last));
    assert_eq!(
        it(tree.get_le(first, &guard)),
        there.filter(|_| key == first)
    );
    assert_eq!(it(tree.range(key..=key, &guard).next()), there);
    assert_eq!(it(tree.range(.., &guard).next_back()), there);
    assert!(
        tree.range((Excluded(key), Unbounded), &guard)
            .next()
            .is_none()
    );
    assert!(tree.range(..key, &guard).next_back().is_none());
    assert_eq!(tree.contiguous(key, 5, &guard).count(), 1);
    assert_eq!(tree.contiguous(key, 0, &guard).count(), 0);
    assert_eq!(tree.next_gap(key, &guard), key.successor());
    let mut cursor = tree.cursor(key, &guard);
    assert_eq!(cursor.key(), Some(key));
    assert!(cursor.next().is_none() && cursor.next().is_none());
    assert_eq!(it(cursor.prev()), there);
    assert!(cursor.prev().is_none() && cursor.prev().is_none());
    assert_eq!(it(cursor.next()), there);
    assert!(tree.set_mark(key, Mark::C, &guard));
    assert_eq!(it(tree.iter_marked(Mark::C, &guard).next()), there);
    assert!(tree.iter_marked(Mark::A, &guard).next().is_none());
    assert_eq!(tree.remove_range(key..=key, &guard), 1);
    assert!(tree.is_empty());
    assert_eq!(tree.len(), 0);
    assert!(tree.iter_marked(Mark::C, &guard).next().is_none());
}

#[test]
fn one_entry_is_alone_at_either_end_of_every_key_type() {
    macro_rules! check {
        ($($key:ty),*) => {$(
            for random in 0..64 {
                let key = Lie::Edges.key::<$key>(random << 8 | random % 4);
                alone::<$key, ByReference>(key);
                alone::<$key, InNodes>(key);
                alone::<$key, Mixed>(key);
            }
        )*};
    }
    use std::num::NonZero;
    check!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);
    check!(NonZero<u8>, NonZero<i8>, NonZero<u64>, NonZero<i64>);
}

#[test]
fn keys_that_differ_in_one_digit_alone_are_told_apart() {
    for digit in 0..64 {
        let tree = RadixTree::new();
        let guard = tree.guard();
        for base in [0, u64::MAX, 0xaaaa_aaaa_aaaa_aaaa] {
            for key in [base, base ^ (1 << digit)] {
                tree.insert(key, key, &guard);
            }
        }
        let mut keys = [0, u64::MAX, 0xaaaa_aaaa_aaaa_aaaa]
            .map(|base| [base, base ^ (1 << digit)])
            .concat();
        keys.sort_unstable();
        assert!(tree.keys(&guard).eq(keys.iter().copied()));
        for key in keys {
            assert_eq!(tree.remove(key, &guard), Some(&key));
            assert_eq!(
                tree.get(key ^ (1 << digit), &guard).is_some(),
                tree.contains_key(key ^ (1 << digit), &guard)
            );
            assert_eq!(tree.get(key, &guard), None);
        }
        assert!(tree.is_empty());
    }
}

#[test]
fn words_of_any_size_come_back_and_replace_each_other() {
    let words: Vec<u64> = (0..64)
        .flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit])
        .chain([u64::MAX])
        .collect();
    let tree = InlineTree::new();
    let guard = tree.guard();
    for key in [0_u64, 1, u64::MAX] {
        let mut before = None;
        for word in &words {
            assert_eq!(tree.insert(key, *word, &guard), before);
            assert_eq!(tree.get(key, &guard), Some(*word));
            assert!(tree.compare_exchange(key, word ^ 1, 7, &guard).is_err());
            assert_eq!(tree.compare_exchange(key, *word, *word, &guard), Ok(*word));
            before = Some(*word);
        }
        assert_eq!(tree.remove(key, &guard), Some(u64::MAX));
    }
}

#[test]
fn pointers_in_nodes_lead_to_what_they_were_made_of() {
    use std::ptr::NonNull;

    let places: Vec<u64> = (0..100).collect();
    let tree = InlineTree::new();
    let guard = tree.guard();
    for (key, place) in places.iter().enumerate() {
        tree.insert(key, NonNull::from(place), &guard);
    }
    for (key, pointer) in &tree.iter(&guard).collect::<Vec<_>>() {
        // SAFETY: it was made of a place that is there.
        assert_eq!(unsafe { pointer.as_ref() }, &places[*key]);
    }
    let maybe = InlineTree::from_iter([(1_u8, None), (2, Some(NonNull::from(&places[0])))]);
    assert_eq!(maybe.get(1, &maybe.guard()), Some(None));
    assert_eq!(maybe.get(2, &maybe.guard()), Some(tree.get(0, &guard)));
}

#[test]
fn a_cursor_is_current_until_its_entry_goes_or_changes() {
    fn check<T: Kind>() {
        let tree = Tree::<u64, T::Policy>::new();
        let guard = tree.guard();
        tree.insert(70, T::value(1), &guard);
        let cursor = tree.cursor(70, &guard);
        assert!(cursor.still_current());
        // Its node comes, grows, shrinks and goes.
        (64..128).for_each(|key| _ = tree.try_insert(key, T::value(2), &guard));
        assert!(cursor.still_current(), "nodes are not its business");
        assert!(tree.set_mark(70, Mark::B, &guard));
        assert!(cursor.still_current(), "nor are marks");
        tree.retain(|key, _| key == 70, &guard);
        assert!(cursor.still_current());
        assert!(tree.remove(70, &guard).is_some());
        assert!(!cursor.still_current(), "it has gone");
        assert_eq!(cursor.value().map(T::number), Some(1), "and can be seen");
        tree.insert(70, T::value(1), &guard);
        assert_eq!(cursor.still_current(), !T::BY_REFERENCE, "an equal one");
        tree.insert(70, T::value(4), &guard);
        assert!(!cursor.still_current(), "another one");
        assert!(tree.cursor(70, &guard).still_current());
        assert!(!tree.cursor(71, &guard).still_current(), "at no entry");
    }
    check::<ByReference>();
    check::<InNodes>();
    check::<Mixed>();
}

#[test]
fn a_guard_of_another_domain_is_refused_by_every_method() {
    let tree = RadixTree::<u64, u32>::new_in(&Domain::new());
    tree.insert(1, 1, &tree.guard());
    let other = Domain::new();
    let guard = other.pin();
    let paused = tree.cursor(1, &tree.guard()).pause();
    let one = 1;
    type Refused<'a> = Box<dyn Fn(&'a RadixTree<u64, u32>, &'a Guard) + 'a>;
    let methods: Vec<Refused<'_>> = vec![
        Box::new(|t, g| _ = t.get(1, g)),
        Box::new(|t, g| _ = t.contains_key(1, g)),
        Box::new(|t, g| _ = t.insert(1, 2, g)),
        Box::new(|t, g| _ = t.try_insert_alloc(1, 2, g)),
        Box::new(|t, g| _ = t.insert_with_predecessor(1, 2, g)),
        Box::new(|t, g| _ = t.try_insert(1, 2, g)),
        Box::new(|t, g| _ = t.get_or_insert_with(1, || 2, g)),
        Box::new(|t, g| _ = t.replace(1, 2, g)),
        Box::new(|t, g| _ = t.compare_exchange(1, &one, 2, g)),
        Box::new(|t, g| _ = t.update(1, |n| n + 1, g)),
        Box::new(|t, g| _ = t.compute(1, |_| smr_radix::Change::Remove, g)),
        Box::new(|t, g| _ = t.remove(1, g)),
        Box::new(|t, g| _ = t.remove_if(1, |_| true, g)),
        Box::new(|t, g| _ = t.first(g)),
        Box::new(|t, g| _ = t.last(g)),
        Box::new(|t, g| _ = t.get_ge(1, g)),
        Box::new(|t, g| _ = t.get_gt(1, g)),
        Box::new(|t, g| _ = t.get_le(1, g)),
        Box::new(|t, g| _ = t.get_lt(1, g)),
        Box::new(|t, g| _ = t.iter(g)),
        Box::new(|t, g| _ = t.keys(g)),
        Box::new(|t, g| _ = t.values(g)),
        Box::new(|t, g| _ = t.range(1.., g)),
        Box::new(|t, g| _ = t.contiguous(1, 1, g)),
        Box::new(|t, g| _ = t.next_gap(1, g)),
        Box::new(|t, g| _ = t.cursor(1, g)),
        Box::new(move |t, g| _ = t.resume(paused, g)),
        Box::new(|t, g| _ = t.insert_batch([(1, 2)], g)),
        Box::new(|t, g| _ = t.remove_range(.., g)),
        Box::new(|t, g| t.retain(|_, _| false, g)),
        Box::new(|t, g| t.clear(g)),
        Box::new(|t, g| _ = t.set_mark(1, Mark::A, g)),
        Box::new(|t, g| _ = t.clear_mark(1, Mark::A, g)),
        Box::new(|t, g| _ = t.test_mark(1, Mark::A, g)),
        Box::new(|t, g| _ = t.set_mark_range(.., Mark::A, g)),
        Box::new(|t, g| _ = t.iter_marked(Mark::A, g)),
        Box::new(|t, g| _ = t.range_marked(.., Mark::A, g)),
    ];
    for (number, method) in methods.iter().enumerate() {
        let said = panics(|| method(&tree, &guard)).unwrap_or_default();
        assert!(
            said.contains("does not protect the domain of this tree"),
            "{number}: {said}"
        );
    }
    assert_eq!(tree.get(1, &tree.guard()), Some(&1));
}

#[test]
fn an_implementation_that_lies_about_its_keys_harms_no_memory() {
    /// Keys whose numbers do not come back.
    #[derive(Debug, Clone, Copy)]
    struct Lies(u64);
    impl Key for Lies {
        const BITS: u32 = 13;

        fn to_bits(self) -> u64 {
            self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        }

        fn from_bits(bits: u64) -> Self {
            Self(bits ^ 1)
        }
    }
    let tree = RadixTree::new();
    let guard = tree.guard();
    for key in 0..3000 {
        tree.insert(Lies(key), key.to_string(), &guard);
    }
    let seen = tree.iter(&guard).map(|(_, text)| text.len()).sum::<usize>();
    assert!(seen > 0);
    assert_eq!(
        tree.contiguous(Lies(7), 5, &guard).count(),
        1,
        "its neighbour is elsewhere"
    );
    tree.retain(|key, _| key.0 % 2 == 0, &guard);
    tree.clear(&guard);
    assert!(tree.is_empty());
}
