//! Readers that stall, for a while or for ever, and what the limits then do.
#![cfg(not(miri))]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{TryRecvError, channel};
use std::time::Duration;

use smr_core::{BarrierKind, Domain, OverLimit, Pool, RetireError, WaitError};
use support::{Counted, Drops, GENEROUS, Reader, every_barrier};

const LIMIT: usize = 64 << 10;

/// Retired in these tests: one KiB, counted.
struct Kib(
    #[allow(dead_code, reason = "its drop counts")] Counted,
    [u8; 1000],
);

fn kib(drops: &Drops) -> Kib {
    let value = Kib(drops.one(), [7; 1000]);
    assert_eq!(value.1[999], 7);
    value
}

fn limited(policy: OverLimit) -> (Domain, Arc<AtomicUsize>, Arc<AtomicU64>) {
    let reports = Arc::new(AtomicUsize::new(0));
    let reported = Arc::new(AtomicU64::new(0));
    let (seen, seen_bytes) = (reports.clone(), reported.clone());
    let domain = Domain::builder()
        .max_retired_bytes(LIMIT, policy)
        .on_limit(move |report| {
            assert_eq!(report.max_retired_bytes, LIMIT);
            seen.fetch_add(1, SeqCst);
            seen_bytes.store(report.retired_bytes, SeqCst);
        })
        .build()
        .unwrap();
    (domain, reports, reported)
}

#[test]
fn the_oldest_section_names_the_thread_that_stalls() {
    every_barrier(|domain| {
        assert_eq!(domain.oldest_section(), None);
        let reader = Reader::enter(&domain);
        let younger = domain.pin();
        for _ in 0..10 {
            domain.advance();
        }
        assert!(!domain.poll(domain.now()));
        let section = domain.oldest_section().unwrap();
        assert_eq!(section.thread_name.as_deref(), Some("reader"));
        assert!(!section.owned_guard);
        assert_eq!(section.advances_behind, 10);
        assert_eq!(domain.stats().active_sections, 2);
        reader.leave();
        let owned = std::thread::Builder::new()
            .name("taker".into())
            .spawn({
                let domain = domain.clone();
                move || domain.owned_guard()
            })
            .unwrap()
            .join()
            .unwrap();
        drop(younger);
        let section = domain.oldest_section().unwrap();
        assert_eq!(section.thread_name.as_deref(), Some("taker"));
        assert!(section.owned_guard);
        drop(owned);
        assert_eq!(domain.oldest_section(), None);
    });
}

#[test]
fn a_stalled_reader_holds_up_its_own_domain_only() {
    every_barrier(|stalled| {
        let other = Domain::builder()
            .barrier(stalled.barrier_kind())
            .build()
            .unwrap();
        let drops = Drops::default();
        let reader = Reader::enter(&stalled);
        for _ in 0..10_000 {
            stalled.retire(drops.one());
        }
        assert_eq!(drops.count(), 0);
        for _ in 0..10_000 {
            other.retire(drops.one());
        }
        other.try_barrier(GENEROUS).unwrap();
        assert_eq!(drops.count(), 10_000);
        assert_eq!(
            stalled.try_barrier(Duration::from_millis(1)),
            Err(WaitError::Timeout)
        );
        assert_eq!(drops.count(), 10_000);
        reader.leave();
        assert_eq!(drops.count(), 20_000);
    });
}

#[test]
fn what_a_reader_held_up_goes_when_it_leaves_though_nobody_writes() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::new_in(&domain);
        let reader = Reader::enter(&domain);
        for turn in 0..1_000_000 {
            if turn % 2 == 0 {
                domain.retire(drops.one());
            } else {
                let item = pool.alloc(drops.one()).into_raw();
                // SAFETY: never published, retired once.
                unsafe { pool.retire(item) };
            }
        }
        assert_eq!(drops.count(), 0);
        reader.leave();
        assert_eq!(drops.count(), 1_000_000, "the reader itself has collected");
        assert_eq!(domain.stats().retired_items, 0);
        assert_eq!(domain.stats().retired_bytes, 0);
    });
}

#[test]
fn memory_that_a_reader_held_up_is_used_again_after_it() {
    every_barrier(|domain| {
        let pool = Pool::new_in(&domain);
        let reader = Reader::enter(&domain);
        let cycle = || {
            for n in 0..20_000_u64 {
                let item = pool.alloc([n; 8]).into_raw();
                // SAFETY: never published, retired once.
                unsafe { pool.retire(item) };
            }
        };
        cycle();
        let held = pool.stats();
        assert!(
            held.slab_bytes > 20_000 * 64,
            "nothing was reused: {held:?}"
        );
        reader.leave();
        pool.flush();
        cycle();
        assert_eq!(pool.stats().slab_bytes, held.slab_bytes, "all was reused");
        pool.flush();
        pool.trim();
        assert_eq!(pool.stats().slab_bytes, 0, "and given back");
    });
}

