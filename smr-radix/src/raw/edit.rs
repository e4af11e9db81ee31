//! The general write.

use std::alloc::{Layout, handle_alloc_error};

use smr_core::Guard;

use crate::ord;
use crate::raw::memory::Memory;
use crate::raw::node::{Claim, Draft, Small, digit, fork};
use crate::raw::path::{Path, Seen, Spot};
use crate::raw::policy::Policy;
use crate::raw::tree::Raw;
use crate::raw::word::{Slot, Word};
use crate::tunables::ROW;

/// What is to become of a key.
pub(crate) enum Action<V, R> {
    /// It gets this value.
    Put(V),
    /// It goes. It must be there.
    Remove,
    /// Nothing.
    Abort(R),
}

/// What became of it.
pub(crate) enum Done<'g, P: Policy + 'g, R> {
    Inserted(P::Val<'g>),
    Updated { old: P::Val<'g>, new: P::Val<'g> },
    Removed(P::Val<'g>),
    Aborted(R),
}

/// What became of it, in words.
pub(crate) enum Changed<R> {
    Inserted(Word),
    Updated { old: Word, new: Word },
    Removed(Word),
    Aborted(R),
}

/// There was no memory. The entries are as they were. With the value that was to be put,
/// if one was.
pub(crate) struct NoMemory<V>(pub(crate) Option<V>);

impl<V> NoMemory<V> {
    /// For operations that have no way to say so.
    #[cold]
    pub(crate) fn give_up(self) -> ! {
        handle_alloc_error(Layout::new::<Small>())
    }
}

/// An attempt to put a value.
pub(super) enum Put<V> {
    Done(Option<Word>, Word),
    /// Something came between.
    Again(V),
    NoMemory(V),
}

impl<P: Policy, M: Memory<P::Value>> Raw<P, M> {
    /// Changes one key: asks `ask` what is to be done, with the present value and the
    /// value of its last answer that came too late, until nothing comes between.
    ///
    /// `ask` may panic: nothing has happened then. An entry whose value is replaced
    /// keeps its marks.
    ///
    /// Lock-free. Linearization point: the exchange of the slot; where nothing is
    /// changed, as for [`find`](Self::find).
    #[inline]
    pub(crate) fn edit<'g, R>(
        &'g self,
        key: u64,
        guard: &'g Guard,
        ask: impl FnMut(Option<P::Val<'g>>, Option<P::Value>) -> Action<P::Value, R>,
    ) -> Result<Done<'g, P, R>, NoMemory<P::Value>> {
        self.edit_into(key, guard, None, ask)
    }

    /// As [`edit`](Self::edit), with room to retire what is replaced or removed, so that
    /// this needs no memory.
    #[inline]
    pub(crate) fn edit_into<'g, R>(
        &'g self,
        key: u64,
        guard: &'g Guard,
        room: Option<M::LeafRoom>,
        mut ask: impl FnMut(Option<P::Val<'g>>, Option<P::Value>) -> Action<P::Value, R>,
    ) -> Result<Done<'g, P, R>, NoMemory<P::Value>> {
        let value = |word| {
            // SAFETY: it was reachable in the guard's section.
            unsafe { Self::value_of(word) }
        };
        let ask = |current: Option<Word>, spare| ask(current.map(value), spare);
        let changed = self.change(key, guard, room, ask)?;
        Ok(match changed {
            Changed::Inserted(new) => Done::Inserted(value(new)),
            Changed::Updated { old, new } => Done::Updated {
                old: value(old),
                new: value(new),
            },
            Changed::Removed(old) => Done::Removed(value(old)),
            Changed::Aborted(result) => Done::Aborted(result),
        })
    }

    /// As [`edit_into`](Self::edit_into), with the word of the entry in place of its value.
    #[inline]
    pub(crate) fn change<R>(
        &self,
        key: u64,
        guard: &Guard,
        mut room: Option<M::LeafRoom>,
        mut ask: impl FnMut(Option<Word>, Option<P::Value>) -> Action<P::Value, R>,
    ) -> Result<Changed<R>, NoMemory<P::Value>> {
        let mut path = Path::new();
        let mut spare = None;
        loop {
            let spot = self.descend(key, &mut path);
            if spot.word.is_frozen() {
                if self.rebuild(&path, path.len() - 1, guard).is_err() {
                    return Err(NoMemory(spare));
                }
                continue;
            }
            let current = (spot.seen == Seen::Entry).then_some(spot.word);
            match ask(current, spare.take()) {
                Action::Abort(result) => return Ok(Changed::Aborted(result)),
                Action::Remove => {
                    let (Some(slot), Some(old)) = (spot.slot, current) else {
                        unreachable!("what is removed was there");
                    };
                    if self.remove_at(slot, old, key, &path, guard, &mut room) {
                        return Ok(Changed::Removed(old));
                    }
                }
                Action::Put(value) => match self.put(key, value, &spot, &path, guard, &mut room) {
                    Put::Done(None, new) => return Ok(Changed::Inserted(new)),
                    Put::Done(Some(old), new) => return Ok(Changed::Updated { old, new }),
                    Put::Again(value) => spare = Some(value),
                    Put::NoMemory(value) => return Err(NoMemory(Some(value))),
                },
            }
        }
    }

