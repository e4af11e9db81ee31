//! `index`: an index of the words of a folder of text, made by several threads.
//!
//! The index says for each word how often it occurs, and in which file it occurs
//! first. Threads take file after file and read it; each word is looked up, its
//! counters are raised in place, and a word that is new is inserted. So most
//! operations are look-ups, more of them the more text there is.
//!
//! Each map is used as one would: a look-up by `&str` first, and a `String` only
//! for what is not there; the counters are atomics, so that the maps behind a
//! lock need their write lock for new words only. All maps have the same hash
//! function.
//!
//! The time is from the first file to the last word. Sorting the index, to compare
//! it, is not in it.
//!
//! # Orderings
//!
//! `times` and `first` are Relaxed: each is complete once the threads are joined.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::RwLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use super::{Contender, Load, Meter, Outcome};
use crate::commands::WorkArgs;
use crate::subjects::maps::{Hasher, hasher};

/// Endings of files that hold text.
const TEXT: [&str; 12] = [
    "c", "cpp", "h", "html", "json", "md", "py", "rs", "rst", "toml", "txt", "xml",
];
/// Shorter words are left out.
const SHORTEST: usize = 3;

/// What is known of a word.
#[derive(Debug)]
struct Count {
    times: AtomicU64,
    first: AtomicU64,
}

impl Default for Count {
    fn default() -> Self {
        Self {
            times: AtomicU64::new(0),
            first: AtomicU64::new(u64::MAX),
        }
    }
}

impl Count {
    fn meet(&self, file: u64) {
        self.times.fetch_add(1, Ordering::Relaxed);
        // Most words were met before: a look is cheaper than a minimum.
        if self.first.load(Ordering::Relaxed) > file {
            self.first.fetch_min(file, Ordering::Relaxed);
        }
    }

    fn into_inner(self) -> (u64, u64) {
        (self.times.into_inner(), self.first.into_inner())
    }
}

/// A map that can be an index.
trait Index: Sync {
    /// Without any words.
    fn new() -> Self;
    /// A word is met in a file.
    fn meet(&self, word: &str, file: u64);
    /// All words: how often, and in which file first.
    fn entries(self) -> Vec<(String, (u64, u64))>;
}

impl Index for smr_hashmap::HashMap<String, Count, Hasher> {
    fn new() -> Self {
        Self::with_hasher(hasher())
    }

    fn meet(&self, word: &str, file: u64) {
        let map = self.pin();
        let count = match map.get(word) {
            Some(count) => count,
            None => map.get_or_insert_with(word.to_owned(), Count::default),
        };
        count.meet(file);
    }

    fn entries(self) -> Vec<(String, (u64, u64))> {
        let all = self.into_iter();
        all.map(|(word, count)| (word, count.into_inner()))
            .collect()
    }
}

impl Index for papaya::HashMap<String, Count, Hasher> {
    fn new() -> Self {
        Self::with_hasher(hasher())
    }

    fn meet(&self, word: &str, file: u64) {
        let map = self.pin();
        let count = match map.get(word) {
            Some(count) => count,
            None => map.get_or_insert_with(word.to_owned(), Count::default),
        };
        count.meet(file);
    }

    fn entries(self) -> Vec<(String, (u64, u64))> {
        let map = self.pin();
        let all = map.iter().map(|(word, count)| {
            let times = count.times.load(Ordering::Relaxed);
            (word.clone(), (times, count.first.load(Ordering::Relaxed)))
        });
        all.collect()
    }
}

impl Index for dashmap::DashMap<String, Count, Hasher> {
    fn new() -> Self {
        Self::with_hasher(hasher())
    }

    fn meet(&self, word: &str, file: u64) {
        if let Some(count) = self.get(word) {
            return count.meet(file);
        }
        self.entry(word.to_owned()).or_default().meet(file);
    }

    fn entries(self) -> Vec<(String, (u64, u64))> {
        let all = self.into_iter();
        all.map(|(word, count)| (word, count.into_inner()))
            .collect()
    }
}

impl Index for RwLock<HashMap<String, Count, Hasher>> {
    fn new() -> Self {
        Self::new(HashMap::with_hasher(hasher()))
    }

