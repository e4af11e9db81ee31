//! How much is held, and for how long.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{LATEST, Run};

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

/// Samples until the run ends; `most` values are in the structure at the most.
/// Returns the most that waited to be dropped.
pub(super) fn watch(run: &Run, most: u64) -> u64 {
    let mut samples: VecDeque<(Instant, u64)> = VecDeque::new();
    let mut most_garbage = 0;
    while run.goes_on() {
        // What was made before an instant is made; what was dropped after it, too.
        let made = run.ledger.made();
        let now = Instant::now();
        samples.push_back((now, made));
        let dropped = run.ledger.dropped();
        most_garbage = most_garbage.max(made.saturating_sub(dropped + most));
        // The last sample that is old enough: all that was made by then is in the
        // structure, or was removed at most that long ago, or is dropped.
        while samples.get(1).is_some_and(|(at, _)| now - *at >= LATEST) {
            samples.pop_front();
        }
        let (at, long_made) = samples[0];
        let allowed = most + REST * (run.config.threads as u64 + 2);
        if now - at >= LATEST {
            run.expect(long_made <= dropped + allowed, || {
                format!(
                    "{long_made} values had been made two seconds ago, {allowed} may be in the \
                     structure or wait for the next poll, and only {dropped} are dropped"
                )
            });
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    most_garbage
}
