//! Memory that a pool hands out again: to its owner, to a thief, to an heir.
//!
//! Loom does not see into items, so each model tells it when one is read and when it
//! is overwritten. Items are so large that a slab holds one.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicPtr, Ordering};
use loom::thread;

use core::ptr::NonNull;

use super::support::{Places, Reached, Sendable, explore};
use crate::domain::Domain;
use crate::handle::LocalHandle;
use crate::pool::Pool;

type Large = [u64; 100];

/// A pool, and loom's view of its items.
struct Watched {
    pool: Pool<Large>,
    places: Places,
}

impl Watched {
    fn new(domain: &Domain) -> Arc<Self> {
        Arc::new(Self {
            pool: Pool::new_in(domain),
            places: Places::default(),
        })
    }

    /// An item, which is overwritten.
    fn alloc(&self, own: &LocalHandle) -> NonNull<Large> {
        let item = self.pool.alloc_in(own, [0; 100]).into_raw();
        self.places.write(item.as_ptr().addr());
        item
    }

    fn read(&self, item: *mut Large) {
        self.places.read(item.addr());
    }

    /// The item was found by others, and by none who enters now.
    fn retire(&self, own: &LocalHandle, item: NonNull<Large>) {
        // SAFETY: of this pool, initialised, and retired once.
        unsafe { self.pool.retire_in(own, item) };
    }
}

/// A writer replaces an item and takes memory for the next: the one that it replaced,
/// once no reader is in it.
#[test]
fn reuse_against_reader() {
    static REUSED: Reached = Reached::new("the memory is used again");
    static HELD: Reached = Reached::new("the reader holds it up");
    static OLD: Reached = Reached::new("the reader finds the old item");
    explore(2, || {
        let domain = Domain::new();
        let watched = Watched::new(&domain);
        let (reads, writes) = (Sendable(domain.register()), domain.register());
        let old = watched.alloc(&writes);
        let current = Arc::new(AtomicPtr::new(old.as_ptr()));
        let reader = {
            let (watched, current) = (Arc::clone(&watched), Arc::clone(&current));
            thread::spawn(move || {
                let reads = reads;
                let guard = reads.0.pin();
                let found = current.load(Ordering::Acquire);
                OLD.hit_if(found == old.as_ptr());
                watched.read(found);
                drop(guard);
            })
        };
        let new = watched.alloc(&writes);
        current.store(new.as_ptr(), Ordering::Release);
        watched.retire(&writes, old);
        let next = watched.alloc(&writes);
        assert_ne!(next, new, "one item, two owners");
        REUSED.hit_if(next == old);
        HELD.hit_if(next != old);
        reader.join().unwrap();
    });
    for branch in [&REUSED, &HELD, &OLD] {
        branch.check();
    }
}

/// A thread exits and leaves in its cache a bucket that has no tag yet. While a reader
/// is still in what lies there, one thread runs out of memory and steals it, and
/// another takes over the slot, and the cache with it.
#[test]
fn steal_from_the_exited() {
    static STOLEN: Reached = Reached::new("the thief gets the item");
    static INHERITED: Reached = Reached::new("the heir gets the item");
    static NEITHER: Reached = Reached::new("both take fresh memory");
    explore(2, || {
        let domain = Domain::new();
        let watched = Watched::new(&domain);
        let reads = domain.register();
        let (first, thief) = (domain.register(), Sendable(domain.register()));
        let index = first.slot().index;
        // The first bucket has room for one, and is sealed; the second stays open.
        watched.retire(&first, watched.alloc(&first));
        let left = watched.alloc(&first);
        let guard = reads.pin();
        watched.retire(&first, left);
        drop(first);
        let thief = {
            let watched = Arc::clone(&watched);
            thread::spawn(move || {
                let own = thief;
                ([watched.alloc(&own.0), watched.alloc(&own.0)], own)
            })
        };
        watched.read(left.as_ptr());
        drop(guard);
        let heir = domain.register();
        assert_eq!(
            heir.slot().index,
            index,
            "the slot that was left is the next"
        );
        let inherited = watched.alloc(&heir);
        let (stolen, _own) = thief.join().unwrap();
        assert!(
            stolen[0] != stolen[1] && !stolen.contains(&inherited),
            "one item, two owners"
        );
        STOLEN.hit_if(stolen.contains(&left));
        INHERITED.hit_if(inherited == left);
        NEITHER.hit_if(inherited != left && !stolen.contains(&left));
    });
    for branch in [&STOLEN, &INHERITED, &NEITHER] {
        branch.check();
    }
}
