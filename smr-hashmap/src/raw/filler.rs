//! How a bucket of the next table is filled.

use crate::raw::line::{Line, Slots};
use crate::raw::word::Word;
use crate::tunables::SLOTS;

/// Puts what a target holds into its slots, one after the other.
pub(crate) struct Filler<'l> {
    slots: &'l Slots,
    place: usize,
}

impl<'l> Filler<'l> {
    pub(crate) fn new(line: &'l Line) -> Self {
        Self {
            slots: line.slots(),
            place: 0,
        }
    }

    /// Installs a word in the next slot; `more` makes slots if there is none, or returns
    /// `None`, as this does then.
    pub(crate) fn put(
        &mut self,
        word: Word,
        more: impl FnOnce(&'l Slots) -> Option<()>,
    ) -> Option<()> {
        if self.place == SLOTS {
            if self.slots.next().is_none() {
                more(self.slots)?;
            }
            let Some(next) = self.slots.next() else {
                unreachable!("more slots were made");
            };
            (self.slots, self.place) = (next, 0);
        }
        self.slots.slots()[self.place].install(word);
        self.place += 1;
        Some(())
    }
}
