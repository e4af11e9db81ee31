//! The limit: a linked list of boxes with the fields of our nodes, and no threads.

use std::collections::VecDeque;

use super::{Readable, Walk};
use crate::subjects::Subject;

#[derive(Debug)]
struct Node {
    next: Option<Box<Self>>,
    key: u64,
    value: u64,
}

/// A list.
#[derive(Debug)]
pub(crate) struct Plain(Option<Box<Node>>);

impl Subject for Plain {
    const NAME: &'static str = "plain";
    const ABOUT: &'static str = "a linked list without threads: the limit";
}

impl Plain {
    fn nodes(&self) -> impl Iterator<Item = &Node> {
        std::iter::successors(self.0.as_deref(), |node| node.next.as_deref())
    }
}

impl Walk for Plain {
    fn new() -> Self {
        Self(None)
    }

    fn put(&mut self, key: u64, value: u64) {
        let mut link = &mut self.0;
        while link.as_ref().is_some_and(|node| node.key < key) {
            link = &mut link.as_mut().expect("looked at").next;
        }
        let next = link.take();
        *link = Some(Box::new(Node { next, key, value }));
    }

    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        let mut at = self.0.as_deref();
        while let Some(node) = at {
            if node.key >= key {
                return (node.key == key).then_some(node.value);
            }
            at = node.next.as_deref();
        }
        None
    }

    fn audit(&self) -> (u64, bool) {
        let keys = || self.nodes().map(|node| node.key);
        (keys().count() as u64, keys().is_sorted_by(|a, b| a < b))
    }
}

impl Readable for Plain {
    /// Boxes that took each other's places before, as those of a list in use.
    fn of(values: std::ops::Range<u64>) -> Self {
        let make = |value| {
            Box::new(Node {
                next: None,
                key: value,
                value,
            })
        };
        let mut boxes: VecDeque<_> = values.clone().map(make).collect();
        for value in values.clone().cycle().take(values.clone().count() * 8) {
            boxes.pop_front();
            boxes.push_back(make(value));
        }
        let mut list = None;
        while let Some(mut node) = boxes.pop_back() {
            node.next = list;
            list = Some(node);
        }
        Self(list)
    }

    #[inline(always)]
    fn visit(&self, mut each: impl FnMut(u64)) {
        let mut at = self.0.as_deref();
        while let Some(node) = at {
            each(node.value);
            at = node.next.as_deref();
        }
    }

    fn rotate(&self, _value: u64) {
        unreachable!("nobody may write it while it is read")
    }

    const WRITTEN: bool = false;
}

impl Drop for Plain {
    fn drop(&mut self) {
        // One by one: the end of a long list is no reason for deep recursion.
        while let Some(mut node) = self.0.take() {
            self.0 = node.next.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subjects::lists::testing;

    #[test]
    fn the_adapter_does_as_told() {
        testing::reads_what_was_put::<Plain>();
        testing::visits_in_order::<Plain>();
    }
}
