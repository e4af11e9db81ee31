//! `crossbeam-epoch`.
//!
//! - A section is `pin()` of the default collector, as nearly all its users do.
//! - Retiring goes to a collector of the run's own, through the thread's
//!   `LocalHandle`: no look-up of a thread-local, and nothing is left over for
//!   the next run. Items are boxed by `Owned`, given up by `defer_destroy`.
//! - A list is given up under one pin, followed by a `flush`. By itself the crate
//!   collects at most eight bags of 64 items every 128 pins, so that lists of a
//!   hundred items a pin would be garbage faster than it is collected; pinning
//!   for each item instead, or for every 4, 16, 32, 64, was slower.

use std::mem;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

use crossbeam_epoch::{Atomic, Collector, Guard, LocalHandle, Owned, Shared};

use super::{Local, Reclaim, Section, Subject};

/// Epochs of crossbeam.
#[derive(Debug)]
pub(crate) struct Crossbeam(Collector);

impl Subject for Crossbeam {
    const NAME: &'static str = "crossbeam-epoch";
    const ABOUT: &'static str = "epochs: pin, Owned and defer_destroy";
}

/// The shared pointer.
#[derive(Debug)]
pub(crate) struct Cell(Atomic<u64>);

impl Drop for Cell {
    fn drop(&mut self) {
        // SAFETY: never null, and no reader can borrow us any more.
        drop(unsafe { mem::take(&mut self.0).into_owned() });
    }
}

impl Section for Crossbeam {
    type Shared = Cell;
    type Reader<'s> = &'s Cell;
    const NESTS: bool = true;
    const OWNED: bool = false;

    fn share(value: u64) -> Cell {
        Cell(Atomic::new(value))
    }

    fn reader(shared: &Cell) -> &Cell {
        shared
    }

    #[inline(always)]
    fn read(reader: &mut &Cell) -> u64 {
        let guard = crossbeam_epoch::pin();
        let value = reader.0.load(Ordering::Acquire, &guard);
        // SAFETY: never null, never retired.
        unsafe { *value.deref() }
    }

    fn nested(reader: &mut &Cell, rounds: u64) -> u64 {
        let outer = crossbeam_epoch::pin();
        let sum = super::repeat(rounds, || Self::read(reader));
        drop(outer);
        sum
    }
}

impl<T: Send + Sync + 'static> Reclaim<T> for Crossbeam {
    type Local<'r> = LocalHandle;

    fn new(_threads: usize) -> Self {
        Self(Collector::new())
    }

    fn local(&self) -> LocalHandle {
        self.0.register()
    }
}

impl<T: Send + Sync + 'static> Local<T> for LocalHandle {
    type Guard<'l> = Guard;

    #[inline(always)]
    fn enter(&self) -> Guard {
        self.pin()
    }

    #[inline(always)]
    fn alloc(&self, make: impl FnOnce() -> T) -> NonNull<T> {
        // SAFETY: the item is not shared yet, so that no guard is needed to
        // hold its pointer.
        let unprotected = unsafe { crossbeam_epoch::unprotected() };
        let pointer = Owned::new(make()).into_shared(unprotected).as_raw();
        // SAFETY: `Owned` is never null.
        unsafe { NonNull::new_unchecked(pointer.cast_mut()) }
    }

    #[inline(always)]
    unsafe fn retire(&self, item: NonNull<T>) {
        let guard = self.pin();
        // SAFETY: the caller's promise.
        unsafe { destroy(item, &guard) };
    }

    #[inline(always)]
    unsafe fn retire_all(&self, items: impl Iterator<Item = NonNull<T>>) {
        let mut guard = None;
        for item in items {
            let guard = guard.get_or_insert_with(|| self.pin());
            // SAFETY: the caller's promise.
            unsafe { destroy(item, guard) };
        }
        if let Some(guard) = guard {
            guard.flush();
        }
    }

    #[inline(always)]
    unsafe fn leave(&self, guard: Guard, items: impl Iterator<Item = NonNull<T>>) {
        for item in items {
            // SAFETY: the caller's promise.
            unsafe { destroy(item, &guard) };
        }
    }
}

/// # Safety
///
/// As [`Local::retire`].
#[inline(always)]
unsafe fn destroy<T>(item: NonNull<T>, guard: &Guard) {
    let shared = Shared::from(item.as_ptr().cast_const());
    // SAFETY: made by `Owned` in `alloc`, unlinked and given up once.
    unsafe { guard.defer_destroy(shared) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_collector_has_freed_everything() {
        super::super::testing::frees_everything::<Crossbeam>();
    }
}
