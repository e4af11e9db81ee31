//! The soak: structures under threads that know every answer, for as long as one
//! likes.
//!
//! ```text
//!   hand: a share of the keys, or of the values, that nobody else writes,
//!         and a copy of it in a collection of `std`: every answer is checked
//!   hands move from thread to thread; one more thread looks at all of it,
//!         stalls, and looks at what it saw again
//!   the monitor: samples what was made and not dropped, and the process's memory
//! ```
//!
//! Three things are held throughout: each answer is the right one; no value is
//! dropped under a reader, or not once; what was removed some time ago is gone
//! ([`latest`]).

mod ends;
mod keyed;
mod linked;
mod memory;

use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use fastrand::Rng;
use smr_core::sync::{AtomicBool, AtomicU64, Ordering};
use smr_core::{BarrierKind, Domain, Guard};

use crate::ledger::{Ledger, Value};

pub use memory::resident_bytes;

/// Removed values are dropped within this time of their removal while operations go
/// on, where the longest turn of a thread took `longest`: a section, or the running
/// of destructors. What piled up in such a turn is dropped twice as fast as more is
/// added; the rest is for turns that follow on each other.
#[must_use]
pub fn latest(longest: Duration) -> Duration {
    Duration::from_millis(500) + 4 * longest
}

/// For how long a reader stalls at the most.
pub const LONGEST_STALL: Duration = Duration::from_millis(40);

/// What is soaked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A hash map, whose operations drop what was removed.
    Map,
    /// A hash map whose removed values the domain drops.
    MapOfDomain,
    /// An ordered list.
    OrderedList,
    /// A list with handles.
    List,
    /// A stack.
    Stack,
    /// A queue.
    Queue,
    /// An RCU list.
    RcuList,
    /// A radix tree.
    RadixTree,
}

impl Subject {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Map,
        Self::MapOfDomain,
        Self::OrderedList,
        Self::List,
        Self::Stack,
        Self::Queue,
        Self::RcuList,
        Self::RadixTree,
    ];
}

/// How to soak.
#[derive(Debug, Clone)]
pub struct Config {
    /// What.
    pub subject: Subject,
    /// The barrier of the domain.
    pub barrier: BarrierKind,
    /// For how long.
    pub duration: Duration,
    /// Threads with a hand each.
    pub threads: usize,
    /// Where the random numbers start. The schedule is the system's.
    pub seed: u64,
    /// Keep to what ThreadSanitizer understands: domains for ever, for their end is
    /// that of an `Arc`, which orders by a fence; one writer where writers have a
    /// lock, for it does not see the locks of `std`.
    pub for_thread_sanitizer: bool,
    /// Interrupt threads at any instruction (on Linux).
    pub preempt: bool,
    /// A mistake to be made, which must be seen.
    pub mistake: Option<Mistake>,
}

/// A mistake that is made on purpose, to show that it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// A guard is forgotten: its section stays open.
    ForgottenGuard,
    /// Two hands believe that the same values are theirs alone.
    TwoOwners,
}

/// What a run did and saw.
#[derive(Debug)]
pub struct Report {
    /// Operations of hands.
    pub operations: u64,
    /// Values that were made.
    pub made: u64,
    /// Values that were dropped, the structure included.
    pub dropped: u64,
    /// The most values at a time that were removed and not dropped yet.
    pub most_garbage: u64,
    /// How old garbage was at the most.
    pub oldest_garbage: Duration,
    /// The longest turn of a thread: see [`latest`].
    pub longest_turn: Duration,
    /// The process's memory at the end, in bytes; 0 where nobody tells.
    pub resident_bytes: u64,
    /// What was wrong: the number.
    pub violations: u64,
    /// The first few, in words.
    pub seen: Vec<String>,
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
            "{} operations, {} values made, {} dropped, {} waited at the most, for {} ms (longest \
             turn {} ms), {} KiB resident",
            self.operations,
            self.made,
            self.dropped,
            self.most_garbage,
            self.oldest_garbage.as_millis(),
            self.longest_turn.as_millis(),
            self.resident_bytes >> 10
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
pub(crate) struct Run {
    config: Config,
    ledger: &'static Ledger,
    deadline: Instant,
    stop: AtomicBool,
    longest_turn_ns: AtomicU64,
}

impl Run {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed) && Instant::now() < self.deadline
    }

    /// A turn that began then has ended.
    fn turned(&self, since: Instant) {
        let ns = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.longest_turn_ns.fetch_max(ns, Ordering::Relaxed);
    }

    fn value(&self, key: u64, number: u64) -> Value {
        self.ledger.value(key, number)
    }

    fn expect(&self, is_so: bool, what: impl FnOnce() -> String) {
        self.ledger.expect(is_so, what);
    }
}

