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
//! visit ends at buckets that count (see `map::current`) when their heads are loaded, one
//! for each range of hashes of the bucket. A key that is present throughout stays in its
//! slot, also when the bucket is frozen, and is seen. A key is seen twice only if it is
//! removed, and inserted again where the visit has not been; not among the slots of a
//! line, which are read while no insertion is decided.

use core::fmt;

use smr_core::sync::mutant;
use smr_core::{Guard, HAS_PREFETCH, prefetch};

use crate::raw::entry::Entry;
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
    /// Where else the bucket is, while it is followed.
    later: Vec<Later<'g>>,
    /// The hashes that the bucket was followed for: entries of others are left out.
    filter: Option<Span>,
    _entries: core::marker::PhantomData<&'g Entry<K, V>>,
}

/// A range of hashes: those whose first `bits` bits are `index`.
#[derive(Clone, Copy)]
struct Span {
    bits: u32,
    index: usize,
}

/// A bucket of a later table, what is wanted there, and the frozen bucket that stands in
/// for it if it was not filled.
#[derive(Clone, Copy)]
struct Later<'g> {
    table: &'g Table,
    bucket: usize,
    span: Span,
    frozen: Option<&'g Line>,
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

    /// Goes to the next bucket that counts; `false` if there is none.
    fn next_bucket(&mut self) -> bool {
        let Some(first) = self.table else {
            return false;
        };
        loop {
            let (table, bucket, span) = match self.later.pop() {
                Some(later) => {
                    self.filter = Some(later.span);
                    if let Some(frozen) = later.frozen {
                        if self.look(frozen).is_moved() {
                            // Filled since.
                            self.later.push(Later {
                                frozen: None,
                                ..later
                            });
                            continue;
                        }
                        return true;
                    }
                    (later.table, later.bucket, later.span)
                }
                None => {
                    if self.bucket == self.end {
                        return false;
                    }
                    self.filter = None;
                    self.bucket += 1;
                    RawMap::<K, V>::look_ahead(first, self.bucket, self.end);
                    let (bits, index) = (first.bits, self.bucket - 1);
                    (first, index, Span { bits, index })
                }
            };
            let line = table.line(bucket);
            let head = self.look(line);
            if head.is_live() {
                return true;
            }
            self.place = SLOTS;
            self.more = None;
            self.follow(table, span, head.is_frozen().then_some(line));
        }
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

    /// Notes where the hashes of a bucket are that is frozen, or has moved.
    #[cold]
    fn follow(&mut self, table: &'g Table, span: Span, frozen: Option<&'g Line>) {
        let Some(next) = table.next() else {
            unreachable!("buckets are frozen when there is a next table");
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
            // What is not filled yet is here still.
            let frozen = frozen.filter(|_| next.line(target).head().is_null());
            self.later.push(Later {
                table: next,
                bucket: target,
                span: if is_larger || mutant("map_iter_all") {
                    own
                } else {
                    span
                },
                frozen,
            });
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
            words: self.words,
            place: self.place,
            more: self.more,
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
