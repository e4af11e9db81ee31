//! Walking in the order of the keys.
//!
//! A walk keeps the nodes that it came through on a stack, and never climbs by way of a
//! parent that others may be changing. Each step goes on from the stack as long as the
//! slots that it meets are not frozen: then they are in the tree at that moment. A frozen
//! slot may belong to a node that left the tree before the step began, and what it shows
//! may be older than what an earlier step returned. So the step starts over from the
//! root; what it meets on the way from there is frozen now or was reached during this
//! step, and counts.

use smr_core::Guard;
use smr_core::sync::mutant;

use crate::raw::edit::{Action, Changed};
use crate::raw::memory::{Memory, Pools};
use crate::raw::node::{Head, NodeRef, digit};
use crate::raw::path::{Path, Seen};
use crate::raw::policy::Policy;
use crate::raw::tree::Raw;
use crate::raw::word::{Marks, Slot, Word};
use crate::tunables::{FULL, LEVELS};

/// An entry as a walk saw it.
pub(crate) struct Item<'g, P: Policy + 'g> {
    pub(crate) key: u64,
    pub(crate) value: P::Val<'g>,
}

impl<'g, P: Policy + 'g> Clone for Item<'g, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'g, P: Policy + 'g> Copy for Item<'g, P> {}

/// A node that the walk is in.
#[derive(Debug, Clone, Copy)]
struct Frame<'g> {
    node: NodeRef<'g>,
    head: Head,
    /// The digits that had slots when the walk came.
    digits: u64,
    /// The digit that was looked at last: -1 and [`FULL`] are before and behind all.
    at: i32,
}

impl Frame<'_> {
    /// The next digit in the direction of the walk.
    #[inline(always)]
    fn step<const UP: bool>(&mut self) -> Option<usize> {
        let digit = if UP {
            let rest = u64::MAX.checked_shl((self.at + 1) as u32).unwrap_or(0) & self.digits;
            (rest != 0).then(|| rest.trailing_zeros())
        } else {
            let rest = !u64::MAX.checked_shl(self.at as u32).unwrap_or(0) & self.digits;
            (rest != 0).then(|| rest.ilog2())
        }?;
        self.at = digit as i32;
        Some(digit as usize)
    }
}

/// A position in a tree. Each step's answer was there at an instant of that step; keys
/// that are there from the last `seek` on are never missed. What was inserted since
/// the last `seek` may be missed by steps, never by a `seek`.
pub(crate) struct Walk<'g, P: Policy, M: Memory<P::Value> = Pools<<P as Policy>::Value>> {
    tree: &'g Raw<P, M>,
    guard: &'g Guard,
    marks: Marks,
    frames: [Option<Frame<'g>>; LEVELS],
    depth: usize,
    /// The entry last met, and where that was.
    met: Option<Met<'g>>,
}

#[derive(Debug, Clone, Copy)]
struct Met<'g> {
    key: u64,
    slot: &'g Slot,
    word: Word,
}

impl<'g, P: Policy, M: Memory<P::Value>> Walk<'g, P, M> {
    /// Nowhere yet. With a mark (0, 1, 2), only entries that have it are met.
    pub(crate) fn new(tree: &'g Raw<P, M>, guard: &'g Guard, mark: Option<u8>) -> Self {
        Self {
            tree,
            guard,
            marks: mark.map_or(Marks::NONE, Marks::one),
            frames: [None; LEVELS],
            depth: 0,
            met: None,
        }
    }

