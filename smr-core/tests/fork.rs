//! A child of `fork` goes on, whatever the other threads were doing.
#![cfg(all(feature = "std", unix))]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use smr_core::{Domain, Pool};

unsafe extern "C" {
    fn fork() -> i32;
    fn alarm(seconds: u32) -> u32;
    fn _exit(status: i32) -> !;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
}

/// Whether `f` comes to its end in a child, and says yes.
fn in_child(f: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child only runs `f` and goes.
    let pid = unsafe { fork() };
    if pid == 0 {
        // SAFETY: kills the child should it hang.
        unsafe { alarm(3) };
        let came_true = catch_unwind(AssertUnwindSafe(f)).unwrap_or(false);
        let status = i32::from(!came_true);
        // SAFETY: runs no handlers of the parent.
        unsafe { _exit(status) };
    }
    assert!(pid > 0);
    let mut status = -1;
    // SAFETY: our child, and a place for its status.
    unsafe { waitpid(pid, &raw mut status, 0) };
    status == 0
}

/// Threads of the parent that do `f` all the time.
fn while_others<R>(f: impl Fn() + Send + Sync + 'static, then: impl FnOnce() -> R) -> R {
    let stop = Arc::new(AtomicBool::new(false));
    let f = Arc::new(f);
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let (stop, f) = (Arc::clone(&stop), Arc::clone(&f));
            thread::spawn(move || {
                while !stop.load(SeqCst) {
                    f();
                }
            })
        })
        .collect();
    let result = then();
    stop.store(true, SeqCst);
    for thread in threads {
        thread.join().unwrap();
    }
    result
}

#[test]
fn a_child_retires_while_others_were_sweeping() {
    let domain = Domain::new();
    domain.defer(|| ());
    let sweeping = domain.clone();
    while_others(
        move || {
            let _ = sweeping.stats();
            sweeping.flush();
        },
        || {
            for _ in 0..200 {
                domain.defer(|| ());
                assert!(in_child(|| {
                    for _ in 0..100 {
                        domain.defer(|| ());
                    }
                    domain.flush();
                    true
                }));
            }
        },
    );
}

#[test]
fn a_child_waits_for_no_destructor_of_its_parent() {
    let domain = Domain::new();
    let sweeping = domain.clone();
    while_others(
        move || {
            sweeping.defer(|| thread::sleep(Duration::from_millis(1)));
            sweeping.flush();
        },
        || {
            for _ in 0..50 {
                thread::sleep(Duration::from_millis(1));
                assert!(in_child(|| {
                    domain.barrier();
                    true
                }));
            }
        },
    );
}

#[test]
fn a_child_uses_and_drops_a_pool_that_was_being_swept() {
    let domain = Domain::new();
    let sweeping = domain.clone();
    let mut pool = Some(Arc::new(Pool::new_in(&domain)));
    let swept = Arc::downgrade(pool.as_ref().unwrap());
    // Slow in the parent, so that forks meet it at work; a child would take as long for all
    // that waits there.
    static IN_CHILD: AtomicBool = AtomicBool::new(false);
    struct Slow;
    impl Drop for Slow {
        fn drop(&mut self) {
            if !IN_CHILD.load(SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
        }
    }
    while_others(
        move || {
            let Some(pool) = swept.upgrade() else { return };
            let item = pool.alloc((Slow, 1)).into_raw();
            // SAFETY: nobody else knows it.
            unsafe { pool.retire(item) };
            sweeping.flush();
        },
        || {
            for _ in 0..50 {
                thread::sleep(Duration::from_millis(1));
                assert!(in_child(|| {
                    IN_CHILD.store(true, SeqCst);
                    let pool = pool.take().unwrap();
                    // What the others hold is not dropped here.
                    let raw = Arc::into_raw(pool).cast_mut();
                    // SAFETY: the other threads are not in this process.
                    let pool = unsafe { &mut *raw };
                    let item = pool.alloc((Slow, 1)).into_raw();
                    // SAFETY: nobody else knows it.
                    unsafe { pool.retire(item) };
                    pool.barrier();
                    domain.barrier();
                    // SAFETY: dropped once.
                    unsafe { std::ptr::drop_in_place(pool) };
                    true
                }));
            }
        },
    );
}

#[test]
fn a_child_does_not_count_on_the_reaper() {
    let domain = Domain::new();
    let reaper = domain.reaper(Duration::from_secs(60)).unwrap();
    let mut reaper = Some(reaper);
    assert!(in_child(|| {
        let dropped = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&dropped);
        let guard = domain.pin();
        guard.defer(move || flag.store(true, SeqCst));
        domain.flush();
        drop(guard);
        let collected = dropped.load(SeqCst);
        drop(reaper.take());
        collected
    }));
}
