//! Our own: sequences.
//!
//! - `smr` reads with [`smr_core::pin`], in the global domain, whose barrier is
//!   the system's asymmetric one where it is granted. Items come from a
//!   [`Pool`] in a domain of the run's own, through a [`LocalPool`] for each
//!   thread, as crossbeam's come through its `LocalHandle`.
//! - `smr-fallback` is the same in a domain whose readers execute a fence, as
//!   where the asymmetric barrier is refused.
//! - `smr-malloc` gives boxes up to the domain, which frees them to malloc: the
//!   reclamation without the pool, to see the halves of the gain apart;
//!   `smr-fallback-malloc` does so with fences.

use std::mem;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

use smr_core::{Atomic, BarrierKind, Domain, Guard, LocalPool, Pool};

use super::{Local, Reclaim, Section, Subject, boxed};

/// Sequences in the global domain.
#[derive(Debug)]
pub(crate) struct Smr;

impl Subject for Smr {
    const NAME: &'static str = "smr";
    const ABOUT: &'static str = "sequences with the asymmetric barrier; items from a pool";
}

/// The shared pointer.
#[derive(Debug)]
pub(crate) struct Cell(Atomic<u64>);

impl Cell {
    fn new(value: u64) -> Self {
        Self(Atomic::new(value))
    }

    /// The load and the read inside a section.
    #[inline(always)]
    fn read(&self, guard: &Guard) -> u64 {
        let value = self.0.load(Ordering::Acquire, guard);
        // SAFETY: never null, never retired.
        unsafe { *value.deref() }
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        // SAFETY: never null, and no reader can borrow us any more.
        drop(unsafe { mem::take(&mut self.0).into_owned() });
    }
}

impl Section for Smr {
    type Shared = Cell;
    type Reader<'s> = &'s Cell;
    const NESTS: bool = true;
    const OWNED: bool = true;

    fn share(value: u64) -> Cell {
        Cell::new(value)
    }

    fn reader(shared: &Cell) -> &Cell {
        shared
    }

    #[inline(always)]
    fn read(reader: &mut &Cell) -> u64 {
        reader.read(&smr_core::pin())
    }

    fn nested(reader: &mut &Cell, rounds: u64) -> u64 {
        let outer = smr_core::pin();
        let sum = super::repeat(rounds, || Self::read(reader));
        drop(outer);
        sum
    }

    #[inline(always)]
    fn owned(reader: &mut &Cell) -> u64 {
        reader.read(&Domain::global().owned_guard())
    }
}

/// Sequences with fences.
#[derive(Debug)]
pub(crate) struct Fallback;

/// The pointer and the domain that protects it.
pub(crate) struct FallbackCell {
    domain: Domain,
    value: Cell,
}

impl Subject for Fallback {
    const NAME: &'static str = "smr-fallback";
    const ABOUT: &'static str = "sequences with a fence in each section; items from a pool";
}

fn fenced() -> Domain {
    let built = Domain::builder().barrier(BarrierKind::Fence).build();
    built.expect("fences are granted everywhere")
}

impl Section for Fallback {
    type Shared = FallbackCell;
    type Reader<'s> = &'s FallbackCell;
    const NESTS: bool = true;
    const OWNED: bool = true;

    fn share(value: u64) -> FallbackCell {
        FallbackCell {
            domain: fenced(),
            value: Cell::new(value),
        }
    }

    fn reader(shared: &FallbackCell) -> &FallbackCell {
        shared
    }

    #[inline(always)]
    fn read(reader: &mut &FallbackCell) -> u64 {
        reader.value.read(&reader.domain.pin())
    }

    fn nested(reader: &mut &FallbackCell, rounds: u64) -> u64 {
        let outer = reader.domain.pin();
        let sum = super::repeat(rounds, || Self::read(reader));
        drop(outer);
        sum
    }

    #[inline(always)]
    fn owned(reader: &mut &FallbackCell) -> u64 {
        reader.value.read(&reader.domain.owned_guard())
    }
}

/// A pool in a domain of the run's own.
#[derive(Debug)]
pub(crate) struct SmrPool<T> {
    pool: Pool<T>,
    domain: Domain,
}

/// The same with fences.
#[derive(Debug)]
pub(crate) struct FencedPool<T>(SmrPool<T>);

impl<T> Subject for SmrPool<T> {
    const NAME: &'static str = Smr::NAME;
    const ABOUT: &'static str = Smr::ABOUT;
}

