//! Arrays whose length is chosen at run time, behind a thin pointer.
//!
//! ```text
//!    pointer
//!       |
//!       v
//!      +-----+---------+--------------+--------------+--
//!      | len | padding | elements[0]  | elements[1]  | ...
//!      +-----+---------+--------------+--------------+--
//!      ^               ^
//!      Header<T>       ELEMENTS bytes further on
//! ```
//!
//! One allocation: the length first, then the elements. The pointer goes to
//! the header and has the provenance of the whole allocation; no reference to
//! the header alone is ever made, because the elements could not be reached
//! through one. The length never changes.

use crate::pointer::Pointable;
use alloc::alloc::{alloc, dealloc, handle_alloc_error};
use core::alloc::Layout;
use core::mem::{MaybeUninit, offset_of};
use core::slice;

#[repr(C)]
struct Header<T> {
    len: usize,
    elements: [MaybeUninit<T>; 0],
}

impl<T> Header<T> {
    const ELEMENTS: usize = offset_of!(Header<T>, elements);

    /// The layout of an array of `len` elements, or `None` where it is larger
    /// than any allocation may be.
    fn layout(len: usize) -> Option<Layout> {
        let elements = Layout::array::<T>(len).ok()?;
        let (layout, offset) = Layout::new::<Self>().extend(elements).ok()?;
        debug_assert_eq!(offset, Self::ELEMENTS);
        Some(layout.pad_to_align())
    }

    /// The number of elements.
    ///
    /// # Safety
    ///
    /// `ptr` points to a live array that `init` made.
    unsafe fn len(ptr: *mut ()) -> usize {
        // SAFETY: the length is the first field of a live header (the caller).
        unsafe { ptr.cast::<usize>().read() }
    }

    /// The first element.
    ///
    /// # Safety
    ///
    /// As for [`len`](Self::len).
    unsafe fn elements(ptr: *mut ()) -> *mut MaybeUninit<T> {
        // SAFETY: the elements lie in the same allocation as the header, or
        // one past its end where there are none.
        unsafe { ptr.byte_add(Self::ELEMENTS).cast() }
    }
}

// SAFETY: the allocation is aligned for the header, hence to `ALIGN`; it stays
// where it is, and its length and with it its layout can be read back from it.
unsafe impl<T> Pointable for [MaybeUninit<T>] {
    const ALIGN: usize = align_of::<Header<T>>();

    type Init = usize;

    fn init(len: usize) -> *mut () {
        let layout = Header::<T>::layout(len).expect("array too large");
        // SAFETY: the layout holds a `usize`, so its size is not zero.
        let ptr = unsafe { alloc(layout) };
        if ptr.is_null() {
            handle_alloc_error(layout);
        }
        // SAFETY: `len` is the first field of the header, which is ours.
        unsafe { ptr.cast::<usize>().write(len) };
        ptr.cast()
    }

    unsafe fn deref<'a>(ptr: *mut ()) -> &'a Self {
        // SAFETY: `ptr` points to a live array (the caller).
        let len = unsafe { Header::<T>::len(ptr) };
        // SAFETY: as above.
        let elements = unsafe { Header::<T>::elements(ptr) };
        // SAFETY: `len` elements follow the header, may be uninitialised, and
        // nobody changes them (the caller).
        unsafe { slice::from_raw_parts(elements, len) }
    }

    unsafe fn deref_mut<'a>(ptr: *mut ()) -> &'a mut Self {
        // SAFETY: `ptr` points to a live array (the caller).
        let len = unsafe { Header::<T>::len(ptr) };
        // SAFETY: as above.
        let elements = unsafe { Header::<T>::elements(ptr) };
        // SAFETY: `len` elements follow the header, may be uninitialised, and
        // nobody else uses them (the caller).
        unsafe { slice::from_raw_parts_mut(elements, len) }
    }

    unsafe fn drop(ptr: *mut ()) {
        // SAFETY: `ptr` points to a live array (the caller).
        let len = unsafe { Header::<T>::len(ptr) };
        let layout = Header::<T>::layout(len).expect("the layout that `init` computed");
        // SAFETY: `init` allocated it with this layout, and nobody uses it any
        // more (the caller). `MaybeUninit` elements have nothing to drop.
        unsafe { dealloc(ptr.cast(), layout) };
    }

    unsafe fn bytes(ptr: *mut ()) -> usize {
        // SAFETY: `ptr` points to a live array (the caller).
        let len = unsafe { Header::<T>::len(ptr) };
        Header::<T>::layout(len).map_or(0, |layout| layout.size())
    }
}
