//! A snapshot that is replaced whole, in the manner of RCU.

use super::epoch::{self, Atomic, Owned};
use super::support::{Counted, Drops, on_threads};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

struct Table {
    rows: Vec<u64>,
    _counted: Counted,
}

impl Table {
    fn new(version: u64, drops: &Drops) -> Self {
        Self {
            rows: vec![version; 64],
            _counted: drops.value(version),
        }
    }
}

#[test]
fn snapshot_is_whole_and_never_older_than_the_one_before() {
    const VERSIONS: u64 = 2_000;
    let drops = Drops::default();
    let table = Atomic::new(Table::new(0, &drops));
    let done = AtomicBool::new(false);
    on_threads(3, |thread| {
        if thread == 0 {
            for version in 1..=VERSIONS {
                let guard = &epoch::pin();
                let new = Owned::new(Table::new(version, &drops));
                let old = table.swap(new, AcqRel, guard);
                // SAFETY: unlinked by us alone.
                unsafe { guard.defer_destroy(old) };
            }
            done.store(true, Relaxed);
            return;
        }
        let mut last = 0;
        while !done.load(Relaxed) {
            let guard = &epoch::pin();
            // SAFETY: never null, and the guard protects it.
            let now = unsafe { table.load(Acquire, guard).deref() };
            let version = now.rows[0];
            assert!(now.rows.iter().all(|&row| row == version), "torn");
            assert!(version >= last, "went back");
            last = version;
        }
    });
    // SAFETY: never null, and ours alone.
    drop(unsafe { table.into_owned() });
    drops.settle_at(VERSIONS as usize + 1);
}

#[test]
fn snapshot_outlives_its_replacement_while_guarded() {
    let drops = Drops::default();
    let table = Atomic::new(Table::new(1, &drops));
    let guard = epoch::pin();
    // SAFETY: never null, and the guard protects it.
    let old = unsafe { table.load(Acquire, &guard).deref() };
    std::thread::scope(|s| {
        s.spawn(|| {
            let guard = &epoch::pin();
            let old = table.swap(Owned::new(Table::new(2, &drops)), AcqRel, guard);
            // SAFETY: unlinked by us alone.
            unsafe { guard.defer_destroy(old) };
            guard.flush();
        });
    });
    for _ in 0..100 {
        epoch::pin().flush();
    }
    assert_eq!(drops.count(), 0);
    assert_eq!(old.rows[63], 1);
    drop(guard);
    drops.settle_at(1);
    // SAFETY: never null, and ours alone.
    drop(unsafe { table.into_owned() });
    drops.settle_at(2);
}
