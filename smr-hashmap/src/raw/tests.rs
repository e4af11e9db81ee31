//! The inside, without threads.

use std::cell::Cell;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use smr_core::{Domain, Guard, OverLimit, Pool};

use crate::raw::entry::{Entry, Hash};
use crate::raw::word::{Marks, Wanted, Word};
use crate::raw::{Action, Computed, Inserted, RawMap};
use crate::tunables::{HELP, MAX_LOAD, SLOTS};

type Map<V> = RawMap<u64, V>;

fn map<V>(domain: &Domain) -> Map<V> {
    RawMap::new(Pool::scoped_in(domain))
}

/// Puts a key, whose hash is given apart from it.
fn put<V>(map: &Map<V>, hash: u64, key: u64, value: V, guard: &Guard) -> bool {
    let put = map.insert(hash, u64::eq, guard, key, value, true);
    matches!(put, Inserted::New(_))
}

fn take<V>(map: &Map<V>, hash: u64, key: u64, guard: &Guard) -> bool {
    let is_ours = |_: Option<&u64>, other: &u64| *other == key;
    let done = map.compute(hash, &mut None, is_ours, guard, |found, _| match found {
        Some(_) => Action::Remove,
        None => Action::Abort(()),
    });
    matches!(done, Computed::Removed(_))
}

fn has<V>(map: &Map<V>, hash: u64, key: u64, guard: &Guard) -> bool {
    map.find(hash, |other| *other == key, |_| (), guard)
        .is_some()
}

/// Keys in an order that looks random.
fn shuffled(len: u64) -> Vec<u64> {
    let mut keys: Vec<u64> = (0..len).collect();
    keys.sort_by_key(|key| (key + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 17);
    keys
}

#[test]
fn chains_lose_nothing_whatever_is_removed() {
    let domain = Domain::new();
    let map = map(&domain);
    let mut keys: HashSet<u64> = (0..100).collect();
    for key in 0..100 {
        assert!(put(&map, 7, key, key, &domain.pin()));
    }
    for key in shuffled(100) {
        let guard = domain.pin();
        assert!(!put(&map, 7, key, key + 1000, &guard), "it is there");
        assert!(take(&map, 7, key, &guard));
        assert!(!take(&map, 7, key, &guard));
        keys.remove(&key);
        for key in 0..100 {
            assert_eq!(has(&map, 7, key, &guard), keys.contains(&key));
        }
        let seen: Vec<u64> = map.iter(&guard).map(|entry| entry.key).collect();
        assert_eq!(seen.len(), keys.len(), "each once");
        assert_eq!(seen.into_iter().collect::<HashSet<_>>(), keys);
        assert_eq!(map.len(), keys.len());
    }
}

#[test]
fn tables_grow_and_shrink_by_many_bits() {
    let domain = Domain::new();
    let map = map(&domain);
    let bits = || map.root().expect("there is a table").bits;
    for key in 0..50 {
        put(&map, key, key, key, &domain.pin());
    }
    let small = bits();
    for round in 0..3 {
        map.try_reserve(100_000, &domain.pin()).unwrap();
        assert!(bits() > small + 6, "round {round}: more than a step");
        assert!(map.capacity() >= 100_000);
        assert_all(&map, 50, &domain.pin());
        map.shrink_to(0, &domain.pin());
        assert!(bits() <= small);
        assert!(map.capacity() >= 50 && map.capacity() <= 50 * 2 * MAX_LOAD);
        assert_all(&map, 50, &domain.pin());
    }
}

#[test]
fn iterations_follow_tables_up_and_down() {
    let domain = Domain::new();
    let map = map(&domain);
    for key in 0..500 {
        put(&map, key, key, key, &domain.pin());
    }
    let guard = domain.pin();
    let mut seen = Vec::new();
    for (step, entry) in map.iter(&guard).enumerate() {
        seen.push(entry.key);
        match step % 40 {
            10 => map.try_reserve(50_000, &guard).unwrap(),
            30 => map.shrink_to(0, &guard),
            _ => {}
        }
    }
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..500), "each once");
}

