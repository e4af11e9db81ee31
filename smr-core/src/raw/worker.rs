//! Who works on a pool: a thread, known also to a forked child.

use core::num::NonZeroU64;

use crate::fork;

/// The generation of the process, as a number that is not 0.
pub(crate) fn today() -> u32 {
    fork::generation().wrapping_add(1)
}

/// A thread, by generation and token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Worker(NonZeroU64);

impl Worker {
    /// Generation in the high half, token in the low one. Tokens of two threads
    /// could meet after 2^32 threads: then one may think itself the other.
    pub(crate) fn this_thread() -> Self {
        let high = u64::from(today()) << 32;
        let low = u64::from(fork::token() as u32);
        // A generation of `u32::MAX` would give 0; the child of so many forks.
        Self(NonZeroU64::new(high | low).unwrap_or(NonZeroU64::MIN))
    }

    fn token(self) -> usize {
        self.0.get() as u32 as usize
    }

    pub(crate) fn is_alive(self) -> bool {
        let generation = ((self.0.get() >> 32) as u32).wrapping_sub(1);
        fork::is_alive(generation, self.token())
    }

    pub(crate) fn is_this_thread(self) -> bool {
        self.token() != 0 && self.token() == fork::token() as u32 as usize
    }
}
