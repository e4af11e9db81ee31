//! Who may write to an RCU list, and where.
//!
//! A [`Writer`] exists while the lock is held, so its methods may change links. A
//! [`CursorMut`] borrows it exclusively, so the place that it stands at stays
//! linked.

use core::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smr_core::sync::{AtomicU64, Ordering};
use smr_core::{Guard, Pool, PoolGuard};

use super::node::Node;
use super::rcu::RawRcu;

type Raw<T> = RawRcu<T, Pool<Node<T>>>;

/// Proves that a lock of the caller's is held: a token that is kept in a lock can
/// be borrowed exclusively by one thread at a time.
///
/// One token may serve several lists.
///
/// ```
/// use smr_list::rcu_list::{RcuList, WriteToken};
/// use std::sync::Mutex;
///
/// let lock = Mutex::new(WriteToken::new());
/// let list = RcuList::with_token(&lock.lock().unwrap());
/// let mut token = lock.lock().unwrap();
/// list.write_with(&mut token).unwrap().push_back(1);
/// assert!(list.write_with(&mut WriteToken::new()).is_err(), "another lock's");
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct WriteToken(u64);

impl WriteToken {
    /// A token unlike all others.
    #[must_use]
    pub fn new() -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        // Relaxed: an increment gives each a number of its own.
        Self(NUMBERS.fetch_add(1, Ordering::Relaxed))
    }
}

impl Default for WriteToken {
    fn default() -> Self {
        Self::new()
    }
}

/// The lock of a list, or the token of the caller's lock.
#[derive(Debug)]
pub(crate) enum Lock {
    Own(Mutex<()>),
    Token(u64),
}

impl Lock {
    pub(crate) fn own() -> Self {
        Self::Own(Mutex::new(()))
    }

    pub(crate) fn of(token: &WriteToken) -> Self {
        Self::Token(token.0)
    }

    pub(crate) fn take<'l, T>(&'l self, raw: &'l Raw<T>) -> Option<Writer<'l, T>> {
        let Self::Own(lock) = self else { return None };
        // A panic leaves the list valid: each change is one store.
        let held = lock.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Writer::new(raw, Some(held)))
    }

    pub(crate) fn show<'l, T>(
        &'l self,
        raw: &'l Raw<T>,
        token: &'l mut WriteToken,
    ) -> Option<Writer<'l, T>> {
        match self {
            Self::Token(number) if *number == token.0 => Some(Writer::new(raw, None)),
            _ => None,
        }
    }
}

impl Lock {
    /// The writer, for who has the list exclusively.
    pub(crate) fn alone<'l, T>(&'l mut self, raw: &'l Raw<T>) -> Writer<'l, T> {
        Writer::new(raw, None)
    }
}

/// The writer of an [`RcuList`](crate::RcuList): it holds the lock.
///
/// Each method is one step for readers, and linearizes at its one store.
///
/// A method that inserts or removes may run destructors of what was removed before, while
/// the lock is held: they must not wait for it. Where one panics, so does the method, and
/// what it was to insert is dropped. The end of the writer gives the lock back before it
/// runs any.
pub struct Writer<'l, T> {
    raw: &'l Raw<T>,
    /// Goes before the guard, whose end runs destructors.
    _held: Option<MutexGuard<'l, ()>>,
    guard: PoolGuard<'l>,
}

impl<'l, T> Writer<'l, T> {
    fn new(raw: &'l Raw<T>, held: Option<MutexGuard<'l, ()>>) -> Self {
        Self {
            raw,
            _held: held,
            guard: raw.memory.pin(),
        }
    }

    /// Links a value in at the front. O(1).
    pub fn push_front(&mut self, value: T) {
        // SAFETY: the lock is held.
        unsafe { self.raw.insert(&self.guard, None, value) };
    }

    /// Links a value in at the back. O(1).
    pub fn push_back(&mut self, value: T) {
        let last = self.raw.last(&self.guard);
        // SAFETY: the lock is held, and the last node is linked.
        unsafe { self.raw.insert(&self.guard, last, value) };
    }

