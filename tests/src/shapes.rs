//! One face over all structures, for checks that each must pass.

use std::collections::HashMap as Std;
use std::sync::{Mutex, PoisonError};

use smr_core::{Domain, Guard};
use smr_hashmap::{HashMap, HashSet};
use smr_list::list::Handle;
use smr_list::{List, OrderedList, OrderedSet, Queue, RcuList, Stack};
use smr_radix::RadixTree;

use crate::ledger::Value;

/// A structure that holds values, whose keys differ.
pub trait Shape: Send + Sync + Sized + 'static {
    /// What to call it in a message.
    const NAME: &'static str;

    /// Whether collections of the domain reach what was removed, and not only those
    /// of the structure.
    const REACHED_BY_DOMAIN: bool = false;

    /// An empty one.
    fn new_in(domain: &Domain) -> Self;

    /// Puts a value in. Constant time where keys fall.
    fn add(&self, value: Value, guard: &Guard);

    /// Takes the value with this key out, or any value where there are no keys.
    /// Constant time where keys rise.
    fn remove(&self, key: u64, guard: &Guard) -> bool;

    /// Shows all values.
    fn visit(&self, guard: &Guard, see: &mut dyn FnMut(&Value));

    /// Drops what was removed and is held up by nobody.
    fn flush(&self);

    /// The keys, sorted.
    fn keys(&self, guard: &Guard) -> Vec<u64> {
        let mut keys = Vec::new();
        self.visit(guard, &mut |value| keys.push(value.look().0));
        keys.sort_unstable();
        keys
    }
}

/// Runs a generic function, or a macro, for each shape.
#[macro_export]
macro_rules! for_every_shape {
    ($run:ident ( $($arg:expr),* )) => {
        $run::<smr_hashmap::HashMap<u64, $crate::ledger::Value>>($($arg),*);
        $run::<$crate::shapes::MapOfDomain>($($arg),*);
        $run::<smr_hashmap::HashSet<$crate::ledger::Value>>($($arg),*);
        $run::<smr_list::OrderedList<u64, $crate::ledger::Value>>($($arg),*);
        $run::<smr_list::OrderedSet<$crate::ledger::Value>>($($arg),*);
        $run::<$crate::shapes::Handles>($($arg),*);
        $run::<smr_list::Stack<$crate::ledger::Value>>($($arg),*);
        $run::<smr_list::Queue<$crate::ledger::Value>>($($arg),*);
        $run::<smr_list::RcuList<$crate::ledger::Value>>($($arg),*);
        $run::<smr_radix::RadixTree<u64, $crate::ledger::Value>>($($arg),*);
    };
}

impl Shape for HashMap<u64, Value> {
    const NAME: &'static str = "hash map";

    fn new_in(domain: &Domain) -> Self {
        HashMap::builder().domain(domain.clone()).build()
    }

    fn add(&self, value: Value, guard: &Guard) {
        assert!(self.insert(value.look().0, value, guard).is_none());
    }

    fn remove(&self, key: u64, guard: &Guard) -> bool {
        self.remove(&key, guard)
            .is_some_and(|value| value.take().0 == key)
    }

    fn visit(&self, guard: &Guard, see: &mut dyn FnMut(&Value)) {
        self.iter(guard).for_each(|(_, value)| see(value));
    }

    fn flush(&self) {
        self.flush();
    }
}

/// A hash map whose values the domain may drop.
#[derive(Debug)]
pub struct MapOfDomain(HashMap<u64, Value>);

impl Shape for MapOfDomain {
    const NAME: &'static str = "hash map dropped by its domain";
    const REACHED_BY_DOMAIN: bool = true;

    fn new_in(domain: &Domain) -> Self {
        let builder = HashMap::builder().domain(domain.clone());
        Self(builder.dropped_by_domain().build())
    }

    fn add(&self, value: Value, guard: &Guard) {
        self.0.add(value, guard);
    }

    fn remove(&self, key: u64, guard: &Guard) -> bool {
        Shape::remove(&self.0, key, guard)
    }

    fn visit(&self, guard: &Guard, see: &mut dyn FnMut(&Value)) {
        self.0.visit(guard, see);
    }

    fn flush(&self) {
        self.0.flush();
    }
}

impl Shape for HashSet<Value> {
    const NAME: &'static str = "hash set";

    fn new_in(domain: &Domain) -> Self {
        HashSet::builder().domain(domain.clone()).build()
    }

    fn add(&self, value: Value, guard: &Guard) {
        assert!(self.insert(value, guard));
    }

    fn remove(&self, key: u64, guard: &Guard) -> bool {
        self.take(&Key(key), guard)
            .is_some_and(|value| value.take().0 == key)
    }

    fn visit(&self, guard: &Guard, see: &mut dyn FnMut(&Value)) {
        self.iter(guard).for_each(see);
    }

    fn flush(&self) {
        self.flush();
    }
}

