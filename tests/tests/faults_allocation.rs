//! Memory that runs out at every allocation of a scenario, one after the other.
//!
//! The system's allocator refuses the calling thread once, at the `n`-th allocation,
//! or from the `n`-th on; `n` goes up until the scenario comes through. A `try_` form
//! must return its error and have changed nothing; look-ups and iterations must not
//! ask for memory at all; in the end no byte may be missing.
//!
//! What has no error to return ends the process, as `Box::new` does: inserting without
//! a `try_` form, retiring without room (it may need a bucket), and collecting. A
//! `try_retire` is about the limit of the domain and a `try_update` about what the closure
//! says: they are no exceptions.
#![cfg(all(unix, not(miri)))]

#[path = "faults_allocation/retiring.rs"]
mod retiring;
mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hash::{BuildHasherDefault, Hasher};

use smr_core::{AllocError, Domain, Pool, RegisterError};
use smr_hashmap::{HashMap, HashSet};
use smr_radix::{InlineTree, Policy, RadixTree, Tree};
use smr_tests::for_every_shape;
use smr_tests::ledger::Ledger;
use smr_tests::shapes::Shape;
use support::{Drops, GENEROUS, every_barrier};

struct Failing;

/// When the calling thread is refused.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    Never,
    /// After so many allocations, once.
    Once(usize),
    /// After so many allocations, always.
    From(usize),
    /// More than so many bytes at a time.
    Larger(usize),
}

thread_local! {
    static REFUSAL: Cell<Refusal> = const { Cell::new(Refusal::Never) };
    static REFUSED: Cell<usize> = const { Cell::new(0) };
    /// Bytes that this thread allocated and did not free. The scenarios have one
    /// thread.
    static BYTES: Cell<isize> = const { Cell::new(0) };
}

fn refuses(bytes: usize) -> bool {
    let now = REFUSAL.try_with(Cell::get).unwrap_or(Refusal::Never);
    let (next, refused) = match now {
        Refusal::Never => return false,
        Refusal::Once(0) => (Refusal::Never, true),
        Refusal::Once(left) => (Refusal::Once(left - 1), false),
        Refusal::From(0) => (Refusal::From(0), true),
        Refusal::From(left) => (Refusal::From(left - 1), false),
        Refusal::Larger(most) => (now, bytes > most),
    };
    REFUSAL.set(next);
    REFUSED.set(REFUSED.get() + usize::from(refused));
    refused
}

fn account(bytes: isize) {
    let _ = BYTES.try_with(|all| all.set(all.get() + bytes));
}

