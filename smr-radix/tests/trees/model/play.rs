//! One tree and one `BTreeMap`, to which the same is done.

mod look;
mod write;

use std::collections::BTreeMap;
use std::ops::Bound;

use smr_radix::{Mark, Policy, Tree};

use crate::support::{Kind, TestKey};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Insert,
    TryInsert,
    TryInsertAlloc,
    GetOrInsert,
    InsertWithPredecessor,
    InsertBatch,
    Replace,
    CompareExchange,
    Update,
    Compute,
    Remove,
    RemoveIf,
    RemoveRange,
    Retain,
    Clear,
    Drain,
    Neighbours,
    Range,
    RangeFromBothEnds,
    Contiguous,
    NextGap,
    SetMark,
    ClearMark,
    SetMarkRange,
    RangeMarked,
    Walk,
    Clone,
    Collect,
}

impl What {
    /// Each as often as it is to come.
    pub(crate) fn weighted() -> Vec<Self> {
        use What::*;
        let weights = [
            (Insert, 12),
            (TryInsert, 6),
            (TryInsertAlloc, 4),
            (GetOrInsert, 3),
            (InsertWithPredecessor, 4),
            (InsertBatch, 2),
            (Replace, 3),
            (CompareExchange, 3),
            (Update, 2),
            (Compute, 4),
            (Remove, 10),
            (RemoveIf, 3),
            (RemoveRange, 2),
            (Retain, 1),
            (Clear, 1),
            (Drain, 1),
            (Neighbours, 5),
            (Range, 4),
            (RangeFromBothEnds, 4),
            (Contiguous, 3),
            (NextGap, 3),
            (SetMark, 10),
            (ClearMark, 4),
            (SetMarkRange, 2),
            (RangeMarked, 4),
            (Walk, 4),
            (Clone, 1),
            (Collect, 1),
        ];
        let each = |(what, times)| std::iter::repeat_n(what, times);
        weights.into_iter().flat_map(each).collect()
    }
}

/// What to do, and three numbers for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) what: What,
    pub(crate) a: u64,
    pub(crate) b: u64,
    pub(crate) number: u32,
}

type Ref<'g, T> = <<T as Kind>::Policy as Policy>::Val<'g>;

