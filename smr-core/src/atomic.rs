//! [`Atomic`]: the pointer that threads share.
//!
//! One machine word, an address with a tag in its low bits. The type protects
//! nothing by itself: a [`Guard`] keeps what is loaded from being freed, and
//! `unsafe` marks the places where the structure that is built on it has to
//! keep its side of the bargain.
//!
//! # Orderings
//!
//! They are the caller's: a pointer that is going to be followed is published
//! with Release and loaded with Acquire. Reclamation adds no demand of its own:
//! what orders a reader's loads against the retirement of what they find is the
//! barrier between entering a section and the first load in it, and its partner
//! in the scan of the readers.

use crate::guard::Guard;
use crate::owned::Owned;
use crate::pointer::{CompareExchangeError, Pointable, Pointer};
use crate::raw::tagged::{AtomicTagged, Tagged};
use crate::shared::Shared;
use crate::sync::Ordering;
use alloc::boxed::Box;
use core::fmt;

/// A pointer, with a tag, that threads load and change while others do too.
///
/// What may stand behind it is told by [`Pointable`]: any sized type, and
/// arrays whose length is chosen at run time. The tag takes the low bits that
/// the alignment of the object leaves free; it is read and written together
/// with the pointer.
///
/// An `Atomic` does not own what it points to: dropping it drops nothing. See
/// [`into_owned`](Self::into_owned).
///
/// # Progress and linearization
///
/// Each operation is one operation of the machine on one word, at which it
/// takes effect, except [`fetch_update`](Self::fetch_update), a loop around
/// one. All are O(1) and wait-free where the machine has the instruction, or
/// lock-free where it loops.
///
/// # Examples
///
/// ```
/// use smr_core::{self as epoch, Atomic, Owned};
/// use std::sync::atomic::Ordering::{AcqRel, Acquire};
///
/// let a = Atomic::new("old");
/// let guard = &epoch::pin();
/// let p = a.swap(Owned::new("new"), AcqRel, guard);
/// // SAFETY: it was just unlinked, by nobody else, and is retired once.
/// unsafe { guard.defer_destroy(p) };
/// // SAFETY: not null; the guard protects it.
/// assert_eq!(unsafe { a.load(Acquire, guard).deref() }, &"new");
/// // SAFETY: the guard entered before it was retired.
/// assert_eq!(unsafe { p.deref() }, &"old");
/// # unsafe { drop(a.into_owned()) }
/// ```
#[repr(transparent)]
pub struct Atomic<T: ?Sized + Pointable> {
    word: AtomicTagged<T>,
}

impl<T> Atomic<T> {
    /// Allocates `init` on the heap and points to it, with tag 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::Atomic;
    ///
    /// let a = Atomic::new(1234);
    /// # unsafe { drop(a.into_owned()) }
    /// ```
    pub fn new(init: T) -> Atomic<T> {
        Self::init(init)
    }
}

impl<T: ?Sized + Pointable> Atomic<T> {
    /// Makes an object from `init` on the heap and points to it, with tag 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::Atomic;
    ///
    /// let a = Atomic::<i32>::init(1234);
    /// # unsafe { drop(a.into_owned()) }
    /// ```
    pub fn init(init: T::Init) -> Atomic<T> {
        Self::from(Owned::init(init))
    }

    /// The null pointer with tag 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::Atomic;
    ///
    /// static HEAD: Atomic<i32> = Atomic::null();
    /// ```
    #[cfg(not(loom))]
    pub const fn null() -> Atomic<T> {
        Self {
            word: AtomicTagged::null(),
        }
    }

    /// The null pointer with tag 0. Not a constant under loom.
    #[cfg(loom)]
    pub fn null() -> Atomic<T> {
        Self {
            word: AtomicTagged::null(),
        }
    }

    #[inline]
    fn from_tagged(tagged: Tagged<T>) -> Self {
        Self {
            word: AtomicTagged::new(tagged),
        }
    }

