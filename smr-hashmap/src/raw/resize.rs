//! From one table to the next: growth and shrinking, a few buckets at a time.
//!
//! Whoever finds the table full gives it a *next* one. From then on every write moves
//! a few buckets, in the order of the table, so that what they need is fetched ahead; its
//! own it writes where it is, unless that is frozen: then it moves that, too, and goes on
//! in the next table. Who has seen all buckets moved makes the next table the current one
//! and retires the old.
//!
//! Buckets move in *groups*: one to 2^n when the table grows by n bits, 2^n to one
//! when it shrinks. The index is the high bits of the hash, so bucket i becomes the
//! buckets i·2^n and up.
//!
//! ```text
//!   1. freeze the buckets of the group            no entry comes, goes or is replaced
//!   2. of two targets at a time, unless both      slots: UNUSED -> entry, as many as
//!      have heads:                                there are; heads: null -> FILLED
//!   3. FROZEN -> MOVED, the head of each bucket
//! ```
//!
//! Any number of threads may do this at a time, and any may stop anywhere:
//!
//! - What goes into which slot follows from frozen buckets alone, so all who fill a
//!   target put the same into the same slots. Those were set before its head, and none is
//!   UNUSED again, so who comes late changes nothing.
//! - A write to a target comes after its head was set, since writers leave a bucket when
//!   it is frozen, and move its group first.
//! - MOVED comes after all targets are filled. A thread that finds MOVED among the
//!   buckets of its group need not, and must not, look at their entries: they may be gone.
//! - What a stalled thread had taken on, others take on in the next round of claims, and
//!   that round tells that all has moved: see [`Moves`](crate::raw::table::Moves).
//! - Where there is no memory for the slots of a target, its group has not moved, and
//!   whoever comes next goes on. Retiring the table needs none: its successor was made
//!   with room for it.
//!
//! Readers do not help. The entries do not move: slots of the next table name the same
//! ones.

use core::ops::Range;
use core::ptr;
use std::alloc::{Layout, handle_alloc_error};

use smr_core::sync::{Ordering, mutant};
use smr_core::{Guard, HAS_PREFETCH, prefetch};

use crate::ord;
use crate::raw::body::Body;
use crate::raw::entry::{Entry, Hash};
use crate::raw::filler::Filler;
use crate::raw::line::{Line, More, Slots};
use crate::raw::map::RawMap;
use crate::raw::table::Table;
use crate::tunables::{
    AHEAD, GROW_BITS, HELP, MAX_LOAD, MAX_STEP_BITS, MIN_BITS, SPARSE, TRIM_FROM_BITS,
};

/// Why a table could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReserveError {
    /// There are no such tables.
    CapacityOverflow,
    /// The system has no memory for it.
    OutOfMemory,
}

impl ReserveError {
    /// Ends the process, where there is no error to return.
    #[cold]
    fn end(self) {
        handle_alloc_error(Layout::new::<More>())
    }
}

/// Bits of the smallest table for so many entries.
fn bits_for(entries: usize) -> u32 {
    entries
        .div_ceil(MAX_LOAD)
        .checked_next_power_of_two()
        .map_or(usize::BITS, usize::ilog2)
        .max(MIN_BITS)
}

/// Binary logarithm of the groups that move from one table to the other.
fn groups(table: &Table, next: &Table) -> u32 {
    table.bits.min(next.bits)
}

/// Binary logarithm of the groups of a claim, where there are 2^`groups`: so many, in a
/// table of any size, that the claims of a round can be counted in 32 bits.
fn groups_each(groups: u32) -> u32 {
    const { HELP.ilog2() }
        .min(groups)
        .max(groups.saturating_sub(31))
}

/// The buckets of a table that are of one of 2^`groups` groups.
fn buckets(table: &Table, group: usize, groups: u32) -> Range<usize> {
    let each = table.bits - groups;
    group << each..(group + 1) << each
}

impl<K, V> RawMap<K, V> {
    // -- when ----------------------------------------------------------------

