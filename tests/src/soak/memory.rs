//! How much is held, and for how long.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Run;

/// Values that a thread may keep because a poll is not due yet: see the table of
/// promises of `smr_core`.
const REST: u64 = 2048;

/// The memory of this process that is resident; 0 where the system does not tell.
#[must_use]
pub fn resident_bytes() -> u64 {
    const PAGE: u64 = 4096;
    let figures = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = figures
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok());
    pages.map_or(0, |pages: u64| pages * PAGE)
}

/// What was removed and not dropped yet.
#[derive(Debug, Default)]
pub(super) struct Garbage {
    /// How many at a time, at the most.
    pub(super) most: u64,
    /// For how long, at the most.
    pub(super) oldest: Duration,
}

/// Samples until the run ends; `most` values are in the structure at the most.
pub(super) fn watch(run: &Run, most: u64) -> Garbage {
    // When so many had been made that they are not all dropped yet, or in the
    // structure, or waiting for a poll that is not due.
    let mut samples: VecDeque<(Instant, u64)> = VecDeque::new();
    let allowed = most + REST * (run.config.threads as u64 + 2);
    let mut garbage = Garbage::default();
    while run.goes_on() {
        let made = run.ledger.made();
        let now = Instant::now();
        samples.push_back((now, made));
        let dropped = run.ledger.dropped();
        garbage.most = garbage.most.max(made.saturating_sub(dropped + most));
        while samples
            .front()
            .is_some_and(|(_, made)| *made <= dropped + allowed)
        {
            samples.pop_front();
        }
        if let Some((at, _)) = samples.front() {
            garbage.oldest = garbage.oldest.max(at.elapsed());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    garbage
}
