//! `pages`: a cache of the pages of real files, served by several threads.
//!
//! The key of a page is its file's number and its place in the file, in one
//! word, so the pages of a file are neighbours. The cache has room for half of
//! the pages. Threads ask for pages by Zipf's law; one that is there is copied to
//! the thread's buffer, one that is not is read from its file first and put in,
//! and the oldest that the thread has put in goes, when it has put in its share.
//!
//! All subjects serve the same requests, so the sum over what they served must be
//! the same. Who gets which page evicted by whom differs, and so does the share of
//! requests that hit, a little.
//!
//! # Orderings
//!
//! `hits` and `sum` are Relaxed: they are complete once the threads are joined.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::thread;

use super::{Contender, Load, Meter, Outcome};
use crate::cli::Distribution;
use crate::commands::WorkArgs;
use crate::record::Metric;
use crate::subjects::maps::{Hasher, hasher};
use crate::suites::map::keys::{Walk, trace};

/// Bytes of a page.
const PAGE: usize = 4096;
/// Requests that a thread takes from the trace at a time.
const BATCH: usize = 256;
/// The cache has room for one page in so many.
const ROOM: usize = 2;

/// A page, the end of a file filled up with zeros.
type Page = [u8; PAGE];

/// A cache of pages.
trait Cache: Sync {
    /// Without any pages.
    fn new() -> Self;
    /// Copies a page out, if it is there.
    fn copy(&self, key: u64, to: &mut Page) -> bool;
    /// Puts a page in.
    fn put(&self, key: u64, page: &Page);
    /// Takes a page out, if it is there.
    fn evict(&self, key: u64);
}

impl Cache for smr_hashmap::HashMap<u64, Page, Hasher> {
    fn new() -> Self {
        Self::with_hasher(hasher())
    }

    fn copy(&self, key: u64, to: &mut Page) -> bool {
        let map = self.pin();
        map.get(&key).map(|page| to.copy_from_slice(page)).is_some()
    }

    fn put(&self, key: u64, page: &Page) {
        self.pin().insert(key, *page);
    }

    fn evict(&self, key: u64) {
        self.pin().remove(&key);
    }
}

impl Cache for smr_radix::RadixTree<u64, Page> {
    fn new() -> Self {
        Self::new()
    }

    fn copy(&self, key: u64, to: &mut Page) -> bool {
        let guard = self.guard();
        let page = self.get(key, &guard);
        page.map(|page| to.copy_from_slice(page)).is_some()
    }

    fn put(&self, key: u64, page: &Page) {
        self.insert(key, *page, &self.guard());
    }

    fn evict(&self, key: u64) {
        self.remove(key, &self.guard());
    }
}

/// Readers hold the lock for a clone of an `Arc`, and copy outside.
impl Cache for RwLock<BTreeMap<u64, Arc<Page>>> {
    fn new() -> Self {
        Self::default()
    }

    fn copy(&self, key: u64, to: &mut Page) -> bool {
        let pages = self.read().expect("nobody panics with the lock held");
        let page = pages.get(&key).cloned();
        drop(pages);
        page.map(|page| to.copy_from_slice(&*page)).is_some()
    }

    fn put(&self, key: u64, page: &Page) {
        let page = Arc::new(*page);
        let mut pages = self.write().expect("nobody panics with the lock held");
        let old = pages.insert(key, page);
        drop(pages);
        drop(old);
    }

    fn evict(&self, key: u64) {
        let mut pages = self.write().expect("nobody panics with the lock held");
        let old = pages.remove(&key);
        drop(pages);
        drop(old);
    }
}

/// Readers hold the lock while they copy.
impl Cache for parking_lot::RwLock<BTreeMap<u64, Box<Page>>> {
    fn new() -> Self {
        Self::default()
    }

    fn copy(&self, key: u64, to: &mut Page) -> bool {
        let pages = self.read();
        pages
            .get(&key)
            .map(|page| to.copy_from_slice(&page[..]))
            .is_some()
    }

    fn put(&self, key: u64, page: &Page) {
        let page = Box::new(*page);
        let old = self.write().insert(key, page);
        drop(old);
    }

    fn evict(&self, key: u64) {
        let old = self.write().remove(&key);
        drop(old);
    }
}

impl Cache for dashmap::DashMap<u64, Box<Page>, Hasher> {
    fn new() -> Self {
        Self::with_hasher(hasher())
    }

    fn copy(&self, key: u64, to: &mut Page) -> bool {
        let page = self.get(&key);
        page.map(|page| to.copy_from_slice(&page[..])).is_some()
    }

    fn put(&self, key: u64, page: &Page) {
        self.insert(key, Box::new(*page));
    }

    fn evict(&self, key: u64) {
        self.remove(&key);
    }
}

const CONTENDERS: [Contender; 5] = [
    (
        "smr-radix",
        "smr_radix::RadixTree, pages in its pool",
        work::<smr_radix::RadixTree<u64, Page>>,
    ),
    (
        "smr-hashmap",
        "smr_hashmap::HashMap, pages in its pool",
        work::<smr_hashmap::HashMap<u64, Page, Hasher>>,
    ),
    (
        "dashmap",
        "dashmap::DashMap of boxed pages",
        work::<dashmap::DashMap<u64, Box<Page>, Hasher>>,
    ),
    (
        "std-btree",
        "BTreeMap of Arcs behind std's RwLock",
        work::<RwLock<BTreeMap<u64, Arc<Page>>>>,
    ),
    (
        "parking_lot-btree",
        "BTreeMap of boxed pages behind parking_lot's RwLock",
        work::<parking_lot::RwLock<BTreeMap<u64, Box<Page>>>>,
    ),
];

