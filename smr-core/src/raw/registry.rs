//! The registry: every slot of a domain, in segments that never move.
//!
//! Segment *k* holds `FIRST_SEGMENT << k` slots. Segments are appended and
//! freed with the domain, so a scan walks them without any protection of its
//! own. Released slots go to a list and are reused, last in first out: the
//! caches of a slot pass to its next owner.
//!
//! A scan loads `used` *after* its heavy barrier. A slot that is not counted
//! yet is then the second case of the barrier: its reader's loads come after,
//! because `used` was raised before the reader published.
//!
//! # Orderings
//!
//! `free` is taken with Acquire and given with Release (`ord::slot_claim`,
//! `ord::slot_release`), which orders everything in a slot between its owners:
//! `notice`, `claimed` and `next_free` are Relaxed, and `claimed` is a mere hint to
//! others. A look at `free` before the exchange is Relaxed, the exchange confirms
//! it. `used` is raised with AcqRel after the segment it counts in was published,
//! and read with Acquire. `segments` are read Relaxed where the registry is dropped.

use core::alloc::Layout;
use core::ptr;

use alloc::alloc::{alloc, dealloc};

use crate::ord;
use crate::raw::inner::Inner;
use crate::raw::participant::{Owner, Participant};
use crate::sync::{AtomicPtr, AtomicU32, AtomicU64, Ordering, mutant};
use crate::tunables::{FIRST_SEGMENT, SEGMENTS};

pub(crate) struct Registry {
    segments: [AtomicPtr<Participant>; SEGMENTS],
    /// Slots that were ever used; they are the first ones.
    used: AtomicU32,
    /// Head of the list of released slots: index + 1 in the low half, a count
    /// of changes in the high half (against ABA).
    free: AtomicU64,
    max: u32,
}

/// Why no slot was to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    Limit,
    Memory,
}

fn place(index: u32) -> (usize, usize) {
    // Segment k starts at FIRST * (2^k - 1).
    let scaled = index / FIRST_SEGMENT + 1;
    let segment = scaled.ilog2();
    let start = FIRST_SEGMENT * ((1 << segment) - 1);
    (segment as usize, (index - start) as usize)
}

fn segment_len(segment: usize) -> usize {
    (FIRST_SEGMENT as usize) << segment
}

fn segment_layout(segment: usize) -> Layout {
    Layout::array::<Participant>(segment_len(segment)).expect("segments are bounded")
}

impl Registry {
    /// The most slots that the segments can hold.
    pub(crate) const CAPACITY: u32 = FIRST_SEGMENT * ((1 << SEGMENTS) - 1);

    pub(crate) fn new(max: u32) -> Self {
        Self {
            segments: core::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
            used: AtomicU32::new(0),
            free: AtomicU64::new(0),
            max: max.min(Self::CAPACITY),
        }
    }

    /// Takes a slot, from the released ones if there are any.
    pub(crate) fn claim(&self, domain: &Inner, owner: Owner) -> Result<&Participant, Full> {
        let slot = match self.pop_free() {
            Some(slot) => slot,
            None => self.append(domain)?,
        };
        slot.take_over(owner);
        slot.claimed.store(1, Ordering::Relaxed);
        Ok(slot)
    }

