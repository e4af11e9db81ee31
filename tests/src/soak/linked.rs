//! The list with handles, and the RCU list.

use std::collections::BTreeSet;

use fastrand::Rng;
use smr_core::sync::{AtomicU64, Ordering};
use smr_core::{Domain, Guard};
use smr_list::list::Handle;
use smr_list::{List, RcuList};

use super::{Run, Soaked};
use crate::ledger::Value;

/// More than so many values a hand are not in a list.
const MOST: usize = 50;

/// The soak of the list with handles. The key of a value is its hand.
pub(super) struct Handles(List<Value>);

impl Handles {
    pub(super) fn new(domain: &Domain) -> Self {
        Self(List::new_in(domain))
    }
}

/// What a hand knows: the handles and numbers of its values.
pub(super) struct Held {
    index: u64,
    number: u64,
    held: Vec<(Handle<Value>, u64)>,
}

impl Held {
    fn numbers(&self) -> BTreeSet<u64> {
        self.held.iter().map(|(_, number)| *number).collect()
    }
}

impl Soaked for Handles {
    type Hand = Held;

    fn hand(&self, _: &Run, index: usize) -> Held {
        Held {
            index: index as u64,
            number: 0,
            held: Vec::new(),
        }
    }

    fn step(&self, run: &Run, hand: &mut Held, rng: &mut Rng, guard: &Guard) {
        let index = hand.index;
        let right = |value: &Value, number: u64| {
            let found = value.look();
            run.expect(found == (index, number), || {
                format!("the handle of {number} of {index} led to {found:?}")
            });
        };
        match rng.u32(..100) {
            0..40 if hand.held.len() < MOST => {
                hand.number += 1;
                let value = run.value(index, hand.number);
                let handle = self.0.push_front(value, guard);
                hand.held.push((handle, hand.number));
            }
            0..80 if !hand.held.is_empty() => {
                let at = rng.usize(..hand.held.len());
                let (handle, number) = hand.held.swap_remove(at);
                let value = self.0.remove(handle, guard).expect("of this list");
                value.take();
                right(value, number);
            }
            80..95 => {
                if let Some((handle, number)) = rng.choice(&hand.held) {
                    right(self.0.get(handle, guard).expect("of this list"), *number);
                }
            }
            95 => self.0.sweep(guard),
            96 => {
                let mut mine = BTreeSet::new();
                for value in self.0.iter(guard) {
                    let (of, number) = value.look();
                    let new = of != index || mine.insert(number);
                    run.expect(new, || format!("{number} of {of} was seen twice"));
                }
                let right = hand.numbers();
                run.expect(mine == right, || {
                    format!("an iteration saw {mine:?}, where there was {right:?}")
                });
            }
            _ => {}
        }
    }

    fn survey<'g>(&'g self, run: &Run, guard: &'g Guard) -> Vec<&'g Value> {
        let mut kept = Vec::new();
        let mut last = vec![None; run.config.threads];
        for value in self.0.iter(guard) {
            let (of, number) = value.look();
            let last = &mut last[of as usize];
            run.expect(last.is_none_or(|last| number < last), || {
                format!("{number} of {of} came after {last:?}")
            });
            *last = Some(number);
            if kept.len() < 100 {
                kept.push(value);
            }
        }
        kept
    }

    fn close(&self, run: &Run, hands: Vec<Held>, guard: &Guard) -> u64 {
        let mut left = vec![BTreeSet::new(); hands.len()];
        for value in self.0.iter(guard) {
            let (of, number) = value.look();
            let new = left[of as usize].insert(number);
            run.expect(new, || format!("{number} of {of} is there twice"));
        }
        for hand in &hands {
            let (found, right) = (&left[hand.index as usize], hand.numbers());
            run.expect(*found == right, || {
                format!("{found:?} are left, and {right:?} are right")
            });
        }
        left.iter().map(|numbers| numbers.len() as u64).sum()
    }

