//! What a domain tells about itself, and the reaper.

mod support;

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use smr_core::{Domain, Stats};
use support::{Drops, LONG, Reader, every_barrier};

/// Waits until `done`, or fails.
#[track_caller]
fn until(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < LONG, "{what}");
        thread::yield_now();
    }
}

#[test]
fn a_fresh_domain_has_done_nothing() {
    every_barrier(|domain| {
        let stats = domain.stats();
        let nothing = Stats::default();
        assert_eq!(
            (stats.advances, stats.polls, stats.scans, stats.sweeps),
            (
                nothing.advances,
                nothing.polls,
                nothing.scans,
                nothing.sweeps
            )
        );
        assert_eq!((stats.retired_items, stats.participants), (0, 0));
        assert!(!stats.over_limit);
        assert!(
            stats.barrier_cost_ns > 0,
            "an assumption until it is measured"
        );
    });
}

#[test]
fn counters_count_what_they_are_named_for() {
    every_barrier(|domain| {
        let handle = domain.register();
        let guard = handle.pin();
        let owned = domain.owned_guard();
        domain.defer_sized(100, || ());
        domain.defer_sized(23, || ());
        let stats = domain.stats();
        assert_eq!((stats.retired_items, stats.retired_bytes), (2, 123));
        // Two guards, and this thread's own slot.
        assert_eq!((stats.participants, stats.active_sections), (3, 2));
        assert_eq!((stats.reclaimed_items, stats.reclaimed_bytes), (0, 0));

        // Retiring may have sealed a bucket with a goal.
        let before = stats.advances;
        let goal = domain.advance();
        assert!(!domain.poll(goal));
        let stats = domain.stats();
        assert_eq!(stats.advances, before + 1);
        assert_eq!((stats.polls, stats.failed_polls), (1, 1));
        assert!(stats.scans >= 1);
        assert_eq!((stats.assists, stats.sweeps), (0, 0));

        drop((guard, owned));
        let stats = domain.stats();
        assert!(stats.assists >= 1 && stats.sweeps >= 1);
        assert_eq!((stats.reclaimed_items, stats.reclaimed_bytes), (2, 123));
        assert_eq!((stats.retired_items, stats.retired_bytes), (0, 0));
        assert_eq!((stats.participants, stats.active_sections), (2, 0));
        assert_eq!(stats.refused_barriers, 0);
        domain.flush();
        assert_eq!(domain.stats().sweeps, stats.sweeps + 1);
    });
}

#[test]
fn stats_are_taken_while_others_go_on() {
    every_barrier(|domain| {
        let drops = Drops::default();
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..20_000 {
                        let guard = domain.pin();
                        guard.retire(drops.value());
                    }
                });
            }
            for _ in 0..200 {
                let stats = domain.stats();
                assert!(stats.participants <= 3 && stats.active_sections <= 2);
                assert!(stats.reclaimed_items <= 40_000);
            }
        });
        domain.barrier();
        let stats = domain.stats();
        assert_eq!((stats.retired_items, stats.reclaimed_items), (0, 40_000));
        assert_eq!(drops.count(), 40_000);
    });
}

#[test]
fn the_oldest_section_is_named() {
    every_barrier(|domain| {
        assert_eq!(domain.oldest_section(), None);
        let old = Reader::enter(&domain, "stalls");
        domain.advance();
        let young = Reader::enter(&domain, "is younger");
        domain.advance();
        domain.advance();
        let section = domain.oldest_section().unwrap();
        assert_eq!(section.thread_name.as_deref(), Some("stalls"));
        assert_eq!((section.owned_guard, section.advances_behind), (false, 3));
        thread::sleep(Duration::from_millis(10));
        let later = domain.oldest_section().unwrap();
        assert!(later.age_at_least >= Duration::from_millis(10));
        let shown = later.to_string();
        assert!(shown.starts_with("thread 'stalls', inside for "), "{shown}");
        assert!(shown.ends_with("or longer, 3 advances behind"), "{shown}");
        old.leave();
        let section = domain.oldest_section().unwrap();
        assert_eq!(section.thread_name.as_deref(), Some("is younger"));
        assert_eq!(section.advances_behind, 2);
        young.leave();
        assert_eq!(domain.oldest_section(), None);
    });
}

#[test]
fn the_age_begins_when_a_section_is_found_behind() {
    every_barrier(|domain| {
        let reader = Reader::enter(&domain, "reader");
        let section = domain.oldest_section().unwrap();
        assert_eq!(section.advances_behind, 0);
        assert_eq!(section.age_at_least, Duration::ZERO, "it holds nothing up");
        assert!(!domain.poll(domain.advance()));
        thread::sleep(Duration::from_millis(5));
        let section = domain.oldest_section().unwrap();
        assert!(section.age_at_least >= Duration::from_millis(5));
        assert_eq!(section, section.clone());
        reader.leave();
        // A new section in the same slot starts anew.
        let reader = Reader::enter(&domain, "reader");
        assert_eq!(
            domain.oldest_section().unwrap().age_at_least,
            Duration::ZERO
        );
        reader.leave();
    });
}

