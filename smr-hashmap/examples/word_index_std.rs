//! A word index over many files, made by several threads: with a lock around the
//! map of `std`.
//!
//! `word_index_smr` is the same program over `smr_hashmap`, with the same output.
//!
//! ```text
//! cargo run --release -p smr-hashmap --example word_index_std [FOLDER]
//! ```

#![allow(
    clippy::disallowed_types,
    reason = "the program uses the atomics of std, as any other does"
)]

#[path = "word_index/text.rs"]
mod text;

use std::collections::HashMap;
use std::sync::RwLock;

use text::Found;

fn main() {
    let index: RwLock<HashMap<String, Found>> = RwLock::default();
    text::read(|word, found| {
        let mut index = index.write().unwrap();
        let count = match index.get_mut(word) {
            Some(count) => count,
            None => index.entry(word.to_owned()).or_default(),
        };
        count.times += found.times;
        count.files += found.files;
    });
    text::show(index.into_inner().unwrap().into_iter().collect());
}
