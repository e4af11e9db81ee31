//! When values are dropped, and that memory comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use crate::support::{ByReference, Counted, InNodes, Kind, Lie, Mixed};
use smr_core::{BarrierKind, Domain};
use smr_radix::{InlineTree, RadixTree, Tree};

/// In a fresh domain with each kind of barrier.
fn every_barrier(test: impl Fn(&Domain)) {
    for kind in [BarrierKind::Auto, BarrierKind::Fence] {
        test(&Domain::builder().barrier(kind).build().unwrap());
    }
}

#[test]
fn the_last_reader_drops_though_writers_have_stopped() {
    every_barrier(|domain| {
        for by_owned in [false, true] {
            let live = Arc::new(AtomicUsize::new(0));
            let tree = RadixTree::new_in(domain);
            tree.insert(1_u64, Counted::new(&live, 1), &tree.guard());
            let guards = (
                (!by_owned).then(|| tree.guard()),
                by_owned.then(|| tree.owned_guard()),
            );
            thread::scope(|scope| {
                scope.spawn(|| assert!(tree.remove(1, &tree.guard()).is_some()));
            });
            assert_eq!(live.load(SeqCst), 1, "dropped under a reader");
            drop(guards);
            assert_eq!(live.load(SeqCst), 0, "left behind");
        }
    });
}

#[test]
fn a_burst_is_dropped_by_the_readers_that_follow() {
    every_barrier(|domain| {
        let live = Arc::new(AtomicUsize::new(0));
        let tree = RadixTree::new_in(domain);
        for key in 0..1000_u64 {
            tree.insert(key, Counted::new(&live, 1), &tree.guard());
        }
        assert_eq!(tree.remove_range(.., &tree.guard()), 1000);
        thread::sleep(Duration::from_millis(2));
        for key in 0..16 {
            tree.contains_key(key, &tree.guard());
        }
        assert_eq!(live.load(SeqCst), 0);
    });
}

#[test]
fn barrier_and_flush_drop_what_was_removed_and_replaced() {
    let live = Arc::new(AtomicUsize::new(0));
    let tree = RadixTree::new_in(&Domain::new());
    for round in 0..3_u32 {
        for key in 0..500_u64 {
            tree.insert(key << 7, Counted::new(&live, round), &tree.guard());
        }
        tree.flush();
        assert_eq!(live.load(SeqCst), 500, "those that are in the tree");
    }
    tree.clear(&tree.guard());
    tree.barrier();
    assert_eq!(live.load(SeqCst), 0);
}

#[test]
fn a_tree_that_ends_drops_each_of_its_values_once() {
    for lie in Lie::ALL {
        let live = Arc::new(AtomicUsize::new(0));
        let fill = || {
            let tree = RadixTree::<u64, Counted>::new();
            for random in 0..400_u64 {
                let random = random.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                tree.insert(lie.key(random), Counted::new(&live, 0), &tree.guard());
            }
            tree
        };
        drop(fill());
        assert_eq!(live.load(SeqCst), 0, "{lie:?}");
        let tree = fill();
        let (all, copy) = (tree.len(), tree.clone());
        let mut left = tree.into_iter();
        assert!(left.next().is_some());
        assert!(
            live.load(SeqCst) >= 2 * all - 1,
            "{lie:?}: dropped too early"
        );
        drop(left);
        assert_eq!(live.load(SeqCst), all, "{lie:?}: the copy has its own");
        let mut copy = copy;
        assert!(copy.drain().next().is_some());
        assert_eq!(live.load(SeqCst), 0, "{lie:?}");
        assert!(copy.is_empty());
        // It is as good as new.
        copy.insert(7, Counted::new(&live, 0), &copy.guard());
        assert_eq!((copy.len(), live.load(SeqCst)), (1, 1));
    }
}

#[test]
fn memory_comes_back_when_everything_has_been_removed() {
    fn check<T: Kind>() {
        for lie in Lie::ALL {
            let domain = Domain::new();
            let tree = Tree::<u64, T::Policy>::new_in(&domain);
            assert_eq!(tree.memory_usage(), 0, "an empty tree owns no heap");
            let mut most = 0;
            for round in 0..4_u64 {
                for random in 0..3000_u64 {
                    let random = (random + 1000 * round).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    tree.insert(lie.key(random), T::value(1), &tree.guard());
                }
                assert!(!tree.is_empty());
                most = most.max(tree.memory_usage());
                let all = tree.len();
                assert_eq!(tree.remove_range(.., &tree.guard()), all);
                assert_eq!(tree.len(), 0);
            }
            tree.flush();
            tree.trim();
            let left = tree.memory_usage();
            assert_eq!(left, 0, "{lie:?}: {left} bytes are left of {most}");
            let stats = tree.stats();
            assert_eq!((stats.live_items, stats.retired_items), (0, 0), "{lie:?}");
        }
    }
    check::<ByReference>();
    check::<InNodes>();
    check::<Mixed>();
}

#[test]
fn values_may_borrow_what_outlives_the_tree() {
    let text = String::from("a b c");
    let tree = RadixTree::new();
    for (key, word) in text.split(' ').enumerate() {
        tree.insert(key, word, &tree.guard());
    }
    assert!(tree.values(&tree.guard()).eq(&["a", "b", "c"]));
}

#[test]
fn dense_small_values_take_some_ten_bytes_a_key() {
    const KEYS: usize = 64 * 64 * 64;
    for by_one_guard in [false, true] {
        let tree = InlineTree::<u64, u32>::new_in(&Domain::new());
        let keys = (0..KEYS as u64).map(|key| (key, 7));
        if by_one_guard {
            tree.insert_batch(keys, &tree.guard());
        } else {
            keys.for_each(|(key, value)| _ = tree.insert(key, value, &tree.guard()));
        }
        tree.flush();
        tree.trim();
        let bytes = tree.memory_usage();
        assert!(bytes < 11 * KEYS, "{bytes} bytes: {:?}", tree.stats());
    }
}
