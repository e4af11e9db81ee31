//! Slots that appear, go, and come back with another owner.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::support::{Reached, Thing, explore, leave, slot};
use crate::domain::Domain;

/// A thread registers and enters while a scan goes on: the scan counts the slot
/// or the reader sees the unlink.
#[test]
fn register_against_scan() {
    static EXPIRED: Reached = Reached::new("the goal expires");
    static HELD: Reached = Reached::new("the new reader holds it up");
    static OLD: Reached = Reached::new("the new reader finds the old thing");
    explore(3, || {
        let domain = Domain::new();
        let shared = Arc::new((AtomicUsize::new(0), [Thing::new(), Thing::new()]));
        let reader = {
            let shared = Arc::clone(&shared);
            let domain = domain.clone();
            thread::spawn(move || {
                let slot = slot(&domain);
                slot.enter();
                let found = shared.0.load(Ordering::Acquire);
                OLD.hit_if(found == 0);
                shared.1[found].read();
                slot.exit();
                leave(slot);
            })
        };
        shared.0.store(1, Ordering::Release);
        let inner = domain.inner();
        if inner.poll(inner.clock.advance()) {
            EXPIRED.hit();
            shared.1[0].destroy();
        } else {
            HELD.hit();
        }
        reader.join().unwrap();
    });
    for branch in [&EXPIRED, &HELD, &OLD] {
        branch.check();
    }
}

/// Two threads register the first two slots while a third walks over them.
#[test]
fn register_together() {
    static BOTH: Reached = Reached::new("the walk meets both slots");
    explore(2, || {
        let domain = Domain::new();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let domain = domain.clone();
                thread::spawn(move || slot(&domain))
            })
            .collect();
        let met = domain
            .inner()
            .registry
            .iter()
            .filter(|slot| !slot.is_active())
            .count();
        BOTH.hit_if(met == 2);
        let slots: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        assert_ne!(slots[0].index, slots[1].index, "one slot, two owners");
        slots.into_iter().for_each(leave);
    });
    BOTH.check();
}

/// A slot is released and goes to another thread, with all that belongs to it.
#[test]
fn slot_changes_hands() {
    static SAME: Reached = Reached::new("the second thread gets the slot of the first");
    static OTHER: Reached = Reached::new("the second thread gets a slot of its own");
    explore(3, || {
        let domain = Domain::new();
        let first = slot(&domain);
        let other = {
            let domain = domain.clone();
            thread::spawn(move || {
                let second = slot(&domain);
                SAME.hit_if(second.index == first.index);
                OTHER.hit_if(second.index != first.index);
                second.enter();
                second.exit();
                assert!(second.face() == &domain);
                leave(second);
            })
        };
        first.enter();
        first.exit();
        leave(first);
        other.join().unwrap();
    });
    SAME.check();
    OTHER.check();
}

/// The list of free slots, popped by one thread while another pops two and
/// pushes the first of them back.
#[test]
fn free_list_aba() {
    static REUSED: Reached = Reached::new("a slot that was pushed back is popped");
    explore(2, || {
        let domain = Domain::new();
        let (a, b) = (slot(&domain), slot(&domain));
        leave(b);
        leave(a);
        let other = {
            let domain = domain.clone();
            thread::spawn(move || slot(&domain))
        };
        let first = slot(&domain);
        let second = slot(&domain);
        leave(first);
        let theirs = other.join().unwrap();
        REUSED.hit_if(theirs.index == first.index);
        let third = slot(&domain);
        let owned = [second, theirs, third];
        for (i, slot) in owned.iter().enumerate() {
            assert!(
                owned[..i].iter().all(|o| o.index != slot.index),
                "one slot, two owners"
            );
        }
        owned.into_iter().for_each(leave);
    });
    REUSED.check();
}
