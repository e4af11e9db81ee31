//! What the models share.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::Domain;
use crate::raw::inner::Inner;
use crate::raw::participant::{Label, Owner, Participant};
use crate::sync::UnsafeCell;

/// Looks at every execution of `model` in which threads are preempted at most
/// `preemptions` times (waiting and ending do not count), or at all of them.
pub(super) fn explore(
    preemptions: impl Into<Option<usize>>,
    model: impl Fn() + Send + Sync + 'static,
) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions.into();
    builder.max_branches = 50_000;
    builder.check(model);
}

/// A branch of a model that has to run in some execution, or the model shows
/// nothing.
pub(super) struct Reached {
    what: &'static str,
    times: AtomicU64,
}

impl Reached {
    pub(super) const fn new(what: &'static str) -> Self {
        Self {
            what,
            times: AtomicU64::new(0),
        }
    }

    pub(super) fn hit(&self) {
        self.times.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn hit_if(&self, here: bool) {
        if here {
            self.hit();
        }
    }

    /// After all executions. A mutant is to be killed by what it breaks, so
    /// under one this says nothing.
    pub(super) fn check(&self) {
        let times = self.times.load(Ordering::Relaxed);
        println!("    {times:>8}  {}", self.what);
        assert!(
            times != 0 || std::env::var_os("SMR_MUTANT").is_some(),
            "no execution in which {}",
            self.what
        );
    }
}

const ALIVE: u32 = 0x600D;
const DEAD: u32 = 0xDEAD;

/// Something that is read, retired and destroyed. Destroying it writes to it,
/// so that loom finds a reader for whom that is not in the future; its memory
/// stays until the end of the execution.
#[derive(Debug)]
pub(super) struct Thing(UnsafeCell<u32>);

// SAFETY: loom fails the model when two threads are in the cell at once.
unsafe impl Sync for Thing {}

impl Thing {
    pub(super) fn new() -> Self {
        Self(UnsafeCell::new(ALIVE))
    }

    #[track_caller]
    pub(super) fn read(&self) {
        let seen = self.0.with(|value| {
            // SAFETY: loom fails the model if a write is not ordered with it.
            unsafe { *value }
        });
        assert_eq!(seen, ALIVE, "a reader holds what was destroyed");
    }

    #[track_caller]
    pub(super) fn destroy(&self) {
        let seen = self.0.with_mut(|value| {
            // SAFETY: loom fails the model if any access is not ordered with it.
            unsafe { value.replace(DEAD) }
        });
        assert_eq!(seen, ALIVE, "destroyed twice");
    }

    #[track_caller]
    pub(super) fn is_dead(&self) -> bool {
        let seen = self.0.with(|value| {
            // SAFETY: as in `read`.
            unsafe { *value }
        });
        seen == DEAD
    }
}

/// A slot of the domain, to be handed to the thread that plays its owner.
pub(super) fn slot(domain: &Domain) -> &'static Participant {
    Inner::claim(domain.inner(), Owner::Thread(Label::default()))
        .expect("a model has few threads")
        .outlive()
}

/// The thread that owned the slot exits.
pub(super) fn leave(slot: &'static Participant) {
    drop(slot.domain().leave(slot));
}

/// A handle or a guard for the thread that plays its owner.
pub(super) struct Sendable<T>(pub(super) T);

// SAFETY: it is used by one thread at a time, and loom orders them.
unsafe impl<T> Send for Sendable<T> {}

/// Loom's cells for pieces of memory that come and go: one for each address, as
/// long as an execution lasts.
#[derive(Default)]
pub(super) struct Places(Mutex<HashMap<usize, std::sync::Arc<UnsafeCell<()>>>>);

impl Places {
    fn at(&self, address: usize) -> std::sync::Arc<UnsafeCell<()>> {
        let mut places = self.0.lock().expect("no thread panics here");
        std::sync::Arc::clone(places.entry(address).or_default())
    }

    /// The memory is about to be read.
    #[track_caller]
    pub(super) fn read(&self, address: usize) {
        self.at(address).with(|_| ());
    }

    /// The memory is about to be overwritten.
    #[track_caller]
    pub(super) fn write(&self, address: usize) {
        self.at(address).with_mut(|_| ());
    }
}
