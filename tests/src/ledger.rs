//! Values that know whether they are alive, and the account of all of them.
//!
//! Whoever looks at a value that was dropped is told, as long as its memory was not
//! given to something else; whoever looks at it *while* it is dropped races with the
//! destructor on plain memory, which ThreadSanitizer sees.

use std::cmp::Ordering as Order;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use smr_core::sync::{AtomicBool, AtomicU64, Ordering};

const LIVE: u64 = 0x11fe_11fe_11fe_11fe;
const DEAD: u64 = 0xdead_dead_dead_dead;

/// The account. It is kept for ever, for values refer to it until they are dropped.
#[derive(Debug, Default)]
pub struct Ledger {
    made: AtomicU64,
    dropped: AtomicU64,
    violations: AtomicU64,
    seen: Mutex<Vec<String>>,
}

impl Ledger {
    /// A fresh account.
    pub fn open() -> &'static Self {
        static KEPT: Mutex<Vec<&Ledger>> = Mutex::new(Vec::new());
        let new: &'static Self = Box::leak(Box::default());
        KEPT.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(new);
        new
    }

    /// A value with this key and number.
    pub fn value(&'static self, key: u64, number: u64) -> Value {
        self.made.fetch_add(1, Ordering::Relaxed);
        Value {
            canary: LIVE,
            key,
            number,
            taken: AtomicBool::new(false),
            ledger: self,
        }
    }

    /// How many values were made.
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::SeqCst)
    }

    /// How many values were dropped.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::SeqCst)
    }

    /// How many values there are.
    pub fn live(&self) -> u64 {
        // First what is smaller.
        let dropped = self.dropped();
        self.made().saturating_sub(dropped)
    }

    /// What was wrong: the number, and the first few in words.
    pub fn findings(&self) -> (u64, Vec<String>) {
        let seen = self.seen().clone();
        (self.violations.load(Ordering::Relaxed), seen)
    }

    fn seen(&self) -> MutexGuard<'_, Vec<String>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what is wrong.
    #[cold]
    pub fn violation(&self, what: impl FnOnce() -> String) {
        const KEPT: usize = 10;
        self.violations.fetch_add(1, Ordering::Relaxed);
        let mut seen = self.seen();
        if seen.len() < KEPT {
            seen.push(what());
        }
    }

    /// Notes it if it is not so.
    pub fn expect(&self, is_so: bool, what: impl FnOnce() -> String) {
        if !is_so {
            self.violation(what);
        }
    }

    /// Panics if anything was wrong.
    ///
    /// # Panics
    ///
    /// See above.
    #[track_caller]
    pub fn assert_clean(&self) {
        let (violations, seen) = self.findings();
        assert!(violations == 0, "{violations} violations: {seen:#?}");
    }
}

/// A value of an account. Equal, and in order, by its key.
pub struct Value {
    canary: u64,
    key: u64,
    number: u64,
    taken: AtomicBool,
    ledger: &'static Ledger,
}

impl Value {
    /// Looks at it: its key and number.
    pub fn look(&self) -> (u64, u64) {
        // SAFETY: a reference may be read through.
        let canary = unsafe { (&raw const self.canary).read_volatile() };
        if canary != LIVE {
            // Not `self.ledger`: the memory may be anybody's.
            eprintln!("a reader is in a value with the canary {canary:x}");
            std::process::abort();
        }
        (self.key, self.number)
    }

    /// Takes what may be taken once.
    pub fn take(&self) -> (u64, u64) {
        let what = self.look();
        if self.taken.swap(true, Ordering::Relaxed) {
            self.ledger
                .violation(|| format!("{what:?} was taken twice"));
        }
        what
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.look();
        // SAFETY: a reference may be written through.
        unsafe { (&raw mut self.canary).write_volatile(DEAD) };
        self.ledger.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Value")
            .field(&self.key)
            .field(&self.number)
            .finish()
    }
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.look().0.hash(state);
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.look().0 == other.look().0
    }
}

impl Eq for Value {}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Order> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Order {
        self.look().0.cmp(&other.look().0)
    }
}

impl std::borrow::Borrow<u64> for Value {
    fn borrow(&self) -> &u64 {
        self.look();
        &self.key
    }
}
