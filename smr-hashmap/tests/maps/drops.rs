//! When keys and values are dropped.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Counted, Drops};
use smr_core::{BarrierKind, Domain};
use smr_hashmap::{HashMap, HashSet};

fn map(domain: &Domain) -> HashMap<u32, Counted> {
    HashMap::builder().domain(domain.clone()).build()
}

/// In a fresh domain with each kind of barrier.
fn every_barrier(test: impl Fn(Domain)) {
    for kind in [BarrierKind::Auto, BarrierKind::Fence] {
        test(Domain::builder().barrier(kind).build().unwrap());
    }
}

#[test]
fn a_removed_value_is_dropped_when_the_guard_goes() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let map = map(&domain);
        map.pin().insert(1, drops.value());
        map.pin().remove(&1);
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_replaced_value_is_dropped_when_the_guard_goes() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let map = map(&domain);
        let pinned = map.pin();
        pinned.insert(1, drops.value());
        pinned.insert(1, drops.value());
        assert_eq!(drops.count(), 0);
        drop(pinned);
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn the_last_reader_drops_what_it_held_up_also_when_writers_have_stopped() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let map = map(&domain);
        map.pin().insert(1, drops.value());
        let guard = map.guard();
        let seen = map.get(&1, &guard);
        thread::scope(|scope| {
            scope.spawn(|| map.pin().remove(&1).is_some());
        });
        assert!(seen.is_some());
        assert_eq!(drops.count(), 0, "dropped under a reader");
        drop(guard);
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn the_end_of_an_owned_guard_drops_on_any_thread() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let map = map(&domain);
        map.pin().insert(1, drops.value());
        let pinned = map.pin_owned();
        map.pin().remove(&1);
        assert_eq!(drops.count(), 0, "dropped under a reader");
        thread::scope(|scope| {
            scope.spawn(|| drop(pinned));
        });
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_burst_is_dropped_by_the_calls_that_follow() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let map = map(&domain);
        for n in 0..1000 {
            map.pin().insert(n, drops.value());
        }
        for n in 0..1000 {
            map.pin().remove(&n);
        }
        thread::sleep(Duration::from_millis(2));
        // Look-ups will do.
        for n in 0..16 {
            map.pin().contains_key(&n);
        }
        assert_eq!(drops.count(), 1000);
    });
}

#[test]
fn flush_drops_what_nobody_holds_up_and_barrier_waits() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let map = map(&domain);
        // Guards of the domain do not collect for the map.
        {
            let guard = domain.pin();
            map.insert(1, drops.value(), &guard);
            map.remove(&1, &guard);
        }
        assert_eq!(drops.count(), 0);
        map.flush();
        assert_eq!(drops.count(), 1);
        let (leave, left) = mpsc::channel::<()>();
        let (enter, entered) = mpsc::channel();
        thread::scope(|scope| {
            let (map, domain) = (&map, &domain);
            scope.spawn(move || {
                let guard = domain.pin();
                enter.send(()).unwrap();
                let _ = left.recv();
                drop(guard);
            });
            entered.recv().unwrap();
            map.pin().insert(1, drops.value());
            map.pin().remove(&1);
            map.flush();
            assert_eq!(drops.count(), 1, "dropped under a reader");
            let short = Duration::from_millis(10);
            assert_eq!(map.try_barrier(short), Err(smr_core::WaitError::Timeout));
            drop(leave);
            map.barrier();
            assert_eq!(drops.count(), 2);
        });
    });
}

#[test]
fn a_domain_that_may_drop_does_so_by_itself() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let map: HashMap<u32, Counted> = HashMap::builder()
            .domain(domain.clone())
            .dropped_by_domain()
            .build();
        {
            let guard = domain.pin();
            map.insert(1, drops.value(), &guard);
            map.remove(&1, &guard);
        }
        // Nobody touches the map any more.
        domain.barrier();
        assert_eq!(drops.count(), 1);
        // Any section that held something up comes back to it.
        map.pin().insert(1, drops.value());
        let guard = domain.pin();
        thread::scope(|scope| {
            scope.spawn(|| {
                map.pin().remove(&1);
            });
        });
        assert_eq!(drops.count(), 1, "dropped under a reader");
        drop(guard);
        // The thread may be on its way out still, with what it retired in hand: then
        // its exit collects.
        let start = Instant::now();
        while drops.count() != 2 {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "nobody collected"
            );
            thread::yield_now();
        }
    });
}

#[test]
fn a_domain_that_may_not_drop_does_not() {
    let domain = Domain::new();
    let drops = Drops::default();
    let map = map(&domain);
    {
        let guard = domain.pin();
        map.insert(1, drops.value(), &guard);
        map.remove(&1, &guard);
    }
    domain.barrier();
    assert_eq!(drops.count(), 0);
    map.flush();
    assert_eq!(drops.count(), 1);
}

