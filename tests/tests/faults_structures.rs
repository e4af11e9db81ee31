//! Faults that every structure must survive, one after the other: readers that
//! stall, threads that leave guards behind or end at the wrong moment, a million
//! objects that wait for one reader.
//!
//! What the core makes of the same is in the other tests of faults; here it is shown
//! of what users hold in hand.
#![cfg(not(miri))]

mod support;

#[path = "faults_structures/processes.rs"]
mod processes;
#[path = "faults_structures/readers.rs"]
mod readers;
#[path = "faults_structures/threads.rs"]
mod threads;

use smr_core::Guard;
use smr_tests::ledger::Ledger;
use smr_tests::shapes::Shape;

/// Adds so many values; keys fall.
fn fill<S: Shape>(shape: &S, ledger: &'static Ledger, count: u64, guard: &Guard) {
    for key in (0..count).rev() {
        shape.add(ledger.value(key, key), guard);
    }
}

/// Removes all of them; keys rise.
fn empty<S: Shape>(shape: &S, count: u64, guard: &Guard) {
    for key in 0..count {
        assert!(shape.remove(key, guard), "{}: {key}", S::NAME);
    }
}

/// It works as on the first day.
fn works<S: Shape>(shape: &S, ledger: &'static Ledger, guard: &Guard) {
    let before = shape.keys(guard);
    let first = before.last().map_or(0, |last| last + 1);
    for key in (first..first + 100).rev() {
        shape.add(ledger.value(key, key), guard);
    }
    let now = shape.keys(guard);
    assert_eq!(now[..before.len()], before, "{}", S::NAME);
    assert!(now[before.len()..].iter().copied().eq(first..first + 100));
    for key in first..first + 100 {
        assert!(shape.remove(key, guard), "{}", S::NAME);
    }
    assert_eq!(shape.keys(guard).len(), before.len(), "{}", S::NAME);
}
