//! Domains: one clock, its readers, and what was retired under it.

use core::fmt;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::time::Duration;

use crate::barrier::BarrierKind;
use crate::builder::DomainBuilder;
#[cfg(all(feature = "std", not(loom)))]
use crate::clock::GLOBAL_WRITE_HAND;
#[cfg(all(feature = "std", not(loom)))]
use crate::guard::Guard;
use crate::guard::OwnedGuard;
use crate::handle::{LocalHandle, RegisterError};
use crate::limits::RetireError;
use crate::ord;
use crate::raw::deferred::Deferred;
use crate::raw::inner::{Home, Inner};
use crate::raw::participant::{Label, Owner, Participant};
use crate::seq::{Seq, SeqError};
use crate::sync::{Arc, Ordering};
use crate::tunables::FIRST_SEQ;
use crate::wait::{self, WaitError};

/// A reclamation domain: one clock, the readers that follow it, and the garbage
/// that waits for them.
///
/// Readers of one domain hold up the reclamation of that domain only. Most
/// programs use the [global](Domain::global) one. A domain of its own is worth
/// having for a subsystem whose readers stall, or whose memory is to be bounded
/// apart.
///
/// A `Domain` is a handle: cloning it is cheap and names the same domain, and
/// two handles are equal if they do. When the last handle is dropped, all that
/// was retired is destroyed; what a guard still protects goes when that guard
/// does.
///
/// ```
/// use smr_core::Domain;
///
/// let domain = Domain::builder().name("routes").build()?;
/// let section = domain.register().pin();
/// let goal = domain.advance();
/// assert!(!domain.poll(goal), "a reader is inside");
/// drop(section);
/// assert!(domain.poll(goal));
/// # Ok::<(), smr_core::BuildError>(())
/// ```
#[repr(transparent)]
pub struct Domain {
    inner: Arc<Inner>,
}

// A destructor that panics leaves the domain as it should be.
impl UnwindSafe for Domain {}
impl RefUnwindSafe for Domain {}