    fn flush(&self) {
        self.0.sweep(&self.0.guard());
        self.0.flush();
    }

    fn most(&self) -> u64 {
        MOST as u64
    }
}

/// The soak of the RCU list. Numbers rise from front to back.
pub(super) struct Rcu {
    list: RcuList<Value>,
    pushed: AtomicU64,
    popped: AtomicU64,
}

impl Rcu {
    pub(super) fn new(domain: &Domain) -> Self {
        Self {
            list: RcuList::new_in(domain),
            pushed: AtomicU64::new(0),
            popped: AtomicU64::new(0),
        }
    }

    fn write(&self, run: &Run, rng: &mut Rng) {
        // The counters are changed under the lock.
        let mut writer = self.list.write();
        let pushed = self.pushed.load(Ordering::Relaxed);
        let popped = self.popped.load(Ordering::Relaxed);
        let count = pushed - popped;
        let take = |value: Option<&Value>| {
            let there = value.map(Value::take).is_some();
            run.expect(there == (count != 0), || {
                format!("there was one: {there}, of {count}")
            });
            self.popped.fetch_add(u64::from(there), Ordering::Relaxed);
        };
        let room = count < MOST as u64 * run.config.threads as u64;
        match rng.u32(..10) {
            0..5 if room => {
                writer.push_back(run.value(0, pushed + 1));
                self.pushed.store(pushed + 1, Ordering::Relaxed);
            }
            0..7 => take(writer.pop_front()),
            7 => {
                let mut cursor = writer.cursor();
                for _ in 0..rng.u64(..count.max(1)) {
                    cursor.move_next();
                }
                take(cursor.remove());
            }
            8 => {
                // Another with the same number in place of one.
                let mut cursor = writer.cursor();
                cursor.move_next();
                if let Some((key, number)) = cursor.current().map(Value::look) {
                    let old = cursor.replace(run.value(key, number)).expect("it is there");
                    let old = old.take();
                    run.expect(old == (key, number), || format!("{old:?} was replaced"));
                }
            }
            _ => {
                let more = self.list.sibling();
                let mut other = more.write();
                for number in 1..=3 {
                    other.push_back(run.value(0, pushed + number));
                }
                drop(other);
                writer.append(more);
                self.pushed.store(pushed + 3, Ordering::Relaxed);
            }
        }
    }
}

impl Soaked for Rcu {
    type Hand = usize;

    fn hand(&self, _: &Run, index: usize) -> usize {
        index
    }

    fn step(&self, run: &Run, hand: &mut usize, rng: &mut Rng, guard: &Guard) {
        let writes = *hand == 0 || !run.config.for_thread_sanitizer;
        match rng.u32(..100) {
            0..80 if writes => self.write(run, rng),
            80 => {
                self.survey(run, guard);
            }
            _ => {
                self.list.first(guard).map(Value::look);
            }
        }
    }

    fn survey<'g>(&'g self, run: &Run, guard: &'g Guard) -> Vec<&'g Value> {
        let mut kept = Vec::new();
        let mut last = 0;
        for value in self.list.iter(guard) {
            let (_, number) = value.look();
            run.expect(number > last, || format!("{number} came after {last}"));
            last = number;
            if kept.len() < 100 {
                kept.push(value);
            }
        }
        kept
    }

    fn close(&self, run: &Run, _: Vec<usize>, guard: &Guard) -> u64 {
        let pushed = self.pushed.load(Ordering::Relaxed);
        let right = pushed - self.popped.load(Ordering::Relaxed);
        self.survey(run, guard);
        let left = self.list.iter(guard).count() as u64;
        run.expect(left == right, || {
            format!("{left} are left, and {right} are right")
        });
        left
    }

    fn flush(&self) {
        self.list.flush();
    }

    fn most(&self) -> u64 {
        MOST as u64 + 3
    }
}
