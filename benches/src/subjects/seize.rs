//! `seize`: Hyaline-1 with membarrier.
//!
//! A collector of the run's own, as its guide has it for each structure. Items
//! are boxes given up by `Collector::retire` with `reclaim::boxed`, outside of
//! a section.
//!
//! A barrier of the kernel precedes the retirement of each batch. The crate's
//! default of 32 items suits small structures; its documentation offers larger
//! batches to spread the cost, at the price of memory. Of 32, 128, 512 and 1024
//! the second was taken: up to twice the speed of the first in these suites, and
//! little gained beyond.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, Ordering};

use seize::{Collector, Guard, LocalGuard, reclaim};

use super::{BoxedValue, Local, Reclaim, Section, Subject, boxed};

/// Items of a batch.
pub(super) const BATCH: usize = 128;

/// Hyaline of seize.
#[derive(Debug)]
pub(crate) struct Seize(Collector);

/// The pointer and the collector that protects it.
#[derive(Debug)]
pub(crate) struct SeizeCell {
    collector: Collector,
    value: BoxedValue,
}

impl Subject for Seize {
    const NAME: &'static str = "seize";
    const ABOUT: &'static str = "Hyaline-1 with membarrier: enter, protect, retire of boxes";
}

impl Section for Seize {
    type Shared = SeizeCell;
    type Reader<'s> = &'s SeizeCell;
    const NESTS: bool = true;
    const OWNED: bool = true;

    fn share(value: u64) -> SeizeCell {
        SeizeCell {
            collector: Collector::new(),
            value: BoxedValue::new(value),
        }
    }

    fn reader(shared: &SeizeCell) -> &SeizeCell {
        shared
    }

    #[inline(always)]
    fn read(reader: &mut &SeizeCell) -> u64 {
        let guard = reader.collector.enter();
        let value = guard.protect(reader.value.pointer(), Ordering::Acquire);
        // SAFETY: never null, never retired.
        unsafe { *value }
    }

    fn nested(reader: &mut &SeizeCell, rounds: u64) -> u64 {
        let outer = reader.collector.enter();
        let sum = super::repeat(rounds, || Self::read(reader));
        drop(outer);
        sum
    }

    #[inline(always)]
    fn owned(reader: &mut &SeizeCell) -> u64 {
        let guard = reader.collector.enter_owned();
        let value = guard.protect(reader.value.pointer(), Ordering::Acquire);
        // SAFETY: never null, never retired.
        unsafe { *value }
    }
}

impl<T: Send + Sync + 'static> Reclaim<T> for Seize {
    type Local<'r> = &'r Collector;

    fn new(_threads: usize) -> Self {
        Self(Collector::new().batch_size(BATCH))
    }

    fn local(&self) -> &Collector {
        &self.0
    }
}

impl<T> Local<T> for &Collector {
    type Guard<'l>
        = LocalGuard<'l>
    where
        Self: 'l;

    #[inline(always)]
    fn enter(&self) -> LocalGuard<'_> {
        Collector::enter(self)
    }

    #[inline(always)]
    fn load(guard: &mut LocalGuard<'_>, source: &AtomicPtr<T>) -> *mut T {
        guard.protect(source, Ordering::Acquire)
    }

    #[inline(always)]
    fn alloc(&self, make: impl FnOnce() -> T) -> NonNull<T> {
        boxed(make())
    }

    #[inline(always)]
    unsafe fn retire(&self, item: NonNull<T>) {
        // SAFETY: a box, unlinked and given up once, which this thread does not
        // look at again.
        unsafe { Collector::retire(self, item.as_ptr(), reclaim::boxed) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_collector_has_freed_everything() {
        super::super::testing::frees_everything::<Seize>();
    }
}
