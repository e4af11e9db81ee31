//! [`Shared`]: a pointer that a section protects.

use crate::guard::Guard;
use crate::owned::Owned;
use crate::pointer::Pointable;
use crate::raw::tagged::Tagged;
use crate::raw::unique::Unique;
use core::cmp;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;

/// A pointer, with a tag, to an object that a section keeps from being freed.
///
/// It is what an [`Atomic`](crate::Atomic) loads: `Copy`, one word, possibly
/// null, and valid no longer than the [`Guard`] it was loaded under.
///
/// # Examples
///
/// ```
/// use smr_core::{self as epoch, Atomic};
/// use std::sync::atomic::Ordering::{Acquire, Relaxed};
///
/// let a = Atomic::new(1234);
/// let guard = &epoch::pin();
/// let p = a.load(Acquire, guard);
/// // SAFETY: the object was published by a release and the guard protects it.
/// assert_eq!(unsafe { p.as_ref() }, Some(&1234));
/// # unsafe { drop(a.into_owned()) }
/// ```
pub struct Shared<'g, T: 'g + ?Sized + Pointable> {
    pub(crate) tagged: Tagged<T>,
    _guard: PhantomData<&'g Guard>,
}

impl<T: ?Sized + Pointable> Clone for Shared<'_, T> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized + Pointable> Copy for Shared<'_, T> {}

impl<T> Shared<'_, T> {
    /// The pointer without its tag.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::{self as epoch, Owned};
    ///
    /// let raw = Box::into_raw(Box::new(1234));
    /// // SAFETY: the box gave it up, and it is taken once.
    /// let o = unsafe { Owned::from_raw(raw) };
    /// let guard = &epoch::pin();
    /// let p = o.into_shared(guard).with_tag(1);
    /// assert_eq!(p.as_raw(), raw.cast_const());
    /// # unsafe { drop(p.into_owned()) }
    /// ```
    #[inline]
    pub fn as_raw(&self) -> *const T {
        self.tagged.pointer().cast_const().cast()
    }
}

impl<'g, T: ?Sized + Pointable> Shared<'g, T> {
    #[inline]
    pub(crate) const fn from_tagged(tagged: Tagged<T>) -> Self {
        Self {
            tagged,
            _guard: PhantomData,
        }
    }

    /// The null pointer with tag 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::Shared;
    ///
    /// assert!(Shared::<i32>::null().is_null());
    /// ```
    #[inline]
    pub const fn null() -> Shared<'g, T> {
        Self::from_tagged(Tagged::null())
    }

    /// Whether it points nowhere. The tag does not matter.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::Shared;
    ///
    /// assert!(Shared::<u64>::null().with_tag(1).is_null());
    /// ```
    #[inline]
    pub fn is_null(&self) -> bool {
        self.tagged.is_null()
    }

    /// A reference to the object.
    ///
    /// # Safety
    ///
    /// - The pointer is not null.
    /// - The object was published with Release (or stronger) and loaded with
    ///   Acquire (or stronger), or otherwise happens before this use.
    /// - It was reachable when the section began or came to be reachable
    ///   later, and everybody who unlinks it retires it through the same
    ///   domain. So nobody frees it before the guard goes.
    /// - Nobody has a mutable reference to it within `'g`.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::{self as epoch, Atomic};
    /// use std::sync::atomic::Ordering::Acquire;
    ///
    /// let a = Atomic::new(1234);
    /// let guard = &epoch::pin();
    /// // SAFETY: never null, and nobody else has it.
    /// assert_eq!(unsafe { a.load(Acquire, guard).deref() }, &1234);
    /// # unsafe { drop(a.into_owned()) }
    /// ```
    #[inline]
    pub unsafe fn deref(&self) -> &'g T {
        // SAFETY: not null, live for `'g` and not changed (the caller).
        unsafe { T::deref(self.tagged.pointer()) }
    }

    /// The only reference to the object.
    ///
    /// # Safety
    ///
    /// As for [`deref`](Self::deref), and nobody has any other reference to
    /// the object within `'g`: typically it has not been published yet, or the
    /// whole structure is held exclusively.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::{self as epoch, Owned};
    ///
    /// let guard = &epoch::pin();
    /// let mut p = Owned::new(vec![1]).into_shared(guard);
    /// // SAFETY: it was never published.
    /// unsafe { p.deref_mut() }.push(2);
    /// // SAFETY: as above.
    /// assert_eq!(*unsafe { p.into_owned() }, [1, 2]);
    /// ```
    #[inline]
    pub unsafe fn deref_mut(&mut self) -> &'g mut T {
        // SAFETY: not null, live for `'g` and the caller's alone.
        unsafe { T::deref_mut(self.tagged.pointer()) }
    }

    /// A reference to the object, or `None` for null.
    ///
    /// # Safety
    ///
    /// As for [`deref`](Self::deref), except that it may be null.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::Shared;
    ///
    /// // SAFETY: null is allowed.
    /// assert_eq!(unsafe { Shared::<i32>::null().as_ref() }, None);
    /// ```
    #[inline]
    pub unsafe fn as_ref(&self) -> Option<&'g T> {
        if self.is_null() {
            return None;
        }
        // SAFETY: not null, and the rest is the caller's contract.
        Some(unsafe { self.deref() })
    }

    /// Takes ownership of the object. The tag stays.
    ///
    /// # Panics
    ///
    /// If the pointer is null, in debug builds.
    ///
    /// # Safety
    ///
    /// The pointer is not null, nobody else has the object or can reach it,
    /// and it is taken only once.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::{Atomic, unprotected};
    /// use std::sync::atomic::Ordering::Relaxed;
    ///
    /// let a = Atomic::new(1234);
    /// // SAFETY: no other thread knows `a`.
    /// let o = unsafe { a.load(Relaxed, unprotected()).into_owned() };
    /// assert_eq!(*o, 1234);
    /// ```
    #[inline]
    pub unsafe fn into_owned(self) -> Owned<T> {
        // SAFETY: not null, and the caller's alone.
        let unique = unsafe { Unique::from_tagged(self.tagged) };
        Owned { unique }
    }

    /// Takes ownership of the object, or answers `None` for null.
    ///
    /// # Safety
    ///
    /// As for [`into_owned`](Self::into_owned), except that it may be null.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::Shared;
    ///
    /// // SAFETY: null is allowed.
    /// assert!(unsafe { Shared::<i32>::null().try_into_owned() }.is_none());
    /// ```
    #[inline]
    pub unsafe fn try_into_owned(self) -> Option<Owned<T>> {
        if self.is_null() {
            return None;
        }
        // SAFETY: not null, and the rest is the caller's contract.
        Some(unsafe { self.into_owned() })
    }

    /// The tag.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::Shared;
    ///
    /// assert_eq!(Shared::<u64>::null().with_tag(2).tag(), 2);
    /// ```
    #[inline]
    pub fn tag(&self) -> usize {
        self.tagged.tag()
    }

    /// The same pointer with another tag.
    ///
    /// A tag has `log2(T::ALIGN)` bits; bits of `tag` above those are cut off.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::{self as epoch, Atomic};
    /// use std::sync::atomic::Ordering::Relaxed;
    ///
    /// let a = Atomic::new(0u64);
    /// let guard = &epoch::pin();
    /// let p = a.load(Relaxed, guard);
    /// let q = p.with_tag(3);
    /// assert_eq!((p.tag(), q.tag()), (0, 3));
    /// assert_eq!(p.as_raw(), q.as_raw());
    /// # unsafe { drop(a.into_owned()) }
    /// ```
    #[inline]
    pub fn with_tag(&self, tag: usize) -> Shared<'g, T> {
        Self::from_tagged(self.tagged.with_tag(tag))
    }
}

