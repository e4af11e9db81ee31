//! Systems that refuse the membarrier call: from the start, or later.
#![cfg(all(target_os = "linux", not(miri)))]

mod support;

use smr_core::{BarrierKind, BuildError, Domain, Pool};
use support::process::{in_child, in_fresh_process};
use support::seccomp::{refuse_membarrier, refuse_membarrier_with};
use support::{Drops, GENEROUS, Reader};

/// A domain with the asymmetric barrier; `None` where the system has none.
fn asymmetric() -> Option<Domain> {
    let domain = Domain::builder().barrier(BarrierKind::Asymmetric).build();
    if domain.is_err() {
        eprintln!("not tested: this system refuses membarrier anyway");
    }
    domain.ok()
}

fn use_everything(domain: &Domain) {
    let drops = Drops::default();
    let pool = Pool::new_in(domain);
    let goal = domain.advance();
    let reader = Reader::enter(domain);
    assert!(domain.poll(goal));
    assert!(!domain.poll(domain.advance()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2500 {
                    let guard = domain.pin();
                    guard.retire(drops.one());
                    let item = pool.alloc_in(&guard, drops.one()).into_raw();
                    // SAFETY: never published, retired once.
                    unsafe { pool.retire_in(&guard, item) };
                }
            });
        }
    });
    assert_eq!(drops.count(), 0, "a reader is inside");
    reader.leave();
    domain.try_barrier(GENEROUS).unwrap();
    assert_eq!(drops.count(), 20_000);
}

#[test]
fn a_process_that_is_refused_from_the_start_falls_back_to_fences() {
    in_fresh_process(
        "a_process_that_is_refused_from_the_start_falls_back_to_fences",
        || {
            refuse_membarrier();
            let domain = Domain::builder()
                .barrier(BarrierKind::Auto)
                .build()
                .unwrap();
            assert_eq!(domain.barrier_kind(), BarrierKind::Fence);
            assert_eq!(Domain::global().barrier_kind(), BarrierKind::Fence);
            use_everything(&domain);
            use_everything(Domain::global());
            assert_eq!(domain.stats().refused_barriers, 0);
        },
    );
}

#[test]
fn a_kernel_without_the_call_gets_fences() {
    in_fresh_process("a_kernel_without_the_call_gets_fences", || {
        refuse_membarrier_with(libc::ENOSYS);
        let domain = Domain::new();
        assert_eq!(domain.barrier_kind(), BarrierKind::Fence);
        use_everything(&domain);
        assert_eq!(domain.stats().refused_barriers, 0);
    });
}

#[test]
fn a_process_that_insists_is_told() {
    in_fresh_process("a_process_that_insists_is_told", || {
        refuse_membarrier();
        assert_eq!(
            Domain::builder()
                .barrier(BarrierKind::Asymmetric)
                .build()
                .unwrap_err(),
            BuildError::BarrierRefused
        );
        let fenced = Domain::builder().barrier(BarrierKind::Fence).build();
        use_everything(&fenced.unwrap());
    });
}

#[test]
fn without_a_filter_the_asymmetric_barrier_works() {
    if let Some(domain) = asymmetric() {
        assert_eq!(domain.barrier_kind(), BarrierKind::Asymmetric);
        assert_eq!(Domain::new().barrier_kind(), BarrierKind::Asymmetric);
        use_everything(&domain);
        assert_eq!(domain.stats().refused_barriers, 0);
    }
}

#[test]
fn a_barrier_that_is_refused_later_frees_nothing_early() {
    let Some(domain) = asymmetric() else { return };
    // Fork: the filter stays for good, and so does the child.
    in_child(move || {
        let drops = Drops::default();
        let pool = Pool::new_in(&domain);
        domain.retire(drops.one());
        domain.try_barrier(GENEROUS).unwrap();
        assert_eq!(drops.count(), 1);

        let before = domain.advance();
        assert!(domain.poll(before));
        refuse_membarrier();
        assert!(domain.poll(before), "what was known is known");
        let goal = domain.advance();
        assert!(!domain.poll(goal), "nobody knows of readers now");
        let refused = domain.stats().refused_barriers;
        assert!(refused >= 1);
        assert!(!domain.poll(goal));
        assert!(domain.stats().refused_barriers > refused, "each is counted");

        let plain = Pool::new_in(&domain);
        let reader = Reader::enter(&domain);
        let kept = plain.alloc(7_u64).into_raw();
        // SAFETY: retired once, and read below only while nobody can reuse it.
        unsafe { plain.retire(kept) };
        for _ in 0..10_000 {
            domain.retire(drops.one());
            let item = pool.alloc(drops.one()).into_raw();
            // SAFETY: never published, retired once.
            unsafe { pool.retire(item) };
            let item = plain.alloc(1_u64).into_raw();
            assert_ne!(item, kept, "nothing is used again");
            // SAFETY: never published, retired once.
            unsafe { plain.retire(item) };
        }
        domain.flush();
        pool.flush();
        plain.trim();
        let _ = pool.stats();
        assert!(
            domain
                .try_barrier(std::time::Duration::from_millis(5))
                .is_err()
        );
        assert!(
            domain
                .try_synchronize(std::time::Duration::from_millis(5))
                .is_err()
        );
        reader.leave();
        drop(domain.pin());
        assert_eq!(drops.count(), 1, "not even without readers");
        // SAFETY: see above.
        assert_eq!(unsafe { *kept.as_ref() }, 7);

        // Exclusive access needs no barrier.
        drop(pool);
        assert_eq!(drops.count(), 10_001);
        drop(plain);
        drop(domain);
        // This thread's slot keeps the inside of the domain until it registers
        // with another, or exits.
        let other = Domain::builder()
            .barrier(BarrierKind::Fence)
            .build()
            .unwrap();
        drop(other.pin());
        assert_eq!(
            drops.count(),
            20_001,
            "the domain that goes drops everything"
        );
    });
}