    /// Loads the pointer and its tag.
    ///
    /// # Panics
    ///
    /// If `ord` is `Release` or `AcqRel`.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::{self as epoch, Atomic};
    /// use std::sync::atomic::Ordering::Acquire;
    ///
    /// let a = Atomic::new(1234);
    /// let guard = &epoch::pin();
    /// let p = a.load(Acquire, guard);
    /// # unsafe { drop(a.into_owned()) }
    /// ```
    #[inline]
    pub fn load<'g>(&self, ord: Ordering, _: &'g Guard) -> Shared<'g, T> {
        Shared::from_tagged(self.word.load(ord))
    }

    /// Loads the pointer and its tag so that what depends on it may be read.
    ///
    /// The language has no "consume" ordering to build on, so this is an
    /// Acquire load: free on x86, one instruction that is nearly so on AArch64.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::{self as epoch, Atomic};
    ///
    /// let a = Atomic::new(1234);
    /// let guard = &epoch::pin();
    /// let p = a.load_consume(guard);
    /// # unsafe { drop(a.into_owned()) }
    /// ```
    #[inline]
    pub fn load_consume<'g>(&self, guard: &'g Guard) -> Shared<'g, T> {
        // Acquire: pairs with the Release with which the caller published.
        self.load(Ordering::Acquire, guard)
    }

    /// Stores a [`Shared`] or an [`Owned`], pointer and tag.
    ///
    /// What was there is forgotten, not dropped: use [`swap`](Self::swap) to
    /// get hold of it.
    ///
    /// # Panics
    ///
    /// If `ord` is `Acquire` or `AcqRel`.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::{Atomic, Owned};
    /// use std::sync::atomic::Ordering::Release;
    ///
    /// let a = Atomic::null();
    /// a.store(Owned::new(1234), Release);
    /// # unsafe { drop(a.into_owned()) }
    /// ```
    #[inline]
    pub fn store<P: Pointer<T>>(&self, new: P, ord: Ordering) {
        self.word.store(Tagged::from_word(new.into_ptr()), ord);
    }

    /// Stores a [`Shared`] or an [`Owned`], and returns what was there.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::{self as epoch, Atomic, Shared};
    /// use std::sync::atomic::Ordering::AcqRel;
    ///
    /// let a = Atomic::new(1234);
    /// let guard = &epoch::pin();
    /// let p = a.swap(Shared::null(), AcqRel, guard);
    /// // SAFETY: unlinked just now, and retired once.
    /// unsafe { guard.defer_destroy(p) };
    /// ```
    #[inline]
    pub fn swap<'g, P: Pointer<T>>(&self, new: P, ord: Ordering, _: &'g Guard) -> Shared<'g, T> {
        let new = Tagged::from_word(new.into_ptr());
        Shared::from_tagged(self.word.swap(new, ord))
    }

    /// Stores `new` if pointer and tag are those of `current`.
    ///
    /// Returns what was stored. An address that `guard` protected when
    /// `current` was loaded cannot have been freed and used again, so equality
    /// means that it is still the same object.
    ///
    /// # Errors
    ///
    /// If the atomic pointer held something else: that, and `new`.
    ///
    /// # Panics
    ///
    /// If `failure` is `Release` or `AcqRel`.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::{self as epoch, Atomic, Owned, Shared};
    /// use std::sync::atomic::Ordering::{AcqRel, Acquire};
    ///
    /// let a = Atomic::<i32>::null();
    /// let guard = &epoch::pin();
    /// let null = Shared::null();
    /// assert!(a.compare_exchange(null, Owned::new(1), AcqRel, Acquire, guard).is_ok());
    ///
    /// let lost = a
    ///     .compare_exchange(null, Owned::new(2), AcqRel, Acquire, guard)
    ///     .unwrap_err();
    /// assert_eq!(*lost.new, 2);
    /// // SAFETY: the guard protects it.
    /// assert_eq!(unsafe { lost.current.as_ref() }, Some(&1));
    /// # unsafe { drop(a.into_owned()) }
    /// ```
    #[inline]
    pub fn compare_exchange<'g, P>(
        &self,
        current: Shared<'_, T>,
        new: P,
        success: Ordering,
        failure: Ordering,
        _: &'g Guard,
    ) -> Result<Shared<'g, T>, CompareExchangeError<'g, T, P>>
    where
        P: Pointer<T>,
    {
        let word = new.into_ptr();
        let stored = Tagged::from_word(word);
        match self
            .word
            .compare_exchange(current.tagged, stored, success, failure)
        {
            Ok(()) => Ok(Shared::from_tagged(stored)),
            // SAFETY: `new` was made into `word`, which was not stored.
            Err(found) => Err(unsafe { refused(found, word) }),
        }
    }

    /// As [`compare_exchange`](Self::compare_exchange), and may also fail when
    /// the two are equal, which is cheaper on some machines. For loops.
    ///
    /// # Errors
    ///
    /// If the atomic pointer held something else, or for no reason.
    ///
    /// # Panics
    ///
    /// If `failure` is `Release` or `AcqRel`.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::{self as epoch, Atomic, Owned};
    /// use std::sync::atomic::Ordering::{AcqRel, Acquire};
    ///
    /// let a = Atomic::new(1234);
    /// let guard = &epoch::pin();
    /// let mut new = Owned::new(5678);
    /// let mut current = a.load(Acquire, guard);
    /// while let Err(e) = a.compare_exchange_weak(current, new, AcqRel, Acquire, guard) {
    ///     new = e.new;
    ///     current = e.current;
    /// }
    /// // SAFETY: unlinked just now, and retired once.
    /// unsafe { guard.defer_destroy(current) };
    /// # unsafe { drop(a.into_owned()) }
    /// ```
    #[inline]
    pub fn compare_exchange_weak<'g, P>(
        &self,
        current: Shared<'_, T>,
        new: P,
        success: Ordering,
        failure: Ordering,
        _: &'g Guard,
    ) -> Result<Shared<'g, T>, CompareExchangeError<'g, T, P>>
    where
        P: Pointer<T>,
    {
        let word = new.into_ptr();
        let stored = Tagged::from_word(word);
        match self
            .word
            .compare_exchange_weak(current.tagged, stored, success, failure)
        {
            Ok(()) => Ok(Shared::from_tagged(stored)),
            // SAFETY: `new` was made into `word`, which was not stored.
            Err(found) => Err(unsafe { refused(found, word) }),
        }
    }

    /// Computes what to store from what is there, until nobody comes between.
    ///
    /// `func` may run more than once; once it returns `None`, nothing is
    /// changed. Returns what was there before. Lock-free, if `func` is.
    ///
    /// # Errors
    ///
    /// If `func` returned `None`: what it was given last.
    ///
    /// # Panics
    ///
    /// If `fail_order` is `Release` or `AcqRel`.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::{self as epoch, Atomic};
    /// use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
    ///
    /// let a = Atomic::new(1234);
    /// let guard = &epoch::pin();
    /// let before = a.fetch_update(AcqRel, Acquire, guard, |p| {
    ///     if p.tag() == 0 { Some(p.with_tag(1)) } else { None }
    /// });
    /// assert_eq!(before.unwrap().tag(), 0);
    /// assert_eq!(a.load(Relaxed, guard).tag(), 1);
    /// # unsafe { drop(a.into_owned()) }
    /// ```
    #[inline]
    pub fn fetch_update<'g, F>(
        &self,
        set_order: Ordering,
        fail_order: Ordering,
        guard: &'g Guard,
        mut func: F,
    ) -> Result<Shared<'g, T>, Shared<'g, T>>
    where
        F: FnMut(Shared<'g, T>) -> Option<Shared<'g, T>>,
    {
        let mut current = self.load(fail_order, guard);
        while let Some(new) = func(current) {
            match self.compare_exchange_weak(current, new, set_order, fail_order, guard) {
                Ok(_) => return Ok(current),
                Err(e) => current = e.current,
            }
        }
        Err(current)
    }

    /// Ands `val` into the tag and returns what was there before. The pointer
    /// stays.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::{self as epoch, Atomic, Shared};
    /// use std::sync::atomic::Ordering::Relaxed;
    ///
    /// let a = Atomic::<i32>::from(Shared::null().with_tag(3));
    /// let guard = &epoch::pin();
    /// assert_eq!(a.fetch_and(2, Relaxed, guard).tag(), 3);
    /// assert_eq!(a.load(Relaxed, guard).tag(), 2);
    /// ```
    #[inline]
    pub fn fetch_and<'g>(&self, val: usize, ord: Ordering, _: &'g Guard) -> Shared<'g, T> {
        Shared::from_tagged(self.word.fetch_and_tag(val, ord))
    }

    /// Ors `val` into the tag and returns what was there before. The pointer
    /// stays; bits of `val` that a tag has no room for are cut off.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::{self as epoch, Atomic, Shared};
    /// use std::sync::atomic::Ordering::Relaxed;
    ///
    /// let a = Atomic::<i32>::from(Shared::null().with_tag(1));
    /// let guard = &epoch::pin();
    /// assert_eq!(a.fetch_or(2, Relaxed, guard).tag(), 1);
    /// assert_eq!(a.load(Relaxed, guard).tag(), 3);
    /// ```
    #[inline]
    pub fn fetch_or<'g>(&self, val: usize, ord: Ordering, _: &'g Guard) -> Shared<'g, T> {
        Shared::from_tagged(self.word.fetch_or_tag(val, ord))
    }

    /// Xors `val` into the tag and returns what was there before. The pointer
    /// stays; bits of `val` that a tag has no room for are cut off.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::{self as epoch, Atomic, Shared};
    /// use std::sync::atomic::Ordering::Relaxed;
    ///
    /// let a = Atomic::<i32>::from(Shared::null().with_tag(1));
    /// let guard = &epoch::pin();
    /// assert_eq!(a.fetch_xor(3, Relaxed, guard).tag(), 1);
    /// assert_eq!(a.load(Relaxed, guard).tag(), 2);
    /// ```
    #[inline]
    pub fn fetch_xor<'g>(&self, val: usize, ord: Ordering, _: &'g Guard) -> Shared<'g, T> {
        Shared::from_tagged(self.word.fetch_xor_tag(val, ord))
    }

    /// Takes ownership of what it points to. For a destructor, above all.
    ///
    /// # Panics
    ///
    /// If it is null, in debug builds.
    ///
    /// # Safety
    ///
    /// It is not null, nobody else has the object or can reach it (through a
    /// clone of this pointer, say), and its content happens before this call.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::Atomic;
    ///
    /// struct Slot(Atomic<String>);
    ///
    /// impl Drop for Slot {
    ///     fn drop(&mut self) {
    ///         // SAFETY: never null, and nobody can be inside any more.
    ///         drop(unsafe { std::mem::take(&mut self.0).into_owned() });
    ///     }
    /// }
    ///
    /// drop(Slot(Atomic::new("gone".into())));
    /// ```
    pub unsafe fn into_owned(self) -> Owned<T> {
        // SAFETY: not null, and the caller's alone.
        unsafe { self.into_shared().into_owned() }
    }

    /// Takes ownership of what it points to, if it is not null.
    ///
    /// # Safety
    ///
    /// As for [`into_owned`](Self::into_owned), except that it may be null.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::Atomic;
    ///
    /// // SAFETY: null is allowed.
    /// assert!(unsafe { Atomic::<i32>::null().try_into_owned() }.is_none());
    /// ```
    pub unsafe fn try_into_owned(self) -> Option<Owned<T>> {
        // SAFETY: the caller's contract.
        unsafe { self.into_shared().try_into_owned() }
    }

    /// What it holds, now that it has no other user.
    fn into_shared<'g>(self) -> Shared<'g, T> {
        // Relaxed: `self` is owned, so every other access happens before.
        Shared::from_tagged(self.word.load(Ordering::Relaxed))
    }
}