fn entry<K, T: Kind>((key, value): (K, Ref<'_, T>)) -> (K, u32) {
    (key, T::number(value))
}

pub(crate) struct Play<K, T: Kind> {
    tree: Tree<K, T::Policy>,
    /// Value and marks.
    map: BTreeMap<K, (u32, u8)>,
    keys: Vec<K>,
}

/// The entry of a reference map without its marks.
fn plain<K: Copy>((key, (number, _)): (&K, &(u32, u8))) -> (K, u32) {
    (*key, *number)
}

impl<K: TestKey, T: Kind> Play<K, T> {
    pub(crate) fn new(keys: Vec<K>) -> Self {
        Self {
            tree: Tree::new(),
            map: BTreeMap::new(),
            keys,
        }
    }

    /// One of the keys, or one beside it.
    fn key(&self, random: u64) -> K {
        let key = self.keys[(random >> 8) as usize % self.keys.len()];
        let bits = key.to_bits();
        match random % 8 {
            0 => K::at(bits.saturating_sub(1)),
            1 => K::at(bits.saturating_add(1).min(crate::support::last::<K>())),
            _ => key,
        }
    }

    /// Bounds that `BTreeMap` takes.
    fn bounds(&self, step: Step) -> (Bound<K>, Bound<K>) {
        let (a, b) = (self.key(step.a), self.key(step.b));
        let (a, b) = (a.min(b), a.max(b));
        let bound = |key, how| match how % 3 {
            0 => Bound::Included(key),
            1 => Bound::Excluded(key),
            _ => Bound::Unbounded,
        };
        match (bound(a, step.number), bound(b, step.number / 3)) {
            (Bound::Excluded(a), Bound::Excluded(b)) if a == b => {
                (Bound::Included(a), Bound::Excluded(b))
            }
            bounds => bounds,
        }
    }

    fn put(&mut self, key: K, number: u32) -> Option<u32> {
        match self.map.get_mut(&key) {
            // Replaced: the marks stay.
            Some((old, _)) => Some(std::mem::replace(old, number)),
            None => {
                self.map.insert(key, (number, 0));
                None
            }
        }
    }

    fn remove(&mut self, key: K) -> Option<u32> {
        self.map.remove(&key).map(|(number, _)| number)
    }

    fn get(&self, key: K) -> Option<u32> {
        self.map.get(&key).map(|(number, _)| *number)
    }

    pub(crate) fn step(&mut self, step: Step) {
        let key = self.key(step.a);
        match step.what {
            What::Insert
            | What::TryInsert
            | What::TryInsertAlloc
            | What::GetOrInsert
            | What::InsertWithPredecessor
            | What::InsertBatch => self.insert(step, key),
            What::Replace | What::CompareExchange | What::Update | What::Compute => {
                self.change(step, key);
            }
            What::Remove
            | What::RemoveIf
            | What::RemoveRange
            | What::Retain
            | What::Clear
            | What::Drain => self.take(step, key),
            What::Neighbours
            | What::Range
            | What::RangeFromBothEnds
            | What::Contiguous
            | What::NextGap
            | What::Walk => self.look(step, key),
            What::SetMark | What::ClearMark | What::SetMarkRange | What::RangeMarked => {
                self.mark(step, key);
            }
            What::Clone => {
                let copy = self.tree.clone();
                assert!(copy.len() == self.map.len());
                self.tree = copy;
                let all = (Bound::Unbounded, Bound::Unbounded);
                Mark::ALL
                    .into_iter()
                    .for_each(|mark| self.marked(mark, all));
            }
            What::Collect => {
                let mut tree: Tree<K, T::Policy> = self
                    .map
                    .iter()
                    .map(plain)
                    .map(|(key, number)| (key, T::value(number)))
                    .collect();
                tree.extend([(key, T::value(step.number))]);
                self.map.values_mut().for_each(|(_, marks)| *marks = 0);
                self.put(key, step.number);
                self.tree = tree;
            }
        }
        let guard = self.tree.guard();
        assert_eq!(self.tree.get(key, &guard).map(T::number), self.get(key));
        assert_eq!(
            self.tree.contains_key(key, &guard),
            self.map.contains_key(&key)
        );
        assert_eq!(self.tree.len(), self.map.len());
        assert_eq!(self.tree.is_empty(), self.map.is_empty());
        let all = self.tree.iter(&guard).map(entry::<K, T>);
        assert!(
            all.eq(self.map.iter().map(plain)),
            "{step:?}: {:?}",
            self.map
        );
        let other = Mark::ALL[step.number as usize % 3];
        self.marked(other, (Bound::Unbounded, Bound::Unbounded));
    }

    fn mark(&mut self, step: Step, key: K) {
        let mark = Mark::ALL[step.number as usize % 3];
        let bit = 1 << mark.number();
        let bounds = self.bounds(step);
        let guard = self.tree.guard();
        match step.what {
            What::SetMark => {
                let there = self.tree.set_mark(key, mark, &guard);
                assert_eq!(there, self.map.contains_key(&key));
                self.map.entry(key).and_modify(|(_, marks)| *marks |= bit);
            }
            What::ClearMark => {
                let there = self.tree.clear_mark(key, mark, &guard);
                assert_eq!(there, self.map.contains_key(&key));
                self.map.entry(key).and_modify(|(_, marks)| *marks &= !bit);
            }
            What::SetMarkRange => {
                let within = self.map.range_mut(bounds);
                let marked = within.map(|(_, (_, marks))| *marks |= bit).count();
                assert_eq!(self.tree.set_mark_range(bounds, mark, &guard), marked);
            }
            _ => {}
        }
        let has = self
            .map
            .get(&key)
            .is_some_and(|(_, marks)| marks & bit != 0);
        assert_eq!(self.tree.test_mark(key, mark, &guard), has);
        drop(guard);
        self.marked(mark, bounds);
    }

    fn marked(&self, mark: Mark, bounds: (Bound<K>, Bound<K>)) {
        let has = |(_, (_, marks)): &(&K, &(u32, u8))| marks >> mark.number() & 1 == 1;
        let guard = self.tree.guard();
        let ours = self
            .tree
            .range_marked(bounds, mark, &guard)
            .map(entry::<K, T>);
        assert!(
            ours.eq(self.map.range(bounds).filter(has).map(plain)),
            "{mark:?} {bounds:?}"
        );
        let ours = self.tree.iter_marked(mark, &guard).map(entry::<K, T>);
        assert!(ours.eq(self.map.iter().filter(has).map(plain)), "{mark:?}");
    }

    pub(crate) fn end(self) {
        let same = self.tree.clone();
        assert!(same == self.tree);
        let left = self
            .tree
            .into_iter()
            .map(|(key, value)| (key, T::owned(&value)));
        assert!(left.eq(self.map.iter().map(plain)));
    }
}
