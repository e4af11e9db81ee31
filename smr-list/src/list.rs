//! [`List`]: push at the front, remove by handle.

use core::fmt;

use smr_core::{Domain, Guard, Pool};

use crate::entry::{check, common};
use crate::raw::chain::Chain;
use crate::raw::list::{RawHandle, RawList};
use crate::raw::node::Node;
use crate::stack::{Iter, collection};

/// A lock-free list, whose elements are removed by the handle that pushing them
/// returned.
///
/// | | progress | complexity | linearizes at |
/// |---|---|---|---|
/// | [`push_front`](Self::push_front) | lock-free | O(1) | the exchange of the head |
/// | [`remove`](Self::remove) | lock-free | O(1) amortised: now and then it sweeps the list | the mark of the node |
/// | [`get`](Self::get) | wait-free | O(1) | |
/// | [`iter`](Self::iter) | each step lock-free, no write | | each element at an instant of its own |
///
/// Removed elements wait in the list for a sweep: at most as many as elements are
/// left, or 32 if that is more, and those that were removed during the sweep before.
/// [`sweep`](Self::sweep) and [`flush`](Self::flush) do not wait for that many.
///
/// A handle removes once, which the compiler sees to:
///
/// ```compile_fail,E0382
/// let list = smr_list::List::new();
/// let guard = list.guard();
/// let handle = list.push_front(1, &guard);
/// list.remove(handle, &guard).unwrap();
/// list.remove(handle, &guard).unwrap();
/// ```
///
/// ```
/// let list = smr_list::List::new();
/// let guard = list.guard();
/// let handle = list.push_front(1, &guard);
/// assert_eq!(list.remove(handle, &guard).unwrap(), &1);
/// ```
pub struct List<T> {
    raw: RawList<T, Pool<Node<T>>>,
}

/// The right to remove one element of a [`List`].
///
/// Dropping it leaves the element in the list, for as long as that lives.
#[must_use = "the element can be removed by its handle alone"]
pub struct Handle<T>(RawHandle<T>);

impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

/// The handle is one of another list, or of one that was cleared since; it comes
/// back.
pub struct WrongList<T>(pub Handle<T>);

impl<T> fmt::Debug for WrongList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WrongList").field(&self.0).finish()
    }
}

impl<T> fmt::Display for WrongList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the handle is not one of this list")
    }
}

impl<T> core::error::Error for WrongList<T> {}

