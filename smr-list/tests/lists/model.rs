//! Sequences of operations against the collections of `std`: the set, cursors, and
//! taking all out. The others are in `lists.rs`.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;
use smr_list::{List, OrderedList, OrderedSet, Queue, Stack};

/// Equal keys can be told apart.
#[derive(Debug, Clone, Copy)]
struct Tagged(u8, usize);

impl PartialEq for Tagged {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Tagged {}

impl PartialOrd for Tagged {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Tagged {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl Tagged {
    fn both(&self) -> (u8, usize) {
        (self.0, self.1)
    }
}

fn both(key: Option<&Tagged>) -> Option<(u8, usize)> {
    key.map(Tagged::both)
}

proptest! {
    #[test]
    fn an_ordered_set_is_a_btree_set(steps in proptest::collection::vec(any::<(u8, u8, u8)>(), 0..200)) {
        let mut set = OrderedSet::new();
        let mut model = BTreeSet::new();
        for (tag, (what, a, b)) in steps.into_iter().enumerate() {
            let copy = set.clone();
            let guard = copy.guard();
            let s = &set;
            let key = Tagged(a % 24, tag);
            let (from, to) = (key.min(Tagged(b % 24, tag)), key.max(Tagged(b % 24, tag)));
            let goes = |key: &Tagged| (key.1 + usize::from(b)).is_multiple_of(3);
            let there = both(model.get(&key));
            match what % 16 {
                0..=3 => prop_assert_eq!(s.insert(key, &guard), model.insert(key)),
                4 => {
                    let found = s.get_or_insert(key, &guard).both();
                    model.insert(key);
                    prop_assert_eq!(found, there.unwrap_or(key.both()));
                }
                5 => {
                    let make = || { assert!(there.is_none(), "made in vain"); key };
                    let found = s.get_or_insert_with(&key, make, &guard).both();
                    model.insert(key);
                    prop_assert_eq!(found, there.unwrap_or(key.both()));
                }
                6 | 7 => prop_assert_eq!(s.remove(&key, &guard), model.remove(&key)),
                8 => prop_assert_eq!(both(s.take(&key, &guard)), both(model.take(&key).as_ref())),
                9 | 10 => {
                    let gone = model.get(&key).is_some_and(goes) && model.remove(&key);
                    prop_assert_eq!(s.remove_if(&key, goes, &guard), gone);
                }
                11 => prop_assert_eq!(both(s.pop_first(&guard)), both(model.pop_first().as_ref())),
                12 => {
                    prop_assert!(s.range(from..to, &guard).eq(model.range(from..to)));
                    prop_assert!(s.range(from..=to, &guard).eq(model.range(from..=to)));
                }
                13 => { s.retain(|key| !goes(key), &guard); model.retain(|key| !goes(key)); }
                14 if b < 64 => { s.clear(&guard); model.clear(); }
                14 => {
                    let mut cursor = s.cursor(&key, &guard);
                    for expected in model.range(key..) {
                        prop_assert_eq!(both(cursor.current()), Some(expected.both()));
                        prop_assert!(cursor.still_current());
                        cursor.move_next();
                    }
                    prop_assert!(cursor.current().is_none() && !cursor.still_current());
                }
                _ => { drop(guard); set = copy; continue; }
            }
            prop_assert!(s.iter(&guard).map(Tagged::both).eq(model.iter().map(Tagged::both)));
            prop_assert_eq!(both(s.first(&guard)), both(model.first()));
            prop_assert_eq!(both(s.last(&guard)), both(model.last()));
            prop_assert_eq!(both(s.get(&key, &guard)), both(model.get(&key)));
            prop_assert_eq!(s.contains(&key, &guard), model.contains(&key));
            prop_assert_eq!(s.is_empty(&guard), model.is_empty());
        }
        prop_assert!(set.into_iter().eq(model));
    }

    /// From an element that is there a cursor moves to the next one. From one that has
    /// gone it passes nothing that was there when it went.
    #[test]
    fn a_cursor_goes_on_from_what_changes_and_goes(steps in proptest::collection::vec(any::<(u8, u8)>(), 0..300)) {
        let list = OrderedList::new();
        let guard = list.guard();
        // With the value, and the step at which the key came.
        let mut map = BTreeMap::<u8, (usize, usize)>::new();
        let mut cursor = list.cursor(&0, &guard);
        // The element it is at, and the step at which that went.
        let (mut at, mut left) = (None::<(u8, usize)>, None::<usize>);
        for (step, (what, key)) in steps.into_iter().enumerate() {
            let key = key % 16;
            match what % 8 {
                0..=2 => {
                    list.insert(key, step, &guard);
                    map.entry(key).and_modify(|there| there.0 = step).or_insert((step, step));
                }
                3 | 4 => {
                    prop_assert_eq!(list.remove(&key, &guard).is_some(), map.remove(&key).is_some());
                    if at.is_some_and(|(at, _)| at == key) {
                        left = left.or(Some(step));
                    }
                }
                5 => {
                    cursor = list.cursor(&key, &guard);
                    at = map.range(key..).next().map(|(key, there)| (*key, there.0));
                    left = None;
                }
                6 => {
                    cursor = cursor.clone();
                    cursor.move_next();
                    let found = cursor.current().map(|(key, value)| (*key, *value));
                    if let Some((from, _)) = at {
                        let stayed = |since: usize| left.is_none_or(|left| since < left);
                        let mut behind = map.range(from + 1..);
                        let due = behind.find(|(_, there)| stayed(there.1)).map(|(key, _)| *key);
                        let found = found.map(|(key, _)| key);
                        if left.is_none() {
                            prop_assert_eq!(found, due);
                        } else {
                            prop_assert!(found.is_none_or(|key| key > from && map.contains_key(&key)));
                            prop_assert!(due.is_none_or(|due| found.is_some_and(|key| key <= due)));
                        }
                    } else {
                        prop_assert_eq!(found, None);
                    }
                    (at, left) = (found, None);
                }
                _ => prop_assert!(list.range(key.., &guard).map(|(key, _)| key).eq(map.range(key..).map(|(key, _)| key))),
            }
            prop_assert_eq!(cursor.current().map(|(key, value)| (*key, *value)), at);
            let is_there = at.is_some_and(|(key, value)| map.get(&key).is_some_and(|there| there.0 == value));
            prop_assert_eq!(cursor.still_current(), is_there);
        }
    }

    /// What is drained comes out in order; the rest of it has left a stack or a list with
    /// it, and stays in a queue.
    #[test]
    fn draining_and_clearing_leave_what_they_say(steps in proptest::collection::vec(any::<(u8, u8)>(), 0..200)) {
        let (stack, queue, mut list) = (Stack::new(), Queue::new(), List::new());
        let (mut stacked, mut queued, mut listed) = (Vec::new(), VecDeque::new(), Vec::new());
        let guard = smr_core::pin();
        for (what, n) in steps {
            let some = usize::from(n % 5);
            match what % 16 {
                0 => {
                    let all: Vec<u8> = stack.drain(&guard).take(some).copied().collect();
                    prop_assert!(all.iter().eq(stacked.iter().rev().take(some)));
                    stacked.clear();
                }
                1 => {
                    let all: Vec<u8> = queue.drain(&guard).take(some).copied().collect();
                    let expected: Vec<u8> = queued.drain(..some.min(queued.len())).collect();
                    prop_assert_eq!(all, expected);
                }
                2 => {
                    let all: Vec<u8> = list.drain().take(some).collect();
                    prop_assert!(all.iter().eq(listed.iter().rev().take(some)));
                    listed.clear();
                }
                3 => { stack.clear(&guard); stacked.clear(); }
                4 => { queue.clear(&guard); queued.clear(); }
                5 => { list.clear(); listed.clear(); }
                6 => {
                    prop_assert_eq!(stack.pop(&guard).copied(), stacked.pop());
                    prop_assert_eq!(queue.pop(&guard).copied(), queued.pop_front());
                    prop_assert_eq!(list.pop_mut(), listed.pop());
                }
                _ => {
                    stack.push(n, &guard);
                    queue.push(n, &guard);
                    drop(list.push_front(n, &guard));
                    stacked.push(n);
                    queued.push_back(n);
                    listed.push(n);
                }
            }
            prop_assert!(stack.iter(&guard).eq(stacked.iter().rev()));
            prop_assert!(queue.iter(&guard).eq(&queued));
            prop_assert!(list.iter(&guard).eq(listed.iter().rev()));
            prop_assert_eq!(stack.peek(&guard), stacked.last());
            prop_assert_eq!(queue.peek(&guard), queued.front());
            prop_assert_eq!(list.first(&guard), listed.last());
        }
    }
}

#[test]
#[should_panic(expected = "not the one looked for")]
fn a_set_refuses_a_key_that_was_made_for_another() {
    let set = OrderedSet::from([1]);
    set.get_or_insert_with(&2, || 3, &set.guard());
}
