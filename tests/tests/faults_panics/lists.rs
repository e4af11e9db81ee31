//! What compares nothing: list with handles, stack, queue, RCU list.

use smr_list::list::Handle;

use super::*;

/// A list, and the handles of what is in it.
struct Handles {
    list: List<Value>,
    handles: RefCell<Vec<Handle<Value>>>,
}

impl Burnt for Handles {
    fn full(domain: &Domain) -> Self {
        let list = List::new_in(domain);
        let guard = list.guard();
        let mut handles: Vec<_> = (0..VALUES + 3)
            .map(|n| list.push_front(value(n), &guard))
            .collect();
        for handle in handles.drain(VALUES as usize..) {
            list.remove(handle, &guard).expect("of this list");
        }
        drop(guard);
        Self {
            list,
            handles: RefCell::new(handles),
        }
    }

    fn values(&self) -> Vec<u32> {
        let guard = self.list.guard();
        self.list.iter(&guard).map(|value| value.0).collect()
    }

    fn add(&self, n: u32) {
        let _ = self.list.push_front(value(n), &self.list.guard());
    }

    fn empty(&self) -> usize {
        // Those that were added have no handle here.
        let mut removed = self.values().len();
        for handle in self.handles.take() {
            let _ = self.list.remove(handle, &self.list.guard());
        }
        removed -= self.values().len();
        removed + self.values().len()
    }

    fn flush(&self) {
        self.list.sweep(&self.list.guard());
        self.list.flush();
    }
}

/// A stack or a queue: what comes in, of which three are popped again.
macro_rules! ends {
    ($shape:ident, $all:expr) => {
        impl Burnt for $shape<Value> {
            fn full(domain: &Domain) -> Self {
                let ends = $shape::new_in(domain);
                let guard = ends.guard();
                $all.for_each(|n| ends.push(value(n), &guard));
                (0..3).for_each(|_| assert!(ends.pop(&guard).is_some()));
                drop(guard);
                ends
            }

            fn values(&self) -> Vec<u32> {
                self.iter(&self.guard()).map(|value| value.0).collect()
            }

            fn add(&self, n: u32) {
                self.push(value(n), &self.guard());
            }

            fn empty(&self) -> usize {
                std::iter::from_fn(|| self.pop(&self.guard()).map(|_| ())).count()
            }

            fn flush(&self) {
                self.flush();
            }
        }
    };
}

ends!(Stack, (0..VALUES + 3));
ends!(Queue, (90..93).chain(0..VALUES));

impl Burnt for RcuList<Value> {
    fn full(domain: &Domain) -> Self {
        let list = RcuList::new_in(domain);
        let mut writer = list.write();
        (90..93)
            .chain(0..VALUES)
            .for_each(|n| writer.push_back(value(n)));
        (0..3).for_each(|_| assert!(writer.pop_front().is_some()));
        drop(writer);
        list
    }

    fn values(&self) -> Vec<u32> {
        self.iter(&self.guard()).map(|value| value.0).collect()
    }

    fn add(&self, n: u32) {
        self.write().push_back(value(n));
    }

    fn empty(&self) -> usize {
        let mut writer = self.write();
        std::iter::from_fn(|| writer.pop_front().map(|_| ())).count()
    }

    fn flush(&self) {
        self.flush();
    }
}