    /// Unlinks the first value, which is retired; returns it by reference. O(1).
    ///
    /// The reference lasts until the writer is used again.
    pub fn pop_front(&mut self) -> Option<&T> {
        // SAFETY: the lock is held.
        let node = unsafe { self.raw.remove(&self.guard, None) };
        node.map(|node| &node.value)
    }

    /// The first value. O(1).
    #[must_use]
    pub fn first(&self) -> Option<&T> {
        let node = self.raw.first(&self.guard);
        node.map(|node| &node.value)
    }

    /// The last value. O(1).
    #[must_use]
    pub fn last(&self) -> Option<&T> {
        let node = self.raw.last(&self.guard);
        node.map(|node| &node.value)
    }

    /// Unlinks all values in one step for readers. Linear.
    pub fn clear(&mut self) {
        // SAFETY: the lock is held.
        unsafe { self.raw.clear(&self.guard) };
    }

    /// Keeps the values for which `keep` holds. Linear.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        let mut cursor = self.cursor();
        while let Some(value) = cursor.current() {
            if keep(value) {
                cursor.move_next();
            } else {
                cursor.remove();
            }
        }
    }

    /// A cursor at the first element.
    ///
    /// ```
    /// use smr_list::RcuList;
    ///
    /// let list = RcuList::from_iter([1, 3]);
    /// let mut writer = list.write();
    /// let mut cursor = writer.cursor();
    /// cursor.insert_after(2);
    /// cursor.insert_before(0);
    /// drop(writer);
    /// assert!(list.iter(&list.guard()).eq(&[0, 1, 2, 3]));
    /// ```
    pub fn cursor(&mut self) -> CursorMut<'_, T> {
        CursorMut {
            raw: self.raw,
            guard: &self.guard,
            prev: None,
        }
    }

    /// Moves all elements of `other` behind the last. See
    /// [`CursorMut::splice_before`].
    pub(crate) fn append_raw(&mut self, other: Raw<T>) {
        let last = self.raw.last(&self.guard);
        splice(self.raw, &self.guard, last, other);
    }
}

/// Moves `other` behind `prev`, which is linked; the caller has the writer.
fn splice<T>(raw: &Raw<T>, guard: &Guard, prev: Option<&Node<T>>, mut other: Raw<T>) {
    if Arc::ptr_eq(&raw.memory, &other.memory) {
        // SAFETY: the lock is held, and the memory is the same.
        unsafe { raw.splice(prev, &mut other) };
        return;
    }
    // Nobody is inside `other`, so its values may move.
    let mut moved = RawRcu::new(Arc::clone(&raw.memory));
    while let Some(value) = other.pop_mut() {
        let last = moved.last(guard);
        // SAFETY: `moved` is ours alone, and `last` is linked in it.
        unsafe { moved.insert(guard, last, value) };
    }
    // SAFETY: the lock is held, and the memory is the same.
    unsafe { raw.splice(prev, &mut moved) };
}

impl<T: fmt::Debug> fmt::Debug for Writer<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

/// A place in an [`RcuList`](crate::RcuList), for its writer: at an element, or
/// behind the last. Each change is O(1), and one step for readers; but
/// [`move_to_front`](Self::move_to_front) is two.
pub struct CursorMut<'w, T> {
    raw: &'w Raw<T>,
    guard: &'w Guard,
    /// Linked: the writer is borrowed exclusively.
    prev: Option<&'w Node<T>>,
}

