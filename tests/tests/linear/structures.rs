//! Structures behind a lock, and the same with a mistake: they let go of it in
//! the middle of an operation.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Mutex;
use std::thread;

use smr_tests::linear::drive::{Map, Sequence, Set};

/// Lets the others in.
fn gap() {
    thread::yield_now();
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    /// The lock is free between the check and the act.
    Gap,
    /// A replaced key is removed first.
    Absent,
}

/// A map behind a lock.
#[derive(Debug)]
pub(crate) struct Locked {
    map: Mutex<HashMap<u64, u64>>,
    mistake: Mistake,
}

impl Locked {
    fn new(mistake: Mistake) -> Self {
        Self {
            map: Mutex::default(),
            mistake,
        }
    }

    pub(crate) fn sound() -> Self {
        Self::new(Mistake::None)
    }

    pub(crate) fn with_a_gap() -> Self {
        Self::new(Mistake::Gap)
    }

    pub(crate) fn absent_at_times() -> Self {
        Self::new(Mistake::Absent)
    }

    /// Reads, decides and writes. Gives what was read and what was written.
    fn change(
        &self,
        key: u64,
        decide: impl FnOnce(Option<u64>) -> Option<u64>,
    ) -> (Option<u64>, Option<u64>) {
        let mut map = self.map.lock().unwrap();
        let old = map.get(&key).copied();
        let new = decide(old);
        if self.mistake != Mistake::None && new != old {
            if self.mistake == Mistake::Absent {
                map.remove(&key);
            }
            drop(map);
            gap();
            map = self.map.lock().unwrap();
        }
        match new {
            Some(new) => map.insert(key, new),
            None => map.remove(&key),
        };
        (old, new)
    }
}

impl Map for Locked {
    fn get(&self, key: u64) -> Option<u64> {
        self.map.lock().unwrap().get(&key).copied()
    }

    fn insert(&self, key: u64, new: u64) -> Option<u64> {
        self.change(key, |_| Some(new)).0
    }

    fn try_insert(&self, key: u64, new: u64) -> Option<u64> {
        self.change(key, |old| old.or(Some(new))).0
    }

    fn remove(&self, key: u64) -> Option<u64> {
        self.change(key, |_| None).0
    }

    fn add(&self, key: u64, by: u64) -> Option<u64> {
        self.change(key, |old| old.map(|old| old.wrapping_add(by)))
            .1
    }

    fn swap(&self, key: u64, expected: Option<u64>, new: Option<u64>) -> Option<u64> {
        self.change(key, |old| if old == expected { new } else { old })
            .0
    }
}

/// A stack or a queue behind a lock.
#[derive(Debug)]
pub(crate) struct LockedSequence {
    values: Mutex<VecDeque<u64>>,
    /// What is taken out: the last that came in, or the first.
    last: bool,
    gap: bool,
}

impl LockedSequence {
    pub(crate) fn stack() -> Self {
        Self {
            last: true,
            ..Self::queue()
        }
    }

    pub(crate) fn queue() -> Self {
        Self {
            values: Mutex::default(),
            last: false,
            gap: false,
        }
    }

    pub(crate) fn with_a_gap(self) -> Self {
        Self { gap: true, ..self }
    }

    fn take(&self) -> Option<u64> {
        let mut values = self.values.lock().unwrap();
        if self.last {
            values.pop_back()
        } else {
            values.pop_front()
        }
    }
}

impl Sequence for LockedSequence {
    fn push(&self, value: u64) {
        self.values.lock().unwrap().push_back(value);
    }

    fn pop(&self) -> Option<u64> {
        if !self.gap {
            return self.take();
        }
        let looked_at = self.peek();
        gap();
        self.take();
        looked_at
    }

    fn peek(&self) -> Option<u64> {
        let values = self.values.lock().unwrap();
        let next = if self.last {
            values.back()
        } else {
            values.front()
        };
        next.copied()
    }
}

/// An ordered set behind a lock.
#[derive(Debug)]
pub(crate) struct LockedSet {
    keys: Mutex<BTreeSet<u64>>,
    gap: bool,
}

impl LockedSet {
    pub(crate) fn sound() -> Self {
        Self {
            keys: Mutex::default(),
            gap: false,
        }
    }

    pub(crate) fn with_a_gap() -> Self {
        Self {
            gap: true,
            ..Self::sound()
        }
    }
}

impl Set for LockedSet {
    fn insert(&self, key: u64) -> bool {
        self.keys.lock().unwrap().insert(key)
    }

    fn remove(&self, key: u64) -> bool {
        self.keys.lock().unwrap().remove(&key)
    }

    fn contains(&self, key: u64) -> bool {
        self.keys.lock().unwrap().contains(&key)
    }

    fn first(&self) -> Option<u64> {
        self.keys.lock().unwrap().first().copied()
    }

    fn last(&self) -> Option<u64> {
        self.keys.lock().unwrap().last().copied()
    }

    fn pop_first(&self) -> Option<u64> {
        if !self.gap {
            return self.keys.lock().unwrap().pop_first();
        }
        let first = self.first()?;
        gap();
        self.keys.lock().unwrap().remove(&first);
        Some(first)
    }
}
