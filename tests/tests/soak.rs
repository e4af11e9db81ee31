//! The soak in its short form, that it can fail, and crowds: eight threads for each
//! processor, interrupted at any instruction.
//!
//! `cargo run --release -p smr-tests --bin soak -- --minutes 60` is the long soak,
//! `cargo test --release -p smr-tests --test soak -- --ignored` the long crowd.
#![cfg(not(miri))]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use smr_core::{BarrierKind, Domain, OverLimit};
use smr_tests::soak::{self, Config, Mistake, Subject};

fn config(subject: Subject, barrier: BarrierKind) -> Config {
    Config {
        subject,
        barrier,
        duration: Duration::from_millis(300),
        threads: 3,
        seed: 1,
        for_thread_sanitizer: false,
        preempt: false,
        mistake: None,
    }
}

#[track_caller]
fn must_be_clean(config: &Config) {
    let report = soak::run(config);
    assert!(report.is_clean(), "{config:?}: {report}");
    assert!(report.made > 100, "{config:?}: {report}");
}

#[test]
fn every_answer_is_right_and_every_value_dropped_once() {
    for subject in Subject::ALL {
        for barrier in [BarrierKind::Auto, BarrierKind::Fence] {
            must_be_clean(&config(subject, barrier));
        }
    }
}

#[test]
fn a_section_that_stays_open_is_seen() {
    for subject in Subject::ALL {
        let mut config = config(subject, BarrierKind::Auto);
        config.mistake = Some(Mistake::ForgottenGuard);
        let report = soak::run(&config);
        let seen = report.seen.iter().any(|what| what.contains("sections"));
        assert!(seen, "{subject:?}: the harness is blind: {report}");
        // The structure is gone, and with it what was held up.
        assert_eq!(report.made, report.dropped, "{subject:?}");
    }
}

#[test]
fn garbage_that_is_old_is_seen() {
    let mut config = config(Subject::Map, BarrierKind::Auto);
    config.mistake = Some(Mistake::ForgottenGuard);
    config.duration = Duration::from_secs(3);
    let report = soak::run(&config);
    let seen = report.seen.iter().any(|what| what.contains("garbage was"));
    assert!(seen, "the harness is blind: {report}");
}

#[test]
fn wrong_answers_are_seen() {
    for subject in [
        Subject::Map,
        Subject::OrderedList,
        Subject::List,
        Subject::Stack,
        Subject::Queue,
        Subject::RadixTree,
    ] {
        let mut config = config(subject, BarrierKind::Auto);
        config.mistake = Some(Mistake::TwoOwners);
        let report = soak::run(&config);
        assert!(!report.is_clean(), "{subject:?}: the harness is blind");
    }
}

#[test]
fn a_crowd_that_is_preempted_anywhere_gets_the_right_answers() {
    crowd(Duration::from_millis(200));
}

#[test]
#[ignore = "takes a minute"]
fn a_crowd_that_is_preempted_anywhere_gets_the_right_answers_for_a_minute() {
    crowd(Duration::from_secs(60) / (2 * Subject::ALL.len() as u32));
}

/// Eight threads for each processor.
fn many() -> usize {
    8 * std::thread::available_parallelism().map_or(2, usize::from)
}

fn crowd(duration: Duration) {
    for subject in Subject::ALL {
        for barrier in [BarrierKind::Asymmetric, BarrierKind::Fence] {
            if Domain::builder().barrier(barrier).build().is_err() {
                continue;
            }
            let mut config = config(subject, barrier);
            config.threads = many();
            config.duration = duration;
            config.preempt = true;
            must_be_clean(&config);
        }
    }
    #[cfg(target_os = "linux")]
    assert!(smr_tests::preempt::Preemptor::interrupts() > 1000);
}

/// Bytes of what is retired, and how many may wait for readers.
const BYTES: usize = 4 << 10;
const LIMIT: usize = 64 * BYTES;

/// Sections, and what is retired between them, until told to stop. Gives how much.
fn retire_between_sections(domain: &Domain, stop: &AtomicBool) -> usize {
    #[cfg(target_os = "linux")]
    let _enrolled = smr_tests::preempt::Enrolled::this_thread();
    let mut retired = 0;
    while !stop.load(Ordering::Relaxed) {
        let guard = domain.pin();
        (0..20).for_each(|_| std::hint::spin_loop());
        drop(guard);
        let page = vec![0_u8; BYTES];
        domain.defer_sized(BYTES, move || drop(page));
        retired += BYTES;
    }
    retired
}

/// The limit holds where writers wait for readers that were preempted in a section: each
/// thread goes beyond it with the value in its hands, and no further.
#[test]
fn a_crowd_keeps_to_the_limit_of_its_domain() {
    #[cfg(target_os = "linux")]
    let _preemptor = smr_tests::preempt::Preemptor::start(Duration::from_micros(50), 1);
    for barrier in [BarrierKind::Asymmetric, BarrierKind::Fence] {
        let domain = Domain::builder().barrier(barrier);
        let domain = domain.max_retired_bytes(LIMIT, OverLimit::Block);
        let Ok(domain) = domain.build() else {
            continue;
        };
        let stop = AtomicBool::new(false);
        let (mut retired, mut most, mut over) = (0, 0, 0);
        std::thread::scope(|scope| {
            let worker = || retire_between_sections(&domain, &stop);
            let workers: Vec<_> = (0..many()).map(|_| scope.spawn(worker)).collect();
            let began = Instant::now();
            while began.elapsed() < Duration::from_millis(500) {
                let stats = domain.stats();
                most = most.max(stats.retired_bytes);
                over += u32::from(stats.over_limit);
                std::thread::sleep(Duration::from_micros(200));
            }
            stop.store(true, Ordering::Relaxed);
            retired = workers
                .into_iter()
                .map(|worker| worker.join().unwrap())
                .sum();
        });
        // Figures are not of one moment: what came while they were taken may be in them
        // beside what went.
        let allowed = 2 * (LIMIT + many() * BYTES);
        assert!(most <= allowed as u64, "{barrier:?}: {most} of {allowed}");
        assert!(retired > 10 * LIMIT, "{barrier:?}: only {retired}");
        assert!(over != 0, "{barrier:?}: the limit was never reached");
        domain.barrier();
        assert_eq!(domain.stats().retired_bytes, 0, "{barrier:?}");
    }
}
