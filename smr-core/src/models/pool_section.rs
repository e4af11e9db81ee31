//! Ends of sections that belong to a pool which no sweep reaches.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::support::{Reached, Sendable, Thing, explore};
use crate::domain::Domain;
use crate::pool::Pool;

/// Destroys a thing when it is dropped.
struct Owner(std::sync::Arc<Thing>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.destroy();
    }
}

/// A writer's poll fails because of a reader, and the writer stops. The end of
/// the reader's section drops what it held up, although the pool is scoped; or the writer
/// does, if that end finds it at its cache still. The section is open before the two go
/// on at once: how it opens is shown in `clock`.
#[test]
fn end_of_a_pools_section() {
    static COLLECTED: Reached = Reached::new("the reader drops it");
    static ALONE: Reached = Reached::new("the poll succeeds");
    explore(1, || {
        let domain = Domain::new();
        let pool = Arc::new(Pool::<Owner>::scoped_in(&domain));
        let thing = std::sync::Arc::new(Thing::new());
        let (reads, writes) = (domain.register(), domain.register());
        let item = pool
            .alloc_in(&writes, Owner(std::sync::Arc::clone(&thing)))
            .into_raw();
        let current = Arc::new(AtomicUsize::new(1));
        let section = Sendable(reads.pin());
        let reader = {
            let (pool, current) = (Arc::clone(&pool), Arc::clone(&current));
            let thing = std::sync::Arc::clone(&thing);
            thread::spawn(move || {
                let section = section;
                let guard = pool.attend(section.0);
                if current.load(Ordering::Acquire) == 1 {
                    thing.read();
                }
                drop(guard);
            })
        };
        current.swap(0, Ordering::AcqRel);
        // SAFETY: unlinked just now, by us alone. Under loom this seals and polls.
        unsafe { pool.retire_in(&writes, item) };
        // A look at all figures would be many steps.
        let failed_polls = &domain.inner().counts.failed_polls;
        let failed = failed_polls.load(std::sync::atomic::Ordering::Relaxed) != 0;
        reader.join().unwrap();
        if failed {
            COLLECTED.hit();
            assert!(
                thing.is_dead(),
                "a failed poll was for nothing: nobody came after it"
            );
        } else {
            ALONE.hit();
        }
        drop(pool);
        assert!(thing.is_dead(), "never dropped");
        drop((reads, writes));
    });
    COLLECTED.check();
    ALONE.check();
}
