//! Going through the slots of one node.
//!
//! In a full node of the lowest level the slots are in the order of the keys, and the
//! place of a slot says its key. So who goes up there needs neither the stack of a
//! [`Walk`](super::Walk) nor its count of what is ahead: a row of slots and the key of the first are
//! all. It stops at a slot that is frozen, of which the walk knows what to think.

use core::marker::PhantomData;
use core::slice;

use smr_core::HAS_PREFETCH;
use smr_core::sync::mutant;

use crate::raw::policy::Policy;
use crate::raw::tree::Raw;
use crate::raw::walk::Item;
use crate::raw::word::Slot;
use crate::tunables::NEAR;

/// A row of slots ahead of a walk, in the node that it is in.
pub(crate) struct Run<'g, P> {
    slots: slice::Iter<'g, Slot>,
    /// That of the first slot.
    key: u64,
    is_row: bool,
    _values: PhantomData<fn() -> P>,
}

impl<'g, P: Policy> Run<'g, P> {
    /// None: there is nothing in a row.
    pub(crate) fn none(key: u64) -> Self {
        Self {
            slots: [].iter(),
            key,
            is_row: false,
            _values: PhantomData,
        }
    }

    /// These slots, of a full node of the lowest level; the key of the first.
    pub(crate) fn new(slots: &'g [Slot], key: u64) -> Self {
        Self {
            slots: slots.iter(),
            key,
            is_row: true,
            _values: PhantomData,
        }
    }

    /// The first key that it has not passed.
    pub(crate) fn key(&self) -> u64 {
        self.key
    }

    /// Something was met elsewhere. Only where there is no row.
    pub(crate) fn go_to(&mut self, key: u64) {
        self.key = key;
    }

    pub(crate) fn is_row(&self) -> bool {
        self.is_row
    }

    /// Whether all of it was passed.
    pub(crate) fn is_over(&self) -> bool {
        self.slots.len() == 0
    }

    /// The next entry of the row. `None`: it is at its end, or something is unusual.
    ///
    /// Each entry is in the tree when it is met: its slot is not frozen.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Option<Item<'g, P>> {
        loop {
            let slots = self.slots.as_slice();
            let word = slots.first()?.load();
            if word.is_frozen() && !mutant("radix_stale_row") {
                return None;
            }
            self.slots.next();
            let key = self.key;
            self.key = key.wrapping_add(1);
            if word.is_null() {
                continue;
            }
            if HAS_PREFETCH
                && !P::INLINE
                && let Some(slot) = slots.get(NEAR)
            {
                slot.peek().prefetch();
            }
            // SAFETY: it was reachable in the section of the walk, whose guard lives for
            // `'g`.
            let value = unsafe { Raw::<P>::value_of(word) };
            return Some(Item { key, value });
        }
    }
}
