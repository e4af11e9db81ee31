//! Ordered maps under one lock.

use std::collections::{BTreeMap, LinkedList};

use parking_lot::{Mutex, RwLock};

use super::{Ordered, Walk};
use crate::subjects::Subject;

/// A B-tree under a lock of readers and writers.
#[derive(Debug)]
pub(crate) struct Tree(RwLock<BTreeMap<u64, u64>>);

impl Subject for Tree {
    const NAME: &'static str = "rwlock-btreemap";
    const ABOUT: &'static str = "parking_lot::RwLock<BTreeMap>";
}

impl Walk for Tree {
    fn new() -> Self {
        Self(RwLock::default())
    }

    fn put(&mut self, key: u64, value: u64) {
        self.0.get_mut().insert(key, value);
    }

    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        self.0.read().get(&key).copied()
    }

    fn audit(&self) -> (u64, bool) {
        (self.0.read().len() as u64, true)
    }
}

impl Ordered for Tree {
    #[inline(always)]
    fn insert(&self, key: u64, value: u64) -> bool {
        let mut tree = self.0.write();
        let new = !tree.contains_key(&key);
        if new {
            tree.insert(key, value);
        }
        new
    }

    #[inline(always)]
    fn remove(&self, key: u64) -> bool {
        self.0.write().remove(&key).is_some()
    }
}

/// A doubly linked list in order under a lock. It has no stable cursor, so it is cut
/// at the place and joined again, which moves nothing.
#[derive(Debug)]
pub(crate) struct Linked(Mutex<LinkedList<(u64, u64)>>);

impl Subject for Linked {
    const NAME: &'static str = "mutex-linkedlist";
    const ABOUT: &'static str = "parking_lot::Mutex<LinkedList>, kept in order";
}

impl Walk for Linked {
    fn new() -> Self {
        Self(Mutex::default())
    }

    fn put(&mut self, key: u64, value: u64) {
        self.insert(key, value);
    }

    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        let list = self.0.lock();
        let place = list.iter().find(|(other, _)| *other >= key);
        place
            .filter(|(other, _)| *other == key)
            .map(|(_, value)| *value)
    }

    fn audit(&self) -> (u64, bool) {
        let list = self.0.lock();
        (
            list.len() as u64,
            list.iter().is_sorted_by(|a, b| a.0 < b.0),
        )
    }
}

/// The place of a key, and whether it is there.
fn place(list: &LinkedList<(u64, u64)>, key: u64) -> (usize, bool) {
    for (at, (other, _)) in list.iter().enumerate() {
        if *other >= key {
            return (at, *other == key);
        }
    }
    (list.len(), false)
}

impl Ordered for Linked {
    fn insert(&self, key: u64, value: u64) -> bool {
        let mut list = self.0.lock();
        let (at, found) = place(&list, key);
        if !found {
            let mut behind = list.split_off(at);
            list.push_back((key, value));
            list.append(&mut behind);
        }
        !found
    }

    fn remove(&self, key: u64) -> bool {
        let mut list = self.0.lock();
        let (at, found) = place(&list, key);
        if found {
            let mut behind = list.split_off(at);
            behind.pop_front();
            list.append(&mut behind);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subjects::lists::testing;

    #[test]
    fn the_adapters_do_as_told() {
        testing::writes_as_told::<Tree>();
        testing::writes_as_told::<Linked>();
    }
}
