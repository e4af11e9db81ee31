//! A page cache in user space: threads read pages of real files through a cache with
//! room for some of them, write a few, and now and then cut a file off.
//!
//! The same program runs over a tree of pages a file, and over a lock around a
//! `BTreeMap` a file. Every byte that it serves is compared with what the file
//! contains, or with what was written last, and so is all that is on the disk at the
//! end. What is printed is how fast the whole is, and what part of the time the
//! structures have in it.
//!
//! ```text
//! cargo run --release -p smr-radix --example page_cache [FOLDER [SECONDS [THREADS [BYTES]]]]
//! ```
//!
//! Without a folder the files are those of the libraries of this workspace, and what was
//! built of them. Of each file the first 4 MiB are taken, and of all together 64 MiB.
//! `BYTES` is the budget of the cache, and the half of all files where it is not given.

#![allow(
    clippy::disallowed_types,
    reason = "the program uses the atomics of std, as any other does"
)]

#[path = "page_cache/cache.rs"]
mod cache;
#[path = "page_cache/files.rs"]
mod files;
#[path = "page_cache/index.rs"]
mod index;
#[path = "page_cache/page.rs"]
mod page;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cache::{Cache, Counts, MOST, SLACK};
use files::{Disk, Files};
use index::{Index, Locked};
use page::Page;
use smr_radix::RadixTree;

/// The cache has room for one page in so many, unless it is told otherwise.
const ROOM: usize = 2;
/// Of so many requests one writes, and of many more one cuts a file off.
const WRITES: u64 = 50;
const CUTS: u64 = 5000;
/// Requests of a thread between two looks for dirty pages.
const FLUSH: u64 = 4096;

/// Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((u128::from(self.0) * u128::from(limit)) >> 64) as u64
    }
}

/// What all threads know of a run.
struct Run<'f, I> {
    files: &'f Files,
    cache: Cache<'f, I>,
    /// How often each page of all has been written.
    times: Vec<AtomicU64>,
    threads: usize,
    end: Instant,
}

impl<I: Index> Run<'_, I> {
    /// Whose pages a place is one of: one thread writes it.
    fn writer(&self, place: usize) -> usize {
        place % self.threads
    }

    /// Files with an odd number are cut off, the others are written.
    fn is_written(file: usize) -> bool {
        file.is_multiple_of(2)
    }

    fn work(&self, index: usize, disk: &Disk) -> Counts {
        let mut arm = disk.open().expect("the copy is there");
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (index as u64 + 1) << 40);
        let mut counts = Counts::default();
        let all = self.files.pages() as u64;
        let (mut reader, mut next) = (0, 0);
        for turn in 1.. {
            if turn % 64 == 0 && Instant::now() >= self.end {
                break;
            }
            if turn % FLUSH == 0 {
                self.cache.flush(&mut counts);
            }
            // Four of five random requests go to a fifth of the pages.
            let hot = if random.below(5) == 0 { all } else { all / 5 };
            let place = random.below(hot.max(1)) as usize;
            let (file, number) = self.files.owner(place);
            if random.below(WRITES) == 0 && Self::is_written(file) && self.writer(place) == index {
                let times = self.times[place].load(Ordering::Relaxed) + 1;
                // Before it can be found.
                self.times[place].store(times, Ordering::Relaxed);
                let make = || Page::written(self.files.written(place, times));
                self.cache.write(file, number, &mut arm, make);
            } else if random.below(CUTS) == 0 && !Self::is_written(file) {
                self.cache.truncate(file, number, &mut counts);
            } else if turn % 2 == 0 {
                // One file after the other, a range at a time.
                if next >= self.files.pages_of(reader) {
                    (reader, next) = (file, 0);
                }
                let end = self.files.pages_of(reader).min(next + MOST as u64);
                self.serve(index, reader, next..end, &mut arm, &mut counts);
                next = end;
            } else {
                self.serve(index, file, number..number + 1, &mut arm, &mut counts);
            }
        }
        counts
    }

    fn serve(
        &self,
        index: usize,
        file: usize,
        numbers: std::ops::Range<u64>,
        arm: &mut files::Arm,
        counts: &mut Counts,
    ) {
        self.cache
            .serve(file, numbers, arm, counts, |place, bytes| {
                let times = self.files.times(place, bytes);
                let times = times.expect("a page has the bytes of its file");
                let last = self.times[place].load(Ordering::Relaxed);
                let exact = self.writer(place) == index;
                assert!(times <= last && (!exact || times == last), "an old page");
            });
    }

    /// All that is on the disk is what was written last.
    fn audit(&self, disk: &Disk) {
        let mut arm = disk.open().expect("the copy is there");
        for (place, times) in self.times.iter().enumerate() {
            let bytes = arm.read(place).expect("the copy is readable");
            let last = times.load(Ordering::Relaxed);
            assert_eq!(self.files.times(place, &bytes), Some(last), "page {place}");
        }
    }
}

