//! Walking in the order of the keys.
//!
//! A walk keeps the nodes that it came through on a stack, and never climbs by way of a
//! parent that others may be changing. Each step goes on from the stack as long as the
//! slots that it meets are not frozen: then they are in the tree at that moment. A frozen
//! slot may belong to a node that left the tree before the step began, and what it shows
//! may be older than what an earlier step returned. So the step starts over from the
//! root; a node that it finds frozen on the way from there was in the tree when it came
//! by, and counts.
//!
//! Where a full node has gaps, it cannot be foretold at which slot there is something. So
//! the first step that goes on there looks at all of its slots at once, and passes over
//! those that are empty without another look. Nothing was there at a moment after the walk
//! had come to the node, so no key of such a slot has been there since the last `seek`,
//! whether the node is in the tree still or not.
//!
//! Most walks are short, and need one slot of each node: these are found as a look-up
//! finds them. Who stays in a node notes once which slot each of its digits has. Then no
//! step depends on the shape of a node, which processors cannot guess where keys are random.

use core::mem::MaybeUninit;

use smr_core::sync::mutant;
use smr_core::{Guard, HAS_PREFETCH};

use crate::raw::edit::{Action, Changed};
use crate::raw::lanes::Places;
use crate::raw::memory::{Memory, Pools};
use crate::raw::node::{Head, NodeRef, Shape, digit};
use crate::raw::path::{Path, Seen};
use crate::raw::policy::Policy;
use crate::raw::run::Run;
use crate::raw::tree::Raw;
use crate::raw::word::{Marks, Slot, Word};
use crate::tunables::{AHEAD, FULL, LEVELS, NEAR, SMALL};

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
    /// The slots, and which of them each of the digits has; none if that was not asked for.
    slots: &'g [Slot],
    places: Places,
    /// The digits that had slots when the walk came, and from the survey on those that had
    /// something then.
    digits: u64,
    /// Those that may have nodes.
    nodes: u64,
    /// Those of them that are still ahead, in the direction that the walk has here.
    rest: u64,
    is_up: bool,
    /// Whether all slots were looked at, if that is worth while.
    is_surveyed: bool,
    /// The digit that was looked at last: -1 and [`FULL`] are before and behind all.
    at: i32,
}

impl<'g> Frame<'g> {
    /// Looks ahead in a direction from where it is.
    #[inline]
    fn turn<const UP: bool>(&mut self) {
        self.is_up = UP;
        self.rest = self.digits & Self::ahead::<UP>(self.at);
    }

    /// All digits that are ahead of one.
    #[inline(always)]
    fn ahead<const UP: bool>(at: i32) -> u64 {
        if UP {
            u64::MAX.checked_shl((at + 1) as u32).unwrap_or(0)
        } else {
            !u64::MAX.checked_shl(at as u32).unwrap_or(0)
        }
    }

    /// The first of some digits.
    #[inline(always)]
    fn first<const UP: bool>(rest: u64) -> Option<usize> {
        if rest == 0 {
            return None;
        }
        let digit = if UP {
            rest.trailing_zeros()
        } else {
            rest.ilog2()
        };
        Some(digit as usize)
    }

    /// Goes on to the first digit that is ahead.
    #[inline(always)]
    fn pass(&mut self, digit: usize) {
        self.rest &= !(1 << digit);
        self.at = digit as i32;
    }

    /// The slot of one of the digits, if all have places.
    #[inline(always)]
    fn slot(&self, digit: usize) -> &'g Slot {
        &self.slots[usize::from(self.places[digit & (FULL - 1)])]
    }

    /// The same, if they may have none.
    #[inline(always)]
    fn find(&self, digit: usize) -> &'g Slot {
        let slot = self.node.slot(self.head, digit);
        slot.expect("digits keep their slots")
    }

    #[inline(always)]
    fn is_full(&self) -> bool {
        self.head.shape() == Shape::Full
    }

    #[inline(always)]
    fn has_places(&self) -> bool {
        !self.slots.is_empty()
    }

    /// Asks which slots the digits have. They stay those that had some when the walk came.
    #[cold]
    fn place(&mut self) {
        (_, self.places) = self.node.places(self.head);
        self.slots = self.node.slots(self.head);
    }

    /// The key of a digit, on the lowest level.
    #[inline(always)]
    fn key(&self, digit: usize) -> Option<u64> {
        (self.head.level() == 0).then(|| self.head.first() | digit as u64)
    }

    /// Looks at all slots of a full node, and asks for the memory of what is in them.
    fn survey(&mut self) {
        self.is_surveyed = true;
        let (mut taken, mut nodes) = (0, 0);
        // Downwards, so that no bit has to be moved to its digit.
        for slot in self.slots.iter().rev() {
            let word = slot.peek();
            taken = taken << 1 | u64::from(!word.is_null());
            nodes = nodes << 1 | u64::from(word.has_kind());
            if HAS_PREFETCH {
                word.prefetch();
            }
        }
        self.digits = taken;
        self.rest &= taken;
        self.nodes = nodes;
    }

    /// Asks for the memory that comes next: of the next sibling's children, and of the
    /// sibling after that.
    #[inline]
    fn look_ahead<const UP: bool>(&self, is_inline: bool) {
        if !HAS_PREFETCH {
            return;
        }
        let mut rest = self.rest & self.nodes;
        for distance in 1..=2 {
            let Some(digit) = Self::first::<UP>(rest) else {
                return;
            };
            rest &= !(1 << digit);
            let word = self.slot(digit).load();
            if !word.has_kind() || self.head.level() == 0 {
                word.prefetch();
            } else if distance == 2 {
                // SAFETY: reachable in the walk's section.
                let shape = unsafe { word.node() }.head().shape();
                word.prefetch_node(shape.lines());
            } else {
                // SAFETY: reachable in the walk's section.
                ask_for_children(unsafe { word.node() }, is_inline);
            }
        }
    }
}

