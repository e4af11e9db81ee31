//! A queue of segments, which are linked as the nodes of Michael and Scott's queue
//! are ("Simple, Fast, and Practical Non-Blocking and Blocking Concurrent Queue
//! Algorithms", 1996). Within a segment pushes claim slots by counting, as in the
//! queues of Morrison and Afek ("Fast Concurrent Queues for x86 Processors", 2013)
//! and of Yang and Mellor-Crummey (2016); pops never claim: they exchange a count,
//! so a slot is popped when it is known to hold something.
//!
//! The head leads to the first segment that is not popped empty, or to the one
//! before; the tail to the last or, between the two steps of a push, to the one
//! before. Both lead nowhere until the first push.
//!
//! # Invariants
//!
//! 1. The tail never leads to a segment before the head: a pop moves the tail on
//!    before it moves the head past it. So who follows the tail finds a segment that
//!    was not retired before its section began.
//! 2. A value is popped only when the head has come to its segment, and retired
//!    then. So what a section finds in slots from `taken` on, or in a segment behind
//!    the one that it came to through the head, was not retired before it began.
//! 3. Slots are settled once, and a segment that a section can still reach is not
//!    used again: no ABA.
//!
//! # Linearization
//!
//! The values in the queue are, at each instant, those whose push has claimed a slot
//! from `taken` on which it will fill. Nobody can tell a claimed slot from a filled
//! one: who comes to a claimed slot and finds it empty settles it before it looks
//! further, and then its push claims another.
//!
//! Push: the claim of the slot that it fills, or the exchange of the last segment's
//! link. Pop: the exchange of `taken`; one that finds nothing: its load of `claimed`,
//! or of the last segment's link. Peek: its load of the slot; if that was popped by
//! then, just before the pop. (`Segment::nothing_at` says why a count that is loaded
//! is not too old.)
//!
//! # Progress
//!
//! Lock-free. A push begins anew when its slot was given up. Who gave it up has found
//! nothing then and is done, or finds another push's claim. A segment has a bounded
//! number of slots, and the push that links the next one has its value in it.
//!
//! # Orderings
//!
//! Looking is Acquire, settling and each exchange Release: see `ord.rs`.

use core::marker::PhantomData;
use core::ptr::{self, NonNull};

use crossbeam_utils::Backoff;
use smr_core::Guard;
use smr_core::sync::{AtomicPtr, Ordering, mutant};

use super::node::{Fresh, Memory};
use super::segment::{Found, Parcel, Segment};
use crate::ord;

#[derive(Debug)]
pub(crate) struct RawQueue<T, S: Memory<Segment<T>>, V: Memory<Parcel<T>>> {
    head: AtomicPtr<Segment<T>>,
    tail: AtomicPtr<Segment<T>>,
    pub(crate) segments: S,
    pub(crate) values: V,
    _values: PhantomData<*mut T>,
}

// SAFETY: who owns the queue owns its values.
unsafe impl<T: Send, S, V> Send for RawQueue<T, S, V>
where
    S: Memory<Segment<T>> + Send,
    V: Memory<Parcel<T>> + Send,
{
}
// SAFETY: the queue hands out `&T` on each thread, and drops values on each.
unsafe impl<T: Send + Sync, S, V> Sync for RawQueue<T, S, V>
where
    S: Memory<Segment<T>> + Sync,
    V: Memory<Parcel<T>> + Sync,
{
}

/// Where an iteration stands: before a slot.
pub(crate) struct Place<'g, T> {
    segment: &'g Segment<T>,
    at: usize,
}

impl<T> Clone for Place<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Place<'_, T> {}

/// Follows a link between segments.
#[inline(always)]
fn walk<T>(link: &AtomicPtr<Segment<T>>) -> *mut Segment<T> {
    // Acquire: pairs with the Release of every exchange of a link.
    link.load(ord::link_walk())
}

/// Exchanges a link; on failure what it held.
fn exchange<T>(
    link: &AtomicPtr<Segment<T>>,
    from: *mut Segment<T>,
    to: *mut Segment<T>,
    order: Ordering,
) -> Result<(), *mut Segment<T>> {
    // Acquire on failure: pairs with the Release of the exchange that came first.
    link.compare_exchange(from, to, order, ord::link_walk())
        .map(|_| ())
}

impl<T, S: Memory<Segment<T>>, V: Memory<Parcel<T>>> RawQueue<T, S, V> {
    const_unless_modelled! {
        pub(crate) fn new(segments: S, values: V) -> Self {
            Self {
                head: AtomicPtr::new(ptr::null_mut()),
                tail: AtomicPtr::new(ptr::null_mut()),
                segments,
                values,
                _values: PhantomData,
            }
        }
    }

    #[inline(always)]
    pub(crate) fn push(&self, guard: &Guard, value: T) {
        let parcel = Fresh::new(&self.values, guard, Parcel::new(value));
        let tail = walk(&self.tail);
        // SAFETY: by invariant 1 it was not retired before this section.
        if let Some(segment) = unsafe { tail.as_ref() }
            && let Some(slot) = segment.claim()
            && slot.fill(parcel.as_ptr())
        {
            parcel.publish();
            return;
        }
        self.push_slow(guard, parcel);
    }

