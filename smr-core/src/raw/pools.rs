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
//! then it tells the sweep's frame. The same, if the sweep that has it waits itself, in
//! the end of another pool, for the thread that drops this one: each of two pools may hold
//! what owns the other. Who finds that out does so behind the lock of the list, and the
//! other is in its loop around that lock until the pool that it waits for is let go.
//!
//! Several sweeps may walk the list at a time. None moves a node, new ones come to
//! the back, and each walk has its place in the list, which a node that is taken
//! out hands on to the next: so a walk comes to all that were there when it began.
//! A node that another sweep has marked is passed by, and *asked* for: who has it
//! does not put it back before having been through it once more. Otherwise what a
//! reader held up could stay, because a sweep that began before had the pool.
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
use core::ptr;

use alloc::vec::Vec;

use crate::raw::inner::Inner;
use crate::raw::latch::Busy;
use crate::raw::worker::{Worker, today};
use crate::run;
use crate::sync::{AtomicU32, Ordering, mutant, process, yield_now};

mod walk;

pub(crate) use walk::{gather, gather_one, have_garbage, run_expired, run_one};

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
    pub(crate) gather: unsafe fn(*const Node, gather: bool, busy: Busy) -> bool,
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
    /// The items that are being dropped, of the pool's own type, while they are.
    pub(crate) in_hand: Cell<*const ()>,
}

/// Who has a pool in hand that is to go.
pub(crate) enum Holder {
    Nobody,
    /// A sweep of this thread, further down on its stack.
    Below(*const Frame),
    /// A sweep of a thread that waits for this one: it inherits the pool.
    Heir,
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
    /// Sweeps that run destructors, of which pool, and on which thread's stack.
    frames: Vec<(NodeRef, FrameRef, Worker)>,
    /// Marked nodes that another sweep came by, each once.
    asked: Vec<NodeRef>,
    /// Marked nodes whose pools are to go, and who waits for that: nobody marks
    /// them again.
    going: Vec<(NodeRef, Worker)>,
    walks: Vec<Walk>,
    last_walk: u64,
}

