//! Collecting against code that calls back, panics and waits: nothing sticks,
//! nothing is counted twice, and `barrier` means what it says.
#![cfg(feature = "std")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use smr_core::{Domain, OverLimit, Pool, WaitError};

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(10);

/// Runs a closure when it is dropped.
struct OnDrop(Box<dyn FnMut() + Send>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn on_drop(f: impl FnMut() + Send + 'static) -> OnDrop {
    OnDrop(Box::new(f))
}

/// Fails instead of hanging.
fn in_time(f: impl FnOnce() + Send + 'static) {
    let (done, wait) = mpsc::channel();
    let thread = thread::spawn(move || {
        f();
        done.send(()).unwrap();
    });
    match wait.recv_timeout(LONG) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        _ => thread.join().unwrap(),
    }
}

#[test]
fn every_barrier_waits_for_what_others_have_in_hand() {
    let domain = Domain::new();
    let (started, wait_started) = mpsc::channel();
    let (go_on, wait_go_on) = mpsc::channel::<()>();
    domain.defer(move || {
        started.send(()).unwrap();
        wait_go_on.recv().unwrap();
    });
    let sweeper = thread::spawn({
        let domain = domain.clone();
        move || domain.flush()
    });
    wait_started.recv().unwrap();
    for _ in 0..3 {
        assert_eq!(domain.try_barrier(SHORT), Err(WaitError::Timeout));
    }
    go_on.send(()).unwrap();
    domain.barrier();
    sweeper.join().unwrap();
}

#[test]
fn a_barrier_waits_for_a_pool_that_is_being_dropped() {
    let domain = Domain::new();
    let (started, wait_started) = mpsc::channel();
    let (go_on, wait_go_on) = mpsc::channel::<()>();
    let pool = Pool::new_in(&domain);
    let item = pool.alloc(on_drop(move || {
        started.send(()).unwrap();
        wait_go_on.recv().unwrap();
    }));
    // SAFETY: nobody else knows it.
    unsafe { pool.retire(item.into_raw()) };
    let dropper = thread::spawn(move || drop(pool));
    wait_started.recv().unwrap();
    assert_eq!(domain.try_barrier(SHORT), Err(WaitError::Timeout));
    go_on.send(()).unwrap();
    domain.barrier();
    dropper.join().unwrap();
}

#[test]
fn an_item_may_drop_another_pool() {
    in_time(|| {
        let domain = Domain::new();
        let dropped = Arc::new(AtomicUsize::new(0));
        let outer = Pool::new_in(&domain);
        let inner = Pool::new_in(&domain);
        let count = |dropped: &Arc<AtomicUsize>| {
            let dropped = Arc::clone(dropped);
            on_drop(move || {
                dropped.fetch_add(1, SeqCst);
            })
        };
        let item = inner.alloc(count(&dropped)).into_raw();
        let mut inner = Some(inner);
        let guard = domain.pin();
        let retired = inner.take().unwrap();
        let held = Arc::new(std::sync::Mutex::new(None));
        let taken = Arc::clone(&held);
        let last = outer.alloc(on_drop(move || drop(taken.lock().unwrap().take())));
        // SAFETY: nobody else knows it, and it is retired once.
        unsafe { outer.retire(last.into_raw()) };
        // SAFETY: as above.
        unsafe { retired.retire(item) };
        *held.lock().unwrap() = Some(retired);
        drop(guard);
        domain.flush();
        domain.barrier();
        assert_eq!(dropped.load(SeqCst), 1);
    });
}

