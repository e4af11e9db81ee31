//! Readers against polls: the clock, the slots, the two barriers.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::support::{Reached, Thing, explore, leave, slot};
use crate::domain::Domain;
use crate::guard::Guard;
use crate::raw::participant::Participant;

/// Things, of which one at a time can be found.
struct Shared<const N: usize> {
    current: AtomicUsize,
    things: [Thing; N],
}

impl<const N: usize> Shared<N> {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            current: AtomicUsize::new(0),
            things: std::array::from_fn(|_| Thing::new()),
        })
    }

    /// What a reader does inside a section.
    fn read(&self) -> usize {
        let found = self.current.load(Ordering::Acquire);
        self.things[found].read();
        found
    }

    /// Puts the next thing in place of the one before, which is returned.
    fn replace(&self) -> &Thing {
        &self.things[self.current.fetch_add(1, Ordering::AcqRel)]
    }
}

fn section<const N: usize>(slot: &Participant, shared: &Shared<N>) -> usize {
    slot.enter();
    let found = shared.read();
    slot.exit();
    found
}

/// One reader, one writer that unlinks, advances and polls.
#[test]
fn enter_against_scan() {
    static EXPIRED: Reached = Reached::new("the goal expires");
    static HELD: Reached = Reached::new("the reader holds it up");
    static OLD: Reached = Reached::new("the reader finds the old thing");
    static NEW: Reached = Reached::new("the reader finds the new thing");
    explore(3, || {
        let domain = Domain::new();
        let slot = slot(&domain);
        let shared = Shared::<2>::new();
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let found = section(slot, &shared);
                OLD.hit_if(found == 0);
                NEW.hit_if(found == 1);
            })
        };
        let old = shared.replace();
        let inner = domain.inner();
        let goal = inner.clock.advance();
        if inner.poll(goal) {
            EXPIRED.hit();
            old.destroy();
        } else {
            HELD.hit();
        }
        reader.join().unwrap();
        leave(slot);
    });
    for branch in [&EXPIRED, &HELD, &OLD, &NEW] {
        branch.check();
    }
}

/// The thread that polls is not the one that unlinks, and the one that unlinks
/// looks at `rd` alone: a scan speaks for the `wr` that it loaded before its
/// barrier, and hands on what it saw.
#[test]
fn advance_against_scan() {
    static EXPIRED: Reached = Reached::new("the goal expires by another thread's scan");
    static OLD: Reached = Reached::new("the reader finds the old thing");
    explore(2, || {
        let domain = Domain::new();
        let slot = slot(&domain);
        let shared = Shared::<2>::new();
        let earlier = domain.inner().clock.advance();
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || OLD.hit_if(section(slot, &shared) == 0))
        };
        let poller = {
            let domain = domain.clone();
            thread::spawn(move || {
                domain.inner().poll(earlier);
            })
        };
        let old = shared.replace();
        let clock = &domain.inner().clock;
        if clock.is_expired(clock.advance()) {
            EXPIRED.hit();
            old.destroy();
        }
        reader.join().unwrap();
        poller.join().unwrap();
        leave(slot);
    });
    EXPIRED.check();
    OLD.check();
}

/// A scan by hand, with what the read hand promises.
fn scan(domain: &Domain) -> u64 {
    let clock = &domain.inner().clock;
    let before = clock.read_hand();
    let mut scan = clock.begin_scan().expect("a fence is not refused");
    for slot in domain.inner().registry.iter() {
        let seq = slot.seq.load(crate::ord::scan_seq());
        if seq != 0 {
            STALE.hit_if(seq < before);
            scan.meet(seq);
        }
    }
    let reached = clock.finish_scan(scan);
    assert!(reached >= before, "a reader pulled the scan back");
    assert!(clock.read_hand() >= reached, "the read hand went back");
    reached
}

static STALE: Reached = Reached::new("the reader's sequence is below the read hand");

/// A reader loads `wr`, sleeps, and publishes a sequence that `rd` has passed,
/// while another poll moves `rd`.
#[test]
fn clamp() {
    static EXPIRED: Reached = Reached::new("the second goal expires");
    static OLD: Reached = Reached::new("the reader finds the first thing");
    explore(2, || {
        let domain = Domain::new();
        let slot = slot(&domain);
        let shared = Shared::<3>::new();
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || OLD.hit_if(section(slot, &shared) == 0))
        };
        let other = {
            let domain = domain.clone();
            thread::spawn(move || {
                scan(&domain);
            })
        };
        // What the other poll expires stays here: nobody else asks for it.
        shared.replace();
        domain.inner().clock.advance();
        let old = shared.replace();
        let goal = domain.inner().clock.advance();
        if scan(&domain) >= goal {
            EXPIRED.hit();
            old.destroy();
        }
        reader.join().unwrap();
        other.join().unwrap();
        leave(slot);
    });
    STALE.check();
    EXPIRED.check();
    OLD.check();
}

/// A scan sees the second section of a reader, not the end of the first, and
/// must still come after what the first one did. The barrier between the two, which is a
/// fence here, releases that in place of `enter_seq`: that one is for `repin` to show.
#[test]
fn exit_then_enter() {
    static EXPIRED: Reached = Reached::new("the goal expires while the reader is inside again");
    explore(3, || {
        let domain = Domain::new();
        let slot = slot(&domain);
        let shared = Shared::<2>::new();
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                section(slot, &shared);
                section(slot, &shared);
            })
        };
        let old = shared.replace();
        let inner = domain.inner();
        if inner.poll(inner.clock.advance()) {
            EXPIRED.hit_if(slot.is_active());
            old.destroy();
        }
        reader.join().unwrap();
        leave(slot);
    });
    EXPIRED.check();
}

/// A reader that goes from sequence to sequence and never leaves.
#[test]
fn repin() {
    static EXPIRED: Reached = Reached::new("the goal expires on the reader's later sequence");
    static HELD: Reached = Reached::new("the reader's earlier sequence holds it up");
    explore(3, || {
        let domain = Domain::new();
        let slot = slot(&domain);
        let shared = Shared::<2>::new();
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let mut guard = Guard::enter(slot);
                shared.read();
                guard.repin();
                shared.read();
            })
        };
        let old = shared.replace();
        let inner = domain.inner();
        if inner.poll(inner.clock.advance()) {
            EXPIRED.hit_if(slot.is_active());
            old.destroy();
        } else {
            HELD.hit();
        }
        reader.join().unwrap();
        leave(slot);
    });
    EXPIRED.check();
    HELD.check();
}

/// Guards of one section, dropped in the order in which they were made: the
/// section lasts as long as any of them, and moves with none of them.
#[test]
fn nested_guards() {
    static EXPIRED: Reached = Reached::new("the goal expires");
    static HELD: Reached = Reached::new("the reader holds it up");
    explore(3, || {
        let domain = Domain::new();
        let slot = slot(&domain);
        let shared = Shared::<2>::new();
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let outer = Guard::enter(slot);
                let found = shared.current.load(Ordering::Acquire);
                let mut inner = Guard::enter(slot);
                inner.repin();
                shared.things[found].read();
                drop(outer);
                shared.things[found].read();
                drop(inner);
                assert!(!slot.is_active(), "the last guard ends the section");
            })
        };
        let old = shared.replace();
        let inner = domain.inner();
        if inner.poll(inner.clock.advance()) {
            EXPIRED.hit();
            old.destroy();
        } else {
            HELD.hit();
        }
        reader.join().unwrap();
        leave(slot);
    });
    EXPIRED.check();
    HELD.check();
}
