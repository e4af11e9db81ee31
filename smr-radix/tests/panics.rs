//! Clones, closures and destructors that panic, each at every place where it is called:
//! the tree stays as it should be, and every value is dropped once.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::thread;

use smr_core::Domain;
use smr_radix::{Change, Mark, RadixTree};

/// So many are retired beforehand, under guards of the domain: they wait, and are
/// dropped while others are being retired.
const WAITING: u32 = 600;

/// Who counts calls, panics at one of them, and notes which values were dropped.
#[derive(Default)]
struct Ledger {
    calls: Cell<usize>,
    /// The call that panics.
    fuse: Cell<usize>,
    drops: RefCell<Vec<u32>>,
}

impl Ledger {
    fn call(&self) {
        let call = self.calls.get();
        self.calls.set(call + 1);
        if call == self.fuse.get() && !thread::panicking() {
            panic!("as the test wants it");
        }
    }

    fn value(self: &Rc<Self>, number: u32) -> Fused {
        let mut drops = self.drops.borrow_mut();
        drops.push(0);
        Fused {
            number,
            place: drops.len() - 1,
            ledger: Rc::clone(self),
        }
    }
}

struct Fused {
    number: u32,
    place: usize,
    ledger: Rc<Ledger>,
}

impl Drop for Fused {
    fn drop(&mut self) {
        self.ledger.drops.borrow_mut()[self.place] += 1;
        self.ledger.call();
    }
}

impl Clone for Fused {
    fn clone(&self) -> Self {
        self.ledger.call();
        self.ledger.value(self.number)
    }
}

impl PartialEq for Fused {
    fn eq(&self, other: &Self) -> bool {
        self.ledger.call();
        self.number == other.number
    }
}

type Tree = RadixTree<u32, Fused>;

/// Keys that share nodes of every size, and some that are far away.
fn keys() -> impl Iterator<Item = u32> {
    (0..20).chain([100, 5000, 1 << 20, u32::MAX])
}

fn full(ledger: &Rc<Ledger>) -> Tree {
    let tree = RadixTree::new_in(&Domain::new());
    for _ in 0..WAITING {
        tree.insert(1, ledger.value(1), &tree.domain().pin());
        tree.remove(1, &tree.domain().pin());
    }
    for key in keys() {
        tree.insert(key, ledger.value(key), &tree.domain().pin());
    }
    tree.set_mark(5000, Mark::A, &tree.domain().pin());
    tree
}

/// Runs `work` on a tree, with a panic at its first call of user code, its second, and
/// so on until it makes no more. After each run the tree must hold what an iteration
/// says, be emptied by that, and have dropped every value once.
fn at_every_call(work: impl Fn(&mut Tree, &Rc<Ledger>)) {
    for fuse in 0.. {
        let ledger = Rc::new(Ledger::default());
        ledger.fuse.set(usize::MAX);
        let mut tree = full(&ledger);
        ledger.calls.set(0);
        ledger.fuse.set(fuse);
        let worked = catch_unwind(AssertUnwindSafe(|| work(&mut tree, &ledger)));
        let came_through = ledger.calls.get() <= fuse;
        assert_eq!(
            worked.is_err(),
            !came_through,
            "a panic that nobody planned"
        );
        ledger.fuse.set(usize::MAX);
        {
            let guard = tree.guard();
            let found: Vec<u32> = tree.keys(&guard).collect();
            assert!(
                found.is_sorted_by(|a, b| a < b),
                "panic at {fuse}: {found:?}"
            );
            assert_eq!(tree.len(), found.len(), "panic at {fuse}");
            tree.insert(77, ledger.value(77), &guard);
            assert_eq!(tree.get(77, &guard).map(|value| value.number), Some(77));
            for key in found.into_iter().chain([77]) {
                assert_eq!(
                    tree.get(key, &guard).is_some(),
                    tree.remove(key, &guard).is_some()
                );
            }
            assert!(tree.is_empty(), "panic at {fuse}");
        }
        drop(tree);
        let drops = ledger.drops.borrow();
        let wrong: Vec<_> = (0..drops.len()).filter(|n| drops[*n] != 1).collect();
        assert!(wrong.is_empty(), "panic at {fuse}: {wrong:?} of {drops:?}");
        if came_through {
            assert!(fuse > 0, "no user code was called");
            return;
        }
    }
}

#[test]
fn inserting_survives_a_panic_anywhere() {
    at_every_call(|tree, ledger| {
        for key in [3, 21, 300, 1 << 30] {
            tree.insert(key, ledger.value(1), &tree.domain().pin());
            _ = tree.try_insert(key, ledger.value(2), &tree.guard());
            let make = || (ledger.call(), ledger.value(3)).1;
            tree.get_or_insert_with(key + 1, make, &tree.guard());
            tree.insert_with_predecessor(key, ledger.value(4), &tree.guard());
            _ = tree.try_insert_alloc(key, ledger.value(5), &tree.guard());
        }
        let made = (0..5).map(|key| (ledger.call(), (key * 7, ledger.value(6))).1);
        tree.insert_batch(made, &tree.guard());
        tree.flush();
    });
}

#[test]
fn changing_survives_a_panic_anywhere() {
    at_every_call(|tree, ledger| {
        let guard = tree.domain().pin();
        _ = tree.replace(3, ledger.value(1), &guard);
        _ = tree.replace(400, ledger.value(1), &guard);
        let seen = tree.get(4, &guard).expect("it is there");
        _ = tree.compare_exchange(4, seen, ledger.value(2), &guard);
        _ = tree.compare_exchange(4, seen, ledger.value(2), &guard);
        let again = |old: &Fused| (ledger.call(), old.clone()).1;
        tree.update(5, again, &guard);
        for _ in 0..3 {
            let change = |now: Option<&Fused>| {
                ledger.call();
                match now {
                    Some(now) if now.number == 6 => Change::Put(ledger.value(60)),
                    Some(_) => Change::Remove,
                    None => Change::Leave,
                }
            };
            tree.compute(6, change, &guard);
        }
        drop(guard);
        tree.flush();
    });
}

#[test]
fn removing_survives_a_panic_anywhere() {
    at_every_call(|tree, ledger| {
        tree.remove(3, &tree.guard());
        tree.remove_if(4, |_| (ledger.call(), true).1, &tree.guard());
        tree.remove_if(5, |_| (ledger.call(), false).1, &tree.guard());
        tree.retain(
            |key, _| (ledger.call(), key % 3 > 0).1,
            &tree.domain().pin(),
        );
        tree.remove_range(10..15, &tree.guard());
        tree.clear(&tree.domain().pin());
        tree.flush();
    });
}

#[test]
fn copying_and_comparing_survive_a_panic_anywhere() {
    at_every_call(|tree, ledger| {
        let copy = tree.clone();
        assert!(copy == *tree);
        drop(copy);
        tree.extend((0..3).map(|key| (ledger.call(), (key * 9, ledger.value(1))).1));
    });
}

#[test]
fn draining_survives_a_panic_anywhere() {
    at_every_call(|tree, ledger| {
        tree.drain().take(3).for_each(|_| ledger.call());
        assert!(tree.is_empty());
        for key in keys() {
            tree.insert(key, ledger.value(1), &tree.domain().pin());
        }
        drop(std::mem::take(tree).into_iter().nth(4));
    });
}

#[test]
fn dropping_a_tree_survives_a_panic_anywhere() {
    at_every_call(|tree, _| drop(std::mem::take(tree)));
}
