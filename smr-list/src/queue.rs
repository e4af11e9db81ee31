//! [`Queue`]: first in, first out.

use core::fmt;

use smr_core::{Domain, Guard, Pool};

use crate::entry::{check, common};
use crate::raw::queue::{Place, RawQueue};
use crate::raw::segment::{Parcel, Segment};
use crate::stack::collection;

/// A lock-free queue of segments.
///
/// A value that is popped may still be seen by those who peeked at it, so popping
/// returns a reference, good as long as the guard. [`pop_cloned`](Self::pop_cloned)
/// copies it out; the owner of the queue takes values out ([`pop_mut`](Self::pop_mut),
/// `into_iter`).
///
/// | | progress | complexity | linearizes at |
/// |---|---|---|---|
/// | [`push`](Self::push) | lock-free | O(1) | the claim of the slot that it fills |
/// | [`pop`](Self::pop) | lock-free | O(1) | the exchange that takes the slot; one that finds nothing: its load of what was claimed |
/// | [`peek`](Self::peek), [`is_empty`](Self::is_empty) | lock-free; they write only where a push is under way | O(1) | the load of the slot, or just before a pop takes it |
/// | [`iter`](Self::iter) | each step lock-free, no write | | each element at an instant of its own |
///
/// Segments have 64 slots of a word. A thread that is stopped in the middle of a push
/// holds nobody up: its slot is given up, and when it goes on it takes another.
///
/// ```
/// let queue = smr_list::Queue::new();
/// let guard = queue.guard();
/// queue.push(1, &guard);
/// queue.push(2, &guard);
/// assert_eq!(queue.pop(&guard), Some(&1));
/// assert_eq!(queue.peek(&guard), Some(&2));
/// ```
pub struct Queue<T> {
    raw: RawQueue<T, Pool<Segment<T>>, Pool<Parcel<T>>>,
}

impl<T> Queue<T> {
    /// An empty queue under the global domain. It owns no heap.
    ///
    /// ```
    /// static JOBS: smr_list::Queue<u32> = smr_list::Queue::new();
    /// JOBS.push(7, &JOBS.guard());
    /// assert_eq!(JOBS.pop_cloned(), Some(7));
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self {
            raw: RawQueue::new(Pool::scoped(), Pool::scoped()),
        }
    }

    /// An empty queue under the given domain.
    #[must_use]
    pub fn new_in(domain: &Domain) -> Self {
        Self {
            raw: RawQueue::new(Pool::scoped_in(domain), Pool::scoped_in(domain)),
        }
    }

    fn pool(&self) -> &Pool<Parcel<T>> {
        &self.raw.values
    }

    fn segments(&self) -> &Pool<Segment<T>> {
        &self.raw.segments
    }

    common!(T; beside segments);

    /// Whether there was nothing to pop at an instant of the call. Lock-free.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    #[track_caller]
    pub fn is_empty(&self, guard: &Guard) -> bool {
        self.peek(guard).is_none()
    }

    /// Puts a value at the end.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain, or a destructor that runs on the
    /// occasion panics; the value is dropped then.
    #[track_caller]
    #[inline(always)]
    pub fn push(&self, value: T, guard: &Guard) {
        check(guard, self.pool());
        self.raw.push(guard, value);
    }

    /// Takes the first value.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain, or a destructor that runs on the
    /// occasion panics.
    #[track_caller]
    #[inline(always)]
    pub fn pop<'g>(&'g self, guard: &'g Guard) -> Option<&'g T> {
        check(guard, self.pool());
        self.raw.pop(guard)
    }

    /// Takes the first value, and returns a clone of it. In a section of its own.
    ///
    /// # Panics
    ///
    /// As [`pop`](Self::pop), and if `T::clone` does; the value is gone then.
    pub fn pop_cloned(&self) -> Option<T>
    where
        T: Clone,
    {
        self.pop(&self.guard()).cloned()
    }

    /// The first value.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    #[track_caller]
    pub fn peek<'g>(&'g self, guard: &'g Guard) -> Option<&'g T> {
        check(guard, self.pool());
        self.raw.peek(guard)
    }

    /// Iterates from the first value on, also over those that are popped meanwhile
    /// and those that are pushed before it gets to the end.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    #[track_caller]
    pub fn iter<'g>(&'g self, guard: &'g Guard) -> Iter<'g, T> {
        check(guard, self.pool());
        Iter {
            queue: self,
            place: None,
            guard,
        }
    }

    /// Pops until nothing is left: one value at each step of the iterator. Those that it
    /// was not asked for stay.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain. A step does as [`pop`](Self::pop).
    ///
    /// ```
    /// let queue = smr_list::Queue::from_iter([1, 2]);
    /// let guard = queue.guard();
    /// assert!(queue.drain(&guard).eq(&[1, 2]));
    /// ```
    #[track_caller]
    pub fn drain<'g>(&'g self, guard: &'g Guard) -> impl Iterator<Item = &'g T> {
        check(guard, self.pool());
        core::iter::from_fn(move || self.pop(guard))
    }

    /// Pops until nothing is left.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain, or a destructor that runs on the
    /// occasion panics.
    #[track_caller]
    pub fn clear(&self, guard: &Guard) {
        self.drain(guard).for_each(drop);
    }

    /// Takes the first value out.
    pub fn pop_mut(&mut self) -> Option<T> {
        self.raw.pop_mut()
    }
}

/// An iterator over a [`Queue`].
pub struct Iter<'g, T> {
    queue: &'g Queue<T>,
    place: Option<Place<'g, T>>,
    guard: &'g Guard,
}

impl<'g, T> Iterator for Iter<'g, T> {
    type Item = &'g T;

    fn next(&mut self) -> Option<&'g T> {
        self.queue.raw.step(&mut self.place, self.guard)
    }
}

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}

collection!(Queue);

impl<T> Extend<T> for Queue<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, iter: I) {
        for value in iter {
            self.push(value, &self.guard());
        }
    }
}

impl<T: Clone> Clone for Queue<T> {
    fn clone(&self) -> Self {
        let new = Self::new_in(self.domain());
        let guard = self.guard();
        for value in self.iter(&guard) {
            new.push(value.clone(), &guard);
        }
        new
    }
}
