//! User code that panics: in `Hash`, `Eq`, `Clone`, `Drop` and closures.
//!
//! A fuse is burnt down by every call of user code, and the call at which it ends
//! panics. Each operation is run with every length of fuse, until it comes through.
//! After each run the map must be whole, and in the end every key and value must
//! have been dropped once.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

use smr_core::Domain;
use smr_hashmap::{HashMap, Operation};

thread_local! {
    static FUSE: Cell<Option<usize>> = const { Cell::new(None) };
    /// How often each was dropped.
    static DROPS: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// User code is called.
fn burn() {
    match FUSE.get() {
        Some(0) => {
            FUSE.set(None);
            panic!("the fuse has burnt down");
        }
        Some(left) => FUSE.set(Some(left - 1)),
        None => {}
    }
}

/// Something that must be dropped once.
struct Owned(usize);

impl Owned {
    fn new() -> Self {
        DROPS.with_borrow_mut(|drops| {
            drops.push(0);
            Self(drops.len() - 1)
        })
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        DROPS.with_borrow_mut(|drops| drops[self.0] += 1);
        burn();
    }
}

struct Key(u32, #[allow(dead_code)] Owned);
struct Value(u32, #[allow(dead_code)] Owned);

fn key(n: u32) -> Key {
    Key(n, Owned::new())
}

fn value(n: u32) -> Value {
    Value(n, Owned::new())
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        burn();
        self.0.hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        burn();
        self.0 == other.0
    }
}

impl Eq for Key {}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        burn();
        self.0 == other.0
    }
}

impl Clone for Key {
    fn clone(&self) -> Self {
        burn();
        key(self.0)
    }
}

impl Clone for Value {
    fn clone(&self) -> Self {
        burn();
        value(self.0)
    }
}

/// Spreads keys, or does not.
#[derive(Clone, Copy)]
enum Spread {
    Well,
    NotAtAll,
}

struct Keyed(Spread, u64);

impl BuildHasher for Spread {
    type Hasher = Keyed;

    fn build_hasher(&self) -> Keyed {
        burn();
        Keyed(*self, 0)
    }
}

impl Hasher for Keyed {
    fn finish(&self) -> u64 {
        match self.0 {
            Spread::Well => self.1.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32),
            Spread::NotAtAll => 7,
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.1 = self.1 << 8 | u64::from(*byte);
        }
    }
}

type Map = HashMap<Key, Value, Spread>;

const ENTRIES: u32 = 12;

fn full(spread: Spread) -> Map {
    let map = HashMap::builder()
        .hasher(spread)
        .domain(Domain::new())
        .build();
    for n in 0..ENTRIES {
        map.pin().insert(key(n), value(n));
    }
    map
}

/// What is in the map, after everything about it was found to be in order.
fn contents(map: &Map) -> BTreeMap<u32, u32> {
    let guard = map.guard();
    let mut found = BTreeMap::new();
    for (key, value) in map.iter(&guard) {
        assert!(
            found.insert(key.0, value.0).is_none(),
            "{} is there twice",
            key.0
        );
        assert_eq!(map.get(key, &guard).map(|value| value.0), Some(value.0));
    }
    assert_eq!(map.len(), found.len());
    for n in 0..2 * ENTRIES {
        let probe = key(n);
        assert_eq!(map.contains_key(&probe, &guard), found.contains_key(&n));
    }
    found
}

#[track_caller]
fn all_dropped_once() {
    DROPS.with_borrow_mut(|drops| {
        let wrong: Vec<_> = drops.iter().enumerate().filter(|(_, n)| **n != 1).collect();
        assert!(wrong.is_empty(), "(which, how often): {wrong:?}");
        drops.clear();
    });
}

