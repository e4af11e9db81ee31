//! [`Owned`]: an object of the heap before it is published, or after it has
//! been taken back.

use crate::guard::Guard;
use crate::pointer::Pointable;
use crate::raw::tagged::Tagged;
use crate::raw::unique::Unique;
use crate::shared::Shared;
use alloc::boxed::Box;
use core::borrow::{Borrow, BorrowMut};
use core::fmt;
use core::ops::{Deref, DerefMut};

/// An object on the heap that nobody else can reach, and a tag.
///
/// It is a `Box` that remembers a tag in the low bits of its pointer, so that
/// both can be stored in an [`Atomic`](crate::Atomic) at once. Dropping it
/// drops the object.
///
/// # Examples
///
/// ```
/// use smr_core::Owned;
///
/// let mut o = Owned::new(41u64).with_tag(3);
/// *o += 1;
/// assert_eq!((*o, o.tag()), (42, 3));
/// ```
pub struct Owned<T: ?Sized + Pointable> {
    pub(crate) unique: Unique<T>,
}

impl<T> Owned<T> {
    /// Allocates `init` on the heap, with tag 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::Owned;
    ///
    /// let o = Owned::new(1234);
    /// assert_eq!(*o, 1234);
    /// ```
    #[inline]
    pub fn new(init: T) -> Owned<T> {
        Self::init(init)
    }

    /// Takes ownership of the object behind `raw`, with tag 0.
    ///
    /// # Panics
    ///
    /// If `raw` is not aligned for `T`.
    ///
    /// # Safety
    ///
    /// `raw` came from `Box::into_raw` or out of an `Owned`, is not null, and
    /// nobody else owns it or uses the object from now on. A raw pointer may
    /// be taken only once.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::Owned;
    ///
    /// let raw = Box::into_raw(Box::new(1234));
    /// // SAFETY: the box gave it up, and it is taken once.
    /// let o = unsafe { Owned::from_raw(raw) };
    /// assert_eq!(*o, 1234);
    /// ```
    #[inline]
    pub unsafe fn from_raw(raw: *mut T) -> Owned<T> {
        let tagged = Tagged::from_pointer(raw.cast());
        // SAFETY: the caller hands over the object.
        let unique = unsafe { Unique::from_tagged(tagged) };
        Owned { unique }
    }

    /// Turns it into a `Box`. The tag is lost; the object does not move.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::Owned;
    ///
    /// let b: Box<i32> = Owned::new(1234).into_box();
    /// assert_eq!(*b, 1234);
    /// ```
    #[inline]
    pub fn into_box(self) -> Box<T> {
        self.unique.into_box()
    }
}

impl<T: ?Sized + Pointable> Owned<T> {
    /// Makes an object from `init` on the heap, with tag 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::Owned;
    /// use std::mem::MaybeUninit;
    ///
    /// let one = Owned::<i32>::init(7);
    /// assert_eq!(*one, 7);
    /// let many = Owned::<[MaybeUninit<i32>]>::init(16);
    /// assert_eq!(many.len(), 16);
    /// ```
    #[inline]
    pub fn init(init: T::Init) -> Owned<T> {
        Owned {
            unique: Unique::init(init),
        }
    }

    /// Gives up the object and keeps a pointer to it for as long as the
    /// section lasts. The tag stays.
    ///
    /// From now on the object is dropped only if somebody takes it back, with
    /// [`Shared::into_owned`] or `Guard::defer_destroy`.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::{self as epoch, Owned};
    ///
    /// let guard = &epoch::pin();
    /// let p = Owned::new(1234).into_shared(guard);
    /// // SAFETY: it was never published.
    /// drop(unsafe { p.into_owned() });
    /// ```
    #[inline]
    pub fn into_shared<'g>(self, _: &'g Guard) -> Shared<'g, T> {
        Shared::from_tagged(self.unique.into_tagged())
    }

    /// The tag.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::Owned;
    ///
    /// assert_eq!(Owned::new(1234).tag(), 0);
    /// ```
    #[inline]
    pub fn tag(&self) -> usize {
        self.unique.tagged().tag()
    }

    /// The same object with another tag.
    ///
    /// A tag has `log2(T::ALIGN)` bits; bits of `tag` above those are cut off.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::Owned;
    ///
    /// let o = Owned::new(0u64).with_tag(0b1101);
    /// assert_eq!(o.tag(), 0b101); // eight bytes: three bits
    /// ```
    #[inline]
    pub fn with_tag(self, tag: usize) -> Owned<T> {
        Owned {
            unique: self.unique.with_tag(tag),
        }
    }
}

impl<T: ?Sized + Pointable> fmt::Debug for Owned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tagged = self.unique.tagged();
        f.debug_struct("Owned")
            .field("raw", &tagged.pointer())
            .field("tag", &tagged.tag())
            .finish()
    }
}

impl<T: Clone> Clone for Owned<T> {
    /// Another object with the same content and the same tag.
    fn clone(&self) -> Self {
        Owned::new((**self).clone()).with_tag(self.tag())
    }
}

impl<T: ?Sized + Pointable> Deref for Owned<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.unique.get()
    }
}

impl<T: ?Sized + Pointable> DerefMut for Owned<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.unique.get_mut()
    }
}

impl<T> From<T> for Owned<T> {
    fn from(t: T) -> Self {
        Owned::new(t)
    }
}

impl<T> From<Box<T>> for Owned<T> {
    /// Takes over the object of `b`, which does not move.
    fn from(b: Box<T>) -> Self {
        Owned {
            unique: Unique::from_box(b),
        }
    }
}

impl<T: ?Sized + Pointable> Borrow<T> for Owned<T> {
    fn borrow(&self) -> &T {
        self
    }
}

impl<T: ?Sized + Pointable> BorrowMut<T> for Owned<T> {
    fn borrow_mut(&mut self) -> &mut T {
        self
    }
}

impl<T: ?Sized + Pointable> AsRef<T> for Owned<T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T: ?Sized + Pointable> AsMut<T> for Owned<T> {
    fn as_mut(&mut self) -> &mut T {
        self
    }
}