/// The error of an exchange that found `found` and did not store `word`.
///
/// # Safety
///
/// `word` came from `P::into_ptr` and was not stored.
#[inline]
unsafe fn refused<'g, T: ?Sized + Pointable, P: Pointer<T>>(
    found: Tagged<T>,
    word: *mut (),
) -> CompareExchangeError<'g, T, P> {
    CompareExchangeError {
        current: Shared::from_tagged(found),
        // SAFETY: `word` was not stored, so it is still the caller's.
        new: unsafe { P::from_ptr(word) },
    }
}

/// Shows where it points and its tag at some instant; the object is not read.
impl<T: ?Sized + Pointable> fmt::Debug for Atomic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Relaxed: the address is printed, not followed.
        let tagged = self.word.load(Ordering::Relaxed);
        f.debug_struct("Atomic")
            .field("raw", &tagged.pointer())
            .field("tag", &tagged.tag())
            .finish()
    }
}

impl<T: ?Sized + Pointable> fmt::Pointer for Atomic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Relaxed: the address is printed, not followed.
        fmt::Pointer::fmt(&self.word.load(Ordering::Relaxed).pointer(), f)
    }
}

impl<T: ?Sized + Pointable> Clone for Atomic<T> {
    /// Another pointer to the same object.
    ///
    /// The load is Relaxed: before the object is used through the clone,
    /// something else must order that after its publication.
    fn clone(&self) -> Self {
        // Relaxed: has no partner, as documented.
        Self::from_tagged(self.word.load(Ordering::Relaxed))
    }
}

