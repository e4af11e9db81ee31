//! Memory for models, which overwrites nodes as soon as it may.

use std::collections::VecDeque;
use std::ptr::NonNull;
use std::sync::Mutex;

use loom::sync::Arc;
use smr_core::sync::{AtomicU32, Ordering, UnsafeCell, mutant};
use smr_core::{Guard, unprotected};

use crate::raw::node::{Memory, Node};
use crate::raw::segment::{Parcel, Segment};

pub(super) fn explore(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 50_000;
    builder.check(model);
}

/// Says when memory may be overwritten: when every section that was open at its
/// retirement has ended. The core's models show that a domain does as much; here
/// its steps would drown those of the lists. Enter, exit and retire are each one
/// exchange of one word.
#[derive(Clone)]
pub(super) struct Domain(Arc<Sections>);

struct Sections {
    word: AtomicU32,
    /// One bit for each open section, and how many there were.
    open: Mutex<(u64, u32)>,
}

impl Domain {
    pub(super) fn new() -> Self {
        Self(Arc::new(Sections {
            word: AtomicU32::new(0),
            open: Mutex::new((0, 0)),
        }))
    }

    /// Orders what came before with what comes after the same of others.
    fn meet(&self) -> std::sync::MutexGuard<'_, (u64, u32)> {
        // AcqRel: pairs with itself.
        self.0.word.fetch_add(1, Ordering::AcqRel);
        self.0.open.lock().unwrap()
    }

    pub(super) fn register(&self) -> Self {
        self.clone()
    }

    pub(super) fn pin(&self) -> Section {
        let mut open = self.meet();
        let bit = 1 << open.1;
        *open = (open.0 | bit, open.1 + 1);
        drop(open);
        Section(self.clone(), bit)
    }

    /// The sections that are open.
    fn now(&self) -> u64 {
        self.meet().0
    }
}

/// An open section.
pub(super) struct Section(Domain, u64);

impl std::ops::Deref for Section {
    type Target = Guard;

    fn deref(&self) -> &Guard {
        // SAFETY: `Shelves` looks at sections and not at guards.
        unsafe { unprotected() }
    }
}

impl Drop for Section {
    fn drop(&mut self) {
        let mut open = self.0.meet();
        open.0 &= !self.1;
    }
}

