//! The cache: one tree of pages a file, a budget for all of them, and a hand that goes
//! round over the pages and takes out those that nobody has asked for since it last
//! came by.
//!
//! A page is put in before it is read, so that all who ask for it get the same one,
//! and it is not taken out before it has been read. A page that is written is a new
//! one in the place of the old, which whoever holds it goes on reading. One thread at
//! a time has the hand: it alone writes pages to the disk, each time the one that is
//! found just then, so an older one never follows a newer.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::files::{Arm, Disk, Files};
use crate::index::Index;
use crate::page::{Bytes, Page};

/// The most pages that a request may ask for.
pub(crate) const MOST: usize = 16;
/// Pages that the hand goes over between two looks at the budget.
const TURN: usize = 64;
/// Whoever finds so many pages too many waits for the hand.
pub(crate) const SLACK: usize = 64;

/// Where time goes, and how often.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) pages: u64,
    pub(crate) hits: u64,
    pub(crate) evicted: u64,
    pub(crate) written_back: u64,
    pub(crate) cut: u64,
    /// Asking the structure for pages.
    pub(crate) finding: Duration,
    /// Putting pages in and reading them.
    pub(crate) reading: Duration,
    /// Making room, and writing back.
    pub(crate) evicting: Duration,
    /// Comparing what was served.
    pub(crate) checking: Duration,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.pages += other.pages;
        self.hits += other.hits;
        self.evicted += other.evicted;
        self.written_back += other.written_back;
        self.cut += other.cut;
        self.finding += other.finding;
        self.reading += other.reading;
        self.evicting += other.evicting;
        self.checking += other.checking;
    }
}

struct Hand {
    file: usize,
    next: u64,
    arm: Arm,
}

pub(crate) struct Cache<'f, I> {
    files: &'f Files,
    trees: Vec<I>,
    /// Pages that it may have.
    budget: usize,
    pages: AtomicUsize,
    hand: Mutex<Hand>,
}

impl<'f, I: Index> Cache<'f, I> {
    pub(crate) fn new(files: &'f Files, disk: &Disk, budget: usize) -> Self {
        Self {
            files,
            trees: (0..files.count()).map(|_| I::new()).collect(),
            budget,
            pages: AtomicUsize::new(0),
            hand: Mutex::new(Hand {
                file: 0,
                next: 0,
                arm: disk.open().expect("the copy is there"),
            }),
        }
    }

    /// Serves a range of pages of a file: each, with its place, to `check`.
    pub(crate) fn serve(
        &self,
        file: usize,
        numbers: Range<u64>,
        arm: &mut Arm,
        counts: &mut Counts,
        mut check: impl FnMut(usize, &Bytes),
    ) {
        let begin = Instant::now();
        let tree = &self.trees[file];
        let guard = tree.guard();
        let mut held = [const { None }; MOST];
        let mut hits = 0;
        tree.find(numbers.clone(), &guard, |number, page| {
            held[(number - numbers.start) as usize] = Some(page);
            hits += 1;
        });
        let found = Instant::now();
        let asked = numbers.end - numbers.start;
        let pages = &mut held[..asked as usize];
        if hits < asked {
            for (number, page) in numbers.clone().zip(pages.iter_mut()) {
                if page.is_none() {
                    *page = Some(self.put(tree, number, &guard));
                }
            }
        }
        // Others may have put in what they have not read yet.
        let bytes = |number: u64, page: &Page, arm: &mut Arm| {
            let place = self.files.place(file, number);
            let read = || arm.read(place).expect("the copy is readable");
            page.bytes_or_read(read);
        };
        for (number, page) in numbers.clone().zip(pages.iter().flatten()) {
            bytes(number, page, arm);
        }
        let read = Instant::now();
        for (number, page) in numbers.zip(pages.iter().flatten()) {
            let bytes = page.bytes().expect("they were read just now");
            check(self.files.place(file, number), bytes);
        }
        counts.requests += 1;
        counts.pages += asked;
        counts.hits += hits;
        counts.finding += found - begin;
        counts.reading += read - found;
        counts.checking += read.elapsed();
        drop(held);
        drop(guard);
        if self.pages.load(Ordering::Relaxed) > self.budget {
            self.evict(counts);
        }
    }