#[test]
fn flushing_a_pool_does_not_wait_for_a_sweep() {
    let domain = Domain::new();
    let pool = Arc::new(Pool::new_in(&domain));
    let (started, wait_started) = mpsc::channel();
    let (go_on, wait_go_on) = mpsc::channel::<()>();
    let item = pool.alloc(on_drop(move || {
        started.send(()).unwrap();
        let _ = wait_go_on.recv();
    }));
    // SAFETY: nobody else knows it.
    unsafe { pool.retire(item.into_raw()) };
    let sweeper = thread::spawn({
        let domain = domain.clone();
        move || domain.flush()
    });
    wait_started.recv().unwrap();
    let (done, wait) = mpsc::channel();
    let flusher = thread::spawn({
        let pool = Arc::clone(&pool);
        move || {
            pool.flush();
            done.send(pool.try_barrier(SHORT)).unwrap();
        }
    });
    let ended = wait.recv_timeout(Duration::from_secs(3));
    go_on.send(()).unwrap();
    sweeper.join().unwrap();
    flusher.join().unwrap();
    assert_eq!(ended, Ok(Err(WaitError::Timeout)));
}

#[test]
fn a_destructor_over_the_limit_does_not_wait_for_its_own_sweep() {
    in_time(|| {
        let domain = Domain::builder()
            .max_retired_bytes(1000, OverLimit::Block)
            .build()
            .unwrap();
        let again = domain.clone();
        domain.defer(move || again.defer_sized(5000, || ()));
        domain.flush();
        domain.barrier();
        assert!(!domain.stats().over_limit);
    });
}

/// A destructor enters a section, `run` makes it run on this thread, and another
/// thread finds the section in its way.
fn a_section_in_a_destructor_is_assisted(run: impl FnOnce(&Domain, Box<dyn FnOnce() + Send>)) {
    let domain = Domain::new();
    let dropped = Arc::new(AtomicBool::new(false));
    let (inside, wait_inside) = mpsc::channel();
    let (blocked, wait_blocked) = mpsc::channel();
    let other = thread::spawn({
        let (domain, dropped) = (domain.clone(), Arc::clone(&dropped));
        move || {
            wait_inside
                .recv_timeout(LONG)
                .expect("the destructor runs soon");
            let flag = on_drop(move || dropped.store(true, SeqCst));
            domain.retire(flag);
            domain.flush();
            blocked.send(()).unwrap();
            // The thread stays, idle.
            thread::park_timeout(LONG);
        }
    });
    let again = domain.clone();
    run(
        &domain,
        Box::new(move || {
            let guard = again.pin();
            inside.send(()).unwrap();
            wait_blocked.recv().unwrap();
            drop(guard);
        }),
    );
    let done = dropped.load(SeqCst);
    other.thread().unpark();
    other.join().unwrap();
    assert!(done, "the reader left and nobody collected");
}

#[test]
fn a_section_inside_a_sweep_is_assisted() {
    a_section_in_a_destructor_is_assisted(|domain, destructor| {
        domain.defer(destructor);
        domain.flush();
    });
}

#[test]
fn a_section_inside_a_retire_is_assisted() {
    a_section_in_a_destructor_is_assisted(|domain, destructor| {
        domain.defer(destructor);
        // Enough to fill its bucket; expired ones are run two at a retire.
        for _ in 0..64 {
            domain.defer(|| ());
            assert!(domain.poll(domain.now()));
        }
    });
}

#[test]
fn closing_inside_a_destructor_destroys_the_rest() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let domain = Domain::new();
    let (handle, rest) = (domain.clone(), Arc::clone(&dropped));
    domain.defer(move || {
        handle.retire(on_drop(move || {
            rest.fetch_add(1, SeqCst);
        }));
        drop(handle);
    });
    // The last handle but the one inside; then an exit that collects.
    let guard = domain.pin();
    guard.flush();
    drop(domain);
    drop(guard);
    assert_eq!(dropped.load(SeqCst), 1);
}