// SAFETY: everything is passed on to the system's allocator, or refused.
unsafe impl GlobalAlloc for Failing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if refuses(layout.size()) {
            return std::ptr::null_mut();
        }
        account(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        account(-(layout.size() as isize));
        // SAFETY: the caller's promise, and `ptr` came from the system.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Failing = Failing;

/// While it lives, memory is refused as told.
struct Scarce;

impl Scarce {
    fn begin(refusal: Refusal) -> Self {
        REFUSED.set(0);
        REFUSAL.set(refusal);
        Self
    }
}

impl Drop for Scarce {
    fn drop(&mut self) {
        REFUSAL.set(Refusal::Never);
    }
}

/// Runs the scenario in fresh threads with every refusal, until none takes place.
/// It is told to turn scarcity on; returns in how many runs it was refused.
#[track_caller]
fn at_every_allocation(scenario: impl Fn(&dyn Fn() -> Scarce) + Sync) -> usize {
    let mut runs = 0;
    for kind in [Refusal::Once, Refusal::From] {
        for n in 0.. {
            let refused = std::thread::scope(|scope| {
                let one = scope.spawn(|| {
                    // The thread's own things, and statics.
                    scenario(&|| Scarce::begin(Refusal::Never));
                    let before = BYTES.get();
                    scenario(&|| Scarce::begin(kind(n)));
                    let refused = REFUSED.replace(0);
                    let lost = BYTES.get() - before;
                    assert_eq!(lost, 0, "{lost} bytes are missing, {:?}", kind(n));
                    refused
                });
                one.join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            if refused == 0 {
                break;
            }
            runs += 1;
        }
    }
    runs
}

/// The scenario ends with the domain; a slot of this thread in it goes at the
/// thread's next registration.
fn let_go() {
    drop(Domain::new().pin());
    drop(Domain::new().pin());
}

#[test]
fn registering_and_owned_guards() {
    let runs = at_every_allocation(|scarce| {
        let domain = Domain::new();
        let _scarce = scarce();
        let handle = domain.try_register();
        let guard = domain.try_owned_guard();
        match (&handle, &guard) {
            (Err(RegisterError::OutOfMemory), _) | (_, Err(RegisterError::OutOfMemory)) => {}
            (Ok(handle), Ok(_)) => drop(handle.pin()),
            other => panic!("{other:?}"),
        }
        drop((handle, guard));
        // It was not for ever.
        REFUSAL.set(Refusal::Never);
        drop(domain.try_register().unwrap());
        drop(domain.try_owned_guard().unwrap());
        drop(domain);
        let_go();
    });
    assert!(runs >= 2, "{runs}: nothing was refused");
}

#[test]
fn allocating_from_a_pool() {
    let runs = at_every_allocation(|scarce| {
        let drops = Drops::default();
        let domain = Domain::new();
        let pool = Pool::new_in(&domain);
        let mut items = Vec::with_capacity(400);
        // Some that are free again, and some that wait for their destructors.
        for _ in 0..100 {
            items.push(pool.alloc((drops.one(), [0; 8])).into_raw());
        }
        for item in items.drain(..) {
            // SAFETY: never published, retired once.
            unsafe { pool.retire(item) };
        }
        let mut refused = 0;
        {
            let _scarce = scarce();
            for turn in 0..300_u64 {
                match pool.try_alloc((drops.one(), [turn; 8])) {
                    Ok(item) => items.push(item.into_raw()),
                    Err(AllocError((one, numbers))) => {
                        assert_eq!(numbers, [turn; 8]);
                        refused += 1;
                        drop(one);
                    }
                }
            }
            let _ = pool.try_reserve(500);
        }
        // Still so many, whatever was refused.
        for item in items.drain(..) {
            // SAFETY: never published, retired once.
            unsafe { pool.retire(item) };
        }
        pool.try_barrier(GENEROUS).unwrap();
        assert_eq!(drops.count(), 400, "{refused} were refused");
        drop((pool, domain, items, drops));
        let_go();
    });
    assert!(runs >= 2, "{runs}: nothing was refused");
}

#[test]
fn allocating_through_a_handle() {
    let runs = at_every_allocation(|scarce| {
        let drops = Drops::default();
        let domain = Domain::new();
        let pool = Pool::new_in(&domain);
        let handle = domain.register();
        let local = pool.local(&handle);
        let mut items = Vec::with_capacity(200);
        {
            let _scarce = scarce();
            for turn in 0..200_u64 {
                let item = if turn % 2 == 0 {
                    local.try_alloc((drops.one(), turn))
                } else {
                    pool.try_alloc_in(&handle, (drops.one(), turn))
                };
                match item {
                    Ok(item) => items.push(item),
                    Err(AllocError((one, number))) => {
                        assert_eq!(number, turn);
                        drop(one);
                    }
                }
            }
        }
        drop(items);
        assert_eq!(drops.count(), 200);
        drop(handle);
        drop((pool, domain, drops));
        let_go();
    });
    assert!(runs >= 2, "{runs}: nothing was refused");
}

#[test]
fn allocating_what_an_exited_thread_left() {
    let domain = Domain::new();
    let pool = Pool::new_in(&domain);
    // Or else we take over its slot, and its cache.
    drop(domain.pin());
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            drop(domain.pin());
            drop([(); 100].map(|()| pool.alloc(1_u64)));
        });
        other.join().unwrap();
    });
    // A cache of our own, which takes over nothing yet.
    pool.reserve(1);
    let mut items = Vec::with_capacity(10_000);
    let scarce = Scarce::begin(Refusal::From(0));
    let there = std::iter::from_fn(|| pool.try_alloc(2).ok());
    items.extend(there.take(10_000));
    drop(scarce);
    assert!(items.len() < 10_000, "nothing was refused");
    assert_eq!(*pool.alloc(3), 3);
}

#[test]
fn making_room_in_a_map_or_set_that_is_empty() {
    let runs = at_every_allocation(|scarce| {
        let domain = Domain::new();
        let map: HashMap<u64, u64> = HashMap::builder().domain(domain.clone()).build();
        let set: HashSet<u64> = HashSet::builder().domain(domain.clone()).build();
        let guard = domain.pin();
        {
            let _scarce = scarce();
            let _ = map.try_reserve(5000, &guard);
            let _ = set.try_reserve(5000, &guard);
            assert_eq!((map.len(), map.get(&7, &guard)), (0, None));
        }
        for key in 0..300 {
            assert!(map.insert(key, key, &guard).is_none() && set.insert(key, &guard));
        }
        assert_eq!((map.len(), set.len()), (300, 300));
        assert_eq!(
            (map.iter(&guard).count(), set.iter(&guard).count()),
            (300, 300)
        );
        drop(guard);
        drop((map, set, domain));
        let_go();
    });
    assert!(runs >= 4, "{runs}: hardly anything was refused");
}