/// A structure with the answers that it must give.
pub(crate) trait Soaked: Sync {
    /// What one thread at a time has in hand.
    type Hand: Send;

    /// Hand number `index`.
    fn hand(&self, run: &Run, index: usize) -> Self::Hand;

    /// One operation, whose answer is checked.
    fn step(&self, run: &Run, hand: &mut Self::Hand, rng: &mut Rng, guard: &Guard);

    /// Looks at the whole of it, which is what everybody may say of it; keeps up
    /// to a hundred values in sight.
    fn survey<'g>(&'g self, run: &Run, guard: &'g Guard) -> Vec<&'g Value>;

    /// Nobody else is there: what is left is what the hands say. Returns how many
    /// values that is.
    fn close(&self, run: &Run, hands: Vec<Self::Hand>, guard: &Guard) -> u64;

    /// Drops what was removed and is held up by nobody.
    fn flush(&self);

    /// Values that a hand has in the structure at the most.
    fn most(&self) -> u64;
}

/// Soaks one structure.
///
/// # Panics
///
/// If there are no threads, or the system does not have the barrier.
#[must_use]
pub fn run(config: &Config) -> Report {
    assert!(config.threads != 0, "nobody to do it");
    let domain = Domain::builder()
        .name("soak")
        .barrier(config.barrier)
        .build()
        .expect("the system has this barrier");
    if config.for_thread_sanitizer {
        std::mem::forget(domain.clone());
    }
    let run = Run {
        config: config.clone(),
        ledger: Ledger::open(),
        deadline: Instant::now() + config.duration,
        stop: AtomicBool::new(false),
        longest_turn_ns: AtomicU64::new(0),
    };
    let (operations, garbage) = match config.subject {
        Subject::Map => soak(&run, &domain, keyed::map(&domain, false)),
        Subject::MapOfDomain => soak(&run, &domain, keyed::map(&domain, true)),
        Subject::OrderedList => soak(&run, &domain, keyed::ordered(&domain)),
        Subject::List => soak(&run, &domain, linked::Handles::new(&domain)),
        Subject::Stack => soak(&run, &domain, ends::stack(&domain)),
        Subject::Queue => soak(&run, &domain, ends::queue(&domain)),
        Subject::RcuList => soak(&run, &domain, linked::Rcu::new(&domain)),
        Subject::RadixTree => soak(&run, &domain, keyed::radix(&domain)),
    };
    let (made, dropped) = (run.ledger.made(), run.ledger.dropped());
    run.expect(made == dropped, || {
        format!("{made} values were made, {dropped} dropped, with the structure")
    });
    let longest_turn = Duration::from_nanos(run.longest_turn_ns.load(Ordering::Relaxed));
    run.expect(garbage.oldest <= latest(longest_turn), || {
        format!(
            "garbage was {:?} old, where the longest turn was {longest_turn:?}",
            garbage.oldest
        )
    });
    let (violations, seen) = run.ledger.findings();
    Report {
        operations,
        made,
        dropped,
        most_garbage: garbage.most,
        oldest_garbage: garbage.oldest,
        longest_turn,
        resident_bytes: resident_bytes(),
        violations,
        seen,
    }
}

