//! Every sized type behind a thin pointer: a `Box` and nothing else.
//!
//! Invariant: a non-null pointer that [`Pointable::init`] gave out came from
//! `Box::<T>::into_raw`, so the object may change hands between a `Box` and
//! the pointer types at no cost.

use crate::pointer::Pointable;
use alloc::boxed::Box;

// SAFETY: `Box` aligns what it holds to `align_of::<T>()`, keeps it in place,
// and the methods below turn the pointer back into what `init` made it from.
unsafe impl<T> Pointable for T {
    const ALIGN: usize = align_of::<T>();

    type Init = T;

    #[inline]
    fn init(init: T) -> *mut () {
        Box::into_raw(Box::new(init)).cast()
    }

    #[inline]
    unsafe fn deref<'a>(ptr: *mut ()) -> &'a T {
        // SAFETY: `ptr` points to a live `T` that nobody changes (the caller).
        unsafe { &*ptr.cast::<T>() }
    }

    #[inline]
    unsafe fn deref_mut<'a>(ptr: *mut ()) -> &'a mut T {
        // SAFETY: `ptr` points to a live `T` that nobody else uses (the caller).
        unsafe { &mut *ptr.cast::<T>() }
    }

    #[inline]
    unsafe fn drop(ptr: *mut ()) {
        // SAFETY: `ptr` came out of a `Box<T>` and goes back once (the caller).
        let object = unsafe { Box::from_raw(ptr.cast::<T>()) };
        ::core::mem::drop(object);
    }

    #[inline]
    unsafe fn bytes(_: *mut ()) -> usize {
        size_of::<T>()
    }
}
