//! Limits on what may wait for readers, and what is done about it.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::support::{Drops, Reader, ends, every_domain};
use smr_core::{Domain, DomainBuilder, LimitReport, OverLimit, Pool, RetireError};

const LIMIT: usize = 1000;

type Reports = Arc<Mutex<Vec<LimitReport>>>;

fn limited(builder: DomainBuilder, policy: OverLimit) -> (Domain, Reports) {
    let reports = Reports::default();
    let heard = reports.clone();
    let domain = builder
        .max_retired_bytes(LIMIT, policy)
        .on_limit(move |report| heard.lock().unwrap().push(report))
        .build()
        .unwrap();
    (domain, reports)
}

fn retire_bytes(domain: &Domain, drops: &Drops, bytes: usize) {
    let value = drops.value();
    domain.defer_sized(bytes, move || drop(value));
}

#[test]
fn report_is_the_default_and_goes_on() {
    assert_eq!(OverLimit::default(), OverLimit::Report);
    every_domain(|builder| {
        let (domain, reports) = limited(builder, OverLimit::Report);
        let drops = Drops::default();
        let reader = Reader::enter(&domain, "reader");
        retire_bytes(&domain, &drops, LIMIT);
        assert!(!domain.stats().over_limit, "the limit itself is allowed");
        assert!(reports.lock().unwrap().is_empty());
        for _ in 0..10 {
            retire_bytes(&domain, &drops, 1);
        }
        assert!(domain.stats().over_limit);
        assert!(domain.try_retire(1_u8).is_ok(), "only `Error` refuses");
        {
            let reports = reports.lock().unwrap();
            assert_eq!(reports.len(), 1, "once each time it is crossed");
            assert_eq!(reports[0].max_retired_bytes, LIMIT);
            assert_eq!(reports[0].retired_bytes, LIMIT as u64 + 1);
        }
        reader.leave();
        domain.barrier();
        assert!(!domain.stats().over_limit);
        let reader = Reader::enter(&domain, "again");
        retire_bytes(&domain, &drops, LIMIT + 1);
        assert_eq!(reports.lock().unwrap().len(), 2);
        reader.leave();
        domain.barrier();
        assert_eq!(drops.count(), 12);
    });
}

#[test]
fn help_collects_at_once() {
    every_domain(|builder| {
        let (domain, reports) = limited(builder, OverLimit::Help);
        let drops = Drops::default();
        for _ in 0..200 {
            retire_bytes(&domain, &drops, LIMIT / 2);
        }
        // Without the limit nothing would be polled for until far more waits.
        assert!(drops.count() > 150, "{} were dropped", drops.count());
        assert!(!reports.lock().unwrap().is_empty());
        // It does not wait: a reader keeps what it sees.
        let reader = Reader::enter(&domain, "reader");
        domain.flush();
        let before = drops.count();
        for _ in 0..200 {
            retire_bytes(&domain, &drops, LIMIT / 2);
        }
        assert_eq!(drops.count(), before);
        assert!(domain.stats().over_limit);
        reader.leave();
        assert_eq!(drops.count(), 400, "the reader was marked, and collected");
    });
}

#[test]
fn block_waits_for_the_reader() {
    every_domain(|builder| {
        ends("the retiring thread", move || {
            let (domain, reports) = limited(builder, OverLimit::Block);
            let drops = Drops::default();
            let reader = Reader::enter(&domain, "reader");
            let value = drops.value();
            thread::scope(|scope| {
                let retiring = scope.spawn(|| {
                    domain.defer_sized(LIMIT + 1, move || drop(value));
                    drops.count()
                });
                while reports.lock().unwrap().is_empty() {
                    thread::yield_now();
                }
                thread::sleep(Duration::from_millis(20));
                assert!(!retiring.is_finished(), "it waits");
                assert_eq!(drops.count(), 0);
                reader.leave();
                assert_eq!(retiring.join().unwrap(), 1);
            });
            assert!(!domain.stats().over_limit);
        });
    });
}

