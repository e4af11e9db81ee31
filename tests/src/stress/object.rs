//! What readers visit.

use std::mem::ManuallyDrop;

use smr_core::sync::{AtomicU64, Ordering};

use super::Tally;

const LIVE: u64 = 0x11fe_11fe_11fe_11fe;
const DEAD: u64 = 0xdead_dead_dead_dead;

/// An object without a destructor. All of it is atomic, so that looking at one
/// that was destroyed is a finding and no data race.
#[derive(Debug)]
pub(super) struct Body {
    canary: AtomicU64,
    generation: AtomicU64,
    inside: AtomicU64,
    tally: &'static Tally,
    _size: [u64; 4],
}

/// An object whose destructor looks for readers.
#[derive(Debug)]
pub(super) struct Object(pub(super) Body);

impl Drop for Object {
    fn drop(&mut self) {
        self.0.destroy();
    }
}

/// An object that was destroyed, and whose memory stays.
#[derive(Debug)]
pub(super) struct Buried(
    #[allow(dead_code, reason = "dropping it frees the memory")]
    pub(super)  Box<ManuallyDrop<Object>>,
);

/// Being inside an object.
#[derive(Debug)]
pub(super) struct Visit<'a> {
    body: &'a Body,
    generation: u64,
}

impl Body {
    pub(super) fn new(tally: &'static Tally) -> Self {
        // Each is the generation of its own.
        let generation = tally.made.fetch_add(1, Ordering::Relaxed);
        Self {
            canary: AtomicU64::new(LIVE),
            generation: AtomicU64::new(generation),
            inside: AtomicU64::new(0),
            tally,
            _size: [generation; 4],
        }
    }

    /// Goes in.
    pub(super) fn visit(&self, tally: &'static Tally) -> Visit<'_> {
        // Not `self.tally`: memory that was used again may hold anything.
        let visit = Visit {
            body: self,
            generation: self.generation.load(Ordering::Relaxed),
        };
        visit.check(tally);
        self.inside.fetch_add(1, Ordering::Relaxed);
        visit
    }

    /// Checks that nobody is inside, and poisons the object.
    pub(super) fn destroy(&self) {
        let canary = self.canary.swap(DEAD, Ordering::Relaxed);
        if canary != LIVE {
            self.tally
                .violation(|| format!("an object with the canary {canary:x} was destroyed"));
        }
        let inside = self.inside.load(Ordering::Relaxed);
        if inside != 0 {
            self.tally
                .violation(|| format!("an object was destroyed with {inside} readers inside"));
        }
        self.generation.store(DEAD, Ordering::Relaxed);
        self.tally.destroyed.fetch_add(1, Ordering::Relaxed);
    }
}

impl Visit<'_> {
    /// Whether the object is still the one that was entered.
    pub(super) fn check(&self, tally: &'static Tally) {
        let canary = self.body.canary.load(Ordering::Relaxed);
        let generation = self.body.generation.load(Ordering::Relaxed);
        if canary != LIVE {
            tally.violation(|| format!("a reader is in an object with the canary {canary:x}"));
        } else if generation != self.generation {
            let entered = self.generation;
            tally.violation(|| {
                format!("a reader of generation {entered} is in one of generation {generation}")
            });
        }
    }

    /// Goes out.
    pub(super) fn leave(self, tally: &'static Tally) {
        self.check(tally);
        let inside = self.body.inside.fetch_sub(1, Ordering::Relaxed);
        if inside == 0 {
            tally.violation(|| "more readers went out than had come in".into());
        }
    }
}
