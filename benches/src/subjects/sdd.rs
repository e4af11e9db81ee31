//! `sdd`: the epochs under scc.
//!
//! It has one collector for the process. Items are `Owned`, given up by dropping
//! them. Dropping one only queues it: the epoch turns at the end of sections, so
//! that a thread which retires without ever entering one frees nothing. A single
//! item is therefore given up inside a section; a list is not, where the sections
//! of the suite turn the epoch already. (A section for each item of a list, one
//! for the list, and one that is asked to `accelerate` held less memory, but at
//! two threads ran at a third of the speed.)

use std::mem;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use sdd::{AtomicOwned, Guard, Owned};

use super::{Local, Reclaim, Section, Subject};
use crate::alloc;

/// Epochs of sdd.
#[derive(Debug)]
pub(crate) struct Sdd {
    heap_before: i64,
}

impl Subject for Sdd {
    const NAME: &'static str = "sdd";
    const ABOUT: &'static str = "epochs: Guard, and Owned that is dropped";
}

impl Section for Sdd {
    type Shared = AtomicOwned<u64>;
    type Reader<'s> = &'s AtomicOwned<u64>;
    const NESTS: bool = true;
    const OWNED: bool = false;

    fn share(value: u64) -> AtomicOwned<u64> {
        AtomicOwned::new(value)
    }

    fn reader(shared: &AtomicOwned<u64>) -> &AtomicOwned<u64> {
        shared
    }

    #[inline(always)]
    fn read(reader: &mut &AtomicOwned<u64>) -> u64 {
        let guard = Guard::new();
        let value = reader.load(Ordering::Acquire, &guard).as_ref().copied();
        value.expect("never null")
    }

    fn nested(reader: &mut &AtomicOwned<u64>, rounds: u64) -> u64 {
        let outer = Guard::new();
        let sum = super::repeat(rounds, || Self::read(reader));
        drop(outer);
        sum
    }
}

impl<T: Send + Sync + 'static> Reclaim<T> for Sdd {
    type Local<'r> = Thread;

    fn new(_threads: usize) -> Self {
        Self {
            heap_before: alloc::heap_bytes(),
        }
    }

    fn local(&self) -> Thread {
        Thread
    }

    fn finish(self) {
        // What exited threads left behind passes to whoever scans, three
        // epochs later: turn the epochs until it is gone.
        for _ in 0..200 {
            for _ in 0..16 {
                let guard = Guard::new();
                guard.set_has_garbage();
                guard.accelerate();
            }
            if alloc::heap_bytes() <= self.heap_before {
                break;
            }
            thread::sleep(Duration::from_micros(100));
        }
    }
}

/// Any thread: the crate finds its part by a thread-local.
#[derive(Debug)]
pub(crate) struct Thread;

impl<T: Send + Sync + 'static> Local<T> for Thread {
    type Guard<'l> = Guard;

    #[inline(always)]
    fn enter(&self) -> Guard {
        Guard::new()
    }

    #[inline(always)]
    fn alloc(&self, make: impl FnOnce() -> T) -> NonNull<T> {
        into_item(Owned::new_with(make))
    }

    #[inline(always)]
    unsafe fn retire(&self, item: NonNull<T>) {
        let guard = Guard::new();
        // SAFETY: the caller's promise: from `alloc`, once.
        drop(unsafe { from_item(item) });
        drop(guard);
    }

    #[inline(always)]
    unsafe fn retire_all(&self, items: impl Iterator<Item = NonNull<T>>) {
        for item in items {
            // SAFETY: the caller's promise: from `alloc`, once.
            drop(unsafe { from_item(item) });
        }
    }

    #[inline(always)]
    unsafe fn leave(&self, guard: Guard, items: impl Iterator<Item = NonNull<T>>) {
        for item in items {
            // SAFETY: the caller's promise: from `alloc`, once.
            drop(unsafe { from_item(item) });
        }
        drop(guard);
    }
}

/// The item of an `Owned`, which is forgotten.
///
/// The crate turns an `Owned` into a pointer of its own kind only, which would
/// make the items of this subject another type than everybody's. In the pinned
/// version an `Owned` is one pointer and the item stands first behind it; both
/// are checked here.
#[inline(always)]
fn into_item<T>(owned: Owned<T>) -> NonNull<T> {
    const { assert!(mem::size_of::<Owned<T>>() == mem::size_of::<NonNull<T>>()) };
    let item = owned.as_non_null_ptr();
    // SAFETY: an `Owned` is one word, and any word is a valid `usize`.
    let word: usize = unsafe { mem::transmute_copy(&owned) };
    assert_eq!(word, item.as_ptr().addr(), "sdd has changed its layout");
    mem::forget(owned);
    item
}

/// Undoes [`into_item`].
///
/// # Safety
///
/// The item came from there, and is taken back once.
#[inline(always)]
unsafe fn from_item<T>(item: NonNull<T>) -> Owned<T> {
    // SAFETY: `into_item` has checked that this word is all of an `Owned`.
    unsafe { mem::transmute_copy(&item) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_up_is_freed_at_the_end() {
        super::super::testing::frees_everything::<Sdd>();
    }
}
