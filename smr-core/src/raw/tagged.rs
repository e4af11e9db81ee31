//! The packed word: a pointer that carries a tag in its low bits.
//!
//! ```text
//!   63                                  k   k-1      0
//!  +---------------------------------------+----------+
//!  | address of the object, a multiple     |   tag    |     2^k = ALIGN
//!  | of ALIGN (or null)                    |          |
//!  +---------------------------------------+----------+
//! ```
//!
//! An object that is aligned to `2^k` bytes leaves the low `k` bits of its
//! address at zero, and the tag is kept there. Null may carry a tag as well.
//!
//! The word is a pointer and never becomes an integer: its address is changed
//! in place, so it keeps the provenance of the allocation and strict
//! provenance holds. [`Tagged`] is the only place that knows the mask.
//!
//! # Orderings
//!
//! [`AtomicTagged`] passes on the ordering that its caller chose; who pairs
//! with whom is decided where the orderings are written down.

use crate::pointer::Pointable;
use crate::sync::{AtomicPtr, Ordering};
use core::cmp;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;
use core::ptr;

/// A pointer to a `T` together with its tag.
pub(crate) struct Tagged<T: ?Sized + Pointable> {
    word: *mut (),
    _target: PhantomData<*const T>,
}

impl<T: ?Sized + Pointable> Tagged<T> {
    /// The bits of the word that hold the tag.
    const MASK: usize = {
        assert!(T::ALIGN.is_power_of_two());
        T::ALIGN - 1
    };

    /// The null pointer with tag 0.
    #[inline]
    pub(crate) const fn null() -> Self {
        Self::from_word(ptr::null_mut())
    }

    /// Takes `word` for what it is: pointer and tag together.
    #[inline]
    pub(crate) const fn from_word(word: *mut ()) -> Self {
        Self {
            word,
            _target: PhantomData,
        }
    }

    /// The untagged pointer `pointer`.
    ///
    /// # Panics
    ///
    /// If `pointer` is not a multiple of `T::ALIGN`.
    #[inline]
    #[track_caller]
    pub(crate) fn from_pointer(pointer: *mut ()) -> Self {
        let tagged = Self::from_word(pointer);
        assert!(tagged.tag() == 0, "unaligned pointer");
        tagged
    }

    /// Pointer and tag together, as [`from_word`](Self::from_word) takes them.
    #[inline]
    pub(crate) const fn into_word(self) -> *mut () {
        self.word
    }

    /// The pointer without its tag.
    #[inline]
    pub(crate) fn pointer(self) -> *mut () {
        self.word.map_addr(|word| word & !Self::MASK)
    }

    /// The tag.
    #[inline]
    pub(crate) fn tag(self) -> usize {
        self.word.addr() & Self::MASK
    }

    /// The same pointer with the low bits of `tag` for its tag; bits of `tag`
    /// that have no room are cut off.
    #[inline]
    pub(crate) fn with_tag(self, tag: usize) -> Self {
        let word = |word| (word & !Self::MASK) | (tag & Self::MASK);
        Self::from_word(self.word.map_addr(word))
    }

    /// Whether the pointer is null, whatever its tag.
    #[inline]
    pub(crate) fn is_null(self) -> bool {
        self.pointer().is_null()
    }
}

impl<T: ?Sized + Pointable> Clone for Tagged<T> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized + Pointable> Copy for Tagged<T> {}

impl<T: ?Sized + Pointable> PartialEq for Tagged<T> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

impl<T: ?Sized + Pointable> Eq for Tagged<T> {}

impl<T: ?Sized + Pointable> PartialOrd for Tagged<T> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: ?Sized + Pointable> Ord for Tagged<T> {
    #[inline]
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        self.word.cmp(&other.word)
    }
}

impl<T: ?Sized + Pointable> Hash for Tagged<T> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.word.hash(state);
    }
}

/// A [`Tagged`] that threads share.
#[repr(transparent)]
pub(crate) struct AtomicTagged<T: ?Sized + Pointable> {
    word: AtomicPtr<()>,
    /// A raw pointer: invariant, and neither `Send` nor `Sync` on its own.
    _target: PhantomData<*mut T>,
}

// SAFETY: the word itself is atomic. What it points to is handed from thread to
// thread (so `T: Send`) and is seen by several at a time (so `T: Sync`), by
// whoever may reach the word, be it by value or by reference.
unsafe impl<T: ?Sized + Pointable + Send + Sync> Send for AtomicTagged<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Pointable + Send + Sync> Sync for AtomicTagged<T> {}

impl<T: ?Sized + Pointable> AtomicTagged<T> {
    /// A word that holds null with tag 0.
    #[cfg(not(loom))]
    #[inline]
    pub(crate) const fn null() -> Self {
        Self {
            word: AtomicPtr::new(ptr::null_mut()),
            _target: PhantomData,
        }
    }

