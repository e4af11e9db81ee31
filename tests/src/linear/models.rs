//! The structures while nobody else is there.

use std::collections::{BTreeSet, VecDeque};

use super::{Ends, Model};

/// One key of a map.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Register(pub Option<u64>);

/// What can be done to one key, and the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnKey {
    /// Look.
    Get {
        /// The value found.
        now: Option<u64>,
    },
    /// Insert or replace.
    Insert {
        /// The value inserted.
        new: u64,
        /// The value replaced.
        old: Option<u64>,
    },
    /// Insert, unless there is one.
    TryInsert {
        /// The value offered.
        new: u64,
        /// The value that was in the way.
        old: Option<u64>,
    },
    /// Remove.
    Remove {
        /// The value removed.
        old: Option<u64>,
    },
    /// Add to the value, if there is one.
    Add {
        /// How much.
        by: u64,
        /// The value afterwards.
        now: Option<u64>,
    },
    /// Replace, insert or remove, if the value is the expected one.
    Swap {
        /// The value expected; `None`: absent.
        expected: Option<u64>,
        /// The value afterwards, if it is; `None`: absent.
        new: Option<u64>,
        /// The value found.
        found: Option<u64>,
    },
}

impl Model for Register {
    type Action = OnKey;

    fn apply(&self, action: &OnKey) -> Option<Self> {
        let held = self.0;
        let fits = |answer: Option<u64>, then: Option<u64>| (answer == held).then_some(Self(then));
        match *action {
            OnKey::Get { now } => fits(now, held),
            OnKey::Insert { new, old } => fits(old, Some(new)),
            OnKey::TryInsert { new, old } => fits(old, held.or(Some(new))),
            OnKey::Remove { old } => fits(old, None),
            OnKey::Add { by, now } => {
                let then = held.map(|old| old.wrapping_add(by));
                (now == then).then_some(Self(then))
            }
            OnKey::Swap {
                expected,
                new,
                found,
            } => fits(found, if held == expected { new } else { held }),
        }
    }
}

/// What can be done to a stack or a queue, and the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSequence {
    /// Put a value in.
    Push(u64),
    /// Take one out.
    Pop(Option<u64>),
    /// Look at the one that would be taken out.
    Peek(Option<u64>),
}

impl OnSequence {
    fn puts(&self) -> Option<u64> {
        match self {
            Self::Push(value) => Some(*value),
            _ => None,
        }
    }

    fn takes(&self) -> Option<u64> {
        match self {
            Self::Pop(answer) => *answer,
            _ => None,
        }
    }
}

/// Last in, first out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Stack(pub Vec<u64>);

impl Model for Stack {
    type Action = OnSequence;

    fn apply(&self, action: &OnSequence) -> Option<Self> {
        match *action {
            OnSequence::Push(value) => {
                let mut then = self.clone();
                then.0.push(value);
                Some(then)
            }
            OnSequence::Pop(answer) => (answer == self.0.last().copied()).then(|| {
                let mut then = self.clone();
                then.0.pop();
                then
            }),
            OnSequence::Peek(answer) => (answer == self.0.last().copied()).then(|| self.clone()),
        }
    }

    fn puts(action: &OnSequence) -> Option<u64> {
        action.puts()
    }

    fn takes(action: &OnSequence) -> Option<u64> {
        action.takes()
    }

    fn may_go_on(&self, ends: &Ends) -> bool {
        match self.0.as_slice() {
            [.., below, top] => !ends.is_before(*below, *top),
            _ => true,
        }
    }
}

/// First in, first out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Queue(pub VecDeque<u64>);

impl Model for Queue {
    type Action = OnSequence;

    fn apply(&self, action: &OnSequence) -> Option<Self> {
        match *action {
            OnSequence::Push(value) => {
                let mut then = self.clone();
                then.0.push_back(value);
                Some(then)
            }
            OnSequence::Pop(answer) => (answer == self.0.front().copied()).then(|| {
                let mut then = self.clone();
                then.0.pop_front();
                then
            }),
            OnSequence::Peek(answer) => (answer == self.0.front().copied()).then(|| self.clone()),
        }
    }

    fn puts(action: &OnSequence) -> Option<u64> {
        action.puts()
    }

    fn takes(action: &OnSequence) -> Option<u64> {
        action.takes()
    }

    fn may_go_on(&self, ends: &Ends) -> bool {
        let mut last = self.0.iter().rev();
        match (last.next(), last.next()) {
            (Some(last), Some(before)) => !ends.is_before(*last, *before),
            _ => true,
        }
    }
}

/// What can be done to an ordered set, and the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSet {
    /// Insert a key: whether it is new.
    Insert(u64, bool),
    /// Remove a key: whether it was there.
    Remove(u64, bool),
    /// Look for a key: whether it is there.
    Contains(u64, bool),
    /// The smallest key.
    First(Option<u64>),
    /// The largest key.
    Last(Option<u64>),
    /// Take the smallest key out.
    PopFirst(Option<u64>),
}

/// A set in order. It is judged as a whole: the smallest key belongs to no key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct OrderedSet(pub BTreeSet<u64>);

impl Model for OrderedSet {
    type Action = OnSet;

    fn apply(&self, action: &OnSet) -> Option<Self> {
        let mut then = self.clone();
        let (answer, found) = match *action {
            OnSet::Insert(key, answer) => (answer, then.0.insert(key)),
            OnSet::Remove(key, answer) => (answer, then.0.remove(&key)),
            OnSet::Contains(key, answer) => (answer, self.0.contains(&key)),
            OnSet::First(answer) => (answer == self.0.first().copied(), true),
            OnSet::Last(answer) => (answer == self.0.last().copied(), true),
            OnSet::PopFirst(answer) => (answer == then.0.pop_first(), true),
        };
        (answer == found).then_some(then)
    }
}
