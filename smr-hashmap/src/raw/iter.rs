//! Iteration, also while the table is replaced.
//!
//! An iterator goes through the buckets of the table that was current when it began.
//! A bucket that has moved is followed into the table where it is now, and from there
//! on. What it wants there is a *range* of hashes: that of the bucket, and when a table
//! is larger a part of it for each bucket there. Of what is found it takes the entries
//! in the range, since a smaller table has others in the same bucket.
//!
//! # Exactly once
//!
//! A key belongs to one bucket of the first table, and each bucket is visited once. A
//! visit ends at words that count (see `map::current`) when they are loaded, one for
//! each range of hashes of the bucket; a word names an unchanging block. So a key that
//! is present throughout is in the one word that counts for it, and is seen; and no key
//! is seen twice, however the table grows and shrinks.

use core::fmt;

use smr_core::Guard;
use smr_core::sync::mutant;

use crate::raw::block::BlockRef;
use crate::raw::entry::Entry;
use crate::raw::map::RawMap;
use crate::raw::prefetch;
use crate::raw::table::Table;
use crate::tunables::AHEAD;

/// Entries of a map, in no order.
pub(crate) struct RawIter<'g, K, V> {
    /// The table when the iteration began, and the buckets left.
    table: Option<&'g Table>,
    bucket: usize,
    end: usize,
    /// Where we are.
    block: Option<BlockRef>,
    place: usize,
    /// Entries of the block.
    len: usize,
    /// Where else the bucket is, while it is followed.
    later: Vec<Later<'g>>,
    /// The hashes that the block was followed for: entries of others are left out.
    filter: Option<Span>,
    _entries: core::marker::PhantomData<&'g Entry<K, V>>,
}

/// A range of hashes: those whose first `bits` bits are `index`.
#[derive(Clone, Copy)]
struct Span {
    bits: u32,
    index: usize,
}

/// A bucket of a later table, what is wanted there, and the frozen block that stands in for it if nothing
/// was installed there.
#[derive(Clone, Copy)]
struct Later<'g> {
    table: &'g Table,
    bucket: usize,
    span: Span,
    frozen: Option<BlockRef>,
}

impl<K, V> RawMap<K, V> {
    /// All entries. Those present throughout are seen, once.
    pub(crate) fn iter<'g>(&'g self, _guard: &'g Guard) -> RawIter<'g, K, V> {
        let table = self.root();
        RawIter::of(table, 0, table.map_or(0, Table::len))
    }

    /// Fetches what whoever goes through the buckets, and is at this one, will want
    /// soon. In a section.
    #[inline(always)]
    pub(crate) fn look_ahead(table: &Table, bucket: usize, end: usize) {
        let far = bucket + 2 * AHEAD;
        if far < end {
            prefetch::read(table.load(far).address());
        }
        let near = bucket + AHEAD;
        if near < end {
            let word = table.load(near);
            // SAFETY: loaded in the caller's section.
            let block = unsafe { word.block() }.filter(|_| word.is_live());
            for place in 0..block.map_or(0, BlockRef::len) {
                if let Some(block) = block {
                    prefetch::read(block.entry::<K, V>(place).as_ptr());
                }
            }
        }
    }
}

impl<'g, K, V> RawIter<'g, K, V> {
    fn of(table: Option<&'g Table>, bucket: usize, end: usize) -> Self {
        Self {
            table,
            bucket,
            end,
            block: None,
            place: 0,
            len: 0,
            later: Vec::new(),
            filter: None,
            _entries: core::marker::PhantomData,
        }
    }

    /// Gives half of the buckets that were not begun to another iterator.
    #[cfg(feature = "rayon")]
    pub(crate) fn split(mut self) -> (Self, Option<Self>) {
        let middle = self.bucket + (self.end - self.bucket).div_ceil(2);
        if middle >= self.end || middle == self.bucket {
            return (self, None);
        }
        let rest = Self::of(self.table, middle, self.end);
        self.end = middle;
        (self, Some(rest))
    }

