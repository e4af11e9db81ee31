//! [`RcuList`]: one writer at a time, readers that only follow links.

use core::fmt;
use std::sync::Arc;

use smr_core::{Domain, Guard, Pool};

use crate::entry::{check, common};
use crate::raw::node::{Link, Node};
use crate::raw::rcu::RawRcu;
use crate::raw::rcu_writer::Lock;
pub use crate::raw::rcu_writer::{CursorMut, WriteToken, Writer};
use crate::stack::collection;

/// The kernel's RCU list: writers take turns, readers never wait.
///
/// Writers hold the list's own lock ([`write`](Self::write)), or one of the caller's
/// ([`with_token`](Self::with_token)). Readers walk at the speed of a plain list.
///
/// A removed element keeps its way on, for readers that stand on it, until no
/// section can see it. Until then it cannot be linked again: removing returns a
/// reference, and inserting takes a value.
///
/// ```
/// use smr_list::RcuList;
///
/// let list = RcuList::new();
/// list.write().push_back(1);
/// let guard = list.guard();
/// let mut reader = list.iter(&guard);
/// let one = reader.next();
/// let mut writer = list.write();
/// writer.push_back(2);
/// writer.pop_front();
/// assert_eq!((one, reader.next()), (Some(&1), Some(&2)));
/// ```
///
/// What a cursor removed is not to be linked again:
///
/// ```compile_fail,E0308
/// let list = smr_list::RcuList::from_iter([String::new()]);
/// let mut writer = list.write();
/// let mut cursor = writer.cursor();
/// let removed = cursor.remove().unwrap();
/// cursor.insert_before(removed);
/// ```
///
/// ```
/// let list = smr_list::RcuList::from_iter([String::new()]);
/// let mut writer = list.write();
/// let mut cursor = writer.cursor();
/// let removed = cursor.remove().unwrap();
/// cursor.insert_before(removed.clone());
/// ```
pub struct RcuList<T> {
    raw: RawRcu<T, Pool<Node<T>>>,
    lock: Lock,
}

/// The token is not that of the list's lock, or the list has a lock of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongToken;

impl fmt::Display for WrongToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the token is not the one that this list is written with")
    }
}

impl core::error::Error for WrongToken {}

impl<T> RcuList<T> {
    /// An empty list with a lock of its own, under the global domain.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Arc::new(Pool::scoped()), Lock::own())
    }

    /// An empty list with a lock of its own, under the given domain.
    #[must_use]
    pub fn new_in(domain: &Domain) -> Self {
        Self::of(Arc::new(Pool::scoped_in(domain)), Lock::own())
    }

    /// An empty list that is written with a lock of the caller's: that which keeps
    /// the token. See [`WriteToken`].
    #[must_use]
    pub fn with_token(token: &WriteToken) -> Self {
        Self::of(Arc::new(Pool::scoped()), Lock::of(token))
    }

    /// As [`with_token`](Self::with_token), under the given domain.
    #[must_use]
    pub fn with_token_in(token: &WriteToken, domain: &Domain) -> Self {
        Self::of(Arc::new(Pool::scoped_in(domain)), Lock::of(token))
    }

    /// An empty list with a lock of its own that shares its memory with this one:
    /// joining the two moves no value. What was removed from either may wait for the end
    /// of both.
    #[must_use]
    pub fn sibling(&self) -> Self {
        Self::of(Arc::clone(&self.raw.memory), Lock::own())
    }

    fn of(memory: Arc<Pool<Node<T>>>, lock: Lock) -> Self {
        Self {
            raw: RawRcu::new(memory),
            lock,
        }
    }

    fn pool(&self) -> &Pool<Node<T>> {
        &self.raw.memory
    }

    common!(T);

    /// Whether there is no element. Wait-free.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    #[track_caller]
    pub fn is_empty(&self, guard: &Guard) -> bool {
        self.first(guard).is_none()
    }

    /// The first element. Wait-free.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    #[track_caller]
    pub fn first<'g>(&'g self, guard: &'g Guard) -> Option<&'g T> {
        self.iter(guard).next()
    }

    /// Iterates from the front. Each step is wait-free: one load.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    #[track_caller]
    #[inline]
    pub fn iter<'g>(&'g self, guard: &'g Guard) -> Iter<'g, T> {
        check(guard, self.pool());
        Iter {
            list: &self.raw,
            way: Some(self.raw.way()),
            guard,
        }
    }

    /// Waits for the list's own lock. Blocking.
    ///
    /// # Panics
    ///
    /// If the list is written with a token.
    #[track_caller]
    pub fn write(&self) -> Writer<'_, T> {
        self.lock
            .take(&self.raw)
            .expect("the list is written with a token")
    }

    /// The writer, for whoever holds the caller's lock.
    ///
    /// # Errors
    ///
    /// [`WrongToken`].
    pub fn write_with<'l>(
        &'l self,
        token: &'l mut WriteToken,
    ) -> Result<Writer<'l, T>, WrongToken> {
        self.lock.show(&self.raw, token).ok_or(WrongToken)
    }

    /// Takes the first element out.
    pub fn pop_mut(&mut self) -> Option<T> {
        self.raw.pop_mut()
    }
}

