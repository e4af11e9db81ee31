//! Look-ups in batches: the misses of many keys at a time.
//!
//! A look-up waits for three lines of memory, one after the other: the word, the
//! block, the entry. In a batch all words are fetched, then all blocks, then all
//! entries, so that a batch waits three times and not three times a key.

use smr_core::Guard;

use crate::raw::block::BlockRef;
use crate::raw::entry::{Entry, Hash};
use crate::raw::map::{RawMap, search};
use crate::raw::prefetch;
use crate::tunables::BATCH;

impl<K, V> RawMap<K, V> {
    /// Looks up many keys by their hashes. `eq` and `found` are told which.
    ///
    /// Each look-up is linearizable by itself, as [`find`](Self::find); they are not
    /// one step together.
    pub(crate) fn find_many<'g>(
        &'g self,
        hashes: &[u64],
        mut eq: impl FnMut(usize, &K) -> bool,
        _guard: &'g Guard,
        mut found: impl FnMut(usize, Option<&'g Entry<K, V>>),
    ) {
        let Some(table) = self.root() else {
            return (0..hashes.len()).for_each(|index| found(index, None));
        };
        for (batch, hashes) in hashes.chunks(BATCH).enumerate() {
            let mut mixed = [Hash::new(0); BATCH];
            for (slot, hash) in mixed.iter_mut().zip(hashes) {
                *slot = Hash::new(*hash);
                prefetch::read(table.address(table.bucket(*slot)));
            }
            let mixed = &mixed[..hashes.len()];
            let mut blocks: [Option<BlockRef>; BATCH] = [None; BATCH];
            for (slot, hash) in blocks.iter_mut().zip(mixed) {
                let word = Self::current(table, *hash);
                prefetch::read(word.address());
                // SAFETY: loaded in the guard's section.
                *slot = unsafe { word.block() };
            }
            for (block, hash) in blocks.iter().zip(mixed) {
                if let Some(block) = block {
                    for place in block.candidates(*hash) {
                        prefetch::read(block.entry::<K, V>(place).as_ptr());
                    }
                }
            }
            for (index, (block, hash)) in blocks.iter().zip(mixed).enumerate() {
                let index = batch * BATCH + index;
                let entry = search(*block, *hash, |key| eq(index, key));
                found(index, entry.map(|there| there.entry));
            }
        }
    }
}
