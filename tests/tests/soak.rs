//! The soak in its short form, that it can fail, and crowds: eight threads for each
//! processor, interrupted at any instruction.
//!
//! `cargo run --release -p smr-tests --bin soak -- --minutes 60` is the long soak,
//! `cargo test --release -p smr-tests --test soak -- --ignored` the long crowd.
#![cfg(not(miri))]

use std::time::Duration;

use smr_core::{BarrierKind, Domain};
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
fn crowd(duration: Duration) {
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    for subject in Subject::ALL {
        for barrier in [BarrierKind::Asymmetric, BarrierKind::Fence] {
            if Domain::builder().barrier(barrier).build().is_err() {
                continue;
            }
            let mut config = config(subject, barrier);
            config.threads = 8 * processors;
            config.duration = duration;
            config.preempt = true;
            must_be_clean(&config);
        }
    }
    #[cfg(target_os = "linux")]
    assert!(smr_tests::preempt::Preemptor::interrupts() > 1000);
}
