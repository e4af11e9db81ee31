//! Values of any size and alignment, and guards of another domain.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use smr_core::Domain;
use smr_list::ordered_list::Change;
use smr_list::{List, OrderedList, OrderedSet, Queue, RcuList, Stack};

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

/// Counts how many of its kind live, and is laid out as what it holds.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
struct Loud<T>(T);

impl<T> Loud<T> {
    fn new(value: T) -> Self {
        LIVE.set(LIVE.get() + 1);
        Self(value)
    }
}

impl<T: Clone> Clone for Loud<T> {
    fn clone(&self) -> Self {
        Self::new(self.0.clone())
    }
}

impl<T> Drop for Loud<T> {
    fn drop(&mut self) {
        LIVE.set(LIVE.get() - 1);
    }
}

/// They are aligned, and none lies in another.
#[track_caller]
fn stand_apart<'v, T: 'v>(values: impl Iterator<Item = &'v T>) {
    let mut places: Vec<usize> = values.map(|v| std::ptr::from_ref(v).addr()).collect();
    assert!(places.iter().all(|at| at % align_of::<T>() == 0));
    places.sort_unstable();
    let apart = |two: &[usize]| two[0] + size_of::<T>() <= two[1];
    assert!(places.windows(2).all(apart), "{places:?}");
}

/// Puts 30 values into each list, takes some of them out and puts others in, looks at
/// them, and drops the list.
fn live_in_every_list<T: Clone + Ord + Debug>(make: impl Fn(u8) -> T) {
    let value = |n| Loud::new(make(n));
    let guard = smr_core::pin();
    let numbers = || 0..30_u8;
    let (odd, late) = (|n: &u8| n % 2 == 1, 30..60_u8);
    let left = || numbers().filter(odd).chain(late.clone());

    let stack: Stack<Loud<T>> = numbers().map(value).collect();
    stand_apart(stack.iter(&guard));
    assert!(stack.pop(&guard) == Some(&value(29)));
    stack.clear(&guard);
    left().for_each(|n| stack.push(value(n), &guard));
    stand_apart(stack.iter(&guard));
    assert!(stack.into_iter().eq(left().rev().map(value)));

    let queue: Queue<Loud<T>> = numbers().map(value).collect();
    stand_apart(queue.iter(&guard));
    assert!(queue.drain(&guard).cloned().eq(numbers().map(value)));
    left().for_each(|n| queue.push(value(n), &guard));
    stand_apart(queue.iter(&guard));
    assert!(queue.into_iter().eq(left().map(value)));

    let list = List::new();
    for n in numbers() {
        let handle = list.push_front(value(n), &guard);
        if !odd(&n) {
            assert!(list.remove(handle, &guard).unwrap() == &value(n));
        }
    }
    list.sweep(&guard);
    late.clone()
        .for_each(|n| drop(list.push_front(value(n), &guard)));
    stand_apart(list.iter(&guard));
    assert!(list.into_iter().eq(left().rev().map(value)));

    let rcu: RcuList<Loud<T>> = numbers().map(value).collect();
    stand_apart(rcu.iter(&guard));
    let mut is_odd = [false, true].into_iter().cycle();
    rcu.write().retain(|_| is_odd.next() == Some(true));
    late.clone().for_each(|n| rcu.write().push_back(value(n)));
    stand_apart(rcu.iter(&guard));
    assert!(rcu.into_iter().eq(left().map(value)));

    // Of a type without size there is one value.
    let all: BTreeSet<Loud<T>> = numbers().map(value).collect();
    let set: OrderedSet<Loud<T>> = numbers().rev().map(value).collect();
    stand_apart(set.iter(&guard));
    assert!(set.iter(&guard).eq(&all));
    assert!(all.iter().all(|key| set.contains(key, &guard)));
    assert!(set.take(&value(0), &guard) == Some(&value(0)));
    assert_eq!(set.iter(&guard).count(), all.len() - 1);
    assert!(set.insert(value(0), &guard));
    stand_apart(set.iter(&guard));
    assert!(set.into_iter().eq(all.clone()));

    let map: OrderedList<Loud<T>, Loud<T>> =
        numbers().rev().map(|n| (value(n), value(n))).collect();
    stand_apart(map.iter(&guard).map(|(key, _)| key));
    stand_apart(map.iter(&guard).map(|(_, value)| value));
    for key in &all {
        assert!(map.insert(key.clone(), value(7), &guard) == Some(key));
        assert!(map.update(key, Clone::clone, &guard) == Some(&value(7)));
    }
    assert!(map.remove(&value(0), &guard) == Some(&value(7)));
    assert!(map.insert(value(0), value(7), &guard).is_none());
    stand_apart(map.iter(&guard).map(|(_, value)| value));
    assert!(
        map.into_iter()
            .eq(all.iter().map(|key| (key.clone(), value(7))))
    );

    drop(all);
    assert_eq!(LIVE.get(), 0, "{}", std::any::type_name::<T>());
}