    /// Takes an entry out of its slot, if it is still there.
    #[inline]
    fn remove_at(
        &self,
        slot: &Slot,
        old: Word,
        key: u64,
        path: &Path<'_>,
        guard: &Guard,
        room: &mut Option<M::LeafRoom>,
    ) -> bool {
        // Release: pairs with the Acquire in `Slot::load`.
        if !slot.exchange(old, Word::NULL, ord::radix_remove()) {
            return false;
        }
        self.memory.count(-1);
        self.tidy(key, path, guard);
        // Last: it may panic.
        // SAFETY: our exchange cut it off.
        unsafe { self.retire(old, guard, room.take()) };
        true
    }

    /// Rebuilds nodes that have few children left, after that of `key` has gone.
    #[inline]
    pub(crate) fn tidy(&self, key: u64, path: &Path<'_>, guard: &Guard) {
        for at in (0..path.len()).rev() {
            let step = path.step(at);
            let is_sparse = step.node.is_sparse(digit(key, step.level), step.is_direct);
            // Without memory it stays as it is, and whoever writes there next tries.
            if !is_sparse || self.rebuild(path, at, guard) != Ok(true) {
                return;
            }
        }
    }

    /// Puts a value where `spot` is, if nothing has come between.
    #[inline]
    pub(super) fn put(
        &self,
        key: u64,
        value: P::Value,
        spot: &Spot<'_>,
        path: &Path<'_>,
        guard: &Guard,
        room: &mut Option<M::LeafRoom>,
    ) -> Put<P::Value> {
        let (slot, from) = match (spot.slot, spot.seen) {
            (Some(slot), Seen::Other(other)) => {
                return self.split(key, value, (slot, spot.word, other), path, guard, room);
            }
            (Some(slot), _) => (slot, spot.word),
            (None, _) => match self.slot_for(key, path, guard) {
                Ok(Some(slot)) => (slot, Word::NULL),
                Ok(None) => return Put::Again(value),
                Err(()) => return Put::NoMemory(value),
            },
        };
        if from.is_null() && Self::continues_row(key, path) {
            return self.begin_row(key, value, slot, path);
        }
        let fresh = match self.fresh(key, value, path.is_bottom()) {
            Ok(fresh) => fresh,
            Err(value) => return Put::NoMemory(value),
        };
        // Release: pairs with the Acquire in `Slot::load`, as do all of these.
        if from.is_null() {
            if !slot.exchange(from, fresh, ord::radix_insert()) {
                // SAFETY: nobody has seen it.
                return Put::Again(unsafe { self.take(fresh) });
            }
            self.memory.count(1);
            return Put::Done(None, fresh);
        }
        if !slot.exchange(from, fresh.with(from.marks()), ord::radix_update()) {
            // SAFETY: nobody has seen it.
            return Put::Again(unsafe { self.take(fresh) });
        }
        // SAFETY: our exchange cut it off.
        unsafe { self.retire(from, guard, room.take()) };
        Put::Done(Some(from), fresh)
    }

    /// Whether a key whose slot is empty is among the first of a node of the lowest level,
    /// behind a full one that is taken from end to end.
    #[inline(always)]
    fn continues_row(key: u64, path: &Path<'_>) -> bool {
        let Some(step) = path.last().filter(|step| step.level == 1) else {
            return false;
        };
        let (at, first) = (digit(key, 1), digit(key, 0));
        if at == 0 || first >= ROW {
            return false;
        }
        let before = step.node.slot(step.node.head(), at - 1).map(Slot::load);
        let Some(before) = before.filter(|word| word.has_kind() && word.is_direct()) else {
            return false;
        };
        // SAFETY: on this level it is a node, reachable in our section.
        let before = unsafe { before.node() };
        // SAFETY: so said the word.
        unsafe { before.is_row() }
    }