    /// Gives the table a larger one if it is full.
    #[cold]
    #[inline(never)]
    pub(crate) fn grow_if_full(&self, table: &Table, guard: &Guard) {
        let Some(body) = self.body() else { return };
        self.trim_if_due(body);
        if self.is_settled(table) && body.len.sum() > table.len().saturating_mul(MAX_LOAD) {
            // Without memory the table stays, and chains get longer.
            let _ = self.replace_table(table, table.bits + GROW_BITS, guard);
        }
    }

    /// Gives the table a smaller one if it holds little.
    #[cold]
    #[inline(never)]
    pub(crate) fn shrink_if_sparse(&self, table: &Table, guard: &Guard) {
        let Some(body) = self.body() else { return };
        self.trim_if_due(body);
        // Relaxed: a setting.
        let floor = body.floor.load(Ordering::Relaxed);
        if table.bits > floor
            && self.is_settled(table)
            && body.len.sum().saturating_mul(SPARSE) < table.len().saturating_mul(MAX_LOAD)
        {
            let _ = self.replace_table(table, table.bits - 1, guard);
        }
    }

    /// Gives memory of removed entries back to the system, some time after the table
    /// has shrunk.
    fn trim_if_due(&self, body: &Body) {
        if body.takes_trim(self.pool.domain()) {
            self.pool.trim();
        }
    }

    /// Whether the table is the current one and has no next.
    fn is_settled(&self, table: &Table) -> bool {
        table.next().is_none() && self.root().is_some_and(|root| ptr::eq(root, table))
    }

    fn replace_table(&self, table: &Table, bits: u32, guard: &Guard) -> Result<(), ReserveError> {
        let fresh = Table::successor(bits, self.pool.domain());
        table.set_next(fresh.ok_or(ReserveError::OutOfMemory)?);
        match table.next() {
            Some(next) => self.help(table, next, guard),
            None => Ok(()),
        }
    }

    /// Gives the current table a successor, of which nothing has moved: for models.
    #[cfg(all(test, loom))]
    pub(crate) fn give_next(&self, bits: u32) {
        let table = self.root().expect("there is a table");
        let next = Table::successor(bits, self.pool.domain());
        table.set_next(next.expect("there is memory"));
    }

    /// Moves the one group of a claim, if a table is being replaced: for models.
    #[cfg(all(test, loom))]
    pub(crate) fn move_one(&self, claim: usize, guard: &Guard) {
        let Some(table) = self.root() else { return };
        if let Some(next) = table.next() {
            let moved = self.take_on(table, next, claim, guard);
            moved.expect("there is memory");
        }
    }

    // -- how -----------------------------------------------------------------