/// Runs `op` with every fuse. `allowed` says what may be in the map afterwards.
#[track_caller]
fn burn_down(op: impl Fn(&Map), allowed: impl Fn(&BTreeMap<u32, u32>) -> bool) {
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut runs = 0;
    let result = catch_unwind(AssertUnwindSafe(|| {
        for spread in [Spread::Well, Spread::NotAtAll] {
            for fuse in 0.. {
                let map = full(spread);
                FUSE.set(Some(fuse));
                let outcome = catch_unwind(AssertUnwindSafe(|| op(&map)));
                let came_through = FUSE.take().is_some();
                assert_eq!(came_through, outcome.is_ok(), "a panic was swallowed");
                let found = contents(&map);
                assert!(allowed(&found), "fuse {fuse}: {found:?}");
                // It still works.
                for n in 0..2 * ENTRIES {
                    map.pin().insert(key(n), value(n));
                }
                assert_eq!(contents(&map).len(), 2 * ENTRIES as usize);
                for n in 0..2 * ENTRIES {
                    assert!(map.pin().remove(&key(n)).is_some(), "{n} is lost");
                }
                assert!(map.is_empty());
                map.barrier();
                drop(map);
                all_dropped_once();
                runs += 1;
                if came_through {
                    break;
                }
            }
        }
    }));
    std::panic::set_hook(quiet);
    show(result);
    assert!(runs > 4, "the operation calls hardly any user code");
}

/// Passes on a panic that the hook has not shown.
#[track_caller]
fn show(result: std::thread::Result<()>) {
    if let Err(payload) = result {
        match payload.downcast::<String>() {
            Ok(text) => panic!("{text}"),
            Err(payload) => panic!("{:?}", payload.downcast_ref::<&str>()),
        }
    }
}

/// As it was, except that `n` has one of these values, or is absent for `None`.
fn but(n: u32, values: &'static [Option<u32>]) -> impl Fn(&BTreeMap<u32, u32>) -> bool {
    move |found| {
        let as_before = |other: u32| (other < ENTRIES).then_some(other);
        (0..2 * ENTRIES).all(|other| {
            let now = found.get(&other).copied();
            now == as_before(other) && other != n || other == n && values.contains(&now)
        })
    }
}

/// The hook is the process's, so one test runs at a time.
static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

macro_rules! burns {
    ($($name:ident: $op:expr, $allowed:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let _one = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                burn_down($op, $allowed);
            }
        )*
    };
}

