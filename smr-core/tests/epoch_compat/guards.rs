//! Sections, collectors and handles.

use super::epoch::{self, Atomic, Collector, Guard, LocalHandle, Owned, Shared, unprotected};
use super::support::Drops;
use std::sync::atomic::Ordering::{AcqRel, Acquire};

#[test]
fn guards_nest_and_are_dropped_in_any_order() {
    std::thread::spawn(|| {
        assert!(!epoch::is_pinned());
        let outer = epoch::pin();
        let inner = epoch::pin();
        assert!(epoch::is_pinned());
        drop(outer);
        assert!(epoch::is_pinned());
        drop(inner);
        assert!(!epoch::is_pinned());
    })
    .join()
    .unwrap();
}

#[test]
fn guard_names_its_collector() {
    let default: &'static Collector = epoch::default_collector();
    assert!(epoch::pin().collector() == Some(default));
    // SAFETY: nothing is accessed through it.
    assert!(unsafe { unprotected() }.collector().is_none());
    let collector = Collector::default();
    assert!(collector == collector.clone() && collector != Collector::new());
    let handle: LocalHandle = collector.register();
    assert!(!handle.is_pinned());
    let guard: Guard = handle.pin();
    assert!(handle.is_pinned());
    assert!(guard.collector() == Some(handle.collector()));
    assert!(guard.collector() == Some(&collector));
    assert!(guard.collector() != Some(default));
}

#[test]
fn guard_outlives_its_handle_and_its_collector() {
    let drops = Drops::default();
    let collector = Collector::new();
    let handle = collector.register();
    let guard = handle.pin();
    let a = Atomic::new(drops.value(7));
    let p = a.swap(Shared::null(), AcqRel, &guard);
    // SAFETY: unlinked, and retired once.
    unsafe { guard.defer_destroy(p) };
    drop(handle);
    drop(collector);
    assert_eq!(drops.count(), 0);
    // SAFETY: the guard protects it.
    assert_eq!(unsafe { p.deref() }.id, 7);
    drop(guard);
    assert_eq!(drops.count(), 1);
}

#[test]
fn closures_run_once_after_the_section() {
    let drops = Drops::default();
    let guard = epoch::pin();
    let value = drops.value(0);
    guard.defer(move || drop(value));
    let borrowed = drops.value(1);
    // SAFETY: the value is moved in, and may be dropped anywhere.
    unsafe { guard.defer_unchecked(move || borrowed) };
    guard.flush();
    assert_eq!(drops.count(), 0);
    drop(guard);
    drops.settle_at(2);
}

#[test]
fn repinning_lets_go_of_what_was_seen() {
    let drops = Drops::default();
    let collector = Collector::new();
    let handle = collector.register();
    let mut guard = handle.pin();
    let a = Atomic::new(drops.value(0));
    // SAFETY: unlinked, and retired once.
    unsafe { guard.defer_destroy(a.swap(Owned::new(drops.value(1)), AcqRel, &guard)) };
    let turns = (0..1000).take_while(|_| {
        guard.repin();
        guard.flush();
        drops.count() == 0
    });
    assert!(turns.count() < 1000);
    // SAFETY: never null; the guard protects it.
    assert_eq!(unsafe { a.load(Acquire, &guard).deref() }.id, 1);
    assert!(!guard.repin_after(|| handle.is_pinned()));
    assert!(handle.is_pinned());
    // SAFETY: never null, and the test's alone.
    drop(unsafe { a.into_owned() });
}
