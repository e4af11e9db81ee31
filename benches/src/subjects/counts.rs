//! Reference counts with debts: how `arc-swap` lets a reader borrow a counted
//! pointer without touching its count.
//!
//! `arc-swap` keeps the pointer and its own type of count together, one cell at
//! a time; a list of linked items does not fit behind it. So this is a small
//! model of its way over plain pointers, for the suites that link items. The
//! crate itself stands in the suite `section`.
//!
//! # How
//!
//! An item is created with one count, the structure's. A reader writes the
//! pointer into a slot of its own, a debt, and looks whether the source still
//! leads there. Who unlinks an item pays: for each slot with that pointer it
//! adds a count and clears the slot; then it gives the structure's count back.
//! A reader that is done clears its slot; when it finds the slot cleared, a count
//! was paid for it, and it gives that back. The last count frees to malloc.
//!
//! Left out: the way for readers who run out of slots. The suites need as many
//! as there are.
//!
//! # Orderings
//!
//! Announce: the slot's exchange, or a fence, is a full barrier between the debt and the
//! second load of the source. Pay: a full fence between the unlink and the walk
//! over the slots. If the walk misses a debt, the second load sees the unlink.
//! Counts: given back with Release, and the last one Acquires.

use std::cell::Cell;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering, fence};

use crossbeam_utils::CachePadded;

use super::{ANNOUNCED, HARNESS, Local, Reclaim, Subject};

/// The debts of one thread.
type Slots = [AtomicPtr<()>; ANNOUNCED];

/// Reference counts with debts.
#[derive(Debug)]
pub(crate) struct Counts {
    threads: Box<[CachePadded<Slots>]>,
    used: AtomicUsize,
}

impl Subject for Counts {
    const NAME: &'static str = "ref-counts";
    const ABOUT: &'static str = "reference counts with debts, after arc-swap";
}

/// An item and its count.
#[derive(Debug)]
#[repr(C)]
struct Counted<T> {
    /// First, so that a pointer to it is one to the whole.
    item: T,
    count: AtomicUsize,
}

/// Gives a count back; the last one frees.
///
/// # Safety
///
/// The item came from `alloc`, and the caller has a count of it.
#[inline(always)]
unsafe fn release<T>(item: NonNull<T>) {
    let counted = item.cast::<Counted<T>>();
    // SAFETY: the caller's count keeps it alive.
    let count = unsafe { &counted.as_ref().count };
    if count.fetch_sub(1, Ordering::Release) == 1 {
        // Acquire: pairs with the Release of everybody who gave one back.
        fence(Ordering::Acquire);
        // SAFETY: boxed in `alloc`, and nobody has a count any more.
        drop(unsafe { Box::from_raw(counted.as_ptr()) });
    }
}

impl<T: Send + Sync + 'static> Reclaim<T> for Counts {
    type Local<'r> = Debtor<'r>;

    fn new(threads: usize) -> Self {
        let empty = || CachePadded::new(std::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())));
        Self {
            threads: (0..threads + HARNESS).map(|_| empty()).collect(),
            used: AtomicUsize::new(0),
        }
    }

    fn local(&self) -> Debtor<'_> {
        let index = self.used.fetch_add(1, Ordering::Relaxed);
        Debtor {
            counts: self,
            slots: &self.threads[index],
            owed: [const { Cell::new(ptr::null_mut()) }; ANNOUNCED],
        }
    }
}

/// A thread's part: its slots, and what it wrote into them.
#[derive(Debug)]
pub(crate) struct Debtor<'r> {
    counts: &'r Counts,
    slots: &'r Slots,
    owed: [Cell<*mut ()>; ANNOUNCED],
}

