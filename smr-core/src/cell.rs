//! [`SmrCell`]: one shared value that is read often and replaced now and then.
//!
//! ```text
//!   cell ---> current value <--- readers that came after the last store
//!
//!             old value     <--- readers that came before it
//!               (retired; dropped when they have gone)
//! ```
//!
//! It is made for what every request looks at and somebody changes now and
//! then: configuration, routing tables, sets of rules, feature flags. A reader
//! writes nothing that another reader looks at: no reference count, no lock.
//!
//! The invariants, and every ordering with its partner, stand with the private
//! half of the cell.

use crate::domain::Domain;
use crate::guard::Guard;
use crate::raw::cell::RawCell;
use alloc::boxed::Box;
use core::error::Error;
use core::fmt;

/// One shared pointer to a value that is always there.
///
/// [`load`](Self::load) gives a plain reference to the current value, good for
/// as long as the guard is held and the cell is borrowed. Writers never wait
/// for readers: they put a new value in place, and the old one is *retired*,
/// that is dropped when nobody can be reading it any more.
///
/// # Bounds
///
/// A retired value may be dropped later, by any thread. So the methods that
/// replace the value ask for `T: Send + 'static`; making a cell and reading it
/// asks for nothing.
///
/// # Guards
///
/// A guard must belong to the domain of the cell, and must be a real one: every
/// method that takes a guard panics when it is given one of another domain, or
/// that of [`unprotected`](crate::unprotected). With exclusive access use
/// [`get_mut`](Self::get_mut) or [`into_inner`](Self::into_inner) instead.
///
/// Methods that take no guard enter a section of their own, with
/// [`Domain::pin`]. Where there are no thread-locals (without the feature
/// `std`) they take a slot of the domain for the moment, with
/// [`Domain::owned_guard`], which costs more; so pass a guard there.
///
/// # Examples
///
/// ```
/// use smr_core::SmrCell;
/// use std::thread;
///
/// struct Config { workers: usize }
///
/// let config = SmrCell::new(Config { workers: 1 });
/// thread::scope(|s| {
///     s.spawn(|| config.store(Config { workers: 8 }));
///     s.spawn(|| {
///         let guard = smr_core::pin();
///         let seen = config.load(&guard);
///         assert!(seen.workers == 1 || seen.workers == 8);
///     });
/// });
/// assert_eq!(config.into_inner().workers, 8);
/// ```
///
/// The value cannot be kept beyond the guard:
///
/// ```compile_fail,E0505
/// let cell = smr_core::SmrCell::new(1);
/// let guard = smr_core::pin();
/// let one = cell.load(&guard);
/// drop(guard);
/// assert_eq!(*one, 1);
/// ```
///
/// nor beyond the cell, which drops the current value with itself:
///
/// ```compile_fail,E0505
/// let cell = smr_core::SmrCell::new(1);
/// let guard = smr_core::pin();
/// let one = cell.load(&guard);
/// drop(cell);
/// assert_eq!(*one, 1);
/// ```
///
/// In this order all is well:
///
/// ```
/// let cell = smr_core::SmrCell::new(1);
/// let guard = smr_core::pin();
/// let one = cell.load(&guard);
/// assert_eq!(*one, 1);
/// drop(guard);
/// drop(cell);
/// ```
pub struct SmrCell<T> {
    raw: RawCell<T>,
}

/// What a failed [`SmrCell::compare_exchange`] gives back.
pub struct CompareExchangeError<'g, T> {
    /// The value that the cell held instead.
    pub current: &'g T,

    /// The value that was to be stored.
    pub new: T,
}

impl<T> SmrCell<T> {
    /// Makes a cell that holds `value`, in the global domain.
    ///
    /// # Complexity
    ///
    /// One allocation.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::SmrCell;
    ///
    /// let cell = SmrCell::new("on");
    /// assert_eq!(cell.load_cloned(), "on");
    /// ```
    #[cfg(all(feature = "std", not(loom)))]
    pub fn new(value: T) -> Self {
        Self::new_in(value, Domain::global())
    }