fn run<I: Index>(files: &Files, seconds: f64, threads: usize, budget: usize) -> Counts {
    let disk = Disk::new(files).expect("there is room for a copy");
    page::take_most();
    let run = Run::<I> {
        files,
        cache: Cache::new(files, &disk, budget),
        times: (0..files.pages()).map(|_| AtomicU64::new(0)).collect(),
        threads,
        end: Instant::now() + Duration::from_secs_f64(seconds),
    };
    let all = Mutex::new(Counts::default());
    let begin = Instant::now();
    thread::scope(|scope| {
        for index in 0..threads {
            let (run, disk, all) = (&run, &disk, &all);
            scope.spawn(move || {
                let counts = run.work(index, disk);
                all.lock().expect("nobody has panicked").add(&counts);
            });
        }
    });
    let took = begin.elapsed();
    let mut counts = all.into_inner().expect("nobody has panicked");
    run.cache.flush(&mut counts);
    run.audit(&disk);
    let left = run.cache.count();
    // Each thread may have put a request's pages in before it found the hand taken.
    assert!(left <= budget + SLACK + threads * MOST, "{left} pages");
    let most = page::take_most();
    drop(run);
    assert_eq!(page::live(), 0, "pages outlive their cache");
    show::<I>(&counts, took * threads as u32, took, (most, budget));
    counts
}

fn show<I: Index>(counts: &Counts, busy: Duration, took: Duration, (most, budget): (usize, usize)) {
    let share = |part: Duration| 100.0 * part.as_secs_f64() / busy.as_secs_f64();
    let mib = |pages: usize| pages * page::PAGE / (1 << 20);
    println!("{}", I::NAME);
    println!(
        "  {:.2} million pages looked up and compared a second, {:.1}% of them hits",
        counts.pages as f64 / took.as_secs_f64() / 1e6,
        100.0 * counts.hits as f64 / counts.pages as f64
    );
    println!(
        "  {:.0} ns to find a page, {:.2} million requests a second",
        counts.finding.as_nanos() as f64 / counts.pages as f64,
        counts.requests as f64 / took.as_secs_f64() / 1e6,
    );
    println!(
        "  time: finding {:.0}%, reading {:.0}%, evicting {:.0}%, comparing {:.0}%",
        share(counts.finding),
        share(counts.reading),
        share(counts.evicting),
        share(counts.checking)
    );
    println!(
        "  at most {} MiB of pages in memory for a budget of {}",
        mib(most),
        mib(budget)
    );
    println!(
        "  evicted {}, written back {}, cut off {}",
        counts.evicted, counts.written_back, counts.cut
    );
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folders: Vec<PathBuf> = match arguments.next() {
        Some(folder) => vec![folder.into()],
        None => {
            let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
            let names = ["smr-core", "smr-hashmap", "smr-list", "smr-radix", "target"];
            let folders = names.iter().map(|name| workspace.join(name));
            folders.filter(|folder| folder.is_dir()).collect()
        }
    };
    let mut number = || {
        let given = arguments.next();
        given.map(|text| text.parse::<f64>().expect("a number"))
    };
    let seconds = number().unwrap_or(1.0);
    let threads = (number().unwrap_or(4.0) as usize).max(1);
    let files = Files::read(&folders).expect("the folder is readable");
    assert!(files.pages() > 0, "there is nothing to read");
    let budget = number().map_or(files.pages() / ROOM, |bytes| bytes as usize / page::PAGE);
    let budget = budget.max(1);
    println!(
        "{} files, {} pages of 4 KiB, {threads} threads",
        files.count(),
        files.pages()
    );
    let ours = run::<RadixTree<u64, Page>>(&files, seconds, threads, budget);
    let theirs = run::<Locked>(&files, seconds, threads, budget);
    assert!(
        ours.hits > 0 && theirs.hits > 0,
        "nothing was served from memory"
    );
}
