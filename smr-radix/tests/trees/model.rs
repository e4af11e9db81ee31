//! The trees against `BTreeMap`: all operations, in any order, on keys of every width
//! that lie in every way, with values of every kind.
//!
//! `PROPTEST_CASES=2000 cargo test --release -p smr-radix --test trees model::` is the deep
//! form.

#[path = "model/play.rs"]
mod play;

use std::num::NonZero;

use proptest::prelude::*;
use smr_radix::{InlineTree, Key, Mark, RadixTree};

use crate::support::{ByReference, InNodes, Kind, Lie, Mixed, TestKey};
use play::{Play, Step, What};

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (
        proptest::sample::select(What::weighted()),
        any::<u64>(),
        any::<u64>(),
        any::<u32>(),
    );
    let step = step.prop_map(|(what, a, b, number)| Step { what, a, b, number });
    proptest::collection::vec(step, 0..160)
}

/// Keys of one way to lie, or of all together; few, so that they are met again.
fn pool() -> impl Strategy<Value = (Lie, Vec<u64>)> {
    let lie = proptest::sample::select(&Lie::ALL[..]);
    (lie, proptest::collection::vec(any::<u64>(), 1..150))
}

fn check<K: TestKey, T: Kind>((lie, randoms): (Lie, Vec<u64>), steps: Vec<Step>, mixed: bool) {
    let lies = Lie::ALL.into_iter().cycle();
    let keys = randoms.iter().zip(lies).map(|(random, other)| {
        let lie = if mixed { other } else { lie };
        lie.key::<K>(*random)
    });
    let mut play = Play::<K, T>::new(keys.collect());
    for step in steps {
        play.step(step);
    }
    play.end();
}

/// The cases of a test: there are many tests.
fn cases() -> ProptestConfig {
    match std::env::var("PROPTEST_CASES") {
        Ok(_) => ProptestConfig::default(),
        Err(_) => ProptestConfig::with_cases(if cfg!(debug_assertions) { 12 } else { 64 }),
    }
}

macro_rules! is_a_btree_map {
    ($($name:ident: $key:ty),* $(,)?) => {$(
        mod $name {
            use super::*;

            proptest! {
                #![proptest_config(cases())]

                #[test]
                fn a_tree_of_references_is_a_btree_map(
                    pool in pool(), steps in steps(), mixed in any::<bool>(),
                ) {
                    check::<$key, ByReference>(pool, steps, mixed);
                }

                #[test]
                fn a_tree_of_small_values_is_a_btree_map(
                    pool in pool(), steps in steps(), mixed in any::<bool>(),
                ) {
                    check::<$key, InNodes>(pool, steps, mixed);
                }

                #[test]
                fn a_tree_of_small_and_large_values_is_a_btree_map(
                    pool in pool(), steps in steps(), mixed in any::<bool>(),
                ) {
                    check::<$key, Mixed>(pool, steps, mixed);
                }
            }
        }
    )*};
}

is_a_btree_map! {
    keys_u8: u8,
    keys_i8: i8,
    keys_u16: u16,
    keys_i16_not_zero: NonZero<i16>,
    keys_i32: i32,
    keys_u32_not_zero: NonZero<u32>,
    keys_u64: u64,
    keys_i64: i64,
    keys_u64_not_zero: NonZero<u64>,
    keys_usize: usize,
    keys_isize: isize,
}

/// All keys of eight bits, in an order that is none.
fn shuffled<K: Key>() -> impl Iterator<Item = K> {
    (0..256_u64).map(|n| K::from_bits((n * 167 + 13) % 256))
}

#[test]
fn a_tree_holds_every_key_of_its_type() {
    fn check<K: TestKey>() {
        let tree = InlineTree::<K, u64>::new();
        let guard = tree.guard();
        for (at, key) in shuffled::<K>().enumerate() {
            assert_eq!(tree.insert(key, key.to_bits(), &guard), None);
            assert_eq!(tree.len(), at + 1);
        }
        assert!(tree.iter(&guard).map(|(key, _)| key.to_bits()).eq(0..256));
        let back = tree.iter(&guard).rev().map(|(_, bits)| bits);
        assert!(back.eq((0..256).rev()));
        let (first, last) = (K::from_bits(0), K::from_bits(255));
        assert_eq!(tree.next_gap(first, &guard), None, "it does not wrap");
        assert_eq!(tree.contiguous(first, usize::MAX, &guard).count(), 256);
        assert_eq!(tree.get_gt(last, &guard), None);
        assert_eq!(tree.get_lt(first, &guard), None);
        for key in shuffled::<K>() {
            assert_eq!(tree.remove(key, &guard), Some(key.to_bits()));
        }
        assert!(tree.is_empty() && tree.first(&guard).is_none());
    }
    check::<u8>();
    check::<i8>();
}

#[test]
fn runs_of_keys_without_zero_go_on_from_minus_one_to_one() {
    let key = |n| NonZero::<i32>::new(n).unwrap();
    let tree = RadixTree::from_iter([-3, -2, -1, 1, 2, 4].map(|n| (key(n), n)));
    let guard = tree.guard();
    let run = tree.contiguous(key(-3), 10, &guard).map(|(_, n)| *n);
    assert!(run.eq([-3, -2, -1, 1, 2]));
    assert_eq!(tree.next_gap(key(-2), &guard), Some(key(3)));
}

#[test]
fn marks_stay_when_their_neighbours_make_nodes_grow_and_shrink() {
    fn check<T: Kind>() {
        let tree = smr_radix::Tree::<u64, T::Policy>::new();
        let guard = tree.guard();
        let stays = |key: u64| key.is_multiple_of(7);
        for key in (0..500).filter(|key| stays(*key)) {
            tree.insert(key, T::value(1), &guard);
            assert!(tree.set_mark(key, Mark::ALL[key as usize % 3], &guard));
        }
        for round in 0..3_u64 {
            for key in (0..500).filter(|key| !stays(*key)) {
                tree.insert(key << round, T::value(2), &guard);
            }
            for key in (0..500).filter(|key| !stays(*key) && !stays(key << round)) {
                assert!(tree.remove(key << round, &guard).is_some());
            }
            for (at, mark) in Mark::ALL.into_iter().enumerate() {
                let marked = tree.iter_marked(mark, &guard).map(|(key, _)| key);
                let right = (0..500).filter(|key| stays(*key) && *key as usize % 3 == at);
                assert!(marked.eq(right), "{mark:?}");
            }
        }
    }
    check::<ByReference>();
    check::<InNodes>();
}
