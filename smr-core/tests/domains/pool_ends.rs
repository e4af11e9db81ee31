//! What becomes of a pool when destructors of its items do what they should not.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use smr_core::{Domain, Pool};

/// What a panic carries, and panics itself.
struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        panic!("a payload ends");
    }
}

struct Panics(Arc<AtomicUsize>);

impl Drop for Panics {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        panic_any(Payload);
    }
}

fn forget(caught: Result<(), Box<dyn Any + Send>>) -> usize {
    let panicked = caught.is_err();
    std::mem::forget(caught);
    usize::from(panicked)
}

#[test]
fn payloads_that_panic_lose_no_destructor_and_no_pool() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let domain = Domain::new();
    let pool = Pool::new_in(&domain);
    let mut panics = 0;
    {
        let _keeps_them = domain.pin();
        for _ in 0..20 {
            let item = pool.alloc(Panics(Arc::clone(&dropped))).into_raw();
            // SAFETY: nobody else knows it.
            let retire = || unsafe { pool.retire(item) };
            panics += forget(catch_unwind(AssertUnwindSafe(retire)));
        }
    }
    panics += forget(catch_unwind(AssertUnwindSafe(|| domain.flush())));
    assert_eq!(dropped.load(Ordering::Relaxed), 20);
    assert_ne!(panics, 0, "one of them goes on");
    // The pool is as good as before, and so is its place in the domain.
    let item = pool.alloc(Panics(Arc::clone(&dropped))).into_raw();
    // SAFETY: nobody else knows it.
    let retire = || unsafe { pool.retire(item) };
    forget(catch_unwind(AssertUnwindSafe(retire)));
    forget(catch_unwind(AssertUnwindSafe(|| drop(pool))));
    assert_eq!(dropped.load(Ordering::Relaxed), 21);
    domain.barrier();
}

/// Owns the pool that it is in.
struct Item {
    dropped: Arc<AtomicUsize>,
    owner: Option<Arc<Owner>>,
}

impl Drop for Item {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        drop(self.owner.take());
    }
}

struct Owner {
    pool: Option<Pool<Item>>,
    dropped: Arc<AtomicUsize>,
    /// How many were dropped when the pool had gone.
    then: Arc<Mutex<Option<usize>>>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        drop(self.pool.take());
        *self.then.lock().unwrap() = Some(self.dropped.load(Ordering::Relaxed));
    }
}

#[test]
fn a_pool_that_one_of_its_items_drops_drops_all_the_others_first() {
    for last in 0..20 {
        let dropped = Arc::new(AtomicUsize::new(0));
        let then = Arc::default();
        let domain = Domain::new();
        let owner = Arc::new(Owner {
            pool: Some(Pool::new_in(&domain)),
            dropped: Arc::clone(&dropped),
            then: Arc::clone(&then),
        });
        let pool = owner.pool.as_ref().unwrap();
        {
            let _keeps_them = domain.pin();
            let items: Vec<NonNull<Item>> = (0..20)
                .map(|number| {
                    let item = Item {
                        dropped: Arc::clone(&dropped),
                        owner: (number == last).then(|| Arc::clone(&owner)),
                    };
                    pool.alloc(item).into_raw()
                })
                .collect();
            for item in items {
                // SAFETY: nobody else knows it.
                unsafe { pool.retire(item) };
            }
            drop(owner);
        }
        domain.flush();
        assert_eq!(*then.lock().unwrap(), Some(20), "item {last} had the pool");
        assert_eq!(dropped.load(Ordering::Relaxed), 20);
    }
}