    /// Puts the first entry of a row in an empty slot, in a node that has room for all of
    /// it: the sizes that it would grow through are not made.
    #[cold]
    #[inline(never)]
    fn begin_row(&self, key: u64, value: P::Value, slot: &Slot, path: &Path<'_>) -> Put<P::Value> {
        let fresh = match self.fresh(key, value, true) {
            Ok(fresh) => fresh,
            Err(value) => return Put::NoMemory(value),
        };
        let children = [(digit(key, 0) as u8, fresh)];
        let Some(node) = self.memory.node(&Draft::row(key, 0, &children)) else {
            // SAFETY: nobody has seen it.
            return Put::NoMemory(unsafe { self.take(fresh) });
        };
        let word = Word::of_node(node, path.level_of(path.len()));
        // Release: pairs with the Acquire in `Slot::load`.
        if slot.exchange(Word::NULL, word, ord::radix_row()) {
            self.memory.count(1);
            return Put::Done(None, fresh);
        }
        // SAFETY: nobody has seen it.
        unsafe { self.memory.give_back(node) };
        // SAFETY: as above.
        Put::Again(unsafe { self.take(fresh) })
    }

    /// An entry that nobody has seen; the value if there is no memory.
    #[inline(always)]
    fn fresh(&self, key: u64, value: P::Value, is_bottom: bool) -> Result<Word, P::Value> {
        if P::INLINE
            && is_bottom
            && let Some(word) = P::to_bits(&value).and_then(Word::of_value)
        {
            return Ok(word);
        }
        self.memory.leaf(key, value).map(Word::of_leaf)
    }

    /// A slot for the digit of `key` in the last node of the way, which had none. Makes
    /// it larger if need be, and gives `None` then.
    #[cold]
    #[inline(never)]
    fn slot_for<'g>(
        &self,
        key: u64,
        path: &Path<'g>,
        guard: &Guard,
    ) -> Result<Option<&'g Slot>, ()> {
        let Some(step) = path.last() else {
            unreachable!("the root has its slot");
        };
        match step.node.claim(step.node.head(), digit(key, step.level)) {
            Claim::Slot(slot) => Ok(Some(slot)),
            Claim::Changed => Ok(None),
            Claim::Full => {
                self.rebuild(path, path.len() - 1, guard)?;
                Ok(None)
            }
        }
    }

    /// Puts a new entry beside what stands in a slot, for another key, below a new node.
    /// There an entry with a small value needs no leaf any more.
    #[inline(never)]
    fn split(
        &self,
        key: u64,
        value: P::Value,
        (slot, there, other): (&Slot, Word, u64),
        path: &Path<'_>,
        guard: &Guard,
        room: &mut Option<M::LeafRoom>,
    ) -> Put<P::Value> {
        let level = fork(key, other);
        let fresh = match self.fresh(key, value, level == 0) {
            Ok(fresh) => fresh,
            Err(value) => return Put::NoMemory(value),
        };
        let mut outlived = None;
        let below = if there.has_kind() {
            // SAFETY: what is not the key's and no leaf is a node, reachable in our section.
            unsafe { there.placed(level) }
        } else if let Some(word) = Self::without_leaf(there, level) {
            outlived = Some(there);
            word.with(there.marks())
        } else {
            there
        };
        let children = [(other, below), (key, fresh)];
        let children = children.map(|(key, word)| (digit(key, level) as u8, word));
        let draft = Draft::new(key, level, &children);
        let Some(node) = self.memory.node(&draft) else {
            // SAFETY: nobody has seen it.
            return Put::NoMemory(unsafe { self.take(fresh) });
        };
        let branch = Word::of_node(node, path.level_of(path.len())).with(there.marks());
        // Release: pairs with the Acquire in `Slot::load`.
        if slot.exchange(there, branch, ord::radix_split()) {
            self.memory.count(1);
            if let Some(leaf) = outlived {
                // SAFETY: our exchange cut it off: its value stands in the node.
                unsafe { self.retire(leaf, guard, room.take()) };
            }
            return Put::Done(None, fresh);
        }
        // SAFETY: nobody has seen it.
        unsafe { self.memory.give_back(node) };
        // SAFETY: as above.
        Put::Again(unsafe { self.take(fresh) })
    }

    /// The value of a leaf, if it is to stand in the slot of a level itself.
    fn without_leaf(word: Word, level: usize) -> Option<Word> {
        if !P::INLINE || level != 0 {
            return None;
        }
        let leaf = word.leaf::<P::Value>();
        // SAFETY: it was reachable in our section.
        P::to_bits(unsafe { &(*leaf).value }).and_then(Word::of_value)
    }
}
