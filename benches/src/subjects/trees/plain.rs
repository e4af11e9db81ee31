//! Trees without threads: the limits for readers. They can be shared because nobody
//! writes once they are filled.

use std::array;
use std::collections::BTreeMap;
use std::num::NonZeroU64;

use super::Tree;
use super::locks::first_from;
use crate::subjects::Subject;

/// std's B-tree.
pub(crate) struct BTree(BTreeMap<u64, u64>);

impl Subject for BTree {
    const NAME: &'static str = "btree";
    const ABOUT: &'static str = "std's BTreeMap, no threads: a limit, read only";
}

impl Tree for BTree {
    fn new() -> Self {
        Self(BTreeMap::new())
    }

    fn put(&mut self, key: u64, value: u64) {
        self.0.insert(key, value);
    }

    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        self.0.get(&key).copied()
    }

    #[inline(always)]
    fn at_or_after(&self, key: u64) -> Option<(u64, u64)> {
        first_from(&self.0, key)
    }

    fn visit(&self, mut each: impl FnMut(u64, u64)) {
        for (key, value) in &self.0 {
            each(*key, *value);
        }
    }
}

/// Bits of a key that a node answers.
const BITS: u32 = 6;
/// Slots of a node.
const SLOTS: usize = 1 << BITS;

/// What a slot of an inner node holds.
type Child = Option<Box<Node>>;

/// A node of 64 slots, all of them always there.
enum Node {
    Inner([Child; SLOTS]),
    /// Values plus one, so that a slot is a word.
    Leaf([Option<NonZeroU64>; SLOTS]),
}

impl Node {
    fn new(shift: u32) -> Box<Self> {
        Box::new(if shift == 0 {
            Self::Leaf([None; SLOTS])
        } else {
            Self::Inner(array::from_fn(|_| None))
        })
    }
}

/// The slot of a key in a node whose slots are so many bits wide.
#[inline(always)]
fn slot(key: u64, shift: u32) -> usize {
    (key >> shift) as usize % SLOTS
}

#[inline(always)]
fn value(slot: NonZeroU64) -> u64 {
    slot.get() - 1
}

/// A radix tree of 64 slots a node, without compression, that grows at its root: the
/// shape of the page cache of Linux (XArray).
pub(crate) struct XArray {
    root: Child,
    /// Bits below the slots of the root.
    shift: u32,
}

impl XArray {
    /// Whether the tree is high enough for a key.
    #[inline(always)]
    fn spans(&self, key: u64) -> bool {
        key >> self.shift < SLOTS as u64
    }
}

impl Subject for XArray {
    const NAME: &'static str = "xarray";
    const ABOUT: &'static str = "64 slots a node, no compression, no threads: a limit, read only";
}

impl Tree for XArray {
    fn new() -> Self {
        Self {
            root: None,
            shift: 0,
        }
    }

    fn put(&mut self, key: u64, value: u64) {
        while !self.spans(key) {
            self.shift += BITS;
            if let Some(below) = self.root.take() {
                let mut root = Node::new(self.shift);
                if let Node::Inner(children) = &mut *root {
                    children[0] = Some(below);
                }
                self.root = Some(root);
            }
        }
        let mut shift = self.shift;
        let mut node = self.root.get_or_insert_with(|| Node::new(shift));
        loop {
            match &mut **node {
                Node::Inner(children) => {
                    let below = shift - BITS;
                    node = children[slot(key, shift)].get_or_insert_with(|| Node::new(below));
                    shift = below;
                }
                Node::Leaf(values) => {
                    values[slot(key, 0)] = NonZeroU64::new(value + 1);
                    break;
                }
            }
        }
    }

    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        if !self.spans(key) {
            return None;
        }
        let (mut node, mut shift) = (self.root.as_ref()?, self.shift);
        loop {
            match &**node {
                Node::Inner(children) => {
                    node = children[slot(key, shift)].as_ref()?;
                    shift -= BITS;
                }
                Node::Leaf(values) => return values[slot(key, 0)].map(value),
            }
        }
    }

    fn at_or_after(&self, key: u64) -> Option<(u64, u64)> {
        let root = self.root.as_ref().filter(|_| self.spans(key))?;
        first_in(root, self.shift, 0, Some(key))
    }

    fn visit(&self, mut each: impl FnMut(u64, u64)) {
        if let Some(root) = &self.root {
            visit_node(root, self.shift, 0, &mut each);
        }
    }
}

/// The first entry below a node, at or after a key if there is one. The prefix is
/// what the slots above say of its keys.
fn first_in(node: &Node, shift: u32, prefix: u64, from: Option<u64>) -> Option<(u64, u64)> {
    let begin = from.map_or(0, |key| slot(key, shift));
    match node {
        Node::Inner(children) => (begin..SLOTS).find_map(|at| {
            let child = children[at].as_ref()?;
            // Only the first slot is cut by the key.
            let from = from.filter(|_| at == begin);
            first_in(child, shift - BITS, prefix | (at as u64) << shift, from)
        }),
        Node::Leaf(values) => (begin..SLOTS).find_map(|at| {
            let found = values[at]?;
            Some((prefix | at as u64, value(found)))
        }),
    }
}

fn visit_node(node: &Node, shift: u32, prefix: u64, each: &mut impl FnMut(u64, u64)) {
    match node {
        Node::Inner(children) => {
            for (at, child) in children.iter().enumerate() {
                if let Some(child) = child {
                    visit_node(child, shift - BITS, prefix | (at as u64) << shift, each);
                }
            }
        }
        Node::Leaf(values) => {
            for (at, slot) in values.iter().enumerate() {
                if let Some(found) = slot {
                    each(prefix | at as u64, value(*found));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapters_do_as_told() {
        crate::subjects::trees::testing::reads_what_was_put::<BTree>();
        crate::subjects::trees::testing::reads_what_was_put::<XArray>();
    }
}
