//! Sections and slots against code that calls back: nothing may pull the slot
//! from under a guard, or the domain from under a collection.
#![cfg(feature = "std")]

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use smr_core::{Domain, LocalHandle, OverLimit, Pool};

/// Runs a closure when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn on_drop<F: FnMut()>(f: F) -> OnDrop<F> {
    OnDrop(f)
}

#[test]
fn a_guard_that_stepped_out_keeps_its_slot() {
    let domain = Domain::new();
    let handle = domain.register();
    let mut guard = handle.pin();
    let other = guard.repin_after(|| {
        drop(handle);
        domain.register()
    });
    assert!(!other.is_pinned(), "two owners of one slot");
    drop(guard);
    assert_eq!(domain.stats().participants, 1, "the slot was given back");
}

#[test]
fn a_nested_guard_does_not_give_back_the_slot_of_one_that_stepped_out() {
    let domain = Domain::new();
    let handle = domain.register();
    let mut guard = handle.pin();
    let other = guard.repin_after(|| {
        let nested = handle.pin();
        drop(handle);
        drop(nested);
        domain.register()
    });
    assert!(!other.is_pinned(), "two owners of one slot");
    drop(guard);
    assert_eq!(domain.stats().participants, 1, "the slot was given back");
}

#[test]
fn a_guard_that_stepped_out_keeps_the_domain() {
    let domain = Domain::new();
    let mut guard = domain.pin();
    guard.repin_after(|| {
        drop(domain);
        // Registering gives back the slots of closed domains.
        drop(Domain::new().pin());
    });
    assert!(guard.domain().is_some());
    drop(guard);
}

#[test]
fn a_panic_while_stepping_out_leaves_the_guard_inside() {
    let domain = Domain::new();
    let handle = domain.register();
    let mut guard = handle.pin();
    domain.defer(|| panic!("a destructor"));
    domain.flush();
    let caught = catch_unwind(AssertUnwindSafe(|| guard.repin_after(|| ())));
    assert!(caught.is_err(), "the section held the destructor up");
    assert!(
        handle.is_pinned(),
        "a guard lives and its section is closed"
    );
    let goal = domain.advance();
    assert!(!domain.poll(goal));
    drop(guard);
    assert!(domain.poll(goal));
}

#[test]
fn a_collection_at_the_exit_keeps_the_domain() {
    let inside = Arc::new(AtomicBool::new(false));
    let nested = Arc::new(AtomicUsize::new(0));
    let domain = Domain::new();
    let guard = domain.pin();
    for _ in 0..40 {
        let (inside, nested) = (Arc::clone(&inside), Arc::clone(&nested));
        guard.defer(move || {
            if inside.swap(true, SeqCst) {
                nested.fetch_add(1, SeqCst);
            }
            // Registering gives back the slots of closed domains.
            drop(Domain::new().pin());
            inside.store(false, SeqCst);
        });
    }
    drop(domain);
    drop(guard);
    assert_eq!(nested.load(SeqCst), 0, "the domain went during its sweep");
}

#[test]
fn a_destructor_may_drop_the_handle_whose_exit_runs_it() {
    std::thread_local! {
        static HANDLE: RefCell<Option<LocalHandle>> = const { RefCell::new(None) };
        static OTHER: RefCell<Option<LocalHandle>> = const { RefCell::new(None) };
    }
    let domain = Domain::new();
    HANDLE.set(Some(domain.register()));
    let guard = HANDLE.with_borrow(|handle| handle.as_ref().unwrap().pin());
    let again = domain.clone();
    guard.defer(move || {
        drop(HANDLE.take());
        OTHER.set(Some(again.register()));
    });
    domain.flush();
    drop(guard);
    drop(OTHER.take().expect("the exit collects"));
    assert_eq!(
        domain.stats().participants,
        0,
        "each slot is given back once"
    );
    let (one, two) = (domain.register(), domain.register());
    let guard = one.pin();
    assert!(!two.is_pinned());
    drop(guard);
}

#[test]
fn a_revived_domain_is_open() {
    std::thread_local! {
        static REVIVED: RefCell<Option<Domain>> = const { RefCell::new(None) };
        static HANDLE: RefCell<Option<LocalHandle>> = const { RefCell::new(None) };
    }
    let domain = Domain::builder()
        .max_retired_bytes(1, OverLimit::Help)
        .on_limit(|_| {
            drop(Domain::new().pin());
            REVIVED.with_borrow(|domain| {
                HANDLE.set(domain.as_ref().map(Domain::register));
            });
        })
        .build()
        .unwrap();
    let guard = domain.pin();
    drop(domain);
    let domain = guard.domain().unwrap().clone();
    REVIVED.set(Some(domain.clone()));
    drop(guard);
    // The hook runs in the middle of this, on the thread's slot.
    domain.defer_sized(2, || ());
    assert!(HANDLE.with_borrow(Option::is_some));
    assert_eq!(
        domain.stats().participants,
        2,
        "the slot was given away while it was used"
    );
    HANDLE.take();
    REVIVED.take();
}

#[test]
fn the_domain_does_not_reach_a_scoped_pool() {
    let domain = Domain::new();
    let dropped = Cell::new(false);
    struct Flag<'a>(&'a Cell<bool>);
    // SAFETY: of this test: all happens on one thread.
    unsafe impl Send for Flag<'_> {}
    impl Drop for Flag<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let pool = Pool::scoped_in(&domain);
    let guard = domain.pin();
    let item = pool.alloc(Flag(&dropped)).into_raw();
    // SAFETY: nobody else knows it.
    unsafe { pool.retire(item) };
    pool.flush();
    // A reader is in the way; now the pool is forgotten, which ends all borrows.
    std::mem::forget(pool);
    drop(guard);
    domain.flush();
    domain.barrier();
    assert!(!dropped.get(), "a value was dropped after what it borrows");
}

#[test]
fn a_panic_at_the_exit_gives_the_slot_back() {
    let domain = Domain::new();
    let guard = domain.owned_guard();
    guard.defer(|| panic!("a destructor"));
    domain.flush();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(guard))).is_err());
    assert_eq!(domain.stats().participants, 0);

    let handle = domain.register();
    handle.pin().defer(|| panic!("a destructor"));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(handle))).is_err());
    assert_eq!(domain.stats().participants, 0);
}

#[test]
fn a_panic_at_the_thread_exit_is_not_the_end() {
    let domain = Domain::new();
    let ran = Arc::new(AtomicUsize::new(0));
    let thread = {
        let (domain, ran) = (domain.clone(), Arc::clone(&ran));
        std::thread::spawn(move || {
            for _ in 0..3 {
                let ran = on_drop({
                    let ran = Arc::clone(&ran);
                    move || {
                        ran.fetch_add(1, SeqCst);
                    }
                });
                domain.defer(move || {
                    let _ran = ran;
                    panic!("a destructor");
                });
            }
        })
    };
    thread.join().unwrap();
    domain.barrier();
    assert_eq!(ran.load(SeqCst), 3);
}

#[test]
#[ignore = "counts to 2^32: run it with --release"]
fn forgotten_guards_do_not_close_the_section() {
    let handle = Domain::new().register();
    let guard = handle.pin();
    let second = handle.pin();
    let _ = catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..u32::MAX {
            std::mem::forget(handle.pin());
        }
    }));
    drop(second);
    assert!(handle.is_pinned());
    drop(guard);
}
