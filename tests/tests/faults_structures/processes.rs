//! Processes that fork while others are inside, and systems that refuse membarrier.
#![cfg(target_os = "linux")]

use std::sync::Arc;

use smr_core::{BarrierKind, Domain};
use smr_tests::for_every_shape;
use smr_tests::ledger::Ledger;
use smr_tests::shapes::Shape;

use super::{empty, fill, works};
use crate::support::process::{in_child, in_fresh_process};
use crate::support::seccomp::refuse_membarrier;
use crate::support::{GENEROUS, Reader, every_barrier};

#[test]
fn a_child_uses_structures_that_others_are_inside_of() {
    fn check<S: Shape>(domain: &Domain) {
        let ledger = Ledger::open();
        let shape = Arc::new(S::new_in(domain));
        fill(&*shape, ledger, 300, &domain.pin());
        let readers: Vec<_> = (0..3)
            .map(|turn| {
                let shape = Arc::clone(&shape);
                // Each has removed something, which waits for the others.
                Reader::enter_after(domain, move |domain| {
                    let guard = domain.pin();
                    for key in turn * 50..(turn + 1) * 50 {
                        assert!(shape.remove(key, &guard));
                    }
                })
            })
            .collect();
        in_child(|| {
            let guard = domain.pin();
            assert_eq!(shape.keys(&guard).len(), 150, "{}", S::NAME);
            works(&*shape, ledger, &guard);
            drop(guard);
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        shape.visit(&domain.pin(), &mut |value| {
                            value.look();
                        })
                    });
                }
            });
            // Nobody is inside here, so what was removed can go.
            domain.try_barrier(GENEROUS).unwrap();
            shape.flush();
            assert_eq!(ledger.live(), 150, "{}", S::NAME);
        });
        assert_eq!(ledger.dropped(), 0, "{}: the parent's are inside", S::NAME);
        readers.into_iter().for_each(Reader::leave);
        shape.flush();
        assert_eq!(ledger.live(), 150, "{}", S::NAME);
    }
    every_barrier(|domain| {
        for_every_shape!(check(&domain));
    });
}

#[test]
fn structures_work_where_membarrier_is_refused_from_the_start() {
    fn check<S: Shape>(domain: &Domain) {
        let ledger = Ledger::open();
        let shape = S::new_in(domain);
        let reader = Reader::enter(domain);
        fill(&shape, ledger, 3000, &domain.pin());
        empty(&shape, 3000, &domain.pin());
        works(&shape, ledger, &domain.pin());
        assert_eq!(ledger.dropped(), 0, "{}", S::NAME);
        reader.leave();
        shape.flush();
        assert_eq!(ledger.live(), 0, "{}", S::NAME);
    }
    in_fresh_process(
        "processes::structures_work_where_membarrier_is_refused_from_the_start",
        || {
            refuse_membarrier();
            let domain = Domain::new();
            assert_eq!(domain.barrier_kind(), BarrierKind::Fence);
            for_every_shape!(check(&domain));
            assert_eq!(domain.stats().refused_barriers, 0);
        },
    );
}

#[test]
fn structures_free_nothing_early_where_membarrier_is_refused_later() {
    fn check<S: Shape>(domain: &Domain, early: &S, ledger: &'static Ledger) {
        let before = ledger.dropped();
        let reader = Reader::enter(domain);
        empty(early, 100, &domain.pin());
        works(early, ledger, &domain.pin());
        reader.leave();
        early.flush();
        assert_eq!(ledger.dropped(), before, "{}: nobody knows", S::NAME);
        assert!(domain.stats().refused_barriers >= 1, "{}", S::NAME);
    }
    fn each<S: Shape>() {
        let domain = Domain::builder().barrier(BarrierKind::Asymmetric).build();
        let Ok(domain) = domain else { return };
        let ledger = Ledger::open();
        let shape = S::new_in(&domain);
        fill(&shape, ledger, 100, &domain.pin());
        in_child(|| {
            refuse_membarrier();
            check(&domain, &shape, ledger);
            drop(shape);
            assert_eq!(ledger.live(), 0, "{}: with the structure", S::NAME);
        });
    }
    for_every_shape!(each());
}
