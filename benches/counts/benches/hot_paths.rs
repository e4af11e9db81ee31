//! The hot paths whose instructions are counted.
//!
//! Each function does its operation a hundred times, in a state that has been made
//! and used before: what a thread or a pool does once is not in it. Callgrind counts
//! from the function's entry to its end, so making and dropping the state is not in it
//! either.
//!
//! ```text
//! hot_paths --list     the names
//! hot_paths NAME       runs one; without a name, all
//! ```

use std::hint::black_box;
use std::process::ExitCode;

use foldhash::fast::FixedState;
use smr_core::{Guard, Pool, SmrCell, pin};
use smr_hashmap::HashMap;
use smr_list::OrderedList;
use smr_radix::RadixTree;

/// Operations that are counted.
const ROUNDS: u64 = 100;
/// Entries of the map, and of the tree.
const ENTRIES: u64 = 10_000;
/// Entries of a map whose table is being replaced: a few more than it has room for.
const GROWING: u64 = 10_300;
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
    map_of(ENTRIES)
}

fn map_of(entries: u64) -> Map {
    let map = Map::with_hasher(FixedState::with_seed(1));
    for key in 0..entries {
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

fn tree() -> RadixTree<u64, u64> {
    let tree = RadixTree::new();
    let guard = tree.guard();
    for key in 0..ENTRIES {
        tree.insert(key, key, &guard);
    }
    drop(guard);
    tree
}

/// A function for each path, that callgrind finds by its name: its state and how that
/// is made, the number of the round, and what is done in it.
macro_rules! paths {
    ($($name:ident($state:ident: $type:ty = $made:expr, $round:ident) $body:block)*) => {
        $(#[inline(never)]
        fn $name($state: &$type) {
            // Functions that do the same must not become one.
            black_box(stringify!($name));
            for $round in 0..ROUNDS $body
        })*

        const NAMES: &[&str] = &[$(stringify!($name)),*];

        /// Runs one; whether there is one of this name.
        fn run(name: &str) -> bool {
            match name {
                $(stringify!($name) => {
                    let state: $type = $made;
                    $name(black_box(&state));
                })*
                _ => return false,
            }
            true
        }
    };
}

paths! {
    pin_outermost(_used: () = used(), _round) {
        drop(black_box(pin()));
    }
    pin_nested(_outer: Guard = held(), _round) {
        drop(black_box(pin()));
    }
    cell_load(cell: SmrCell<u64> = cell(), _round) {
        black_box(*black_box(cell).load(&pin()));
    }
    pool_alloc_free(pool: Pool<Item> = pool(), _round) {
        drop(black_box(pool.alloc([1; 6])));
    }
    pool_alloc_retire(pool: Pool<Item> = pool(), _round) {
        let item = black_box(pool.alloc([1; 6]).into_raw());
        // SAFETY: never published, retired once.
        unsafe { pool.retire(item) };
    }
    map_get(map: Map = map(), round) {
        black_box(map.pin().get(black_box(&(round * 97))).copied());
    }
    map_get_missing(map: Map = map(), round) {
        black_box(map.pin().get(black_box(&(ENTRIES + round))).copied());
    }
    map_insert(map: Map = map(), round) {
        black_box(map.pin().insert(black_box(round * 97), round).copied());
    }
    map_insert_growing(map: Map = map_of(GROWING), round) {
        black_box(map.pin().insert(black_box(GROWING + round), round).copied());
    }
    list_get(list: OrderedList<u64, u64> = list(), _round) {
        black_box(list.get(black_box(&(KEYS / 2)), &list.guard()).copied());
    }
    radix_get(tree: RadixTree<u64, u64> = tree(), round) {
        black_box(tree.get(black_box(round * 97), &tree.guard()).copied());
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        println!("{}", NAMES.join("\n"));
        return ExitCode::SUCCESS;
    }
    // Cargo has options of its own for programs that measure.
    let mut names = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'));
    let good = match names.next() {
        Some(name) => run(name),
        None => NAMES.iter().all(|name| run(name)),
    };
    if good {
        ExitCode::SUCCESS
    } else {
        eprintln!("hot_paths: no such path: see --list");
        ExitCode::FAILURE
    }
}
