//! Running a case under many schedules, each of which follows from one number.
//!
//! ```text
//! cargo shuttle                           the fixed seeds, and as many fresh ones
//! SMR_SHUFFLES=100000 cargo shuttle NAME  more of both, for one case
//! SMR_SHUFFLE_SEED=7 cargo shuttle NAME   one schedule, as it was
//! ```
//!
//! A seed chooses how often threads are switched, and which of them are slow; then
//! each switch, and each number that the case asks for with [`below`]. So a seed that
//! fails, which each panic prints, fails again.

use std::boxed::Box;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use std::vec::Vec;

use shuttle::rand::Rng;
use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

use super::process::{AtomicU8, Ordering};

pub use shuttle::thread;

/// Seeds of each kind, fixed and fresh, unless `SMR_SHUFFLES` says otherwise.
const SEEDS: u64 = 400;

/// Steps after which a schedule is taken to go round for ever.
const STEPS: usize = 1_000_000;

/// Stack of each thread, in bytes.
const STACK: usize = 256 << 10;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// Seeds that no earlier run had.
fn fresh() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    mix(now.expect("it is later than 1970").as_nanos() as u64)
}

/// Runs `case` once for each seed.
///
/// # Panics
///
/// As the case does; which seed it was is printed before.
#[track_caller]
pub fn shuffle(case: impl Fn() + Send + Sync + 'static) {
    let case = Arc::new(case);
    let judge = |seed| {
        let case = Arc::clone(&case);
        if let Err(panic) = run(seed, move || case()) {
            panic::resume_unwind(panic);
        }
    };
    if let Some(seed) = number("SMR_SHUFFLE_SEED") {
        return judge(seed);
    }
    let seeds = number("SMR_SHUFFLES").unwrap_or(SEEDS);
    let fresh = fresh();
    (0..seeds).for_each(judge);
    (0..seeds).for_each(|n| judge(fresh.wrapping_add(n)));
}

/// Whether `case` fails under the schedule of `seed`.
pub fn fails(seed: u64, case: impl Fn() + Send + Sync + 'static) -> bool {
    run(seed, case).is_err()
}

std::thread_local! {
    /// The schedule that is being run: all threads of a case run on one.
    static SEED: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Lets each panic say under which seed it came, also one that ends the process.
fn tell_seeds() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if let Some(seed) = SEED.get() {
                let thread = std::thread::current();
                let name = thread.name().unwrap_or("NAME");
                std::eprintln!(
                    "seed {seed} fails; again: SMR_SHUFFLE_SEED={seed} cargo shuttle {name}"
                );
            }
            before(info);
        }));
    });
}

fn run(seed: u64, case: impl Fn() + Send + Sync + 'static) -> std::thread::Result<()> {
    tell_seeds();
    SEED.set(Some(seed));
    let mut config = Config::new();
    config.stack_size = STACK;
    config.max_steps = MaxSteps::FailAfter(STEPS);
    config.failure_persistence = FailurePersistence::None;
    config.silence_warnings = true;
    let runner = Runner::new(Whims::new(seed), config);
    let result = panic::catch_unwind(AssertUnwindSafe(|| {
        runner.run(case);
    }));
    SEED.set(None);
    result
}

/// A number below `bound`, which follows from the seed.
pub fn below(bound: u64) -> u64 {
    shuttle::rand::thread_rng().gen_range(0..bound)
}

/// A step of SplitMix64 (Steele, Lea, Flood, *Fast Splittable Pseudorandom Number
/// Generators*, 2014): the finalizer of one state.
fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A scheduler with moods: one seed switches at each step, another lets a thread go on
/// for long; to one all threads are equal, to another some hardly ever run.
#[derive(Debug)]
struct Whims {
    seed: Option<u64>,
    state: u64,
    switch_one_in: u64,
    unfairness: u64,
}

impl Whims {
    fn new(seed: u64) -> Self {
        let mut new = Self {
            seed: Some(seed),
            state: mix(seed.wrapping_add(0x9e37_79b9_7f4a_7c15)),
            switch_one_in: 1,
            unfairness: 1,
        };
        new.switch_one_in = [1, 2, 4, 16, 64][new.below(5)];
        new.unfairness = [1, 1, 8, 64][new.below(4)];
        new
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    fn below(&mut self, bound: u64) -> usize {
        (self.next() % bound) as usize
    }

    /// How much more often than the slowest a thread runs.
    fn weight(&self, task: TaskId) -> u64 {
        let is_slow = mix(usize::from(task) as u64 ^ self.unfairness) % 2 == 0;
        if is_slow { 1 } else { self.unfairness }
    }
}

impl Scheduler for Whims {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.seed.take().map(Schedule::new)
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        let goes_on = |task: &&&Task| Some(task.id()) == current;
        let current = runnable.iter().find(goes_on).map(|task| task.id());
        let switches = is_yielding || self.next() % self.switch_one_in == 0;
        if let (Some(current), false) = (current, switches) {
            return Some(current);
        }
        // Whoever yields waits for another.
        let waits = |task: &TaskId| is_yielding && runnable.len() > 1 && Some(*task) == current;
        let others: Vec<TaskId> = runnable
            .iter()
            .map(|task| task.id())
            .filter(|task| !waits(task))
            .collect();
        let total: u64 = others.iter().map(|task| self.weight(*task)).sum();
        let mut at = self.next() % total;
        others.into_iter().find(|task| {
            let weight = self.weight(*task);
            let is_it = at < weight;
            at = at.wrapping_sub(weight);
            is_it
        })
    }

    fn next_u64(&mut self) -> u64 {
        self.next()
    }
}

/// Values that know whether they were dropped.
#[derive(Debug, Clone, Default)]
pub struct Ledger(Arc<Mutex<Vec<Arc<AtomicU8>>>>);

/// A value of a [`Ledger`].
#[derive(Debug)]
pub struct Counted {
    number: u64,
    drops: Arc<AtomicU8>,
}

impl Ledger {
    /// A value, which stands for a number.
    pub fn value(&self, number: u64) -> Counted {
        let drops = Arc::new(AtomicU8::new(0));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Arc::clone(&drops));
        Counted { number, drops }
    }

    /// How many values there are that were not dropped.
    pub fn alive(&self) -> usize {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Relaxed: one thread after the other runs.
        let is_alive = |drops: &&Arc<AtomicU8>| drops.load(Ordering::Relaxed) == 0;
        all.iter().filter(is_alive).count()
    }

    /// Checks that all values were dropped.
    #[track_caller]
    pub fn check(&self) {
        assert_eq!(self.alive(), 0, "values were never dropped");
    }
}

impl Counted {
    /// The number that it stands for. Others may run in between: what is held up by
    /// a section stays.
    #[track_caller]
    pub fn read(&self) -> u64 {
        for _ in 0..2 {
            // Relaxed: one thread after the other runs.
            let drops = self.drops.load(Ordering::Relaxed);
            assert_eq!(drops, 0, "a reader holds what was dropped");
            // A place to switch threads.
            super::AtomicBool::new(false).load(Ordering::Relaxed);
        }
        self.number
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // Relaxed: as above.
        let drops = self.drops.fetch_add(1, Ordering::Relaxed);
        if !std::thread::panicking() {
            assert_eq!(drops, 0, "dropped twice");
        }
    }
}
