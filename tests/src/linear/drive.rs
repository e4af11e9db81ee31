//! Small faces through which structures are driven.

use super::models::{OnKey, OnSequence, OnSet, Register};
use super::{Dice, Driven, Stalls, judge_keys, record};

/// A map from numbers to numbers.
pub trait Map: Sync {
    /// The value of a key.
    fn get(&self, key: u64) -> Option<u64>;
    /// Inserts or replaces; gives the value replaced.
    fn insert(&self, key: u64, new: u64) -> Option<u64>;
    /// Inserts unless there is one; gives the one that is.
    fn try_insert(&self, key: u64, new: u64) -> Option<u64>;
    /// Removes; gives the value removed.
    fn remove(&self, key: u64) -> Option<u64>;
    /// Adds to the value, if there is one; gives the sum. Wraps.
    fn add(&self, key: u64, by: u64) -> Option<u64>;
    /// Replaces, inserts or removes in one step, if the value is the expected one;
    /// gives the value found.
    fn swap(&self, key: u64, expected: Option<u64>, new: Option<u64>) -> Option<u64>;
}

/// Random operations on a few keys of a map.
#[derive(Debug)]
pub struct Keys<'m, M> {
    /// The map.
    pub map: &'m M,
    /// How many keys, from 0.
    pub keys: u64,
}

impl<M: Map> Keys<'_, M> {
    /// Records what so many threads do, so many operations each, to keys that have
    /// the values `start`, and judges it key by key; `stalls` looks at it. Gives the values
    /// at the end, and how many operations that were.
    ///
    /// # Panics
    ///
    /// If no order of the operations explains the answers.
    #[track_caller]
    pub fn judged(
        &self,
        start: &[Option<u64>],
        threads: usize,
        each: usize,
        seed: u64,
        stalls: &mut Stalls,
    ) -> (Vec<Option<u64>>, u64) {
        let mut history = record(self, threads, each, seed);
        stalls.look(&history);
        let operations = history.events().len() as u64;
        let end: Vec<_> = (0..self.keys).map(|key| self.map.get(key)).collect();
        for (key, now) in (0..self.keys).zip(&end) {
            history.then((key, OnKey::Get { now: *now }));
        }
        if let Err((key, refusal)) = judge_keys(|key| Register(start[*key as usize]), history) {
            panic!("seed {seed}, key {key}: {refusal}");
        }
        (end, operations)
    }
}

impl<M: Map> Driven for Keys<'_, M> {
    type Action = (u64, OnKey);

    fn act(&self, dice: &mut Dice) -> (u64, OnKey) {
        let (map, key) = (self.map, dice.roll(self.keys));
        let new = dice.fresh();
        let action = match dice.roll(10) {
            0 | 1 => OnKey::Insert {
                new,
                old: map.insert(key, new),
            },
            2 => OnKey::TryInsert {
                new,
                old: map.try_insert(key, new),
            },
            3 => OnKey::Remove {
                old: map.remove(key),
            },
            4 | 5 => {
                let by = 1 + dice.roll(7);
                OnKey::Add {
                    by,
                    now: map.add(key, by),
                }
            }
            6 => {
                // A guess that is often right, or else the swap never happens.
                let expected = map.get(key);
                let new = (dice.roll(3) > 0).then_some(new);
                OnKey::Swap {
                    expected,
                    new,
                    found: map.swap(key, expected, new),
                }
            }
            _ => OnKey::Get { now: map.get(key) },
        };
        (key, action)
    }
}

/// A stack or a queue of numbers.
pub trait Sequence: Sync {
    /// Puts a value in.
    fn push(&self, value: u64);
    /// Takes one out.
    fn pop(&self) -> Option<u64>;
    /// The one that would be taken out.
    fn peek(&self) -> Option<u64>;
}

/// Random operations on a stack or a queue.
#[derive(Debug)]
pub struct PushPop<'s, S>(pub &'s S);

impl<S: Sequence> Driven for PushPop<'_, S> {
    type Action = OnSequence;

    fn act(&self, dice: &mut Dice) -> OnSequence {
        match dice.roll(5) {
            0 | 1 => {
                let value = dice.fresh();
                self.0.push(value);
                OnSequence::Push(value)
            }
            2 | 3 => OnSequence::Pop(self.0.pop()),
            _ => OnSequence::Peek(self.0.peek()),
        }
    }
}

/// An ordered set of numbers.
pub trait Set: Sync {
    /// Inserts a key: whether it is new.
    fn insert(&self, key: u64) -> bool;
    /// Removes a key: whether it was there.
    fn remove(&self, key: u64) -> bool;
    /// Whether a key is there.
    fn contains(&self, key: u64) -> bool;
    /// The smallest key.
    fn first(&self) -> Option<u64>;
    /// The largest key.
    fn last(&self) -> Option<u64>;
    /// Takes the smallest key out.
    fn pop_first(&self) -> Option<u64>;
}

/// Random operations on a few keys of an ordered set.
#[derive(Debug)]
pub struct Members<'s, S> {
    /// The set.
    pub set: &'s S,
    /// How many keys, from 0.
    pub keys: u64,
}

impl<S: Set> Driven for Members<'_, S> {
    type Action = OnSet;

    fn act(&self, dice: &mut Dice) -> OnSet {
        let (set, key) = (self.set, dice.roll(self.keys));
        match dice.roll(10) {
            0..=3 => OnSet::Insert(key, set.insert(key)),
            4 | 5 => OnSet::Remove(key, set.remove(key)),
            6 => OnSet::Contains(key, set.contains(key)),
            7 => OnSet::First(set.first()),
            8 => OnSet::Last(set.last()),
            _ => OnSet::PopFirst(set.pop_first()),
        }
    }
}
