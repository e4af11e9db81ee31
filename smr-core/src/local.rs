//! The calling thread's slots.
//!
//! One per domain that the thread has used. The slot of the global domain and
//! that of the domain used last are kept in thread-locals without a destructor,
//! which stay readable to the very end of the thread. The list of all has one:
//! it gives the slots back. A guard that lives longer, in another thread-local,
//! keeps its slot until it is dropped. A thread that pins after its list has
//! gone gets a slot for that one section.
//!
//! The slot of the last owned guard of the global domain that a thread dropped
//! stays with the thread, for the next one.
//!
//! A slot keeps the inside of its domain allocated, but does not keep the domain
//! open. Slots of closed domains are dropped when the thread next registers.

#[cfg(all(feature = "std", not(loom)))]
mod imp {
    use core::cell::{Cell, RefCell};
    use core::hint::cold_path;

    use crate::sync::Arc;
    use alloc::vec::Vec;

    use crate::domain::Domain;
    use crate::guard::Guard;
    use crate::handle::RegisterError;
    use crate::raw::inner::Inner;
    use crate::raw::participant::{LEAVING, Label, Owner, Participant};
    use crate::run;
    use crate::sync::Ordering;

    std::thread_local! {
        // Only where `enter_global` may be used.
        static GLOBAL: Cell<Option<&'static Participant>> = const { Cell::new(None) };
        static LAST: Cell<Option<&'static Participant>> = const { Cell::new(None) };
        // Of the global domain, and free for an owned guard.
        static SPARE: Cell<Option<&'static Participant>> = const { Cell::new(None) };
        static SLOTS: Slots = const { Slots(RefCell::new(Vec::new())) };
    }

    struct Slots(RefCell<Vec<&'static Participant>>);

    impl Drop for Slots {
        fn drop(&mut self) {
            GLOBAL.set(None);
            LAST.set(None);
            if let Some(spare) = SPARE.take() {
                let _ = run::catch(|| drop(spare.domain().release(spare)));
            }
            for slot in core::mem::take(self.0.get_mut()) {
                // A panic has nowhere to go from here: it would be the end of
                // the process. The hook has reported it.
                let _ = run::catch(|| drop(slot.domain().leave(slot)));
            }
        }
    }

    /// Enters a section of the global domain.
    ///
    /// The first time on a thread this registers it; after that it is wait-free
    /// and touches nothing but the thread's own slot and the clock.
    ///
    /// # Panics
    ///
    /// If the global domain has no slot left: 2^20 threads are inside.
    ///
    /// ```
    /// let guard = smr_core::pin();
    /// // What is loaded under the guard stays until the guard goes.
    /// drop(guard);
    /// ```
    #[inline]
    pub fn pin() -> Guard {
        match GLOBAL.get() {
            Some(slot) => {
                slot.enter_global();
                Guard::of_entered(slot)
            }
            None => {
                cold_path();
                Guard::of_entered(pin_slow())
            }
        }
    }

    /// The first time on a thread; every time where the barrier is a fence, or
    /// the thread is going.
    #[inline(never)]
    fn pin_slow() -> &'static Participant {
        let domain = Domain::global();
        enter_slow(domain).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Whether the calling thread is inside a section of the global domain,
    /// entered with [`pin`] or [`Domain::pin`].
    ///
    /// ```
    /// let guard = smr_core::pin();
    /// assert!(smr_core::is_pinned());
    /// drop(guard);
    /// assert!(!smr_core::is_pinned());
    /// ```
    #[must_use]
    pub fn is_pinned() -> bool {
        is_pinned_in(Domain::global())
    }

    /// The global domain, in the words of `crossbeam-epoch`.
    #[must_use]
    pub fn default_collector() -> &'static Domain {
        Domain::global()
    }

