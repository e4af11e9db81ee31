//! What a cache asks of the structure that finds the pages of a file by their number,
//! and two structures that can.

use std::collections::BTreeMap;
use std::ops::{Deref, Range};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use smr_core::PoolGuard;
use smr_radix::{Mark, RadixTree};

use crate::page::Page;

/// Finds pages by their number. A page that was found stays in memory as long as it is
/// held, whoever takes it out meanwhile.
pub(crate) trait Index: Send + Sync + Sized {
    const NAME: &'static str;
    /// What a request holds from its beginning to its end.
    type Guard<'i>
    where
        Self: 'i;
    /// A page that was found.
    type Held<'h>: Deref<Target = Page>
    where
        Self: 'h;

    fn new() -> Self;
    fn guard(&self) -> Self::Guard<'_>;
    fn len(&self) -> usize;
    /// Hands over the pages of a range that are there, and marks them as accessed.
    fn find<'h>(
        &'h self,
        numbers: Range<u64>,
        guard: &'h Self::Guard<'_>,
        each: impl FnMut(u64, Self::Held<'h>),
    );
    /// Puts a page in, unless there is one; the one that is there then.
    fn put<'h>(
        &'h self,
        number: u64,
        page: Page,
        guard: &'h Self::Guard<'_>,
    ) -> Result<Self::Held<'h>, Self::Held<'h>>;
    /// Puts a dirty page in the place of one, if that is still there; whether it was.
    fn exchange<'h>(
        &'h self,
        number: u64,
        old: &Self::Held<'h>,
        page: Page,
        guard: &'h Self::Guard<'_>,
    ) -> bool;
    /// Takes a page out, if it is still there; whether it was.
    fn remove<'h>(&'h self, number: u64, old: &Self::Held<'h>, guard: &'h Self::Guard<'_>) -> bool;
    /// Takes out a range; how many there were.
    fn cut(&self, numbers: Range<u64>, guard: &Self::Guard<'_>) -> usize;
    /// Goes over so many pages from a number on: the mark of those that were accessed
    /// is cleared, the others are handed over. Where to go on, if there are more.
    fn turn<'h>(
        &'h self,
        from: u64,
        count: usize,
        guard: &'h Self::Guard<'_>,
        idle: impl FnMut(u64, Self::Held<'h>),
    ) -> Option<u64>;
    /// Clears the mark of the dirty pages, and then hands them over.
    fn dirty<'h>(&'h self, guard: &'h Self::Guard<'_>, each: impl FnMut(u64, Self::Held<'h>));
}

impl Index for RadixTree<u64, Page> {
    const NAME: &'static str = "RadixTree";
    type Guard<'i> = PoolGuard<'i>;
    type Held<'h> = &'h Page;

    fn new() -> Self {
        Self::new()
    }

    fn guard(&self) -> PoolGuard<'_> {
        self.guard()
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn find<'h>(
        &'h self,
        numbers: Range<u64>,
        guard: &'h PoolGuard<'_>,
        mut each: impl FnMut(u64, &'h Page),
    ) {
        if numbers.end == numbers.start + 1 {
            if let Some(page) = self.get(numbers.start, guard) {
                each(numbers.start, page);
                self.set_mark(numbers.start, Mark::ACCESSED, guard);
            }
            return;
        }
        for (number, page) in self.range(numbers.clone(), guard) {
            each(number, page);
        }
        self.set_mark_range(numbers, Mark::ACCESSED, guard);
    }

    fn put<'h>(
        &'h self,
        number: u64,
        page: Page,
        guard: &'h PoolGuard<'_>,
    ) -> Result<&'h Page, &'h Page> {
        let put = self.try_insert(number, page, guard);
        put.map_err(|occupied| occupied.current)
    }

    fn exchange<'h>(
        &'h self,
        number: u64,
        old: &&'h Page,
        page: Page,
        guard: &'h PoolGuard<'_>,
    ) -> bool {
        let done = self.compare_exchange(number, old, page, guard).is_ok();
        if done {
            // After the page, which says itself that it is not clean: so whoever clears
            // the mark finds this page, or a later one.
            self.set_mark(number, Mark::DIRTY, guard);
        }
        done
    }

    fn remove<'h>(&'h self, number: u64, old: &&'h Page, guard: &'h PoolGuard<'_>) -> bool {
        let same = |page: &'h Page| std::ptr::eq(page, *old);
        self.remove_if(number, same, guard).is_some()
    }

    fn cut(&self, numbers: Range<u64>, guard: &PoolGuard<'_>) -> usize {
        self.remove_range(numbers, guard)
    }

    fn turn<'h>(
        &'h self,
        from: u64,
        count: usize,
        guard: &'h PoolGuard<'_>,
        mut idle: impl FnMut(u64, &'h Page),
    ) -> Option<u64> {
        let mut pages = self.range(from.., guard);
        for (number, page) in pages.by_ref().take(count) {
            if self.test_mark(number, Mark::ACCESSED, guard) {
                self.clear_mark(number, Mark::ACCESSED, guard);
            } else {
                idle(number, page);
            }
        }
        pages.next().map(|(number, _)| number)
    }

    fn dirty<'h>(&'h self, guard: &'h PoolGuard<'_>, mut each: impl FnMut(u64, &'h Page)) {
        for (number, _) in self.iter_marked(Mark::DIRTY, guard) {
            self.clear_mark(number, Mark::DIRTY, guard);
            if let Some(page) = self.get(number, guard) {
                each(number, page);
            }
        }
    }
}

