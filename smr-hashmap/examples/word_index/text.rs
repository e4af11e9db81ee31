//! What both versions of the word index have in common: where the text comes from,
//! what a word is, and how the index is shown.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

/// How often a word was met, and in how many files.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    pub(crate) times: u64,
    pub(crate) files: u64,
}

/// The folder on the command line, or the sources of the crates in the local cargo
/// registry.
fn folder() -> PathBuf {
    env::args_os().nth(1).map_or_else(registry, PathBuf::from)
}

fn registry() -> PathBuf {
    let cargo = env::var_os("CARGO_HOME").map_or_else(
        || {
            let home = env::var_os("HOME").or_else(|| env::var_os("USERPROFILE"));
            PathBuf::from(home.expect("a folder with text, on the command line")).join(".cargo")
        },
        PathBuf::from,
    );
    cargo.join("registry").join("src")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_text = |path: &Path| {
            let extension = path.extension().and_then(|end| end.to_str());
            matches!(extension, Some("rs" | "md" | "toml" | "txt"))
        };
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&path, found),
            Ok(kind) if kind.is_file() && is_text(&path) => found.push(path),
            _ => {}
        }
    }
}

/// Hands each word of each file to `meet`, from several threads at once, with
/// whether it is the first of its kind in the file.
pub(crate) fn read(meet: impl Fn(&str, Found) + Sync) {
    let mut paths = Vec::new();
    files(&folder(), &mut paths);
    assert!(!paths.is_empty(), "there is no text in that folder");
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism()
        .map_or(2, usize::from)
        .max(2);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Ok(text) = fs::read_to_string(path) {
                        read_one(&text, &meet);
                    }
                }
            });
        }
    });
}

fn read_one(text: &str, meet: &impl Fn(&str, Found)) {
    let mut here = std::collections::HashSet::new();
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    for word in text.split(|c| !is_part(c)).filter(|word| word.len() > 2) {
        let files = u64::from(here.insert(word));
        meet(word, Found { times: 1, files });
    }
}

/// The index, the commonest words first.
pub(crate) fn show(mut index: Vec<(String, Found)>) {
    let times: u64 = index.iter().map(|(_, found)| found.times).sum();
    println!("{times} words, {} different", index.len());
    index.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    // All of it goes into one number, so that the two versions can be compared.
    let sum = index.iter().fold(0_u64, |sum, (word, found)| {
        let word = word
            .bytes()
            .fold(sum, |sum, byte| sum.wrapping_mul(31) ^ u64::from(byte));
        word.wrapping_mul(31) ^ (found.times << 20) ^ found.files
    });
    println!("checksum {sum:016x}");
    for (word, found) in index.iter().take(20) {
        println!(
            "{:>9} times in {:>6} files  {word}",
            found.times, found.files
        );
    }
}
