//! Memory for models, which overwrites nodes as soon as it may.

use std::collections::VecDeque;
use std::ptr::NonNull;
use std::sync::Mutex;

use loom::sync::Arc;
use smr_core::sync::{AtomicU32, Ordering, UnsafeCell, mutant};
use smr_core::{Guard, unprotected};

use crate::raw::node::{Edge, Memory, Node};

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
    retired: VecDeque<(NonNull<Node<T>>, u64)>,
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
        for (node, _) in go {
            // SAFETY: it stays allocated.
            if let Some(item) = unsafe { node.as_ref() }.value.item() {
                item.reclaim();
            }
            self.shelf.lock().unwrap().free.push(node);
        }
    }

    /// Whether what the edge leads to was retired.
    pub(super) fn is_gone(&self, edge: Edge<T>) -> bool {
        let shelf = self.shelf.lock().unwrap();
        let retired = shelf.retired.iter().map(|(node, _)| *node);
        edge.node()
            .is_some_and(|node| retired.chain(shelf.free.iter().copied()).any(|n| n == node))
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
        let held = self.domain.now();
        let mut shelf = self.shelf.lock().unwrap();
        let again = shelf.retired.iter().any(|(other, _)| *other == node);
        assert!(!again && !shelf.free.contains(&node), "retired twice");
        shelf.retired.push_back((node, held));
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

/// A thread of the model that enters sections.
pub(super) fn spawn<F>(domain: &Domain, f: F) -> loom::thread::JoinHandle<()>
where
    F: FnOnce(&dyn Fn() -> Section) + Send + 'static,
{
    let domain = domain.clone();
    loom::thread::spawn(move || f(&|| domain.pin()))
}
