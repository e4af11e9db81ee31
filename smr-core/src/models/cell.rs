//! A value that is loaded while it is replaced.

use loom::sync::Arc;
use loom::thread;

use super::support::{Reached, Sendable, Thing, explore};
use crate::cell::SmrCell;
use crate::domain::Domain;

/// The value of the cell. What it stands for outlives it.
struct Value {
    number: u32,
    thing: std::sync::Arc<Thing>,
}

impl Value {
    /// Made by the calling thread: loom fails the model if a reader gets here on
    /// a pointer that does not bring the making along.
    fn new(number: u32) -> Self {
        Self {
            number,
            thing: std::sync::Arc::new(Thing::new()),
        }
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        // A model that has failed says so once.
        if !std::thread::panicking() {
            self.thing.destroy();
        }
    }
}

/// A reader finds the old value or the new one, made to its end, and keeps it to
/// the end of its section. It is inside before the writer begins, so that nothing
/// but the pointer orders the two.
#[test]
fn load_against_swap() {
    static OLD: Reached = Reached::new("the reader finds the old value");
    static NEW: Reached = Reached::new("the reader finds the new value");
    explore(2, || {
        let domain = Domain::new();
        let (reads, writes) = (domain.register(), Sendable(domain.register()));
        let cell = Arc::new(SmrCell::new_in(Value::new(0), &domain));
        let first = std::sync::Arc::clone(&cell.load(&reads.pin()).thing);
        let guard = reads.pin();
        let writer = {
            let cell = Arc::clone(&cell);
            thread::spawn(move || {
                let writes = writes;
                let guard = writes.0.pin();
                // The load is also where time goes on for loom after the fence of
                // `pin`, which otherwise would publish the new value.
                let next = cell.load(&guard).number + 1;
                let old = cell.swap(Value::new(next), &guard);
                assert_eq!(old.number, 0, "there was one value to replace");
                drop(guard);
                writes
            })
        };
        let found = cell.load(&guard);
        found.thing.read();
        OLD.hit_if(found.number == 0);
        NEW.hit_if(found.number == 1);
        drop(guard);
        drop(writer.join().unwrap());
        domain.flush();
        assert!(first.is_dead(), "the old value was never dropped");
    });
    OLD.check();
    NEW.check();
}
