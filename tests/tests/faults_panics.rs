//! User code that panics, in sets, lists and radix trees: at every call of `Hash`, `Eq`, `Ord`,
//! `Clone`, `Drop` and closures, one after the other. (For maps: `panics.rs` in the
//! tests of `smr-hashmap`.)
//!
//! A fuse is burnt down by every call of user code, and the call at which it ends
//! panics. Each operation is run with every length of fuse until it comes through.
//! After each run the structure must work, and in the end every value must have been
//! dropped once.
#![cfg(not(miri))]

use std::cell::{Cell, RefCell};
use std::cmp::Ordering as Order;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use smr_core::Domain;
use smr_hashmap::HashSet;
use smr_list::ordered_list::Change;
use smr_list::{List, OrderedList, OrderedSet, Queue, RcuList, Stack};

thread_local! {
    static FUSE: Cell<Option<usize>> = const { Cell::new(None) };
    /// How often each was dropped.
    static DROPS: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// User code is called.
fn burn() {
    match FUSE.get() {
        Some(0) => {
            FUSE.set(None);
            panic!("the fuse has burnt down");
        }
        Some(left) => FUSE.set(Some(left - 1)),
        None => {}
    }
}

/// A value that must be dropped once, and all of whose methods burn.
#[derive(Debug)]
struct Value(u32, usize);

fn value(n: u32) -> Value {
    DROPS.with_borrow_mut(|drops| {
        drops.push(0);
        Value(n, drops.len() - 1)
    })
}

impl Drop for Value {
    fn drop(&mut self) {
        DROPS.with_borrow_mut(|drops| drops[self.1] += 1);
        burn();
    }
}

impl Clone for Value {
    fn clone(&self) -> Self {
        burn();
        value(self.0)
    }
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        burn();
        self.0.hash(state);
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        burn();
        self.0 == other.0
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
        burn();
        self.0.cmp(&other.0)
    }
}

/// What the tests need of a structure.
trait Burnt: Sized {
    /// With the values 0 to 9 in it, and some that were removed and not dropped.
    fn full(domain: &Domain) -> Self;
    /// The values that are in it.
    fn values(&self) -> Vec<u32>;
    /// Adds one that is not there.
    fn add(&self, n: u32);
    /// Removes all there is, one by one; returns how many.
    fn empty(&self) -> usize;
    /// Drops what was removed.
    fn flush(&self);
}

const VALUES: u32 = 10;

/// Runs `op` with every fuse; `allowed` says what may be in it afterwards.
#[track_caller]
fn burn_down<S: Burnt>(op: impl Fn(&mut S), allowed: impl Fn(&[u32]) -> bool) {
    quietly(|| {
        let mut runs = 0;
        for fuse in 0.. {
            let domain = Domain::new();
            let mut burnt = S::full(&domain);
            let came_through = with_fuse(fuse, || op(&mut burnt));
            let mut found = burnt.values();
            found.sort_unstable();
            assert!(allowed(&found), "fuse {fuse}: {found:?}");
            // It still works.
            for n in 100..110 {
                burnt.add(n);
            }
            let mut now = burnt.values();
            now.sort_unstable();
            assert_eq!(now.len(), found.len() + 10, "fuse {fuse}: {now:?}");
            assert_eq!(burnt.empty(), now.len(), "fuse {fuse}");
            assert!(burnt.values().is_empty());
            assert_eq!(domain.stats().active_sections, 0, "fuse {fuse}");
            burnt.flush();
            drop(burnt);
            all_dropped_once(fuse);
            runs += 1;
            if came_through {
                break;
            }
        }
        assert!(runs > 1, "the operation calls no user code");
    });
}

/// The same for operations that take it.
#[track_caller]
fn burn_down_owned<S: Burnt>(op: impl Fn(S)) {
    quietly(|| {
        for fuse in 0.. {
            let burnt = S::full(&Domain::new());
            let came_through = with_fuse(fuse, || op(burnt));
            all_dropped_once(fuse);
            if came_through {
                break;
            }
        }
    });
}

/// Whether it came through, with the fuse left.
#[track_caller]
fn with_fuse(fuse: usize, op: impl FnOnce()) -> bool {
    FUSE.set(Some(fuse));
    let outcome = catch_unwind(AssertUnwindSafe(op));
    let came_through = FUSE.take().is_some();
    assert_eq!(came_through, outcome.is_ok(), "a panic was swallowed");
    came_through
}

#[track_caller]
fn all_dropped_once(fuse: usize) {
    DROPS.with_borrow_mut(|drops| {
        let wrong: Vec<_> = drops.iter().enumerate().filter(|(_, n)| **n != 1).collect();
        assert!(
            wrong.is_empty(),
            "fuse {fuse}: (which, how often): {wrong:?}"
        );
        drops.clear();
    });
}

/// Without messages of the panics that are meant. The hook is the process's, so one
/// test runs at a time.
#[track_caller]
fn quietly(f: impl FnOnce()) {
    static ONE: Mutex<()> = Mutex::new(());
    let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = catch_unwind(AssertUnwindSafe(f));
    std::panic::set_hook(usual);
    drop(one);
    if let Err(payload) = result {
        match payload.downcast::<String>() {
            Ok(text) => panic!("{text}"),
            Err(payload) => panic!("{:?}", payload.downcast_ref::<&str>()),
        }
    }
}

/// All of them, and perhaps one more.
fn all_and(more: u32) -> impl Fn(&[u32]) -> bool {
    move |found| {
        let (all, rest) = found.split_at(VALUES as usize);
        all.iter().copied().eq(0..VALUES) && (rest.is_empty() || rest == [more])
    }
}

/// All of them, but perhaps without one.
fn all_but(one: u32) -> impl Fn(&[u32]) -> bool {
    move |found| {
        let rest = (0..VALUES).filter(|n| *n != one);
        found.iter().copied().eq(0..VALUES) || found.iter().copied().eq(rest)
    }
}

/// Some of them, each once.
fn some(found: &[u32]) -> bool {
    found.iter().all(|n| *n < VALUES) && found.is_sorted_by(|a, b| a < b)
}

macro_rules! burns {
    ($($name:ident: $shape:ty, $op:expr, $allowed:expr;)*) => {
        $(
            #[test]
            fn $name() {
                burn_down::<$shape>($op, $allowed);
            }
        )*
    };
}

macro_rules! owned {
    ($($name:ident: $shape:ty, $op:expr;)*) => {
        $(
            #[test]
            fn $name() {
                burn_down_owned::<$shape>($op);
            }
        )*
    };
}

#[path = "faults_panics/lists.rs"]
mod lists;
#[path = "faults_panics/ordered.rs"]
mod ordered;
#[path = "faults_panics/radix.rs"]
mod radix;
