//! The pools of a domain that have destructors to run.
//!
//! A pool belongs to a structure and keeps what it retired itself. For readers
//! that leave, threads that go and `barrier`, the domain must reach it; so a
//! pool of items with destructors stands in a list of its domain while it has
//! garbage. Pools of plain items do not: what they hold is just free memory.
//!
//! Where the domain has a limit every pool stands in the list: what waits in it
//! is on the account, and must come off when no reader holds it up, whether or
//! not anyone allocates again. The destructors of a scoped pool are none of the
//! domain's business (see [`crate::Pool::scoped`]): there it only does the
//! accounts, and without a limit never lists it.
//!
//! A node is in the list if its caches are *dirty* (something was retired since
//! they were last gathered) or its depot holds garbage. A sweep marks nodes in
//! batches, works on them without the lock, takes the mark off again, and takes
//! the node out if it is clean. A pool that is dropped meanwhile waits for the
//! mark to go, unless it is dropped by one of its own items, under the sweep:
//! then it tells the sweep's frame.
//!
//! A mark names its thread: in a forked child those of vanished threads are
//! void. The pool of a vanished thread's sweep is in the list still. Should the
//! list itself be lost (the lock was held), a pool is listed again when the next
//! item is retired to it: what is dirty is so in one generation of the process.
//!
//! # Orderings
//!
//! `dirty` is Relaxed: what it speaks of is behind latches, whose order it borrows
//! (see `note_dirty`). `LAST_ID` only tells numbers apart.

use core::cell::Cell;
use core::num::NonZeroU64;
use core::ptr;

use alloc::vec::Vec;

use crate::fork;
use crate::raw::inner::Inner;
use crate::run;
use crate::sync::{AtomicU32, Ordering, mutant, process, yield_now};

/// Nodes that a gathering sweep holds at once; they share one heavy barrier.
const BATCH: usize = 64;

/// What a sweep asks of a pool. The pointer is to a live pool's node.
pub(crate) struct Ops {
    /// Whether the domain may run the pool: its values own what they refer to,
    /// or have no destructor.
    pub(crate) reached: bool,
    /// Claims the latches of all caches.
    pub(crate) claim: unsafe fn(*const Node),
    /// After a heavy barrier: moves what the claimed caches hold to the depot,
    /// gives the latches back, and tells whether an owner was inside.
    pub(crate) gather: unsafe fn(*const Node, gather: bool) -> bool,
    /// Runs the destructors of what has expired in the depot.
    pub(crate) run: unsafe fn(*const Node, &Frame) -> run::Panic,
    /// Takes what has expired in the depot off the accounts, where that is all
    /// that the domain may do.
    pub(crate) write_off: unsafe fn(*const Node),
    /// Whether the depot holds garbage with a goal of at most this.
    pub(crate) has_garbage: unsafe fn(*const Node, u64) -> bool,
    /// Whether the depot holds what is on the accounts.
    pub(crate) owes: unsafe fn(*const Node) -> bool,
}

pub(crate) struct Node {
    ops: &'static Ops,
    /// 0, or the generation (plus one) in which the caches became dirty.
    dirty: AtomicU32,
    // All below: behind the lock of the domain's list.
    /// The list that it stands in; 0 for none.
    list: Cell<u32>,
    /// Who works on the pool.
    mark: Cell<Option<Worker>>,
    /// Who waits to drop the pool: nobody marks it any more.
    going: Cell<Option<Worker>>,
    prev: Cell<*const Node>,
    next: Cell<*const Node>,
}

// SAFETY: the cells are only touched behind the lock of the list.
unsafe impl Sync for Node {}
// SAFETY: as above.
unsafe impl Send for Node {}

/// A sweep that runs destructors of a pool.
pub(crate) struct Frame {
    /// The pool went while one of its items was being dropped: touch it no more.
    pub(crate) dead: Cell<bool>,
    /// What to call then, when the item is gone: frees the memory.
    pub(crate) bequest: Cell<Option<Bequest>>,
}

/// A pool's memory, left to the frame in which it was dropped.
pub(crate) struct Bequest {
    pub(crate) pool: *mut Node,
    pub(crate) free: unsafe fn(*mut Node),
}