burns! {
    insert_of_a_new_key: |map| { map.pin().insert(key(20), value(20)); },
        but(20, &[None, Some(20)]);
    insert_of_a_key_that_is_there: |map| { map.pin().insert(key(3), value(33)); },
        but(3, &[Some(3), Some(33)]);
    try_insert: |map| {
        let _ = map.pin().try_insert(key(3), value(33));
        let _ = map.pin().try_insert(key(20), value(20));
    }, but(20, &[None, Some(20)]);
    try_insert_with: |map| {
        let _ = map.pin().try_insert_with(key(20), || { burn(); value(20) });
    }, but(20, &[None, Some(20)]);
    get_or_insert_with: |map| {
        map.pin().get_or_insert_with(key(3), || unreachable!());
        map.pin().get_or_insert_with(key(20), || { burn(); value(20) });
    }, but(20, &[None, Some(20)]);
    get: |map| { map.pin().get(&key(3)); map.pin().get(&key(20)); },
        but(3, &[Some(3)]);
    update: |map| { map.pin().update(key(3), |old| { burn(); value(old.0 + 30) }); },
        but(3, &[Some(3), Some(33)]);
    update_or_insert: |map| {
        map.pin().update_or_insert_with(
            key(20),
            |old| { burn(); value(old.0 + 1) },
            || { burn(); value(20) },
        );
    }, but(20, &[None, Some(20)]);
    compute: |map| {
        let map = map.pin();
        for n in [3, 3, 3] {
            let _ = map.compute(key(n), |entry| {
                burn();
                match entry {
                    Some((_, old)) if old.0 > 30 => Operation::Remove,
                    Some(_) => Operation::Insert(value(33)),
                    None => Operation::Abort(value(0)),
                }
            });
        }
    }, but(3, &[Some(3), Some(33), None]);
    entry: |map| {
        let map = map.pin();
        map.entry(key(3)).and_modify(|old| { burn(); value(old.0 + 30) }).or_insert(value(1));
    }, but(3, &[Some(3), Some(33)]);
    remove: |map| { map.pin().remove(&key(3)); },
        but(3, &[Some(3), None]);
    remove_if: |map| {
        let _ = map.pin().remove_if(&key(3), |_, value| { burn(); value.0 == 3 });
    }, but(3, &[Some(3), None]);
    retain: |map| { map.pin().retain(|key, _| { burn(); key.0 % 2 == 0 }); },
        |found| (0..ENTRIES).step_by(2).all(|n| found.get(&n) == Some(&n));
    clear: |map| { map.pin().clear(); },
        |found| found.iter().all(|(key, value)| key == value && *key < ENTRIES);
    growth: |map| {
        for n in ENTRIES..2 * ENTRIES {
            map.pin().insert(key(n), value(n));
        }
    }, |found| (0..ENTRIES).all(|n| found.get(&n) == Some(&n));
    reserve_and_shrink: |map| {
        map.pin().reserve(200);
        map.pin().get(&key(3));
        map.pin().shrink_to_fit();
        map.pin().get(&key(3));
    }, but(3, &[Some(3)]);
    insert_many: |map| {
        map.pin().insert_many((6..18).map(|n| { burn(); (key(n), value(n)) }));
    }, |found| (0..ENTRIES).all(|n| found.get(&n) == Some(&n));
    get_many: |map| {
        let keys: Vec<_> = (0..20).map(key).collect();
        let found = map.pin().get_many(&keys).flatten().count();
        assert_eq!(found, ENTRIES as usize);
    }, but(3, &[Some(3)]);
    clone_and_compare: |map| { assert!(map.clone() == *map); },
        but(3, &[Some(3)]);
    cloned_conveniences: |map| {
        map.get_cloned(&key(3));
        map.insert_cloned(key(3), value(33));
        map.get_or_insert_cloned(key(3), || unreachable!());
        map.view(&key(3), |_, _| burn());
    }, but(3, &[Some(3), Some(33)]);
    a_value_dropped_by_the_end_of_a_guard: |map| {
        let guard = map.guard();
        map.insert(key(3), value(33), &guard);
        drop(guard);
        map.flush();
    }, but(3, &[Some(3), Some(33)]);
}

/// The same for operations that take the map.
#[track_caller]
fn burn_down_owned(op: impl Fn(Map)) {
    let _one = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = catch_unwind(AssertUnwindSafe(|| {
        for spread in [Spread::Well, Spread::NotAtAll] {
            for fuse in 0.. {
                let map = full(spread);
                // Some that wait to be dropped.
                for n in 0..4 {
                    map.pin().remove(&key(n));
                }
                FUSE.set(Some(fuse));
                let outcome = catch_unwind(AssertUnwindSafe(|| op(map)));
                let came_through = FUSE.take().is_some();
                assert_eq!(came_through, outcome.is_ok(), "a panic was swallowed");
                all_dropped_once();
                if came_through {
                    break;
                }
            }
        }
    }));
    std::panic::set_hook(quiet);
    show(result);
}

#[test]
fn dropping_the_map() {
    burn_down_owned(drop);
}

#[test]
fn taking_the_entries() {
    burn_down_owned(|map| {
        for (key, value) in map {
            burn();
            assert_eq!(key.0, value.0);
        }
    });
}

#[test]
fn taking_some_of_the_entries() {
    burn_down_owned(|map| {
        let mut entries = map.into_iter();
        entries.next();
        entries.next();
    });
}

#[test]
fn draining() {
    burn_down_owned(|mut map| {
        let first = map.drain().next();
        burn();
        assert!(first.is_some());
        assert!(map.is_empty());
        map.pin().insert(key(1), value(1));
        map.drain().for_each(|_| burn());
    });
}

#[test]
fn collecting() {
    burn_down_owned(|map| {
        let keys = map.pin().iter().map(|(key, _)| key.0).collect::<Vec<_>>();
        let other = Map::with_hasher(Spread::Well);
        (&other).extend(keys.into_iter().map(|n| {
            burn();
            (key(n), value(n))
        }));
    });
}