    /// Gives a slot back. Its section has ended and its bins are empty.
    pub(crate) fn release(&self, slot: &Participant) {
        debug_assert!(!slot.is_active(), "a slot in a section is released");
        // Relaxed: as `forget_garbage`.
        slot.notice.store(0, Ordering::Relaxed);
        slot.claimed.store(0, Ordering::Relaxed);
        let mut head = self.free.load(Ordering::Relaxed);
        loop {
            slot.next_free.store(head as u32, Ordering::Relaxed);
            let new = next_tag(head) | u64::from(slot.index + 1);
            // Release: pairs with the Acquire in `pop_free`; the next owner
            // sees the slot as we leave it.
            match self
                .free
                .compare_exchange_weak(head, new, ord::slot_release(), Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    fn pop_free(&self) -> Option<&Participant> {
        // Acquire: pairs with the Release in `release`.
        let mut head = self.free.load(ord::slot_claim());
        loop {
            let index = (head as u32).checked_sub(1)?;
            let slot = self.slot(index);
            let next = slot.next_free.load(Ordering::Relaxed);
            let new = next_tag(head) | u64::from(next);
            match self
                .free
                .compare_exchange_weak(head, new, ord::slot_claim(), ord::slot_claim())
            {
                Ok(_) => return Some(slot),
                Err(now) => head = now,
            }
        }
    }

    #[cold]
    fn append(&self, domain: &Inner) -> Result<&Participant, Full> {
        let mut used = self.used.load(ord::used_load());
        loop {
            if used >= self.max {
                return Err(Full::Limit);
            }
            self.ensure_segment(place(used).0, domain)?;
            // AcqRel: whoever sees the count sees the segment, and a scan that
            // does not see it finds this reader behind its barrier.
            match self.used.compare_exchange_weak(
                used,
                used + 1,
                ord::used_raise(),
                ord::used_load(),
            ) {
                Ok(_) => return Ok(self.slot(used)),
                Err(now) => used = now,
            }
        }
    }

    fn ensure_segment(&self, segment: usize, domain: &Inner) -> Result<(), Full> {
        let place = &self.segments[segment];
        if !place.load(ord::segment_load()).is_null() {
            return Ok(());
        }
        let layout = segment_layout(segment);
        // SAFETY: a segment has at least one slot, so the layout is not empty.
        let first = unsafe { alloc(layout) }.cast::<Participant>();
        if first.is_null() {
            return Err(Full::Memory);
        }
        let start = FIRST_SEGMENT * ((1 << segment) - 1);
        for offset in 0..segment_len(segment) {
            let at = first.wrapping_add(offset);
            // SAFETY: inside the allocation, which nobody else knows yet.
            unsafe { at.write(Participant::new(start + offset as u32, domain)) };
        }
        // Release: pairs with the Acquire in `slot`.
        if place
            .compare_exchange(
                ptr::null_mut(),
                first,
                ord::segment_publish(),
                // Relaxed: `slot` looks up what the other one published.
                Ordering::Relaxed,
            )
            .is_err()
        {
            // SAFETY: ours, filled above, and never published.
            unsafe { free_segment(first, segment) };
        }
        Ok(())
    }

    fn slot(&self, index: u32) -> &Participant {
        let (segment, offset) = place(index);
        // Acquire: pairs with the Release in `ensure_segment`.
        let first = self.segments[segment].load(ord::segment_load());
        if cfg!(any(loom, debug_assertions)) {
            // A model fails here, and does not end the process below.
            assert!(!first.is_null(), "its segment is not there");
        }
        // SAFETY: only indices below `used` are looked up, and `used` is raised
        // after the segment was published; slots live as long as the registry.
        unsafe { &*first.wrapping_add(offset) }
    }

    /// Whether anyone owns the slot `index`, which was used before.
    pub(crate) fn is_claimed(&self, index: u32) -> bool {
        self.slot(index).claimed.load(Ordering::Relaxed) != 0
    }

    /// Whether the owner of the slot `index` can still run.
    pub(crate) fn is_of_this_process(&self, index: u32) -> bool {
        self.slot(index).is_of_this_process()
    }

    /// See [`Participant::ask`].
    pub(crate) fn ask(&self, index: u32) {
        self.slot(index).ask();
    }

    /// See [`Recent::forget`](crate::raw::recent::Recent::forget).
    pub(crate) fn forget_pool(&self, index: u32, pool: usize) {
        self.slot(index).recent.forget(pool);
    }

    /// Every slot that was ever used.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Participant> {
        // Acquire: pairs with the AcqRel in `append`.
        (0..self.used.load(ord::used_load())).map(|index| self.slot(index))
    }

    pub(crate) fn max(&self) -> u32 {
        self.max
    }
}

fn next_tag(head: u64) -> u64 {
    let step = u64::from(!mutant("free_list_no_tag"));
    ((head >> 32) + step) << 32
}

/// # Safety
///
/// `first` is a filled segment that nobody uses any more.
unsafe fn free_segment(first: *mut Participant, segment: usize) {
    for offset in 0..segment_len(segment) {
        // SAFETY: the segment is filled, and each slot is dropped once.
        unsafe { first.wrapping_add(offset).drop_in_place() };
    }
    // SAFETY: allocated in `ensure_segment` with this layout.
    unsafe { dealloc(first.cast(), segment_layout(segment)) };
}

impl Drop for Registry {
    fn drop(&mut self) {
        for segment in 0..SEGMENTS {
            let first = self.segments[segment].load(Ordering::Relaxed);
            if !first.is_null() {
                // SAFETY: the domain is going, so nobody holds a slot.
                unsafe { free_segment(first, segment) };
            }
        }
    }
}
