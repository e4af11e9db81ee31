//! Sole ownership of a pointable object.
//!
//! Invariant: the pointer is not null, `T::init` made it (or a `Box`, for a
//! sized `T`), and nobody else has it. The object is dropped with the handle.

use super::tagged::Tagged;
use crate::pointer::Pointable;
use alloc::boxed::Box;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;

/// A tagged pointer that owns what it points to.
pub(crate) struct Unique<T: ?Sized + Pointable> {
    tagged: Tagged<T>,
    _owns: PhantomData<Box<T>>,
}

// SAFETY: it is a `Box<T>` in all but its representation.
unsafe impl<T: ?Sized + Pointable + Send> Send for Unique<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Pointable + Sync> Sync for Unique<T> {}

impl<T: ?Sized + Pointable> Unique<T> {
    #[inline]
    pub(crate) fn init(init: T::Init) -> Self {
        let tagged = Tagged::from_word(T::init(init));
        debug_assert_eq!(tagged.tag(), 0, "`Pointable::init` keeps to `ALIGN`");
        // SAFETY: `T::init` has just made the object.
        unsafe { Self::from_tagged(tagged) }
    }

    /// Takes the object that `tagged` points to.
    ///
    /// # Safety
    ///
    /// The pointer meets the invariant of this module, whatever its tag.
    #[inline]
    pub(crate) unsafe fn from_tagged(tagged: Tagged<T>) -> Self {
        debug_assert!(!tagged.is_null(), "null cannot be owned");
        Self {
            tagged,
            _owns: PhantomData,
        }
    }

    /// Gives up the object without dropping it.
    #[inline]
    pub(crate) fn into_tagged(self) -> Tagged<T> {
        ManuallyDrop::new(self).tagged
    }

    #[inline]
    pub(crate) fn tagged(&self) -> Tagged<T> {
        self.tagged
    }

    #[inline]
    pub(crate) fn with_tag(self, tag: usize) -> Self {
        let tagged = self.into_tagged().with_tag(tag);
        // SAFETY: the same object, and `self` has given it up.
        unsafe { Self::from_tagged(tagged) }
    }

    #[inline]
    pub(crate) fn get(&self) -> &T {
        // SAFETY: the object is live and ours; `&self` keeps it unchanged.
        unsafe { T::deref(self.tagged.pointer()) }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self) -> &mut T {
        // SAFETY: the object is live and ours; `&mut self` keeps it to us.
        unsafe { T::deref_mut(self.tagged.pointer()) }
    }
}

impl<T> Unique<T> {
    #[inline]
    pub(crate) fn from_box(object: Box<T>) -> Self {
        let tagged = Tagged::from_word(Box::into_raw(object).cast());
        // SAFETY: the box has just given it up.
        unsafe { Self::from_tagged(tagged) }
    }

    #[inline]
    pub(crate) fn into_box(self) -> Box<T> {
        let pointer = self.into_tagged().pointer().cast();
        // SAFETY: the object of a sized `T` came out of a `Box<T>`.
        unsafe { Box::from_raw(pointer) }
    }
}

impl<T: ?Sized + Pointable> Drop for Unique<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the object is live and ours, and is not used again.
        unsafe { T::drop(self.tagged.pointer()) };
    }
}
