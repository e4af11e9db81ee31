//! The stack and the queue: what is pushed is popped once, and in order.

use fastrand::Rng;
use smr_core::{Domain, Guard};
use smr_list::{Queue, Stack};

use super::{Run, Soaked};
use crate::ledger::Value;

/// What the two have in common.
pub(super) trait Ends: Sync {
    /// Whether each pusher's values come out in the order that they went in.
    const IN_ORDER: bool;

    fn push(&self, value: Value, guard: &Guard);
    fn pop<'g>(&'g self, guard: &'g Guard) -> Option<&'g Value>;
    fn peek<'g>(&'g self, guard: &'g Guard) -> Option<&'g Value>;
    fn iter<'g>(&'g self, guard: &'g Guard) -> impl Iterator<Item = &'g Value>;
    fn flush(&self);
}

/// The soak of a stack or a queue.
pub(super) struct Pushed<E>(E);

pub(super) fn stack(domain: &Domain) -> Pushed<Stack<Value>> {
    Pushed(Stack::new_in(domain))
}

pub(super) fn queue(domain: &Domain) -> Pushed<Queue<Value>> {
    Pushed(Queue::new_in(domain))
}

/// What a hand knows. The key of a value is the hand that pushed it.
pub(super) struct Hand {
    index: u64,
    pushed: u64,
    /// By hand that pushed: how many this one popped, the sum of their numbers, and
    /// the last of them.
    popped: Vec<(u64, u128, u64)>,
}

/// More than so many values a hand are not in it.
const MOST: u64 = 100;

impl<E: Ends> Soaked for Pushed<E> {
    type Hand = Hand;

    fn hand(&self, run: &Run, index: usize) -> Hand {
        Hand {
            index: index as u64,
            pushed: 0,
            popped: vec![(0, 0, 0); run.config.threads],
        }
    }

    fn step(&self, run: &Run, hand: &mut Hand, rng: &mut Rng, guard: &Guard) {
        let popped: u64 = hand.popped.iter().map(|popped| popped.0).sum();
        // What others popped of it is not known: as many as it popped of theirs.
        let push = match hand.pushed.saturating_sub(popped) {
            0..MOST => rng.u32(..100) < 45,
            _ => false,
        };
        match rng.u32(..100) {
            0..10 => {
                self.0.peek(guard).map(Value::look);
            }
            10 if rng.u32(..20) == 0 => {
                self.survey(run, guard);
            }
            _ if push => {
                hand.pushed += 1;
                self.0.push(run.value(hand.index, hand.pushed), guard);
            }
            _ => {
                let Some(value) = self.0.pop(guard) else {
                    return;
                };
                let (of, number) = value.take();
                let (count, sum, last) = &mut hand.popped[of as usize];
                run.expect(!E::IN_ORDER || number > *last, || {
                    format!("{number} of {of} was popped after {last}")
                });
                *count += 1;
                *sum += u128::from(number);
                *last = number;
            }
        }
    }

    fn survey<'g>(&'g self, run: &Run, guard: &'g Guard) -> Vec<&'g Value> {
        let mut kept = Vec::new();
        let mut last = vec![None; run.config.threads];
        for value in self.0.iter(guard) {
            let (of, number) = value.look();
            let last = &mut last[of as usize];
            // A stack shows the last first.
            let right = match *last {
                None => true,
                Some(last) if E::IN_ORDER => number > last,
                Some(last) => number < last,
            };
            run.expect(right, || format!("{number} of {of} came after {last:?}"));
            *last = Some(number);
            if kept.len() < 100 {
                kept.push(value);
            }
        }
        kept
    }

    fn close(&self, run: &Run, hands: Vec<Hand>, guard: &Guard) -> u64 {
        let mut left = vec![(0, 0); hands.len()];
        let mut count = 0;
        for value in self.0.iter(guard) {
            let (of, number) = value.look();
            left[of as usize].0 += 1;
            left[of as usize].1 += u128::from(number);
            count += 1;
        }
        for hand in &hands {
            let of = hand.index as usize;
            let mut found = left[of];
            for other in &hands {
                found.0 += other.popped[of].0;
                found.1 += other.popped[of].1;
            }
            let pushed = u128::from(hand.pushed);
            run.expect(found == (hand.pushed, pushed * (pushed + 1) / 2), || {
                format!(
                    "{pushed} were pushed; of those popped and left, count and sum are {found:?}"
                )
            });
        }
        count
    }

    fn flush(&self) {
        self.0.flush();
    }

    fn most(&self) -> u64 {
        // A hand that others leave nothing to pop goes on pushing up to here, and
        // theirs come on top.
        2 * MOST
    }
}

macro_rules! ends {
    ($shape:ident, in order: $in_order:literal) => {
        impl Ends for $shape<Value> {
            const IN_ORDER: bool = $in_order;

            fn push(&self, value: Value, guard: &Guard) {
                self.push(value, guard);
            }

            fn pop<'g>(&'g self, guard: &'g Guard) -> Option<&'g Value> {
                self.pop(guard)
            }

            fn peek<'g>(&'g self, guard: &'g Guard) -> Option<&'g Value> {
                self.peek(guard)
            }

            fn iter<'g>(&'g self, guard: &'g Guard) -> impl Iterator<Item = &'g Value> {
                self.iter(guard)
            }

            fn flush(&self) {
                self.flush();
            }
        }
    };
}

ends!(Stack, in order: false);
ends!(Queue, in order: true);