impl<'w, T> CursorMut<'w, T> {
    fn at(&self) -> Option<&'w Node<T>> {
        match self.prev {
            None => self.raw.first(self.guard),
            Some(prev) => self.raw.after(prev, self.guard),
        }
    }

    /// The element at the cursor; `None` behind the last.
    #[must_use]
    pub fn current(&self) -> Option<&'w T> {
        self.at().map(|node| &node.value)
    }

    /// Moves to the next element. Whether there was an element to leave.
    pub fn move_next(&mut self) -> bool {
        let here = self.at();
        self.prev = here.or(self.prev);
        here.is_some()
    }

    /// Links a value in before the cursor, which stays at its element.
    pub fn insert_before(&mut self, value: T) {
        // SAFETY: the writer holds the lock, and `prev` is linked.
        let new = unsafe { self.raw.insert(self.guard, self.prev, value) };
        self.prev = Some(new);
    }

    /// Links a value in behind the element at the cursor; behind the last element
    /// as [`insert_before`](Self::insert_before), but the cursor is then at it.
    pub fn insert_after(&mut self, value: T) {
        let prev = self.at().or(self.prev);
        // SAFETY: the writer holds the lock, and the node is linked.
        unsafe { self.raw.insert(self.guard, prev, value) };
    }

    /// Unlinks the element at the cursor, which moves to the next. The element is
    /// retired: readers that stand on it go on from it, and it cannot be linked
    /// again, for there is only a reference to it.
    pub fn remove(&mut self) -> Option<&'w T> {
        // SAFETY: the writer holds the lock, and `prev` is linked.
        let node = unsafe { self.raw.remove(self.guard, self.prev) };
        node.map(|node| &node.value)
    }

    /// Puts a value in place of the element at the cursor; readers find one or the
    /// other. Returns the old one.
    ///
    /// # Errors
    ///
    /// Behind the last element: the value.
    pub fn replace(&mut self, value: T) -> Result<&'w T, T> {
        // SAFETY: the writer holds the lock, and `prev` is linked.
        let old = unsafe { self.raw.replace(self.guard, self.prev, value) };
        old.map(|node| &node.value)
    }

    /// Moves the element at the cursor to the front: its clone, for the node that
    /// readers stand on must not be linked again. The cursor moves to the next. Whether
    /// there was an element; the first stays as it is.
    ///
    /// Two steps for readers, the clone first. A reader that begins between them may
    /// find the element twice: at the front, and where it was. One that had passed the
    /// front by then, and comes to the old place when the element has left it, does not
    /// find it at all. Every reader finds all other elements once.
    ///
    /// Where no reader may miss it: push a clone to the front, end the writer, wait for
    /// the readers ([`Domain::synchronize`](smr_core::Domain::synchronize)), and remove
    /// the old one with another writer. Until then readers may find both.
    ///
    /// # Panics
    ///
    /// If `T::clone` does; nothing has changed then. If a destructor does that runs on the
    /// occasion; then the element may be in the list twice.
    ///
    /// ```
    /// use smr_list::RcuList;
    ///
    /// let list = RcuList::from_iter([1, 2, 3]);
    /// let guard = list.guard();
    /// let mut late = list.iter(&guard);
    /// assert_eq!(late.next(), Some(&1));
    /// let mut writer = list.write();
    /// let mut cursor = writer.cursor();
    /// cursor.move_next();
    /// assert!(cursor.move_to_front());
    /// assert_eq!(cursor.current(), Some(&3));
    /// drop(writer);
    /// assert!(list.iter(&guard).eq(&[2, 1, 3]));
    /// assert!(late.eq(&[3]), "it had passed the front");
    /// ```
    pub fn move_to_front(&mut self) -> bool
    where
        T: Clone,
    {
        let Some(prev) = self.prev else {
            return self.move_next();
        };
        let Some(here) = self.at() else { return false };
        let copy = here.value.clone();
        // SAFETY: the writer holds the lock, and `prev` is linked.
        unsafe { self.raw.move_to_front(self.guard, prev, copy) };
        true
    }

    pub(crate) fn splice_raw(&mut self, other: Raw<T>) {
        let last = other.last(self.guard).map(core::ptr::NonNull::from);
        let same = Arc::ptr_eq(&self.raw.memory, &other.memory);
        let here = self.at().map(core::ptr::NonNull::from);
        splice(self.raw, self.guard, self.prev, other);
        if let (true, Some(last)) = (same, last) {
            // SAFETY: it is linked in this list now.
            self.prev = Some(unsafe { &*last.as_ptr() });
            return;
        }
        // The values moved to other nodes: walk to where the cursor stood.
        while self.at().map(core::ptr::NonNull::from) != here {
            if !self.move_next() {
                break;
            }
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for CursorMut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CursorMut")
            .field("current", &self.current())
            .finish_non_exhaustive()
    }
}