#[test]
fn values_of_any_size_and_alignment_live_in_every_list() {
    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
    #[repr(align(64))]
    struct Line(u8);
    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
    #[repr(align(4096))]
    struct Page(u8);
    // Each is a copy of every list: a few that differ in what matters.
    live_in_every_list(|_| ());
    live_in_every_list(|n| [n; 17]);
    live_in_every_list(|n| (u16::from(n), n));
    live_in_every_list(u128::from);
    live_in_every_list(|n| [n; 5000]);
    live_in_every_list(|n| n.to_string());
    live_in_every_list(|n| (n, Line(n), n));
    live_in_every_list(Page);
}

#[test]
fn values_without_size_may_be_aligned() {
    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
    #[repr(align(128))]
    struct Nothing;
    live_in_every_list(|_| Nothing);
}

fn panics(what: impl FnOnce()) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(what)).err()?;
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
}

/// Each of these calls panics, for the guard is one of another domain.
macro_rules! are_refused {
    ($($call:expr),+ $(,)?) => {$({
        let said = panics(|| _ = $call).unwrap_or_default();
        let call = stringify!($call);
        assert!(said.contains("does not protect the domain of this list"), "{call}: {said}");
    })+};
}

#[test]
fn a_guard_of_another_domain_is_refused_by_every_method_of_an_ordered_list() {
    let (list, other) = (OrderedList::from([(1, 1)]), Domain::new());
    let g = &other.pin();
    are_refused!(
        list.is_empty(g),
        list.first(g),
        list.last(g),
        list.pop_first(g),
        list.iter(g),
        list.get(&1, g),
        list.get_key_value(&1, g),
        list.contains_key(&1, g),
        list.insert(1, 2, g),
        list.try_insert(2, 2, g),
        list.get_or_insert_with(2, || 2, g),
        list.remove(&1, g),
        list.remove_entry(&1, g),
        list.remove_if(&1, |_| true, g),
        list.update(&1, |n| n + 1, g),
        list.compute(1, |_| Change::Remove, g),
        list.retain(|_, _| false, g),
        list.clear(g),
        list.range(1.., g),
        list.cursor(&1, g),
    );
    assert!(list.into_iter().eq([(1, 1)]));
}

#[test]
fn a_guard_of_another_domain_is_refused_by_every_method_of_an_ordered_set() {
    let (set, other) = (OrderedSet::from([1]), Domain::new());
    let g = &other.pin();
    are_refused!(
        set.is_empty(g),
        set.contains(&1, g),
        set.get(&1, g),
        set.insert(2, g),
        set.get_or_insert(2, g),
        set.get_or_insert_with(&2, || 2, g),
        set.remove(&1, g),
        set.remove_if(&1, |_| true, g),
        set.take(&1, g),
        set.first(g),
        set.last(g),
        set.pop_first(g),
        set.retain(|_| false, g),
        set.clear(g),
        set.iter(g),
        set.range(1.., g),
        set.cursor(&1, g),
    );
    assert!(set.into_iter().eq([1]));
}

#[test]
fn a_guard_of_another_domain_is_refused_by_every_method_of_the_other_lists() {
    let other = Domain::new();
    let g = &other.pin();

    let list = List::new();
    let (one, two) = (
        list.push_front(1, &list.guard()),
        list.push_front(2, &list.guard()),
    );
    are_refused!(
        list.is_empty(g),
        list.first(g),
        list.push_front(3, g),
        list.get(&one, g),
        list.remove(two, g),
        list.sweep(g),
        list.iter(g),
    );
    assert!(list.into_iter().eq([2, 1]));

    let stack = Stack::from([1]);
    are_refused!(
        stack.push(2, g),
        stack.pop(g),
        stack.peek(g),
        stack.iter(g),
        stack.drain(g),
        stack.clear(g),
    );
    assert!(stack.into_iter().eq([1]));

    let queue = Queue::from([1]);
    are_refused!(
        queue.is_empty(g),
        queue.push(2, g),
        queue.pop(g),
        queue.peek(g),
        queue.iter(g),
        queue.drain(g),
        queue.clear(g),
    );
    assert!(queue.into_iter().eq([1]));

    let rcu = RcuList::from([1]);
    are_refused!(rcu.is_empty(g), rcu.first(g), rcu.iter(g));
    assert!(rcu.into_iter().eq([1]));
}