impl Domain {
    /// A new domain with the defaults of [`builder`](Self::builder).
    ///
    /// ```
    /// let domain = smr_core::Domain::new();
    /// domain.retire(Box::new(7));
    /// domain.barrier();
    /// ```
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "the defaults are possible")]
    pub fn new() -> Self {
        Self::builder().build().expect("the defaults are possible")
    }

    /// Settings for a new domain.
    #[must_use]
    pub fn builder() -> DomainBuilder {
        DomainBuilder::default()
    }

    /// The domain of the process, which lives as long as it.
    ///
    /// ```
    /// use smr_core::{Domain, pin};
    ///
    /// assert!(pin().protects(Domain::global()));
    /// ```
    #[cfg(all(feature = "std", not(loom)))]
    #[must_use]
    #[inline]
    #[expect(clippy::missing_panics_doc, reason = "the defaults are possible")]
    pub fn global() -> &'static Self {
        static GLOBAL: std::sync::OnceLock<Domain> = std::sync::OnceLock::new();
        GLOBAL.get_or_init(|| {
            let builder = Self::builder().name("global");
            builder
                .build_with(Some(&GLOBAL_WRITE_HAND))
                .expect("the defaults are possible")
        })
    }

    /// The first handle of a new domain.
    pub(crate) fn first_handle(inner: Inner) -> Self {
        Self {
            inner: Arc::new(inner),
        }
    }

    #[inline(always)]
    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    /// A domain as its slots know it: without counting as a handle.
    pub(crate) fn from_ref(inner: &Arc<Inner>) -> &Self {
        // SAFETY: `Domain` is a transparent wrapper of `Arc<Inner>`.
        unsafe { &*core::ptr::from_ref(inner).cast::<Self>() }
    }

    pub(crate) fn from_inner(inner: &Arc<Inner>) -> Self {
        inner.handles.fetch_add(1, Ordering::Relaxed);
        Self {
            inner: Arc::clone(inner),
        }
    }

    /// The name that the builder was given.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.inner.name.as_deref()
    }

    /// How readers and polls synchronise: never [`BarrierKind::Auto`].
    #[must_use]
    pub fn barrier_kind(&self) -> BarrierKind {
        self.inner.clock.barrier.kind()
    }

    // -- the clock -----------------------------------------------------------

    /// Moves the write clock and returns the goal of all that the caller has
    /// unlinked before.
    ///
    /// Wait-free, one atomic addition on a shared word.
    pub fn advance(&self) -> Seq {
        self.seq(self.inner.clock.advance())
    }

    /// The newest goal that was handed out.
    ///
    /// Wait-free, one load.
    ///
    /// ```
    /// let domain = smr_core::Domain::new();
    /// let goal = domain.advance();
    /// assert_eq!(domain.now(), goal);
    /// ```
    #[must_use]
    pub fn now(&self) -> Seq {
        self.seq(self.inner.clock.now())
    }

    fn seq(&self, value: u64) -> Seq {
        Seq {
            domain: self.inner.id,
            value,
        }
    }

    /// Takes a number from [`Seq::into_raw`] back.
    ///
    /// # Errors
    ///
    /// [`SeqError::NotHandedOut`] for a number that this domain has not handed
    /// out yet, or never will.
    ///
    /// ```
    /// let domain = smr_core::Domain::new();
    /// let packed: u64 = domain.advance().into_raw();
    /// let goal = domain.seq_from_raw(packed)?;
    /// assert!(domain.poll(goal));
    /// # Ok::<(), smr_core::SeqError>(())
    /// ```
    pub fn seq_from_raw(&self, raw: u64) -> Result<Seq, SeqError> {
        if (FIRST_SEQ..=self.inner.clock.now()).contains(&raw) {
            Ok(self.seq(raw))
        } else {
            Err(SeqError::NotHandedOut)
        }
    }

    fn check(&self, goal: Seq) -> Result<u64, SeqError> {
        if goal.domain == self.inner.id {
            Ok(goal.value)
        } else {
            Err(SeqError::ForeignDomain)
        }
    }

    /// Whether every section that was open when `goal` was handed out has ended.
    ///
    /// Never waits. One load if that is known already; otherwise one heavy
    /// barrier (see [`BarrierKind`]) and a walk over the slots, which settles
    /// every goal handed out so far. Lock-free.
    ///
    /// # Panics
    ///
    /// If `goal` belongs to another domain; [`try_poll`](Self::try_poll)
    /// returns an error.
    ///
    /// ```
    /// let domain = smr_core::Domain::new();
    /// let section = domain.register().pin();
    /// let goal = domain.advance();
    /// assert!(!domain.poll(goal));
    /// drop(section);
    /// assert!(domain.poll(goal));
    /// ```
    #[must_use]
    pub fn poll(&self, goal: Seq) -> bool {
        self.try_poll(goal)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`poll`](Self::poll).
    ///
    /// # Errors
    ///
    /// [`SeqError::ForeignDomain`] if `goal` belongs to another domain.
    pub fn try_poll(&self, goal: Seq) -> Result<bool, SeqError> {
        Ok(self.inner.poll(self.check(goal)?))
    }

    /// Waits until [`poll`](Self::poll) is true: spins briefly, yields, then
    /// parks.
    ///
    /// # Panics
    ///
    /// If the calling thread is inside a section of this domain (it would wait
    /// for itself), and if `goal` belongs to another domain.
    /// [`try_wait`](Self::try_wait) returns an error. Guards that can change
    /// threads ([`OwnedGuard`]) are not known to belong to anyone: waiting while
    /// holding one never ends.
    ///
    /// Without the feature `std` the domain does not know its threads either: then
    /// a wait inside one's own section never ends.
    ///
    /// ```
    /// let domain = smr_core::Domain::new();
    /// let goal = domain.advance();
    /// // Nobody who could have seen what was unlinked before is inside after this:
    /// domain.wait(goal);
    /// ```
    pub fn wait(&self, goal: Seq) {
        self.wait_for(goal, None)
            .unwrap_or_else(|error| panic!("{error}"));
    }

    /// As [`wait`](Self::wait), for a limited time. Without the feature `std`
    /// there is no clock: the time is then counted in tries, one a microsecond.
    ///
    /// # Errors
    ///
    /// [`WaitError`]: the time was up, the wait would never end, or the goal is
    /// foreign.
    ///
    /// ```
    /// use smr_core::{Domain, WaitError};
    /// use std::time::Duration;
    ///
    /// let domain = Domain::new();
    /// let guard = domain.owned_guard();
    /// let goal = domain.advance();
    /// let timeout = Duration::from_millis(1);
    /// assert_eq!(domain.try_wait(goal, timeout), Err(WaitError::Timeout));
    /// drop(guard);
    /// assert_eq!(domain.try_wait(goal, timeout), Ok(()));
    /// ```
    pub fn try_wait(&self, goal: Seq, timeout: Duration) -> Result<(), WaitError> {
        self.wait_for(goal, Some(timeout))
    }

    fn wait_for(&self, goal: Seq, timeout: Option<Duration>) -> Result<(), WaitError> {
        let goal = self.check(goal)?;
        if self.inner.clock.is_expired(goal) {
            return Ok(());
        }
        if self.inner.in_own_section() {
            return Err(WaitError::InSection);
        }
        if wait::until_timeout(&self.inner, timeout, || self.inner.poll(goal)) {
            Ok(())
        } else {
            Err(WaitError::Timeout)
        }
    }

    /// Waits until every section that is open now has ended: `synchronize_rcu`
    /// in the words of the Linux kernel.
    ///
    /// # Panics
    ///
    /// If the calling thread is inside a section of this domain.
    pub fn synchronize(&self) {
        self.wait(self.advance());
    }

    /// As [`synchronize`](Self::synchronize), for a limited time.
    ///
    /// # Errors
    ///
    /// [`WaitError`]: the time was up, or the wait would never end.
    pub fn try_synchronize(&self, timeout: Duration) -> Result<(), WaitError> {
        self.try_wait(self.advance(), timeout)
    }

    // -- readers -------------------------------------------------------------

    /// Registers the caller with a slot of its own.
    ///
    /// # Panics
    ///
    /// If the domain has no slot left; [`try_register`](Self::try_register)
    /// returns an error.
    ///
    /// Lock-free. Released slots are used again.
    ///
    /// ```
    /// let domain = smr_core::Domain::new();
    /// let reader = domain.register();
    /// let guard = reader.pin();
    /// assert!(guard.protects(&domain));
    /// ```
    #[must_use]
    pub fn register(&self) -> LocalHandle {
        self.try_register()
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`register`](Self::register).
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the domain has no slot left, or there is no memory.
    pub fn try_register(&self) -> Result<LocalHandle, RegisterError> {
        let slot = self.claim(Owner::Thread(Label::of_this_thread()))?;
        Ok(LocalHandle::new(Self::clone(self), slot))
    }

    fn claim(&self, owner: Owner) -> Result<&Participant, RegisterError> {
        Inner::claim(&self.inner, owner).map_err(|full| RegisterError::new(full, &self.inner))
    }

    /// Enters a section of this domain on the calling thread, or nests in the
    /// one that is open. The thread is registered on first use.
    ///
    /// # Panics
    ///
    /// If the domain has no slot left; [`try_register`](Self::try_register)
    /// returns an error.
    ///
    /// Wait-free on a thread that has pinned before.
    ///
    /// ```
    /// let domain = smr_core::Domain::new();
    /// let guard = domain.pin();
    /// assert!(domain.is_pinned());
    /// drop(guard);
    /// assert!(!domain.is_pinned());
    /// ```
    #[cfg(all(feature = "std", not(loom)))]
    #[inline]
    pub fn pin(&self) -> Guard {
        crate::local::pin_in(self).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Whether the calling thread is inside a section of this domain, entered
    /// with [`pin`](Self::pin).
    #[cfg(all(feature = "std", not(loom)))]
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        crate::local::is_pinned_in(self)
    }

    /// Enters a section that is not bound to a thread: it may be held across
    /// `.await` and blocking calls and be sent to other threads.
    ///
    /// It takes a slot of its own, at the cost of a few atomic operations on
    /// shared memory; in the global domain a thread keeps the slot of the owned
    /// guard that it dropped last, and the next one costs little more than
    /// [`pin`](crate::pin).
    ///
    /// # Panics
    ///
    /// If the domain has no slot left.
    ///
    /// ```
    /// let domain = smr_core::Domain::new();
    /// let guard = domain.owned_guard();
    /// std::thread::spawn(move || drop(guard)).join().unwrap();
    /// ```
    #[inline]
    pub fn owned_guard(&self) -> OwnedGuard {
        match crate::local::take_spare(&self.inner) {
            Some(slot) => OwnedGuard::new(slot),
            None => self
                .new_owned_guard()
                .unwrap_or_else(|error| panic!("{error}")),
        }
    }

    /// As [`owned_guard`](Self::owned_guard).
    ///
    /// # Errors
    ///
    /// [`RegisterError`] if the domain has no slot left, or there is no memory.
    pub fn try_owned_guard(&self) -> Result<OwnedGuard, RegisterError> {
        match crate::local::take_spare(&self.inner) {
            Some(slot) => Ok(OwnedGuard::new(slot)),
            None => self.new_owned_guard(),
        }
    }

    #[cold]
    fn new_owned_guard(&self) -> Result<OwnedGuard, RegisterError> {
        // A thread that has a slot here is named there.
        let known = crate::local::has_slot(&self.inner);
        let label = (!known).then(Label::of_this_thread);
        Ok(OwnedGuard::new(self.claim(Owner::Guard(label))?))
    }

    // -- retiring ------------------------------------------------------------

    /// Takes over a value that was unlinked; drops it when every section that is
    /// open now has ended, on any thread.
    ///
    /// The value may be anything that cleans up when it is dropped: a box, an
    /// index that goes back to a free list, a file descriptor.
    ///
    /// Never waits for readers, except under [`OverLimit::Block`](crate::OverLimit::Block).
    ///
    /// Constant time, amortised, with at most two destructors of earlier values.
    ///
    /// # Panics
    ///
    /// If a destructor of an earlier value, run on this occasion, panics.
    ///
    /// ```
    /// let domain = smr_core::Domain::new();
    /// let reader = domain.register();
    /// let guard = reader.pin();
    /// domain.retire(String::from("unlinked"));
    /// assert_eq!(domain.stats().retired_items, 1);
    /// drop(guard);
    /// domain.barrier();
    /// assert_eq!(domain.stats().retired_items, 0);
    /// ```
    pub fn retire<T: Send + 'static>(&self, value: T) {
        self.defer_sized(size_of::<T>(), move || drop(value));
    }

    /// As [`retire`](Self::retire), unless the domain is over its limit and the
    /// policy is [`OverLimit::Error`](crate::OverLimit::Error).
    ///
    /// It is the limit that is tried, not memory: without any for the value to wait in, the
    /// process ends, as in `retire`. With a [`DeferRoom`](crate::DeferRoom) none is needed.
    ///
    /// # Errors
    ///
    /// [`RetireError`], with the value.
    ///
    /// ```
    /// use smr_core::{Domain, OverLimit};
    ///
    /// let limit = Domain::builder().max_retired_bytes(100, OverLimit::Error);
    /// let domain = limit.build()?;
    /// let _reader = domain.owned_guard();
    /// assert!(domain.try_retire([0_u8; 200]).is_ok());
    /// let refused = domain.try_retire("and this").unwrap_err();
    /// assert_eq!(refused.0, "and this");
    /// # Ok::<(), smr_core::BuildError>(())
    /// ```
    pub fn try_retire<T: Send + 'static>(&self, value: T) -> Result<(), RetireError<T>> {
        if self.inner.refuses() {
            return Err(RetireError(value));
        }
        self.retire(value);
        Ok(())
    }

    /// Runs `f` when every section that is open now has ended, on any thread.
    ///
    /// Costs and panics as [`retire`](Self::retire); a small closure is stored in
    /// place, a larger one in a box.
    pub fn defer<F: FnOnce() + Send + 'static>(&self, f: F) {
        self.defer_sized(size_of::<F>(), f);
    }

    /// As [`defer`](Self::defer), where `f` holds on to `bytes` bytes: they count
    /// for the limit, and for when a bucket is full.
    pub fn defer_sized<F: FnOnce() + Send + 'static>(&self, bytes: usize, f: F) {
        let deferred = Deferred::new(f);
        let home = crate::local::own(&self.inner).map_or(Home::Depot, Home::Own);
        self.inner.retire(home, deferred, bytes);
    }

    /// Collects for everybody what no reader holds up. Does not wait.
    ///
    /// Destructors that are ready run on this thread; a panic of one continues
    /// here after the others have run.
    ///
    /// Linear in the number of slots and in what is collected, with a few heavy
    /// barriers (see [`BarrierKind`]).
    ///
    /// # Panics
    ///
    /// If a destructor does.
    ///
    /// ```
    /// let domain = smr_core::Domain::new();
    /// domain.defer(|| println!("gone"));
    /// domain.flush(); // prints: nobody is inside
    /// ```
    pub fn flush(&self) {
        self.inner.flush();
    }

    /// Waits until everything that was retired before, by any thread, has been
    /// destroyed: `rcu_barrier` in the words of the Linux kernel.
    ///
    /// # Panics
    ///
    /// If the calling thread is inside a section of this domain, or runs a
    /// destructor of it; [`try_barrier`](Self::try_barrier) returns an error.
    ///
    /// Also if a destructor panics: after the others have run.
    ///
    /// ```
    /// let domain = smr_core::Domain::new();
    /// let (sender, receiver) = std::sync::mpsc::channel();
    /// domain.defer(move || sender.send(7).unwrap());
    /// domain.barrier();
    /// assert_eq!(receiver.try_recv(), Ok(7));
    /// ```
    pub fn barrier(&self) {
        self.inner
            .barrier(None, None)
            .unwrap_or_else(|error| panic!("{error}"));
    }

    /// As [`barrier`](Self::barrier). Each of its waits lasts `timeout` at most.
    ///
    /// # Errors
    ///
    /// [`WaitError`]: the time was up, or the wait would never end.
    pub fn try_barrier(&self, timeout: Duration) -> Result<(), WaitError> {
        self.inner.barrier(Some(timeout), None)
    }
}

impl Clone for Domain {
    fn clone(&self) -> Self {
        Self::from_inner(&self.inner)
    }
}

impl Drop for Domain {
    fn drop(&mut self) {
        // AcqRel: the last one sees what the others retired.
        if self.inner.handles.fetch_sub(1, ord::handle_drop()) == 1 {
            self.inner.close();
        }
    }
}

impl Default for Domain {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Domain {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl Eq for Domain {}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Domain")
            .field("id", &self.inner.id)
            .field("name", &self.name())
            .field("barrier", &self.barrier_kind())
            .finish_non_exhaustive()
    }
}