/// Sixteen keys have one hash: more than fit into a line.
#[derive(Default)]
struct Alike(u64);

impl Hasher for Alike {
    fn finish(&self) -> u64 {
        self.0 / 16
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are numbers");
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

#[test]
fn making_room_in_a_map_that_has_entries() {
    let runs = at_every_allocation(|scarce| {
        let drops = Drops::default();
        let domain = Domain::new();
        let map = HashMap::builder()
            .capacity(200)
            .hasher(BuildHasherDefault::<Alike>::default())
            .domain(domain.clone());
        let map: HashMap<u64, support::Counted, _> = map.build();
        let guard = domain.pin();
        for key in 0..200 {
            assert!(map.insert(key, drops.one(), &guard).is_none());
        }
        {
            let _scarce = scarce();
            let done = map.try_reserve(5000, &guard);
            if done.is_ok() {
                assert!(map.capacity() >= 5200, "{}", map.capacity());
            }
            // All is there, wherever the move came to.
            assert!((0..200).all(|key| map.contains_key(&key, &guard)));
            assert_eq!((map.len(), map.iter(&guard).count()), (200, 200));
        }
        // It was not for ever.
        map.try_reserve(5000, &guard).unwrap();
        assert!(map.capacity() >= 5200, "{}", map.capacity());
        for key in 200..400 {
            assert!(map.insert(key, drops.one(), &guard).is_none());
        }
        assert!((0..400).all(|key| map.remove(&key, &guard).is_some()));
        drop(guard);
        drop(map);
        assert_eq!(drops.count(), 400);
        drop((domain, drops));
        let_go();
    });
    assert!(runs >= 14, "{runs}: hardly anything was refused");
}

#[test]
fn a_table_that_is_too_large_for_the_memory() {
    let drops = Drops::default();
    let map: HashMap<u64, support::Counted> = HashMap::builder().domain(Domain::new()).build();
    for key in 0..100 {
        map.pin().insert(key, drops.one());
    }
    let guard = map.guard();
    for more in [10_000, 1 << 30, usize::MAX] {
        let _scarce = Scarce::begin(Refusal::Larger(4 << 10));
        let refused = map.try_reserve(more, &guard).unwrap_err();
        assert_eq!(refused.additional(), more);
    }
    for key in 0..100 {
        assert!(map.contains_key(&key, &guard), "{key} is lost");
    }
    assert_eq!((map.len(), map.iter(&guard).count()), (100, 100));
    // It grows as before, when there is memory.
    for key in 100..2000 {
        assert!(map.insert(key, drops.one(), &guard).is_none());
    }
    drop(guard);
    for key in 0..2000 {
        assert!(map.pin().remove(&key).is_some(), "{key} is lost");
    }
    map.barrier();
    assert_eq!(drops.count(), 2000);
}

/// Inserts keys that need leaves, nodes of every size, and splits of every kind, with
/// memory refused at each allocation: a refused insertion gives its value back, and the
/// tree is as it was.
fn inserting_into_a_tree<P: Policy>(value: impl Fn(&Drops, u64) -> P::Value + Sync) -> usize {
    at_every_allocation(|scarce| {
        let drops = Drops::default();
        let domain = Domain::new();
        let tree = Tree::<u64, P>::new_in(&domain);
        let keys = || {
            (0..40)
                .chain((2..12).map(|level| 1_u64 << (5 * level)))
                .chain([u64::MAX])
        };
        let mut there = Vec::with_capacity(64);
        let guard = domain.pin();
        {
            let _scarce = scarce();
            for key in keys() {
                match tree.try_insert_alloc(key, value(&drops, key), &guard) {
                    Ok(replaced) => {
                        assert!(replaced.is_none(), "{key}");
                        there.push(key);
                    }
                    Err(AllocError(value)) => drop(value),
                }
                assert_eq!(tree.get(key, &guard).is_some(), there.last() == Some(&key));
            }
            // What is replaced needs memory to wait in, too.
            for key in &there {
                match tree.try_insert_alloc(*key, value(&drops, *key), &guard) {
                    Ok(replaced) => assert!(replaced.is_some(), "{key}"),
                    Err(AllocError(value)) => drop(value),
                }
            }
            // Looking needs no memory, whatever is left, and marking neither: a node that
            // could not be replaced is as it was.
            assert_eq!(tree.len(), there.len());
            for key in &there {
                assert!(tree.set_mark(*key, smr_radix::Mark::A, &guard), "{key}");
            }
            there.sort_unstable();
            assert!(tree.keys(&guard).eq(there.iter().copied()));
            assert!(tree.keys(&guard).rev().eq(there.iter().rev().copied()));
        }
        // It was not for ever.
        for key in keys() {
            let is_new = tree
                .insert(key, value(&drops, key), &domain.pin())
                .is_none();
            assert_eq!(is_new, !there.contains(&key), "{key}");
        }
        assert_eq!(tree.len(), 51);
        drop((tree, domain, drops));
        let_go();
    })
}

#[test]
fn inserting_into_a_radix_tree() {
    let by_reference = |drops: &Drops, key| (drops.one(), [key; 9]);
    let runs =
        inserting_into_a_tree::<smr_radix::Boxed<(support::Counted, [u64; 9])>>(by_reference);
    assert!(runs >= 8, "{runs}: hardly anything was refused");
    // Every other value is too large for a slot, and needs a leaf too.
    let small = |_: &Drops, key| if key % 2 == 0 { key } else { u64::MAX - key };
    let runs = inserting_into_a_tree::<smr_radix::Inline<u64>>(small);
    assert!(runs >= 8, "{runs}: hardly anything was refused");
}

#[test]
fn reading_a_radix_tree_that_has_no_memory() {
    let runs = at_every_allocation(|scarce| {
        let domain = Domain::new();
        let tree = RadixTree::<u64, u64>::new_in(&domain);
        let small = InlineTree::<u64, u64>::new_in(&domain);
        let guard = domain.pin();
        for key in 0..300 {
            tree.insert(key * key, key, &guard);
            small.insert(key * key, key, &guard);
        }
        let scarce = scarce();
        for key in 0..300 {
            assert_eq!(tree.get(key * key, &guard), Some(&key));
            assert_eq!(small.get_ge(key * key, &guard), Some((key * key, key)));
            let cursor = tree.cursor(key * key, &guard);
            assert!(cursor.still_current());
            // Nor do marks.
            assert!(small.set_mark(key * key, smr_radix::Mark::A, &guard));
        }
        assert_eq!(small.iter_marked(smr_radix::Mark::A, &guard).count(), 300);
        assert_eq!(tree.iter(&guard).rev().count(), 300);
        drop(scarce);
        drop(guard);
        drop((tree, small, domain));
        let_go();
    });
    assert_eq!(runs, 0, "reading allocates");
}

#[test]
fn reading_a_map_that_has_no_memory() {
    let runs = at_every_allocation(|scarce| {
        let map: HashMap<u64, u64> = HashMap::builder().domain(Domain::new()).build();
        (0..500).for_each(|key| assert!(map.pin().insert(key, key).is_none()));
        let guard = map.guard();
        let scarce = scarce();
        // Also while the table is being replaced.
        for key in 0..500 {
            assert_eq!(map.get(&key, &guard), Some(&key));
        }
        assert_eq!(map.iter(&guard).count(), 500);
        drop(scarce);
        drop(guard);
        drop(map);
        let_go();
    });
    assert_eq!(runs, 0, "reading allocates");
}

/// Looking at a structure needs no memory.
fn looking<S: Shape>() {
    let runs = at_every_allocation(|scarce| {
        let ledger = LEDGER.with(|ledger| *ledger);
        let made = ledger.made();
        let domain = Domain::new();
        let shape = S::new_in(&domain);
        let guard = domain.pin();
        for key in (0..200).rev() {
            shape.add(ledger.value(key, key), &guard);
        }
        for key in 0..50 {
            assert!(shape.remove(key, &guard));
        }
        let mut seen = 0;
        {
            let _scarce = scarce();
            let inner = domain.pin();
            shape.visit(&inner, &mut |value| {
                value.look();
                seen += 1;
            });
        }
        assert_eq!(seen, 150, "{}", S::NAME);
        drop(guard);
        drop((shape, domain));
        assert_eq!(
            (ledger.made() - made, ledger.live()),
            (200, 0),
            "{}",
            S::NAME
        );
        let_go();
    });
    assert_eq!(runs, 0, "{}: looking allocates", S::NAME);
}

thread_local! {
    static LEDGER: &'static Ledger = Ledger::open();
}

#[test]
fn looking_at_any_structure() {
    for_every_shape!(looking());
}

#[test]
fn polling_needs_no_memory() {
    every_barrier(|domain| {
        let drops = Drops::default();
        domain.retire(drops.one());
        drop(domain.pin());
        let scarce = Scarce::begin(Refusal::From(0));
        let goal = domain.advance();
        assert!(domain.poll(goal));
        assert!(domain.try_wait(goal, GENEROUS).is_ok());
        domain.try_synchronize(GENEROUS).unwrap();
        drop(domain.pin());
        drop(scarce);
        assert_eq!(REFUSED.replace(0), 0);
        domain.try_barrier(GENEROUS).unwrap();
        assert_eq!(drops.count(), 1);
    });
}