/// A walk along the list.
struct Walk {
    id: u64,
    /// The node that it comes to next.
    next: Option<NodeRef>,
    /// How many were there when it began, and are still to come.
    left: usize,
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
            asked: Vec::new(),
            going: Vec::new(),
            walks: Vec::new(),
            last_walk: 0,
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

impl Node {
    pub(crate) fn new(ops: &'static Ops) -> Self {
        Self {
            ops,
            dirty: AtomicU32::new(0),
            list: Cell::new(0),
            mark: Cell::new(None),
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

    /// Takes the node out of the list for good, and waits for a sweep that holds it,
    /// unless that waits for this thread: then it gets the bequest.
    pub(crate) fn unlink(&self, domain: &Inner, bequest: impl Fn() -> Bequest) -> Holder {
        loop {
            let state = domain.pools.with(|list| {
                if !self.is_marked() {
                    list.forget(self);
                    return Some(Holder::Nobody);
                }
                let ours = self.mark.get().is_some_and(Worker::is_this_thread);
                // A thread that marks without a frame runs no user code.
                let frame = list.frame_of(self);
                if let (true, Some(frame)) = (ours, frame) {
                    list.forget(self);
                    return Some(Holder::Below(frame));
                }
                if let (true, Some(frame)) = (list.waits_for_us(self), frame) {
                    // SAFETY: the frame is on the stack of a thread that waits for us,
                    // and looks into it after that.
                    let frame = unsafe { &*frame };
                    frame.dead.set(true);
                    frame.bequest.set(Some(bequest()));
                    list.forget(self);
                    return Some(Holder::Heir);
                }
                if !list.is_going(self) {
                    list.going.push((NodeRef::new(self), Worker::this_thread()));
                }
                None
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
        for walk in &mut self.walks {
            if walk.next.is_some_and(|at| ptr::eq(at.0, node)) {
                walk.next = NodeRef::of(next);
            }
        }
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

    /// Takes all traces of a node away whose pool goes.
    fn forget(&mut self, node: &Node) {
        self.take_asked(node);
        self.going.retain(|(of, _)| !ptr::eq(of.0, node));
        self.remove(node);
    }

    fn is_going(&self, node: &Node) -> bool {
        let mut going = self.going.iter();
        going.any(|(of, who)| ptr::eq(of.0, node) && who.is_alive())
    }

    /// Whether the sweep that has the node waits, through however many others, for one
    /// that this thread has: two pools whose values own the other one, each.
    fn waits_for_us(&self, node: &Node) -> bool {
        let mut at = node.mark.get();
        // One step more than there are who wait would go round in a circle of others.
        for _ in 0..=self.going.len() {
            let Some(holder) = at.filter(|holder| holder.is_alive()) else {
                return false;
            };
            if holder.is_this_thread() {
                return true;
            }
            let mut going = self.going.iter();
            let awaited = going.find(|(_, who)| *who == holder);
            at = awaited.and_then(|(of, _)| of.get().mark.get());
        }
        false
    }

    /// Marks the node for the calling thread; asks for it, if it is marked.
    fn try_mark(&mut self, this: NodeRef) -> bool {
        let node = this.get();
        if node.is_marked() {
            if !self.asked.contains(&this) {
                self.asked.push(this);
            }
            return false;
        }
        if self.is_going(node) {
            return false;
        }
        self.take_asked(node);
        node.mark.set(Some(Worker::this_thread()));
        true
    }

    /// Whether the node was asked for since this was last asked.
    fn take_asked(&mut self, node: &Node) -> bool {
        let place = self.asked.iter().position(|at| ptr::eq(at.0, node));
        place.map(|place| self.asked.swap_remove(place)).is_some()
    }

    fn begin_walk(&mut self) -> u64 {
        self.last_walk += 1;
        self.walks.push(Walk {
            id: self.last_walk,
            next: self.head,
            left: self.len,
        });
        self.last_walk
    }

    /// Goes on by `most` nodes. Returns those of them that it could mark, and how
    /// many others had; `None` where the walk ends.
    fn mark_some(&mut self, id: u64, most: usize) -> Option<(Vec<NodeRef>, usize)> {
        let index = self.walks.iter().position(|walk| walk.id == id)?;
        let walk = &mut self.walks[index];
        let most = most.min(walk.left);
        walk.left -= most;
        let mut batch = Vec::with_capacity(most);
        let mut skipped = 0;
        let mut next = walk.next;
        for _ in 0..most {
            let Some(node) = next else { break };
            next = NodeRef::of(node.get().next.get());
            if self.try_mark(node) {
                batch.push(node);
            } else {
                skipped += 1;
            }
        }
        self.walks[index].next = next;
        if batch.is_empty() && skipped == 0 {
            self.walks.swap_remove(index);
            return None;
        }
        Some((batch, skipped))
    }

    /// The frame of the sweep that runs destructors of the pool. In a forked child those
    /// of vanished threads are gone with their stacks.
    fn frame_of(&self, node: &Node) -> Option<*const Frame> {
        let mut frames = self.frames.iter();
        frames
            .find(|(of, _, who)| ptr::eq(of.0, node) && who.is_alive())
            .map(|(_, frame, _)| frame.0)
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

    /// Takes the mark off, unless the node was asked for and there is more to do:
    /// then it stays the caller's. Tells whether it is off.
    #[must_use]
    fn put_back(self, domain: &Inner) -> bool {
        let garbage = self.concerns(domain);
        domain.pools.with(|list| {
            let node = self.get();
            let listed = node.is_listed(domain);
            let garbage = garbage || node.dirty.load(Ordering::Relaxed) != 0;
            if list.take_asked(node) && (garbage || !listed) {
                return false;
            }
            node.mark.set(None);
            if listed && garbage {
                list.push_back(self);
            } else {
                list.remove(node);
            }
            true
        })
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
