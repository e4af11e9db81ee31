//! What the lists offer beside their operations: conversions, iterators that are
//! cloned, looks at the ends.

use smr_core::Domain;
use smr_list::rcu_list::WriteToken;
use smr_list::{List, OrderedList, OrderedSet, Queue, RcuList, Stack};

#[test]
fn arrays_become_lists() {
    let map = OrderedList::from([(2, 'b'), (1, 'a'), (2, 'c')]);
    assert!(map.iter(&map.guard()).eq([(&1, &'a'), (&2, &'c')]));
    let set = OrderedSet::from([2, 1, 2]);
    assert!(set.iter(&set.guard()).eq(&[1, 2]));
    assert!(Queue::from([1, 2]).into_iter().eq([1, 2]));
    assert!(RcuList::from([1, 2]).into_iter().eq([1, 2]));
    assert!(Stack::from([1, 2]).into_iter().eq([2, 1]));
    assert!(List::from([1, 2]).into_iter().eq([2, 1]));
}

#[test]
fn a_cloned_iterator_goes_on_by_itself() {
    macro_rules! check {
        ($($list:expr),*) => {$({
            let list = $list;
            let guard = list.guard();
            let mut iter = list.iter(&guard);
            assert!(iter.next().is_some());
            let copy = iter.clone();
            assert_eq!((iter.count(), copy.count()), (2, 2));
        })*};
    }
    check!(
        OrderedList::from([(1, 1), (2, 2), (3, 3)]),
        OrderedSet::from([1, 2, 3]),
        Queue::from([1, 2, 3]),
        RcuList::from([1, 2, 3]),
        Stack::from([1, 2, 3]),
        List::from([1, 2, 3])
    );
    let list = OrderedList::from([(1, 1), (2, 2)]);
    let guard = list.guard();
    let mut range = list.range(1..=2, &guard);
    let copy = range.clone();
    assert!(range.next().is_some());
    assert_eq!((range.count(), copy.count()), (1, 2));
    let mut cursor = list.cursor(&0, &guard);
    let copy = cursor.clone();
    cursor.move_next();
    assert_eq!(
        (copy.current(), cursor.current()),
        (Some((&1, &1)), Some((&2, &2)))
    );
}

#[test]
fn a_set_shows_the_key_that_is_there() {
    let set = OrderedSet::from([String::from("a"), String::from("b")]);
    let guard = set.guard();
    assert_eq!(set.get("a", &guard).map(String::as_str), Some("a"));
    assert_eq!(set.take("a", &guard).map(String::as_str), Some("a"));
    assert_eq!(set.get("a", &guard), None);
    assert_eq!(set.take("a", &guard), None);
    let mut cursor = set.cursor("a", &guard);
    assert_eq!(cursor.current().map(String::as_str), Some("b"));
    assert!(set.remove("b", &guard) && !cursor.still_current());
    cursor.move_next();
    assert_eq!(cursor.current(), None);
    drop(guard);
    set.barrier();
    assert_eq!(set.stats().live_items, 0);
    assert!(set.trim() > 0);
}

#[test]
fn an_ordered_list_shows_key_and_value() {
    let list = OrderedList::from([(String::from("a"), 1)]);
    let guard = list.guard();
    let entry = list.get_key_value("a", &guard).map(|(k, v)| (&**k, *v));
    assert_eq!(entry, Some(("a", 1)));
    let entry = list.remove_entry("a", &guard).map(|(k, v)| (&**k, *v));
    assert_eq!(entry, Some(("a", 1)));
    assert_eq!(list.remove_entry("a", &guard), None);
    assert_eq!(list.get_key_value("a", &guard), None);
}

