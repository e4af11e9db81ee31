//! Signal handlers that read a structure.
//!
//! Allowed: reading within a section that the interrupted thread has open already, or
//! that an owned guard made outside of the handler keeps open. Both write nothing and
//! end nothing. Refused: opening a section in a handler. Its end may have to collect,
//! and collecting allocates, frees and takes locks.
#![cfg(all(target_os = "linux", not(miri)))]

use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use smr_core::{Domain, Guard, OwnedGuard};
use smr_hashmap::HashMap;
use smr_list::OrderedList;
use smr_radix::RadixTree;

/// What the handler reads: keys 0 to 99 are always there, under 1000 times the key
/// and a remainder that changes.
struct Shared {
    map: HashMap<u64, Box<u64>>,
    list: OrderedList<u64, Box<u64>>,
    tree: RadixTree<u64, Box<u64>>,
}

static SHARED: AtomicPtr<Shared> = AtomicPtr::new(std::ptr::null_mut());
static GUARD: AtomicPtr<Guard> = AtomicPtr::new(std::ptr::null_mut());
static READS: AtomicU64 = AtomicU64::new(0);
static WRONG: AtomicU64 = AtomicU64::new(0);

extern "C" fn read_in_handler(_: libc::c_int) {
    let (shared, guard) = (SHARED.load(SeqCst), GUARD.load(SeqCst));
    if shared.is_null() || guard.is_null() {
        return;
    }
    // SAFETY: it outlives the time in which it is set.
    let shared = unsafe { &*shared };
    // SAFETY: as above.
    let guard = unsafe { &*guard };
    let turn = READS.fetch_add(1, SeqCst);
    for key in [turn % 100, (turn * 7 + 3) % 100] {
        let right = |value: Option<&Box<u64>>| value.is_some_and(|value| **value / 1000 == key);
        let next = shared.tree.get_ge(key, guard);
        let all = [
            right(shared.map.get(&key, guard)),
            right(shared.list.get(&key, guard)),
            right(shared.tree.get(key, guard)),
            next.is_some_and(|(met, value)| met == key && right(Some(value))),
        ];
        if all.contains(&false) {
            WRONG.fetch_add(1, SeqCst);
        }
    }
}

fn install() {
    let handler: extern "C" fn(libc::c_int) = read_in_handler;
    // SAFETY: all zeroes is a valid value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as libc::sighandler_t;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: a valid action.
    let done = unsafe { libc::sigaction(libc::SIGUSR2, &raw const action, std::ptr::null_mut()) };
    assert_eq!(done, 0);
}

/// Sends the signal to the calling thread, from another one, while `work` runs.
fn interrupted(work: impl FnOnce()) {
    let done = AtomicBool::new(false);
    // SAFETY: no preconditions.
    let this = unsafe { libc::pthread_self() };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(SeqCst) {
                // SAFETY: that thread waits for us at the end of the scope.
                unsafe { libc::pthread_kill(this, libc::SIGUSR2) };
                std::thread::sleep(Duration::from_micros(50));
            }
        });
        work();
        done.store(true, SeqCst);
    });
}

fn write_for(time: Duration, shared: &Shared, domain: &Domain) {
    let end = Instant::now() + time;
    let mut turn = 0;
    while Instant::now() < end {
        turn += 1;
        let guard = domain.pin();
        for key in 0..100 {
            let value = key * 1000 + turn % 1000;
            shared.map.insert(key, Box::new(value), &guard);
            shared.list.insert(key, Box::new(value), &guard);
            // The table grows and shrinks, nodes come and go.
            shared.map.insert(100 + turn % 2000, Box::new(0), &guard);
            shared.map.remove(&(100 + (turn + 1000) % 2000), &guard);
            shared.list.insert(100 + key, Box::new(0), &guard);
            shared.list.remove(&(100 + (key + 50) % 100), &guard);
            shared.tree.insert(key, Box::new(value), &guard);
            shared.tree.insert(100 + turn % 2000, Box::new(0), &guard);
            shared.tree.remove(100 + (turn + 1000) % 2000, &guard);
        }
    }
}

/// One test, for the handler is the process's.
#[test]
fn a_handler_reads_within_a_section_that_was_open_before() {
    install();
    let domain = Domain::new();
    let mut shared = Shared {
        map: HashMap::builder().domain(domain.clone()).build(),
        list: OrderedList::new_in(&domain),
        tree: RadixTree::new_in(&domain),
    };
    {
        let guard = domain.pin();
        for key in 0..100 {
            shared.map.insert(key, Box::new(key * 1000), &guard);
            shared.list.insert(key, Box::new(key * 1000), &guard);
            shared.tree.insert(key, Box::new(key * 1000), &guard);
        }
    }
    SHARED.store(&raw mut shared, SeqCst);

    // The guard of the thread that is interrupted, in the midst of its own writes.
    let mut guard = domain.pin();
    GUARD.store(&raw mut guard, SeqCst);
    interrupted(|| write_for(Duration::from_millis(300), &shared, &domain));
    GUARD.store(std::ptr::null_mut(), SeqCst);
    drop(guard);
    let first = READS.load(SeqCst);
    assert!(first > 100, "{first} reads in handlers");

    // An owned guard, with no section on the thread: it may be between two of them,
    // or within the opening or the end of one, or within a collection.
    let mut owned: OwnedGuard = domain.owned_guard();
    let inner: *const Guard = &raw const *owned;
    GUARD.store(inner.cast_mut(), SeqCst);
    std::thread::scope(|scope| {
        scope.spawn(|| write_for(Duration::from_millis(300), &shared, &domain));
        interrupted(|| write_for(Duration::from_millis(300), &shared, &domain));
    });
    GUARD.store(std::ptr::null_mut(), SeqCst);
    owned.repin();
    drop(owned);
    SHARED.store(std::ptr::null_mut(), SeqCst);
    assert!(READS.load(SeqCst) > first + 100);
    assert_eq!(WRONG.load(SeqCst), 0, "wrong answers in handlers");
    shared.map.barrier();
    shared.list.flush();
    assert_eq!(shared.list.stats().retired_items, 0);
}