    /// Makes a cell that holds `value`, in `domain`, which it keeps open.
    ///
    /// # Complexity
    ///
    /// One allocation.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::{Domain, SmrCell};
    ///
    /// let domain = Domain::new();
    /// let cell = SmrCell::new_in("on", &domain);
    /// let guard = domain.pin();
    /// assert_eq!(*cell.load(&guard), "on");
    /// ```
    pub fn new_in(value: T, domain: &Domain) -> Self {
        Self::from_box_in(Box::new(value), domain)
    }

    /// As [`new`](Self::new), with a value that is on the heap already and does
    /// not move.
    ///
    /// # Complexity
    ///
    /// O(1), no allocation.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::SmrCell;
    ///
    /// let table: Box<[u32; 1024]> = Box::new([0; 1024]);
    /// let cell = SmrCell::from_box(table);
    /// assert_eq!(cell.into_inner()[0], 0);
    /// ```
    #[cfg(all(feature = "std", not(loom)))]
    pub fn from_box(value: Box<T>) -> Self {
        Self::from_box_in(value, Domain::global())
    }

    /// As [`new_in`](Self::new_in), with a value that is on the heap already
    /// and does not move.
    ///
    /// # Complexity
    ///
    /// O(1), no allocation.
    pub fn from_box_in(value: Box<T>, domain: &Domain) -> Self {
        Self {
            raw: RawCell::new(value, domain.clone()),
        }
    }

    /// The domain of the cell.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::{Domain, SmrCell};
    ///
    /// assert_eq!(SmrCell::new(1).domain(), Domain::global());
    /// ```
    #[must_use]
    pub fn domain(&self) -> &Domain {
        self.raw.domain()
    }

    /// The current value.
    ///
    /// The reference stays good, and shows the same value, however often the
    /// cell is changed meanwhile: it is a snapshot. While it is held, the
    /// values that are retired after the guard was made are not dropped, so do
    /// not hold a guard for long.
    ///
    /// # Complexity
    ///
    /// O(1), wait-free: one load. Linearizes at that load.
    ///
    /// # Panics
    ///
    /// If the guard does not protect this cell (see [above](Self#guards)).
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::SmrCell;
    ///
    /// let cell = SmrCell::new(1);
    /// let guard = smr_core::pin();
    /// let one = cell.load(&guard);
    /// cell.store(2);
    /// assert_eq!((*one, *cell.load(&guard)), (1, 2));
    /// ```
    #[inline]
    #[track_caller]
    pub fn load<'g>(&'g self, guard: &'g Guard) -> &'g T {
        self.raw.load(guard)
    }

    /// A clone of the current value, in a section of its own.
    ///
    /// Meant for values that are cheap to clone, `Arc`s above all: the clone
    /// may be kept as long as one likes, over an `.await` for instance.
    ///
    /// # Complexity
    ///
    /// O(1) and wait-free, but for the clone. Linearizes at the load of the
    /// pointer.
    ///
    /// # Panics
    ///
    /// If `T::clone` does, or if the domain has no slot left for this thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::SmrCell;
    /// use std::sync::Arc;
    ///
    /// let cell = SmrCell::new(Arc::new(String::from("routes")));
    /// let routes: Arc<String> = cell.load_cloned();
    /// assert_eq!(*routes, "routes");
    /// ```
    pub fn load_cloned(&self) -> T
    where
        T: Clone,
    {
        self.load(&section(self.domain())).clone()
    }

    /// The current value, to be changed in place.
    ///
    /// Nobody else has the cell, so nobody reads the value.
    ///
    /// # Complexity
    ///
    /// O(1), wait-free.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::SmrCell;
    ///
    /// let mut cell = SmrCell::new(vec![1]);
    /// cell.get_mut().push(2);
    /// assert_eq!(cell.into_inner(), [1, 2]);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.raw.get_mut()
    }

    /// The current value, moved out of the cell.
    ///
    /// # Complexity
    ///
    /// O(1), wait-free; frees the memory that the value was in.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::SmrCell;
    ///
    /// assert_eq!(SmrCell::new(String::from("a")).into_inner(), "a");
    /// ```
    pub fn into_inner(self) -> T {
        *self.raw.into_box()
    }
}

