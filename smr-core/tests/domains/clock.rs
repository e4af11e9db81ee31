//! The clock of a domain: goals, polling, waiting.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{LONG, Reader, ends, every_barrier, panic_of};
use smr_core::{Domain, Seq, SeqError, WaitError};

#[test]
fn goals_rise_one_by_one() {
    every_barrier(|domain| {
        let first = domain.now();
        let goals: Vec<Seq> = (0..10).map(|_| domain.advance()).collect();
        assert!(goals.is_sorted_by(|a, b| a < b));
        assert!(goals.iter().all(|goal| *goal > first));
        assert_eq!(domain.now(), goals[9]);
        assert_eq!(goals[9].into_raw() - first.into_raw(), 10);
        assert_eq!(domain.stats().advances, 10);
    });
}

#[test]
fn what_was_never_advanced_past_is_expired() {
    every_barrier(|domain| {
        let _guard = domain.pin();
        // The oldest number there is: nobody can be older.
        assert!(domain.poll(domain.now()));
        assert_eq!(domain.stats().polls, 0, "one load tells");
    });
}

#[test]
fn one_poll_settles_every_goal_so_far() {
    every_barrier(|domain| {
        let goals: Vec<Seq> = (0..100).map(|_| domain.advance()).collect();
        assert!(domain.poll(goals[3]));
        let scans = domain.stats().scans;
        assert!(goals.iter().all(|goal| domain.poll(*goal)));
        assert_eq!(domain.stats().scans, scans);
    });
}

#[test]
fn a_failed_poll_still_settles_older_goals() {
    every_barrier(|domain| {
        let old = domain.advance();
        let guard = domain.pin();
        let new = domain.advance();
        assert!(!domain.poll(new));
        let stats = domain.stats();
        assert_eq!((stats.scans >= 1, stats.failed_polls), (true, 1));
        assert!(domain.poll(old));
        assert_eq!(domain.stats().scans, stats.scans, "it was known already");
        drop(guard);
    });
}

#[test]
fn seqs_compare_within_their_domain_only() {
    let (one, other) = (Domain::new(), Domain::new());
    let (early, late, foreign) = (one.advance(), one.advance(), other.advance());
    assert!(early < late);
    assert_ne!(early, late);
    assert_eq!(early.partial_cmp(&early), Some(std::cmp::Ordering::Equal));
    assert_eq!(early.into_raw(), foreign.into_raw(), "the numbers agree");
    assert_ne!(early, foreign);
    assert_eq!(early.partial_cmp(&foreign), None);
    assert!(format!("{early:?}").starts_with(&format!("Seq({} of domain ", early.into_raw())));
    assert_eq!(
        std::collections::HashSet::from([early, early, foreign]).len(),
        2
    );
}

#[test]
fn a_number_turns_back_into_a_goal() {
    every_barrier(|domain| {
        let goal = domain.advance();
        let packed: u64 = goal.into_raw();
        assert_eq!(domain.seq_from_raw(packed), Ok(goal));
        for refused in [0, packed + 1, u64::MAX] {
            assert_eq!(domain.seq_from_raw(refused), Err(SeqError::NotHandedOut));
        }
    });
}

#[test]
fn a_goal_of_another_domain_is_refused_by_everything() {
    let (one, other) = (Domain::new(), Domain::new());
    let goal = one.advance();
    let refused = WaitError::from(SeqError::ForeignDomain);
    assert_eq!(other.try_poll(goal), Err(SeqError::ForeignDomain));
    assert_eq!(other.try_wait(goal, Duration::ZERO), Err(refused));
    let said = SeqError::ForeignDomain.to_string();
    assert_eq!(panic_of(|| other.poll(goal)), said);
    assert_eq!(panic_of(|| other.wait(goal)), said);
    assert!(said.contains("another domain"));
    assert_eq!(refused.to_string(), said);
    assert_eq!(refused.source().unwrap().to_string(), said);
    assert!(one.poll(goal), "its own domain knows it");
}

#[test]
fn wait_returns_when_the_last_older_reader_leaves() {
    every_barrier(|domain| {
        ends("waiting", move || {
            let readers = [Reader::enter(&domain, "a"), Reader::enter(&domain, "b")];
            let goal = domain.advance();
            let left = AtomicBool::new(false);
            thread::scope(|scope| {
                scope.spawn(|| {
                    domain.wait(goal);
                    assert!(left.load(SeqCst), "a reader was inside");
                });
                let [a, b] = readers;
                a.leave();
                thread::sleep(Duration::from_millis(20));
                left.store(true, SeqCst);
                b.leave();
            });
            assert!(domain.poll(goal));
            // At once: it is known.
            domain.wait(goal);
        });
    });
}