/// A page behind a lock.
pub(crate) struct Entry {
    page: Arc<Page>,
    marks: AtomicU8,
}

const ACCESSED: u8 = 1;
const DIRTY: u8 = 2;

impl Entry {
    /// The mark is read before it is written, so that readers do not write for
    /// nothing.
    fn mark(&self, mark: u8) {
        if self.marks.load(Ordering::Relaxed) & mark == 0 {
            self.marks.fetch_or(mark, Ordering::Relaxed);
        }
    }

    /// Clears a mark; whether it was set.
    fn clear(&self, mark: u8) -> bool {
        let marks = self.marks.load(Ordering::Relaxed);
        marks & mark != 0 && self.marks.fetch_and(!mark, Ordering::Relaxed) & mark != 0
    }
}

pub(crate) type Locked = RwLock<BTreeMap<u64, Entry>>;

fn reading(lock: &Locked) -> RwLockReadGuard<'_, BTreeMap<u64, Entry>> {
    lock.read().expect("nobody panics inside")
}

fn writing(lock: &Locked) -> RwLockWriteGuard<'_, BTreeMap<u64, Entry>> {
    lock.write().expect("nobody panics inside")
}

/// Pages are counted, so that the lock is held for as long as it takes to find them and
/// no longer.
impl Index for Locked {
    const NAME: &'static str = "RwLock<BTreeMap>";
    type Guard<'i> = ();
    type Held<'h> = Arc<Page>;

    fn new() -> Self {
        Self::default()
    }

    fn guard(&self) {}

    fn len(&self) -> usize {
        reading(self).len()
    }

    fn find<'h>(&'h self, numbers: Range<u64>, (): &'h (), mut each: impl FnMut(u64, Arc<Page>)) {
        for (&number, entry) in reading(self).range(numbers) {
            entry.mark(ACCESSED);
            each(number, Arc::clone(&entry.page));
        }
    }

    fn put(&self, number: u64, page: Page, (): &()) -> Result<Arc<Page>, Arc<Page>> {
        use std::collections::btree_map::Entry::{Occupied, Vacant};
        let page = Arc::new(page);
        match writing(self).entry(number) {
            Occupied(there) => Err(Arc::clone(&there.get().page)),
            Vacant(place) => {
                place.insert(Entry {
                    page: Arc::clone(&page),
                    marks: AtomicU8::new(0),
                });
                Ok(page)
            }
        }
    }

    fn exchange(&self, number: u64, old: &Arc<Page>, page: Page, (): &()) -> bool {
        match writing(self).get_mut(&number) {
            Some(entry) if Arc::ptr_eq(&entry.page, old) => {
                entry.page = Arc::new(page);
                entry.mark(DIRTY);
                true
            }
            _ => false,
        }
    }

    fn remove(&self, number: u64, old: &Arc<Page>, (): &()) -> bool {
        let mut pages = writing(self);
        let same = |entry: &Entry| Arc::ptr_eq(&entry.page, old);
        let found = pages.get(&number).is_some_and(same);
        if found {
            pages.remove(&number);
        }
        found
    }

    fn cut(&self, numbers: Range<u64>, (): &()) -> usize {
        let mut pages = writing(self);
        let there: Vec<u64> = pages.range(numbers).map(|(number, _)| *number).collect();
        for number in &there {
            pages.remove(number);
        }
        there.len()
    }

    fn turn<'h>(
        &'h self,
        from: u64,
        count: usize,
        (): &'h (),
        mut idle: impl FnMut(u64, Arc<Page>),
    ) -> Option<u64> {
        let pages = reading(self);
        let mut found = pages.range(from..);
        for (&number, entry) in found.by_ref().take(count) {
            if !entry.clear(ACCESSED) {
                idle(number, Arc::clone(&entry.page));
            }
        }
        found.next().map(|(number, _)| *number)
    }

    fn dirty<'h>(&'h self, (): &'h (), mut each: impl FnMut(u64, Arc<Page>)) {
        // The lock is not held while pages are written.
        let pages = reading(self);
        let marked = pages.iter().filter(|(_, entry)| entry.clear(DIRTY));
        let marked: Vec<_> = marked
            .map(|(&number, entry)| (number, Arc::clone(&entry.page)))
            .collect();
        drop(pages);
        for (number, page) in marked {
            each(number, page);
        }
    }
}
