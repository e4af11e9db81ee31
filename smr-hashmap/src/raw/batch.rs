//! Look-ups in batches: the misses of many keys at a time.
//!
//! A look-up waits for two lines of memory, one after the other: the bucket, the entry. In
//! a batch all buckets are fetched, then all entries, so that a batch waits twice and not
//! twice a key. A small map is in the processor's caches, and its keys are looked up one by
//! one.

use smr_core::{Guard, prefetch};

use crate::raw::entry::{Entry, Hash};
use crate::raw::line::Line;
use crate::raw::map::RawMap;
use crate::raw::word::Wanted;
use crate::tunables::{BATCH, FETCH_FROM_BITS};

impl<K, V> RawMap<K, V> {
    /// Looks up many keys by their hashes. `eq` and `found` are told which.
    ///
    /// Each look-up is linearizable by itself, as [`find`](Self::find); they are not
    /// one step together.
    pub(crate) fn find_many<'g>(
        &'g self,
        hashes: &[u64],
        mut eq: impl FnMut(usize, &K) -> bool,
        guard: &'g Guard,
        mut found: impl FnMut(usize, Option<&'g Entry<K, V>>),
    ) {
        let Some(table) = self.root() else {
            return (0..hashes.len()).for_each(|index| found(index, None));
        };
        if table.bits < FETCH_FROM_BITS {
            for (index, hash) in hashes.iter().enumerate() {
                found(index, self.find(*hash, |key| eq(index, key), guard));
            }
            return;
        }
        for (batch, hashes) in hashes.chunks(BATCH).enumerate() {
            let mut mixed = [Hash::new(0); BATCH];
            for (slot, hash) in mixed.iter_mut().zip(hashes) {
                *slot = Hash::new(*hash);
                prefetch(core::ptr::from_ref(table.line_of(*slot)));
            }
            let mixed = &mixed[..hashes.len()];
            let mut lines: [Option<&Line>; BATCH] = [None; BATCH];
            for (slot, hash) in lines.iter_mut().zip(mixed) {
                let line = Self::current(table, *hash);
                // One slot has the tag, most of the time.
                let wanted = Wanted::new(*hash);
                if let Some(entry) = line.slots().last_of::<K, V>(wanted) {
                    Entry::fetch(entry.as_ptr());
                }
                *slot = Some(line);
            }
            for (index, (line, hash)) in lines.iter().zip(mixed).enumerate() {
                let index = batch * BATCH + index;
                let eq = |key: &K| eq(index, key);
                let entry = line.and_then(|line| Self::find_in(line, *hash, eq, guard));
                found(index, entry);
            }
        }
    }
}
