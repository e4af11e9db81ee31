//! Slots of owned guards of the global domain. One test, since others in the
//! same process would take slots meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::{sync::Arc, thread};

use smr_core::{Domain, pin};

fn participants() -> u32 {
    Domain::global().stats().participants
}

struct Flag(Arc<AtomicBool>);

impl Drop for Flag {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_slot_stays_with_the_thread_that_dropped_the_guard_and_goes_with_it() {
    let domain = Domain::global();
    drop(pin());
    let before = participants();

    // One guard after the other: one slot.
    for _ in 0..100 {
        drop(domain.owned_guard());
        assert_eq!(participants(), before + 1);
    }
    // Two at a time: one slot stays, the other goes back.
    let pair = (domain.owned_guard(), domain.owned_guard());
    assert_eq!(participants(), before + 2);
    drop(pair);
    assert_eq!(participants(), before + 1);

    // A guard that ends elsewhere leaves its slot there, until that thread ends.
    let moved = domain.owned_guard();
    thread::spawn(move || {
        drop(pin());
        drop(moved);
        let again = domain.owned_guard();
        assert_eq!(participants(), before + 2);
        drop(again);
    })
    .join()
    .unwrap();
    assert_eq!(participants(), before);

    // A kept slot is a full one: it protects, and is seen with a name.
    drop(domain.owned_guard());
    let guard = domain.owned_guard();
    let dropped = Arc::new(AtomicBool::new(false));
    domain.retire(Flag(dropped.clone()));
    let goal = domain.advance();
    domain.flush();
    assert!(!domain.poll(goal));
    assert!(!dropped.load(Ordering::Relaxed));
    let name = thread::current().name().map(str::to_owned);
    let oldest = domain.oldest_section().expect("one is open");
    assert_eq!(oldest.thread_name, name);
    drop(guard);
    domain.barrier();
    assert!(domain.poll(goal));
    assert!(dropped.load(Ordering::Relaxed));

    // What is retired through one that ends is collected, the slot kept or not.
    let dropped = Arc::new(AtomicBool::new(false));
    let guard = domain.owned_guard();
    guard.retire(Flag(dropped.clone()));
    drop(guard);
    domain.barrier();
    assert!(dropped.load(Ordering::Relaxed));
    drop(domain.owned_guard());
    assert_eq!(participants(), before + 1);
}