    /// Moves the bucket of `hash`, which is frozen; returns the next table.
    #[cold]
    #[inline(never)]
    pub(crate) fn move_on<'g>(
        &'g self,
        table: &'g Table,
        hash: Hash,
        guard: &'g Guard,
    ) -> &'g Table {
        let next = table.next_of_frozen();
        let group = hash.bucket(table.bits.min(next.bits));
        self.move_group(table, next, group, guard)
            .unwrap_or_else(ReserveError::end);
        next
    }

    /// Moves a few groups that nobody has taken on yet. What there is no memory for is left
    /// to others.
    #[cold]
    #[inline(never)]
    pub(crate) fn help(
        &self,
        table: &Table,
        next: &Table,
        guard: &Guard,
    ) -> Result<(), ReserveError> {
        if cfg!(all(loom, not(shuttle))) {
            // Models say themselves what is moved when.
            return Ok(());
        }
        self.take_on(table, next, table.moves.claim(), guard)
    }

    /// Moves the groups of a claim, which is the caller's.
    fn take_on(
        &self,
        table: &Table,
        next: &Table,
        claim: usize,
        guard: &Guard,
    ) -> Result<(), ReserveError> {
        let groups = groups(table, next);
        let each = groups_each(groups);
        let first = claim << each & ((1 << groups) - 1);
        for group in first..first + (1 << each) {
            // Whoever helps next finds at hand what it needs.
            Self::fetch_ahead(table, next, group, groups);
            self.move_group(table, next, group, guard)?;
        }
        if table.moves.count(claim, groups - each) {
            self.promote(table, next, guard);
        }
        Ok(())
    }

    /// Fetches what whoever goes through the groups, and is at this one, will want soon.
    fn fetch_ahead(table: &Table, next: &Table, group: usize, groups: u32) {
        let lines = |table, group| {
            let buckets = if group >> groups == 0 {
                buckets(table, group, groups)
            } else {
                0..0
            };
            buckets.map(move |bucket| table.line(bucket))
        };
        for line in lines(table, group + 2 * AHEAD).chain(lines(next, group + AHEAD)) {
            prefetch(ptr::from_ref(line));
        }
        if HAS_PREFETCH {
            let fetch_entries = |slots: &Slots| {
                for word in slots.words() {
                    // The slots themselves, which are here, where there is none.
                    let entry = word.entry_or::<K, V>(ptr::from_ref(slots).cast());
                    prefetch(Entry::hash_in(entry));
                }
            };
            for line in lines(table, group + AHEAD) {
                fetch_entries(line.slots());
                if let Some(more) = line.more(line.head()) {
                    prefetch(ptr::from_ref(more));
                }
            }
            for line in lines(table, group + AHEAD / 2) {
                if let Some(more) = line.more(line.head()) {
                    fetch_entries(more);
                }
            }
        }
    }

    /// Moves all that has not moved yet, whatever panics, and as far as there is memory.
    fn finish(&self, table: &Table, next: &Table, guard: &Guard) -> Result<(), ReserveError> {
        let mut panics = Panics::default();
        let mut result = Ok(());
        for group in 0..1 << groups(table, next) {
            if result.is_ok() {
                panics.catch(|| result = self.move_group(table, next, group, guard));
            }
        }
        if (0..table.len()).all(|bucket| table.line(bucket).head().is_moved()) {
            panics.catch(|| self.promote(table, next, guard));
        }
        panics.go_on();
        result
    }

    /// Moves a group, or completes what others have begun. Without memory the group has
    /// not moved.
    fn move_group(
        &self,
        table: &Table,
        next: &Table,
        group: usize,
        guard: &Guard,
    ) -> Result<(), ReserveError> {
        let groups = groups(table, next);
        let sources = || buckets(table, group, groups).map(|bucket| table.line(bucket));
        let targets = buckets(next, group, groups);
        let is_filled = || !targets.clone().any(|at| next.line(at).head().is_null());
        if sources().all(|source| source.head().is_moved())
            || (mutant("map_filled_is_moved") && is_filled())
        {
            return Ok(());
        }
        sources().for_each(Line::freeze);
        for first in targets.clone().step_by(2) {
            let pair = [first, (first + 1).min(targets.end - 1)];
            let is_filled = pair.iter().all(|at| !next.line(*at).head().is_null());
            if !is_filled && !mutant("map_no_image") {
                Self::fill(sources(), next, pair, guard).ok_or(ReserveError::OutOfMemory)?;
            }
        }
        sources().for_each(Line::set_moved);
        Ok(())
    }

    /// Fills two targets, or one that is given twice, with what is in the frozen sources,
    /// unless somebody did. `None` if there is no memory for their slots.
    fn fill<'t>(
        sources: impl Iterator<Item = &'t Line>,
        next: &Table,
        targets: [usize; 2],
        guard: &Guard,
    ) -> Option<()> {
        let mut fillers = targets.map(|target| Filler::new(next.line(target)));
        for source in sources {
            let head = source.head();
            if head.is_moved() {
                // The targets are filled.
                return Some(());
            }
            for slots in source.chain(head) {
                for word in slots.words() {
                    let Some(entry) = word.entry::<K, V>() else {
                        continue;
                    };
                    // SAFETY: alive: the bucket had not moved in our section.
                    let hash = unsafe { Entry::hash_of(entry) };
                    // Which of the two it goes into is as good as random: no branch
                    // depends on it.
                    let place = next.bucket(hash).wrapping_sub(targets[0]);
                    if let Some(filler) = fillers.get_mut(place) {
                        filler.put(word.thawed(), |slots| next.extend(slots, guard))?;
                    }
                }
            }
        }
        for target in targets[0]..=targets[1] {
            next.line(target).install_head();
        }
        Some(())
    }

    /// Makes the next table the current one, when all buckets have moved and the
    /// caller has seen that. Whoever does it first retires the table.
    fn promote(&self, table: &Table, next: &Table, guard: &Guard) {
        let (old, new) = (
            ptr::from_ref(table).cast_mut(),
            ptr::from_ref(next).cast_mut(),
        );
        // Release: pairs with the Acquire in `root`. Relaxed: a loser looks no further.
        let result =
            self.root
                .compare_exchange(old, new, ord::map_table_publish(), Ordering::Relaxed);
        if result.is_err() {
            return;
        }
        if next.bits < table.bits
            && table.bits >= TRIM_FROM_BITS
            && let Some(body) = self.body()
        {
            body.want_trim(self.pool.domain());
        }
        // Nobody finds it any more, and it is retired by us, whose exchange replaced it.
        // SAFETY: as said; tables that replace others are successors.
        let (past, room) = unsafe { next.follow(old) };
        // Last, since it may run destructors, which may panic.
        guard.defer_into(room, table.bytes(), move || drop(past));
    }

    // -- on demand -----------------------------------------------------------

    /// Makes the table one of 2^`bits` buckets, in steps of what a write may have to
    /// move by itself.
    fn resize_to(
        &self,
        is_there: impl Fn(u32) -> bool,
        bits: u32,
        guard: &Guard,
    ) -> Result<(), ReserveError> {
        while let Some(table) = self.root() {
            if let Some(next) = table.next() {
                self.finish(table, next, guard)?;
                continue;
            }
            if is_there(table.bits) {
                break;
            }
            let step = bits.clamp(
                table.bits.saturating_sub(MAX_STEP_BITS),
                table.bits + MAX_STEP_BITS,
            );
            self.replace_table(table, step, guard)?;
        }
        Ok(())
    }

    /// Makes room for so many more entries, and keeps it. Without memory the entries are
    /// where they were, or on their way to a table of fewer buckets than were asked for.
    pub(crate) fn try_reserve(&self, additional: usize, guard: &Guard) -> Result<(), ReserveError> {
        let entries = self.len().checked_add(additional);
        let bits = entries.map(bits_for).filter(|bits| *bits < usize::BITS - 4);
        let bits = bits.ok_or(ReserveError::CapacityOverflow)?;
        if additional == 0 {
            return Ok(());
        }
        self.root_or_make(bits).ok_or(ReserveError::OutOfMemory)?;
        let body = self.body().expect("it was made before the table");
        // Relaxed: a setting.
        let floor = body.floor.fetch_max(bits, Ordering::Relaxed);
        let result = self.resize_to(|there| there >= bits, bits, guard);
        if result.is_err() && floor < bits {
            // Relaxed: a setting, unless somebody has made another.
            let _ = body
                .floor
                .compare_exchange(bits, floor, Ordering::Relaxed, Ordering::Relaxed);
        }
        result
    }

    /// Gives back what so many entries, or those that there are, do not need.
    pub(crate) fn shrink_to(&self, min: usize, guard: &Guard) {
        let Some(body) = self.body() else { return };
        let bits = bits_for(self.len().max(min));
        // Relaxed: a setting.
        body.floor.store(bits_for(min), Ordering::Relaxed);
        // Without memory for a smaller one the table stays.
        let _ = self.resize_to(|there| there <= bits, bits, guard);
        self.pool.trim();
    }

    /// How many entries fit before the table grows: as many as there are, at least, since
    /// not every write looks.
    pub(crate) fn capacity(&self) -> usize {
        self.root().map_or(0, |table| {
            let table = table.next().unwrap_or(table);
            table.len().saturating_mul(MAX_LOAD).max(self.len())
        })
    }

    /// Bytes that the map occupies.
    pub(crate) fn memory_usage(&self) -> usize {
        let mut bytes = self.pool.slab_bytes() + self.body().map_or(0, |_| size_of::<Body>());
        let mut table = self.root();
        while let Some(there) = table {
            bytes += there.bytes();
            table = there.next();
        }
        bytes
    }

    // -- all of it -----------------------------------------------------------

    /// Removes everything that is there, one after the other.
    pub(crate) fn clear(&self, guard: &Guard) {
        let Some(mut table) = self.root() else { return };
        let body = self.body().expect("it was made before the table");
        let mut panics = Panics::default();
        let mut bucket = 0;
        'buckets: while bucket < table.len() {
            if let Some(next) = table.next() {
                let finish = || self.finish(table, next, guard);
                panics.catch(|| finish().unwrap_or_else(ReserveError::end));
                (table, bucket) = (next, 0);
                continue;
            }
            let line = table.line(bucket);
            let slots = line.slots().chain().flat_map(Slots::slots);
            for (index, slot) in slots.enumerate() {
                loop {
                    let word = slot.load();
                    let Some(entry) = word.entry::<K, V>() else {
                        break;
                    };
                    if word.is_frozen() {
                        // Now there is a next table.
                        continue 'buckets;
                    }
                    if line.free(index, slot, word) {
                        body.len.add(-1);
                        panics.catch(|| self.retire_entry(entry, guard));
                        break;
                    }
                }
            }
            line.close();
            bucket += 1;
        }
        // Relaxed: a setting.
        let floor = body.floor.load(Ordering::Relaxed);
        let bits = bits_for(self.len()).max(floor);
        panics.catch(|| {
            let _ = self.resize_to(|there| there <= bits, bits, guard);
        });
        panics.go_on();
    }
}

