//! A word index over many files, made by several threads: over `smr_hashmap`.
//!
//! `word_index_std` is the same program with a lock around the map of `std`, with
//! the same output.
//!
//! ```text
//! cargo run --release -p smr-hashmap --example word_index_smr [FOLDER]
//! ```

#![allow(
    clippy::disallowed_types,
    reason = "the program uses the atomics of std, as any other does"
)]

#[path = "word_index/text.rs"]
mod text;

use std::sync::atomic::{AtomicU64, Ordering};

use smr_hashmap::HashMap;
use text::Found;

/// A value that is changed in place, through a shared reference.
#[derive(Default)]
struct Count {
    times: AtomicU64,
    files: AtomicU64,
}

fn main() {
    let index: HashMap<String, Count> = HashMap::default();
    text::read(|word, found| {
        let index = index.pin();
        let count = match index.get(word) {
            Some(count) => count,
            None => index.get_or_insert_with(word.to_owned(), Count::default),
        };
        count.times.fetch_add(found.times, Ordering::Relaxed);
        count.files.fetch_add(found.files, Ordering::Relaxed);
    });
    let found = |count: Count| Found {
        times: count.times.into_inner(),
        files: count.files.into_inner(),
    };
    let index = index.into_iter();
    text::show(index.map(|(word, count)| (word, found(count))).collect());
}
