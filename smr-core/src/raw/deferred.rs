//! A destructor that waits: any `FnOnce`, in four words.
//!
//! Closures of up to three words with ordinary alignment are stored in place,
//! larger ones in a box. So what was retired may be a pointer, a value, or a
//! thing that is no pointer at all: an index, a file descriptor.

use alloc::boxed::Box;
use core::mem::MaybeUninit;

type Data = [usize; 3];

pub(crate) struct Deferred {
    call: unsafe fn(*mut Data),
    data: MaybeUninit<Data>,
}

// SAFETY: the only ways in are `new`, which asks for `Send`, and
// `new_unchecked`, whose caller promises it.
unsafe impl Send for Deferred {}

impl Deferred {
    pub(crate) fn new<F: FnOnce() + Send + 'static>(f: F) -> Self {
        // SAFETY: `Send` and `'static` are what the callee asks for.
        unsafe { Self::new_unchecked(f) }
    }

    /// Whether a closure is stored in place.
    pub(crate) const fn is_in_place<F>() -> bool {
        size_of::<F>() <= size_of::<Data>() && align_of::<F>() <= align_of::<Data>()
    }

    /// # Safety
    ///
    /// `f` may run on any thread, at any later time, once.
    pub(crate) unsafe fn new_unchecked<F: FnOnce()>(f: F) -> Self {
        if Self::is_in_place::<F>() {
            let mut data = MaybeUninit::<Data>::uninit();
            // SAFETY: `F` fits into `Data` in size and alignment.
            unsafe { data.as_mut_ptr().cast::<F>().write(f) };
            Self {
                call: call_in_place::<F>,
                data,
            }
        } else {
            let mut data = MaybeUninit::<Data>::uninit();
            let boxed = Box::into_raw(Box::new(f));
            // SAFETY: a thin pointer fits into `Data`.
            unsafe { data.as_mut_ptr().cast::<*mut F>().write(boxed) };
            Self {
                call: call_boxed::<F>,
                data,
            }
        }
    }

    pub(crate) fn run(mut self) {
        // `Deferred` has no destructor of its own, so nothing runs twice.
        let data = self.data.as_mut_ptr();
        let call = self.call;
        // SAFETY: `call` was made for the closure in `data`, which is read once,
        // since `run` takes `self` by value.
        unsafe { call(data) }
    }
}

/// # Safety
///
/// `data` holds an `F`, which is moved out.
unsafe fn call_in_place<F: FnOnce()>(data: *mut Data) {
    // SAFETY: the caller's promise.
    let f = unsafe { data.cast::<F>().read() };
    f();
}

/// # Safety
///
/// `data` holds a pointer from `Box::into_raw`, which is taken over.
unsafe fn call_boxed<F: FnOnce()>(data: *mut Data) {
    // SAFETY: the caller's promise.
    let raw = unsafe { data.cast::<*mut F>().read() };
    // SAFETY: the pointer came from `Box::into_raw` and is owned by us alone.
    let f = unsafe { Box::from_raw(raw) };
    f();
}