#[test]
fn try_wait_gives_up_when_the_time_is_up() {
    every_barrier(|domain| {
        let reader = Reader::enter(&domain, "reader");
        let goal = domain.advance();
        let start = Instant::now();
        let short = Duration::from_millis(20);
        assert_eq!(domain.try_wait(goal, short), Err(WaitError::Timeout));
        assert!(start.elapsed() >= short);
        assert_eq!(
            domain.try_wait(goal, Duration::ZERO),
            Err(WaitError::Timeout)
        );
        assert_eq!(domain.try_synchronize(short), Err(WaitError::Timeout));
        assert_eq!(domain.try_barrier(short), Err(WaitError::Timeout));
        reader.leave();
        assert_eq!(domain.try_wait(goal, Duration::ZERO), Ok(()));
        // Longer than any clock can tell.
        assert_eq!(domain.try_synchronize(Duration::MAX), Ok(()));
        assert_eq!(domain.try_barrier(Duration::MAX), Ok(()));
    });
}

#[test]
fn many_wait_for_one_reader() {
    every_barrier(|domain| {
        ends("waiting", move || {
            let reader = Reader::enter(&domain, "reader");
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| assert_eq!(domain.try_synchronize(LONG), Ok(())));
                }
                thread::sleep(Duration::from_millis(10));
                reader.leave();
            });
        });
    });
}

#[test]
fn a_goal_that_has_expired_needs_no_wait_even_inside() {
    every_barrier(|domain| {
        let goal = domain.advance();
        assert!(domain.poll(goal));
        let guard = domain.pin();
        domain.wait(goal);
        assert_eq!(domain.try_wait(goal, Duration::ZERO), Ok(()));
        drop(guard);
    });
}

#[test]
fn waiting_for_oneself_is_a_panic_that_says_so() {
    every_barrier(|domain| {
        let guard = domain.pin();
        let inside = WaitError::InSection.to_string();
        assert!(inside.contains("drop the guard first"));
        assert_eq!(panic_of(|| domain.synchronize()), inside);
        assert_eq!(panic_of(|| domain.wait(domain.advance())), inside);
        assert_eq!(panic_of(|| domain.barrier()), inside);
        drop(guard);
        // A section of another domain is no hindrance.
        let other = Domain::new();
        let _guard = other.pin();
        domain.synchronize();
        domain.barrier();
    });
}

#[test]
fn waiting_for_destructors_inside_one_is_refused() {
    every_barrier(|domain| {
        let (sender, receiver) = std::sync::mpsc::channel();
        // Run by the sweep, and run by a retire of the owner.
        for _ in 0..2 {
            let (inner, sender) = (domain.clone(), sender.clone());
            domain.defer(move || {
                sender.send(inner.try_barrier(LONG)).unwrap();
            });
            domain.flush();
        }
        let (inner, sender) = (domain.clone(), sender.clone());
        domain.defer(move || sender.send(inner.try_barrier(LONG)).unwrap());
        for _ in 0..100_000 {
            domain.defer(|| ());
        }
        domain.barrier();
        let answers: Vec<_> = receiver.try_iter().collect();
        assert_eq!(answers, [Err(WaitError::InDestructor); 3]);
        let said = WaitError::InDestructor.to_string();
        assert!(said.contains("inside a destructor"));
    });
}

#[test]
fn errors_tell_what_to_do() {
    for (error, says) in [
        (WaitError::Timeout, "oldest_section"),
        (WaitError::InSection, "drop the guard"),
        (WaitError::InDestructor, "wait elsewhere"),
        (WaitError::Goal(SeqError::NotHandedOut), "advance"),
    ] {
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(
            error.source().is_some(),
            matches!(error, WaitError::Goal(_))
        );
    }
    assert!(SeqError::ForeignDomain.source().is_none());
}

#[test]
fn goals_and_polls_of_many_threads_agree() {
    every_barrier(|domain| {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut last = domain.now();
                    for i in 0..2000 {
                        let guard = domain.pin();
                        let goal = domain.advance();
                        assert!(goal > last, "a goal is handed out once");
                        assert!(!domain.poll(goal), "we are inside ourselves");
                        drop(guard);
                        if i % 100 == 0 {
                            domain.wait(goal);
                            assert!(domain.poll(goal), "what has expired stays so");
                            assert!(domain.poll(last));
                        }
                        last = goal;
                    }
                });
            }
        });
        assert!(domain.stats().advances >= 8000);
    });
}
