//! Histories, and how they are written.
//!
//! # Orderings
//!
//! The clock's increments are AcqRel and form one release sequence, so a larger
//! reading happens after a smaller one, with all that its thread did before.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// An operation with its answer, and when it was under way.
#[derive(Debug, Clone)]
pub struct Event<A> {
    /// The thread that did it.
    pub thread: usize,
    /// The clock before it.
    pub began: u64,
    /// The clock after it.
    pub ended: u64,
    /// What was asked and answered.
    pub action: A,
}

/// Operations, sorted by when they began.
#[derive(Debug, Clone)]
pub struct History<A> {
    events: Vec<Event<A>>,
}

impl<A> History<A> {
    /// A history of these operations.
    ///
    /// # Panics
    ///
    /// If an operation ended before it began.
    #[must_use]
    pub fn new(mut events: Vec<Event<A>>) -> Self {
        assert!(events.iter().all(|event| event.began <= event.ended));
        events.sort_by_key(|event| event.began);
        Self { events }
    }

    /// The operations.
    #[must_use]
    pub fn events(&self) -> &[Event<A>] {
        &self.events
    }

    /// Appends an operation that began when all others had ended: what is found
    /// when everybody has gone.
    pub fn then(&mut self, action: A) {
        let ends = self.events.iter().map(|event| event.ended);
        let began = ends.max().map_or(0, |end| end + 1);
        self.events.push(Event {
            thread: usize::MAX,
            began,
            ended: began,
            action,
        });
    }

    /// Every operation seen in another way.
    #[must_use]
    pub fn map<B>(self, mut f: impl FnMut(A) -> B) -> History<B> {
        let events = self.events.into_iter().map(|event| Event {
            thread: event.thread,
            began: event.began,
            ended: event.ended,
            action: f(event.action),
        });
        History {
            events: events.collect(),
        }
    }
}

impl<K: Ord, A> History<(K, A)> {
    /// The histories of the keys.
    #[must_use]
    pub fn split(self) -> BTreeMap<K, History<A>> {
        let mut keys: BTreeMap<K, History<A>> = BTreeMap::new();
        for event in self.events {
            let (key, action) = event.action;
            let of_key = keys
                .entry(key)
                .or_insert_with(|| History { events: Vec::new() });
            of_key.events.push(Event {
                thread: event.thread,
                began: event.began,
                ended: event.ended,
                action,
            });
        }
        keys
    }
}

/// Chance, and values that nobody has used before.
#[derive(Debug)]
pub struct Dice {
    random: fastrand::Rng,
    thread: u64,
    made: u64,
}

impl Dice {
    /// A number below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.random.u64(..sides)
    }

    /// A value that no thread of this recording makes again. A multiple of 2^16,
    /// so that additions stay apart.
    pub fn fresh(&mut self) -> u64 {
        self.made += 1;
        (self.thread + 1) << 56 | self.made << 16
    }
}

/// What is recorded.
pub trait Driven: Sync {
    /// An operation with its answer.
    type Action: Send;

    /// Does one operation.
    fn act(&self, dice: &mut Dice) -> Self::Action;
}

/// Lets so many threads do so many operations each, all at once. They may be interrupted;
/// see [`Stalls`](super::Stalls).
///
/// # Panics
///
/// If an operation does.
pub fn record<D: Driven>(
    driven: &D,
    threads: usize,
    operations: usize,
    seed: u64,
) -> History<D::Action> {
    let clock = AtomicU64::new(0);
    let start = Barrier::new(threads);
    let work = |thread: usize| {
        let mut dice = Dice {
            random: fastrand::Rng::with_seed(seed ^ (thread as u64).wrapping_mul(0x9e37_79b9)),
            thread: thread as u64,
            made: 0,
        };
        let mut events = Vec::with_capacity(operations);
        #[cfg(target_os = "linux")]
        let _enrolled = crate::preempt::Enrolled::this_thread();
        start.wait();
        for _ in 0..operations {
            let began = clock.fetch_add(1, Ordering::AcqRel);
            let action = driven.act(&mut dice);
            let ended = clock.fetch_add(1, Ordering::AcqRel);
            events.push(Event {
                thread,
                began,
                ended,
                action,
            });
        }
        events
    };
    let events = thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || work(thread)))
            .collect();
        let events = threads.into_iter().flat_map(|thread| {
            let events = thread.join();
            events.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        events.collect()
    });
    History::new(events)
}
