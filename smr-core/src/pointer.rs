//! What may stand behind a tagged pointer, and which pointers may be stored.

use crate::owned::Owned;
use crate::raw::tagged::Tagged;
use crate::raw::unique::Unique;
use crate::shared::Shared;
use core::error::Error;
use core::fmt;

/// Objects that one thin pointer can reach.
///
/// [`Atomic`](crate::Atomic), [`Owned`] and [`Shared`] are one machine word, so
/// whatever they point to must be found through a thin pointer. That holds for
/// every sized type, which is kept in a `Box`, and for
/// `[MaybeUninit<T>]`, which is kept together with its length in one
/// allocation:
///
/// ```
/// use smr_core::Owned;
/// use std::mem::MaybeUninit;
///
/// let mut tower = Owned::<[MaybeUninit<u32>]>::init(3);
/// for (level, slot) in tower.iter_mut().enumerate() {
///     slot.write(level as u32);
/// }
/// assert_eq!(tower.len(), 3);
/// assert_eq!(unsafe { tower[2].assume_init() }, 2);
/// ```
///
/// Implement it for a type of your own that ends in an unsized tail, to give
/// nodes of several sizes the same thin pointer.
///
/// # Safety
///
/// - `ALIGN` is a power of two, and every pointer that [`init`](Self::init)
///   returns is not null and is a multiple of it.
/// - Such a pointer stays valid until it is given to [`drop`](Self::drop), and
///   [`deref`](Self::deref) and [`deref_mut`](Self::deref_mut) always find the
///   same object behind it.
pub unsafe trait Pointable {
    /// The alignment of the object in bytes; its `log2` is the number of bits
    /// that a tag has.
    const ALIGN: usize;

    /// What an object is made from.
    type Init;

    /// Makes an object on the heap.
    fn init(init: Self::Init) -> *mut ();

    /// A shared reference to the object.
    ///
    /// # Safety
    ///
    /// `ptr` came from [`init`](Self::init), has not been dropped, and for
    /// `'a` it will not be and nobody has a mutable reference to the object.
    unsafe fn deref<'a>(ptr: *mut ()) -> &'a Self;

    /// The only reference to the object.
    ///
    /// # Safety
    ///
    /// As for [`deref`](Self::deref), and for `'a` nobody has any other
    /// reference to the object.
    unsafe fn deref_mut<'a>(ptr: *mut ()) -> &'a mut Self;

    /// Drops the object and frees its memory.
    ///
    /// # Safety
    ///
    /// `ptr` came from [`init`](Self::init), has not been dropped, and is not
    /// used again.
    unsafe fn drop(ptr: *mut ());

    /// The size of the object in bytes, which the domain counts while the
    /// object is retired. It is a weight and nothing relies on its value.
    ///
    /// # Safety
    ///
    /// As for [`deref`](Self::deref).
    unsafe fn bytes(ptr: *mut ()) -> usize {
        // SAFETY: the caller's contract is the same.
        let object = unsafe { Self::deref(ptr) };
        size_of_val(object)
    }
}

mod sealed {
    pub trait Sealed {}
}

/// [`Owned`] and [`Shared`]: what an [`Atomic`](crate::Atomic) can be given.
///
/// The trait is sealed.
pub trait Pointer<T: ?Sized + Pointable>: sealed::Sealed {
    /// Pointer and tag as one word; an [`Owned`] gives up its object.
    fn into_ptr(self) -> *mut ();

    /// The pointer that `word` came from.
    ///
    /// # Safety
    ///
    /// `word` came from [`into_ptr`](Self::into_ptr) of the same type, and
    /// what it points to must still be there. Where `Self` is an [`Owned`],
    /// this is done once for each word.
    unsafe fn from_ptr(word: *mut ()) -> Self;
}

impl<T: ?Sized + Pointable> sealed::Sealed for Owned<T> {}

impl<T: ?Sized + Pointable> Pointer<T> for Owned<T> {
    #[inline]
    fn into_ptr(self) -> *mut () {
        self.unique.into_tagged().into_word()
    }

    #[inline]
    unsafe fn from_ptr(word: *mut ()) -> Self {
        // SAFETY: an `Owned` gave up the object, and it is taken once (the
        // caller).
        let unique = unsafe { Unique::from_tagged(Tagged::from_word(word)) };
        Owned { unique }
    }
}

impl<T: ?Sized + Pointable> sealed::Sealed for Shared<'_, T> {}

impl<T: ?Sized + Pointable> Pointer<T> for Shared<'_, T> {
    #[inline]
    fn into_ptr(self) -> *mut () {
        self.tagged.into_word()
    }

    #[inline]
    unsafe fn from_ptr(word: *mut ()) -> Self {
        Shared::from_tagged(Tagged::from_word(word))
    }
}

/// What a failed [`Atomic::compare_exchange`](crate::Atomic::compare_exchange) gives back.
pub struct CompareExchangeError<'g, T: ?Sized + Pointable, P: Pointer<T>> {
    /// What the atomic pointer held instead.
    pub current: Shared<'g, T>,

    /// What was to be stored: an [`Owned`] is not lost.
    pub new: P,
}

impl<T: ?Sized + Pointable, P: Pointer<T> + fmt::Debug> fmt::Debug
    for CompareExchangeError<'_, T, P>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompareExchangeError")
            .field("current", &self.current)
            .field("new", &self.new)
            .finish()
    }
}

impl<T: ?Sized + Pointable, P: Pointer<T>> fmt::Display for CompareExchangeError<'_, T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the atomic pointer held another value")
    }
}

impl<T: ?Sized + Pointable, P: Pointer<T> + fmt::Debug> Error for CompareExchangeError<'_, T, P> {}