    /// Where there is no segment, the last one is full, or a slot was given up.
    #[cold]
    #[inline(never)]
    fn push_slow(&self, guard: &Guard, parcel: Fresh<'_, Parcel<T>, V>) {
        loop {
            let tail = walk(&self.tail);
            // SAFETY: by invariant 1 it was not retired before this section.
            let done = match unsafe { tail.as_ref() } {
                None => self.begin(guard, parcel.as_ptr()),
                Some(segment) => match segment.claim() {
                    Some(slot) => slot.fill(parcel.as_ptr()),
                    None => self.extend(guard, tail, segment, parcel.as_ptr()),
                },
            };
            if done {
                parcel.publish();
                return;
            }
        }
    }

    /// Links the first segment, with a value, if there was none. Sees to the tail.
    #[cold]
    fn begin(&self, guard: &Guard, first: *mut Parcel<T>) -> bool {
        let fresh = Fresh::new(&self.segments, guard, Segment::new(first));
        let new = fresh.as_ptr();
        // Release: pairs with the Acquire in `walk`.
        match exchange(&self.head, ptr::null_mut(), new, ord::link_publish()) {
            Ok(()) => {
                fresh.publish();
                self.help(ptr::null_mut(), new);
                true
            }
            Err(first) => {
                // Nobody goes past the first segment before the tail leads there: as
                // long as this exchange can succeed, `first` is the first.
                self.help(ptr::null_mut(), first);
                false
            }
        }
    }

    /// Links a segment with a value behind a full one, unless another did. Sees to the
    /// tail.
    #[cold]
    fn extend(
        &self,
        guard: &Guard,
        tail: *mut Segment<T>,
        segment: &Segment<T>,
        first: *mut Parcel<T>,
    ) -> bool {
        let next = walk(&segment.next);
        if !next.is_null() {
            self.help(tail, next);
            return false;
        }
        let fresh = Fresh::new(&self.segments, guard, Segment::new(first));
        let new = fresh.as_ptr();
        // Release: pairs with the Acquire in `walk`.
        let linked = exchange(&segment.next, ptr::null_mut(), new, ord::link_publish());
        if linked.is_ok() {
            fresh.publish();
            self.help(tail, new);
        }
        linked.is_ok()
    }

    /// Moves the tail on, unless another did.
    fn help(&self, tail: *mut Segment<T>, next: *mut Segment<T>) {
        // Release: pairs with the Acquire in `walk`.
        let _ = exchange(&self.tail, tail, next, ord::queue_tail());
    }