/// Found where a value with this key is.
#[derive(Debug, Hash)]
struct Key(u64);

impl smr_hashmap::Equivalent<Value> for Key {
    fn equivalent(&self, value: &Value) -> bool {
        self.0 == value.look().0
    }
}

impl Shape for OrderedList<u64, Value> {
    const NAME: &'static str = "ordered list";

    fn new_in(domain: &Domain) -> Self {
        OrderedList::new_in(domain)
    }

    fn add(&self, value: Value, guard: &Guard) {
        assert!(self.insert(value.look().0, value, guard).is_none());
    }

    fn remove(&self, key: u64, guard: &Guard) -> bool {
        self.remove(&key, guard)
            .is_some_and(|value| value.take().0 == key)
    }

    fn visit(&self, guard: &Guard, see: &mut dyn FnMut(&Value)) {
        self.iter(guard).for_each(|(_, value)| see(value));
    }

    fn flush(&self) {
        self.flush();
    }
}

impl Shape for OrderedSet<Value> {
    const NAME: &'static str = "ordered set";

    fn new_in(domain: &Domain) -> Self {
        OrderedSet::new_in(domain)
    }

    fn add(&self, value: Value, guard: &Guard) {
        assert!(self.insert(value, guard));
    }

    fn remove(&self, key: u64, guard: &Guard) -> bool {
        self.remove(&key, guard)
    }

    fn visit(&self, guard: &Guard, see: &mut dyn FnMut(&Value)) {
        self.iter(guard).for_each(see);
    }

    fn flush(&self) {
        self.flush();
    }
}

/// A list, and the handles of what is in it.
#[derive(Debug)]
pub struct Handles {
    list: List<Value>,
    handles: Mutex<Std<u64, Handle<Value>>>,
}

impl Handles {
    fn handles(&self) -> std::sync::MutexGuard<'_, Std<u64, Handle<Value>>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shape for Handles {
    const NAME: &'static str = "list with handles";

    fn new_in(domain: &Domain) -> Self {
        Self {
            list: List::new_in(domain),
            handles: Mutex::default(),
        }
    }

    fn add(&self, value: Value, guard: &Guard) {
        let key = value.look().0;
        let handle = self.list.push_front(value, guard);
        self.handles().insert(key, handle);
    }

    fn remove(&self, key: u64, guard: &Guard) -> bool {
        let Some(handle) = self.handles().remove(&key) else {
            return false;
        };
        let value = self.list.remove(handle, guard);
        value.expect("a handle of this list").take().0 == key
    }

    fn visit(&self, guard: &Guard, see: &mut dyn FnMut(&Value)) {
        self.list.iter(guard).for_each(see);
    }

    fn flush(&self) {
        // What waits to be unlinked is not yet retired.
        self.list.sweep(&self.list.guard());
        self.list.flush();
    }
}

macro_rules! ends {
    ($shape:ident, $name:literal) => {
        impl Shape for $shape<Value> {
            const NAME: &'static str = $name;

            fn new_in(domain: &Domain) -> Self {
                $shape::new_in(domain)
            }

            fn add(&self, value: Value, guard: &Guard) {
                self.push(value, guard);
            }

            fn remove(&self, _: u64, guard: &Guard) -> bool {
                self.pop(guard).map(Value::take).is_some()
            }

            fn visit(&self, guard: &Guard, see: &mut dyn FnMut(&Value)) {
                self.iter(guard).for_each(see);
            }

            fn flush(&self) {
                self.flush();
            }
        }
    };
}

ends!(Stack, "stack");
ends!(Queue, "queue");

impl Shape for RadixTree<u64, Value> {
    const NAME: &'static str = "radix tree";

    fn new_in(domain: &Domain) -> Self {
        RadixTree::new_in(domain)
    }

    fn add(&self, value: Value, guard: &Guard) {
        assert!(self.insert(value.look().0, value, guard).is_none());
    }

    fn remove(&self, key: u64, guard: &Guard) -> bool {
        self.remove(key, guard)
            .is_some_and(|value| value.take().0 == key)
    }

    fn visit(&self, guard: &Guard, see: &mut dyn FnMut(&Value)) {
        self.values(guard).for_each(see);
    }

    fn flush(&self) {
        self.flush();
    }
}

impl Shape for RcuList<Value> {
    const NAME: &'static str = "RCU list";

    fn new_in(domain: &Domain) -> Self {
        RcuList::new_in(domain)
    }

    fn add(&self, value: Value, _: &Guard) {
        self.write().push_back(value);
    }

    fn remove(&self, _: u64, _: &Guard) -> bool {
        self.write().pop_front().map(Value::take).is_some()
    }

    fn visit(&self, guard: &Guard, see: &mut dyn FnMut(&Value)) {
        self.iter(guard).for_each(see);
    }

    fn flush(&self) {
        self.flush();
    }
}