fn soak<S: Soaked>(run: &Run, domain: &Domain, soaked: S) -> (u64, memory::Garbage) {
    let threads = run.config.threads;
    let hands: Mutex<Vec<S::Hand>> = Mutex::default();
    let mut operations = 0;
    let mut garbage = memory::Garbage::default();
    let seed = |role: u64| Rng::with_seed(run.config.seed.wrapping_mul(0x9e37_79b9) ^ role << 32);
    #[cfg(target_os = "linux")]
    let preemptor = run
        .config
        .preempt
        .then(|| crate::preempt::Preemptor::start(Duration::from_micros(50), run.config.seed));
    if run.config.mistake == Some(Mistake::ForgottenGuard) {
        std::mem::forget(domain.pin());
    }
    std::thread::scope(|scope| {
        let soaked = &soaked;
        let staller = scope.spawn(move || stall(run, domain, soaked, seed(1)));
        let monitor = scope.spawn(|| memory::watch(run, soaked.most() * threads as u64));
        let workers: Vec<_> = (0..threads)
            .map(|index| {
                let two = run.config.mistake == Some(Mistake::TwoOwners) && index == 1;
                let hand = soaked.hand(run, if two { 0 } else { index });
                scope.spawn(move || work(run, domain, soaked, hand, seed(2 + index as u64)))
            })
            .collect();
        for worker in workers {
            let (hand, done) = worker.join().expect("a thread of the soak panicked");
            operations += done;
            hands.lock().expect("nobody panics with it").push(hand);
        }
        run.stop.store(true, Ordering::Relaxed);
        staller.join().expect("the thread that stalls panicked");
        garbage = monitor.join().expect("the monitor panicked");
    });
    #[cfg(target_os = "linux")]
    drop(preemptor);
    let hands = hands.into_inner().expect("nobody panics with it");
    let left = soaked.close(run, hands, &domain.pin());
    // No reader is left and nobody writes: all that was removed goes.
    soaked.flush();
    let live = run.ledger.live();
    run.expect(live <= left, || {
        format!("{live} values live, and {left} of them in the structure")
    });
    let open = domain.stats().active_sections;
    run.expect(open == 0, || format!("{open} sections are open"));
    (operations, garbage)
}

/// Works with a hand, on this thread and on others.
fn work<S: Soaked>(
    run: &Run,
    domain: &Domain,
    soaked: &S,
    mut hand: S::Hand,
    mut rng: Rng,
) -> (S::Hand, u64) {
    let mut done = 0;
    let mut turn = |hand: &mut S::Hand, rng: &mut Rng| {
        #[cfg(target_os = "linux")]
        let _enrolled = run
            .config
            .preempt
            .then(crate::preempt::Enrolled::this_thread);
        for _ in 0..rng.u32(1..300) {
            let since = Instant::now();
            // One or several in a section.
            let guard = domain.pin();
            for _ in 0..rng.u32(1..4) {
                soaked.step(run, hand, rng, &guard);
                done += 1;
            }
            if rng.u32(..2000) == 0 {
                std::thread::sleep(Duration::from_micros(rng.u64(..500)));
            }
            drop(guard);
            run.turned(since);
        }
    };
    while run.goes_on() {
        for _ in 0..16 {
            turn(&mut hand, &mut rng);
        }
        // A thread that comes, works and goes.
        let hand = &mut hand;
        let rng = &mut rng;
        std::thread::scope(|scope| {
            let short_lived = scope.spawn(|| turn(hand, rng));
            short_lived.join().expect("a short-lived thread panicked");
        });
    }
    (hand, done)
}

/// Looks at everything, stays, and looks again at what it saw.
fn stall<S: Soaked>(run: &Run, domain: &Domain, soaked: &S, mut rng: Rng) {
    let mut owned = true;
    while run.goes_on() {
        let look = |guard: &Guard, rng: &mut Rng| {
            let kept = soaked.survey(run, guard);
            let seen: Vec<_> = kept.iter().map(|value| value.look()).collect();
            let longest = u64::try_from(LONGEST_STALL.as_micros()).expect("a short while");
            std::thread::sleep(Duration::from_micros(rng.u64(..longest)));
            let again = kept.iter().map(|value| value.look());
            run.expect(seen.iter().copied().eq(again), || {
                "what a reader saw has changed under it".into()
            });
        };
        owned = !owned;
        let since = Instant::now();
        if owned {
            look(&domain.owned_guard(), &mut rng);
        } else {
            look(&domain.pin(), &mut rng);
        }
        run.turned(since);
        std::thread::sleep(Duration::from_micros(rng.u64(..1000)));
    }
}