#[track_caller]
fn assert_all<V>(map: &Map<V>, len: u64, guard: &Guard) {
    for key in 0..len {
        assert!(has(map, key, key, guard), "{key}");
    }
    assert_eq!(map.len() as u64, len);
    assert_eq!(map.iter(guard).count() as u64, len);
}

/// Threads take claims on buckets of a table that is being replaced, and are never heard of
/// again. Those who go on writing see a later round of claims to its end.
#[test]
fn a_claim_that_comes_to_nothing_holds_no_table_up() {
    for lost in 0..3 {
        let domain = Domain::new();
        let map = map(&domain);
        let guard = domain.pin();
        let moving = || {
            let table = map.root()?;
            (table.bits >= 5 && table.next().is_some()).then_some(table)
        };
        let mut key = 0;
        let table = loop {
            if let Some(table) = moving() {
                break table;
            }
            put(&map, key, key, key, &guard);
            key += 1;
        };
        let in_round = table.len() / HELP;
        let is_there = || map.root().is_some_and(|root| core::ptr::eq(root, table));
        let mut writes = 0;
        while is_there() {
            // One of each round.
            if writes % in_round == 0 && writes / in_round < lost {
                table.moves.claim();
            }
            put(&map, 0, 0, 0, &guard);
            writes += 1;
            assert!(writes <= (lost + 1) * in_round, "{lost} claims were lost");
        }
        assert!((0..key).all(|key| has(&map, key, key, &guard)));
    }
}

/// A bucket has more entries than fit into its line, and then few again: nobody looks behind
/// the link any more, and everything that is there is found.
#[test]
fn what_was_too_full_once_is_a_line_again() {
    let domain = Domain::new();
    let map = map(&domain);
    let guard = domain.pin();
    put(&map, 0, 0, 0, &guard);
    let table = map.root().unwrap();
    let mut in_first = (1_u64..).filter(|hash| table.bucket(Hash::new(*hash)) == 0);
    let keys: Vec<u64> = in_first.by_ref().take(3 * SLOTS - 2).collect();
    let has_more = || table.line(0).head().has_more();
    let all_are_there = |keys: &[u64]| keys.iter().all(|key| has(&map, *key, *key, &guard));
    for round in 0..3 {
        for (count, key) in keys.iter().enumerate() {
            // One key more was there before.
            assert!(has_more() || count < SLOTS, "round {round}, {count} keys");
            assert!(put(&map, *key, *key, *key, &guard));
            assert!(all_are_there(&keys[..=count]));
        }
        assert!(has_more() && table.next().is_none());
        let mut left = keys.clone();
        for turn in 0..keys.len() - 2 {
            // From the front, from the back, from anywhere.
            let at = [0, left.len() - 1, turn * 7 % left.len()][round];
            let key = left.remove(at);
            assert!(take(&map, key, key, &guard));
            assert!(!has(&map, key, key, &guard));
            assert!(all_are_there(&left));
            assert_eq!(map.iter(&guard).count(), left.len() + 1);
        }
        // The two that are left, and the first key, may be behind the link.
        let words = table.line(0).slots().words();
        let in_line = words.into_iter().filter(|word| word.is_live()).count();
        assert_eq!(has_more(), in_line < left.len() + 1, "round {round}");
        for key in left {
            assert!(take(&map, key, key, &guard));
        }
        assert!(!has_more());
        let absent = in_first.by_ref().take(50);
        assert!(absent.into_iter().all(|key| !has(&map, key, key, &guard)));
    }
}