impl<T: ?Sized + Pointable> Default for Atomic<T> {
    /// Null.
    fn default() -> Self {
        Atomic::null()
    }
}

impl<T: ?Sized + Pointable> From<Owned<T>> for Atomic<T> {
    /// Points to the object of `owned`, with its tag.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::{Atomic, Owned};
    ///
    /// let a = Atomic::<i32>::from(Owned::new(1234).with_tag(1));
    /// # unsafe { drop(a.into_owned()) }
    /// ```
    fn from(owned: Owned<T>) -> Self {
        Self::from_tagged(Tagged::from_word(owned.into_ptr()))
    }
}

impl<T> From<Box<T>> for Atomic<T> {
    /// Points to the object of `b`, which does not move.
    fn from(b: Box<T>) -> Self {
        Self::from(Owned::from(b))
    }
}

impl<T> From<T> for Atomic<T> {
    fn from(t: T) -> Self {
        Self::new(t)
    }
}

impl<'g, T: ?Sized + Pointable> From<Shared<'g, T>> for Atomic<T> {
    /// Points to where `ptr` points, with its tag.
    fn from(ptr: Shared<'g, T>) -> Self {
        Self::from_tagged(ptr.tagged)
    }
}

impl<T> From<*const T> for Atomic<T> {
    /// Points to where `raw` points. Its alignment is not looked at: what
    /// stands in its low bits becomes the tag.
    fn from(raw: *const T) -> Self {
        Self::from_tagged(Tagged::from_word(raw.cast_mut().cast()))
    }
}
