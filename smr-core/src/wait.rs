//! Waiting for readers: spin briefly, yield, then park with a timeout.

use core::fmt;
use core::time::Duration;

use crossbeam_utils::Backoff;

use crate::raw::inner::Inner;
use crate::seq::SeqError;
#[cfg(all(feature = "std", not(loom)))]
use crate::tunables::MAX_WAIT_US;

/// Why a wait ended without what it waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitError {
    /// The time was up; a reader is still inside.
    Timeout,
    /// The calling thread is inside a section of this domain. It would wait for
    /// itself.
    InSection,
    /// The calling thread runs a destructor of this domain. It would wait for
    /// itself.
    InDestructor,
    /// The goal was refused.
    Goal(SeqError),
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str(
                "a reader was still inside when the time was up: `oldest_section` names it",
            ),
            Self::InSection => f.write_str(
                "waiting inside one's own section would never end: drop the guard first",
            ),
            Self::InDestructor => f.write_str(
                "waiting for destructors inside a destructor would never end: wait elsewhere",
            ),
            Self::Goal(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for WaitError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Goal(error) => Some(error),
            _ => None,
        }
    }
}

impl From<SeqError> for WaitError {
    fn from(error: SeqError) -> Self {
        Self::Goal(error)
    }
}

/// Waits until `done` says so.
pub(crate) fn until(domain: &Inner, done: impl FnMut() -> bool) {
    let finished = until_timeout(domain, None, done);
    debug_assert!(finished, "without a timeout there is one way out");
}

/// Waits until `done` says so or the time is up; tells which.
#[cfg(all(feature = "std", not(loom)))]
pub(crate) fn until_timeout(
    domain: &Inner,
    timeout: Option<Duration>,
    mut done: impl FnMut() -> bool,
) -> bool {
    // A timeout beyond what an Instant can hold is none.
    let deadline = timeout.and_then(|t| std::time::Instant::now().checked_add(t));
    let backoff = Backoff::new();
    let mut pause_us = 50;
    loop {
        if done() {
            return true;
        }
        let left = deadline.map(|d| d.saturating_duration_since(std::time::Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return false;
        }
        if !backoff.is_completed() {
            backoff.snooze();
            continue;
        }
        // A marked reader wakes us when it leaves; the pause is for the rest.
        let pause = Duration::from_micros(pause_us);
        domain.park(left.map_or(pause, |left| left.min(pause)));
        pause_us = (pause_us * 2).min(MAX_WAIT_US);
    }
}

#[cfg(any(not(feature = "std"), loom))]
pub(crate) fn until_timeout(
    _domain: &Inner,
    timeout: Option<Duration>,
    mut done: impl FnMut() -> bool,
) -> bool {
    let backoff = Backoff::new();
    // Without a clock a timeout is a number of tries: of zero, one.
    let mut tries = timeout.map(|t| t.as_micros());
    loop {
        if done() {
            return true;
        }
        match &mut tries {
            Some(0) => return false,
            Some(tries) => *tries -= 1,
            None => {}
        }
        if cfg!(loom) {
            crate::sync::yield_now()
        } else {
            backoff.snooze()
        }
    }
}

#[cfg(all(feature = "std", not(loom)))]
impl Inner {
    fn park(&self, pause: Duration) {
        let me = std::thread::current();
        let id = me.id();
        self.waiters.with(|waiters| waiters.push(me));
        std::thread::park_timeout(pause);
        self.waiters
            .with(|waiters| waiters.retain(|thread| thread.id() != id));
    }

    /// Wakes those who wait for readers.
    pub(crate) fn wake_waiters(&self) {
        for thread in self.waiters.take() {
            thread.unpark();
        }
    }
}

#[cfg(any(not(feature = "std"), loom))]
impl Inner {
    pub(crate) fn wake_waiters(&self) {}
}
