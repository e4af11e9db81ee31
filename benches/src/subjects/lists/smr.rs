//! The lists of `smr-list`, with a guard of the list for each operation.

use smr_list::list::Handle;
use smr_list::{List, OrderedList, Queue, RcuList, Stack};

use super::{Handles, Ordered, Readable, Sequence, Walk};
use crate::subjects::Subject;

/// One of our lists.
#[derive(Debug)]
pub(crate) struct Smr<L>(L);

impl<L> Subject for Smr<L> {
    const NAME: &'static str = "smr";
    const ABOUT: &'static str = "smr-list: OrderedList, Queue, Stack, List, RcuList";
}

impl Walk for Smr<OrderedList<u64, u64>> {
    fn new() -> Self {
        Self(OrderedList::new())
    }

    fn put(&mut self, key: u64, value: u64) {
        self.insert(key, value);
    }

    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        self.0.get(&key, &self.0.guard()).copied()
    }

    fn audit(&self) -> (u64, bool) {
        let guard = self.0.guard();
        let keys = || self.0.iter(&guard).map(|(key, _)| *key);
        (keys().count() as u64, keys().is_sorted_by(|a, b| a < b))
    }
}

impl Ordered for Smr<OrderedList<u64, u64>> {
    #[inline(always)]
    fn insert(&self, key: u64, value: u64) -> bool {
        self.0.try_insert(key, value, &self.0.guard()).is_ok()
    }

    #[inline(always)]
    fn remove(&self, key: u64) -> bool {
        self.0.remove(&key, &self.0.guard()).is_some()
    }
}

macro_rules! sequence {
    ($shape:ident) => {
        impl Sequence for Smr<$shape<u64>> {
            fn new() -> Self {
                Self($shape::new())
            }

            #[inline(always)]
            fn push(&self, value: u64) {
                self.0.push(value, &self.0.guard());
            }

            #[inline(always)]
            fn pop(&self) -> Option<u64> {
                self.0.pop(&self.0.guard()).copied()
            }
        }
    };
}

sequence!(Queue);
sequence!(Stack);

impl Handles for Smr<List<u64>> {
    type Handle = Handle<u64>;

    fn new() -> Self {
        Self(List::new())
    }

    #[inline(always)]
    fn push(&self, value: u64) -> Handle<u64> {
        self.0.push_front(value, &self.0.guard())
    }

    #[inline(always)]
    fn remove(&self, handle: Handle<u64>) -> u64 {
        let guard = self.0.guard();
        *self.0.remove(handle, &guard).expect("a handle of the list")
    }

    fn count(&self) -> u64 {
        self.0.iter(&self.0.guard()).count() as u64
    }
}

impl Readable for Smr<RcuList<u64>> {
    fn of(values: std::ops::Range<u64>) -> Self {
        Self(values.collect())
    }

    #[inline(always)]
    fn visit(&self, mut each: impl FnMut(u64)) {
        let guard = self.0.guard();
        for value in self.0.iter(&guard) {
            each(*value);
        }
    }

    fn rotate(&self, value: u64) {
        let mut writer = self.0.write();
        writer.pop_front();
        writer.push_back(value);
    }

    fn retired_bytes(&self) -> Option<usize> {
        Some(self.0.stats().retired_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subjects::lists::testing;

    #[test]
    fn the_adapters_do_as_told() {
        testing::writes_as_told::<Smr<OrderedList<u64, u64>>>();
        testing::comes_out::<Smr<Queue<u64>>>(true);
        testing::comes_out::<Smr<Stack<u64>>>(false);
        testing::removes_by_handle::<Smr<List<u64>>>();
        testing::visits_in_order::<Smr<RcuList<u64>>>();
        testing::tells_what_waits::<Smr<RcuList<u64>>>();
    }
}
