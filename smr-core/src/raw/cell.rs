//! The word of a [`SmrCell`](crate::SmrCell): who may follow it, and when.
//!
//! # Invariants
//!
//! 1. The pointer is never null: it came out of a `Box<T>`, and the value
//!    behind it is initialised before the pointer is stored.
//! 2. Whoever replaces a value retires it through the domain of the cell, once,
//!    and nothing else frees a value that was ever in the cell, except the
//!    exclusive owner of the cell.
//! 3. A value that was in the cell is never changed: shared references are all
//!    that leaves it, but for the exclusive owner.
//!
//! So a pointer that is found under a guard of that domain stays good for as
//! long as the guard does. It needs the borrow of the cell as well, because the
//! owner of the cell drops the current value without a grace period.
//!
//! # Orderings
//!
//! | operation | ordering | partner |
//! |---|---|---|
//! | load, failed exchange | Acquire | the Release half of the exchange that stored the value |
//! | swap, exchange | AcqRel | Release: the loads above. Acquire: the exchange before, whose value is retired here and dropped by whoever collects it |
//! | exclusive access | Relaxed | the borrow is exclusive, so everything happens before |
//!
//! The exchange that unlinks a value comes before its retirement in program
//! order, and retiring orders the rest against the readers.

use crate::domain::Domain;
use crate::guard::Guard;
use crate::ord;
use crate::sync::{AtomicPtr, Ordering};
use alloc::boxed::Box;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ptr;

/// A shared pointer to a value that is always there, and its domain.
pub(crate) struct RawCell<T> {
    /// First, so that the value goes before the handle of its domain.
    owner: Owner<T>,
    domain: Domain,
}

/// The word. Whoever drops it has exclusive access.
struct Owner<T> {
    pointer: AtomicPtr<T>,
    /// A raw pointer: invariant, and neither `Send` nor `Sync` on its own.
    _owns: PhantomData<*mut T>,
}

// SAFETY: it owns a `T`. Values that are retired are dropped on any thread, but
// only by methods that ask for `T: Send` themselves.
unsafe impl<T: Send> Send for Owner<T> {}
// SAFETY: threads that share it share the `T` (`Sync`), and each may replace
// it, so that it is dropped on another thread than the one it came from
// (`Send`).
unsafe impl<T: Send + Sync> Sync for Owner<T> {}

impl<T> RawCell<T> {
    pub(crate) fn new(value: Box<T>, domain: Domain) -> Self {
        let owner = Owner {
            pointer: AtomicPtr::new(Box::into_raw(value)),
            _owns: PhantomData,
        };
        Self { owner, domain }
    }

    #[inline]
    pub(crate) fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Refuses a guard that does not protect what is in this cell. That of
    /// `unprotected` is refused too: a value that was loaded under it could be
    /// retired and dropped by its own thread.
    #[inline]
    #[track_caller]
    fn check(&self, guard: &Guard) {
        assert!(
            guard.protects(&self.domain),
            "the guard does not protect this cell"
        );
    }

    #[inline]
    #[track_caller]
    pub(crate) fn load<'g>(&'g self, guard: &'g Guard) -> &'g T {
        self.check(guard);
        // Acquire: pairs with the Release of the exchange that stored it.
        let current = self.owner.pointer.load(ord::cell_load());
        // SAFETY: found under a guard of our domain, so by the invariants it
        // is live and unchanged for as long as guard and cell are borrowed.
        unsafe { &*current }
    }

    pub(crate) fn get_mut(&mut self) -> &mut T {
        let current = self.owner.current();
        // SAFETY: the value is live (invariant 1), and all references to it
        // borrow the cell, which is borrowed exclusively now.
        unsafe { &mut *current }
    }

    pub(crate) fn into_box(self) -> Box<T> {
        let mut owner = ManuallyDrop::new(self.owner);
        // SAFETY: the owner is not used again, nor dropped.
        unsafe { owner.take() }
    }
}

impl<T: Send + 'static> RawCell<T> {
    /// Stores `new` and retires the value before it, which is returned.
    #[inline]
    #[track_caller]
    pub(crate) fn swap<'g>(&'g self, new: Box<T>, guard: &'g Guard) -> &'g T {
        self.check(guard);
        // AcqRel. Release: pairs with the Acquire in `load`. Acquire: pairs
        // with the Release of the exchange that stored what is found here.
        let old = self
            .owner
            .pointer
            .swap(Box::into_raw(new), ord::cell_swap());
        // SAFETY: just unlinked, by us alone, under a guard of our domain.
        unsafe { retire(old, guard) }
    }

    /// Stores `new` if the current value is the one at the address `current`,
    /// and retires that. Answers the value that is current now, and on failure
    /// gives `new` back.
    #[inline]
    #[track_caller]
    pub(crate) fn compare_exchange<'g>(
        &'g self,
        current: &T,
        new: Box<T>,
        guard: &'g Guard,
    ) -> Result<&'g T, (&'g T, Box<T>)> {
        self.check(guard);
        let expected = ptr::from_ref(current).cast_mut();
        let new = Box::into_raw(new);
        // AcqRel and Acquire: as in `swap` and `load`.
        match self
            .owner
            .pointer
            .compare_exchange(expected, new, ord::cell_swap(), ord::cell_load())
        {
            Ok(old) => {
                // SAFETY: just unlinked, by us alone, under a guard of our
                // domain.
                unsafe { retire(old, guard) };
                // SAFETY: it came to the cell within our section, so whoever
                // retires it waits for our guard.
                Ok(unsafe { &*new })
            }
            Err(found) => {
                // SAFETY: it was not stored, so it is still ours.
                let new = unsafe { Box::from_raw(new) };
                // SAFETY: as in `load`.
                let found = unsafe { &*found };
                Err((found, new))
            }
        }
    }
}

impl<T> Owner<T> {
    /// The pointer, for who has exclusive access.
    fn current(&mut self) -> *mut T {
        // Relaxed: `&mut self`, so every other access happens before.
        self.pointer.load(Ordering::Relaxed)
    }

    /// The current value.
    ///
    /// # Safety
    ///
    /// The owner is not used again.
    unsafe fn take(&mut self) -> Box<T> {
        let current = self.current();
        // SAFETY: it came out of a box (invariant 1), it was not retired, since
        // it is still here, and nobody finds it here again.
        unsafe { Box::from_raw(current) }
    }
}

impl<T> Drop for Owner<T> {
    fn drop(&mut self) {
        // SAFETY: it is being dropped.
        drop(unsafe { self.take() });
    }
}

/// Retires a value that the cell held, and hands out a last reference to it.
///
/// # Safety
///
/// `old` was just unlinked from the cell by the caller alone, under `guard`,
/// which is one of the domain of the cell.
unsafe fn retire<T: Send + 'static>(old: *mut T, guard: &Guard) -> &T {
    // SAFETY: no reader that enters from now on finds it, it is retired once,
    // it came out of a box, and `T` may be dropped later and on any thread.
    unsafe { guard.retire_raw(old, size_of::<T>(), reclaim::<T>) };
    // SAFETY: it was live within our section, so its grace period outlasts the
    // guard; and nobody changes it.
    unsafe { &*old }
}

/// Drops a value whose grace period is over.
///
/// # Safety
///
/// `value` came out of a `Box<T>` and is not used again.
unsafe fn reclaim<T>(value: *mut T) {
    // SAFETY: the caller's contract.
    drop(unsafe { Box::from_raw(value) });
}