pub(crate) struct PoolList {
    id: u32,
    head: Option<NodeRef>,
    tail: Option<NodeRef>,
    len: usize,
    /// Sweeps that run destructors, and of which pool.
    frames: Vec<(NodeRef, FrameRef)>,
}

impl Default for PoolList {
    fn default() -> Self {
        static LAST_ID: process::AtomicU32 = process::AtomicU32::new(0);
        Self {
            id: LAST_ID.fetch_add(1, Ordering::Relaxed).wrapping_add(1),
            head: None,
            tail: None,
            len: 0,
            frames: Vec::new(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeRef(*const Node);

// SAFETY: a node in the list is alive: a pool takes its node out before it goes.
unsafe impl Send for NodeRef {}

#[derive(Clone, Copy, PartialEq, Eq)]
struct FrameRef(*const Frame);

// SAFETY: only the thread whose frame it is looks into it.
unsafe impl Send for FrameRef {}

impl NodeRef {
    /// From a pointer to the whole pool: a reference to the node would not reach
    /// beyond it.
    pub(crate) fn new(pool: *const Node) -> Self {
        Self(pool)
    }

    /// Puts the node in the list.
    #[cold]
    #[inline(never)]
    pub(crate) fn link(self, domain: &Inner) {
        let node = self.get();
        debug_assert!(
            node.is_listed(domain),
            "the domain must not reach this pool"
        );
        domain.pools.with(|list| {
            node.dirty.store(today(), Ordering::Relaxed);
            list.push_back(self);
        });
    }

    fn get(&self) -> &Node {
        // SAFETY: see the impl of `Send`; the list is only touched with its lock.
        unsafe { &*self.0 }
    }
}

fn today() -> u32 {
    fork::generation().wrapping_add(1)
}

/// A thread, by generation and token.
#[derive(Clone, Copy)]
struct Worker(NonZeroU64);

impl Worker {
    /// Generation in the high half, token in the low one. Tokens of two threads
    /// could meet after 2^32 threads: then one may think itself the other.
    fn this_thread() -> Self {
        let high = u64::from(today()) << 32;
        let low = u64::from(fork::token() as u32);
        // A generation of `u32::MAX` would give 0; the child of so many forks.
        Self(NonZeroU64::new(high | low).unwrap_or(NonZeroU64::MIN))
    }

    fn token(self) -> usize {
        self.0.get() as u32 as usize
    }

    fn is_alive(self) -> bool {
        let generation = ((self.0.get() >> 32) as u32).wrapping_sub(1);
        fork::is_alive(generation, self.token())
    }

    fn is_this_thread(self) -> bool {
        self.token() != 0 && self.token() == fork::token() as u32 as usize
    }
}

impl Node {
    pub(crate) fn new(ops: &'static Ops) -> Self {
        Self {
            ops,
            dirty: AtomicU32::new(0),
            list: Cell::new(0),
            mark: Cell::new(None),
            going: Cell::new(None),
            prev: Cell::new(ptr::null()),
            next: Cell::new(ptr::null()),
        }
    }

    /// Notes that a cache holds garbage. Called by the owner of a cache, behind
    /// its latch, after it put something in.
    #[inline(always)]
    pub(crate) fn note_dirty(&self, domain: &Inner, this: NodeRef) {
        // A sweep says "clean" before it claims the latches. Either its look at
        // ours finds us inside, and it says "dirty" again; or our latch was
        // entered after it gave it back, and we see "clean" here.
        if self.dirty.load(Ordering::Relaxed) != today() && !mutant("dirty_not_noted") {
            this.link(domain);
        }
    }

    /// Whether the list may hold it.
    fn is_listed(&self, domain: &Inner) -> bool {
        self.is_reached() || domain.is_limited()
    }

    /// Whether the domain may run its destructors.
    #[inline(always)]
    pub(crate) fn is_reached(&self) -> bool {
        self.ops.reached
    }

    fn is_marked(&self) -> bool {
        self.mark.get().is_some_and(Worker::is_alive)
    }

    /// Marks the node for the calling thread, unless it is marked.
    fn try_mark(&self) -> bool {
        let free = !self.is_marked() && !self.going.get().is_some_and(Worker::is_alive);
        if free {
            self.mark.set(Some(Worker::this_thread()));
        }
        free
    }

    /// Takes the node out of the list for good, and waits for a sweep that holds
    /// it. Returns the frame of the sweep if this thread is inside it.
    pub(crate) fn unlink(&self, domain: &Inner) -> Option<*const Frame> {
        loop {
            let state = domain.pools.with(|list| {
                self.going.set(Some(Worker::this_thread()));
                if !self.is_marked() {
                    list.remove(self);
                    return Some(None);
                }
                let ours = self.mark.get().is_some_and(Worker::is_this_thread);
                // A thread that marks without a frame runs no user code.
                let frame = list.frame_of(self).filter(|_| ours);
                frame.map(|frame| {
                    list.remove(self);
                    Some(frame)
                })
            });
            match state {
                Some(outcome) => return outcome,
                None => yield_now(),
            }
        }
    }
}

impl PoolList {
    fn push_back(&mut self, this: NodeRef) {
        let node = this.get();
        if node.list.get() == self.id {
            return;
        }
        node.list.set(self.id);
        node.next.set(ptr::null());
        node.prev.set(self.tail.map_or(ptr::null(), |tail| tail.0));
        match self.tail {
            Some(tail) => tail.get().next.set(this.0),
            None => self.head = Some(this),
        }
        self.tail = Some(this);
        self.len += 1;
    }

    fn remove(&mut self, node: &Node) {
        if node.list.get() != self.id {
            return;
        }
        let (prev, next) = (node.prev.get(), node.next.get());
        match NodeRef::of(prev) {
            Some(prev) => prev.get().next.set(next),
            None => self.head = NodeRef::of(next),
        }
        match NodeRef::of(next) {
            Some(next) => next.get().prev.set(prev),
            None => self.tail = NodeRef::of(prev),
        }
        node.list.set(0);
        self.len -= 1;
    }

    /// Moves `most` nodes from the front to the back, and returns those of them
    /// that it could mark.
    fn mark_some(&mut self, most: usize) -> Vec<NodeRef> {
        let mut batch = Vec::with_capacity(most);
        for _ in 0..most {
            let Some(node) = self.head else { break };
            self.remove(node.get());
            self.push_back(node);
            if node.get().try_mark() {
                batch.push(node);
            }
        }
        batch
    }

    /// The frame of the sweep that runs destructors of the pool.
    fn frame_of(&self, node: &Node) -> Option<*const Frame> {
        let mut frames = self.frames.iter();
        frames
            .find(|(of, _)| ptr::eq(of.0, node))
            .map(|(_, frame)| frame.0)
    }

    fn iter(&self) -> impl Iterator<Item = NodeRef> {
        core::iter::successors(self.head, |node| NodeRef::of(node.get().next.get()))
    }

    #[cfg(all(feature = "std", not(loom)))]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl NodeRef {
    fn of(node: *const Node) -> Option<Self> {
        (!node.is_null()).then_some(Self(node))
    }

    fn put_back(self, domain: &Inner) {
        let garbage = self.concerns(domain);
        domain.pools.with(|list| {
            let node = self.get();
            node.mark.set(None);
            if node.is_listed(domain) && (garbage || node.dirty.load(Ordering::Relaxed) != 0) {
                list.push_back(self);
            } else {
                list.remove(node);
            }
        });
    }

    /// Whether the pool holds anything that the domain can do something about.
    /// Only of a marked node.
    fn concerns(self, domain: &Inner) -> bool {
        let node = self.get();
        if node.is_reached() {
            // SAFETY: the mark keeps the pool alive.
            unsafe { (node.ops.has_garbage)(self.0, u64::MAX) }
        } else {
            // SAFETY: as above.
            domain.is_limited() && unsafe { (node.ops.owes)(self.0) }
        }
    }
}

/// Walks the nodes that are in the list now, `most` at a time. Returns how many
/// others had marked.
fn each_batch(domain: &Inner, most: usize, mut visit: impl FnMut(&[NodeRef])) -> usize {
    let mut left = domain.pools.with(|list| list.len);
    let mut skipped = 0;
    while left > 0 {
        let most = left.min(most);
        let batch = domain.pools.with(|list| list.mark_some(most));
        skipped += most - batch.len();
        left -= most;
        visit(&batch);
    }
    skipped
}

/// A node that its holder has marked: the pool stays until it is put back.
#[derive(Clone, Copy)]
pub(crate) struct Marked(NodeRef);

impl Marked {
    fn claim(self) {
        let node = self.0.get();
        node.dirty.store(0, Ordering::Relaxed);
        // SAFETY: the mark keeps the pool alive.
        unsafe { (node.ops.claim)(self.0.0) };
    }

    /// After `claim` and, if it was `done`, a heavy barrier. Returns whether an
    /// owner was in the way.
    fn take(self, done: bool) -> bool {
        let node = self.0.get();
        // SAFETY: as above; without the barrier nothing is taken.
        let skipped = unsafe { (node.ops.gather)(self.0.0, done) } || !done;
        if skipped {
            node.dirty.store(today(), Ordering::Relaxed);
        }
        skipped
    }

    /// Moves what the pool's caches hold to its depot. Returns whether an owner
    /// was in the way.
    pub(crate) fn gather(self, domain: &Inner) -> (bool, bool) {
        self.claim();
        (self.take(domain.clock.barrier()), true)
    }

    /// Runs the destructors of what has expired in the depot. Returns whether
    /// the pool is still there.
    pub(crate) fn run(self, domain: &Inner) -> (run::Panic, bool) {
        let node = self.0.get();
        let frame = Frame {
            dead: Cell::new(false),
            bequest: Cell::new(None),
        };
        let place = FrameRef(&frame);
        domain.pools.with(|list| list.frames.push((self.0, place)));
        // SAFETY: the mark keeps the pool alive, or the frame learns.
        let panic = unsafe { (node.ops.run)(self.0.0, &frame) };
        domain
            .pools
            .with(|list| list.frames.retain(|(_, other)| *other != place));
        if let Some(bequest) = frame.bequest.take() {
            // SAFETY: the pool was dropped and left its memory to this frame;
            // the item that dropped it is gone by now.
            unsafe { (bequest.free)(bequest.pool) };
        }
        (panic, !frame.dead.get())
    }
}

/// Marks one pool, unless a sweep has, and works on it. `f` also says whether
/// the pool is still there.
pub(crate) fn try_with_marked<R>(
    domain: &Inner,
    node: NodeRef,
    f: impl FnOnce(Marked) -> (R, bool),
) -> Option<R> {
    if !mark(domain, node) {
        return None;
    }
    let marked = Marked(node);
    let (result, alive) = f(marked);
    if alive {
        marked.0.put_back(domain);
    }
    Some(result)
}

fn mark(domain: &Inner, node: NodeRef) -> bool {
    domain.pools.with(|list| {
        let free = node.get().try_mark();
        if free && node.get().is_listed(domain) {
            // Where others see that it is in hand.
            list.push_back(node);
        }
        free
    })
}

/// Moves what the caches of all listed pools hold to the pools' depots. Returns
/// how many owners were in the way.
pub(crate) fn gather(domain: &Inner) -> usize {
    let mut busy = 0;
    let skipped = each_batch(domain, BATCH, |batch| {
        batch.iter().for_each(|node| Marked(*node).claim());
        let done = domain.clock.barrier();
        for node in batch {
            busy += usize::from(Marked(*node).take(done));
            node.put_back(domain);
        }
    });
    // What others have marked may come back with garbage.
    busy + skipped
}

/// Runs the destructors of what has expired in the depots of all listed pools.
pub(crate) fn run_expired(domain: &Inner) -> run::Panic {
    let mut first_panic = run::Panic::none();
    // One at a time: a destructor may drop another pool, which then waits for
    // whoever holds it, and that must not be us.
    each_batch(domain, 1, |batch| {
        for node in batch {
            if !node.get().is_reached() {
                // SAFETY: the mark keeps the pool alive.
                unsafe { (node.get().ops.write_off)(node.0) };
                node.put_back(domain);
                continue;
            }
            let (panic, alive) = Marked(*node).run(domain);
            first_panic.keep(panic);
            if alive {
                node.put_back(domain);
            }
        }
    });
    first_panic
}

/// Whether any pool holds garbage with a goal of at most `up_to`, or may.
pub(crate) fn have_garbage(domain: &Inner, up_to: u64) -> bool {
    domain.pools.with(|list| {
        list.iter().any(|node| {
            let garbage = || {
                // SAFETY: nodes in the list are alive while it is locked.
                unsafe { (node.get().ops.has_garbage)(node.0, up_to) }
            };
            node.get().is_marked() || (node.get().is_reached() && garbage())
        })
    })
}
