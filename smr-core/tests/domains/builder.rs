//! Making domains and registering with them.

use crate::support::{every_domain, panic_of};
use smr_core::{
    BarrierKind, BuildError, Collector, Domain, LimitReport, OverLimit, RegisterError,
    default_collector,
};

#[test]
fn the_builder_keeps_what_it_is_told() {
    let domain = Domain::builder()
        .name("routes")
        .barrier(BarrierKind::Fence)
        .build()
        .unwrap();
    assert_eq!(domain.name(), Some("routes"));
    assert_eq!(domain.barrier_kind(), BarrierKind::Fence);
    let shown = format!("{domain:?}");
    assert!(
        shown.contains("\"routes\"") && shown.contains("Fence"),
        "{shown}"
    );
    assert_eq!(Domain::new().name(), None);
    assert_eq!(Domain::default().name(), None);
}

#[test]
fn auto_settles_on_a_barrier() {
    let auto = Domain::new().barrier_kind();
    assert_ne!(auto, BarrierKind::Auto);
    let asked = Domain::builder().barrier(BarrierKind::Asymmetric).build();
    match asked {
        Ok(domain) => {
            assert_eq!(domain.barrier_kind(), BarrierKind::Asymmetric);
            assert_eq!(auto, BarrierKind::Asymmetric);
        }
        Err(error) => {
            assert_eq!(error, BuildError::BarrierRefused);
            assert_eq!(auto, BarrierKind::Fence);
        }
    }
    assert_eq!(BarrierKind::default(), BarrierKind::Auto);
}

#[test]
fn the_builder_shows_its_settings() {
    let builder = Domain::builder()
        .name("x")
        .max_participants(7)
        .max_retired_bytes(1 << 20, OverLimit::Help)
        .on_limit(|_: LimitReport| ());
    let shown = format!("{builder:?}");
    for part in ["\"x\"", "Auto", "Some(7)", "1048576", "Help"] {
        assert!(shown.contains(part), "{shown}");
    }
}

#[test]
fn impossible_settings_are_refused_with_a_reason() {
    let refused = |builder: smr_core::DomainBuilder| builder.build().unwrap_err();
    let too_many = refused(Domain::builder().max_participants(u32::MAX));
    let BuildError::TooManyParticipants { most } = too_many else {
        panic!("{too_many:?}");
    };
    assert!(Domain::builder().max_participants(most).build().is_ok());
    for (error, says) in [
        (refused(Domain::builder().max_participants(0)), "at least 1"),
        (too_many, &*format!("at most {most}")),
        (
            refused(Domain::builder().max_retired_bytes(0, OverLimit::Report)),
            "leave it out",
        ),
        (
            refused(Domain::builder().on_limit(|_| ())),
            "max_retired_bytes",
        ),
        (BuildError::BarrierRefused, "BarrierKind::Auto"),
    ] {
        let error: &dyn std::error::Error = &error;
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn handles_of_a_domain_are_equal() {
    let (one, other) = (Domain::new(), Domain::new());
    assert_eq!(one, one.clone());
    assert_ne!(one, other);
    assert_eq!(Domain::global(), default_collector());
    let named: Collector = Domain::global().clone();
    assert_eq!((&named, named.name()), (Domain::global(), Some("global")));
}

#[test]
fn a_domain_hands_out_as_many_slots_as_it_may() {
    every_domain(|builder| {
        let domain = builder.max_participants(3).build().unwrap();
        let full = RegisterError::TooManyParticipants { max: 3 };
        let first = domain.register();
        let second = domain.owned_guard();
        let third = domain.pin();
        assert_eq!(domain.stats().participants, 3);
        assert_eq!(domain.try_register().unwrap_err(), full);
        assert_eq!(domain.try_owned_guard().unwrap_err(), full);
        let said = full.to_string();
        assert!(
            said.contains("all 3 slots") && said.contains("raise"),
            "{said}"
        );
        assert_eq!(panic_of(|| domain.register()), said);
        assert_eq!(panic_of(|| drop(domain.owned_guard())), said);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(panic_of(|| drop(domain.pin())), said);
                assert!(!domain.is_pinned());
                // Retiring goes without a slot.
                domain.retire(Box::new(1));
            });
        });
        drop(first);
        let again = domain.try_register().unwrap();
        assert_eq!(domain.try_register().unwrap_err(), full);
        drop((again, second, third));
        // The thread's own slot stays for its next section.
        assert_eq!(domain.stats().participants, 1);
        domain.barrier();
        assert_eq!(domain.stats().retired_items, 0);
    });
}

#[test]
fn slots_are_used_again() {
    every_domain(|builder| {
        let domain = builder.max_participants(2).build().unwrap();
        for _ in 0..100 {
            std::thread::scope(|scope| {
                scope.spawn(|| drop(domain.pin())).join().unwrap();
            });
            drop(domain.owned_guard());
            drop(domain.register().pin());
        }
        assert_eq!(domain.stats().participants, 0);
        assert_eq!(
            RegisterError::OutOfMemory.to_string(),
            "no memory for another slot"
        );
    });
}

#[test]
fn many_slots_are_found_by_a_scan() {
    every_domain(|builder| {
        let domain = builder.build().unwrap();
        let handles: Vec<_> = (0..1000).map(|_| domain.register()).collect();
        let goal_of = |index: usize| {
            let guard = handles[index].pin();
            let goal = domain.advance();
            assert!(!domain.poll(goal), "the reader in slot {index} is missed");
            drop(guard);
            goal
        };
        // The first and last slots of segments.
        for index in [0, 3, 4, 11, 12, 27, 28, 59, 60, 500, 507, 508, 999] {
            assert!(domain.poll(goal_of(index)));
        }
        assert_eq!(domain.stats().participants, 1000);
    });
}
