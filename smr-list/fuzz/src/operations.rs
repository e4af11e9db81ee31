//! Sequences of operations against the collections of `std`.
//!
//! The first byte of the input says which list. Each step is three bytes: what to do,
//! and two operands. Tunables are shrunk (`smr_tiny`), so that buckets are sealed and
//! collected all the time.
//!
//! ```text
//! mkdir -p corpus
//! cargo +nightly run --release -- corpus seeds -max_total_time=60
//! ```
//!
//! `make-seeds` makes what is in `seeds`.

#![no_main]

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use libfuzzer_sys::fuzz_target;
use smr_core::{Domain, Guard};
use smr_list::ordered_list::Change;
use smr_list::{List, OrderedList, Queue, RcuList, Stack};

/// A value that is counted while it lives.
struct Value(u8, Rc<Cell<i64>>);

impl Value {
    fn new(value: u8, live: &Rc<Cell<i64>>) -> Self {
        live.set(live.get() + 1);
        Self(value, Rc::clone(live))
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.1.set(self.1.get() - 1);
    }
}

fn number(value: &Value) -> u8 {
    value.0
}

type Live = Rc<Cell<i64>>;
type Step = [u8; 3];

/// Runs the steps in sections that end now and then.
fn sections(domain: &Domain, steps: &[u8], mut step: impl FnMut(&Guard, Step)) {
    for section in steps.chunks(3 * 32) {
        let guard = domain.pin();
        for one in section.chunks_exact(3) {
            step(&guard, [one[0], one[1], one[2]]);
        }
    }
}

fn ordered(domain: &Domain, steps: &[u8], live: &Live) {
    let mut list = OrderedList::<u8, Value>::new_in(domain);
    let mut model = BTreeMap::<u8, u8>::new();
    sections(domain, steps, |guard, [what, key, new]| {
        let value = || Value::new(new, live);
        match what % 12 {
            0..3 => assert_eq!(
                list.insert(key, value(), guard).map(number),
                model.insert(key, new)
            ),
            3..5 => assert_eq!(list.remove(&key, guard).map(number), model.remove(&key)),
            5 => {
                let added = list.try_insert(key, value(), guard).is_ok();
                assert_eq!(added, !model.contains_key(&key));
                model.entry(key).or_insert(new);
            }
            6 => {
                let found = list.get_or_insert_with(key, value, guard).0;
                assert_eq!(found, *model.entry(key).or_insert(new));
            }
            7 => {
                let add = |old: u8| old.wrapping_add(new);
                let ours = list.update(&key, |old| Value::new(add(old.0), live), guard);
                let theirs = model.get_mut(&key).map(|old| {
                    *old = add(*old);
                    *old
                });
                assert_eq!(ours.map(number), theirs);
            }
            8 => {
                let ours = list.compute(
                    key,
                    |old| match old {
                        None => Change::Put(value()),
                        Some(old) if old.0 % 2 == 0 => Change::Remove,
                        Some(_) => Change::Leave,
                    },
                    guard,
                );
                match model.get(&key).copied() {
                    None => drop(model.insert(key, new)),
                    Some(old) if old % 2 == 0 => drop(model.remove(&key)),
                    Some(_) => {}
                }
                assert_eq!(ours.map(number), model.get(&key).copied());
            }
            9 => {
                list.retain(|_, old| old.0 >= new, guard);
                model.retain(|_, old| *old >= new);
            }
            10 => match new % 3 {
                0 => {
                    let first = list.pop_first(guard).map(|(key, value)| (*key, value.0));
                    assert_eq!(first, model.pop_first());
                }
                1 => list.flush(),
                _ => {
                    let last = list.last(guard).map(|(key, value)| (*key, value.0));
                    assert_eq!(
                        last,
                        model.last_key_value().map(|(key, value)| (*key, *value))
                    );
                }
            },
            _ => {
                let (from, to) = (key.min(new), key.max(new));
                let ours = list.range(from..to, guard);
                let theirs = model.range(from..to);
                assert!(
                    ours.map(|(key, value)| (*key, value.0))
                        .eq(theirs.map(|(k, v)| (*k, *v)))
                );
            }
        }
        assert_eq!(list.get(&key, guard).map(number), model.get(&key).copied());
        assert_eq!(list.is_empty(guard), model.is_empty());
        assert!(list.iter(guard).map(|(key, _)| key).eq(model.keys()));
    });
    list.flush();
    assert_eq!(
        live.get(),
        model.len() as i64,
        "dropped too late, or too early"
    );
    if steps.len() % 2 == 0 {
        list.clear_mut();
        assert_eq!(live.get(), 0);
        return;
    }
    let left = list.into_iter().map(|(key, value)| (key, value.0));
    assert!(left.eq(model));
}

fn stack(domain: &Domain, steps: &[u8], live: &Live) {
    let stack = Stack::new_in(domain);
    let mut model = Vec::new();
    sections(domain, steps, |guard, [what, new, _]| {
        match what % 8 {
            0..4 => {
                stack.push(Value::new(new, live), guard);
                model.push(new);
            }
            4..6 => assert_eq!(stack.pop(guard).map(number), model.pop()),
            6 if new == 0 => {
                let taken = stack.drain(guard).map(number);
                assert!(taken.eq(model.drain(..).rev()));
            }
            6 => stack.flush(),
            _ => assert!(
                stack
                    .iter(guard)
                    .map(number)
                    .eq(model.iter().rev().copied())
            ),
        }
        assert_eq!(stack.peek(guard).map(number), model.last().copied());
        assert_eq!(stack.is_empty(), model.is_empty());
    });
    stack.flush();
    assert_eq!(
        live.get(),
        model.len() as i64,
        "dropped too late, or too early"
    );
    assert!(
        stack
            .into_iter()
            .map(|value| value.0)
            .eq(model.into_iter().rev())
    );
}

