//! Where retired things wait: one open bucket, sealed ones in order, one ready.
//!
//! ```text
//!   push -> [open] --seal(goal)--> [sealed] -> [sealed] --expire(rd)--> [ready] -> pop
//! ```
//!
//! Only the open bucket is written, only the head's tag is looked at. A bucket
//! is sealed by its number of entries *or* by the bytes they stand for. The
//! limit starts small and doubles with demand, so that a hundred thousand idle
//! pools cost little.
//!
//! `Bins` is plain data: its owner keeps it behind a latch (a participant's) or
//! a lock (the depot's).

use core::hint::cold_path;

use crate::raw::bucket::{Bucket, Fifo};
use crate::tunables::{
    FEW_POLL_ITEMS, FINE_POLL_ITEMS, FIRST_BUCKET_ITEMS, MAX_BUCKET_BYTES, MAX_BUCKET_ITEMS,
    MIN_POLL_ITEMS,
};

pub(crate) struct Bins<E> {
    open: Option<Bucket<E>>,
    sealed: Fifo<E>,
    ready: Option<Bucket<E>>,
    /// Wraps, as all sums of bytes do: what callers state may be anything.
    sealed_bytes: usize,
    sealed_items: u32,
    /// Backlog at which the owner polls next, if that is above one step.
    poll_at: u32,
    /// Entries of the next bucket: few at first, twice as many each time ...
    limit: u32,
    /// ... up to this.
    most: u32,
}

impl<E> Default for Bins<E> {
    fn default() -> Self {
        Self {
            open: None,
            sealed: Fifo::default(),
            ready: None,
            sealed_bytes: 0,
            sealed_items: 0,
            poll_at: 0,
            limit: FIRST_BUCKET_ITEMS,
            most: most_entries(FEW_POLL_ITEMS),
        }
    }
}

/// Entries of a bucket at the most, where a poll is made for so many.
const fn most_entries(step: usize) -> u32 {
    if step < FINE_POLL_ITEMS {
        let fourth = if step < 4 { 1 } else { step / 4 };
        1 << fourth.ilog2()
    } else {
        MAX_BUCKET_ITEMS
    }
}

/// How much is in there.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) items: usize,
    pub(crate) bytes: usize,
}

impl core::ops::AddAssign for Held {
    fn add_assign(&mut self, other: Self) {
        self.items += other.items;
        self.bytes = self.bytes.wrapping_add(other.bytes);
    }
}

impl Held {
    /// Bytes an item, on the average.
    pub(crate) fn mean(self) -> usize {
        self.bytes / self.items.max(1)
    }
}

impl<E> Bins<E> {
    /// Adds an entry that stands for `bytes`, and seals the bucket if it is full
    /// then, with the goal that `advance` returns. Returns whether it did. `room` makes
    /// a bucket where none is open, with room for so many entries or for fewer, but for
    /// one.
    ///
    /// The entry must be unlinked already: `advance` comes after.
    #[inline(always)]
    pub(crate) fn push(
        &mut self,
        entry: E,
        bytes: usize,
        room: impl FnOnce(u32) -> Bucket<E>,
        advance: impl FnOnce() -> u64,
    ) -> bool {
        let within = match &mut self.open {
            Some(open) => open.push_within(entry, bytes, MAX_BUCKET_BYTES),
            None => Err(entry),
        };
        match within {
            Ok(()) => false,
            Err(entry) => {
                cold_path();
                self.push_first_or_last(entry, bytes, room, advance)
            }
        }
    }

    /// Where no bucket is open, or one that may be full then.
    #[inline(never)]
    fn push_first_or_last(
        &mut self,
        entry: E,
        bytes: usize,
        room: impl FnOnce(u32) -> Bucket<E>,
        advance: impl FnOnce() -> u64,
    ) -> bool {
        // An open bucket has room for one more.
        let open = self.open.get_or_insert_with(|| room(self.limit));
        if open.push(entry, bytes) & (open.bytes() < MAX_BUCKET_BYTES) {
            return false;
        }
        // Not where the bytes filled it: then fewer entries do. It may have been
        // larger than the limit, if it came from another's bins.
        let items = self.open.as_ref().map_or(0, Bucket::len);
        if items >= self.limit {
            self.limit = (items * 2).min(self.most);
        }
        self.seal(advance());
        true
    }

    /// Tags the open bucket, if it holds anything, and queues it.
    pub(crate) fn seal(&mut self, goal: u64) {
        match self.open.take() {
            Some(bucket) if bucket.len() == 0 => self.open = Some(bucket),
            Some(mut bucket) => {
                bucket.set_goal(goal);
                self.enqueue(bucket);
            }
            None => {}
        }
    }

    /// Queues a bucket that has its tag already.
    pub(crate) fn enqueue(&mut self, bucket: Bucket<E>) {
        self.sealed_items += bucket.len();
        self.sealed_bytes = self.sealed_bytes.wrapping_add(bucket.bytes());
        self.sealed.push_back(bucket);
    }

    /// Makes the oldest sealed bucket the ready one, if `rd` has reached its
    /// goal and the ready one is used up. Returns what goes off the accounts.
    #[inline]
    pub(crate) fn expire(&mut self, rd: u64) -> Option<Held> {
        if self.ready_items() != 0 {
            return None;
        }
        let bucket = self.take_expired(rd)?;
        let expired = bucket.on_account();
        self.make_ready(bucket);
        Some(expired)
    }

