//! Iteration, also while the table is replaced.
//!
//! An iterator goes through the buckets of the table that was current when it began.
//! A bucket that has moved is followed into the table where it is now, and from there
//! on. What it wants there is a *range* of hashes, that of the bucket: it looks where the
//! first of them is, takes the entries there that are in the range, since a smaller table
//! has others in the same bucket, and goes on behind what that bucket has of the range,
//! since a larger table has more in others. So it needs no memory.
//!
//! # Exactly once
//!
//! A key belongs to one bucket of the first table, and each bucket is visited once. A
//! visit ends at buckets that count (see `map::current`) when their heads are loaded, one
//! for each range of hashes of the bucket. A key that is present throughout stays in its
//! slot, also when the bucket is frozen, and is seen. A key is seen twice only if it is
//! removed, and inserted again where the visit has not been; not among the slots of a
//! line, which are read while no insertion is decided.

use core::fmt;

use smr_core::sync::mutant;
use smr_core::{Guard, HAS_PREFETCH, prefetch};

use crate::raw::entry::{Entry, Hash};
use crate::raw::line::{Head, Line, Slots};
use crate::raw::map::RawMap;
use crate::raw::table::Table;
use crate::raw::word::Word;
use crate::tunables::{AHEAD, SLOTS};

/// Entries of a map, in no order.
pub(crate) struct RawIter<'g, K, V> {
    /// The table when the iteration began, and the buckets left.
    table: Option<&'g Table>,
    bucket: usize,
    end: usize,
    /// What is in the slots where we are, where in it, and the slots that follow.
    words: [Word; SLOTS],
    place: usize,
    more: Option<&'g Slots>,
    /// The hashes of the bucket that are left, while it is followed.
    rest: Option<Range>,
    /// The hashes that the bucket was followed for: entries of others are left out.
    filter: Option<Range>,
    _entries: core::marker::PhantomData<&'g Entry<K, V>>,
}

/// Hashes from one to another, both included.
#[derive(Clone, Copy)]
struct Range {
    first: Hash,
    last: Hash,
}

impl Range {
    /// The hashes of a bucket.
    fn of(table: &Table, bucket: usize) -> Self {
        let (first, last) = Hash::range(bucket, table.bits);
        Self { first, last }
    }

    /// Those up to the last of a bucket, and those behind.
    fn split(self, table: &Table, bucket: usize) -> (Self, Option<Self>) {
        let end = Self::of(table, bucket).last.min(self.last);
        let here = Self { last: end, ..self };
        let rest = end.next().filter(|next| *next <= self.last);
        let rest = rest.map(|first| Self { first, ..self });
        (here, rest)
    }
}

impl<K, V> RawMap<K, V> {
    /// All entries. Those present throughout are seen, once.
    pub(crate) fn iter<'g>(&'g self, _guard: &'g Guard) -> RawIter<'g, K, V> {
        let table = self.root();
        RawIter::of(table, 0, table.map_or(0, Table::len))
    }

    /// The entries of some buckets of the current table: for models.
    #[cfg(all(test, loom))]
    pub(crate) fn iter_of<'g>(
        &'g self,
        buckets: core::ops::Range<usize>,
        _guard: &'g Guard,
    ) -> RawIter<'g, K, V> {
        let table = self.root();
        let end = table.map_or(0, Table::len).min(buckets.end);
        RawIter::of(table, buckets.start, end)
    }

    /// Fetches what whoever goes through the buckets, and is at this one, will want
    /// soon. In a section.
    #[inline(always)]
    pub(crate) fn look_ahead(table: &Table, bucket: usize, end: usize) {
        let far = bucket + 2 * AHEAD;
        if far < end {
            prefetch(core::ptr::from_ref(table.line(far)));
        }
        let near = bucket + AHEAD;
        if HAS_PREFETCH && near < end {
            for word in table.line(near).slots().words() {
                if let Some(entry) = word.entry::<K, V>() {
                    prefetch(entry.as_ptr());
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
            words: [Word::UNUSED; SLOTS],
            place: SLOTS,
            more: None,
            rest: None,
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

    /// Goes to the next bucket that counts; `false` if there is none.
    fn next_bucket(&mut self) -> bool {
        let Some(first) = self.table else {
            return false;
        };
        if let Some(rest) = self.rest.take() {
            self.follow(first, rest);
            return true;
        }
        if self.bucket == self.end {
            return false;
        }
        self.filter = None;
        let bucket = self.bucket;
        self.bucket += 1;
        RawMap::<K, V>::look_ahead(first, self.bucket, self.end);
        if !self.look(first.line(bucket)).is_live() {
            self.follow(first, Range::of(first, bucket));
        }
        true
    }

    /// Takes what is in a bucket.
    #[inline(always)]
    fn look(&mut self, line: &'g Line) -> Head {
        let head = line.picture(&mut self.words);
        self.place = 0;
        self.more = if head.is_moved() {
            None
        } else {
            line.slots().next()
        };
        head
    }

    /// The next word of the bucket where we are.
    #[inline(always)]
    fn word(&mut self) -> Option<Word> {
        if self.place == SLOTS {
            let slots = self.more?;
            self.words = slots.words();
            self.place = 0;
            self.more = slots.next();
        }
        let word = self.words[self.place];
        self.place += 1;
        Some(word)
    }

    /// Takes what there is of some hashes, or of the first of them, where they are now;
    /// notes the rest.
    #[cold]
    fn follow(&mut self, mut table: &'g Table, hashes: Range) {
        loop {
            let bucket = table.bucket(hashes.first);
            let head = self.look(table.line(bucket));
            if head.is_live() {
                let (here, rest) = hashes.split(table, bucket);
                (self.filter, self.rest) = (Some(here), rest);
                break;
            }
            let Some(next) = table.next() else {
                unreachable!("buckets are frozen when there is a next table");
            };
            let target = next.bucket(hashes.first);
            // What is not filled yet is here still.
            if head.is_frozen() && next.line(target).head().is_null() {
                let finer = if next.bits > table.bits {
                    (next, target)
                } else {
                    (table, bucket)
                };
                let (here, rest) = hashes.split(finer.0, finer.1);
                (self.filter, self.rest) = (Some(here), rest);
                break;
            }
            table = next;
        }
        if mutant("map_iter_all") {
            self.filter = None;
        }
    }
}

impl<'g, K, V> Iterator for RawIter<'g, K, V> {
    type Item = &'g Entry<K, V>;

    #[inline]
    fn next(&mut self) -> Option<&'g Entry<K, V>> {
        loop {
            let Some(word) = self.word() else {
                if !self.next_bucket() {
                    return None;
                }
                continue;
            };
            let Some(entry) = word.entry::<K, V>() else {
                continue;
            };
            // SAFETY: in the section that the iterator borrows; the bucket had not moved
            // when the section was open.
            let entry: &Entry<K, V> = unsafe { entry.as_ref() };
            let is_wanted = |range: Range| (range.first..=range.last).contains(&entry.hash);
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
            words: self.words,
            place: self.place,
            more: self.more,
            rest: self.rest,
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