#[test]
fn an_owned_guard_is_named_after_the_thread_that_took_it() {
    every_barrier(|domain| {
        let taker = thread::Builder::new().name("taker".into());
        let guard = thread::scope(|scope| {
            let taken = taker.spawn_scoped(scope, || domain.owned_guard());
            taken.unwrap().join().unwrap()
        });
        domain.advance();
        let section = domain.oldest_section().unwrap();
        assert_eq!(section.thread_name.as_deref(), Some("taker"));
        assert!(section.owned_guard);
        assert!(
            section
                .to_string()
                .starts_with("owned guard taken by thread 'taker'")
        );
        drop(guard);
        let nameless = thread::scope(|scope| scope.spawn(|| domain.owned_guard()).join()).unwrap();
        domain.advance();
        let section = domain.oldest_section().unwrap();
        assert_eq!(section.thread_name, None);
        assert!(section.to_string().contains("'unnamed'"));
        drop(nameless);
    });
}

#[test]
fn the_reaper_collects_when_everybody_is_idle() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let reaper = domain.reaper(Duration::from_millis(1)).unwrap();
        assert!(format!("{reaper:?}").starts_with("Reaper"));
        domain.retire(drops.value());
        until("the reaper sleeps", || drops.count() == 1);
        drop(reaper);
        domain.retire(drops.value());
        thread::sleep(Duration::from_millis(20));
        assert_eq!(drops.count(), 1, "it was stopped");
        domain.barrier();
    });
}

#[test]
fn the_reaper_collects_in_place_of_the_reader() {
    every_barrier(|domain| {
        struct Tells(mpsc::Sender<Option<String>>);
        impl Drop for Tells {
            fn drop(&mut self) {
                let name = thread::current().name().map(String::from);
                let _ = self.0.send(name);
            }
        }
        // So long that only being woken makes it collect again.
        let reaper = domain.reaper(Duration::from_secs(3600)).unwrap();
        thread::sleep(Duration::from_millis(20));
        let (sender, receiver) = mpsc::channel();
        let reader = Reader::enter(&domain, "reader");
        domain.retire(Tells(sender));
        domain.flush();
        assert!(receiver.try_recv().is_err());
        reader.leave();
        let name = receiver.recv_timeout(LONG).unwrap();
        assert_eq!(name.as_deref(), Some("smr-reaper "));
        drop(reaper);
    });
}

#[test]
fn the_reaper_survives_a_panicking_destructor() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let hook = panic::take_hook();
        panic::set_hook(Box::new(|_| ()));
        let reaper = domain.reaper(Duration::from_millis(1)).unwrap();
        // It cannot expire while this thread retires it, and run here.
        let held = domain.owned_guard();
        let ran = Arc::new(AtomicBool::new(false));
        domain.defer({
            let ran = Arc::clone(&ran);
            move || {
                ran.store(true, SeqCst);
                panic!("on the reaper");
            }
        });
        drop(held);
        until("it did not run", || ran.load(SeqCst));
        domain.retire(drops.value());
        until("it stopped", || drops.count() == 1);
        drop(reaper);
        panic::set_hook(hook);
    });
}

#[test]
fn a_destructor_may_drop_the_reaper_that_runs_it() {
    every_barrier(|domain| {
        let (sender, receiver) = mpsc::channel();
        let reaper = domain.reaper(Duration::from_millis(1)).unwrap();
        domain.defer(move || {
            drop(reaper);
            sender.send(()).unwrap();
        });
        assert_eq!(receiver.recv_timeout(LONG), Ok(()));
    });
}

#[test]
fn the_reaper_is_named_after_its_domain() {
    let domain = Domain::builder().name("routes").build().unwrap();
    let reaper = domain.reaper(Duration::from_millis(1)).unwrap();
    let (sender, receiver) = mpsc::channel();
    domain.defer(move || {
        let name = thread::current().name().map(String::from);
        sender.send(name).unwrap();
    });
    let name = receiver.recv_timeout(LONG).unwrap();
    assert_eq!(name.as_deref(), Some("smr-reaper routes"));
    drop(reaper);
    // It does not keep the domain once it is gone.
    let drops = Drops::default();
    domain.retire(drops.value());
    let _ = panic::catch_unwind(AssertUnwindSafe(|| drop(domain)));
    assert_eq!(drops.count(), 1);
}