#[test]
fn marks_say_where_an_entry_can_be_put_or_may_be() {
    let entries: Vec<Entry<u64, u64>> = (0..200)
        .map(|key| Entry {
            hash: Hash::new(key),
            key,
            value: 0,
        })
        .collect();
    let word = |pick: u64| {
        let entry = &entries[(pick / 4 % 200) as usize];
        let claim = Word::claimed(entry.hash, core::ptr::NonNull::from(entry));
        match pick % 4 {
            0 => [Word::UNUSED, Word::EMPTY][(pick / 4 % 2) as usize],
            1 => claim,
            2 => claim.live(),
            _ => claim.live().frozen(),
        }
    };
    let mut seed = 1_u64;
    for _ in 0..20_000 {
        let words: [Word; SLOTS] = core::array::from_fn(|_| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1);
            word(seed >> 33)
        });
        let wanted = Wanted::new(entries[(seed >> 40) as usize % 200].hash);
        let marks = Marks::new(words.into_iter());
        let places = |is_so: &dyn Fn(Word) -> bool| -> Vec<usize> {
            (0..SLOTS).filter(|place| is_so(words[*place])).collect()
        };
        let may_be: Vec<usize> = marks.of(wanted).collect();
        assert_eq!(may_be, places(&|word| word.may_be(wanted)));
        let free: Vec<usize> = marks.free().collect();
        assert_eq!(marks.free().count(), free.len());
        // Claims may look as if they were free, and nothing else.
        assert!(free.iter().all(|place| !words[*place].is_live()));
        let really: Vec<usize> = places(&|word| word.is_free());
        assert!(really.iter().all(|place| free.contains(place)));
    }
}

/// Counts the drops of its kind.
struct Counted(Rc<Cell<usize>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// A domain with a limit of one byte runs the destructors of others in every retire.
/// When they panic, the map has counted and retired all the same.
#[test]
fn panics_of_others_in_a_retire_lose_nothing() {
    let domain = Domain::builder()
        .max_retired_bytes(1, OverLimit::Help)
        .build()
        .unwrap();
    let drops = Rc::new(Cell::new(0));
    let (mut made, mut panics) = (0, 0);
    let map = map(&domain);
    let mut write = |f: &mut dyn FnMut(&Guard)| {
        // Something that fails when it is destroyed, from now on at any retire.
        // So large that its bucket is sealed.
        let before = domain.pin();
        let fails = || before.defer_sized(64 << 10, || panic!("not ours"));
        let _ = catch_unwind(AssertUnwindSafe(fails));
        let _ = catch_unwind(AssertUnwindSafe(|| drop(before)));
        // It has expired, but only a retire destroys it.
        assert!(domain.poll(domain.now()), "nobody is inside");
        let guard = domain.pin();
        panics += usize::from(catch_unwind(AssertUnwindSafe(|| f(&guard))).is_err());
        let _ = catch_unwind(AssertUnwindSafe(|| drop(guard)));
    };
    let mut keys = HashSet::new();
    let hash = |key: u64| if key < 50 { 0 } else { key };
    for round in 0..4 {
        for key in shuffled(200) {
            for _ in 0..2 {
                write(&mut |guard| {
                    made += 1;
                    put(&map, hash(key), key, Counted(Rc::clone(&drops)), guard);
                });
            }
            write(&mut |guard| assert_eq!(map.len(), map.iter(guard).count(), "{round}"));
        }
        for key in shuffled(200) {
            write(&mut |guard| _ = take(&map, hash(key), key, guard));
            write(&mut |guard| {
                let is_there = has(&map, hash(key), key, guard);
                keys.extend(is_there.then_some(key));
            });
        }
        write(&mut |guard| map.clear(guard));
        write(&mut |guard| assert_eq!(map.len(), map.iter(guard).count(), "{round}"));
    }
    // With tunables that are shrunk, what fails was destroyed before the write.
    assert!(
        panics > 100 || cfg!(smr_tiny),
        "{panics} of the writes panicked"
    );
    drop(map);
    assert_eq!(drops.get(), made, "each value is dropped once");
    // What waits still fails here, and not when the domain goes.
    let _ = catch_unwind(AssertUnwindSafe(|| domain.flush()));
}

/// Pages that this thread was the first to touch, or that were new to it.
#[cfg(target_os = "linux")]
fn page_faults() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    // Behind the name, which may hold anything.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    fields.split(' ').nth(7).unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn nobody_pays_for_the_pages_of_a_whole_table() {
    const BITS: u32 = 20;
    let domain = Domain::new();
    let before = page_faults();
    let table = crate::raw::table::Table::new(BITS, &domain).unwrap();
    let faults = page_faults() - before;
    // Under a sanitizer some are those of its own memory.
    let pages = (table.bytes() / 4096) as u64;
    assert!(faults < pages / 4, "{faults} of {pages} pages");
}
