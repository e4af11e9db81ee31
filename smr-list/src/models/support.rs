//! Memory for models, which overwrites nodes as soon as it may.

use std::collections::VecDeque;
use std::ptr::NonNull;
use std::sync::Mutex;

use smr_core::sync::{UnsafeCell, mutant};
use smr_core::{Domain, Guard, Seq};

use crate::raw::node::{Edge, Memory, Node};

pub(super) fn explore(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 50_000;
    builder.check(model);
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

/// What a model's values are: something with an item in it, if it has one.
pub(super) trait Shown {
    fn item(&self) -> Option<&Item>;
}

impl Shown for Item {
    fn item(&self) -> Option<&Item> {
        Some(self)
    }
}

impl Shown for Option<Item> {
    fn item(&self) -> Option<&Item> {
        self.as_ref()
    }
}

struct Shelf<T> {
    all: Vec<NonNull<Node<T>>>,
    retired: VecDeque<(NonNull<Node<T>>, Seq)>,
    /// Overwritten. Their memory stays to the end of the execution.
    free: Vec<NonNull<Node<T>>>,
}

/// The memory. Nodes stay allocated until it goes: loom's own objects must.
pub(super) struct Shelves<T: Shown> {
    domain: Domain,
    shelf: Mutex<Shelf<T>>,
}

// SAFETY: the nodes are behind the lock, or in the list.
unsafe impl<T: Shown> Send for Shelves<T> {}
// SAFETY: as above.
unsafe impl<T: Shown> Sync for Shelves<T> {}

impl<T: Shown> Shelves<T> {
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

    /// Reclaims what has expired.
    fn collect(&self) {
        loop {
            let oldest = self.shelf.lock().unwrap().retired.pop_front();
            let Some((node, goal)) = oldest else { return };
            if !mutant("reclaim_at_once") && !self.domain.poll(goal) {
                self.shelf.lock().unwrap().retired.push_front((node, goal));
                return;
            }
            // SAFETY: it stays allocated.
            if let Some(item) = unsafe { node.as_ref() }.value.item() {
                item.reclaim();
            }
            self.shelf.lock().unwrap().free.push(node);
        }
    }

    /// Whether some node was overwritten already.
    pub(super) fn reused(&self) -> bool {
        let shelf = self.shelf.lock().unwrap();
        !shelf.free.is_empty()
    }
}

impl<T: Shown> Memory<T> for Shelves<T> {
    fn make(&self, _guard: &Guard, value: T, next: Edge<T>) -> NonNull<Node<T>> {
        let _ = next;
        self.make_alone(value)
    }

    fn make_alone(&self, value: T) -> NonNull<Node<T>> {
        let node = Box::into_raw(Box::new(Node::new(value, Edge::end())));
        let node = NonNull::new(node).unwrap();
        self.shelf.lock().unwrap().all.push(node);
        node
    }

    unsafe fn retire(&self, _guard: &Guard, node: NonNull<Node<T>>) {
        let goal = self.domain.advance();
        let mut shelf = self.shelf.lock().unwrap();
        let again = shelf.retired.iter().any(|(other, _)| *other == node);
        assert!(!again && !shelf.free.contains(&node), "retired twice");
        shelf.retired.push_back((node, goal));
        drop(shelf);
        self.collect();
    }

    unsafe fn take(&self, node: NonNull<Node<T>>) -> T {
        let mut shelf = self.shelf.lock().unwrap();
        let at = shelf.all.iter().position(|other| *other == node);
        shelf.all.swap_remove(at.expect("taken back twice"));
        let retired = shelf.retired.iter().any(|(other, _)| *other == node);
        assert!(!retired && !shelf.free.contains(&node), "taken and retired");
        // SAFETY: made by `make_alone`, and the caller's promise.
        unsafe { Box::from_raw(node.as_ptr()) }.value
    }
}

impl<T: Shown> Drop for Shelves<T> {
    fn drop(&mut self) {
        for node in &self.shelf.lock().unwrap().all {
            // SAFETY: made by `make_alone`; the model is over.
            drop(unsafe { Box::from_raw(node.as_ptr()) });
        }
    }
}

/// A domain, and a thread of the model that enters sections of it.
pub(super) fn spawn<F>(domain: &Domain, f: F) -> loom::thread::JoinHandle<()>
where
    F: FnOnce(&dyn Fn() -> Guard) + Send + 'static,
{
    let domain = domain.clone();
    loom::thread::spawn(move || {
        let handle = domain.register();
        f(&|| handle.pin());
    })
}
