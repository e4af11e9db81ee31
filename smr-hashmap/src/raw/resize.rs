//! From one table to the next: growth and shrinking, a few buckets at a time.
//!
//! Whoever finds the table full gives it a *next* one. From then on every write moves
//! the bucket that it is about, and a few others, and goes on in the next table. Who
//! moves the last bucket makes the next table the current one and retires the old.
//!
//! Buckets move in *groups*: one to 2^n when the table grows by n bits, 2^n to one
//! when it shrinks. The index is the high bits of the hash, so bucket i becomes the
//! buckets i·2^n and up.
//!
//! ```text
//!   1. freeze the words of the group        nothing changes there any more
//!   2. for each target whose word is null:  build its image from the frozen blocks,
//!                                           install it: null -> image
//!   3. frozen -> MOVED, each word           the winner retires its blocks
//! ```
//!
//! Any number of threads may do this at a time, and any may stop anywhere:
//!
//! - An image follows from frozen words alone, so all images of a target have the same
//!   content, and one of them gets in: its word is never null again.
//! - A write to a target comes after its image is in, since writers move their group
//!   first, and so no image can undo it.
//! - MOVED comes after all targets are filled. A thread that finds MOVED among the
//!   words of its group need not, and must not, look at their blocks.
//! - What a stalled thread had taken on, others take on when the count of claims has
//!   gone round.
//!
//! Readers do not help. The entries do not move: images name the same ones.

use core::ops::Range;

use smr_core::Guard;
use smr_core::sync::{Ordering, mutant};

use crate::ord;
use crate::raw::block::{BlockRef, Draft};
use crate::raw::body::Body;
use crate::raw::entry::Hash;
use crate::raw::map::RawMap;
use crate::raw::table::{Table, Word};
use crate::tunables::{
    GROW_BITS, HELP, MAX_LOAD, MAX_STEP_BITS, MIN_BITS, SHARD_FROM_BITS, SPARSE, TRIM_FROM_BITS,
};

/// Why a table could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReserveError {
    /// There are no such tables.
    CapacityOverflow,
    /// The system has no memory for it.
    OutOfMemory,
}

/// Bits of the smallest table for so many entries.
fn bits_for(entries: usize) -> u32 {
    entries
        .div_ceil(MAX_LOAD)
        .checked_next_power_of_two()
        .map_or(usize::BITS, usize::ilog2)
        .max(MIN_BITS)
}

/// How many groups move from one table to the other.
fn groups(table: &Table, next: &Table) -> usize {
    table.len().min(next.len())
}

