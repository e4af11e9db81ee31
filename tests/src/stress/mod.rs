//! Stress: readers, writers and threads that come and go, over one object each.
//!
//! ```text
//!   place --> object { canary, generation, inside }
//!               ^          readers enter a section, load it, raise `inside`,
//!               |          hold it, look at it again, lower `inside`
//!             writers swap in another and retire it; whoever destroys it checks
//!             that nobody is inside, and poisons it
//! ```
//!
//! The manner is that of FreeBSD's `smrstress`. Readers stall, nest, repin, and
//! send owned guards to other threads; threads come and go; hold times are
//! random. A run ends with the account: every object that was made was destroyed
//! once.
//!
//! What goes wrong is noted and not acted upon, so that a run with a broken
//! scheme ([`Broken`]) ends with a list of what was seen. Such a run uses memory
//! that is poisoned but stays allocated: the harness itself stays sound.

mod object;
mod place;
mod threads;

use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use smr_core::sync::{AtomicBool, AtomicU64, Ordering};
use smr_core::{BarrierKind, Domain};

pub use place::{Kind, UnknownKind};

/// A mistake that the harness makes on purpose, to show that it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Readers look at objects outside of any section.
    Unprotected,
}

/// What to run.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the objects live.
    pub kind: Kind,
    /// The barrier of the domain.
    pub barrier: BarrierKind,
    /// For how long.
    pub duration: Duration,
    /// Threads that read, beside one that stalls.
    pub readers: usize,
    /// Threads that write.
    pub writers: usize,
    /// Threads that start short-lived threads, one after the other.
    pub churners: usize,
    /// Shared pointers.
    pub places: usize,
    /// Where the random numbers start. The schedule is the system's, so a seed
    /// does not repeat a run.
    pub seed: u64,
    /// A mistake to be made.
    pub broken: Option<Broken>,
    /// Keeps the domain for ever. Its end is the end of an `Arc`, which orders by
    /// a fence, and ThreadSanitizer sees no fences.
    pub keep_domain: bool,
}

impl Config {
    /// The short form: a fraction of a second, a few threads.
    #[must_use]
    pub fn short(kind: Kind, barrier: BarrierKind) -> Self {
        Self {
            kind,
            barrier,
            duration: Duration::from_millis(400),
            readers: 2,
            writers: 2,
            churners: 1,
            places: 3,
            seed: 1,
            broken: None,
            keep_domain: false,
        }
    }
}

/// What a run did and saw.
#[derive(Debug, Default)]
pub struct Report {
    /// Objects that were made.
    pub made: u64,
    /// Objects that were destroyed or, without destructor, taken back.
    pub destroyed: u64,
    /// Visits of readers.
    pub visits: u64,
    /// Guards that changed threads.
    pub sent: u64,
    /// Threads that were started.
    pub threads: u64,
    /// What was wrong: the number, and the first of them.
    pub violations: u64,
    /// The first few, in words.
    pub seen: Vec<String>,
    /// What the domain counted.
    pub stats: smr_core::Stats,
    /// How long it took.
    pub took: Duration,
}

impl Report {
    /// Whether nothing was wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.violations == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.1} s: {} visits, {} objects made, {} destroyed, {} guards sent, {} threads, {} \
             advances, {} scans, {} assists",
            self.took.as_secs_f64(),
            self.visits,
            self.made,
            self.destroyed,
            self.sent,
            self.threads,
            self.stats.advances,
            self.stats.scans,
            self.stats.assists,
        )?;
        if self.violations != 0 {
            write!(f, "\n{} VIOLATIONS, the first of them:", self.violations)?;
            for what in &self.seen {
                write!(f, "\n  {what}")?;
            }
        }
        Ok(())
    }
}

/// What all threads of a run share.
#[derive(Debug)]
struct Run {
    config: Config,
    domain: Domain,
    deadline: Instant,
    stop: AtomicBool,
    tally: &'static Tally,
    visits: AtomicU64,
    sent: AtomicU64,
    threads: AtomicU64,
}

/// The account of a run. Objects refer to it until they are destroyed, so it is
/// kept for ever: a few words a run.
#[derive(Debug, Default)]
struct Tally {
    made: AtomicU64,
    destroyed: AtomicU64,
    violations: AtomicU64,
    seen: Mutex<Vec<String>>,
    /// Where a scheme is broken, objects are poisoned but not freed before the
    /// end.
    graveyard: Mutex<Vec<object::Buried>>,
}

impl Tally {
    fn for_ever() -> &'static Self {
        static KEPT: Mutex<Vec<&Tally>> = Mutex::new(Vec::new());
        let new: &'static Self = Box::leak(Box::default());
        KEPT.lock().expect("nobody panics with it").push(new);
        new
    }

    #[cold]
    fn violation(&self, what: impl FnOnce() -> String) {
        const KEPT: usize = 10;
        self.violations.fetch_add(1, Ordering::Relaxed);
        let mut seen = self.seen.lock().expect("nobody panics with it");
        if seen.len() < KEPT {
            seen.push(what());
        }
    }
}

impl Run {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed) && Instant::now() < self.deadline
    }

    fn is_protected(&self) -> bool {
        self.config.broken != Some(Broken::Unprotected)
    }
}

/// Runs the stress.
///
/// # Panics
///
/// If the settings make no sense: no threads, no place, a barrier that the
/// system does not have, or a mistake that cannot be made with this kind.
#[must_use]
pub fn run(config: &Config) -> Report {
    assert!(config.places != 0, "nothing to read");
    assert!(config.readers + config.writers != 0, "nobody to do it");
    assert!(
        config.broken.is_none() || config.kind != Kind::Cell,
        "a cell cannot be read without a guard"
    );
    let domain = Domain::builder()
        .name("stress")
        .barrier(config.barrier)
        .build()
        .expect("the system has this barrier");
    if config.keep_domain {
        std::mem::forget(domain.clone());
    }
    let tally = Tally::for_ever();
    let start = Instant::now();
    let run = Run {
        config: config.clone(),
        domain,
        deadline: start + config.duration,
        stop: AtomicBool::new(false),
        tally,
        visits: AtomicU64::new(0),
        sent: AtomicU64::new(0),
        threads: AtomicU64::new(0),
    };
    let stats = place::with(&run, |places| threads::run(&run, places));
    let (made, destroyed) = (
        tally.made.load(Ordering::SeqCst),
        tally.destroyed.load(Ordering::SeqCst),
    );
    if made != destroyed {
        tally.violation(|| format!("{made} objects were made, {destroyed} destroyed"));
    }
    Report {
        made,
        destroyed,
        visits: run.visits.load(Ordering::Relaxed),
        sent: run.sent.load(Ordering::Relaxed),
        threads: run.threads.load(Ordering::Relaxed),
        violations: tally.violations.load(Ordering::Relaxed),
        seen: tally.seen.lock().expect("nobody panics with it").clone(),
        stats,
        took: start.elapsed(),
    }
}