#[test]
fn idle_writers_leave_less_than_a_poll_and_a_reaper_takes_that() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let (done, is_done) = channel();
        let (go, gone) = channel::<()>();
        let writer = std::thread::spawn({
            let (domain, drops) = (domain.clone(), drops.clone());
            move || {
                for _ in 0..100_000 {
                    domain.retire(kib(&drops));
                }
                done.send(()).unwrap();
                // Idle: alive, and never back at the domain.
                let _ = gone.recv();
            }
        });
        is_done.recv().unwrap();
        // 1 MiB makes a poll worth its while, one bucket may be open, and one may
        // be on its way through the destructors.
        let left = 100_000 - drops.count();
        assert!(left <= 3 * 1024, "{left} objects of one KiB were left");
        assert_eq!(domain.stats().retired_items, left as u64);

        let (reaped, is_reaped) = channel();
        domain.defer(move || reaped.send(()).unwrap());
        let reaper = domain.reaper(Duration::from_millis(1)).unwrap();
        is_reaped.recv_timeout(GENEROUS).unwrap();
        drop(reaper);
        assert_eq!(drops.count(), 100_000);
        assert_eq!(domain.stats().retired_items, 0);
        go.send(()).unwrap();
        writer.join().unwrap();
    });
}

#[test]
fn owned_guards_alone_do_not_pile_up_garbage() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::new_in(&domain);
        for _ in 0..20_000 {
            let guard = domain.owned_guard();
            guard.retire(kib(&drops));
            let item = pool.alloc_in(&*guard, kib(&drops)).into_raw();
            // SAFETY: never published, retired once.
            unsafe { pool.retire_in(&*guard, item) };
        }
        let left = 40_000 - drops.count();
        assert!(left <= 6 * 1024, "{left} objects were left");
        for _ in 0..20_000 {
            let guard = domain.owned_guard();
            let item = pool.alloc_in(&*guard, kib(&drops)).into_raw();
            // SAFETY: never published, retired once.
            unsafe { pool.retire_in(&*guard, item) };
        }
        let left = 60_000 - drops.count();
        assert!(left <= 6 * 1024, "{left} objects were left");
        // One that stays, and is used by turns.
        let mut guard = domain.owned_guard();
        for _ in 0..20_000 {
            guard.retire(kib(&drops));
            let item = pool.alloc_in(&*guard, kib(&drops)).into_raw();
            // SAFETY: never published, retired once.
            unsafe { pool.retire_in(&*guard, item) };
            guard.repin();
        }
        let left = 100_000 - drops.count();
        assert!(left <= 6 * 1024, "{left} objects were left");
        drop(guard);
        domain.try_barrier(GENEROUS).unwrap();
        assert_eq!(drops.count(), 100_000);
    });
}

// -- limits ------------------------------------------------------------------

#[test]
fn report_calls_the_hook_once_a_crossing_and_goes_on() {
    let (domain, reports, reported) = limited(OverLimit::Report);
    let drops = Drops::default();
    for crossing in 1..=3 {
        let reader = Reader::enter(&domain);
        for _ in 0..1000 {
            domain.retire(kib(&drops));
        }
        assert_eq!(reports.load(SeqCst), crossing);
        let bytes = reported.load(SeqCst);
        assert!((LIMIT as u64..2 * LIMIT as u64).contains(&bytes), "{bytes}");
        assert!(domain.stats().over_limit);
        assert!(domain.stats().retired_bytes >= 1_000_000);
        reader.leave();
        domain.try_barrier(GENEROUS).unwrap();
        assert!(!domain.stats().over_limit);
    }
    assert_eq!(drops.count(), 3000);
}

#[test]
fn help_collects_and_does_not_wait() {
    let (domain, reports, _) = limited(OverLimit::Help);
    let drops = Drops::default();
    let reader = Reader::enter(&domain);
    for _ in 0..1000 {
        domain.retire(kib(&drops));
    }
    assert_eq!(reports.load(SeqCst), 1);
    assert_eq!(
        drops.count(),
        0,
        "a reader is inside, and nobody waited for it"
    );
    reader.leave();
    assert_eq!(drops.count(), 1000);
    // Without readers the limit is kept, also by one who never comes near a poll.
    for _ in 0..10_000 {
        domain.retire(kib(&drops));
        let held = domain.stats().retired_bytes;
        assert!(held <= LIMIT as u64 + (17 << 10), "{held}");
    }
}