    /// Takes what has expired off the accounts, and leaves it where it is.
    pub(crate) fn write_off(&mut self, rd: u64) -> Held {
        let mut expired = Held::default();
        let bytes = &mut self.sealed_bytes;
        self.sealed.for_each_mut(|bucket| {
            if bucket.goal() <= rd {
                expired += bucket.on_account();
                *bytes = bytes.wrapping_sub(bucket.bytes());
                bucket.reset();
            }
        });
        expired
    }

    /// Whether a sealed bucket is on the accounts.
    pub(crate) fn owes(&self) -> bool {
        let mut owes = false;
        self.sealed.for_each(|bucket| owes |= bucket.goal() != 0);
        owes
    }

    /// Puts an expired bucket where entries are taken from. There must be none.
    fn make_ready(&mut self, bucket: Bucket<E>) {
        debug_assert_eq!(self.ready_items(), 0, "two ready buckets");
        if let Some(used_up) = self.ready.replace(bucket) {
            self.reuse(used_up);
        }
    }

    /// Takes an empty bucket as the next open one, if it is of use.
    pub(crate) fn reuse(&mut self, mut used_up: Bucket<E>) {
        let is_empty = used_up.len() == 0;
        debug_assert!(is_empty, "the bucket is in use");
        let fits = self.limit..=self.limit.saturating_mul(2);
        if is_empty && self.open.is_none() && fits.contains(&used_up.capacity()) {
            used_up.reset();
            self.open = Some(used_up);
        }
    }

    /// Takes the oldest sealed bucket if `rd` has reached its goal.
    #[inline]
    pub(crate) fn take_expired(&mut self, rd: u64) -> Option<Bucket<E>> {
        if self.sealed.front()?.goal() > rd {
            return None;
        }
        self.take_sealed()
    }

    /// Takes the oldest sealed bucket, expired or not.
    pub(crate) fn take_sealed(&mut self) -> Option<Bucket<E>> {
        let bucket = self.sealed.pop_front()?;
        self.sealed_items -= bucket.len();
        self.sealed_bytes = self.sealed_bytes.wrapping_sub(bucket.bytes());
        Some(bucket)
    }

    /// Takes one entry whose goal has been reached.
    #[inline(always)]
    pub(crate) fn pop_ready(&mut self) -> Option<E> {
        self.ready.as_mut()?.pop()
    }

    /// The tag that the next expiry waits for.
    pub(crate) fn next_goal(&self) -> Option<u64> {
        self.sealed.front().map(Bucket::goal)
    }

    /// Whether anything is ready, or would be now that `rd` is reached.
    #[inline]
    pub(crate) fn holds_expired(&self, rd: u64) -> bool {
        self.ready_items() != 0 || self.next_goal().is_some_and(|goal| goal <= rd)
    }

    /// Sealed entries that were not found expired yet.
    pub(crate) fn backlog(&self) -> Held {
        Held {
            items: self.sealed_items as usize,
            bytes: self.sealed_bytes,
        }
    }

    /// Entries that are not ready yet, sealed or not.
    pub(crate) fn retired(&self) -> Held {
        let open = self.open.as_ref();
        Held {
            items: self.sealed_items as usize + open.map_or(0, |b| b.len() as usize),
            bytes: self
                .sealed_bytes
                .wrapping_add(open.map_or(0, Bucket::bytes)),
        }
    }

    /// Entries that are ready.
    pub(crate) fn ready_items(&self) -> usize {
        self.ready.as_ref().map_or(0, |b| b.len() as usize)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sealed.is_empty()
            && self.ready_items() == 0
            && self.open.as_ref().is_none_or(|b| b.len() == 0)
    }

    /// Takes the ready bucket, if anything is in it.
    pub(crate) fn take_ready_bucket(&mut self) -> Option<Bucket<E>> {
        if self.ready_items() == 0 {
            None
        } else {
            self.ready.take()
        }
    }

    /// Takes everything out. What is open comes along, and has no goal yet.
    pub(crate) fn take_all(&mut self) -> Self {
        let emptied = Self {
            limit: self.limit,
            most: self.most,
            ..Self::default()
        };
        core::mem::replace(self, emptied)
    }

    /// Takes over all that another holds and that is not open.
    pub(crate) fn absorb(&mut self, mut other: Self) {
        if let Some(mut ready) = other.take_ready_bucket() {
            // Its goal was reached before, and what it stood for was taken off
            // the accounts then.
            ready.reset();
            self.enqueue_first(ready);
        }
        while let Some(bucket) = other.take_sealed() {
            self.enqueue(bucket);
        }
    }

    fn enqueue_first(&mut self, bucket: Bucket<E>) {
        self.sealed_items += bucket.len();
        self.sealed_bytes = self.sealed_bytes.wrapping_add(bucket.bytes());
        self.sealed.push_front(bucket);
    }

    /// Whether so much waits that a poll is worth its barrier. `step` is the
    /// amount that makes it so; after a poll that failed, as much again must
    /// have come, or half of what waited if that is more and not much.
    #[inline]
    pub(crate) fn is_due(&self, step: usize) -> bool {
        self.sealed_items as usize >= step.max(self.poll_at as usize)
    }

    /// Makes buckets as fine as polls are to be frequent, that is for so many.
    #[inline]
    pub(crate) fn fit(&mut self, step: usize) {
        self.most = most_entries(step);
        self.limit = self.limit.min(self.most);
    }

    /// Notes how a poll ended that was made for so many.
    pub(crate) fn polled(&mut self, expired: bool, step: usize) {
        self.poll_at = if expired {
            0
        } else {
            // A reader that stalls is not looked for again and again where few items make
            // a poll.
            let half = (self.sealed_items as usize / 2).min(2 * MIN_POLL_ITEMS);
            self.sealed_items.saturating_add(step.max(half) as u32)
        };
    }
}
