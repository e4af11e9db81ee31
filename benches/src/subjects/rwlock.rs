//! `parking_lot::RwLock`: a reader takes the lock. It must not take it again
//! inside (a writer that waits between would block both), so nothing nests.
//!
//! As a system of reclamation: whoever links or unlinks items holds the lock
//! for writing, so that nobody is inside an item that was unlinked, and it is
//! freed at once. What a writer does not free, it waits for.

use std::ptr::NonNull;

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{Local, Reclaim, Section, Subject, boxed};

/// The read lock around the load.
#[derive(Debug)]
pub(crate) struct ReadLock;

impl Subject for ReadLock {
    const NAME: &'static str = "parking_lot-rwlock";
    const ABOUT: &'static str = "a read lock around what is read, a write lock around what unlinks";
}

impl Section for ReadLock {
    // Boxed, so that a pointer is followed as everywhere else.
    type Shared = RwLock<Box<u64>>;
    type Reader<'s> = &'s RwLock<Box<u64>>;
    const NESTS: bool = false;
    const OWNED: bool = false;

    fn share(value: u64) -> RwLock<Box<u64>> {
        RwLock::new(Box::new(value))
    }

    fn reader(shared: &RwLock<Box<u64>>) -> &RwLock<Box<u64>> {
        shared
    }

    #[inline(always)]
    fn read(reader: &mut &RwLock<Box<u64>>) -> u64 {
        **reader.read()
    }
}

/// One lock around a structure.
#[derive(Debug)]
pub(crate) struct Locked(RwLock<()>);

impl Subject for Locked {
    const NAME: &'static str = ReadLock::NAME;
    const ABOUT: &'static str = ReadLock::ABOUT;
}

/// One way of holding the lock or the other.
#[derive(Debug)]
pub(crate) enum Held<'l> {
    Read(#[expect(dead_code, reason = "held, not looked at")] RwLockReadGuard<'l, ()>),
    Write(#[expect(dead_code, reason = "held, not looked at")] RwLockWriteGuard<'l, ()>),
}

impl<T: Send + Sync + 'static> Reclaim<T> for Locked {
    type Local<'r> = &'r RwLock<()>;

    fn new(_threads: usize) -> Self {
        Self(RwLock::new(()))
    }

    fn local(&self) -> &RwLock<()> {
        &self.0
    }
}

impl<T> Local<T> for &RwLock<()> {
    type Guard<'l>
        = Held<'l>
    where
        Self: 'l;
    const EXCLUSIVE: bool = true;
    const WAITS: bool = true;

    #[inline(always)]
    fn enter(&self) -> Held<'_> {
        Held::Read(self.read())
    }

    #[inline(always)]
    fn enter_to_write(&self) -> Held<'_> {
        Held::Write(self.write())
    }

    #[inline(always)]
    fn alloc(&self, make: impl FnOnce() -> T) -> NonNull<T> {
        boxed(make())
    }

    #[inline(always)]
    unsafe fn retire(&self, item: NonNull<T>) {
        // SAFETY: made by `alloc`, given up once. It was unlinked with the lock
        // held for writing: who came before has left, who comes later cannot
        // find it.
        drop(unsafe { Box::from_raw(item.as_ptr()) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_up_is_freed_at_once() {
        super::super::testing::frees_everything::<Locked>();
    }
}