    fn find(inner: &Inner) -> Option<&'static Participant> {
        // A closed domain's slot may be in the cache; its inside is allocated
        // still, so no other domain has its address.
        if let Some(slot) = LAST.get()
            && slot.is_of(inner)
        {
            return Some(slot);
        }
        let found = SLOTS
            .try_with(|slots| {
                slots
                    .0
                    .borrow()
                    .iter()
                    .copied()
                    .find(|slot| slot.is_of(inner))
            })
            .ok()
            .flatten();
        if found.is_some() {
            LAST.set(found);
        }
        found
    }

    /// The calling thread's slot in the domain, registered if need be. `None`
    /// when the thread is past keeping one.
    fn slot(inner: &Arc<Inner>) -> Result<Option<&'static Participant>, RegisterError> {
        if let Some(slot) = find(inner) {
            return Ok(Some(slot));
        }
        if SLOTS.try_with(|_| ()).is_err() {
            return Ok(None);
        }
        prune();
        // Destructors that ran there may have been here.
        if let Some(slot) = find(inner) {
            return Ok(Some(slot));
        }
        let has_room = SLOTS.try_with(|slots| slots.0.borrow_mut().try_reserve(1).is_ok());
        if has_room == Ok(false) {
            return Err(RegisterError::OutOfMemory);
        }
        let slot = Inner::claim(inner, Owner::Thread(Label::of_this_thread()))
            .map_err(|full| RegisterError::new(full, inner))?
            .outlive();
        if SLOTS
            .try_with(|slots| slots.0.borrow_mut().push(slot))
            .is_err()
        {
            drop(inner.leave(slot));
            return Ok(None);
        }
        LAST.set(Some(slot));
        if slot.is_global_and_asymmetric() {
            GLOBAL.set(Some(slot));
        }
        Ok(Some(slot))
    }

    /// Gives back the slots of domains that have closed.
    fn prune() {
        let mut closed: Vec<&'static Participant> = Vec::new();
        let _ = SLOTS.try_with(|slots| {
            slots.0.borrow_mut().retain(|slot| {
                let keep = !slot.domain().is_closed()
                    || slot.is_in_use()
                    || closed.try_reserve(1).is_err();
                if !keep {
                    closed.push(*slot);
                }
                keep
            });
        });
        if !closed.is_empty() {
            LAST.set(None);
        }
        // Outside of the borrow: this may run destructors.
        for slot in closed {
            drop(slot.domain().leave(slot));
        }
    }

    #[inline]
    pub(crate) fn pin_in(domain: &Domain) -> Result<Guard, RegisterError> {
        if let Some(slot) = LAST.get()
            && slot.is_of(domain.inner())
        {
            return Ok(Guard::enter(slot));
        }
        cold_path();
        enter_slow(domain).map(Guard::of_entered)
    }

    #[inline(never)]
    fn enter_slow(domain: &Domain) -> Result<&'static Participant, RegisterError> {
        let slot = match slot(domain.inner())? {
            Some(slot) => slot,
            None => {
                // The thread is going. A slot for this one section.
                let slot = Inner::claim(domain.inner(), Owner::Thread(Label::default()))
                    .map_err(|full| RegisterError::new(full, domain.inner()))?
                    .outlive();
                slot.notice.fetch_or(LEAVING, Ordering::Relaxed);
                slot
            }
        };
        slot.enter();
        Ok(slot)
    }

    /// Whether the calling thread has a slot in the domain.
    pub(crate) fn has_slot(inner: &Inner) -> bool {
        find(inner).is_some()
    }

    /// The slot that an owned guard left on this thread, taken over for another.
    #[inline]
    pub(crate) fn take_spare(inner: &Arc<Inner>) -> Option<&'static Participant> {
        match SPARE.get() {
            Some(slot) if slot.is_of(inner) => {
                SPARE.set(None);
                slot.take_again();
                Some(slot)
            }
            _ => {
                cold_path();
                register_global(inner);
                None
            }
        }
    }

    /// Gives the thread a slot in the global domain, if it is that: whose name
    /// owned guards go by, and who keeps their slots.
    #[cold]
    fn register_global(inner: &Arc<Inner>) {
        if inner.clock.is_global() {
            let _ = slot(inner);
        }
    }

    /// Keeps the slot of an owned guard that ends on this thread; tells whether.
    #[inline]
    pub(crate) fn keep_spare(slot: &Participant) -> bool {
        // The thread is not going, and the domain is one that stays open.
        let wanted = GLOBAL.get().is_some_and(|own| own.is_of(slot.domain()));
        let keep = wanted && SPARE.get().is_none();
        if keep {
            SPARE.set(Some(slot.outlive()));
        }
        keep
    }

    pub(crate) fn is_pinned_in(domain: &Domain) -> bool {
        find(domain.inner()).is_some_and(Participant::is_active)
    }

    /// The calling thread's slot in the domain; `None` when the thread is past
    /// keeping one, or the domain has none left.
    #[inline(always)]
    pub(crate) fn own(inner: &Arc<Inner>) -> Option<&'static Participant> {
        match LAST.get() {
            Some(slot) if slot.is_of(inner) => Some(slot),
            _ => {
                cold_path();
                own_slow(inner)
            }
        }
    }

    #[inline(never)]
    fn own_slow(inner: &Arc<Inner>) -> Option<&'static Participant> {
        if let Some(slot) = GLOBAL.get()
            && slot.is_of(inner)
        {
            return Some(slot);
        }
        slot(inner).ok().flatten()
    }
}

#[cfg(any(not(feature = "std"), loom))]
mod imp {
    use crate::sync::Arc;

    use crate::raw::inner::Inner;
    use crate::raw::participant::Participant;

    pub(crate) fn own(_inner: &Arc<Inner>) -> Option<&'static Participant> {
        None
    }

    pub(crate) fn has_slot(_inner: &Inner) -> bool {
        false
    }

    pub(crate) fn take_spare(_inner: &Arc<Inner>) -> Option<&'static Participant> {
        None
    }

    pub(crate) fn keep_spare(_slot: &Participant) -> bool {
        false
    }
}

#[cfg(all(feature = "std", not(loom)))]
pub use imp::{default_collector, is_pinned, pin};
pub(crate) use imp::{has_slot, keep_spare, own, take_spare};
#[cfg(all(feature = "std", not(loom)))]
pub(crate) use imp::{is_pinned_in, pin_in};