    #[inline(always)]
    pub(crate) fn pop<'g>(&'g self, guard: &'g Guard) -> Option<&'g T> {
        // SAFETY: it was linked in this section, which lasts for `'g`.
        let segment = unsafe { walk(&self.head).as_ref::<'g>() }?;
        let at = segment.taken();
        if let Some(slot) = segment.slot(at)
            && let Found::Value(parcel) = slot.look()
            && segment.take(at)
        {
            // SAFETY: unlinked by us just now.
            return Some(unsafe { self.hand_out(guard, parcel) });
        }
        self.pop_slow(guard)
    }

    /// Takes a value off our hands, and shows it.
    ///
    /// # Safety
    ///
    /// The caller popped it.
    #[inline(always)]
    unsafe fn hand_out<'g>(&'g self, guard: &'g Guard, parcel: NonNull<Parcel<T>>) -> &'g T {
        // SAFETY: the caller's promise.
        unsafe { self.values.retire(guard, parcel) };
        // SAFETY: invariant 2, and the guard lives for `'g`.
        let parcel = unsafe { parcel.as_ref() };
        &parcel.value
    }

    /// Where the first segment is used up, or its first slot is not filled, or another was
    /// faster.
    #[cold]
    #[inline(never)]
    fn pop_slow<'g>(&'g self, guard: &'g Guard) -> Option<&'g T> {
        let backoff = Backoff::new();
        loop {
            let head = walk(&self.head);
            // SAFETY: it was linked in this section, which lasts for `'g`.
            let segment = unsafe { head.as_ref::<'g>() }?;
            let at = segment.taken();
            let Some(slot) = segment.slot(at) else {
                self.leave(guard, head, segment)?;
                continue;
            };
            match slot.look() {
                Found::Value(parcel) => {
                    if segment.take(at) {
                        // SAFETY: unlinked by us just now.
                        return Some(unsafe { self.hand_out(guard, parcel) });
                    }
                    backoff.spin();
                }
                Found::Void => {
                    segment.take(at);
                }
                Found::Empty if segment.nothing_at(at) => return None,
                Found::Empty => slot.give_up(),
            }
        }
    }

    /// Moves the head past a segment that was popped empty, unless another did.
    /// `None` if there is no further one.
    #[cold]
    fn leave(&self, guard: &Guard, head: *mut Segment<T>, segment: &Segment<T>) -> Option<()> {
        let next = NonNull::new(walk(&segment.next))?.as_ptr();
        if walk(&self.tail) == head && !mutant("queue_tail_left") {
            self.help(head, next);
        }
        // Release: pairs with the Acquire in `walk`.
        if exchange(&self.head, head, next, ord::queue_head()).is_ok() {
            // SAFETY: unlinked by us just now.
            unsafe { self.segments.retire(guard, NonNull::from(segment)) };
        }
        Some(())
    }

    /// The first value.
    pub(crate) fn peek<'g>(&'g self, _guard: &'g Guard) -> Option<&'g T> {
        // SAFETY: it was linked in this section, which lasts for `'g`.
        let mut segment = unsafe { walk(&self.head).as_ref::<'g>() }?;
        let mut at = segment.taken();
        loop {
            let Some(slot) = segment.slot(at) else {
                // SAFETY: linked behind one that was linked in this section.
                segment = unsafe { walk(&segment.next).as_ref::<'g>() }?;
                at = segment.taken();
                continue;
            };
            match slot.look() {
                Found::Value(parcel) => {
                    // SAFETY: invariant 2.
                    let parcel = unsafe { parcel.as_ref() };
                    return Some(&parcel.value);
                }
                Found::Void => at += 1,
                Found::Empty if segment.nothing_at(at) => return None,
                Found::Empty if mutant("peek_past_claim") => at += 1,
                Found::Empty => slot.give_up(),
            }
        }
    }

    /// The next value of an iteration that begins at the first.
    pub(crate) fn step<'g>(
        &'g self,
        place: &mut Option<Place<'g, T>>,
        _guard: &'g Guard,
    ) -> Option<&'g T> {
        if place.is_none() {
            // SAFETY: it was linked in this section, which lasts for `'g`.
            let segment = unsafe { walk(&self.head).as_ref::<'g>() }?;
            let at = segment.taken();
            *place = Some(Place { segment, at });
        }
        let place = place.as_mut()?;
        loop {
            let Some(slot) = place.segment.slot(place.at) else {
                // SAFETY: linked behind one that was linked in this section.
                place.segment = unsafe { walk(&place.segment.next).as_ref::<'g>() }?;
                place.at = 0;
                continue;
            };
            let found = slot.look();
            if matches!(found, Found::Empty) && place.segment.nothing_at(place.at) {
                return None;
            }
            place.at += 1;
            if let Found::Value(parcel) = found {
                // SAFETY: invariant 2.
                let parcel = unsafe { parcel.as_ref() };
                return Some(&parcel.value);
            }
        }
    }

    /// Takes the first value out.
    pub(crate) fn pop_mut(&mut self) -> Option<T> {
        loop {
            let mut head = NonNull::new(walk(&self.head))?;
            // SAFETY: exclusive.
            let segment = unsafe { head.as_mut() };
            let at = segment.taken();
            let Some(slot) = segment.slot(at) else {
                let next = NonNull::new(walk(&segment.next))?.as_ptr();
                self.help(head.as_ptr(), next);
                // Relaxed: nobody else is there.
                self.head.store(next, Ordering::Relaxed);
                // SAFETY: exclusive, and no longer linked.
                let _: Segment<T> = unsafe { self.segments.take(head) };
                continue;
            };
            let found = slot.look();
            if matches!(found, Found::Empty) && segment.nothing_at(at) {
                return None;
            }
            segment.set_taken(at + 1);
            if let Found::Value(parcel) = found {
                // SAFETY: exclusive, and not popped before.
                return Some(unsafe { self.values.take(parcel) }.value);
            }
        }
    }

    /// Where the tail leads to.
    #[cfg(loom)]
    pub(crate) fn tail(&self) -> Option<NonNull<Segment<T>>> {
        NonNull::new(walk(&self.tail))
    }
}

impl<T, S: Memory<Segment<T>>, V: Memory<Parcel<T>>> Drop for RawQueue<T, S, V> {
    fn drop(&mut self) {
        /// The values that are left, whatever panics; then the last segment.
        struct Rest<'q, T, S: Memory<Segment<T>>, V: Memory<Parcel<T>>>(&'q mut RawQueue<T, S, V>);
        impl<T, S: Memory<Segment<T>>, V: Memory<Parcel<T>>> Rest<'_, T, S, V> {
            fn step(&mut self) {
                while self.0.pop_mut().is_some() {}
            }
        }
        impl<T, S: Memory<Segment<T>>, V: Memory<Parcel<T>>> Drop for Rest<'_, T, S, V> {
            fn drop(&mut self) {
                self.step();
                if let Some(last) = NonNull::new(walk(&self.0.head)) {
                    // SAFETY: exclusive; nothing is in it.
                    let _: Segment<T> = unsafe { self.0.segments.take(last) };
                }
            }
        }
        Rest(self).step();
    }
}