/// Runs the command.
///
/// # Errors
///
/// When the folder cannot be read, or a run fails.
pub(crate) fn run(arguments: &WorkArgs) -> io::Result<()> {
    super::run("pages", arguments, &CONTENDERS, |_| true)
}

/// The keys of all pages of the files.
fn keys(files: &[PathBuf]) -> io::Result<Vec<u64>> {
    let mut keys = Vec::new();
    for (file, path) in files.iter().enumerate() {
        let pages = fs::metadata(path)?.len().div_ceil(PAGE as u64);
        keys.extend((0..pages).map(|page| (file as u64) << 32 | page));
    }
    Ok(keys)
}

fn read(files: &[PathBuf], key: u64, page: &mut Page) -> io::Result<()> {
    let mut file = File::open(&files[(key >> 32) as usize])?;
    file.seek(SeekFrom::Start((key & 0xffff_ffff) * PAGE as u64))?;
    page.fill(0);
    let mut at = 0;
    while at < PAGE {
        match file.read(&mut page[at..])? {
            0 => break,
            more => at += more,
        }
    }
    Ok(())
}

/// A few words of a page, in one: what depends on all of its quarters.
fn taste(page: &Page) -> u64 {
    let quarters = page.chunks_exact(PAGE / 4);
    quarters.fold(0, |sum: u64, quarter| {
        let word = quarter
            .first_chunk()
            .map_or(0, |word| u64::from_le_bytes(*word));
        sum.rotate_left(9) ^ word
    })
}

/// One run.
fn work<C: Cache>(files: &[PathBuf], load: Load) -> io::Result<Outcome> {
    let threads = load.threads;
    let keys = keys(files)?;
    let share = (keys.len() / ROOM / threads).max(1);
    let requests = load.requests / threads;
    let drawn = trace(Distribution::Zipf, keys.len() as u64);
    // A drawn number is anywhere in its range: it leads to a page by its share.
    let page = |number: u64| keys[((u128::from(number) * keys.len() as u128) >> 64) as usize];
    let meter = Meter::start();
    let cache = C::new();
    let hits = AtomicU64::new(0);
    let sum = AtomicU64::new(0);
    let serve = |index: usize| -> io::Result<()> {
        let mut walk = Walk::new(&drawn, index, threads);
        let mut own = VecDeque::with_capacity(share + 1);
        let mut buffer = [0; PAGE];
        let (mut hit, mut total, mut left) = (0, 0_u64, requests);
        while left > 0 {
            let batch = walk.take(BATCH.min(left));
            left -= batch.len();
            for key in batch.iter().map(|number| page(*number)) {
                if cache.copy(key, &mut buffer) {
                    hit += 1;
                } else {
                    read(files, key, &mut buffer)?;
                    cache.put(key, &buffer);
                    own.push_back(key);
                    if own.len() > share
                        && let Some(oldest) = own.pop_front()
                    {
                        cache.evict(oldest);
                    }
                }
                total = total.rotate_left(1).wrapping_add(taste(&buffer));
            }
        }
        hits.fetch_add(hit, Ordering::Relaxed);
        sum.fetch_add(total, Ordering::Relaxed);
        Ok(())
    };
    let serve = &serve;
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|index| scope.spawn(move || serve(index)))
            .collect();
        let mut all = workers.into_iter();
        all.try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })?;
    let mut figures = meter.read();
    let served = requests * threads;
    let wall = figures[&Metric::WallTime] / 1e9;
    figures.insert(Metric::Throughput, served as f64 / wall);
    figures.insert(Metric::HitRate, hits.into_inner() as f64 / served as f64);
    Ok(Outcome {
        answer: sum.into_inner(),
        told: format!("{served} requests for {} pages", keys.len()),
        figures,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::tests::{Folder, all_agree};

    #[test]
    fn all_caches_serve_the_same_bytes() {
        // The trace is more of the heap than a run of others may leave behind, and stays.
        let _alone = crate::alloc::tests::alone();
        let folder = Folder::new("pages");
        let files = folder.files();
        assert_eq!(keys(&files).expect("readable").len(), 4 + 5);
        for threads in [1, 3] {
            let outcome = all_agree(&CONTENDERS, &files, &[threads]);
            let hits = outcome.figures[&Metric::HitRate];
            assert!((0.3..0.999).contains(&hits), "{hits}");
        }
    }

    #[test]
    fn a_page_is_where_it_is_in_its_file() {
        let folder = Folder::new("page");
        let files = folder.files();
        let mut page = [7; PAGE];
        read(&files, 1 << 32 | 4, &mut page).expect("readable");
        let text = fs::read(&files[1]).expect("readable");
        let rest = &text[4 * PAGE..];
        assert!(rest.ends_with(b"end") && page.starts_with(rest));
        assert!(page[rest.len()..].iter().all(|byte| *byte == 0));
        let before = taste(&page);
        page[PAGE / 4 * 3] ^= 1;
        assert_ne!(taste(&page), before);
    }
}
