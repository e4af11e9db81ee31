//! The ends of the scale: no protection, no reclamation, plain malloc.

use std::cell::RefCell;
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use super::{BoxedValue, Local, Reclaim, Section, Subject, boxed};

/// A load without any protection: what every section is measured above.
#[derive(Debug)]
pub(crate) struct BareLoad;

impl Subject for BareLoad {
    const NAME: &'static str = "none";
    const ABOUT: &'static str = "section: a bare load; elsewhere nothing is freed during the run";
}

impl Section for BareLoad {
    type Shared = BoxedValue;
    type Reader<'s> = &'s BoxedValue;
    const NESTS: bool = true;
    const OWNED: bool = true;

    fn share(value: u64) -> BoxedValue {
        BoxedValue::new(value)
    }

    fn reader(shared: &BoxedValue) -> &BoxedValue {
        shared
    }

    #[inline(always)]
    fn read(reader: &mut &BoxedValue) -> u64 {
        let value = reader.pointer().load(Ordering::Acquire);
        // SAFETY: the value lives as long as the box that the reader borrows.
        unsafe { *value }
    }

    fn nested(reader: &mut &BoxedValue, rounds: u64) -> u64 {
        super::repeat(rounds, || Self::read(reader))
    }

    #[inline(always)]
    fn owned(reader: &mut &BoxedValue) -> u64 {
        Self::read(reader)
    }
}

/// Bytes of items that a subject which never frees may use, all threads together.
const MOST_BYTES: u64 = 3 << 29;

/// How many items each of so many threads may allocate of a subject: as many as it likes,
/// or as many as there is memory for.
pub(crate) fn limit<T, R>(threads: usize) -> u64
where
    T: Send + Sync + 'static,
    R: Reclaim<T>,
{
    if R::RECLAIMS {
        u64::MAX
    } else {
        MOST_BYTES / (threads * size_of::<T>()) as u64
    }
}

/// Frees nothing until the end: each item is fresh memory.
///
/// This is no upper bound on speed: fresh memory costs page faults.
#[derive(Debug)]
pub(crate) struct Never<T>(Mutex<Vec<Kept<T>>>);

/// An item that waits for the end.
#[derive(Debug)]
struct Kept<T>(NonNull<T>);

// SAFETY: the item is owned by whoever holds this.
unsafe impl<T: Send> Send for Kept<T> {}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        // SAFETY: made by `boxed`, retired once, and dropped when no thread
        // works any more.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

/// A thread's list of what it gave up.
#[derive(Debug)]
pub(crate) struct NeverLocal<'r, T> {
    all: &'r Never<T>,
    kept: RefCell<Vec<Kept<T>>>,
}

impl<T> Subject for Never<T> {
    const NAME: &'static str = BareLoad::NAME;
    const ABOUT: &'static str = BareLoad::ABOUT;
}

impl<T: Send + Sync + 'static> Reclaim<T> for Never<T> {
    type Local<'r> = NeverLocal<'r, T>;
    const RECLAIMS: bool = false;

    fn new(_threads: usize) -> Self {
        Self(Mutex::new(Vec::new()))
    }

    fn local(&self) -> NeverLocal<'_, T> {
        NeverLocal {
            all: self,
            kept: RefCell::new(Vec::new()),
        }
    }
}

impl<T> Local<T> for NeverLocal<'_, T> {
    type Guard<'l>
        = ()
    where
        Self: 'l;

    #[inline(always)]
    fn enter(&self) {}

    #[inline(always)]
    fn alloc(&self, make: impl FnOnce() -> T) -> NonNull<T> {
        boxed(make())
    }

    #[inline(always)]
    unsafe fn retire(&self, item: NonNull<T>) {
        self.kept.borrow_mut().push(Kept(item));
    }
}

impl<T> Drop for NeverLocal<'_, T> {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().expect("nobody panics with the lock held");
        all.append(self.kept.get_mut());
    }
}

/// `malloc` and `free` alone: no reader is protected. Only for the `free`
/// suite, where nobody reads.
#[derive(Debug)]
pub(crate) struct Malloc;

impl Subject for Malloc {
    const NAME: &'static str = "malloc";
    const ABOUT: &'static str = "malloc and free at once, no reader is protected";
}

impl<T: Send + Sync + 'static> Reclaim<T> for Malloc {
    type Local<'r> = Malloc;

    fn new(_threads: usize) -> Self {
        Self
    }

    fn local(&self) -> Malloc {
        Malloc
    }
}

impl<T> Local<T> for Malloc {
    type Guard<'l>
        = ()
    where
        Self: 'l;

    #[inline(always)]
    fn enter(&self) {}

    #[inline(always)]
    fn alloc(&self, make: impl FnOnce() -> T) -> NonNull<T> {
        boxed(make())
    }

    #[inline(always)]
    unsafe fn retire(&self, item: NonNull<T>) {
        // SAFETY: made by `alloc`, given up once, and nobody reads.
        drop(unsafe { Box::from_raw(item.as_ptr()) });
    }
}