    fn meet(&self, word: &str, file: u64) {
        let known = self.read().expect("nobody panics with the lock held");
        if let Some(count) = known.get(word) {
            return count.meet(file);
        }
        drop(known);
        let mut all = self.write().expect("nobody panics with the lock held");
        all.entry(word.to_owned()).or_default().meet(file);
    }

    fn entries(self) -> Vec<(String, (u64, u64))> {
        let all = self.into_inner().expect("nobody panics with the lock held");
        let all = all.into_iter();
        all.map(|(word, count)| (word, count.into_inner()))
            .collect()
    }
}

const CONTENDERS: [Contender; 4] = [
    (
        "smr",
        "smr_hashmap::HashMap, pinned for each word",
        work::<smr_hashmap::HashMap<String, Count, Hasher>>,
    ),
    (
        "papaya",
        "papaya::HashMap, pinned for each word",
        work::<papaya::HashMap<String, Count, Hasher>>,
    ),
    (
        "dashmap",
        "dashmap::DashMap",
        work::<dashmap::DashMap<String, Count, Hasher>>,
    ),
    (
        "std-rwlock",
        "std's HashMap behind its RwLock, written for new words only",
        work::<RwLock<HashMap<String, Count, Hasher>>>,
    ),
];

/// Runs the command.
///
/// # Errors
///
/// When the folder cannot be read, or a run fails.
pub(crate) fn run(arguments: &WorkArgs) -> io::Result<()> {
    super::run("index", arguments, &CONTENDERS, is_text)
}

fn is_text(path: &Path) -> bool {
    let ending = path.extension().and_then(OsStr::to_str);
    ending.is_some_and(|ending| TEXT.contains(&ending))
}

/// The words of a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.split(move |c| !is_part(c))
        .filter(|word| word.len() >= SHORTEST)
}

/// One run.
fn work<I: Index>(files: &[PathBuf], load: Load) -> io::Result<Outcome> {
    let meter = Meter::start();
    let index = I::new();
    let next = AtomicUsize::new(0);
    let read = || -> io::Result<()> {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = files.get(at) else {
                return Ok(());
            };
            let text = fs::read(path)?;
            // A file that is no text is read as far as it is one.
            let text = String::from_utf8_lossy(&text);
            for word in words(&text) {
                index.meet(word, at as u64);
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..load.threads).map(|_| scope.spawn(read)).collect();
        let mut all = workers.into_iter();
        all.try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })?;
    let figures = meter.read();
    let mut entries = index.entries();
    entries.sort_unstable();
    Ok(Outcome {
        answer: checksum(&entries),
        told: told(&entries),
        figures,
    })
}

fn checksum(entries: &[(String, (u64, u64))]) -> u64 {
    let mix = |sum: u64, more: u64| (sum ^ more).wrapping_mul(0x0000_0100_0000_01b3);
    entries
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, (word, (times, first))| {
            let sum = word.bytes().fold(sum, |sum, byte| mix(sum, byte.into()));
            mix(mix(sum, *times), *first)
        })
}

fn told(entries: &[(String, (u64, u64))]) -> String {
    let times: u64 = entries.iter().map(|(_, (times, _))| times).sum();
    let firsts: HashSet<u64> = entries.iter().map(|(_, (_, first))| *first).collect();
    format!(
        "{times} words, {} of them different, first met in {} files",
        entries.len(),
        firsts.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::tests::{Folder, all_agree};

    #[test]
    fn all_maps_make_the_index_that_the_text_has() {
        let folder = Folder::new("index");
        let files: Vec<PathBuf> = folder
            .files()
            .into_iter()
            .filter(|path| is_text(path))
            .collect();
        assert_eq!(files.len(), 2);
        let outcome = all_agree(&CONTENDERS, &files, &[1, 3]);
        // Four words a line, 1,600 lines, and one at the end.
        assert_eq!(
            outcome.told,
            "6401 words, 4 of them different, first met in 2 files"
        );
        let entries = |end: u64| {
            let entry = |word: &str, times, first| (word.to_owned(), (times, first));
            vec![
                entry("end", end, 1),
                entry("one", 1600, 0),
                entry("three_3", 1600, 0),
                entry("two", 3200, 0),
            ]
        };
        assert_eq!(outcome.answer, checksum(&entries(1)));
        assert_ne!(outcome.answer, checksum(&entries(2)));
    }
}