    /// The first block of the next word that counts and is not empty.
    fn next_block(&mut self) -> Option<BlockRef> {
        let first = self.table?;
        loop {
            let (table, bucket, span) = match self.later.pop() {
                Some(later) => {
                    self.filter = Some(later.span);
                    if later.frozen.is_some() {
                        return later.frozen;
                    }
                    (later.table, later.bucket, later.span)
                }
                None => {
                    if self.bucket == self.end {
                        return None;
                    }
                    self.filter = None;
                    self.bucket += 1;
                    RawMap::<K, V>::look_ahead(first, self.bucket, self.end);
                    let (bits, index) = (first.bits, self.bucket - 1);
                    (first, index, Span { bits, index })
                }
            };
            let word = table.load(bucket);
            // SAFETY: loaded in the section that the iterator borrows.
            let block = unsafe { word.block() };
            if !word.is_live() {
                self.follow(table, span, word.is_frozen().then_some(block));
            } else if block.is_some() {
                return block;
            }
        }
    }

    /// Notes where the hashes of a bucket are that is frozen with these entries, or has moved.
    #[cold]
    fn follow(&mut self, table: &'g Table, span: Span, frozen: Option<Option<BlockRef>>) {
        let Some(next) = table.next() else {
            unreachable!("words are frozen when there is a next table");
        };
        let is_larger = next.bits >= span.bits;
        let targets = if is_larger {
            let shift = next.bits - span.bits;
            span.index << shift..(span.index + 1) << shift
        } else {
            let target = span.index >> (span.bits - next.bits);
            target..target + 1
        };
        for target in targets {
            let own = Span {
                bits: next.bits,
                index: target,
            };
            let mut later = Later {
                table: next,
                bucket: target,
                span: if is_larger || mutant("map_iter_all") {
                    own
                } else {
                    span
                },
                frozen: None,
            };
            // What is not installed yet is here still.
            if let Some(block) = frozen
                && next.load(target).is_null()
            {
                if block.is_none() {
                    continue;
                }
                later.frozen = block;
            }
            self.later.push(later);
        }
    }
}

impl<'g, K, V> Iterator for RawIter<'g, K, V> {
    type Item = &'g Entry<K, V>;

    #[inline]
    fn next(&mut self) -> Option<&'g Entry<K, V>> {
        loop {
            let block = match self.block {
                Some(block) if self.place < self.len => block,
                other => {
                    let next = other.and_then(BlockRef::next);
                    let block = next.map_or_else(|| self.next_block(), Some)?;
                    self.block = Some(block);
                    (self.place, self.len) = (0, block.len());
                    continue;
                }
            };
            let entry = block.entry(self.place);
            self.place += 1;
            // SAFETY: in the section that the iterator borrows, as its block is.
            let entry: &Entry<K, V> = unsafe { entry.as_ref() };
            let is_wanted = |span: Span| entry.hash.bucket(span.bits) == span.index;
            if self.filter.is_none_or(is_wanted) {
                return Some(entry);
            }
        }
    }
}

impl<K, V> Clone for RawIter<'_, K, V> {
    fn clone(&self) -> Self {
        Self {
            table: self.table,
            bucket: self.bucket,
            end: self.end,
            block: self.block,
            place: self.place,
            len: self.len,
            later: self.later.clone(),
            filter: self.filter,
            _entries: core::marker::PhantomData,
        }
    }
}

impl<K, V> fmt::Debug for RawIter<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawIter")
            .field("bucket", &self.bucket)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

// SAFETY: it hands out shared references to keys and values, and only reads.
unsafe impl<K: Sync, V: Sync> Send for RawIter<'_, K, V> {}
// SAFETY: as above.
unsafe impl<K: Sync, V: Sync> Sync for RawIter<'_, K, V> {}
