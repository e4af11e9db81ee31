//! A pool in the hands of one participant.

use crate::support::{Drops, every_barrier, panic_of};
use smr_core::{Domain, Pool};

#[test]
fn it_is_the_same_pool() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::new_in(&domain);
        let local = pool.register();
        assert!(std::ptr::eq(local.pool(), &pool));
        let kept = local.alloc(drops.value());
        for _ in 0..1000 {
            let item = local.alloc_with(|| drops.value()).into_raw();
            // SAFETY: nobody has seen it, and it is retired once.
            unsafe { local.retire(item) };
        }
        let given = local.try_alloc(drops.value()).unwrap().into_raw();
        // SAFETY: as above, although through the pool.
        unsafe { pool.retire(given) };
        pool.barrier();
        assert_eq!(drops.count(), 1001);
        assert_eq!(pool.stats().live_items, 1);
        drop(kept);
        assert_eq!(drops.count(), 1002);
    });
}

#[test]
fn its_sections_protect() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::new_in(&domain);
        let writer = pool.register();
        let item = writer.alloc(drops.value()).into_raw();
        // The guard outlives the participant that it was entered through.
        let guard = pool.register().pin();
        // SAFETY: nobody has seen it, and it is retired once.
        unsafe { writer.retire(item) };
        domain.flush();
        assert_eq!(drops.count(), 0);
        drop(guard);
        pool.barrier();
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn one_handle_serves_several_pools() {
    let domain = Domain::new();
    let (numbers, texts) = (Pool::new_in(&domain), Pool::new_in(&domain));
    let handle = domain.register();
    let (one, two) = (numbers.local(&handle), texts.local(&handle));
    let (number, text) = (one.alloc(7).into_raw(), two.alloc("seven").into_raw());
    // SAFETY: nobody has seen it, and it is retired once.
    unsafe { one.retire(number) };
    // SAFETY: as above.
    unsafe { two.retire(text) };
    // The handle, and no slot of this thread beside it.
    assert_eq!(domain.stats().participants, 1);
    drop((one, two));
    drop(handle);
    assert_eq!(domain.stats().participants, 0);
}

#[test]
fn what_one_leaves_behind_the_next_uses() {
    let pool = Pool::new_in(&Domain::new());
    for round in 0..100_u64 {
        let local = pool.register();
        for value in 0..10 {
            let item = local.alloc([round, value]).into_raw();
            // SAFETY: nobody has seen it, and it is retired once.
            unsafe { local.retire(item) };
        }
    }
    assert!(pool.stats().slab_bytes <= 16 << 10, "{:?}", pool.stats());
}

#[test]
fn a_handle_of_another_domain_is_refused() {
    let pool = Pool::<u64>::new_in(&Domain::new());
    let stranger = Domain::new().register();
    let said = panic_of(|| drop(pool.local(&stranger)));
    assert!(said.contains("another domain"), "{said}");
}
