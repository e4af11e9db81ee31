//! `ck_epoch` of Concurrency Kit, by S. Al Bahra: the base of FreeBSD's
//! `epoch(9)`.
//!
//! Items are given up by `ck_epoch_call`. The library frees nothing by itself;
//! a thread calls `ck_epoch_poll` once for a list that it gives up, and once in
//! 64 items otherwise. The end of a thread's part is a `ck_epoch_barrier`.
//!
//! The library is C. A section of the suite `section` is one call of a function
//! with the section inlined; elsewhere entering and leaving are a call each. Its
//! records are malloc's, and not in the count of the heap.

use std::cell::Cell;
use std::ptr::NonNull;

use raw::{Epoch, Inside, Record};

use super::{BoxedValue, Local, Reclaim, Section, Subject};

mod raw;

/// Items between two polls.
const POLL: u32 = 64;

/// Epochs of Concurrency Kit.
#[derive(Debug)]
pub(crate) struct Ck(Epoch);

impl Subject for Ck {
    const NAME: &'static str = "ck_epoch";
    const ABOUT: &'static str = "epochs of Concurrency Kit: ck_epoch_call, ck_epoch_poll";
}

/// The pointer and the epoch that protects it.
#[derive(Debug)]
pub(crate) struct CkCell {
    epoch: Epoch,
    value: BoxedValue,
}

/// A reader and its record.
#[derive(Debug)]
pub(crate) struct Reader<'s> {
    record: Record<'s>,
    value: &'s BoxedValue,
}

impl Section for Ck {
    type Shared = CkCell;
    type Reader<'s> = Reader<'s>;
    const NESTS: bool = true;
    const OWNED: bool = false;

    fn share(value: u64) -> CkCell {
        CkCell {
            epoch: Epoch::new(),
            value: BoxedValue::new(value),
        }
    }

    fn reader(shared: &CkCell) -> Reader<'_> {
        Reader {
            record: shared.epoch.register(),
            value: &shared.value,
        }
    }

    #[inline(always)]
    fn read(reader: &mut Reader<'_>) -> u64 {
        // SAFETY: never null, never retired.
        unsafe { reader.record.read(reader.value.pointer()) }
    }

    fn nested(reader: &mut Reader<'_>, rounds: u64) -> u64 {
        let value = reader.value;
        let outer = reader.record.enter();
        // SAFETY: never null, never retired.
        let sum = super::repeat(rounds, || unsafe { reader.record.read(value.pointer()) });
        drop(outer);
        sum
    }
}

impl<T: Send + Sync + 'static> Reclaim<T> for Ck {
    type Local<'r> = CkLocal<'r>;

    fn new(_threads: usize) -> Self {
        Self(Epoch::new())
    }

    fn local(&self) -> CkLocal<'_> {
        CkLocal {
            record: self.0.register(),
            fresh: Cell::new(0),
        }
    }
}

/// A thread's part: its record.
#[derive(Debug)]
pub(crate) struct CkLocal<'r> {
    record: Record<'r>,
    /// Items since the last poll.
    fresh: Cell<u32>,
}

impl<T: Send + Sync + 'static> Local<T> for CkLocal<'_> {
    type Guard<'l>
        = Inside<'l>
    where
        Self: 'l;

    #[inline(always)]
    fn enter(&self) -> Inside<'_> {
        self.record.enter()
    }

    #[inline(always)]
    fn alloc(&self, make: impl FnOnce() -> T) -> NonNull<T> {
        raw::alloc(make())
    }

    #[inline(always)]
    unsafe fn retire(&self, item: NonNull<T>) {
        // SAFETY: the caller's promise: from `alloc`, once.
        unsafe { self.record.retire(item) };
        self.fresh.set(self.fresh.get() + 1);
        if self.fresh.get() >= POLL {
            self.fresh.set(0);
            self.record.poll();
        }
    }

    #[inline(always)]
    unsafe fn retire_all(&self, items: impl Iterator<Item = NonNull<T>>) {
        let mut any = false;
        for item in items {
            // SAFETY: the caller's promise, for each of them.
            unsafe { self.record.retire(item) };
            any = true;
        }
        if any {
            self.record.poll();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_end_of_each_part_has_freed_everything() {
        super::super::testing::frees_everything::<Ck>();
    }

    #[test]
    fn a_reader_inside_holds_what_is_retired_and_its_end_lets_go() {
        let ck = <Ck as Reclaim<Arc<()>>>::new(2);
        let reader = Reclaim::<Arc<()>>::local(&ck);
        let writer = Reclaim::<Arc<()>>::local(&ck);
        let seen = Arc::new(());
        let inside = Local::<Arc<()>>::enter(&reader);
        for _ in 0..10 * POLL {
            let item = writer.alloc(|| Arc::clone(&seen));
            // SAFETY: never published.
            unsafe { Local::<Arc<()>>::retire(&writer, item) };
        }
        assert_eq!(Arc::strong_count(&seen), 1 + 10 * POLL as usize);
        drop(inside);
        drop(writer);
        assert_eq!(Arc::strong_count(&seen), 1);
    }
}
