//! The hot paths whose instructions are counted.
//!
//! Each function does its operation a hundred times, in a state that an earlier
//! function has made and that has been used before: what a thread or a pool does
//! once is not in it. The state is handed back, so that its end is not in it
//! either.

#![allow(
    missing_docs,
    missing_debug_implementations,
    reason = "the macros of the harness make functions and types without any"
)]

use std::hint::black_box;

use foldhash::fast::FixedState;
use gungraun::{library_benchmark, library_benchmark_group, main};
use smr_core::{Guard, Pool, SmrCell, pin};
use smr_hashmap::HashMap;
use smr_list::OrderedList;

/// Operations that are counted.
const ROUNDS: u64 = 100;
/// Entries of the map.
const ENTRIES: u64 = 10_000;
/// Keys of the list.
const KEYS: u64 = 32;

type Map = HashMap<u64, u64, FixedState>;
type Item = [u64; 6];

/// Registers the thread.
fn used() {
    for _ in 0..ROUNDS {
        drop(pin());
    }
}

fn held() -> Guard {
    used();
    pin()
}

fn cell() -> SmrCell<u64> {
    used();
    SmrCell::new(7)
}

fn pool() -> Pool<Item> {
    let pool = Pool::new();
    for _ in 0..10 * ROUNDS {
        let item = pool.alloc([1; 6]).into_raw();
        // SAFETY: never published, retired once.
        unsafe { pool.retire(item) };
    }
    drop(pool.alloc([1; 6]));
    pool
}

fn map() -> Map {
    let map = Map::with_hasher(FixedState::with_seed(1));
    for key in 0..ENTRIES {
        map.pin().insert(key, key);
    }
    map
}

fn list() -> OrderedList<u64, u64> {
    let list = OrderedList::new();
    for key in (0..KEYS).rev() {
        list.insert(key, key, &list.guard());
    }
    list
}

#[library_benchmark]
#[bench::outermost(setup = used)]
fn pin_outermost(_used: ()) {
    for _ in 0..ROUNDS {
        drop(black_box(pin()));
    }
}

#[library_benchmark]
#[bench::nested(setup = held)]
fn pin_nested(outer: Guard) -> Guard {
    for _ in 0..ROUNDS {
        drop(black_box(pin()));
    }
    outer
}

#[library_benchmark]
#[bench::pinned(setup = cell)]
fn cell_load(cell: SmrCell<u64>) -> SmrCell<u64> {
    for _ in 0..ROUNDS {
        black_box(*black_box(&cell).load(&pin()));
    }
    cell
}

#[library_benchmark]
#[bench::unpublished(setup = pool)]
fn pool_alloc_free(pool: Pool<Item>) -> Pool<Item> {
    for _ in 0..ROUNDS {
        drop(black_box(pool.alloc([1; 6])));
    }
    pool
}

#[library_benchmark]
#[bench::retired(setup = pool)]
fn pool_alloc_retire(pool: Pool<Item>) -> Pool<Item> {
    for _ in 0..ROUNDS {
        let item = black_box(pool.alloc([1; 6]).into_raw());
        // SAFETY: never published, retired once.
        unsafe { pool.retire(item) };
    }
    pool
}

#[library_benchmark]
#[bench::hit(setup = map)]
fn map_get(map: Map) -> Map {
    for key in 0..ROUNDS {
        black_box(map.pin().get(black_box(&(key * 97))).copied());
    }
    map
}

#[library_benchmark]
#[bench::miss(setup = map)]
fn map_get_missing(map: Map) -> Map {
    for key in 0..ROUNDS {
        black_box(map.pin().get(black_box(&(ENTRIES + key))).copied());
    }
    map
}

#[library_benchmark]
#[bench::replace(setup = map)]
fn map_insert(map: Map) -> Map {
    for key in 0..ROUNDS {
        black_box(map.pin().insert(black_box(key * 97), key).copied());
    }
    map
}

#[library_benchmark]
#[bench::middle(setup = list)]
fn list_get(list: OrderedList<u64, u64>) -> OrderedList<u64, u64> {
    for _ in 0..ROUNDS {
        black_box(list.get(black_box(&(KEYS / 2)), &list.guard()).copied());
    }
    list
}

library_benchmark_group!(
    name = core,
    benchmarks = [
        pin_outermost,
        pin_nested,
        cell_load,
        pool_alloc_free,
        pool_alloc_retire
    ]
);
library_benchmark_group!(
    name = structures,
    benchmarks = [map_get, map_get_missing, map_insert, list_get]
);

main!(library_benchmark_groups = [core, structures]);
