//! What a pool publishes: its inside, and the caches of its participants.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use super::support::{Reached, Thing, explore};
use crate::domain::Domain;
use crate::handle::LocalHandle;
use crate::pool::Pool;
use crate::raw::cache::Caches;
use crate::raw::pool::PoolInner;

/// Two threads use a pool for the first time: both get the same inside, made to
/// its end.
#[test]
fn make_together() {
    explore(2, || {
        let domain = Domain::new();
        let pool = Arc::new(Pool::<u64>::new_in(&domain));
        let other = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || {
                let inner = pool.inner();
                // Loom fails the model unless the lock's making comes before.
                inner.depot.with(|_| ());
                std::ptr::from_ref(inner).addr()
            })
        };
        let mine = std::ptr::from_ref(pool.inner()).addr();
        let theirs = other.join().unwrap();
        assert_eq!(mine, theirs, "one pool, two insides");
    });
}

/// One thread adds a cache while another looks for it: it finds none, or one
/// that is made to its end.
fn find_against_insert(before: u32, found: &'static Reached, missed: &'static Reached) {
    explore(3, move || {
        let caches = Arc::new(Caches::<u64>::new());
        for index in 0..before {
            caches.insert(index).expect("there is memory");
        }
        let looks = {
            let caches = Arc::clone(&caches);
            thread::spawn(move || {
                // Loom fails the model unless the cache's making comes before.
                let cache = caches.find(before);
                found.hit_if(cache.is_some());
                missed.hit_if(cache.is_none());
                if let Some(cache) = cache {
                    cache.stock.with(|_| ());
                }
                for index in 0..before {
                    let cache = caches.find(index);
                    assert!(cache.is_some(), "a cache is lost while the table grows");
                }
            })
        };
        caches.insert(before).expect("there is memory");
        looks.join().unwrap();
    });
    found.check();
    missed.check();
}

/// The cache that hangs on the pool itself.
#[test]
fn find_first_cache() {
    static FOUND: Reached = Reached::new("the cache is found");
    static MISSED: Reached = Reached::new("there is none yet");
    find_against_insert(0, &FOUND, &MISSED);
}

/// The cache that a first table is made for.
#[test]
fn find_in_first_table() {
    static FOUND: Reached = Reached::new("the cache is found in the table");
    static MISSED: Reached = Reached::new("it is not in the table yet");
    find_against_insert(1, &FOUND, &MISSED);
}

/// A cache that is put into a table that is there.
#[test]
fn find_in_table() {
    static FOUND: Reached = Reached::new("the cache is found in the table");
    static MISSED: Reached = Reached::new("it is not in the table yet");
    find_against_insert(2, &FOUND, &MISSED);
}

/// The cache that needs a larger table.
#[test]
fn find_in_larger_table() {
    static FOUND: Reached = Reached::new("the cache is found in the larger table");
    static MISSED: Reached = Reached::new("it is not in the table yet");
    find_against_insert(4, &FOUND, &MISSED);
}

/// An item whose destructor can be seen to have run.
struct Item(std::sync::Arc<Thing>);

impl Drop for Item {
    fn drop(&mut self) {
        self.0.destroy();
    }
}

/// An item that a reader held up is destroyed when the reader has left, although
/// the pool is not used again: the domain knows of the pool.
#[test]
fn exit_destroys_items() {
    static HELD: Reached = Reached::new("the reader holds it up");
    explore(1, || {
        let domain = Domain::new();
        let reads = domain.register();
        let pool = Pool::new_in(&domain);
        let local = pool.register();
        let thing = std::sync::Arc::new(Thing::new());
        let guard = reads.pin();
        let item = local.alloc(Item(std::sync::Arc::clone(&thing)));
        let item = item.into_raw();
        // SAFETY: of this pool, initialised, found by nobody, and retired once.
        unsafe { local.retire(item) };
        HELD.hit_if(!thing.is_dead());
        drop(guard);
        assert!(thing.is_dead(), "the item sticks in its pool");
    });
    HELD.check();
}

/// A pool goes while one of two who have a cache in it turns to another pool: both forget
/// its address, for the next pool may have it, and the other pool is known.
#[test]
fn a_pool_that_goes_is_forgotten() {
    static THERE: Reached = Reached::new("it is there still");
    static GONE: Reached = Reached::new("it has gone before the other is used");
    let known = |own: &LocalHandle, inner: &PoolInner<u64>| {
        let address = inner.address();
        (address, own.slot().recent.find(address).is_some())
    };
    explore(2, move || {
        let domain = Domain::new();
        let (own, idle) = (domain.register(), domain.register());
        let gone = Pool::<u64>::new_in(&domain);
        let stays = Pool::<u64>::new_in(&domain);
        drop(gone.alloc_in(&own, 1));
        drop(gone.alloc_in(&idle, 1));
        // At an address of its own.
        stays.inner();
        let (address, noted) = known(&own, gone.inner());
        assert!(noted, "the cache is not at hand");
        let dropped = Arc::new(AtomicBool::new(false));
        let other = {
            let dropped = Arc::clone(&dropped);
            thread::spawn(move || {
                drop(gone);
                dropped.store(true, Ordering::Relaxed);
            })
        };
        let is_gone = dropped.load(Ordering::Relaxed);
        THERE.hit_if(!is_gone);
        GONE.hit_if(is_gone);
        drop(stays.alloc_in(&own, 2));
        other.join().unwrap();
        for slot in [own.slot(), idle.slot()] {
            assert!(slot.recent.find(address).is_none(), "it has gone");
        }
        assert!(known(&own, stays.inner()).1, "the other one is forgotten");
    });
    THERE.check();
    GONE.check();
}