impl Guard {
    /// Destroys the object that `ptr` points to when every section that is open
    /// now has ended, on any thread; at once through
    /// [`unprotected`](crate::unprotected). Its tag does not matter.
    ///
    /// It is cheaper than a closure that does the same, and the domain is told
    /// the size of what waits.
    ///
    /// # Safety
    ///
    /// - The pointer is not null, and nobody takes or retires the object again.
    /// - The object was unlinked: no section that begins later can reach it.
    ///   Through `unprotected` nobody uses it any more at all.
    /// - It may be dropped on any thread, at any later time, so `T` is `Send`
    ///   and outlives that, or its destructor needs neither.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::{self as epoch, Atomic, Shared};
    /// use std::sync::atomic::Ordering::AcqRel;
    ///
    /// let a = Atomic::new(String::from("gone soon"));
    /// let guard = &epoch::pin();
    /// let p = a.swap(Shared::null(), AcqRel, guard);
    /// // SAFETY: unlinked just now, and retired once.
    /// unsafe { guard.defer_destroy(p) };
    /// ```
    pub unsafe fn defer_destroy<T: ?Sized + Pointable>(&self, ptr: Shared<'_, T>) {
        let object = ptr.tagged.pointer();
        // SAFETY: the object is live still, and whoever has a mutable reference
        // to an object does not retire it (the caller).
        let bytes = unsafe { T::bytes(object) };
        // SAFETY: unlinked, retired once, fit to be dropped later (the caller).
        unsafe { self.retire_raw(object, bytes, T::drop) };
    }
}

impl<T> From<*const T> for Shared<'_, T> {
    /// The untagged pointer `raw`.
    ///
    /// # Panics
    ///
    /// If `raw` is not aligned for `T`.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::Shared;
    ///
    /// let p = Shared::from(Box::into_raw(Box::new(1234)).cast_const());
    /// assert!(!p.is_null());
    /// # unsafe { drop(p.into_owned()) }
    /// ```
    fn from(raw: *const T) -> Self {
        Self::from_tagged(Tagged::from_pointer(raw.cast_mut().cast()))
    }
}

/// Equal where pointer and tag are equal.
impl<'g, T: ?Sized + Pointable> PartialEq<Shared<'g, T>> for Shared<'g, T> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.tagged == other.tagged
    }
}

impl<T: ?Sized + Pointable> Eq for Shared<'_, T> {}

/// By address, then by tag.
impl<'g, T: ?Sized + Pointable> PartialOrd<Shared<'g, T>> for Shared<'g, T> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: ?Sized + Pointable> Ord for Shared<'_, T> {
    #[inline]
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        self.tagged.cmp(&other.tagged)
    }
}

impl<T: ?Sized + Pointable> Hash for Shared<'_, T> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.tagged.hash(state);
    }
}

impl<T: ?Sized + Pointable> fmt::Debug for Shared<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("raw", &self.tagged.pointer())
            .field("tag", &self.tagged.tag())
            .finish()
    }
}

impl<T: ?Sized + Pointable> fmt::Pointer for Shared<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Pointer::fmt(&self.tagged.pointer(), f)
    }
}

impl<T: ?Sized + Pointable> Default for Shared<'_, T> {
    /// Null.
    fn default() -> Self {
        Shared::null()
    }
}