#[test]
fn block_waits_until_the_reader_has_left() {
    let (domain, reports, _) = limited(OverLimit::Block);
    let drops = Drops::default();
    let reader = Reader::enter(&domain);
    let (wrote, is_written) = channel();
    let writer = std::thread::spawn({
        let (domain, drops) = (domain.clone(), drops.clone());
        move || {
            for n in 0..1000 {
                domain.retire(kib(&drops));
                wrote.send(n).unwrap();
            }
        }
    });
    let mut last = 0;
    while reports.load(SeqCst) == 0 {
        std::thread::yield_now();
        last = is_written.try_iter().last().unwrap_or(last);
    }
    last = is_written.try_iter().last().unwrap_or(last);
    assert!(last < 2 * LIMIT / 1024, "{last}: it went on over the limit");
    assert_eq!(is_written.try_recv(), Err(TryRecvError::Empty), "it waits");
    assert_eq!(drops.count(), 0);
    reader.leave();
    writer.join().unwrap();
    domain.try_barrier(GENEROUS).unwrap();
    assert_eq!(drops.count(), 1000);
    assert!(!domain.stats().over_limit);
}

#[test]
fn block_helps_inside_a_section_where_it_would_wait_for_itself() {
    let (domain, ..) = limited(OverLimit::Block);
    let drops = Drops::default();
    let pool = Pool::new_in(&domain);
    {
        let guard = domain.pin();
        let owned = domain.owned_guard();
        for _ in 0..500 {
            guard.retire(kib(&drops));
            owned.retire(kib(&drops));
            let item = pool.alloc(kib(&drops)).into_raw();
            // SAFETY: never published, retired once.
            unsafe { pool.retire(item) };
        }
        assert_eq!(drops.count(), 0);
    }
    domain.try_barrier(GENEROUS).unwrap();
    assert_eq!(drops.count(), 1500);
}

#[test]
fn error_hands_the_value_back() {
    let (domain, ..) = limited(OverLimit::Error);
    let drops = Drops::default();
    let pool = Pool::new_in(&domain);
    let reader = Reader::enter(&domain);
    let mut accepted = 0;
    let refused = loop {
        match domain.try_retire(kib(&drops)) {
            Ok(()) => accepted += 1,
            Err(RetireError(value)) => break value,
        }
        assert!(accepted <= 2 * LIMIT / 1024);
    };
    assert!(accepted >= LIMIT / 1024, "{accepted}: refused too early");
    assert_eq!(drops.count(), 0, "the value is not lost");
    let item = pool.alloc(kib(&drops)).into_raw();
    // SAFETY: never published; refused, so not retired.
    let RetireError(item) = unsafe { pool.try_retire(item) }.unwrap_err();
    // What cannot fail goes through.
    domain.retire(kib(&drops));
    reader.leave();
    domain.try_barrier(GENEROUS).unwrap();
    assert_eq!(drops.count(), accepted + 1);
    domain.try_retire(refused).unwrap();
    // SAFETY: never published, and it was not retired before.
    unsafe { pool.try_retire(item) }.unwrap();
    domain.try_barrier(GENEROUS).unwrap();
    assert_eq!(drops.count(), accepted + 3);
}

#[test]
fn a_limit_that_is_never_reached_is_never_reported() {
    for policy in [
        OverLimit::Report,
        OverLimit::Help,
        OverLimit::Block,
        OverLimit::Error,
    ] {
        let domain = Domain::builder()
            .max_retired_bytes(1 << 30, policy)
            .on_limit(|report| panic!("{report:?}"))
            .barrier(BarrierKind::Auto)
            .build()
            .unwrap();
        let drops = Drops::default();
        let pool = Pool::new_in(&domain);
        let plain = Pool::new_in(&domain);
        for turn in 0..20_000 {
            domain.retire(drops.one());
            let item = pool.alloc(drops.one()).into_raw();
            // SAFETY: never published, retired once.
            unsafe { pool.retire(item) };
            let item = plain.alloc([turn; 4]).into_raw();
            // SAFETY: never published, retired once.
            unsafe { plain.retire(item) };
            if turn % 1000 == 0 {
                domain.flush();
            }
            assert!(domain.try_retire(()).is_ok());
        }
        drop(domain.pin());
        domain.try_barrier(GENEROUS).unwrap();
        assert!(!domain.stats().over_limit);
        drop((pool, plain));
        assert!(!domain.stats().over_limit);
    }
}
