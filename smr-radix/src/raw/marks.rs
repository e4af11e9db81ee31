//! Marks: three bits of each entry that can be searched for.
//!
//! An entry has its marks in the word of its slot. The word that leads to a node has each
//! mark that some entry below it has, so a search passes by whatever has none. An entry
//! whose value is replaced keeps its marks; one that is removed takes them along.
//!
//! # Why a search finds what is marked
//!
//! The claim: when `set_mark` has returned, then as long as the entry is there and keeps
//! the mark, every word on the way to it has the mark.
//!
//! * The setter marks the entry first and then the words above it, from the lowest to the
//!   root, each if it does not have the mark yet. It goes all the way up also when it
//!   finds a mark set: whoever set it may not have come further.
//! * The mark of a word above is cleared by a rebuild alone. That takes the marks of the
//!   children when they are frozen. A setter whose mark is among them is served. One that
//!   has yet to mark a slot of the node finds it frozen, and starts over from the root,
//!   where the new node is: so it must look at every slot on the way, and must not take a
//!   frozen one for done.
//! * A setter may load an old word that has the mark already. Then no rebuild that came
//!   since has cleared it: what is below was marked before, so each of them has found it.
//! * A split takes the word that it puts below with its marks, by the exchange that
//!   would fail if they changed. A node that goes in favour of its only child leaves that
//!   child's word, marks and all.

use smr_core::Guard;
use smr_core::sync::mutant;

use crate::ord;
use crate::raw::edit::NoMemory;
use crate::raw::memory::Memory;
use crate::raw::node::digit;
use crate::raw::path::{Path, Seen};
use crate::raw::policy::Policy;
use crate::raw::tree::Raw;
use crate::raw::walk::Walk;
use crate::raw::word::{Marks, Word};

impl<P: Policy, M: Memory<P::Value>> Raw<P, M> {
    /// Sets a mark (0, 1 or 2). `None`: no such entry; else whether it was set before.
    ///
    /// Lock-free. Linearization point: the exchange of the entry's slot, or the load that
    /// finds the mark set.
    pub(crate) fn set_mark(&self, key: u64, mark: u8, guard: &Guard) -> Option<bool> {
        let marks = Marks::one(mark);
        let mut path = Path::new();
        let mut was_set = None;
        loop {
            let before = self.mark_entry(key, &mut path, guard, |word| word.with(marks))?;
            let was_set = *was_set.get_or_insert(before.has(marks));
            if self.raise(&path, marks, guard) {
                return Some(was_set);
            }
        }
    }

    /// Takes a mark away. `None`: no such entry; else whether it was set before.
    ///
    /// Lock-free. Linearization point: as for [`set_mark`](Self::set_mark).
    pub(crate) fn clear_mark(&self, key: u64, mark: u8, guard: &Guard) -> Option<bool> {
        let marks = Marks::one(mark);
        let change = |word: Word| word.without(marks);
        let before = self.mark_entry(key, &mut Path::new(), guard, change)?;
        Some(before.has(marks))
    }

    /// Whether an entry has a mark. `None`: no such entry. Wait-free.
    pub(crate) fn test_mark(&self, key: u64, mark: u8, _guard: &Guard) -> Option<bool> {
        let spot = self.descend(key, &mut Path::new());
        (spot.seen == Seen::Entry).then(|| spot.word.has(Marks::one(mark)))
    }

    /// Sets a mark on all entries from `first` to `last`, both included; on how many.
    pub(crate) fn set_mark_range(&self, first: u64, last: u64, mark: u8, guard: &Guard) -> usize {
        let marks = Marks::one(mark);
        let (mut walk, mut path) = (Walk::new(self, guard, None), Path::new());
        let (mut marked, mut next) = (0, Some(first));
        while let Some(item) = next.and_then(|from| walk.seek_ge(from))
            && item.key <= last
        {
            let (count, end) = self.mark_run(item.key, last, marks, &mut path, guard);
            marked += count;
            next = end.checked_add(1);
        }
        marked
    }

    /// Marks the entry of a key, and those behind it up to `last` that are in the same
    /// node of the lowest level: so the words above are marked once for all. How many
    /// that were, and the last key that it looked at.
    fn mark_run<'g>(
        &'g self,
        key: u64,
        last: u64,
        marks: Marks,
        path: &mut Path<'g>,
        guard: &Guard,
    ) -> (usize, u64) {
        loop {
            let first = self.mark_entry(key, path, guard, |word| word.with(marks));
            if first.is_none() {
                return (0, key);
            }
            let (mut count, mut end) = (1, key);
            if let Some(step) = path.last().filter(|step| step.level == 0) {
                let head = step.node.head();
                for digit in digit(key, 0) + 1..=digit(last.min(head.last()), 0) {
                    let slot = step.node.slot(head, digit);
                    let Ok(found) = slot.map_or(Ok(false), |slot| slot.mark(marks)) else {
                        break;
                    };
                    count += usize::from(found);
                    end = head.first() | digit as u64;
                }
            }
            if self.raise(path, marks, guard) {
                return (count, end);
            }
        }
    }

    /// Changes the marks of an entry; its word before.
    fn mark_entry<'g>(
        &'g self,
        key: u64,
        path: &mut Path<'g>,
        guard: &Guard,
        change: impl Fn(Word) -> Word,
    ) -> Option<Word> {
        loop {
            let spot = self.descend(key, path);
            let slot = spot.slot.filter(|_| spot.seen == Seen::Entry)?;
            let after = change(spot.word);
            if after.marks() == spot.word.marks() {
                return Some(spot.word);
            }
            if spot.word.is_frozen() {
                self.make_way(path, path.len() - 1, guard);
                continue;
            }
            // Release: pairs with the Acquire in `Slot::load`.
            if slot.exchange(spot.word, after, ord::radix_mark()) {
                return Some(spot.word);
            }
        }
    }

    /// Marks the words on the way, from the lowest to the root. `false`: something has
    /// changed there, and the caller starts over.
    fn raise(&self, path: &Path<'_>, marks: Marks, guard: &Guard) -> bool {
        for at in (0..path.len()).rev() {
            let step = path.step(at);
            loop {
                let word = step.slot.load();
                if !word.is_node(step.node) {
                    return false;
                }
                if word.has(marks) {
                    if mutant("radix_raise_stops") {
                        return true;
                    }
                    break;
                }
                if word.is_frozen() {
                    if mutant("radix_raise_frozen") {
                        break;
                    }
                    self.make_way(path, at - 1, guard);
                    return false;
                }
                if step.slot.raise(word, marks) {
                    break;
                }
            }
        }
        true
    }

    /// Gets a frozen node replaced.
    fn make_way(&self, path: &Path<'_>, at: usize, guard: &Guard) {
        if self.rebuild(path, at, guard).is_err() {
            NoMemory::<()>(None).give_up();
        }
    }
}
