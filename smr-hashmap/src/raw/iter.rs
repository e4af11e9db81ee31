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
//! visit ends at buckets that count (see `RawMap::current`) when their heads are loaded, one
//! for each range of hashes of the bucket. A key that is present throughout stays in its
//! slot, also when the bucket is frozen, and is seen. A key is seen twice only if it is
//! removed, and inserted again where the visit has not been; not among the slots of a
//! line, which are read while no insertion is decided.
//!
//! Entries are taken from their slots into a ring, and handed out some dozens later: by then
//! they have come from memory, many at a time.

use core::fmt;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};

use smr_core::sync::mutant;
use smr_core::{Guard, prefetch};

use crate::raw::entry::{Entry, Hash};
use crate::raw::line::{Head, Line, Slots};
use crate::raw::map::RawMap;
use crate::raw::table::Table;
use crate::raw::word::Word;
use crate::tunables::{AHEAD, FETCHED, SLOTS};

/// Entries of a map, in no order.
pub(crate) struct RawIter<'g, K, V> {
    /// The table when the iteration began, and the buckets left.
    table: Option<&'g Table>,
    bucket: usize,
    end: usize,
    /// The slots that follow where we are.
    more: Option<&'g Slots>,
    /// The hashes of the bucket that are left, while it is followed.
    rest: Option<Range>,
    /// The hashes that the bucket was followed for: entries of others are left out.
    filter: Option<Range>,
    /// The ring: of so many entries that were seen, so many were handed out.
    seen: [MaybeUninit<Seen<K, V>>; FETCHED],
    filled: usize,
    place: usize,
    /// The place at which to look for more, and how many to have then.
    limit: usize,
    want: usize,
    /// Whether the table is so large that entries are not in the caches.
    is_far: bool,
    _entries: core::marker::PhantomData<&'g Entry<K, V>>,
}

/// An entry of the ring, once that is filled so far.
type Seen<K, V> = Option<NonNull<Entry<K, V>>>;

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
    #[inline(always)]
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
}

impl<'g, K, V> RawIter<'g, K, V> {
    #[inline(always)]
    fn of(table: Option<&'g Table>, bucket: usize, end: usize) -> Self {
        Self {
            table,
            bucket,
            end,
            more: None,
            rest: None,
            filter: None,
            seen: [const { MaybeUninit::uninit() }; FETCHED],
            filled: 0,
            place: 0,
            limit: 0,
            want: 1,
            is_far: table.is_some_and(Table::is_large),
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

    /// Looks for more entries, few at first; whether there is one. The ring is filled anew
    /// before the last of them is handed out, so that what comes then has time to arrive.
    #[inline(never)]
    fn refill(&mut self) -> bool {
        let mut filled = self.filled;
        while filled - self.place < self.want {
            let Some((slots, words)) = self.next_slots() else {
                (self.filled, self.limit) = (filled, filled);
                return self.place != filled;
            };
            filled = self.take(slots, &words, filled);
        }
        self.filled = filled;
        self.limit = filled - (filled - self.place) / 4;
        self.want = (4 * self.want).min(FETCHED - SLOTS);
        true
    }

    /// The next slots, and what is in them.
    #[inline(always)]
    fn next_slots(&mut self) -> Option<(&'g Slots, [Word; SLOTS])> {
        if let Some(slots) = self.more {
            self.more = slots.next();
            return Some((slots, slots.words()));
        }
        let first = self.table?;
        if let Some(rest) = self.rest.take() {
            return Some(self.follow(first, rest));
        }
        if self.bucket == self.end {
            return None;
        }
        self.filter = None;
        let bucket = self.bucket;
        self.bucket += 1;
        let far = bucket + 2 * AHEAD;
        if self.is_far && far < self.end {
            prefetch(ptr::from_ref(first.line(far)));
        }
        let line = first.line(bucket);
        let mut words = [Word::UNUSED; SLOTS];
        if !self.look(line, &mut words).is_live() {
            return Some(self.follow(first, Range::of(first, bucket)));
        }
        Some((line.slots(), words))
    }

    /// Takes what is in a bucket.
    #[inline(always)]
    fn look(&mut self, line: &'g Line, words: &mut [Word; SLOTS]) -> Head {
        let head = line.picture(words);
        self.more = if head.is_moved() {
            None
        } else {
            line.more(head)
        };
        head
    }

    /// Puts the entries of some slots into the ring, which is filled so far, and fetches
    /// them; how far it is filled then. No branch depends on which slots have one, for that
    /// is as good as random.
    #[inline(always)]
    fn take(&mut self, slots: &'g Slots, words: &[Word; SLOTS], mut filled: usize) -> usize {
        if self.is_far {
            // What is here already, where there is none.
            let here = ptr::from_ref(slots).cast();
            for word in words {
                Entry::fetch(word.entry_or::<K, V>(here));
            }
        }
        if let Some(range) = self.filter {
            return self.take_of(range, words, filled);
        }
        for word in words {
            self.seen[filled % FETCHED].write(word.named());
            filled += usize::from(word.is_live());
        }
        filled
    }

    /// The same, of entries with certain hashes.
    #[cold]
    fn take_of(&mut self, range: Range, words: &[Word; SLOTS], mut filled: usize) -> usize {
        for entry in words.iter().filter_map(|word| word.entry::<K, V>()) {
            // SAFETY: as in `next`.
            let hash = unsafe { Entry::hash_of(entry) };
            if (range.first..=range.last).contains(&hash) {
                self.seen[filled % FETCHED].write(Some(entry));
                filled += 1;
            }
        }
        filled
    }

    /// Takes what there is of some hashes, or of the first of them, where they are now;
    /// notes the rest.
    #[cold]
    fn follow(&mut self, mut table: &'g Table, hashes: Range) -> (&'g Slots, [Word; SLOTS]) {
        let mut words = [Word::UNUSED; SLOTS];
        let line = loop {
            let bucket = table.bucket(hashes.first);
            let line = table.line(bucket);
            let head = self.look(line, &mut words);
            if head.is_live() {
                let (here, rest) = hashes.split(table, bucket);
                (self.filter, self.rest) = (Some(here), rest);
                break line;
            }
            let next = table.next_of_frozen();
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
                break line;
            }
            table = next;
        };
        if mutant("map_iter_all") {
            self.filter = None;
        }
        (line.slots(), words)
    }
}

impl<'g, K, V> Iterator for RawIter<'g, K, V> {
    type Item = &'g Entry<K, V>;

    #[inline]
    fn next(&mut self) -> Option<&'g Entry<K, V>> {
        if self.place == self.limit && !self.refill() {
            return None;
        }
        let entry = self.seen[self.place % FETCHED];
        self.place += 1;
        // SAFETY: written when the ring was filled so far.
        let entry = unsafe { entry.assume_init() };
        // SAFETY: seen in the section that the iterator borrows, in a bucket that had not moved
        // when the section was open.
        entry.map(|entry| unsafe { entry.as_ref() })
    }
}

impl<K, V> Clone for RawIter<'_, K, V> {
    fn clone(&self) -> Self {
        Self {
            table: self.table,
            bucket: self.bucket,
            end: self.end,
            more: self.more,
            rest: self.rest,
            filter: self.filter,
            seen: self.seen,
            filled: self.filled,
            place: self.place,
            limit: self.limit,
            want: self.want,
            is_far: self.is_far,
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