/// Asks for the memory of a node's children.
#[inline]
fn ask_for_children(node: NodeRef<'_>, is_inline: bool) {
    let head = node.head();
    if !HAS_PREFETCH || (is_inline && head.level() == 0) {
        return;
    }
    // All have the first ones, so that few meet a loop of which nobody foretells the end.
    let (first, more) = node.slots(head).split_at(SMALL);
    for slot in first {
        slot.peek().prefetch();
    }
    for slot in more.iter().take(AHEAD - SMALL) {
        slot.peek().prefetch();
    }
}

/// A position in a tree. Each step's answer was there at an instant of that step; keys
/// that are there from the last `seek` on are never missed. What was inserted since
/// the last `seek` may be missed by steps, never by a `seek`.
pub(crate) struct Walk<'g, P: Policy, M: Memory<P::Value> = Pools<<P as Policy>::Value>> {
    tree: &'g Raw<P, M>,
    guard: &'g Guard,
    marks: Marks,
    /// The nodes that it came through, and above them the one that it is in.
    frames: [MaybeUninit<Frame<'g>>; LEVELS],
    /// How many these are.
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
            frames: [const { MaybeUninit::uninit() }; LEVELS],
            depth: 0,
            met: None,
        }
    }

    #[inline(always)]
    fn top(&self) -> Option<&Frame<'g>> {
        let top = self.frames.get(self.depth.wrapping_sub(1))?;
        // SAFETY: those below the depth were written.
        Some(unsafe { top.assume_init_ref() })
    }

    #[inline(always)]
    fn top_mut(&mut self) -> Option<&mut Frame<'g>> {
        let top = self.frames.get_mut(self.depth.wrapping_sub(1))?;
        // SAFETY: those below the depth were written.
        Some(unsafe { top.assume_init_mut() })
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
        self.quick::<true>().or_else(|| {
            let from = self.met?.key.checked_add(1)?;
            self.go::<true, false>(from)
        })
    }

    /// As `next`, for who has come past all below `from` by himself.
    #[inline]
    pub(crate) fn go_on(&mut self, from: u64) -> Option<Item<'g, P>> {
        self.go::<true, false>(from)
    }

    /// The slots from that of `from`, the key after the one last met, to that of `to`,
    /// if they are a row in the node that the walk is in: in one that is full, and of
    /// the lowest level.
    #[inline]
    pub(crate) fn row(&self, from: u64, to: u64) -> Option<Run<'g, P>> {
        let frame = self.top()?;
        let is_row = frame.head.level() == 0 && frame.is_full();
        // SAFETY: it is full.
        let slots = is_row.then(|| unsafe { frame.node.full() })?;
        let end = digit(to.min(frame.head.last()), 0);
        // Not where `from` is in the next node already.
        let slots = slots[..=end].get(digit(from, 0)..)?;
        let is_here = frame.head.covers(from);
        is_here.then(|| Run::new(slots, from))
    }

    /// Comes to where a row of the node that the walk is in went on without it.
    pub(crate) fn pass(&mut self, from: u64) {
        if let Some(frame) = self.top_mut() {
            frame.at = digit(from.wrapping_sub(1), 0) as i32;
            frame.turn::<true>();
        }
    }

    /// Whether a key belongs below the node that the walk is in.
    pub(crate) fn is_in_node_of(&self, key: u64) -> bool {
        let frame = self.top();
        frame.is_some_and(|frame| frame.head.covers(key))
    }

    /// As `next`, backwards.
    #[inline]
    pub(crate) fn prev(&mut self) -> Option<Item<'g, P>> {
        self.quick::<false>().or_else(|| {
            let from = self.met?.key.checked_sub(1)?;
            self.go::<false, false>(from)
        })
    }

    /// The next entry, if it is in the same node and nothing is unusual.
    #[inline(always)]
    pub(crate) fn quick<const UP: bool>(&mut self) -> Option<Item<'g, P>> {
        let marks = self.marks;
        let frame = self.top_mut()?;
        if frame.is_up != UP {
            return None;
        }
        if !frame.has_places() {
            frame.place();
        }
        while let Some(digit) = Frame::first::<UP>(frame.rest) {
            let slot = frame.slot(digit);
            let word = slot.load();
            let place = frame.key(digit);
            let is_node = word.has_kind() && !(P::INLINE && place.is_some());
            if word.is_frozen() || is_node {
                return None;
            }
            frame.pass(digit);
            if word.is_null() || !word.has(marks) {
                continue;
            }
            let is_asked_for = !HAS_PREFETCH || frame.is_surveyed && place.is_none();
            if !is_asked_for && !word.has_kind() && frame.is_full() {
                frame.slots[(digit + NEAR) & (FULL - 1)].peek().prefetch();
            }
            return Some(self.meet(slot, word, place));
        }
        None
    }

    /// From the root to the entry at `from`, or the next one in the direction.
    fn seek<const UP: bool>(&mut self, from: u64) -> Option<Item<'g, P>> {
        self.depth = 0;
        let root = self.tree.root();
        self.enter::<UP, true>(root, root.load(), None, from)
            .or_else(|| self.go::<UP, true>(from))
    }

    /// On from where the walk is. `FRESH`: it has come from the root in this step.
    fn go<const UP: bool, const FRESH: bool>(&mut self, from: u64) -> Option<Item<'g, P>> {
        if self.depth == 0 && !FRESH {
            return self.seek::<UP>(from);
        }
        while let Some(frame) = self.top_mut() {
            if frame.is_up != UP {
                frame.turn::<UP>();
            }
            let Some(digit) = Frame::first::<UP>(frame.rest) else {
                self.depth -= 1;
                continue;
            };
            if !FRESH && !frame.has_places() {
                frame.place();
            }
            if !FRESH && !frame.is_surveyed {
                frame.survey();
                continue;
            }
            let slot = if FRESH {
                frame.find(digit)
            } else {
                frame.slot(digit)
            };
            let word = slot.load();
            if word.is_frozen() && !FRESH && !mutant("radix_stale_walk") {
                return self.seek::<UP>(from);
            }
            frame.pass(digit);
            let place = frame.key(digit);
            if word.has_kind() && place.is_none() && !FRESH {
                frame.look_ahead::<UP>(P::INLINE);
            }
            let met = self.enter::<UP, FRESH>(slot, word, place, from);
            if met.is_some() {
                return met;
            }
        }
        None
    }

    /// Looks at what is in a slot: an entry at `from` or behind it is met; a node that may
    /// have such is entered. `place`: the key of the slot, if it is of the lowest level.
    #[inline(always)]
    fn enter<const UP: bool, const FRESH: bool>(
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
            self.push::<UP, FRESH>(unsafe { word.node() }, from);
            return None;
        }
        let key = place.unwrap_or_else(|| {
            let leaf = word.leaf::<P::Value>();
            // SAFETY: as above. The key never changes.
            unsafe { (*leaf).key }
        });
        if if UP { key < from } else { key > from } {
            return None;
        }
        Some(self.meet(slot, word, place))
    }

    #[inline(always)]
    fn meet(&mut self, slot: &'g Slot, word: Word, place: Option<u64>) -> Item<'g, P> {
        let key = place.unwrap_or_else(|| {
            let leaf = word.leaf::<P::Value>();
            // SAFETY: it was reachable in the guard's section. The key never changes.
            unsafe { (*leaf).key }
        });
        self.met = Some(Met { key, slot, word });
        // SAFETY: as above.
        let value = unsafe { Raw::<P, M>::value_of(word) };
        Item { key, value }
    }

    fn push<const UP: bool, const FRESH: bool>(&mut self, node: NodeRef<'g>, from: u64) {
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
        let is_full = head.shape() == Shape::Full;
        // Who seeks an entry needs one slot, and finds it.
        let (digits, places, slots): (_, _, &[Slot]) = if FRESH {
            (node.digits(head), [0; FULL], &[])
        } else {
            let (digits, places) = node.places(head);
            (digits, places, node.slots(head))
        };
        let is_surveyed = !is_full || head.level() == 0;
        let starts_inside = is_before(near, from);
        let at = match (UP, starts_inside) {
            (true, true) => digit(from, head.level()) as i32 - 1,
            (false, true) => digit(from, head.level()) as i32 + 1,
            (true, false) => -1,
            (false, false) => FULL as i32,
        };
        if is_surveyed && !starts_inside && !FRESH {
            // All of it comes, and no survey that asks for it.
            ask_for_children(node, P::INLINE);
        }
        // In place, for it is large.
        self.frames[self.depth].write(Frame {
            node,
            head,
            slots,
            places,
            digits,
            nodes: digits,
            rest: digits & Frame::ahead::<UP>(at),
            is_up: UP,
            // On the lowest level there are no nodes, and gaps are passed as they come.
            is_surveyed,
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
        let changed = self.tree.change(met.key, self.guard, None, |current, _| {
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
