//! At most so often.
//!
//! # Orderings
//!
//! `last` is Relaxed: a limit on how often, nothing more. It may wrap.

use crate::sync::{AtomicU32, Ordering};
use crate::tunables::TEND_EVERY;

/// When something was done last that only time asks for.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    last: AtomicU32,
}

impl Pace {
    /// Whether it is time again, which it is once in [`TEND_EVERY`] for all who ask.
    /// `None` where there is no clock.
    pub(crate) fn is_due(&self) -> Option<bool> {
        let now = now()?;
        let last = self.last.load(Ordering::Relaxed);
        let due = now.wrapping_sub(last) >= TEND_EVERY
            && self
                .last
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        Some(due)
    }
}

#[cfg(all(feature = "std", not(loom)))]
fn now() -> Option<u32> {
    Some(crate::sync::micros())
}

#[cfg(any(not(feature = "std"), loom))]
fn now() -> Option<u32> {
    None
}