    /// A word that holds null with tag 0; the atomics of loom cannot be made
    /// in a constant.
    #[cfg(loom)]
    pub(crate) fn null() -> Self {
        Self::new(Tagged::null())
    }

    #[inline]
    pub(crate) fn new(tagged: Tagged<T>) -> Self {
        Self {
            word: AtomicPtr::new(tagged.into_word()),
            _target: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn load(&self, order: Ordering) -> Tagged<T> {
        Tagged::from_word(self.word.load(order))
    }

    #[inline]
    pub(crate) fn store(&self, new: Tagged<T>, order: Ordering) {
        self.word.store(new.into_word(), order);
    }

    #[inline]
    pub(crate) fn swap(&self, new: Tagged<T>, order: Ordering) -> Tagged<T> {
        Tagged::from_word(self.word.swap(new.into_word(), order))
    }

    /// Replaces `current` by `new`; on failure gives back what was found.
    #[inline]
    pub(crate) fn compare_exchange(
        &self,
        current: Tagged<T>,
        new: Tagged<T>,
        success: Ordering,
        failure: Ordering,
    ) -> Result<(), Tagged<T>> {
        self.word
            .compare_exchange(current.into_word(), new.into_word(), success, failure)
            .map(drop)
            .map_err(Tagged::from_word)
    }

    /// As [`compare_exchange`](Self::compare_exchange), and may fail for no
    /// reason.
    #[inline]
    pub(crate) fn compare_exchange_weak(
        &self,
        current: Tagged<T>,
        new: Tagged<T>,
        success: Ordering,
        failure: Ordering,
    ) -> Result<(), Tagged<T>> {
        self.word
            .compare_exchange_weak(current.into_word(), new.into_word(), success, failure)
            .map(drop)
            .map_err(Tagged::from_word)
    }

    /// Ands `tag` into the tag; answers the word before.
    #[inline]
    pub(crate) fn fetch_and_tag(&self, tag: usize, order: Ordering) -> Tagged<T> {
        let keep = tag | !Tagged::<T>::MASK;
        Tagged::from_word(imp::fetch_and(&self.word, keep, order))
    }

    /// Ors `tag` into the tag; answers the word before.
    #[inline]
    pub(crate) fn fetch_or_tag(&self, tag: usize, order: Ordering) -> Tagged<T> {
        let set = tag & Tagged::<T>::MASK;
        Tagged::from_word(imp::fetch_or(&self.word, set, order))
    }

    /// Xors `tag` into the tag; answers the word before.
    #[inline]
    pub(crate) fn fetch_xor_tag(&self, tag: usize, order: Ordering) -> Tagged<T> {
        let flip = tag & Tagged::<T>::MASK;
        Tagged::from_word(imp::fetch_xor(&self.word, flip, order))
    }
}

/// The bit operations of the machine.
#[cfg(not(loom))]
mod imp {
    use crate::sync::{AtomicPtr, Ordering};

    #[inline]
    pub(super) fn fetch_and(word: &AtomicPtr<()>, bits: usize, order: Ordering) -> *mut () {
        word.fetch_and(bits, order)
    }

    #[inline]
    pub(super) fn fetch_or(word: &AtomicPtr<()>, bits: usize, order: Ordering) -> *mut () {
        word.fetch_or(bits, order)
    }

    #[inline]
    pub(super) fn fetch_xor(word: &AtomicPtr<()>, bits: usize, order: Ordering) -> *mut () {
        word.fetch_xor(bits, order)
    }
}

/// The same by compare-and-exchange, for loom, whose pointers have no bit
/// operations.
#[cfg(loom)]
mod imp {
    use crate::sync::{AtomicPtr, Ordering};

    pub(super) fn fetch_and(word: &AtomicPtr<()>, bits: usize, order: Ordering) -> *mut () {
        fetch_map(word, order, |addr| addr & bits)
    }

    pub(super) fn fetch_or(word: &AtomicPtr<()>, bits: usize, order: Ordering) -> *mut () {
        fetch_map(word, order, |addr| addr | bits)
    }

    pub(super) fn fetch_xor(word: &AtomicPtr<()>, bits: usize, order: Ordering) -> *mut () {
        fetch_map(word, order, |addr| addr ^ bits)
    }

    fn fetch_map(word: &AtomicPtr<()>, order: Ordering, map: impl Fn(usize) -> usize) -> *mut () {
        // Relaxed: the value only feeds the exchange, which carries `order`.
        let mut current = word.load(Ordering::Relaxed);
        loop {
            let new = current.map_addr(&map);
            match word.compare_exchange(current, new, order, Ordering::Relaxed) {
                Ok(before) => return before,
                Err(found) => current = found,
            }
        }
    }
}