impl<T> Subject for FencedPool<T> {
    const NAME: &'static str = Fallback::NAME;
    const ABOUT: &'static str = Fallback::ABOUT;
}

impl<T: Send + Sync + 'static> SmrPool<T> {
    /// An empty pool in this domain.
    pub(crate) fn in_domain(domain: Domain) -> Self {
        Self {
            pool: Pool::new_in(&domain),
            domain,
        }
    }
}

impl<T: Send + Sync + 'static> Reclaim<T> for SmrPool<T> {
    type Local<'r> = LocalPool<'r, T>;

    fn new(_threads: usize) -> Self {
        Self::in_domain(Domain::new())
    }

    fn local(&self) -> LocalPool<'_, T> {
        self.pool.register()
    }

    fn polls(&self) -> Option<u64> {
        Some(self.domain.stats().scans)
    }
}

impl<T: Send + Sync + 'static> Reclaim<T> for FencedPool<T> {
    type Local<'r> = LocalPool<'r, T>;

    fn new(_threads: usize) -> Self {
        Self(SmrPool::in_domain(fenced()))
    }

    fn local(&self) -> LocalPool<'_, T> {
        self.0.local()
    }

    fn polls(&self) -> Option<u64> {
        self.0.polls()
    }
}

impl<T: Send + Sync + 'static> Local<T> for LocalPool<'_, T> {
    type Guard<'l>
        = Guard
    where
        Self: 'l;

    #[inline(always)]
    fn enter(&self) -> Guard {
        self.pin()
    }

    #[inline(always)]
    fn alloc(&self, make: impl FnOnce() -> T) -> NonNull<T> {
        self.alloc_with(make).into_raw()
    }

    #[inline(always)]
    unsafe fn retire(&self, item: NonNull<T>) {
        // SAFETY: the caller's promise: from `alloc`, unlinked, once.
        unsafe { self.retire(item) };
    }
}

/// Boxes retired to a domain of the run's own.
#[derive(Debug)]
pub(crate) struct SmrMalloc(Domain);

impl Subject for SmrMalloc {
    const NAME: &'static str = "smr-malloc";
    const ABOUT: &'static str = "sequences; boxes that are freed to malloc";
}

impl<T: Send + Sync + 'static> Reclaim<T> for SmrMalloc {
    type Local<'r> = Boxes<'r>;

    fn new(_threads: usize) -> Self {
        Self(Domain::new())
    }

    fn local(&self) -> Boxes<'_> {
        Boxes(&self.0)
    }

    fn polls(&self) -> Option<u64> {
        Some(self.0.stats().scans)
    }
}

/// The same with fences.
#[derive(Debug)]
pub(crate) struct FencedMalloc(SmrMalloc);

impl Subject for FencedMalloc {
    const NAME: &'static str = "smr-fallback-malloc";
    const ABOUT: &'static str = "sequences with a fence in each section; boxes freed to malloc";
}

impl<T: Send + Sync + 'static> Reclaim<T> for FencedMalloc {
    type Local<'r> = Boxes<'r>;

    fn new(_threads: usize) -> Self {
        Self(SmrMalloc(fenced()))
    }

    fn local(&self) -> Boxes<'_> {
        Boxes(&self.0.0)
    }

    fn polls(&self) -> Option<u64> {
        Some(self.0.0.stats().scans)
    }
}

/// A thread's part in [`SmrMalloc`].
#[derive(Debug)]
pub(crate) struct Boxes<'r>(&'r Domain);

impl<T: Send + Sync + 'static> Local<T> for Boxes<'_> {
    type Guard<'l>
        = Guard
    where
        Self: 'l;

    #[inline(always)]
    fn enter(&self) -> Guard {
        self.0.pin()
    }

    #[inline(always)]
    fn alloc(&self, make: impl FnOnce() -> T) -> NonNull<T> {
        boxed(make())
    }

    #[inline(always)]
    unsafe fn retire(&self, item: NonNull<T>) {
        // SAFETY: the caller's promise: from `alloc`, once. The domain drops it
        // when no reader can be inside.
        let item = unsafe { Box::from_raw(item.as_ptr()) };
        self.0.defer_sized(size_of::<T>(), move || drop(item));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_pool_has_dropped_everything() {
        super::super::testing::frees_everything::<SmrPool<_>>();
        super::super::testing::frees_everything::<FencedPool<_>>();
    }

    #[test]
    fn a_dropped_domain_has_freed_everything() {
        super::super::testing::frees_everything::<SmrMalloc>();
        super::super::testing::frees_everything::<FencedMalloc>();
    }
}