/// Panics of destructors: the work goes on, then the first one does.
#[derive(Default)]
pub(crate) struct Panics(Option<Box<dyn std::any::Any + Send>>);

impl Panics {
    pub(crate) fn catch(&mut self, f: impl FnOnce()) {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
        if let Err(panic) = result {
            self.0.get_or_insert(panic);
        }
    }

    pub(crate) fn go_on(self) {
        if let Some(panic) = self.0 {
            std::panic::resume_unwind(panic);
        }
    }
}

/// Work that is done also when what comes before it panics; a second panic is
/// dropped then.
pub(crate) struct OnUnwind<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> OnUnwind<F> {
    #[inline(always)]
    pub(crate) fn new(work: F) -> Self {
        Self(Some(work))
    }

    /// Nothing has panicked.
    #[inline(always)]
    pub(crate) fn now(mut self) {
        if let Some(work) = self.0.take() {
            work();
        }
    }
}

impl<F: FnOnce()> Drop for OnUnwind<F> {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(work) = self.0.take() {
            Panics::default().catch(work);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn claims_of_the_largest_table_can_be_counted() {
        for groups in 0..usize::BITS {
            let each = groups_each(groups);
            assert!(each <= groups, "2^{groups} groups");
            assert!(groups - each <= 31, "2^{groups} groups");
        }
    }

    #[test]
    fn tables_are_large_enough_and_no_larger() {
        assert_eq!(bits_for(0), MIN_BITS);
        let smallest = MAX_LOAD << MIN_BITS;
        assert_eq!(bits_for(smallest), MIN_BITS);
        for bits in MIN_BITS..usize::BITS - 4 {
            let full = MAX_LOAD << bits;
            assert_eq!(bits_for(full), bits, "{full} fit exactly");
            assert_eq!(bits_for(full + 1), bits + 1, "one more does not");
        }
        assert!(
            bits_for(usize::MAX) >= usize::BITS - 4,
            "there is no such table"
        );
    }
}
