//! A lock for cold paths that survives a fork.
//!
//! One word: 0 is free, otherwise the fork generation of the holder plus one.
//! In a forked child a lock that a vanished thread held is *broken*: the holder
//! may have been in the middle of a change, so the contents are not looked at
//! but replaced by the default. What they owned is leaked, in that child.
//!
//! Nothing here runs user code while it holds a lock. Critical sections are a
//! few pointer moves, so waiting is spinning, then yielding.
//!
//! # Orderings
//!
//! `lock_enter` pairs with `lock_leave`; the loom model `lock_hands_over` fails
//! without either. An exchange of `holder` that fails is Relaxed: it reads nothing
//! but who is inside.

use crossbeam_utils::Backoff;

use crate::sync::{AtomicU32, Ordering, UnsafeCell, yield_now};
use crate::{fork, ord};

const FREE: u32 = 0;

#[derive(Debug, Default)]
pub(crate) struct ForkLock<T> {
    holder: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: the value is only reached by the holder of the lock, so sharing the
// lock sends the value from thread to thread and never shares it.
unsafe impl<T: Send> Sync for ForkLock<T> {}
// SAFETY: owning the lock is owning the value.
unsafe impl<T: Send> Send for ForkLock<T> {}

struct Held<'a, T>(&'a ForkLock<T>);

impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        self.0.holder.store(FREE, ord::lock_leave());
    }
}

impl<T: Default> ForkLock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            holder: AtomicU32::new(FREE),
            value: UnsafeCell::new(value),
        }
    }

    /// Runs `f` on the value once the lock is free.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let backoff = Backoff::new();
        loop {
            if let Some(held) = self.try_hold() {
                return held.run(f);
            }
            if backoff.is_completed() || cfg!(loom) {
                yield_now();
            } else {
                backoff.snooze();
            }
        }
    }

    /// Runs `f` on the value if the lock is free now.
    #[cfg(all(feature = "std", not(loom)))]
    pub(crate) fn try_with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.try_hold().map(|held| held.run(f))
    }

    /// Runs `f` on the value if the lock is free now; for models.
    #[cfg(loom)]
    pub(crate) fn try_with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.try_hold().map(|held| held.run(f))
    }

    fn try_hold(&self) -> Option<Held<'_, T>> {
        let mine = fork::generation().wrapping_add(1).max(1);
        // Acquire: pairs with the Release of `Held::drop`. On failure nothing
        // is read.
        match self
            .holder
            .compare_exchange(FREE, mine, ord::lock_enter(), Ordering::Relaxed)
        {
            Ok(_) => Some(Held(self)),
            Err(holder) if holder != mine => self.break_in(holder, mine),
            Err(_) => None,
        }
    }

    #[cold]
    fn break_in(&self, holder: u32, mine: u32) -> Option<Held<'_, T>> {
        if holder != FREE {
            // The holder's generation is over: no thread of this process holds
            // the lock. One of those that notice wins the exchange.
            self.holder
                .compare_exchange(holder, mine, ord::lock_enter(), Ordering::Relaxed)
                .ok()?;
            let held = Held(self);
            self.value.with_mut(|value| {
                // SAFETY: we hold the lock. The old value may be half changed
                // and is overwritten without being read or dropped.
                unsafe { value.write(T::default()) }
            });
            return Some(held);
        }
        None
    }
}

impl<T> Held<'_, T> {
    fn run<R>(self, f: impl FnOnce(&mut T) -> R) -> R {
        self.0.value.with_mut(|value| {
            // SAFETY: we hold the lock until `self` is dropped.
            f(unsafe { &mut *value })
        })
    }
}

#[cfg(all(feature = "std", not(loom)))]
impl<T: Default> ForkLock<T> {
    /// Takes the value out, leaving the default.
    pub(crate) fn take(&self) -> T {
        self.with(core::mem::take)
    }
}