/// A branch of a model that has to run in some execution.
pub(super) struct Reached(&'static str, std::sync::atomic::AtomicU64);

impl Reached {
    pub(super) const fn new(what: &'static str) -> Self {
        Self(what, std::sync::atomic::AtomicU64::new(0))
    }

    pub(super) fn hit_if(&self, here: bool) {
        self.1
            .fetch_add(here.into(), std::sync::atomic::Ordering::Relaxed);
    }

    pub(super) fn check(&self) {
        let times = self.1.load(std::sync::atomic::Ordering::Relaxed);
        assert!(
            times != 0 || std::env::var_os("SMR_MUTANT").is_some(),
            "no execution in which {}",
            self.0
        );
    }
}

/// A value in a node: a number, in a cell that loom watches.
#[derive(Debug)]
pub(super) struct Item {
    number: UnsafeCell<u32>,
}

// SAFETY: loom fails the model when a write is not ordered with another access.
unsafe impl Sync for Item {}

const GONE: u32 = u32::MAX;

impl Item {
    pub(super) fn new(number: u32) -> Self {
        Self {
            number: UnsafeCell::new(number),
        }
    }

    #[track_caller]
    pub(super) fn read(&self) -> u32 {
        let number = self.number.with(|number| {
            // SAFETY: loom fails the model if a write is not ordered with it.
            unsafe { *number }
        });
        assert_ne!(number, GONE, "a reader holds what was reclaimed");
        number
    }

    /// Overwrites it, as reuse would. Its memory stays to the end of the execution.
    #[track_caller]
    fn reclaim(&self) {
        let was = self.number.with_mut(|number| {
            // SAFETY: loom fails the model if any access is not ordered with it.
            unsafe { number.replace(GONE) }
        });
        assert_ne!(was, GONE, "reclaimed twice");
    }
}

/// What a model's memory holds.
pub(super) trait Reclaim {
    /// Overwrites it, as reuse would.
    fn reclaim(&self);
}

impl Reclaim for Node<Item> {
    fn reclaim(&self) {
        self.value.reclaim();
    }
}

impl Reclaim for Parcel<Item> {
    fn reclaim(&self) {
        self.value.reclaim();
    }
}

impl Reclaim for Segment<Item> {
    fn reclaim(&self) {
        self.overwrite();
    }
}

struct Shelf<X> {
    all: Vec<NonNull<X>>,
    retired: VecDeque<(NonNull<X>, u64)>,
    /// Overwritten. Their memory stays to the end of the execution.
    free: Vec<NonNull<X>>,
}

/// The memory. Items stay allocated until it goes: loom's own objects must.
pub(super) struct Shelves<X: Reclaim> {
    domain: Domain,
    shelf: Mutex<Shelf<X>>,
}

// SAFETY: the items are behind the lock, or in the list.
unsafe impl<X: Reclaim> Send for Shelves<X> {}
// SAFETY: as above.
unsafe impl<X: Reclaim> Sync for Shelves<X> {}

impl<X: Reclaim> Shelves<X> {
    pub(super) fn new(domain: &Domain) -> Self {
        Self {
            domain: domain.clone(),
            shelf: Mutex::new(Shelf {
                all: Vec::new(),
                retired: VecDeque::new(),
                free: Vec::new(),
            }),
        }
    }

    /// Reclaims what no section holds up.
    pub(super) fn collect(&self) {
        let open = self.domain.now();
        let mut shelf = self.shelf.lock().unwrap();
        let all = mutant("reclaim_at_once");
        let (go, stay) = std::mem::take(&mut shelf.retired)
            .into_iter()
            .partition::<VecDeque<_>, _>(|(_, held)| all || held & open == 0);
        shelf.retired = stay;
        drop(shelf);
        for (item, _) in go {
            // SAFETY: it stays allocated.
            unsafe { item.as_ref() }.reclaim();
            self.shelf.lock().unwrap().free.push(item);
        }
    }

    /// Whether it was retired.
    pub(super) fn is_gone(&self, item: NonNull<X>) -> bool {
        let shelf = self.shelf.lock().unwrap();
        let mut retired = shelf.retired.iter().map(|(item, _)| *item);
        retired.any(|other| other == item) || shelf.free.contains(&item)
    }

    /// Whether some item was overwritten already.
    pub(super) fn reused(&self) -> bool {
        let shelf = self.shelf.lock().unwrap();
        !shelf.free.is_empty()
    }
}

impl<X: Reclaim> Memory<X> for Shelves<X> {
    fn make(&self, _guard: &Guard, item: X) -> NonNull<X> {
        let item = NonNull::from(Box::leak(Box::new(item)));
        self.shelf.lock().unwrap().all.push(item);
        item
    }

    unsafe fn retire(&self, _guard: &Guard, item: NonNull<X>) {
        let held = self.domain.now();
        assert!(!self.is_gone(item), "retired twice");
        self.shelf.lock().unwrap().retired.push_back((item, held));
        self.collect();
    }

    unsafe fn take(&self, item: NonNull<X>) -> X {
        assert!(!self.is_gone(item), "taken and retired");
        let mut shelf = self.shelf.lock().unwrap();
        let at = shelf.all.iter().position(|other| *other == item);
        shelf.all.swap_remove(at.expect("taken back twice"));
        // SAFETY: leaked by `make`, and the caller's promise.
        *unsafe { Box::from_raw(item.as_ptr()) }
    }
}

impl<X: Reclaim> Drop for Shelves<X> {
    fn drop(&mut self) {
        for item in &self.shelf.lock().unwrap().all {
            // SAFETY: leaked by `make`; the model is over.
            drop(unsafe { Box::from_raw(item.as_ptr()) });
        }
    }
}

/// A thread of the model that enters sections.
pub(super) fn spawn<F>(domain: &Domain, f: F) -> loom::thread::JoinHandle<()>
where
    F: FnOnce(&dyn Fn() -> Section) + Send + 'static,
{
    let domain = domain.clone();
    loom::thread::spawn(move || f(&|| domain.pin()))
}