impl Debtor<'_> {
    /// Settles the debt of one slot.
    ///
    /// # Safety
    ///
    /// What the slot was given were items of this type from `alloc`.
    #[inline(always)]
    unsafe fn settle<T>(&self, place: usize) {
        let Some(item) = NonNull::new(self.owed[place].replace(ptr::null_mut())) else {
            return;
        };
        // Release: what we read comes before the payer frees. Acquire: what was
        // paid comes before we give it back.
        let cleared = self.slots[place].compare_exchange(
            item.as_ptr(),
            ptr::null_mut(),
            Ordering::Release,
            Ordering::Acquire,
        );
        if cleared.is_err() {
            // SAFETY: the slot is cleared by whoever added a count for us.
            unsafe { release(item.cast::<T>()) };
        }
    }

    /// Adds a count for everybody who owes one for this item.
    ///
    /// # Safety
    ///
    /// The item came from `alloc`, is unlinked, and the caller has a count.
    #[inline(always)]
    unsafe fn pay<T>(&self, item: NonNull<T>) {
        // SAFETY: the caller's count keeps it alive.
        let count = unsafe { &item.cast::<Counted<T>>().as_ref().count };
        let pointer = item.as_ptr().cast();
        for slot in self.counts.threads.iter().flat_map(|slots| slots.iter()) {
            if slot.load(Ordering::Relaxed) != pointer {
                continue;
            }
            // Before the slot is cleared: the reader may give it back at once.
            count.fetch_add(1, Ordering::Relaxed);
            let cleared = slot.compare_exchange(
                pointer,
                ptr::null_mut(),
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            if cleared.is_err() {
                // The reader was faster. Not the last one: we hold another.
                count.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}

/// The slots in use; settled when dropped.
pub(crate) struct Debts<'l, T> {
    debtor: &'l Debtor<'l>,
    _items: std::marker::PhantomData<T>,
}

impl<T> Drop for Debts<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        for place in 0..ANNOUNCED {
            // SAFETY: `announce` is given items of this type from `alloc`.
            unsafe { self.debtor.settle::<T>(place) };
        }
    }
}

impl<T: Send + Sync + 'static> Local<T> for Debtor<'_> {
    type Guard<'l>
        = Debts<'l, T>
    where
        Self: 'l;
    const EACH: bool = true;

    #[inline(always)]
    fn enter(&self) -> Debts<'_, T> {
        Debts {
            debtor: self,
            _items: std::marker::PhantomData,
        }
    }

    #[inline(always)]
    fn announce(guard: &mut Debts<'_, T>, place: usize, item: *mut T) {
        // SAFETY: what was announced before is of the same type.
        unsafe { guard.debtor.settle::<T>(place) };
        guard.debtor.owed[place].set(item.cast());
        let slot = &guard.debtor.slots[place];
        if cfg!(target_arch = "x86_64") {
            // A locked exchange is a full barrier here, and cheaper than a fence.
            slot.swap(item.cast(), Ordering::SeqCst);
        } else {
            slot.store(item.cast(), Ordering::Relaxed);
            fence(Ordering::SeqCst);
        }
    }

    #[inline(always)]
    fn alloc(&self, make: impl FnOnce() -> T) -> NonNull<T> {
        super::boxed(Counted {
            item: make(),
            count: AtomicUsize::new(1),
        })
        .cast()
    }

    #[inline(always)]
    unsafe fn retire(&self, item: NonNull<T>) {
        // SAFETY: the caller's promise.
        unsafe { self.retire_all(std::iter::once(item)) };
    }

    #[inline(always)]
    unsafe fn retire_all(&self, items: impl Iterator<Item = NonNull<T>>) {
        // One barrier for all of them: they were unlinked before.
        fence(Ordering::SeqCst);
        for item in items {
            // SAFETY: the structure's count is ours until we give it back.
            unsafe { self.pay(item) };
            // SAFETY: as above; this is it.
            unsafe { release(item) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_up_is_freed_at_the_end() {
        super::super::testing::frees_everything::<Counts>();
    }

    #[test]
    fn a_debt_is_paid_by_who_unlinks_and_given_back_by_who_owes() {
        let counts = <Counts as Reclaim<u64>>::new(2);
        let (reader, writer): (Debtor<'_>, Debtor<'_>) = (
            Reclaim::<u64>::local(&counts),
            Reclaim::<u64>::local(&counts),
        );
        let item: NonNull<u64> = writer.alloc(|| 7);
        let source = AtomicPtr::new(item.as_ptr());
        let mut guard = Local::<u64>::enter(&reader);
        let read = <Debtor<'_> as Local<u64>>::load(&mut guard, &source);
        source.store(ptr::null_mut(), Ordering::Release);
        // SAFETY: from `alloc`, unlinked just now, once.
        unsafe { Local::<u64>::retire(&writer, item) };
        assert!(reader.slots[0].load(Ordering::Relaxed).is_null(), "paid");
        // SAFETY: the count that was paid is ours.
        let count = unsafe { item.cast::<Counted<u64>>().as_ref() };
        assert_eq!(count.count.load(Ordering::Relaxed), 1);
        // SAFETY: announced and validated by `load`.
        assert_eq!(unsafe { *read }, 7);
        drop(guard);
    }
}