#[test]
fn pool_items_leave_the_account_once() {
    let domain = Domain::builder()
        .max_retired_bytes(1 << 20, OverLimit::Error)
        .build()
        .unwrap();
    let pool = Pool::new_in(&domain);
    let retire = |count: usize| {
        for _ in 0..count {
            let item = pool.alloc(String::from("x")).into_raw();
            // SAFETY: nobody else knows it.
            unsafe { pool.retire(item) };
        }
    };
    retire(64);
    // Some expire and are dropped, two at a time ...
    assert!(domain.poll(domain.now()));
    retire(1);
    // ... and the sweep drops the rest of the bucket.
    domain.barrier();
    let stats = domain.stats();
    assert!(!stats.over_limit);
    assert_eq!(stats.reclaimed_items, 65);
    assert_eq!(stats.reclaimed_bytes, 65 * size_of::<String>() as u64);
}

#[test]
fn what_expires_at_once_is_not_over_the_limit() {
    let reports = Arc::new(AtomicUsize::new(0));
    let domain = Domain::builder()
        .max_retired_bytes(64 << 20, OverLimit::Report)
        .on_limit({
            let reports = Arc::clone(&reports);
            move |_| {
                reports.fetch_add(1, SeqCst);
            }
        })
        .build()
        .unwrap();
    for _ in 0..100 {
        domain.defer_sized(512 << 10, || ());
    }
    assert_eq!(reports.load(SeqCst), 0);
    assert!(!domain.stats().over_limit);
}

#[test]
fn a_panic_does_not_upset_the_account() {
    let domain = Domain::builder()
        .max_retired_bytes(1 << 20, OverLimit::Error)
        .build()
        .unwrap();
    for _ in 0..16 {
        domain.defer_sized(100, || panic!("a destructor"));
    }
    assert!(domain.poll(domain.now()));
    assert!(catch_unwind(AssertUnwindSafe(|| domain.defer_sized(100, || ()))).is_err());
    let _ = catch_unwind(AssertUnwindSafe(|| domain.barrier()));
    domain.barrier();
    assert!(!domain.stats().over_limit);
}

#[test]
fn any_number_of_bytes_will_do() {
    let domain = Domain::builder()
        .max_retired_bytes(1 << 20, OverLimit::Report)
        .build()
        .unwrap();
    let guard = domain.register().pin();
    for _ in 0..4 {
        domain.defer_sized(10, || ());
        domain.defer_sized(usize::MAX, || ());
        domain.defer_sized(usize::MAX, || ());
    }
    let _ = domain.stats();
    drop(guard);
    domain.barrier();
    assert!(!domain.stats().over_limit);
    assert_eq!(domain.stats().retired_items, 0);
}

#[test]
fn a_refill_loses_no_items() {
    let domain = Domain::new();
    let pool: Pool<String> = Pool::new_in(&domain);
    for round in 0..50 {
        let items: Vec<_> = (0..100)
            .map(|_| pool.alloc(String::from("x")).into_raw())
            .collect();
        for (index, item) in items.into_iter().enumerate() {
            // SAFETY: nobody else knows it.
            unsafe { pool.retire(item) };
            if index == 50 && round % 2 == 0 {
                pool.flush();
            }
        }
        let _ = domain.poll(domain.now());
    }
    pool.barrier();
    let stats = pool.stats();
    assert_eq!((stats.live_items, stats.retired_items), (0, 0));
    pool.trim();
    assert_eq!(pool.stats().slab_bytes, 0);
}

#[test]
fn the_oldest_section_is_not_ahead_of_the_clock() {
    let domain = Domain::new();
    let stop = Arc::new(AtomicBool::new(false));
    let reader = thread::spawn({
        let (domain, stop) = (domain.clone(), Arc::clone(&stop));
        move || {
            while !stop.load(SeqCst) {
                domain.advance();
                drop(domain.pin());
            }
        }
    });
    let mut ahead = false;
    let result = catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..300_000 {
            if let Some(section) = domain.oldest_section() {
                ahead |= section.advances_behind > 1 << 40;
            }
        }
    }));
    stop.store(true, SeqCst);
    reader.join().unwrap();
    assert!(result.is_ok() && !ahead);
}
