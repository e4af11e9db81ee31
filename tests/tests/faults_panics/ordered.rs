//! What compares keys: hash set, ordered set, ordered list.

use super::*;

impl Burnt for HashSet<Value> {
    fn full(domain: &Domain) -> Self {
        let set = HashSet::builder().domain(domain.clone()).build();
        (0..VALUES + 3).for_each(|n| assert!(set.pin().insert(value(n))));
        (VALUES..VALUES + 3).for_each(|n| assert!(set.pin().remove(&value(n))));
        set
    }

    fn values(&self) -> Vec<u32> {
        let set = self.pin();
        for value in &set {
            assert!(set.contains(value));
        }
        assert_eq!(set.iter().count(), set.len());
        set.iter().map(|value| value.0).collect()
    }

    fn add(&self, n: u32) {
        assert!(self.pin().insert(value(n)));
    }

    fn empty(&self) -> usize {
        let removed = self.values().into_iter();
        removed.filter(|n| self.pin().remove(&value(*n))).count()
    }

    fn flush(&self) {
        self.barrier();
    }
}

impl Burnt for OrderedSet<Value> {
    fn full(domain: &Domain) -> Self {
        let set = OrderedSet::new_in(domain);
        let guard = set.guard();
        (0..VALUES + 3).for_each(|n| assert!(set.insert(value(n), &guard)));
        (VALUES..VALUES + 3).for_each(|n| assert!(set.remove(&value(n), &guard)));
        drop(guard);
        set
    }

    fn values(&self) -> Vec<u32> {
        let guard = self.guard();
        let found: Vec<_> = self.iter(&guard).collect();
        assert!(found.is_sorted_by(|a, b| a < b));
        assert!(found.iter().all(|value| self.contains(*value, &guard)));
        found.iter().map(|value| value.0).collect()
    }

    fn add(&self, n: u32) {
        assert!(self.insert(value(n), &self.guard()));
    }

    fn empty(&self) -> usize {
        std::iter::from_fn(|| self.pop_first(&self.guard()).map(|_| ())).count()
    }

    fn flush(&self) {
        self.flush();
    }
}

type Ordered = OrderedList<Value, Value>;

impl Burnt for Ordered {
    fn full(domain: &Domain) -> Self {
        let list = OrderedList::new_in(domain);
        let guard = list.guard();
        (0..VALUES + 3).for_each(|n| assert!(list.insert(value(n), value(n), &guard).is_none()));
        (VALUES..VALUES + 3).for_each(|n| assert!(list.remove(&value(n), &guard).is_some()));
        drop(guard);
        list
    }

    fn values(&self) -> Vec<u32> {
        let guard = self.guard();
        let found: Vec<_> = self.iter(&guard).collect();
        assert!(found.is_sorted_by(|a, b| a.0 < b.0));
        for (key, value) in &found {
            assert_eq!(self.get(*key, &guard).map(|value| value.0), Some(value.0));
            assert!(value.0 % 1000 == key.0);
        }
        found.iter().map(|(key, _)| key.0).collect()
    }

    fn add(&self, n: u32) {
        assert!(self.insert(value(n), value(n), &self.guard()).is_none());
    }

    fn empty(&self) -> usize {
        std::iter::from_fn(|| self.pop_first(&self.guard()).map(|_| ())).count()
    }

    fn flush(&self) {
        self.flush();
    }
}