#[test]
fn ends_are_looked_at_and_cleared() {
    let list = List::new();
    let guard = list.guard();
    assert_eq!(list.first(&guard), None);
    let one = list.push_front(1, &guard);
    drop(list.push_front(2, &guard));
    assert_eq!(list.first(&guard), Some(&2));
    list.remove(one, &guard).unwrap();
    assert_eq!(list.first(&guard), Some(&2));

    let stack = Stack::from([1, 2]);
    stack.clear(&stack.guard());
    assert!(stack.is_empty());

    let queue = Queue::from_iter(0..1000);
    queue.clear(&queue.guard());
    assert!(queue.is_empty(&queue.guard()));
    queue.push(7, &queue.guard());
    assert_eq!(queue.peek(&queue.guard()), Some(&7));

    let mut rcu = RcuList::from([1, 2]);
    let writer = rcu.write();
    assert_eq!((writer.first(), writer.last()), (Some(&1), Some(&2)));
    drop(writer);
    rcu.pop_mut();
    rcu.pop_mut();
    let writer = rcu.write();
    assert_eq!((writer.first(), writer.last()), (None, None));
}

/// As the sets of `std`, which ask for an order where it is needed.
#[derive(Default)]
struct Seen<K> {
    keys: OrderedSet<K>,
}

#[test]
fn a_set_is_held_by_who_knows_no_order_of_its_keys() {
    fn count<K>(mut seen: Seen<K>) -> (bool, usize, bool) {
        let has_first = seen.keys.first(&seen.keys.guard()).is_some();
        let popped = seen.keys.pop_first(&seen.keys.guard()).is_some();
        let left = std::mem::take(&mut seen.keys).into_iter().count();
        seen.keys.clear_mut();
        assert!(seen.keys.is_empty(&seen.keys.guard()));
        (has_first, left, popped)
    }
    let keys = OrderedSet::from([2, 1]);
    assert_eq!(count(Seen { keys }), (true, 1, true));
}

#[test]
fn what_a_drain_was_not_asked_for_goes_with_it() {
    let value = std::sync::Arc::new(());
    let mut list = List::new();
    let guard = smr_core::pin();
    let push = |list: &List<_>| list.push_front(value.clone(), &guard);
    let (first, second) = (push(&list), push(&list));
    let mut drain = list.drain();
    assert!(drain.next().is_some());
    drop(drain);
    assert_eq!(std::sync::Arc::strong_count(&value), 1);
    assert!(list.is_empty(&guard));
    // Not even where the end of the iterator is forgotten.
    let third = push(&list);
    std::mem::forget(list.drain());
    for handle in [first, second, third] {
        assert!(list.get(&handle, &guard).is_none());
    }
}

#[test]
fn a_list_with_a_token_may_have_a_domain_of_its_own() {
    let (mut token, domain) = (WriteToken::new(), Domain::new());
    let list = RcuList::with_token_in(&token, &domain);
    list.write_with(&mut token).unwrap().push_back(1);
    assert!(list.iter(&domain.pin()).eq(&[1]));
}

#[test]
fn an_iteration_of_a_queue_goes_on_over_what_is_popped_and_pushed() {
    let queue = Queue::from_iter(0..1000);
    let guard = queue.guard();
    let mut iter = queue.iter(&guard);
    assert_eq!(iter.next(), Some(&0));
    assert_eq!(queue.drain(&guard).count(), 1000);
    (1000..2000).for_each(|n| queue.push(n, &guard));
    assert!(iter.copied().eq(1..2000));
}

#[test]
fn what_a_queue_holds_and_gives_back_is_in_its_figures() {
    let queue = Queue::from_iter(0..10_000_u64);
    let full = queue.stats();
    assert_eq!(full.live_items, 10_000);
    // A word for the value, one for its slot.
    assert!(full.slab_bytes >= 10_000 * 16, "{full:?}");
    queue.clear(&queue.guard());
    queue.barrier();
    assert!(queue.trim() >= full.slab_bytes / 2);
    assert!(queue.stats().slab_bytes < full.slab_bytes / 2);
}

#[test]
fn a_clone_of_a_list_has_its_elements_and_none_of_its_handles() {
    let list = List::new();
    let guard = list.guard();
    let handle = list.push_front(1, &guard);
    drop(list.push_front(2, &guard));
    let copy = list.clone();
    assert!(copy.iter(&guard).eq(&[2, 1]));
    let handle = copy.remove(handle, &guard).unwrap_err().0;
    assert_eq!(list.remove(handle, &guard).unwrap(), &1);
    assert!(list.clone().iter(&guard).eq(&[2]));
    assert!(copy.iter(&guard).eq(&[2, 1]));
}