#[test]
fn block_does_not_wait_for_oneself() {
    every_domain(|builder| {
        ends("retiring inside", move || {
            let (domain, _) = limited(builder, OverLimit::Block);
            let drops = Drops::default();
            let handle = domain.register();
            let guard = domain.pin();
            retire_bytes(&domain, &drops, LIMIT + 1);
            guard.defer_sized(LIMIT, || ());
            drop(guard);
            let guard = handle.pin();
            guard.retire((drops.value(), [0_u8; LIMIT]));
            retire_bytes(&domain, &drops, LIMIT + 1);
            drop(guard);
            let guard = domain.owned_guard();
            guard.retire((drops.value(), [0_u8; LIMIT]));
            drop(guard);
            domain.barrier();
            assert_eq!(drops.count(), 4);
        });
    });
}

#[test]
fn error_hands_the_value_back() {
    every_domain(|builder| {
        let (domain, _) = limited(builder, OverLimit::Error);
        let drops = Drops::default();
        let pool = Pool::new_in(&domain);
        let reader = Reader::enter(&domain, "reader");
        assert!(domain.try_retire((drops.value(), [0_u8; LIMIT])).is_ok());
        let Err(refused) = domain.try_retire(drops.value()) else {
            panic!("it is over the limit");
        };
        let item = pool.alloc(drops.value()).into_raw();
        // SAFETY: never published, and refused, so it is ours still.
        let RetireError(item) = unsafe { pool.try_retire(item) }.unwrap_err();
        assert_eq!(drops.count(), 0, "nothing is lost");
        // What cannot fail goes on.
        retire_bytes(&domain, &drops, 1);
        domain.pin().retire(drops.value());
        reader.leave();
        domain.barrier();
        assert_eq!(drops.count(), 3);
        assert!(domain.try_retire(refused.0).is_ok());
        // SAFETY: never published, retired once.
        assert!(unsafe { pool.try_retire(item) }.is_ok());
        domain.barrier();
        assert_eq!(drops.count(), 5);
    });
}

#[test]
fn the_refusal_says_what_to_do_and_needs_no_debug() {
    struct Opaque;
    let error = RetireError(Opaque);
    assert_eq!(format!("{error:?}"), "RetireError(..)");
    let error: &dyn std::error::Error = &error;
    for part in ["max_retired_bytes", "oldest_section", "raise"] {
        assert!(error.to_string().contains(part));
    }
}

#[test]
fn pools_count_for_the_limit() {
    every_domain(|builder| {
        let (domain, reports) = limited(builder, OverLimit::Report);
        let pool = Pool::new_in(&domain);
        let reader = Reader::enter(&domain, "reader");
        let items: Vec<_> = (0..20_u64).map(|i| pool.alloc([i; 8]).into_raw()).collect();
        for item in items {
            // SAFETY: never published, retired once.
            unsafe { pool.retire(item) };
        }
        let stats = domain.stats();
        assert!(stats.over_limit);
        assert_eq!(stats.retired_items, 0, "pools have statistics of their own");
        assert_eq!(pool.stats().retired_bytes, 20 * 64);
        assert_eq!(reports.lock().unwrap()[0].retired_bytes, 16 * 64);
        reader.leave();
        drop(pool);
        assert!(!domain.stats().over_limit, "it took its bytes with it");
    });
}

#[test]
fn a_limit_holds_while_a_reader_stalls_and_many_retire() {
    every_domain(|builder| {
        ends("retiring", move || {
            let (domain, _) = limited(builder, OverLimit::Block);
            let drops = Drops::default();
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        for _ in 0..300 {
                            domain.retire((drops.value(), [0_u8; 100]));
                        }
                    });
                }
                scope.spawn(|| {
                    for _ in 0..50 {
                        let guard = domain.pin();
                        thread::yield_now();
                        drop(guard);
                    }
                });
            });
            domain.barrier();
            assert_eq!(drops.count(), 900);
            assert!(!domain.stats().over_limit);
        });
    });
}
