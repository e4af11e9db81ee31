//! Histories of real runs of the lists: the ordered list key by key, the ordered
//! set, the stack and the queue as a whole.
//!
//! `SMR_LINEAR_OPERATIONS=10000000 cargo test --release -p smr-tests --test linear_list`
//! is the long form.
#![cfg(not(miri))]

use std::cell::Cell;

use smr_core::Domain;
use smr_list::ordered_list::Change;
use smr_list::{OrderedList, OrderedSet, Queue, Stack};
use smr_tests::linear::drive::{Keys, Map, PushPop, Sequence};
use smr_tests::linear::models::{self, OnSequence, OnSet};
use smr_tests::linear::{Dice, Driven, Model, Stalls, judge, record};

/// Operations of a test in the short form.
const OPERATIONS: u64 = 40_000;
/// Operations of a thread in one recording: of a map, which is judged key by key,
/// and of what is judged as a whole.
const RECORDED: usize = 500;
const RECORDED_WHOLE: usize = 60;
const THREADS: usize = 3;
/// Keys that are recorded; few, so that threads meet.
const KEYS: u64 = 4;

fn operations() -> u64 {
    let told = std::env::var("SMR_LINEAR_OPERATIONS");
    told.map_or(OPERATIONS, |number| number.parse().expect("a number"))
}

struct List(OrderedList<u64, u64>);

impl Map for List {
    fn get(&self, key: u64) -> Option<u64> {
        self.0.get(&key, &self.0.guard()).copied()
    }

    fn insert(&self, key: u64, new: u64) -> Option<u64> {
        self.0.insert(key, new, &self.0.guard()).copied()
    }

    fn try_insert(&self, key: u64, new: u64) -> Option<u64> {
        let guard = self.0.guard();
        let taken = self.0.try_insert(key, new, &guard).err();
        taken.map(|taken| *taken.current)
    }

    fn remove(&self, key: u64) -> Option<u64> {
        self.0.remove(&key, &self.0.guard()).copied()
    }

    fn add(&self, key: u64, by: u64) -> Option<u64> {
        let sum = |old: &u64| old.wrapping_add(by);
        self.0.update(&key, sum, &self.0.guard()).copied()
    }

    fn swap(&self, key: u64, expected: Option<u64>, new: Option<u64>) -> Option<u64> {
        let found = Cell::new(None);
        let change = |now: Option<&u64>| {
            found.set(now.copied());
            match new {
                _ if found.get() != expected => Change::Leave,
                Some(new) => Change::Put(new),
                None => Change::Remove,
            }
        };
        self.0.compute(key, change, &self.0.guard());
        found.get()
    }
}

#[test]
fn an_ordered_list_is_linearizable() {
    judge_keys(operations(), Stalls::none());
}

#[test]
fn an_ordered_list_whose_writers_are_stalled_is_linearizable() {
    judge_keys(operations() / 4, Stalls::at_random(1));
}

fn judge_keys(operations: u64, mut stalls: Stalls) {
    let mut seen = 0;
    let mut seed = 0;
    while seen < operations || !stalls.are_enough() {
        let domain = if seed % 2 == 0 {
            Domain::global().clone()
        } else {
            Domain::new()
        };
        let list = List(OrderedList::new_in(&domain));
        let mut start = vec![None; KEYS as usize];
        for _ in 0..10 {
            let keys = Keys {
                map: &list,
                keys: KEYS,
            };
            let (end, operations) = keys.judged(&start, THREADS, RECORDED, seed, &mut stalls);
            seen += operations;
            let present = end.iter().flatten().count();
            let guard = list.0.guard();
            assert_eq!(list.0.iter(&guard).count(), present, "seed {seed}");
            start = end;
            seed += 1;
        }
    }
}

/// Operations on a set in order. What takes the first out is the removal of a key: it
/// does not promise that nothing smaller comes in while it does.
struct Set<'s>(&'s OrderedSet<u64>);

