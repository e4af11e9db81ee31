//! What the loom models of all crates share.

use std::sync::{Mutex, MutexGuard};

use loom::sync::Arc;

use super::process::AtomicU64;
use super::{AtomicU32, Ordering, UnsafeCell};
use crate::guard::{Guard, unprotected};

/// Looks at every execution of `model` in which threads are preempted at most
/// `preemptions` times (waiting and ending do not count), or at all of them.
/// `LOOM_MAX_PREEMPTIONS` looks further.
pub fn explore(preemptions: impl Into<Option<usize>>, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(preemptions.into());
    builder.max_branches = 50_000;
    builder.check(model);
}

/// A branch of a model that has to run in some execution, or the model shows
/// nothing.
#[derive(Debug)]
pub struct Reached {
    what: &'static str,
    times: AtomicU64,
}

impl Reached {
    /// Says which branch it is.
    #[must_use]
    pub const fn new(what: &'static str) -> Self {
        Self {
            what,
            times: AtomicU64::new(0),
        }
    }

    /// The branch runs.
    pub fn hit(&self) {
        self.hit_if(true);
    }

    /// The branch runs if `here` says so.
    pub fn hit_if(&self, here: bool) {
        self.times.fetch_add(here.into(), Ordering::Relaxed);
    }

    /// After all executions. A mutant is to be killed by what it breaks, so
    /// under one this says nothing.
    pub fn check(&self) {
        let times = self.times.load(Ordering::Relaxed);
        std::println!("    {times:>8}  {}", self.what);
        assert!(
            times != 0 || std::env::var_os("SMR_MUTANT").is_some(),
            "no execution in which {}",
            self.what
        );
    }
}

/// A stand-in for a domain, in models of structures. It says when memory may be
/// overwritten: when every section that was open at its retirement has ended. The
/// core's models show that a domain does as much; its steps would drown those of a
/// structure. Enter, exit and retire are each one exchange of one word.
#[derive(Clone, Debug)]
pub struct Sections(Arc<Word>);

#[derive(Debug)]
struct Word {
    word: AtomicU32,
    /// One bit for each open section, and how many there were.
    open: Mutex<(u64, u32)>,
}

impl Default for Sections {
    fn default() -> Self {
        Self(Arc::new(Word {
            word: AtomicU32::new(0),
            open: Mutex::new((0, 0)),
        }))
    }
}

impl Sections {
    /// Orders what came before with what comes after the same of others.
    fn meet(&self) -> MutexGuard<'_, (u64, u32)> {
        // AcqRel: pairs with itself.
        self.0.word.fetch_add(1, Ordering::AcqRel);
        self.0.open.lock().expect("no thread panics here")
    }

    /// Enters a section.
    #[must_use]
    pub fn pin(&self) -> Section {
        let mut open = self.meet();
        let bit = 1 << open.1;
        *open = (open.0 | bit, open.1 + 1);
        drop(open);
        Section(self.clone(), bit)
    }

    /// The sections that are open, a bit for each.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.meet().0
    }
}

/// An open section.
#[derive(Debug)]
pub struct Section(Sections, u64);

impl core::ops::Deref for Section {
    type Target = Guard;

    fn deref(&self) -> &Guard {
        // SAFETY: memory that goes by `Sections` does not look at guards.
        unsafe { unprotected() }
    }
}

impl Drop for Section {
    fn drop(&mut self) {
        let mut open = self.0.meet();
        open.0 &= !self.1;
    }
}

/// A number in a cell that loom watches.
#[derive(Debug)]
pub struct Number(UnsafeCell<u32>);

// SAFETY: loom fails the model when a write is not ordered with another access.
unsafe impl Sync for Number {}

impl Number {
    /// What stands there when it was overwritten.
    const GONE: u32 = u32::MAX;

    /// A number.
    #[must_use]
    pub fn new(number: u32) -> Self {
        Self(UnsafeCell::new(number))
    }

    /// Reads it.
    ///
    /// # Panics
    ///
    /// If it was overwritten.
    #[track_caller]
    pub fn read(&self) -> u32 {
        let number = self.0.with(|number| {
            // SAFETY: loom fails the model if a write is not ordered with it.
            unsafe { *number }
        });
        assert_ne!(number, Self::GONE, "a reader holds what was reclaimed");
        number
    }

    /// Overwrites it, as reuse would. Its memory stays to the end of the execution.
    ///
    /// # Panics
    ///
    /// If it was overwritten before.
    #[track_caller]
    pub fn reclaim(&self) {
        let was = self.0.with_mut(|number| {
            // SAFETY: loom fails the model if any access is not ordered with it.
            unsafe { number.replace(Self::GONE) }
        });
        assert_ne!(was, Self::GONE, "reclaimed twice");
    }
}
