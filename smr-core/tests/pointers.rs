//! What the pointer types offer beyond the epoch crates.

use smr_core::{Atomic, Owned, Pointable, Pointer, Shared, pin};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::collections::HashSet;
use std::error::Error;
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

/// A node with as many levels as it was made with, behind one thin pointer.
#[repr(transparent)]
struct Tower([u64]);

impl Tower {
    fn layout(levels: usize) -> Layout {
        Layout::array::<u64>(levels + 1).unwrap()
    }

    /// # Safety
    ///
    /// `ptr` points to a live tower.
    unsafe fn levels(ptr: *mut ()) -> usize {
        // SAFETY: the number of levels comes first (the caller).
        unsafe { ptr.cast::<u64>().read() as usize }
    }
}

// SAFETY: aligned as its words are, and its layout can be read back.
unsafe impl Pointable for Tower {
    const ALIGN: usize = align_of::<u64>();

    type Init = usize;

    fn init(levels: usize) -> *mut () {
        let layout = Self::layout(levels);
        // SAFETY: it has at least the word for the number of levels.
        let words = unsafe { alloc(layout) }.cast::<u64>();
        if words.is_null() {
            handle_alloc_error(layout);
        }
        for (i, word) in [levels as u64]
            .into_iter()
            .chain(0..levels as u64)
            .enumerate()
        {
            // SAFETY: within the allocation.
            let place = unsafe { words.add(i) };
            // SAFETY: as above.
            unsafe { place.write(word) };
        }
        words.cast()
    }

    unsafe fn deref<'a>(ptr: *mut ()) -> &'a Self {
        // SAFETY: the caller's contract.
        let levels = unsafe { Self::levels(ptr) };
        // SAFETY: the levels follow.
        let first = unsafe { ptr.cast::<u64>().add(1) };
        let words = ptr::slice_from_raw_parts(first, levels);
        // SAFETY: a `Tower` is its words; live for `'a` (the caller).
        unsafe { &*(words as *const Tower) }
    }

    unsafe fn deref_mut<'a>(ptr: *mut ()) -> &'a mut Self {
        // SAFETY: the caller's contract.
        let levels = unsafe { Self::levels(ptr) };
        // SAFETY: the levels follow.
        let first = unsafe { ptr.cast::<u64>().add(1) };
        let words = ptr::slice_from_raw_parts_mut(first, levels);
        // SAFETY: a `Tower` is its words, and the caller's alone for `'a`.
        unsafe { &mut *(words as *mut Tower) }
    }

    unsafe fn drop(ptr: *mut ()) {
        // SAFETY: the caller's contract.
        let layout = Self::layout(unsafe { Self::levels(ptr) });
        // SAFETY: allocated with this layout, given back once (the caller).
        unsafe { dealloc(ptr.cast(), layout) };
    }
}

#[test]
fn unsized_types_of_ones_own_can_be_pointed_to() {
    let guard = &pin();
    let mut tower = Owned::<Tower>::init(3).with_tag(1);
    tower.0[2] = 7;
    let a = Atomic::from(tower);
    let p = a.swap(Owned::<Tower>::init(0), AcqRel, guard);
    // SAFETY: the guard protects it.
    assert_eq!(unsafe { p.deref() }.0, [0, 1, 7]);
    // SAFETY: unlinked, and retired once.
    unsafe { guard.defer_destroy(p) };
    // SAFETY: the guard protects it.
    assert_eq!(unsafe { p.deref() }.0, [0, 1, 7]);
    // SAFETY: never null, and the test's alone.
    assert_eq!(unsafe { a.into_owned() }.0, []);
}

#[test]
fn pointers_turn_into_words_and_back() {
    let word = Owned::new(5u64).with_tag(3).into_ptr();
    assert_eq!(word.addr() % 8, 3);
    // SAFETY: from `into_ptr` of the same type, taken back once.
    let o = unsafe { <Owned<u64> as Pointer<u64>>::from_ptr(word) };
    assert_eq!((*o, o.tag()), (5, 3));

    let guard = pin();
    let p = o.into_shared(&guard);
    // SAFETY: from `into_ptr` of the same type, while the object is there.
    let q: Shared<'_, u64> = unsafe { Pointer::from_ptr(p.into_ptr()) };
    assert_eq!(p, q);
    // SAFETY: the test's alone, taken once.
    drop(unsafe { q.into_owned() });
}

#[test]
fn shared_pointers_can_be_hashed() {
    let null = Shared::<u64>::null();
    let set = HashSet::from([null, null.with_tag(1), null.with_tag(8)]);
    assert_eq!(set.len(), 2);
}

#[test]
fn exchange_error_is_an_error() {
    let guard = pin();
    let a = Atomic::new(1);
    let e = a
        .compare_exchange(Shared::null(), Shared::null(), AcqRel, Acquire, &guard)
        .unwrap_err();
    let shown: &dyn Error = &e;
    assert_eq!(shown.to_string(), "the atomic pointer held another value");
    // SAFETY: never null, and the test's alone.
    drop(unsafe { a.into_owned() });
}

#[test]
#[should_panic(expected = "array too large")]
fn array_larger_than_any_allocation_is_refused() {
    drop(Owned::<[std::mem::MaybeUninit<u64>]>::init(usize::MAX / 8));
}

#[test]
fn tag_of_an_unaligned_raw_pointer_is_kept_by_atomic() {
    let guard = pin();
    let raw = ptr::without_provenance::<u64>(0x1005);
    let p = Atomic::<u64>::from(raw).load(Relaxed, &guard);
    assert_eq!((p.as_raw().addr(), p.tag()), (0x1000, 5));
}
