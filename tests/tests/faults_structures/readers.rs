//! Readers that stall, and what they hold up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use smr_core::{BarrierKind, Domain, OverLimit};
use smr_tests::for_every_shape;
use smr_tests::ledger::Ledger;
use smr_tests::shapes::Shape;

use super::{empty, fill, works};
use crate::support::{GENEROUS, Reader, every_barrier};

#[test]
fn a_stalled_reader_of_one_domain_holds_up_no_other() {
    fn check<S: Shape>(stalled: &Domain, other: &Domain) {
        let (ledger, others) = (Ledger::open(), Ledger::open());
        let (here, there) = (S::new_in(stalled), S::new_in(other));
        let reader = Reader::enter(stalled);
        for (shape, ledger, domain) in [(&here, ledger, stalled), (&there, others, other)] {
            let guard = domain.pin();
            fill(shape, ledger, 1000, &guard);
            empty(shape, 1000, &guard);
        }
        here.flush();
        there.flush();
        assert_eq!(ledger.dropped(), 0, "{}: under a reader", S::NAME);
        assert_eq!(others.live(), 0, "{}: nobody reads it", S::NAME);
        works(&here, ledger, &stalled.pin());
        let section = stalled.oldest_section().expect("there is one");
        assert_eq!(section.thread_name.as_deref(), Some("reader"));
        assert_eq!(other.oldest_section(), None);
        reader.leave();
        here.flush();
        assert_eq!(ledger.live(), 0, "{}", S::NAME);
    }
    every_barrier(|stalled| {
        let other = Domain::builder()
            .barrier(stalled.barrier_kind())
            .build()
            .unwrap();
        for_every_shape!(check(&stalled, &other));
    });
}

#[test]
fn what_a_reader_sees_stays_whatever_becomes_of_it() {
    fn check<S: Shape>(domain: &Domain) {
        let ledger = Ledger::open();
        let shape = S::new_in(domain);
        fill(&shape, ledger, 500, &domain.pin());
        let guard = domain.pin();
        let mut rounds = 0;
        // In the middle of an iteration all of it is removed, and much else comes
        // and goes.
        shape.visit(&guard, &mut |value| {
            if rounds == 0 {
                std::thread::scope(|scope| {
                    scope.spawn(|| {
                        let guard = domain.pin();
                        empty(&shape, 500, &guard);
                        fill(&shape, ledger, 2000, &guard);
                        empty(&shape, 2000, &guard);
                        shape.flush();
                    });
                });
            }
            rounds += 1;
            value.look();
        });
        assert!(rounds >= 1);
        drop(guard);
        shape.flush();
        assert_eq!(ledger.live(), 0, "{}", S::NAME);
    }
    every_barrier(|domain| {
        for_every_shape!(check(&domain));
    });
}

#[test]
fn a_million_objects_go_when_the_last_reader_has_left_and_nobody_writes() {
    fn check<S: Shape>() {
        // A million, where the code is compiled for speed.
        const OBJECTS: u64 = if cfg!(debug_assertions) {
            20_000
        } else {
            1_000_000
        };
        let ledger = Ledger::open();
        let domain = Domain::new();
        let shape = S::new_in(&domain);
        let readers = [Reader::enter(&domain), Reader::enter(&domain)];
        {
            let guard = domain.pin();
            fill(&shape, ledger, OBJECTS, &guard);
            empty(&shape, OBJECTS, &guard);
        }
        let [first, last] = readers;
        first.leave();
        shape.flush();
        assert_eq!(ledger.dropped(), 0, "{}: one is still inside", S::NAME);
        last.leave();
        if S::REACHED_BY_DOMAIN {
            // Its exit collects what a poll had found it in the way of.
            assert_eq!(ledger.live(), 0, "{}", S::NAME);
        } else {
            // The bound: the next `flush`, without a write.
            shape.flush();
            assert_eq!(ledger.live(), 0, "{}", S::NAME);
        }
        drop(shape);
        assert_eq!(ledger.live(), 0, "{}", S::NAME);
        ledger.assert_clean();
    }
    for_every_shape!(check());
}

