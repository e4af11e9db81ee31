//! User code that panics while much waits to be dropped: comparisons, clones, closures
//! and destructors, each at every place where a row of operations calls it. The
//! structures stay as they should be, and every value is dropped once.
//!
//! `faults_panics.rs` does the same with single operations.
#![cfg(not(miri))]

#[path = "faults_waiting/lists.rs"]
mod lists;
#[path = "faults_waiting/radix.rs"]
mod radix;

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::thread;

/// Who counts calls, panics at one of them, and notes which values were dropped.
#[derive(Default)]
struct Ledger {
    calls: Cell<usize>,
    /// The call that panics.
    fuse: Cell<usize>,
    drops: RefCell<Vec<u32>>,
}

impl Ledger {
    fn call(&self) {
        let call = self.calls.get();
        self.calls.set(call + 1);
        if call == self.fuse.get() && !thread::panicking() {
            panic!("as the test wants it");
        }
    }

    fn value(self: &Rc<Self>, key: u32) -> Fused {
        let mut drops = self.drops.borrow_mut();
        drops.push(0);
        Fused {
            key,
            number: drops.len() - 1,
            ledger: Rc::clone(self),
        }
    }
}

struct Fused {
    key: u32,
    number: usize,
    ledger: Rc<Ledger>,
}

impl Drop for Fused {
    fn drop(&mut self) {
        self.ledger.drops.borrow_mut()[self.number] += 1;
        self.ledger.call();
    }
}

impl Clone for Fused {
    fn clone(&self) -> Self {
        self.ledger.call();
        self.ledger.value(self.key)
    }
}

impl PartialEq for Fused {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Fused {}

impl PartialOrd for Fused {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fused {
    fn cmp(&self, other: &Self) -> Ordering {
        self.ledger.call();
        self.key.cmp(&other.key)
    }
}

/// Runs `work` on a structure, with a panic at its first call of user code, its second,
/// and so on until it makes no more; then `check`. Then drops the structure, where the
/// panics go on to move, and in the end looks whether all is well without one.
fn at_every_call<S>(
    make: impl Fn(&Rc<Ledger>) -> S,
    work: impl Fn(&mut S, &Rc<Ledger>),
    check: impl Fn(S, &Rc<Ledger>),
) {
    let mut fuse = Some(0);
    while let Some(call) = fuse {
        let ledger = Rc::new(Ledger::default());
        ledger.fuse.set(usize::MAX);
        let mut made = make(&ledger);
        ledger.calls.set(0);
        ledger.fuse.set(call);
        let worked = catch_unwind(AssertUnwindSafe(|| work(&mut made, &ledger)));
        let armed = ledger.calls.get() <= call;
        assert_eq!(worked.is_err(), !armed, "a panic that nobody planned");
        fuse = call.checked_add(1);
        if armed && call != usize::MAX {
            // The work is through: it is the end that panics now.
            let dropped = catch_unwind(AssertUnwindSafe(|| drop(made)));
            if dropped.is_ok() {
                assert!(call > 10, "{call} calls are too few to show anything");
                fuse = Some(usize::MAX);
            }
        } else {
            check(made, &ledger);
        }
        let drops = ledger.drops.borrow();
        let wrong: Vec<_> = (0..drops.len()).filter(|n| drops[*n] != 1).collect();
        assert!(wrong.is_empty(), "panic at {call}: {wrong:?} of {drops:?}");
    }
}
