//! The domain as its users meet it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use smr_core::{BuildError, Domain, OverLimit, SeqError, WaitError, pin};

use crate::support::every_barrier;

/// Counts how often it was dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn a_goal_expires_when_the_reader_leaves() {
    every_barrier(|domain| {
        let guard = domain.pin();
        let goal = domain.advance();
        assert!(!domain.poll(goal));
        let inner = domain.pin();
        drop(guard);
        assert!(!domain.poll(goal), "the section ends with the last guard");
        drop(inner);
        assert!(domain.poll(goal));
    });
}

#[test]
fn a_section_that_began_later_is_not_waited_for() {
    every_barrier(|domain| {
        let goal = domain.advance();
        let _guard = domain.pin();
        assert!(domain.poll(goal));
        assert!(!domain.poll(domain.advance()));
    });
}

#[test]
fn repin_moves_to_the_present() {
    every_barrier(|domain| {
        let mut guard = domain.pin();
        let goal = domain.advance();
        assert!(!domain.poll(goal));
        guard.repin();
        assert!(domain.poll(goal));
        let goal = domain.advance();
        {
            let _nested = domain.pin();
            guard.repin();
            assert!(!domain.poll(goal), "a nested guard holds the section");
        }
        guard.repin_after(|| assert!(domain.poll(goal)));
        assert!(domain.is_pinned());
    });
}

#[test]
fn everything_retired_is_dropped_once() {
    every_barrier(|domain| {
        let drops = Arc::new(AtomicUsize::new(0));
        for _ in 0..10_000 {
            let guard = domain.pin();
            guard.retire(Counted(drops.clone()));
        }
        domain.barrier();
        assert_eq!(drops.load(SeqCst), 10_000);
    });
}

#[test]
fn a_domain_that_goes_drops_everything() {
    every_barrier(|domain| {
        let drops = Arc::new(AtomicUsize::new(0));
        domain.retire(Counted(drops.clone()));
        let guard = domain.pin();
        domain.retire(Counted(drops.clone()));
        drop(domain);
        assert!(drops.load(SeqCst) < 2, "a guard protects the second");
        drop(guard);
        assert_eq!(drops.load(SeqCst), 2);
    });
}

#[test]
fn the_reader_that_held_things_up_collects_them() {
    every_barrier(|domain| {
        let drops = Arc::new(AtomicUsize::new(0));
        let (enter, entered) = std::sync::mpsc::channel();
        let (leave, left) = std::sync::mpsc::channel::<()>();
        let reader = std::thread::spawn({
            let domain = domain.clone();
            move || {
                let guard = domain.pin();
                enter.send(()).unwrap();
                left.recv().unwrap();
                drop(guard);
            }
        });
        entered.recv().unwrap();
        for _ in 0..100_000 {
            domain.retire(Counted(drops.clone()));
        }
        // Nobody retires any more, and this thread does not come back.
        assert_eq!(drops.load(SeqCst), 0);
        leave.send(()).unwrap();
        reader.join().unwrap();
        assert_eq!(drops.load(SeqCst), 100_000);
    });
}

#[test]
fn foreign_and_future_goals_are_refused() {
    let (one, other) = (Domain::new(), Domain::new());
    let goal = one.advance();
    assert_eq!(other.try_poll(goal), Err(SeqError::ForeignDomain));
    assert_eq!(
        other.try_wait(goal, Duration::ZERO),
        Err(WaitError::Goal(SeqError::ForeignDomain))
    );
    assert_eq!(one.seq_from_raw(goal.into_raw()), Ok(goal));
    assert_eq!(
        one.seq_from_raw(goal.into_raw() + 1),
        Err(SeqError::NotHandedOut)
    );
    assert_eq!(one.seq_from_raw(0), Err(SeqError::NotHandedOut));
    assert_eq!(goal.partial_cmp(&other.advance()), None);
}

#[test]
fn waiting_inside_ones_own_section_is_refused() {
    every_barrier(|domain| {
        let guard = domain.pin();
        assert_eq!(
            domain.try_synchronize(Duration::from_secs(9)),
            Err(WaitError::InSection)
        );
        assert_eq!(
            domain.try_barrier(Duration::from_secs(9)),
            Err(WaitError::InSection)
        );
        drop(guard);
        assert_eq!(domain.try_synchronize(Duration::from_secs(9)), Ok(()));
        let handle = domain.register();
        let guard = handle.pin();
        assert_eq!(
            domain.try_synchronize(Duration::from_secs(9)),
            Err(WaitError::InSection)
        );
        drop(guard);
        let owned = domain.owned_guard();
        assert_eq!(
            domain.try_synchronize(Duration::from_millis(5)),
            Err(WaitError::Timeout)
        );
        drop(owned);
        domain.synchronize();
    });
}

#[test]
fn impossible_settings_are_refused() {
    let error = |builder: smr_core::DomainBuilder| builder.build().unwrap_err();
    assert_eq!(
        error(Domain::builder().max_participants(0)),
        BuildError::NoParticipants
    );
    assert!(matches!(
        error(Domain::builder().max_participants(u32::MAX)),
        BuildError::TooManyParticipants { .. }
    ));
    assert_eq!(
        error(Domain::builder().max_retired_bytes(0, OverLimit::Help)),
        BuildError::NoRetiredBytes
    );
    assert_eq!(
        error(Domain::builder().on_limit(|_| ())),
        BuildError::HookWithoutLimit
    );
}

#[test]
fn a_guard_in_a_thread_local_keeps_its_slot() {
    use std::cell::RefCell;
    thread_local! {
        static KEPT: RefCell<Option<smr_core::Guard>> = const { RefCell::new(None) };
    }
    for _ in 0..3 {
        std::thread::spawn(|| {
            // Registered before and after the list of slots: both orders of
            // destruction.
            KEPT.with(|kept| *kept.borrow_mut() = Some(pin()));
        })
        .join()
        .unwrap();
        std::thread::spawn(|| {
            drop(pin());
            KEPT.with(|kept| *kept.borrow_mut() = Some(pin()));
        })
        .join()
        .unwrap();
    }
    Domain::global().synchronize();
}

#[test]
fn destructors_may_pin_retire_and_panic() {
    every_barrier(|domain| {
        let drops = Arc::new(AtomicUsize::new(0));
        let mut panics = 0;
        let mut count_panic = |f: &dyn Fn()| {
            panics += usize::from(catch_unwind(AssertUnwindSafe(f)).is_err());
        };
        for i in 0..1000 {
            count_panic(&|| {
                let (inner, drops) = (domain.clone(), drops.clone());
                // Retiring runs what has expired, the one that panics too.
                domain.defer(move || {
                    let guard = inner.pin();
                    guard.retire(Counted(drops.clone()));
                    drop(guard);
                    inner.retire(Counted(drops.clone()));
                    inner.flush();
                    if i == 500 {
                        panic!("a destructor panics");
                    }
                });
            });
        }
        for _ in 0..10 {
            count_panic(&|| domain.barrier());
        }
        assert_eq!(panics, 1, "one destructor panicked");
        assert_eq!(drops.load(SeqCst), 2000);
    });
}
