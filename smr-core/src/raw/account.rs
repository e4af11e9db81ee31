//! The account of what is retired, and the limit on it.
//!
//! Bytes are put on before they are retired and taken off when their goal is
//! found expired, by whoever finds it; a bucket whose goal is 0 is off already.
//!
//! # Orderings
//!
//! `pending`, `over_limit` and `helps` are Relaxed: sums and hints, and nothing is
//! reached on their strength.

use crate::limits::{LimitReport, OverLimit};
use crate::raw::bins::Held;
use crate::raw::inner::{Home, Inner, count};
use crate::sync::Ordering;
use crate::tunables::DROPS_PER_RETIRE;
use crate::{run, wait};

impl Inner {
    /// Takes what has expired off the accounts.
    pub(crate) fn settle(&self, expired: Held) {
        if expired.items == 0 {
            return;
        }
        count(&self.counts.reclaimed_items, expired.items);
        count(&self.counts.reclaimed_bytes, expired.bytes);
        if let Some(max) = self.limits.max_retired_bytes {
            let bytes = expired.bytes as u64;
            let before = self.pending.fetch_sub(bytes, Ordering::Relaxed);
            if before.wrapping_sub(bytes) <= max as u64 {
                self.over_limit.store(false, Ordering::Relaxed);
            }
        }
    }

    // -- limits --------------------------------------------------------------

    /// Whether a `try_` form has to hand its value back.
    pub(crate) fn refuses(&self) -> bool {
        if self.limits.policy != OverLimit::Error || !self.is_over_limit() {
            return false;
        }
        // Whoever was in the way may have left, and nobody retires who would find out.
        if !self.in_own_destructor()
            && !run::is_collecting(self.id)
            && self.tidied.is_due() != Some(false)
        {
            // The caller still has a value that must not get lost.
            run::catch(|| self.sweep()).end();
        }
        self.is_over_limit()
    }

    /// Whether there is a limit, and it is reached.
    pub(crate) fn is_over_limit(&self) -> bool {
        self.limits
            .max_retired_bytes
            .is_some_and(|max| self.pending.load(Ordering::Relaxed) > max as u64)
    }

    /// Whether there is a limit, so that an account is kept.
    #[inline(always)]
    pub(crate) fn is_limited(&self) -> bool {
        self.limits.max_retired_bytes.is_some()
    }

    /// Puts bytes on the account that are about to be retired. Before, since
    /// they can be found expired, and be taken off, as soon as they are.
    pub(crate) fn charge(&self, bytes: usize) {
        self.pending.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// After something was retired: acts when it was too much.
    #[cold]
    #[inline(never)]
    pub(crate) fn keep_to_limit(&self, home: Home<'_>) {
        if !self.is_over_limit() {
            return;
        }
        if !self.over_limit.swap(true, Ordering::Relaxed) {
            self.report();
        }
        // A destructor that retires is inside a collection already: one more
        // would do nothing, and waiting for it would never end.
        if self.in_own_destructor() || run::is_collecting(self.id) {
            return;
        }
        match self.limits.policy {
            OverLimit::Report => {}
            OverLimit::Help | OverLimit::Error => self.help(home),
            OverLimit::Block => {
                let inside = match home {
                    Home::Own(slot) => slot.is_active(),
                    Home::Shared(_) => true,
                    Home::Depot => false,
                };
                if inside || self.in_own_section() {
                    self.help(home);
                } else {
                    wait::until(self, || {
                        self.sweep();
                        !self.is_over_limit()
                    });
                }
            }
        }
    }

    #[cold]
    fn report(&self) {
        if let (Some(hook), Some(max)) = (&self.limits.hook, self.limits.max_retired_bytes) {
            hook(LimitReport {
                max_retired_bytes: max,
                retired_bytes: self.pending.load(Ordering::Relaxed),
            });
        }
    }

    /// Collects what can be collected. Every sixteenth time for everybody: with
    /// a reader stalled, each retire would otherwise be a sweep in vain.
    fn help(&self, home: Home<'_>) {
        if self
            .counts
            .helps
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(16)
        {
            self.sweep();
        } else if let Home::Own(slot) = home {
            self.run_ready(slot, DROPS_PER_RETIRE);
        }
    }
}
