//! Memory for models, which overwrites nodes as soon as it may.

use std::collections::VecDeque;
use std::ptr::NonNull;
use std::sync::Mutex;

use smr_core::Guard;
pub(super) use smr_core::sync::model::{Number as Item, Reached, Section, Sections, explore};
use smr_core::sync::mutant;

use crate::raw::node::{Memory, Node};
use crate::raw::segment::{Parcel, Segment};

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
    domain: Sections,
    shelf: Mutex<Shelf<X>>,
}

// SAFETY: the items are behind the lock, or in the list.
unsafe impl<X: Reclaim> Send for Shelves<X> {}
// SAFETY: as above.
unsafe impl<X: Reclaim> Sync for Shelves<X> {}

impl<X: Reclaim> Shelves<X> {
    pub(super) fn new(domain: &Sections) -> Self {
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
pub(super) fn spawn<F>(domain: &Sections, f: F) -> loom::thread::JoinHandle<()>
where
    F: FnOnce(&dyn Fn() -> Section) + Send + 'static,
{
    let domain = domain.clone();
    loom::thread::spawn(move || f(&|| domain.pin()))
}
