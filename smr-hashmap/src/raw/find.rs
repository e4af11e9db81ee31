//! Look-ups.

use core::hint::cold_path;

use smr_core::Guard;

use crate::raw::entry::{Entry, Hash};
use crate::raw::line::{Line, Slots};
use crate::raw::map::RawMap;
use crate::raw::table::Table;
use crate::raw::word::Wanted;

impl<K, V> RawMap<K, V> {
    /// The bucket of `hash` that counts, from `table` on.
    ///
    /// A live one does, and a frozen one too: nobody writes to a bucket of the next table
    /// before all that it comes from has moved, so at the moment of our load nobody can
    /// have written. What is frozen later stays readable as it was then.
    #[inline(always)]
    pub(crate) fn current(table: &Table, hash: Hash) -> &Line {
        let line = table.line_of(hash);
        if line.head().is_moved() {
            cold_path();
            return moved_to(table, hash);
        }
        line
    }

    /// The entry with this key.
    ///
    /// Linearization point of what is found: the load of its slot, or, if the bucket was
    /// frozen since its head was loaded, the moment when it was. Of what is not found: a
    /// key that is there from the load of the head to the end stays in its slot, and that
    /// is one that we look at, so there was a moment without it.
    #[inline(always)]
    pub(crate) fn find<'g, R>(
        &'g self,
        hash: u64,
        eq: impl FnMut(&K) -> bool,
        show: impl Fn(&'g Entry<K, V>) -> R,
        guard: &'g Guard,
    ) -> Option<R> {
        let hash = Hash::new(hash);
        Self::find_in(Self::current(self.root()?, hash), hash, eq, show, guard)
    }

    /// The entry with this key in the bucket that counts, as `show` shows it: so that what
    /// was found is not asked once more whether it was.
    #[inline(always)]
    pub(crate) fn find_in<'g, R>(
        line: &'g Line,
        hash: Hash,
        mut eq: impl FnMut(&K) -> bool,
        show: impl Fn(&'g Entry<K, V>) -> R,
        _guard: &'g Guard,
    ) -> Option<R>
    where
        K: 'g,
        V: 'g,
    {
        // SAFETY: we are in the guard's section, and the head was loaded.
        let found = unsafe { find_among(line.slots(), hash, &mut eq, &show) };
        if found.is_some() {
            return found;
        }
        // Not in one loop, so that most look-ups are a straight line. The head is loaded once
        // more, so that a look-up that has found its entry need not keep it.
        let mut slots = line.more(line.head())?;
        loop {
            // SAFETY: as above.
            let found = unsafe { find_among(slots, hash, &mut eq, &show) };
            if found.is_some() {
                return found;
            }
            slots = slots.next()?;
        }
    }
}

/// The bucket of a hash in the tables after this one, where it had moved.
///
/// Ends the process rather than panic: see [`candidate`].
#[inline(never)]
extern "C" fn moved_to(mut table: &Table, hash: Hash) -> &Line {
    loop {
        table = table.next_of_frozen();
        let line = table.line_of(hash);
        if !line.head().is_moved() {
            return line;
        }
    }
}

/// The entry with a key among those of some slots of its bucket.
///
/// # Safety
///
/// In a section, and the slots are of a bucket that had not moved when it was open.
#[inline(always)]
unsafe fn find_among<'g, K: 'g, V: 'g, R>(
    slots: &'g Slots,
    hash: Hash,
    mut eq: impl FnMut(&K) -> bool,
    show: impl Fn(&'g Entry<K, V>) -> R,
) -> Option<R> {
    // One slot has the tag, most of the time: no need to ask in which order.
    let item = slots.last_of(Wanted::new(hash))?;
    // SAFETY: loaded in the section, after the head.
    let entry: &Entry<K, V> = unsafe { item.as_ref() };
    if eq(&entry.key) {
        return Some(show(entry));
    }
    cold_path();
    let mut from = 0;
    // SAFETY: as above.
    while let Some(next) = unsafe { candidate(slots, &mut from, hash) } {
        let next: &Entry<K, V> = next;
        if eq(&next.key) {
            return Some(show(next));
        }
    }
    None
}

/// The next entry with this hash in these slots, from this place on; the place goes behind it.
///
/// Ends the process rather than panic, which it does not: so who calls it has nothing to put
/// in order, and a look-up of keys that do not panic keeps its guard in a register.
///
/// # Safety
///
/// In a section, and the slots are of a bucket that had not moved when it was open.
#[cold]
#[inline(never)]
unsafe extern "C" fn candidate<'g, K, V>(
    slots: &'g Slots,
    from: &mut usize,
    hash: Hash,
) -> Option<&'g Entry<K, V>> {
    let wanted = Wanted::new(hash);
    for slot in slots.slots().iter().skip(*from) {
        *from += 1;
        let word = slot.load();
        if !word.may_be(wanted) {
            continue;
        }
        let Some(item) = word.entry() else { continue };
        // SAFETY: an entry is retired when no slot that counts has it any more; that was
        // after the section had begun.
        let entry: &Entry<K, V> = unsafe { item.as_ref() };
        if entry.hash == hash {
            return Some(entry);
        }
    }
    None
}