impl<T> Writer<'_, T> {
    /// Moves all elements of `other` behind the last, in one step for readers.
    ///
    /// O(1) for a [sibling](RcuList::sibling); for another list its values move to
    /// nodes of this one first.
    ///
    /// ```
    /// use smr_list::RcuList;
    ///
    /// let list = RcuList::from_iter([1]);
    /// let mut more = list.sibling();
    /// more.extend([2, 3]);
    /// list.write().append(more);
    /// assert!(list.iter(&list.guard()).eq(&[1, 2, 3]));
    /// ```
    pub fn append(&mut self, other: RcuList<T>) {
        self.append_raw(other.raw);
    }
}

impl<T> CursorMut<'_, T> {
    /// Moves all elements of `other` before the cursor, in one step for readers. The
    /// cursor stays at its element. As [`Writer::append`].
    ///
    /// ```
    /// use smr_list::RcuList;
    ///
    /// let list = RcuList::from_iter([1, 4]);
    /// let mut writer = list.write();
    /// let mut cursor = writer.cursor();
    /// cursor.move_next();
    /// cursor.splice_before(RcuList::from_iter([2, 3]));
    /// assert_eq!(cursor.current(), Some(&4));
    /// drop(writer);
    /// assert!(list.iter(&list.guard()).eq(&[1, 2, 3, 4]));
    /// ```
    pub fn splice_before(&mut self, other: RcuList<T>) {
        self.splice_raw(other.raw);
    }
}

/// An iterator over an [`RcuList`].
pub struct Iter<'g, T> {
    list: &'g RawRcu<T, Pool<Node<T>>>,
    /// The link to what comes next, until the end was met.
    way: Option<&'g Link<T>>,
    guard: &'g Guard,
}

impl<'g, T> Iterator for Iter<'g, T> {
    type Item = &'g T;

    #[inline]
    fn next(&mut self) -> Option<&'g T> {
        let node = self.list.behind(self.way?, self.guard);
        self.way = node.map(|node| &node.next);
        node.map(|node| &node.value)
    }
}

impl<T> core::iter::FusedIterator for Iter<'_, T> {}

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

collection!(RcuList);

impl<T> Extend<T> for RcuList<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, iter: I) {
        let new = self.sibling();
        let mut writer = new.write();
        for value in iter {
            writer.push_back(value);
        }
        drop(writer);
        self.append_mut(new);
    }
}

impl<T> RcuList<T> {
    fn append_mut(&mut self, other: Self) {
        self.lock.alone(&self.raw).append(other);
    }
}

impl<T: Clone> Clone for RcuList<T> {
    /// With a lock of its own.
    fn clone(&self) -> Self {
        let new = Self::new_in(self.domain());
        let guard = self.guard();
        let mut writer = new.write();
        for value in self.iter(&guard) {
            writer.push_back(value.clone());
        }
        drop(writer);
        new
    }
}