    /// The page that is there, or an empty one.
    fn put<'h>(&self, tree: &'h I, number: u64, guard: &'h I::Guard<'_>) -> I::Held<'h> {
        match tree.put(number, Page::empty(), guard) {
            Ok(new) => {
                self.pages.fetch_add(1, Ordering::Relaxed);
                new
            }
            Err(there) => there,
        }
    }

    /// Writes a page, as one that was read before.
    pub(crate) fn write(
        &self,
        file: usize,
        number: u64,
        arm: &mut Arm,
        mut make: impl FnMut() -> Page,
    ) {
        let tree = &self.trees[file];
        let guard = tree.guard();
        loop {
            let page = self.put(tree, number, &guard);
            let place = self.files.place(file, number);
            page.bytes_or_read(|| arm.read(place).expect("the copy is readable"));
            if tree.exchange(number, &page, make(), &guard) {
                break;
            }
        }
    }

    /// Takes the pages of a file from a number on out: as when it is cut off there.
    pub(crate) fn truncate(&self, file: usize, from: u64, counts: &mut Counts) {
        let tree = &self.trees[file];
        let cut = tree.cut(from..self.files.pages_of(file), &tree.guard());
        self.pages.fetch_sub(cut, Ordering::Relaxed);
        counts.cut += cut as u64;
    }

    /// Goes round until there are few enough pages.
    fn evict(&self, counts: &mut Counts) {
        let begin = Instant::now();
        let over = self
            .pages
            .load(Ordering::Relaxed)
            .saturating_sub(self.budget);
        let hand = if over > SLACK {
            self.hand.lock().ok()
        } else {
            // Another thread is at it.
            self.hand.try_lock().ok()
        };
        let Some(mut hand) = hand else {
            return;
        };
        let hand = &mut *hand;
        while self.pages.load(Ordering::Relaxed) > self.budget {
            let (file, tree) = (hand.file, &self.trees[hand.file]);
            let guard = tree.guard();
            let mut idle = Vec::with_capacity(TURN);
            let next = tree.turn(hand.next, TURN, &guard, |number, page| {
                idle.push((number, page));
            });
            for (number, page) in idle {
                let Some(bytes) = page.bytes() else {
                    // It is being read.
                    continue;
                };
                if !page.is_clean() {
                    self.write_back(file, number, bytes, &mut hand.arm);
                    page.cleaned();
                    counts.written_back += 1;
                }
                if tree.remove(number, &page, &guard) {
                    self.pages.fetch_sub(1, Ordering::Relaxed);
                    counts.evicted += 1;
                }
            }
            hand.next = next.unwrap_or(0);
            if next.is_none() {
                hand.file = (file + 1) % self.trees.len();
            }
        }
        counts.evicting += begin.elapsed();
    }

    /// Writes all dirty pages back, unless another thread has the hand.
    pub(crate) fn flush(&self, counts: &mut Counts) {
        let begin = Instant::now();
        let Ok(mut hand) = self.hand.try_lock() else {
            return;
        };
        for (file, tree) in self.trees.iter().enumerate() {
            let guard = tree.guard();
            tree.dirty(&guard, |number, page| {
                if let Some(bytes) = page.bytes()
                    && !page.is_clean()
                {
                    self.write_back(file, number, bytes, &mut hand.arm);
                    page.cleaned();
                    counts.written_back += 1;
                }
            });
        }
        counts.evicting += begin.elapsed();
    }

    fn write_back(&self, file: usize, number: u64, bytes: &Bytes, arm: &mut Arm) {
        let place = self.files.place(file, number);
        arm.write(place, bytes).expect("the copy is writable");
    }

    /// Pages in it, counted one by one.
    pub(crate) fn count(&self) -> usize {
        let counted = self.trees.iter().map(Index::len).sum();
        assert_eq!(counted, self.pages.load(Ordering::Relaxed));
        counted
    }
}