#[test]
fn the_last_guard_of_a_map_drops_what_it_held_up() {
    let ledger = Ledger::open();
    let map = smr_hashmap::HashMap::builder()
        .domain(Domain::new())
        .build();
    let reader = map.guard();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for key in 0..20_000 {
                map.pin().insert(key, ledger.value(key, key));
            }
            for key in 0..20_000 {
                map.pin().remove(&key);
            }
        });
    });
    // Keys that were inserted before the reader looked are held up, as all else.
    assert_eq!(ledger.dropped(), 0);
    drop(reader);
    // The writer's thread may be on its way out still, with its hands on what it
    // retired: then the ends of later guards find it.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while ledger.live() != 0 {
        assert!(std::time::Instant::now() < deadline, "{}", ledger.live());
        std::thread::sleep(std::time::Duration::from_millis(1));
        drop(map.guard());
    }
}

fn limited(policy: OverLimit, bytes: usize) -> (Domain, Arc<AtomicUsize>) {
    let reports = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&reports);
    let domain = Domain::builder()
        .max_retired_bytes(bytes, policy)
        .on_limit(move |_| {
            seen.fetch_add(1, SeqCst);
        })
        .barrier(BarrierKind::Auto)
        .build()
        .unwrap();
    (domain, reports)
}

#[test]
fn limits_report_what_a_structure_holds_up() {
    fn check<S: Shape>() {
        for policy in [OverLimit::Report, OverLimit::Help, OverLimit::Error] {
            let (domain, reports) = limited(policy, 64 << 10);
            let ledger = Ledger::open();
            let shape = S::new_in(&domain);
            let reader = Reader::enter(&domain);
            {
                let guard = domain.pin();
                fill(&shape, ledger, 10_000, &guard);
                // It never fails: what cannot return an error helps instead.
                empty(&shape, 10_000, &guard);
            }
            assert!(domain.stats().over_limit, "{}, {policy:?}", S::NAME);
            assert!(reports.load(SeqCst) >= 1, "{}, {policy:?}", S::NAME);
            assert_eq!(ledger.dropped(), 0, "{}", S::NAME);
            reader.leave();
            shape.flush();
            assert_eq!(ledger.live(), 0, "{}, {policy:?}", S::NAME);
            domain.try_barrier(GENEROUS).unwrap();
            assert!(!domain.stats().over_limit, "{}, {policy:?}", S::NAME);
        }
    }
    for_every_shape!(check());
}

#[test]
fn under_a_limit_that_blocks_a_writer_inside_a_section_goes_on() {
    // Writers of structures are inside: waiting for readers they would wait for
    // themselves, so they help, and nobody hangs.
    fn check<S: Shape>() {
        let (domain, reports) = limited(OverLimit::Block, 16 << 10);
        let ledger = Ledger::open();
        let shape = S::new_in(&domain);
        let reader = Reader::enter(&domain);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let guard = domain.pin();
                fill(&shape, ledger, 2_000, &guard);
                empty(&shape, 2_000, &guard);
            });
            writer.join().unwrap();
        });
        assert!(reports.load(SeqCst) >= 1, "{}", S::NAME);
        reader.leave();
        shape.flush();
        assert_eq!(ledger.live(), 0, "{}", S::NAME);
    }
    for_every_shape!(check());
}

#[test]
fn memory_that_a_reader_held_up_is_used_again() {
    fn check<S: Shape>() {
        let domain = Domain::new();
        let ledger = Ledger::open();
        let shape = S::new_in(&domain);
        let turn = || {
            let reader = Reader::enter(&domain);
            let guard = domain.pin();
            for _ in 0..4 {
                fill(&shape, ledger, 1000, &guard);
                empty(&shape, 1000, &guard);
            }
            drop(guard);
            reader.leave();
            shape.flush();
            assert_eq!(ledger.live(), 0, "{}", S::NAME);
        };
        turn();
        let before = smr_tests::soak::resident_bytes();
        (0..8).for_each(|_| turn());
        // Eight times as much passed through: of it nothing stays.
        let after = smr_tests::soak::resident_bytes();
        let grown = after.saturating_sub(before);
        assert!(grown < 16 << 20, "{}: {} KiB more", S::NAME, grown >> 10);
    }
    for_every_shape!(check());
}
