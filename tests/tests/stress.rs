//! The stress in its short form, and that it can fail.
//!
//! `cargo run --release -p smr-tests --bin stress -- --seconds 600` is the long
//! one.
#![cfg(not(miri))]

use smr_core::{BarrierKind, Domain};
use smr_tests::stress::{self, Broken, Config, Kind};

#[track_caller]
fn every_barrier(kind: Kind) {
    for barrier in [BarrierKind::Asymmetric, BarrierKind::Fence] {
        if Domain::builder().barrier(barrier).build().is_err() {
            continue;
        }
        let report = stress::run(&Config::short(kind, barrier));
        assert!(report.is_clean(), "{kind}, {barrier:?}: {report}");
        assert!(report.visits > 0 && report.made > 10, "{report}");
    }
}

#[test]
fn boxes_are_destroyed_once_and_never_under_a_reader() {
    every_barrier(Kind::Domain);
}

#[test]
fn values_of_cells_are_destroyed_once_and_never_under_a_reader() {
    every_barrier(Kind::Cell);
}

#[test]
fn plain_items_are_never_used_again_under_a_reader() {
    every_barrier(Kind::PoolPlain);
}

#[test]
fn items_with_destructors_are_destroyed_once_and_never_under_a_reader() {
    every_barrier(Kind::PoolDrop);
}

#[test]
fn readers_without_a_guard_are_seen_to_use_what_is_gone() {
    for kind in [Kind::Domain, Kind::PoolPlain, Kind::PoolDrop] {
        let mut config = Config::short(kind, BarrierKind::Auto);
        config.broken = Some(Broken::Unprotected);
        // One run is nearly always enough.
        let seen = (0..50).any(|seed| {
            config.seed = seed;
            let report = stress::run(&config);
            report.seen.iter().any(|what| what.contains("reader"))
        });
        assert!(seen, "{kind}: the harness is blind");
    }
}