    /// Goes to the first entry at or after `key`.
    pub(crate) fn seek_ge(&mut self, key: u64) -> Option<Item<'g, P>> {
        self.seek::<true>(key)
    }

    /// Goes to the last entry at or before `key`.
    pub(crate) fn seek_le(&mut self, key: u64) -> Option<Item<'g, P>> {
        self.seek::<false>(key)
    }

    /// Goes on from the entry last met, in whichever direction; also when it has been
    /// removed since. `None` before the first seek, and when there is none; then the
    /// position stays.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Item<'g, P>> {
        let from = self.met?.key.checked_add(1)?;
        self.go::<true, false>(from)
    }

    /// As `next`, backwards.
    #[inline]
    pub(crate) fn prev(&mut self) -> Option<Item<'g, P>> {
        let from = self.met?.key.checked_sub(1)?;
        self.go::<false, false>(from)
    }

    /// From the root to the entry at `from`, or the next one in the direction.
    fn seek<const UP: bool>(&mut self, from: u64) -> Option<Item<'g, P>> {
        self.depth = 0;
        let root = self.tree.root();
        self.enter::<UP>(root, root.load(), None, from)
            .or_else(|| self.go::<UP, true>(from))
    }

    /// On from where the walk is. `FRESH`: it has come from the root in this step.
    #[inline]
    fn go<const UP: bool, const FRESH: bool>(&mut self, from: u64) -> Option<Item<'g, P>> {
        if self.depth == 0 && !FRESH {
            return self.seek::<UP>(from);
        }
        while self.depth != 0 {
            let Some(frame) = &mut self.frames[self.depth - 1] else {
                unreachable!("frames below the depth are there");
            };
            let (Some(digit), head) = (frame.step::<UP>(), frame.head) else {
                self.depth -= 1;
                continue;
            };
            let Some(slot) = frame.node.slot(head, digit) else {
                unreachable!("digits keep their slots");
            };
            let word = slot.load();
            if word.is_frozen() && !FRESH && !mutant("radix_stale_walk") {
                return self.seek::<UP>(from);
            }
            let place = (head.level() == 0).then(|| head.first() | digit as u64);
            let met = self.enter::<UP>(slot, word, place, from);
            if met.is_some() {
                return met;
            }
        }
        None
    }

    /// Looks at what is in a slot: an entry at `from` or behind it is met; a node that may
    /// have such is entered. `place`: the key of the slot, if it is of the lowest level.
    #[inline(always)]
    fn enter<const UP: bool>(
        &mut self,
        slot: &'g Slot,
        word: Word,
        place: Option<u64>,
        from: u64,
    ) -> Option<Item<'g, P>> {
        if word.is_null() || !word.has(self.marks) {
            return None;
        }
        let is_value = P::INLINE && place.is_some();
        if word.has_kind() && !is_value {
            // SAFETY: it was reachable in the guard's section.
            self.push::<UP>(unsafe { word.node() }, from);
            return None;
        }
        let key = match place {
            Some(place) => place,
            None => {
                let leaf = word.leaf::<P::Value>();
                // SAFETY: as above. The key never changes.
                unsafe { (*leaf).key }
            }
        };
        if if UP { key < from } else { key > from } {
            return None;
        }
        self.met = Some(Met { key, slot, word });
        // SAFETY: it was reachable in the guard's section.
        let value = unsafe { Raw::<P, M>::value_of(word) };
        Some(Item { key, value })
    }

    #[inline(always)]
    fn push<const UP: bool>(&mut self, node: NodeRef<'g>, from: u64) {
        let head = node.head();
        let (near, far) = if UP {
            (head.first(), head.last())
        } else {
            (head.last(), head.first())
        };
        let is_before = |one: u64, other: u64| if UP { one < other } else { one > other };
        if is_before(far, from) {
            return;
        }
        let back = if UP { -1 } else { 1 };
        let at = if !is_before(near, from) {
            if UP { -1 } else { FULL as i32 }
        } else {
            digit(from, head.level()) as i32 + back
        };
        self.frames[self.depth] = Some(Frame {
            node,
            head,
            digits: node.digits(head),
            at,
        });
        self.depth += 1;
    }

    /// Whether the entry last met is in the tree, the same and not another one of its
    /// key (in an inline tree: whether its key has the same value).
    pub(crate) fn is_current(&self) -> bool {
        let Some(met) = self.met else { return false };
        let now = met.slot.load();
        if now.is_same(met.word) && !now.is_frozen() {
            return true;
        }
        let spot = self.tree.descend(met.key, &mut Path::new());
        // SAFETY: both were reachable in the guard's section.
        spot.seen == Seen::Entry && unsafe { Raw::<P, M>::is_one(spot.word, met.word) }
    }

    /// Removes the entry last met, unless it has gone or was replaced: then `false`.
    pub(crate) fn remove(&mut self) -> bool {
        let Some(met) = self.met else { return false };
        let changed = self.tree.change(met.key, self.guard, |current, _| {
            let is_it = |word| {
                // SAFETY: both were reachable in the guard's section.
                unsafe { Raw::<P, M>::is_one(word, met.word) }
            };
            if current.is_some_and(is_it) {
                Action::Remove
            } else {
                Action::Abort(())
            }
        });
        match changed {
            Ok(changed) => matches!(changed, Changed::Removed(_)),
            Err(error) => error.give_up(),
        }
    }
}

impl<P: Policy, M: Memory<P::Value>> Raw<P, M> {
    /// Removes what is from `first` to `last`, both included, in the order of the keys;
    /// how many that were.
    pub(crate) fn remove_range(&self, first: u64, last: u64, guard: &Guard) -> usize {
        let mut walk = Walk::new(self, guard, None);
        let mut removed = 0;
        let mut item = walk.seek_ge(first);
        while item.is_some_and(|item| item.key <= last) {
            removed += usize::from(walk.remove());
            item = walk.next();
        }
        removed
    }
}
