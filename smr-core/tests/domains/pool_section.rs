//! Sections of a scoped pool: what their ends drop.

#![cfg(feature = "std")]
#![allow(
    clippy::disallowed_types,
    reason = "the tests count with the atomics of std, outside of what is tested"
)]

use std::thread;
use std::time::Duration;

use crate::support::{Counted, Drops, every_barrier};
use smr_core::{Domain, Pool, PoolGuard, PoolOwnedGuard};

/// Allocates a value and retires it.
fn retire_one(pool: &Pool<Counted>, drops: &Drops) {
    let item = pool.alloc(drops.value()).into_raw();
    // SAFETY: nobody has seen it, and it is retired once.
    unsafe { pool.retire(item) };
}

#[test]
fn a_single_value_is_dropped_when_its_section_ends() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::scoped_in(&domain);
        let guard = pool.pin();
        retire_one(&pool, &drops);
        assert_eq!(drops.count(), 0);
        drop(guard);
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn the_last_reader_drops_what_it_held_up_although_the_writer_has_stopped() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::scoped_in(&domain);
        let reader = pool.pin();
        thread::scope(|scope| {
            scope.spawn(|| {
                let guard = pool.pin();
                retire_one(&pool, &drops);
                drop(guard);
            });
        });
        assert_eq!(drops.count(), 0, "dropped under a reader");
        drop(reader);
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn an_owned_guard_does_the_same() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::scoped_in(&domain);
        let reader = pool.owned_guard();
        let guard = pool.pin();
        retire_one(&pool, &drops);
        drop(guard);
        assert_eq!(drops.count(), 0, "dropped under a reader");
        thread::scope(|scope| {
            scope.spawn(|| drop(reader));
        });
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_burst_is_dropped_by_the_sections_that_follow_it() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::scoped_in(&domain);
        for _ in 0..100 {
            let guard = pool.pin();
            retire_one(&pool, &drops);
            drop(guard);
        }
        thread::sleep(Duration::from_millis(2));
        for _ in 0..16 {
            drop(pool.pin());
        }
        assert_eq!(drops.count(), 100);
    });
}

#[test]
fn what_another_thread_left_is_dropped_too() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::scoped_in(&domain);
        thread::scope(|scope| {
            scope.spawn(|| (0..100).for_each(|_| retire_one(&pool, &drops)));
        });
        for _ in 0..16 {
            drop(pool.pin());
        }
        assert_eq!(drops.count(), 100);
    });
}

#[test]
fn repinning_is_an_end_too() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let pool = Pool::scoped_in(&domain);
        let mut guard = pool.pin();
        retire_one(&pool, &drops);
        assert_eq!(drops.count(), 0);
        guard.repin();
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_nested_guard_is_no_end() {
    let drops = Drops::default();
    let pool = Pool::scoped();
    let outer = pool.pin();
    let inner = pool.pin();
    retire_one(&pool, &drops);
    drop(inner);
    assert_eq!(drops.count(), 0);
    drop(outer);
    // Others may hold the global domain up for a moment.
    pool.barrier();
    assert_eq!(drops.count(), 1);
}

#[test]
fn values_may_borrow_and_a_guard_ends_before_the_pool() {
    let text = String::from("borrowed");
    let domain = Domain::new();
    let pool = Pool::<Box<&str>>::scoped_in(&domain);
    let guard = pool.pin();
    let item = pool.alloc_in(&*guard, Box::new(text.as_str())).into_raw();
    // SAFETY: nobody has seen it, and it is retired once.
    unsafe { pool.retire_in(&*guard, item) };
    drop(guard);
    assert_eq!(pool.stats().retired_items, 0);
}

#[test]
fn a_destructor_may_use_its_own_pool() {
    struct Node<'p>(&'p std::sync::OnceLock<Pool<Node<'p>>>, u32);
    impl Drop for Node<'_> {
        fn drop(&mut self) {
            if self.1 > 0 {
                let pool = self.0.get().unwrap();
                let guard = pool.pin();
                let item = pool.alloc(Node(self.0, self.1 - 1)).into_raw();
                // SAFETY: nobody has seen it, and it is retired once.
                unsafe { pool.retire(item) };
                drop(guard);
            }
        }
    }
    static POOL: std::sync::OnceLock<Pool<Node<'static>>> = std::sync::OnceLock::new();
    let pool = POOL.get_or_init(|| Pool::scoped_in(&Domain::new()));
    let guard = pool.pin();
    let item = pool.alloc(Node(&POOL, 10)).into_raw();
    // SAFETY: nobody has seen it, and it is retired once.
    unsafe { pool.retire(item) };
    drop(guard);
    pool.barrier();
    (0..20).for_each(|_| pool.barrier());
    assert_eq!(pool.stats().live_items + pool.stats().retired_items, 0);
}

#[test]
fn threads_may_hold_owned_ones_and_the_other_stays() {
    fn sendable<T: Send + Sync>() {}
    sendable::<PoolOwnedGuard<'_>>();
    fn named(_: PoolGuard<'_>) {}
    let pool = Pool::<String>::scoped();
    named(pool.pin());
}

#[test]
fn readers_that_overlap_come_to_an_end() {
    let drops = Drops::default();
    let domain = Domain::new();
    let pool = Pool::scoped_in(&domain);
    const EACH: usize = 2_000;
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..EACH {
                    let guard = pool.pin();
                    retire_one(&pool, &drops);
                    drop(guard);
                }
            });
        }
    });
    let sweeps = domain.stats().sweeps;
    thread::sleep(Duration::from_millis(2));
    (0..16).for_each(|_| drop(pool.pin()));
    assert_eq!(drops.count(), 4 * EACH);
    // And then nobody collects any more.
    let settled = domain.stats().sweeps;
    assert!(settled - sweeps <= 3, "{settled} after {sweeps}");
    thread::sleep(Duration::from_millis(2));
    (0..100).for_each(|_| drop(pool.pin()));
    assert!(domain.stats().sweeps <= settled + 1);
}