impl Driven for Set<'_> {
    type Action = OnSet;

    fn act(&self, dice: &mut Dice) -> OnSet {
        let (set, key) = (self.0, dice.roll(KEYS));
        let guard = set.guard();
        match dice.roll(10) {
            0..=3 => OnSet::Insert(key, set.insert(key, &guard)),
            4 | 5 => OnSet::Remove(key, set.remove(&key, &guard)),
            6 => OnSet::Contains(key, set.contains(&key, &guard)),
            7 => OnSet::First(set.first(&guard).copied()),
            8 => OnSet::Last(set.last(&guard).copied()),
            _ => match set.pop_first(&guard) {
                Some(key) => OnSet::Remove(*key, true),
                None => OnSet::First(None),
            },
        }
    }
}

#[test]
fn the_first_and_the_last_of_an_ordered_set_are_linearizable() {
    judge_ordered(operations(), Stalls::none());
}

#[test]
fn the_first_and_the_last_are_linearizable_while_writers_are_stalled() {
    judge_ordered(operations() / 4, Stalls::at_random(2));
}

fn judge_ordered(operations: u64, mut stalls: Stalls) {
    let mut seen = 0;
    let mut seed = 0;
    while seen < operations || !stalls.are_enough() {
        let set = OrderedSet::new();
        let history = record(&Set(&set), THREADS, RECORDED_WHOLE, seed);
        stalls.look(&history);
        seen += history.events().len() as u64;
        let refused = judge(&models::OrderedSet::default(), &history).err();
        assert!(refused.is_none(), "seed {seed}: {}", refused.unwrap());
        seed += 1;
    }
}

/// A stack or a queue, with a guard to each call.
struct Ends<S>(S);

macro_rules! ends {
    ($shape:ident) => {
        impl Sequence for Ends<$shape<u64>> {
            fn push(&self, value: u64) {
                self.0.push(value, &self.0.guard());
            }

            fn pop(&self) -> Option<u64> {
                self.0.pop(&self.0.guard()).copied()
            }

            fn peek(&self) -> Option<u64> {
                self.0.peek(&self.0.guard()).copied()
            }
        }
    };
}

ends!(Stack);
ends!(Queue);

/// Records what threads do to new ones, then takes out what is left, and judges it all
/// from the empty `model` on.
fn judge_ends<S, M>(new: impl Fn() -> S, model: &M, operations: u64, mut stalls: Stalls)
where
    Ends<S>: Sequence,
    M: Model<Action = OnSequence>,
{
    let mut seen = 0;
    let mut seed = 0;
    while seen < operations || !stalls.are_enough() {
        let ends = Ends(new());
        let mut history = record(&PushPop(&ends), THREADS, RECORDED_WHOLE, seed);
        stalls.look(&history);
        seen += history.events().len() as u64;
        while let Some(value) = ends.pop() {
            history.then(OnSequence::Pop(Some(value)));
        }
        history.then(OnSequence::Pop(None));
        let refused = judge(model, &history).err();
        assert!(refused.is_none(), "seed {seed}: {}", refused.unwrap());
        seed += 1;
    }
}

#[test]
fn a_stack_is_linearizable() {
    judge_ends(
        Stack::new,
        &models::Stack::default(),
        operations(),
        Stalls::none(),
    );
}

#[test]
fn a_stack_whose_threads_are_stalled_is_linearizable() {
    let stalls = Stalls::at_random(3);
    judge_ends(
        Stack::new,
        &models::Stack::default(),
        operations() / 4,
        stalls,
    );
}

#[test]
fn a_queue_is_linearizable() {
    judge_ends(
        Queue::new,
        &models::Queue::default(),
        operations(),
        Stalls::none(),
    );
}

#[test]
fn a_queue_whose_threads_are_stalled_is_linearizable() {
    let stalls = Stalls::at_random(4);
    judge_ends(
        Queue::new,
        &models::Queue::default(),
        operations() / 4,
        stalls,
    );
}
