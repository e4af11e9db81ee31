//! The segments of a queue: a row of slots each, which are used once, in order.
//!
//! A slot is *empty* at first. It is *settled* once, by the push that claimed it,
//! which puts the address of its value there, or by who finds it empty although it
//! was claimed, and gives it up: it is *void* then. What a settled slot holds never
//! changes again.
//!
//! ```text
//!   slots   v v v v - v . v . . .      v value, - void, . empty
//!                 ^         ^
//!               taken     claimed
//! ```
//!
//! # Invariants
//!
//! 1. `taken <= claimed`, and both only grow. (`claimed` also counts the attempts
//!    that came after the last slot.)
//! 2. Slots before `taken` are settled. Their values were popped.
//! 3. Slots from `claimed` on are empty.

use core::ptr::{self, NonNull};

use smr_core::sync::{AtomicPtr, AtomicUsize, Ordering, spin_loop};

use crate::ord;
use crate::tunables::{LOOKS, SLOTS};

/// A value of a queue, at an even address.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Parcel<T> {
    pub(crate) value: T,
    _even: [u16; 0],
}

// SAFETY: parcels wait in a scoped pool, which only those reach who have the queue:
// values are dropped on threads that the queue may be used on, and it says which
// these are.
unsafe impl<T> Send for Parcel<T> {}

impl<T> Parcel<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value, _even: [] }
    }
}

/// What is found in a slot.
pub(crate) enum Found<T> {
    Empty,
    Void,
    Value(NonNull<Parcel<T>>),
}

/// Room for one value.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Slot<T>(AtomicPtr<Parcel<T>>);

impl<T> Slot<T> {
    /// The address that says void: no parcel has an odd one.
    const VOID: *mut Parcel<T> = ptr::without_provenance_mut(1);

    #[inline(always)]
    pub(crate) fn look(&self) -> Found<T> {
        // Acquire: pairs with the Release in `settle`.
        let held = self.0.load(ord::queue_look());
        if held == Self::VOID {
            return Found::Void;
        }
        NonNull::new(held).map_or(Found::Empty, Found::Value)
    }

    #[inline(always)]
    fn settle(&self, with: *mut Parcel<T>) -> bool {
        self.0
            // Release: pairs with the Acquire in `look`. Relaxed on failure: what is
            // there is looked at again.
            .compare_exchange(
                ptr::null_mut(),
                with,
                ord::queue_settle(),
                Ordering::Relaxed,
            )
            .is_ok()
    }

    /// Puts the value there, unless the slot was given up.
    #[inline(always)]
    pub(crate) fn fill(&self, parcel: *mut Parcel<T>) -> bool {
        self.settle(parcel)
    }

    /// Settles a slot that was claimed and is empty, unless its push is about to.
    #[cold]
    pub(crate) fn give_up(&self) {
        for _ in 0..LOOKS {
            if !matches!(self.look(), Found::Empty) {
                return;
            }
            spin_loop();
        }
        self.settle(Self::VOID);
    }
}

/// Keeps what pushers write apart from what poppers write.
#[derive(Debug)]
#[repr(align(128))]
struct Apart<T>(T);

/// A row of slots, and the way on.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Segment<T> {
    pub(crate) next: AtomicPtr<Self>,
    claimed: AtomicUsize,
    taken: Apart<AtomicUsize>,
    slots: Apart<[Slot<T>; SLOTS]>,
}

// SAFETY: a segment owns no value; the queue says who may have what it leads to.
unsafe impl<T> Send for Segment<T> {}

impl<T> Segment<T> {
    /// A segment with one value.
    pub(crate) fn new(first: *mut Parcel<T>) -> Self {
        let hold = |at| if at == 0 { first } else { ptr::null_mut() };
        Self {
            next: AtomicPtr::new(ptr::null_mut()),
            claimed: AtomicUsize::new(1),
            taken: Apart(AtomicUsize::new(0)),
            slots: Apart(core::array::from_fn(|at| Slot(AtomicPtr::new(hold(at))))),
        }
    }

    #[inline(always)]
    pub(crate) fn slot(&self, at: usize) -> Option<&Slot<T>> {
        self.slots.0.get(at)
    }

    /// Claims a slot for the caller's push; `None` if none is left.
    #[inline(always)]
    pub(crate) fn claim(&self) -> Option<&Slot<T>> {
        // Relaxed: it says whose the slot is, and orders nothing. That a later look
        // at it finds as much is said at `nothing_at`.
        let at = self.claimed.fetch_add(1, Ordering::Relaxed);
        self.slot(at)
    }

    /// The first slot that may hold what was not popped.
    #[inline(always)]
    pub(crate) fn taken(&self) -> usize {
        // Acquire: pairs with the Release in `take`.
        self.taken.0.load(ord::queue_taken())
    }

    /// Pops the value of a slot, or goes past a void one. Whether it was this call.
    #[inline(always)]
    pub(crate) fn take(&self, at: usize) -> bool {
        self.taken
            .0
            // Release: pairs with the Acquire in `taken`. Relaxed on failure: it is
            // loaded again.
            .compare_exchange(at, at + 1, ord::queue_take(), Ordering::Relaxed)
            .is_ok()
    }

    /// Whether no push has claimed the slot. For who found it empty.
    ///
    /// At the load, all slots before it had been popped, if it is the one that
    /// `taken` returned: who raised `taken` had seen them claimed, and with the
    /// Acquire there this thread sees at least as much. Or they are void, which it
    /// saw with the Acquire of `look`, from one who had seen them claimed.
    #[inline(always)]
    pub(crate) fn nothing_at(&self, at: usize) -> bool {
        // Relaxed: see above.
        at >= self.claimed.load(Ordering::Relaxed)
    }

    /// Sets how many slots were taken, while nobody else has the queue.
    pub(crate) fn set_taken(&mut self, taken: usize) {
        // Relaxed: nobody else is there.
        self.taken.0.store(taken, Ordering::Relaxed);
    }

    /// Makes it look as if it were new and without a value: what is pushed there is
    /// lost, and a model has to see that.
    #[cfg(loom)]
    pub(crate) fn overwrite(&self) {
        // Relaxed: no section is left that could look.
        self.next.store(ptr::null_mut(), Ordering::Relaxed);
        self.claimed.store(0, Ordering::Relaxed);
        self.taken.0.store(0, Ordering::Relaxed);
        for slot in &self.slots.0 {
            slot.0.store(ptr::null_mut(), Ordering::Relaxed);
        }
    }
}
