//! Threads that are held up in the middle of operations while they are recorded.

#[cfg(target_os = "linux")]
use std::time::Duration;

use super::History;
#[cfg(target_os = "linux")]
use crate::preempt::Preemptor;

/// Readings of the clock during one operation from which on it counts as stalled: others
/// have done half as many meanwhile.
const STALLED: u64 = 40;
/// So many operations are to be seen stalled, and so many interrupts to be made.
const ENOUGH: u64 = 20;
#[cfg(target_os = "linux")]
const INTERRUPTS: u64 = 200;
/// Recordings in which that happens, by far.
const MOST: u64 = 10_000;

/// Stalls the threads that [`record()`](super::record()) starts, and counts how often one
/// was inside an operation then.
#[derive(Debug, Default)]
pub struct Stalls {
    stalled: u64,
    recorded: u64,
    /// What interrupts them, and the interrupts before.
    #[cfg(target_os = "linux")]
    preemptor: Option<(Preemptor, u64)>,
}

impl Stalls {
    /// None but those of the system.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Interrupts threads between any two instructions, for a moment or for
    /// milliseconds, for as long as it lives. Only on Linux.
    #[must_use]
    pub fn at_random(seed: u64) -> Self {
        let _ = seed;
        Self {
            #[cfg(target_os = "linux")]
            preemptor: Some((
                Preemptor::start(Duration::from_micros(20), seed),
                Preemptor::interrupts(),
            )),
            ..Self::default()
        }
    }

    /// Looks for stalled operations in what was recorded.
    ///
    /// # Panics
    ///
    /// If there have been hardly any in far more recordings than it takes.
    pub fn look<A>(&mut self, history: &History<A>) {
        let events = history.events().iter();
        let stalled = events.filter(|event| event.ended - event.began > STALLED);
        self.stalled += stalled.count() as u64;
        self.recorded += 1;
        let few = "threads are hardly ever stalled inside an operation";
        assert!(self.recorded < MOST || self.are_enough(), "{few}: {self:?}");
    }

    /// Whether that happened often enough, where it was asked for.
    #[must_use]
    pub fn are_enough(&self) -> bool {
        #[cfg(target_os = "linux")]
        if let Some((_, before)) = self.preemptor {
            let interrupts = Preemptor::interrupts() - before;
            return self.stalled >= ENOUGH && interrupts >= INTERRUPTS;
        }
        true
    }
}
