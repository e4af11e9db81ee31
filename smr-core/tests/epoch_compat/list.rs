//! An ordered set as a linked list, after Harris and Michael: the tag 1 on the
//! `next` of a node says that the node is removed.

use super::epoch::{self, Atomic, Guard, Owned, Shared, unprotected};
use super::support::{Counted, Drops, on_threads};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

const REMOVED: usize = 1;

#[derive(Default)]
struct Set {
    head: Atomic<Node>,
}

struct Node {
    value: Counted,
    next: Atomic<Node>,
}

/// Where a key is, or would be.
struct Place<'g> {
    link: &'g Atomic<Node>,
    /// The first node whose key is not smaller.
    node: Shared<'g, Node>,
    found: bool,
}

impl Set {
    fn find<'g>(&'g self, key: u64, guard: &'g Guard) -> Place<'g> {
        'again: loop {
            let mut link = &self.head;
            let mut node = link.load(Acquire, guard);
            loop {
                // SAFETY: the guard protects it.
                let Some(here) = (unsafe { node.as_ref() }) else {
                    let found = false;
                    return Place { link, node, found };
                };
                let next = here.next.load(Acquire, guard);
                if next.tag() == REMOVED {
                    let next = next.with_tag(0);
                    if link
                        .compare_exchange(node, next, AcqRel, Acquire, guard)
                        .is_err()
                    {
                        continue 'again;
                    }
                    // SAFETY: unlinked by us alone.
                    unsafe { guard.defer_destroy(node) };
                    node = next;
                } else if here.value.id < key {
                    link = &here.next;
                    node = next;
                } else {
                    let found = here.value.id == key;
                    return Place { link, node, found };
                }
            }
        }
    }

    fn insert(&self, value: Counted) -> bool {
        let guard = &epoch::pin();
        let key = value.id;
        let mut new = Owned::new(Node {
            value,
            next: Atomic::null(),
        });
        loop {
            let place = self.find(key, guard);
            if place.found {
                return false;
            }
            new.next.store(place.node, Relaxed);
            match place
                .link
                .compare_exchange(place.node, new, Release, Relaxed, guard)
            {
                Ok(_) => return true,
                Err(e) => new = e.new,
            }
        }
    }

    fn remove(&self, key: u64) -> bool {
        let guard = &epoch::pin();
        let place = self.find(key, guard);
        if !place.found {
            return false;
        }
        // SAFETY: found, so not null; the guard protects it.
        let node = unsafe { place.node.deref() };
        let next = node.next.fetch_or(REMOVED, AcqRel, guard);
        if next.tag() == REMOVED {
            return false; // somebody else was first
        }
        if place
            .link
            .compare_exchange(place.node, next, Release, Relaxed, guard)
            .is_ok()
        {
            // SAFETY: unlinked by us alone.
            unsafe { guard.defer_destroy(place.node) };
        } else {
            self.find(key, guard);
        }
        true
    }

    fn contains(&self, key: u64) -> bool {
        self.find(key, &epoch::pin()).found
    }

    fn keys(&self) -> Vec<u64> {
        let guard = &epoch::pin();
        let mut keys = Vec::new();
        let mut node = self.head.load(Acquire, guard);
        // SAFETY: the guard protects it.
        while let Some(here) = unsafe { node.as_ref() } {
            node = here.next.load(Acquire, guard);
            if node.tag() != REMOVED {
                keys.push(here.value.id);
            }
        }
        keys
    }
}

impl Drop for Set {
    fn drop(&mut self) {
        // SAFETY: the set is ours alone.
        let guard = unsafe { unprotected() };
        let mut node = self.head.load(Relaxed, guard).with_tag(0);
        // SAFETY: nobody else reaches the nodes any more.
        while let Some(here) = unsafe { node.try_into_owned() } {
            node = here.next.load(Relaxed, guard).with_tag(0);
        }
    }
}

#[test]
fn set_is_ordered_and_has_no_duplicates() {
    let drops = Drops::default();
    let set = Set::default();
    for key in [5, 1, 4, 2, 3] {
        assert!(set.insert(drops.value(key)));
        assert!(!set.insert(drops.value(key)));
    }
    assert_eq!(set.keys(), [1, 2, 3, 4, 5]);
    assert!(set.remove(3) && !set.remove(3));
    assert!(set.contains(4) && !set.contains(3));
    assert_eq!(set.keys(), [1, 2, 4, 5]);
    drop(set);
    drops.settle_at(10);
}

#[test]
fn set_balances_inserts_and_removes_of_each_key() {
    const KEYS: u64 = 16;
    let drops = Drops::default();
    let set = Set::default();
    let inserted: Vec<_> = (0..KEYS).map(|_| AtomicUsize::new(0)).collect();
    let removed: Vec<_> = (0..KEYS).map(|_| AtomicUsize::new(0)).collect();
    on_threads(4, |thread| {
        let mut random = thread + 1;
        for _ in 0..3_000 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let key = random % KEYS;
            match random >> 32 & 3 {
                0 => drop(set.contains(key)),
                1 => drop(
                    set.remove(key)
                        .then(|| removed[key as usize].fetch_add(1, SeqCst)),
                ),
                _ => {
                    if set.insert(drops.value(key)) {
                        inserted[key as usize].fetch_add(1, SeqCst);
                    }
                }
            }
        }
    });
    let keys = set.keys();
    assert!(keys.is_sorted_by(|a, b| a < b));
    for key in 0..KEYS {
        let balance = inserted[key as usize].load(SeqCst) - removed[key as usize].load(SeqCst);
        assert_eq!(balance, usize::from(keys.contains(&key)));
    }
}

#[test]
fn set_drops_each_node_once() {
    const KEYS: u64 = 500;
    let drops = Drops::default();
    let set = Set::default();
    on_threads(2, |thread| {
        for key in (0..KEYS).map(|key| 2 * key + thread) {
            assert!(set.insert(drops.value(key)));
            assert!(key % 3 == 0 || set.remove(key));
        }
    });
    drop(set);
    drops.settle_at(2 * KEYS as usize);
}
