//! Readers against polls: the clock, the slots, the two barriers.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::support::{Reached, Thing, explore, leave, slot};
use crate::domain::Domain;
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
