//! What the tests of all structures need.

use super::epoch;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Counts how many of its [`Counted`] were dropped.
#[derive(Clone, Default)]
pub(super) struct Drops(Arc<AtomicUsize>);

impl Drops {
    pub(super) fn value(&self, id: u64) -> Counted {
        Counted {
            id,
            drops: self.clone(),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Waits until `expected` values have been dropped, and fails if more are,
    /// or if it takes too long.
    pub(super) fn settle_at(&self, expected: usize) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.count() < expected {
            assert!(
                Instant::now() < deadline,
                "{} of {expected} dropped",
                self.count()
            );
            epoch::pin().flush();
            thread::yield_now();
        }
        assert_eq!(self.count(), expected, "something was dropped twice");
    }
}

/// A value that can be told from others and says when it is dropped.
pub(super) struct Counted {
    pub(super) id: u64,
    drops: Drops,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.drops.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Runs `body(0)` .. `body(threads - 1)`, each on its own thread, at once.
pub(super) fn on_threads(threads: u64, body: impl Fn(u64) + Sync) {
    let barrier = std::sync::Barrier::new(threads as usize);
    let (body, barrier) = (&body, &barrier);
    thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                barrier.wait();
                body(thread);
            });
        }
    });
}