impl<T> List<T> {
    /// An empty list under the global domain. It owns no heap.
    ///
    /// ```
    /// use smr_list::List;
    ///
    /// static LISTENERS: List<fn(u32) -> u32> = List::new();
    /// let guard = LISTENERS.guard();
    /// let double = LISTENERS.push_front(|n| 2 * n, &guard);
    /// assert!(LISTENERS.iter(&guard).map(|f| f(21)).eq([42]));
    /// assert!(LISTENERS.remove(double, &guard).is_ok());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self {
            raw: RawList::new(Pool::scoped()),
        }
    }

    /// An empty list under the given domain.
    #[must_use]
    pub fn new_in(domain: &Domain) -> Self {
        Self {
            raw: RawList::new(Pool::scoped_in(domain)),
        }
    }

    fn pool(&self) -> &Pool<Node<T>> {
        &self.raw.chain.memory
    }

    common!(T; tidy sweep);

    /// Whether there was no element at an instant of the call. Lock-free.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    #[track_caller]
    pub fn is_empty(&self, guard: &Guard) -> bool {
        check(guard, self.pool());
        self.raw.chain.first(guard).is_none()
    }

    /// The first element. Lock-free, no write.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    #[track_caller]
    pub fn first<'g>(&'g self, guard: &'g Guard) -> Option<&'g T> {
        check(guard, self.pool());
        self.raw.chain.first(guard).map(|node| &node.value)
    }

    /// Links a value in at the front.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain, or a destructor that runs on the
    /// occasion panics; the value is dropped then.
    #[track_caller]
    pub fn push_front(&self, value: T, guard: &Guard) -> Handle<T> {
        check(guard, self.pool());
        Handle(self.raw.push(value, guard))
    }

    /// The element of a handle; `None` if it is one of another list.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    #[track_caller]
    pub fn get<'g>(&'g self, handle: &Handle<T>, guard: &'g Guard) -> Option<&'g T> {
        check(guard, self.pool());
        self.raw.get(&handle.0, guard).map(|node| &node.value)
    }

    /// Removes the element of a handle, which lives as long as the guard.
    ///
    /// # Errors
    ///
    /// [`WrongList`], with the handle, if it is not one of this list.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain, or a destructor that runs on the
    /// occasion panics; the element is removed then.
    ///
    /// ```
    /// use smr_list::List;
    ///
    /// let (one, other) = (List::new(), List::new());
    /// let guard = one.guard();
    /// let handle = one.push_front(7, &guard);
    /// let wrong = other.remove(handle, &guard).unwrap_err();
    /// assert_eq!(one.remove(wrong.0, &guard).unwrap(), &7);
    /// ```
    #[track_caller]
    pub fn remove<'g>(
        &'g self,
        handle: Handle<T>,
        guard: &'g Guard,
    ) -> Result<&'g T, WrongList<T>> {
        check(guard, self.pool());
        match self.raw.remove(handle.0, guard) {
            Ok(node) => Ok(&node.value),
            Err(handle) => Err(WrongList(Handle(handle))),
        }
    }

    /// Unlinks what was removed and is still waiting for that. Linear.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain, or a destructor panics.
    #[track_caller]
    pub fn sweep(&self, guard: &Guard) {
        check(guard, self.pool());
        self.raw.sweep(guard);
    }

    /// Iterates from the front. See [the crate](crate#iterating).
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    #[track_caller]
    pub fn iter<'g>(&'g self, guard: &'g Guard) -> Iter<'g, T> {
        check(guard, self.pool());
        let chain = &self.raw.chain;
        Iter {
            list: chain,
            at: chain.live(chain.head.walk(), guard),
            guard,
        }
    }

    /// Takes the first element out. Handles that exist are no longer of this list.
    pub fn pop_mut(&mut self) -> Option<T> {
        self.raw.chain_mut().pop_mut()
    }

    /// Takes all elements out; those that the iterator was not asked for are dropped with
    /// it. Handles that exist are no longer of this list.
    ///
    /// ```
    /// let mut list = smr_list::List::from([1, 2, 3]);
    /// assert_eq!(list.drain().next(), Some(3));
    /// assert!(list.is_empty(&list.guard()));
    /// ```
    pub fn drain(&mut self) -> Drain<'_, T> {
        Drain(self.raw.chain_mut())
    }

    /// Drops all elements. Handles that exist are no longer of this list.
    pub fn clear(&mut self) {
        self.raw.chain_mut().clear_mut();
    }
}

/// What is drained from a [`List`].
pub struct Drain<'l, T>(&'l mut Chain<T, Pool<Node<T>>>);

impl<T> Iterator for Drain<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.pop_mut()
    }
}

impl<T> core::iter::FusedIterator for Drain<'_, T> {}

impl<T> Drop for Drain<'_, T> {
    fn drop(&mut self) {
        self.0.clear_mut();
    }
}

impl<T> fmt::Debug for Drain<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain").finish_non_exhaustive()
    }
}

collection!(List);

/// Each at the front, and without a handle: they stay until the list goes.
impl<T> Extend<T> for List<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, iter: I) {
        for value in iter {
            drop(self.push_front(value, &self.guard()));
        }
    }
}

impl<T: Clone> Clone for List<T> {
    /// The same elements, without handles: those of this list are not good for it.
    fn clone(&self) -> Self {
        let new = Self::new_in(self.domain());
        let guard = self.guard();
        let mut last = None;
        for value in self.iter(&guard) {
            last = Some(new.raw.chain.push_behind(last, value.clone(), &guard));
        }
        new
    }
}