burns! {
    stack_pop: Stack<Value>, |stack| {
        let guard = stack.guard();
        stack.pop(&guard);
        drop(guard);
        stack.flush();
    }, all_but(9);
    stack_pop_cloned: Stack<Value>, |stack| { stack.pop_cloned(); }, all_but(9);
    stack_drain: Stack<Value>, |stack| {
        let guard = stack.guard();
        stack.drain(&guard).for_each(|_| burn());
        drop(guard);
        stack.flush();
    }, some;
    stack_pop_mut: Stack<Value>, |stack| { stack.pop_mut(); }, all_but(9);
    stack_clone: Stack<Value>, |stack| assert_eq!(stack.clone().values().len(), 10), all_and(0);
    stack_extend: Stack<Value>, |stack| stack.extend((10..11).map(|n| { burn(); value(n) })),
        all_and(10);

    queue_pop: Queue<Value>, |queue| {
        let guard = queue.guard();
        queue.pop(&guard);
        drop(guard);
        queue.flush();
    }, all_but(0);
    queue_pop_cloned: Queue<Value>, |queue| { queue.pop_cloned(); }, all_but(0);
    queue_drain: Queue<Value>, |queue| {
        let guard = queue.guard();
        queue.drain(&guard).for_each(|_| burn());
        drop(guard);
        queue.flush();
    }, some;
    queue_pop_mut: Queue<Value>, |queue| { queue.pop_mut(); }, all_but(0);
    queue_clone: Queue<Value>, |queue| assert_eq!(queue.clone().values().len(), 10), all_and(0);
    queue_extend: Queue<Value>, |queue| queue.extend((10..11).map(|n| { burn(); value(n) })),
        all_and(10);

    rcu_pop: RcuList<Value>, |list| {
        list.write().pop_front();
        list.flush();
    }, all_but(0);
    rcu_clear: RcuList<Value>, |list| {
        list.write().clear();
        list.flush();
    }, some;
    rcu_retain: RcuList<Value>, |list| list.write().retain(|value| { burn(); value.0 % 2 == 0 }),
        |found| some(found) && (0..VALUES).step_by(2).all(|n| found.contains(&n));
    rcu_cursor: RcuList<Value>, |list| {
        let mut writer = list.write();
        let mut cursor = writer.cursor();
        cursor.move_next();
        cursor.remove();
        let _ = cursor.replace(value(2));
        cursor.insert_before(value(1));
        drop(writer);
        list.flush();
    }, all_but(1);
    rcu_move_to_front: RcuList<Value>, |list| {
        let mut writer = list.write();
        let mut cursor = writer.cursor();
        cursor.move_next();
        assert!(cursor.move_to_front());
    // A destructor may panic between its two steps.
    }, |found| all_and(0)(found) || found.len() == 11 && found[1..3] == [1, 1];
    rcu_append_of_a_sibling: RcuList<Value>, |list| {
        let mut more = list.sibling();
        more.extend((10..11).map(|n| { burn(); value(n) }));
        list.write().append(more);
    }, all_and(10);
    rcu_append_of_another: RcuList<Value>, |list| {
        let more = RcuList::from_iter((10..11).map(|n| { burn(); value(n) }));
        list.write().append(more);
        list.flush();
    }, all_and(10);
    rcu_pop_mut: RcuList<Value>, |list| { list.pop_mut(); }, all_but(0);
    rcu_clone: RcuList<Value>, |list| assert_eq!(list.clone().values().len(), 10), all_and(0);
}

#[test]
fn list_remove() {
    quietly(|| {
        for fuse in 0.. {
            let burnt = Handles::full(&Domain::new());
            let handle = burnt.handles.borrow_mut().swap_remove(3);
            let came_through = with_fuse(fuse, || {
                let guard = burnt.list.guard();
                burnt.list.remove(handle, &guard).expect("of this list");
                drop(guard);
                burnt.flush();
            });
            assert!(!burnt.values().contains(&3), "it is removed in any case");
            assert_eq!(burnt.values().len(), 9);
            burnt.add(20);
            assert_eq!(burnt.empty(), 10);
            drop(burnt);
            all_dropped_once(fuse);
            if came_through {
                break;
            }
        }
    });
}

owned! {
    list_drop: Handles, |burnt| drop(burnt.list);
    list_into_iter: Handles, |burnt| burnt.list.into_iter().for_each(|_| burn());
    list_some_of_into_iter: Handles, |burnt| drop(burnt.list.into_iter().next());
    list_clear: Handles, |mut burnt| burnt.list.clear();
    list_drain: Handles, |mut burnt| burnt.list.drain().for_each(|_| burn());
    list_some_of_drain: Handles, |mut burnt| drop(burnt.list.drain().next());
    stack_drop: Stack<Value>, drop;
    stack_into_iter: Stack<Value>, |stack| stack.into_iter().for_each(|_| burn());
    queue_drop: Queue<Value>, drop;
    queue_into_iter: Queue<Value>, |queue| queue.into_iter().for_each(|_| burn());
    rcu_drop: RcuList<Value>, drop;
    rcu_into_iter: RcuList<Value>, |list| list.into_iter().for_each(|_| burn());
}