burns! {
    set_insert: HashSet<Value>, |set| {
        set.pin().insert(value(3));
        set.pin().insert(value(20));
    }, all_and(20);
    set_get_or_insert: HashSet<Value>, |set| {
        set.pin().get_or_insert(value(3));
        set.pin().get_or_insert(value(20));
    }, all_and(20);
    set_contains: HashSet<Value>, |set| assert!(set.pin().contains(&value(3))), all_and(0);
    set_remove: HashSet<Value>, |set| {
        set.pin().remove(&value(20));
        set.pin().remove(&value(3));
        set.flush();
    }, all_but(3);
    set_take: HashSet<Value>, |set| { set.pin().take(&value(3)); }, all_but(3);
    set_retain: HashSet<Value>, |set| set.pin().retain(|value| { burn(); value.0 % 2 == 0 }),
        |found| some(found) && (0..VALUES).step_by(2).all(|n| found.contains(&n));
    set_clear: HashSet<Value>, |set| {
        set.pin().clear();
        set.flush();
    }, some;
    set_grows_and_shrinks: HashSet<Value>, |set| {
        set.pin().reserve(200);
        set.pin().contains(&value(3));
        set.pin().shrink_to_fit();
        set.pin().contains(&value(3));
    }, all_and(0);
    set_insert_many: HashSet<Value>, |set| {
        set.pin().insert_many((5..11).map(|n| { burn(); value(n) }));
    }, all_and(10);
    set_clone_and_compare: HashSet<Value>, |set| assert!(set.clone() == *set), all_and(0);

    ordered_set_insert: OrderedSet<Value>, |set| {
        let guard = set.guard();
        set.insert(value(3), &guard);
        set.insert(value(20), &guard);
    }, all_and(20);
    ordered_set_remove: OrderedSet<Value>, |set| {
        set.remove(&value(20), &set.guard());
        set.remove(&value(3), &set.guard());
        set.flush();
    }, all_but(3);
    ordered_set_contains: OrderedSet<Value>, |set| {
        assert!(set.contains(&value(3), &set.guard()));
    }, all_and(0);
    ordered_set_retain: OrderedSet<Value>, |set| {
        set.retain(|value| { burn(); value.0 % 2 == 0 }, &set.guard());
    }, |found| some(found) && (0..VALUES).step_by(2).all(|n| found.contains(&n));
    ordered_set_clear: OrderedSet<Value>, |set| {
        set.clear(&set.guard());
        set.flush();
    }, some;
    ordered_set_range: OrderedSet<Value>, |set| {
        let (from, guard) = (value(3), set.guard());
        let to = value(7);
        assert_eq!(set.range(&from..&to, &guard).count(), 4);
    }, all_and(0);

    ordered_insert: Ordered, |list| {
        list.insert(value(20), value(20), &list.guard());
    }, all_and(20);
    ordered_replace: Ordered, |list| {
        list.insert(value(3), value(1003), &list.guard());
        list.flush();
    }, all_and(0);
    ordered_try_insert: Ordered, |list| {
        let guard = list.guard();
        let _ = list.try_insert(value(3), value(3), &guard);
        let _ = list.try_insert(value(20), value(20), &guard);
    }, all_and(20);
    ordered_get_or_insert_with: Ordered, |list| {
        let guard = list.guard();
        list.get_or_insert_with(value(3), || unreachable!(), &guard);
        list.get_or_insert_with(value(20), || { burn(); value(20) }, &guard);
    }, all_and(20);
    ordered_remove: Ordered, |list| {
        list.remove(&value(3), &list.guard());
        list.flush();
    }, all_but(3);
    ordered_remove_if: Ordered, |list| {
        list.remove_if(&value(3), |value| { burn(); value.0 == 3 }, &list.guard());
    }, all_but(3);
    ordered_update: Ordered, |list| {
        list.update(&value(3), |old| { burn(); value(old.0 + 1000) }, &list.guard());
        list.flush();
    }, all_and(0);
    ordered_compute: Ordered, |list| {
        for _ in 0..3 {
            let guard = list.guard();
            list.compute(value(3), |old| {
                burn();
                match old {
                    Some(old) if old.0 > 1000 => Change::Remove,
                    Some(old) => Change::Put(value(old.0 + 1000)),
                    None => Change::Leave,
                }
            }, &guard);
        }
        list.compute(value(20), |_| { burn(); Change::Put(value(20)) }, &list.guard());
    }, |found| all_but(3)(found) || all_but(3)(&found[..found.len() - 1]) && found.ends_with(&[20]);
    ordered_pop_first: Ordered, |list| {
        list.pop_first(&list.guard());
        list.flush();
    }, all_but(0);
    ordered_retain: Ordered, |list| {
        list.retain(|key, _| { burn(); key.0 % 2 == 0 }, &list.guard());
    }, |found| some(found) && (0..VALUES).step_by(2).all(|n| found.contains(&n));
    ordered_clear: Ordered, |list| {
        list.clear(&list.guard());
        list.flush();
    }, some;
    ordered_clear_mut: Ordered, |list| list.clear_mut(), some;
    ordered_cursor: Ordered, |list| {
        let guard = list.guard();
        let mut cursor = list.cursor(&value(3), &guard);
        cursor.move_next();
        assert_eq!(cursor.current().map(|(key, _)| key.0), Some(4));
    }, all_and(0);
    ordered_clone: Ordered, |list| assert_eq!(list.clone().values().len(), 10), all_and(0);
    ordered_extend: Ordered, |list| {
        list.extend((5..11).map(|n| { burn(); (value(n), value(n)) }));
    }, all_and(10);
}

owned! {
    set_drop: HashSet<Value>, drop;
    set_into_iter: HashSet<Value>, |set| set.into_iter().for_each(|_| burn());
    set_some_of_into_iter: HashSet<Value>, |set| drop(set.into_iter().next());
    ordered_set_drop: OrderedSet<Value>, drop;
    ordered_set_into_iter: OrderedSet<Value>, |set| set.into_iter().for_each(|_| burn());
    ordered_drop: Ordered, drop;
    ordered_into_iter: Ordered, |list| list.into_iter().for_each(|_| burn());
    ordered_some_of_into_iter: Ordered, |list| drop(list.into_iter().next());
}