fn queue(domain: &Domain, steps: &[u8], live: &Live) {
    let queue = Queue::new_in(domain);
    let mut model = VecDeque::new();
    sections(domain, steps, |guard, [what, new, _]| {
        match what % 8 {
            0..4 => {
                queue.push(Value::new(new, live), guard);
                model.push_back(new);
            }
            4..6 => assert_eq!(queue.pop(guard).map(number), model.pop_front()),
            6 if new == 0 => assert!(queue.drain(guard).map(number).eq(model.drain(..))),
            6 => queue.flush(),
            _ => assert!(queue.iter(guard).map(number).eq(model.iter().copied())),
        }
        assert_eq!(queue.peek(guard).map(number), model.front().copied());
        assert_eq!(queue.is_empty(guard), model.is_empty());
    });
    queue.flush();
    assert_eq!(live.get(), model.len() as i64, "dropped at once");
    assert!(queue.into_iter().map(|value| value.0).eq(model));
}

fn handles(domain: &Domain, steps: &[u8], live: &Live) {
    let list = List::new_in(domain);
    let mut model = Vec::new();
    sections(domain, steps, |guard, [what, new, which]| {
        match what % 8 {
            0..4 => {
                let handle = list.push_front(Value::new(new, live), guard);
                model.push((handle, new));
            }
            4..7 if !model.is_empty() => {
                let (handle, known) = model.remove(usize::from(which) % model.len());
                assert_eq!(list.get(&handle, guard).map(number), Some(known));
                assert_eq!(list.remove(handle, guard).map(number).ok(), Some(known));
            }
            7 if new % 2 == 0 => list.sweep(guard),
            _ => list.flush(),
        }
        assert_eq!(list.is_empty(guard), model.is_empty());
        let ours = list.iter(guard).map(number);
        assert!(ours.eq(model.iter().rev().map(|(_, known)| *known)));
    });
    list.sweep(&domain.pin());
    list.flush();
    assert_eq!(
        live.get(),
        model.len() as i64,
        "dropped too late, or too early"
    );
    let left = list.into_iter().map(|value| value.0);
    assert!(left.eq(model.into_iter().rev().map(|(_, known)| known)));
}

fn rcu(domain: &Domain, steps: &[u8], live: &Live) {
    let list = RcuList::new_in(domain);
    let mut model = VecDeque::new();
    sections(domain, steps, |guard, [what, new, which]| {
        let value = || Value::new(new, live);
        let at = usize::from(which) % (model.len() + 1);
        let mut writer = list.write();
        match what % 11 {
            0 => {
                writer.push_front(value());
                model.push_front(new);
            }
            1 => {
                writer.push_back(value());
                model.push_back(new);
            }
            2 => assert_eq!(writer.pop_front().map(number), model.pop_front()),
            3 if new == 0 => {
                writer.clear();
                model.clear();
            }
            4 => {
                writer.retain(|value| value.0 >= new);
                model.retain(|value| *value >= new);
            }
            5..10 => {
                let mut cursor = writer.cursor();
                (0..at).for_each(|_| assert!(cursor.move_next()));
                assert_eq!(cursor.current().map(number), model.get(at).copied());
                match what % 11 {
                    5 => {
                        cursor.insert_before(value());
                        model.insert(at, new);
                    }
                    6 => {
                        cursor.insert_after(value());
                        model.insert((at + 1).min(model.len()), new);
                    }
                    7 | 8 => assert_eq!(cursor.remove().map(number), model.remove(at)),
                    _ => {
                        let old = cursor.replace(value()).ok().map(number);
                        let known = model.get_mut(at).map(|old| std::mem::replace(old, new));
                        assert_eq!(old, known);
                    }
                }
            }
            _ => {
                let mut more = if new % 2 == 0 {
                    list.sibling()
                } else {
                    RcuList::new_in(domain)
                };
                more.extend((0..new % 4).map(|number| Value::new(number, live)));
                let mut cursor = writer.cursor();
                (0..at).for_each(|_| assert!(cursor.move_next()));
                cursor.splice_before(more);
                assert_eq!(cursor.current().map(number), model.get(at).copied());
                let rest = model.split_off(at);
                model.extend(0..new % 4);
                model.extend(rest);
            }
        }
        drop(writer);
        assert_eq!(list.is_empty(guard), model.is_empty());
        assert!(list.iter(guard).map(number).eq(model.iter().copied()));
    });
    list.flush();
    assert_eq!(
        live.get(),
        model.len() as i64,
        "dropped too late, or too early"
    );
    assert!(list.into_iter().map(|value| value.0).eq(model));
}

fuzz_target!(|bytes: &[u8]| {
    let [first, steps @ ..] = bytes else { return };
    let live = Live::default();
    let domain = Domain::new();
    let kinds = [ordered, stack, queue, handles, rcu];
    kinds[usize::from(*first) % kinds.len()](&domain, steps, &live);
    assert_eq!(live.get(), 0, "something was not dropped once");
});