#[test]
fn a_reaper_needs_no_call_at_all() {
    let domain = Domain::new();
    let _reaper = domain.reaper(Duration::from_millis(5)).unwrap();
    let drops = Drops::default();
    let map: HashMap<u32, Counted> = HashMap::builder()
        .domain(domain.clone())
        .dropped_by_domain()
        .build();
    for n in 0..100 {
        map.pin().insert(n, drops.value());
    }
    for n in 0..100 {
        map.pin().remove(&n);
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    while drops.count() < 100 {
        assert!(Instant::now() < deadline, "{} of 100", drops.count());
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn dropping_the_map_drops_everything_at_once() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let map = map(&domain);
        for n in 0..100 {
            map.pin().insert(n, drops.value());
        }
        let elsewhere = domain.pin();
        for n in 0..50 {
            map.remove(&n, &elsewhere);
        }
        assert_eq!(drops.count(), 0);
        drop(map);
        assert_eq!(drops.count(), 100, "a reader of the domain cannot be in it");
        drop(elsewhere);
    });
}

#[test]
fn what_is_taken_is_the_callers_and_the_rest_is_dropped() {
    let drops = Drops::default();
    let mut map = map(&Domain::new());
    for n in 0..10 {
        map.pin().insert(n, drops.value());
    }
    let mut drain = map.drain();
    let kept = drain.next().unwrap();
    drop(drain);
    assert_eq!(drops.count(), 9);
    drop(kept);
    assert_eq!(drops.count(), 10);
    assert!(map.is_empty());
    for n in 0..10 {
        map.pin().insert(n, drops.value());
    }
    let kept: Vec<_> = map.into_iter().take(4).collect();
    assert_eq!(drops.count(), 16);
    drop(kept);
    assert_eq!(drops.count(), 20);
}

#[test]
fn a_drain_that_is_forgotten_drops_nothing_twice() {
    let drops = Drops::default();
    let mut map = map(&Domain::new());
    for n in 0..10 {
        map.pin().insert(n, drops.value());
    }
    let mut drain = map.drain();
    drop(drain.next());
    std::mem::forget(drain);
    map.pin().insert(3, drops.value());
    drop(map);
    assert!(drops.count() <= 11);
}

#[test]
fn keys_are_dropped_with_their_entries() {
    use std::hash::{Hash, Hasher};
    struct Key(u32, #[allow(dead_code)] Counted);
    impl PartialEq for Key {
        fn eq(&self, other: &Self) -> bool {
            self.0 == other.0
        }
    }
    impl Eq for Key {}
    impl Hash for Key {
        fn hash<H: Hasher>(&self, state: &mut H) {
            self.0.hash(state);
        }
    }
    let drops = Drops::default();
    let domain = Domain::new();
    let set: HashSet<Key> = HashSet::builder().domain(domain).build();
    assert!(set.pin().insert(Key(1, drops.value())));
    assert!(!set.pin().insert(Key(1, drops.value())));
    set.barrier();
    assert_eq!(drops.count(), 1, "the key that was replaced");
    set.pin().get_or_insert(Key(1, drops.value()));
    assert_eq!(drops.count(), 2, "the key that was not needed");
    drop(set);
    assert_eq!(drops.count(), 3);
}

#[test]
fn values_that_borrow_are_dropped_while_what_they_borrow_lives() {
    struct Noisy<'a>(&'a std::cell::Cell<u32>);
    impl Drop for Noisy<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let count = std::cell::Cell::new(0);
    let map = HashMap::builder().domain(Domain::new()).build();
    map.pin().insert("a", Noisy(&count));
    map.pin().insert("b", Noisy(&count));
    map.pin().remove("a");
    assert_eq!(count.get(), 1);
    drop(map);
    assert_eq!(count.get(), 2);
}

#[test]
fn a_map_that_is_forgotten_leaks_and_nothing_else() {
    let drops = Drops::default();
    let domain = Domain::new();
    let map = map(&domain);
    let guard = domain.pin();
    map.insert(1, drops.value(), &guard);
    map.remove(&1, &guard);
    std::mem::forget(map);
    drop(guard);
    domain.barrier();
    assert_eq!(drops.count(), 0);
}

#[test]
fn a_destructor_may_use_the_map_that_drops_it() {
    struct Chained(std::sync::Weak<HashMap<u32, Chained>>, u32, Drops);
    impl Drop for Chained {
        fn drop(&mut self) {
            drop(self.2.value());
            if let Some(map) = self.0.upgrade() {
                map.pin().remove(&(self.1 + 1));
            }
        }
    }
    crate::support::ends("a chain of destructors", || {
        let drops = Drops::default();
        let map = std::sync::Arc::new(
            HashMap::<u32, Chained>::builder()
                .domain(Domain::new())
                .build(),
        );
        for n in 0..20 {
            let value = Chained(std::sync::Arc::downgrade(&map), n, drops.clone());
            map.pin().insert(n, value);
        }
        map.pin().remove(&0);
        for _ in 0..20 {
            map.barrier();
        }
        assert_eq!(drops.count(), 20);
        assert!(map.is_empty());
    });
}
