//! What the models share.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::domain::Domain;
use crate::raw::inner::Inner;
use crate::raw::participant::{Label, Owner, Participant};
use crate::sync::UnsafeCell;
pub(super) use crate::sync::model::{Reached, explore};

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