/// Enters a section of the calling thread.
#[cfg(all(feature = "std", not(loom)))]
#[inline]
fn section(domain: &Domain) -> Guard {
    domain.pin()
}

/// Enters a section that is bound to no thread: there are no thread-locals.
#[cfg(any(not(feature = "std"), loom))]
fn section(domain: &Domain) -> crate::guard::OwnedGuard {
    domain.owned_guard()
}

impl<T: Send + 'static> SmrCell<T> {
    /// Puts `value` in place of the current one, which is retired.
    ///
    /// Readers that hold the old value keep it; whoever loads from now on gets
    /// the new one. Enters a section of its own; [`swap`](Self::swap) does the
    /// same with yours.
    ///
    /// # Complexity
    ///
    /// O(1): one allocation, one swap of a word, one retirement, which may do
    /// its share of collecting. Never waits for readers or writers. Linearizes
    /// at the swap.
    ///
    /// # Panics
    ///
    /// If the domain has no slot left for this thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::SmrCell;
    ///
    /// let cell = SmrCell::new(1);
    /// cell.store(2);
    /// assert_eq!(cell.load_cloned(), 2);
    /// ```
    pub fn store(&self, value: T) {
        self.swap(value, &section(self.domain()));
    }

    /// Puts `value` in place of the current one, and returns that.
    ///
    /// The old value is retired, so there is only a reference to it, good for
    /// as long as the guard. No two calls return the same value.
    ///
    /// # Complexity
    ///
    /// As [`store`](Self::store). Linearizes at the swap.
    ///
    /// # Panics
    ///
    /// If the guard does not protect this cell (see [above](Self#guards)).
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::SmrCell;
    ///
    /// let cell = SmrCell::new(String::from("old"));
    /// let guard = smr_core::pin();
    /// assert_eq!(cell.swap(String::from("new"), &guard), "old");
    /// assert_eq!(cell.load(&guard), "new");
    /// ```
    #[track_caller]
    pub fn swap<'g>(&'g self, value: T, guard: &'g Guard) -> &'g T {
        self.raw.swap(Box::new(value), guard)
    }

    /// Puts `new` in place of the current value if that is `current`, and
    /// returns a reference to it in its place.
    ///
    /// The two are compared by address, never by `==`: `current` is what a
    /// [`load`](Self::load) returned, and as long as that reference lives its
    /// address cannot come back for another value, so success means that
    /// nobody changed the cell in between. (All values of a type without size
    /// have the same address, and it always succeeds.)
    ///
    /// # Complexity
    ///
    /// As [`store`](Self::store). Linearizes at the exchange of the word; on
    /// failure at the load that it comes down to.
    ///
    /// # Errors
    ///
    /// If the cell held another value: that, and `new`.
    ///
    /// # Panics
    ///
    /// If the guard does not protect this cell (see [above](Self#guards)).
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::SmrCell;
    ///
    /// let cell = SmrCell::new(1);
    /// let guard = smr_core::pin();
    /// let one = cell.load(&guard);
    /// assert_eq!(cell.compare_exchange(one, 2, &guard).unwrap(), &2);
    ///
    /// let late = cell.compare_exchange(one, 3, &guard).unwrap_err();
    /// assert_eq!((late.current, late.new), (&2, 3));
    /// ```
    #[track_caller]
    pub fn compare_exchange<'g>(
        &'g self,
        current: &T,
        new: T,
        guard: &'g Guard,
    ) -> Result<&'g T, CompareExchangeError<'g, T>> {
        self.raw
            .compare_exchange(current, Box::new(new), guard)
            .map_err(|(current, new)| CompareExchangeError { current, new: *new })
    }

    /// Puts `f(current)` in place of the current value, and returns the new
    /// one.
    ///
    /// No change that another thread makes is lost: where one comes between,
    /// the result is thrown away and `f` runs again, on the value that is
    /// current then. So `f` may run more than once and should have no other
    /// effect. It may read the cell; if it changes the cell every time, this
    /// never ends.
    ///
    /// # Complexity
    ///
    /// Each turn as [`store`](Self::store), and one allocation in all.
    /// Lock-free: a turn is lost only to another thread's change. Linearizes
    /// at the exchange of the word that succeeds.
    ///
    /// # Panics
    ///
    /// If `f` does; then the cell keeps the value that it has. If the guard
    /// does not protect this cell (see [above](Self#guards)).
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::SmrCell;
    /// use std::collections::BTreeMap;
    ///
    /// let routes = SmrCell::new(BTreeMap::from([("/", 1)]));
    /// let guard = smr_core::pin();
    /// let now = routes.update(&guard, |routes| {
    ///     let mut routes = routes.clone();
    ///     routes.insert("/health", 2);
    ///     routes
    /// });
    /// assert_eq!(now.len(), 2);
    /// ```
    #[track_caller]
    pub fn update<'g>(&'g self, guard: &'g Guard, mut f: impl FnMut(&T) -> T) -> &'g T {
        match self.try_update(guard, |current| Some(f(current))) {
            Ok(now) | Err(now) => now,
        }
    }

    /// As [`update`](Self::update), but leaves the cell alone once `f` returns
    /// `None`. Then it needs no memory; the process ends, as in `update`, if there is none
    /// for a new value.
    ///
    /// # Complexity
    ///
    /// As [`update`](Self::update). Where `f` refuses, it linearizes at the
    /// load of the value that `f` refused.
    ///
    /// # Errors
    ///
    /// If `f` returned `None`: the value that it was given last.
    ///
    /// # Panics
    ///
    /// As [`update`](Self::update).
    ///
    /// # Examples
    ///
    /// ```
    /// use smr_core::SmrCell;
    ///
    /// let tickets = SmrCell::new(1u32);
    /// let guard = smr_core::pin();
    /// assert_eq!(tickets.try_update(&guard, |n| n.checked_sub(1)), Ok(&0));
    /// assert_eq!(tickets.try_update(&guard, |n| n.checked_sub(1)), Err(&0));
    /// ```
    #[track_caller]
    pub fn try_update<'g>(
        &'g self,
        guard: &'g Guard,
        mut f: impl FnMut(&T) -> Option<T>,
    ) -> Result<&'g T, &'g T> {
        let mut current = self.load(guard);
        // What a turn that was lost leaves behind: its allocation is used again.
        let mut refused: Option<Box<T>> = None;
        loop {
            let value = f(current).ok_or(current)?;
            let new = match refused.take() {
                Some(mut place) => {
                    *place = value;
                    place
                }
                None => Box::new(value),
            };
            match self.raw.compare_exchange(current, new, guard) {
                Ok(now) => return Ok(now),
                Err((found, new)) => {
                    current = found;
                    refused = Some(new);
                }
            }
        }
    }
}

#[cfg(all(feature = "std", not(loom)))]
impl<T: Default> Default for SmrCell<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

#[cfg(all(feature = "std", not(loom)))]
impl<T> From<T> for SmrCell<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

/// Shows the current value.
impl<T: fmt::Debug> fmt::Debug for SmrCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let guard = section(self.domain());
        f.debug_tuple("SmrCell").field(self.load(&guard)).finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for CompareExchangeError<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompareExchangeError")
            .field("current", &self.current)
            .field("new", &self.new)
            .finish()
    }
}

impl<T> fmt::Display for CompareExchangeError<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the cell held another value")
    }
}

impl<T: fmt::Debug> Error for CompareExchangeError<'_, T> {}