/// The buckets of a table that are of a group.
fn buckets(table: &Table, group: usize, groups: usize) -> Range<usize> {
    let each = table.len() / groups;
    group * each..(group + 1) * each
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
            let _ = self.replace_table(body, table, table.bits + GROW_BITS, guard);
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
            let _ = self.replace_table(body, table, table.bits - 1, guard);
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
        table.next().is_none() && self.root().is_some_and(|root| core::ptr::eq(root, table))
    }

    fn replace_table(
        &self,
        body: &Body,
        table: &Table,
        bits: u32,
        guard: &Guard,
    ) -> Result<(), ReserveError> {
        if bits >= SHARD_FROM_BITS {
            body.len.shard();
        }
        let fresh = Table::new(bits, self.pool.domain()).ok_or(ReserveError::OutOfMemory)?;
        table.set_next(fresh);
        if let Some(next) = table.next() {
            self.help(table, next, guard);
        }
        Ok(())
    }

    /// Gives the current table a successor, of which nothing has moved: for models.
    #[cfg(all(test, loom))]
    pub(crate) fn give_next(&self, bits: u32) {
        let table = self.root().expect("there is a table");
        table.set_next(Table::new(bits, self.pool.domain()).expect("there is memory"));
    }

    /// Moves one group of buckets, if a table is being replaced: for models.
    #[cfg(all(test, loom))]
    pub(crate) fn move_one(&self, group: usize, guard: &Guard) {
        let Some(table) = self.root() else { return };
        if let Some(next) = table.next() {
            self.move_group(table, next, group, guard);
        }
    }

    // -- how -----------------------------------------------------------------

    /// Moves the bucket of `hash`, and a few others; returns the next table.
    #[cold]
    #[inline(never)]
    pub(crate) fn move_on<'g>(
        &'g self,
        table: &'g Table,
        next: &'g Table,
        hash: Hash,
        guard: &'g Guard,
    ) -> &'g Table {
        self.help(table, next, guard);
        let group = hash.bucket(table.bits.min(next.bits));
        self.move_group(table, next, group, guard);
        next
    }

    /// Moves a few groups that nobody has taken on yet.
    fn help(&self, table: &Table, next: &Table, guard: &Guard) {
        // Relaxed: who does what is no matter of order.
        if table.moved.load(Ordering::Relaxed) == table.len() {
            return;
        }
        let groups = groups(table, next);
        let first = table.claimed.fetch_add(HELP, Ordering::Relaxed);
        for group in first..first.wrapping_add(HELP).min(first + groups) {
            let group = group & (groups - 1);
            // Whoever helps next finds at hand what it needs.
            for source in buckets(table, group, groups) {
                Self::look_ahead(table, source, table.len());
            }
            self.move_group(table, next, group, guard);
        }
    }

    /// Moves all that has not moved yet, whatever panics.
    fn finish(&self, table: &Table, next: &Table, guard: &Guard) {
        let mut panics = Panics::default();
        for group in 0..groups(table, next) {
            panics.catch(|| self.move_group(table, next, group, guard));
        }
        // Whoever moved the last bucket may not have come to count it: not waited for.
        if (0..table.len()).all(|bucket| table.load(bucket).is_moved()) {
            panics.catch(|| self.promote(table, next, guard));
        }
        panics.go_on();
    }

    /// Moves a group, or completes what others have begun.
    fn move_group(&self, table: &Table, next: &Table, group: usize, guard: &Guard) {
        let groups = groups(table, next);
        let sources = buckets(table, group, groups);
        let is_filled = || !buckets(next, group, groups).any(|at| next.load(at).is_null());
        if sources.clone().all(|source| table.load(source).is_moved())
            || (mutant("map_filled_is_moved") && is_filled())
        {
            return;
        }
        for source in sources.clone() {
            if !mutant("map_no_freeze") {
                table.freeze(source);
            }
        }
        for target in buckets(next, group, groups) {
            if next.load(target).is_null() && !mutant("map_no_image") {
                self.fill(table, sources.clone(), next, target, guard);
            }
        }
        let mut moved = 0;
        let mut panics = Panics::default();
        for source in sources {
            let word = table.load(source);
            if word.is_frozen() && (table.set_moved(source, word) || mutant("map_loser_retires")) {
                moved += 1;
                // SAFETY: loaded in the guard's section.
                let first = unsafe { word.block() };
                // It may run destructors of others. All that moved is counted.
                // SAFETY: our exchange cut them off.
                panics.catch(|| unsafe { table.blocks.retire(first, None, guard) });
            }
        }
        if moved != 0 {
            // AcqRel: whoever counts the last one has seen the others move.
            let before = table.moved.fetch_add(moved, ord::map_moved_count());
            if before + moved == table.len() {
                panics.catch(|| self.promote(table, next, guard));
            }
        }
        panics.go_on();
    }

    /// Installs the image of a target, unless somebody did.
    fn fill(
        &self,
        table: &Table,
        sources: Range<usize>,
        next: &Table,
        target: usize,
        guard: &Guard,
    ) {
        let mut image: Option<BlockRef> = None;
        let mut draft = Draft::new(None);
        for source in sources {
            let word = table.load(source);
            if word.is_moved() {
                // The target is filled: what we have is not needed.
                // SAFETY: made here, and never published.
                return unsafe { next.blocks.give_back(image, None) };
            }
            // SAFETY: loaded in the guard's section.
            let first = unsafe { word.block() };
            for entry in first.into_iter().flat_map(BlockRef::entries::<K, V>) {
                // SAFETY: in our section, as its block is.
                let hash = unsafe { entry.as_ref() }.hash;
                if next.bucket(hash) != target {
                    continue;
                }
                if !draft.has_room() {
                    image = Some(next.blocks.make(draft, guard));
                    draft = Draft::new(image);
                }
                draft.push(hash, entry);
            }
        }
        if draft.len() != 0 {
            image = Some(next.blocks.make(draft, guard));
        }
        if next.install(target, Word::of(image)).is_err() {
            // SAFETY: made here, and never published.
            unsafe { next.blocks.give_back(image, None) };
        }
    }

    /// Makes the next table the current one, when all buckets have moved and the
    /// caller has seen that. Whoever does it first retires the table.
    fn promote(&self, table: &Table, next: &Table, guard: &Guard) {
        let (old, new) = (
            core::ptr::from_ref(table).cast_mut(),
            core::ptr::from_ref(next).cast_mut(),
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
        let past = next.follow(old);
        // Last, since it may run destructors, which may panic.
        guard.defer_sized(table.bytes(), move || drop(past));
    }

    // -- on demand -----------------------------------------------------------

    /// Makes the table one of 2^`bits` buckets, in steps of what a write may have to
    /// move by itself.
    fn resize_to(
        &self,
        body: &Body,
        is_there: impl Fn(u32) -> bool,
        bits: u32,
        guard: &Guard,
    ) -> Result<(), ReserveError> {
        while let Some(table) = self.root() {
            if let Some(next) = table.next() {
                self.finish(table, next, guard);
                continue;
            }
            if is_there(table.bits) {
                break;
            }
            let step = bits.clamp(
                table.bits.saturating_sub(MAX_STEP_BITS),
                table.bits + MAX_STEP_BITS,
            );
            self.replace_table(body, table, step, guard)?;
        }
        Ok(())
    }

    /// Makes room for so many more entries, and keeps it.
    pub(crate) fn try_reserve(&self, additional: usize, guard: &Guard) -> Result<(), ReserveError> {
        let entries = self.len().checked_add(additional);
        let bits = entries.map(bits_for).filter(|bits| *bits < usize::BITS - 4);
        let bits = bits.ok_or(ReserveError::CapacityOverflow)?;
        if additional == 0 {
            return Ok(());
        }
        self.root_or_make(bits).ok_or(ReserveError::OutOfMemory)?;
        let body = self.body().expect("it was made before the table");
        if bits >= SHARD_FROM_BITS {
            body.len.shard();
        }
        // Relaxed: a setting.
        body.floor.fetch_max(bits, Ordering::Relaxed);
        self.resize_to(body, |there| there >= bits, bits, guard)
    }

    /// Gives back what so many entries, or those that there are, do not need.
    pub(crate) fn shrink_to(&self, min: usize, guard: &Guard) {
        let Some(body) = self.body() else { return };
        let bits = bits_for(self.len().max(min));
        // Relaxed: a setting.
        body.floor.store(bits_for(min), Ordering::Relaxed);
        // Without memory for a smaller one the table stays.
        let _ = self.resize_to(body, |there| there <= bits, bits, guard);
        self.pool.trim();
        if let Some(table) = self.root() {
            table.blocks.trim();
        }
    }

    /// How many entries fit before the table grows.
    pub(crate) fn capacity(&self) -> usize {
        self.root().map_or(0, |table| {
            let table = table.next().unwrap_or(table);
            table.len().saturating_mul(MAX_LOAD)
        })
    }

    /// Bytes that the map occupies.
    pub(crate) fn memory_usage(&self) -> usize {
        let mut bytes = self.pool.stats().slab_bytes + self.body().map_or(0, |_| size_of::<Body>());
        let mut table = self.root();
        while let Some(there) = table {
            bytes += there.bytes() + there.blocks.bytes();
            table = there.next();
        }
        bytes
    }

    // -- all of it -----------------------------------------------------------

    /// Removes everything that is there, bucket by bucket; each at the exchange of its
    /// word.
    pub(crate) fn clear(&self, guard: &Guard) {
        let Some(mut table) = self.root() else { return };
        let body = self.body().expect("it was made before the table");
        let mut panics = Panics::default();
        let mut bucket = 0;
        while bucket < table.len() {
            if let Some(next) = table.next() {
                panics.catch(|| self.finish(table, next, guard));
                (table, bucket) = (next, 0);
                continue;
            }
            let word = table.load(bucket);
            if !word.is_live() {
                continue;
            }
            // SAFETY: loaded in the guard's section.
            let Some(first) = (unsafe { word.block() }) else {
                bucket += 1;
                continue;
            };
            if table.replace(bucket, word, Word::EMPTY).is_err() {
                continue;
            }
            bucket += 1;
            let mut count = 0;
            for entry in first.entries::<K, V>() {
                count += 1;
                panics.catch(|| self.retire_entry(entry, guard));
            }
            body.len.add(-count);
            // SAFETY: our exchange cut them off.
            panics.catch(|| unsafe { table.blocks.retire(Some(first), None, guard) });
        }
        // Relaxed: a setting.
        let floor = body.floor.load(Ordering::Relaxed);
        let bits = bits_for(self.len()).max(floor);
        panics.catch(|| {
            let _ = self.resize_to(body, |there| there <= bits, bits, guard);
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
