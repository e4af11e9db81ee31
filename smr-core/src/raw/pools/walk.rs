//! Going along the list: gathering, running, asking.
//!
//! # Orderings
//!
//! `dirty` is Relaxed: see [`crate::raw::pools`].

use core::cell::Cell;
use core::ptr;

use super::{BATCH, Frame, FrameRef, NodeRef, PoolList};
use crate::raw::inner::Inner;
use crate::raw::latch::Busy;
use crate::raw::worker::{Worker, today};
use crate::run;
use crate::sync::{Ordering, mutant};

/// Walks the nodes that are in the list now, `most` at a time. Returns how many
/// others had marked.
fn each_batch(domain: &Inner, most: usize, mut visit: impl FnMut(&[NodeRef])) -> usize {
    let walk = domain.pools.with(PoolList::begin_walk);
    let mut all_skipped = 0;
    while let Some((batch, skipped)) = domain.pools.with(|list| list.mark_some(walk, most)) {
        all_skipped += skipped;
        visit(&batch);
    }
    all_skipped
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
    fn take(self, done: bool, busy: Busy) -> bool {
        let node = self.0.get();
        // SAFETY: as above; without the barrier nothing is taken.
        let skipped = unsafe { (node.ops.gather)(self.0.0, done, busy) } || !done;
        if skipped {
            node.dirty.store(today(), Ordering::Relaxed);
        }
        skipped
    }

    /// Moves what the pool's caches hold to its depot. Returns whether an owner
    /// was in the way.
    fn gather(self, domain: &Inner, busy: Busy) -> bool {
        self.claim();
        self.take(domain.clock.barrier(), busy)
    }

    /// Puts the node back after it was gathered. Returns whether an owner was in
    /// the way, if it had to be gathered again.
    fn finish_gather(self, domain: &Inner, busy: Busy) -> bool {
        let mut was_busy = false;
        while !self.0.put_back(domain) {
            was_busy |= self.gather(domain, busy);
        }
        was_busy
    }

    /// Runs the destructors of what has expired in the depot, or does the accounts
    /// where that is all that the domain may do, and puts the node back.
    fn run_to_end(self, domain: &Inner, run: impl Fn(Self) -> (run::Panic, bool)) -> run::Panic {
        let (mut first_panic, mut alive) = run(self);
        while alive && !self.0.put_back(domain) {
            self.gather(domain, Busy::Leave);
            domain.poll(domain.clock.now());
            let (panic, still_alive) = run(self);
            first_panic.keep(panic);
            alive = still_alive;
        }
        first_panic
    }

    fn write_off(self) -> (run::Panic, bool) {
        let node = self.0.get();
        // SAFETY: the mark keeps the pool alive.
        unsafe { (node.ops.write_off)(self.0.0) };
        (run::Panic::none(), true)
    }

    /// Runs the destructors of what has expired in the depot. Returns whether
    /// the pool is still there.
    fn run(self, domain: &Inner) -> (run::Panic, bool) {
        let node = self.0.get();
        let frame = Frame {
            dead: Cell::new(false),
            bequest: Cell::new(None),
            in_hand: Cell::new(ptr::null()),
        };
        let place = FrameRef(&frame);
        let entry = (self.0, place, Worker::this_thread());
        domain.pools.with(|list| list.frames.push(entry));
        // SAFETY: the mark keeps the pool alive, or the frame learns.
        let panic = unsafe { (node.ops.run)(self.0.0, &frame) };
        domain
            .pools
            .with(|list| list.frames.retain(|(_, other, _)| *other != place));
        if let Some(bequest) = frame.bequest.take() {
            // SAFETY: the pool was dropped and left its memory to this frame;
            // the item that dropped it is gone by now.
            unsafe { (bequest.free)(bequest.pool) };
        }
        (panic, !frame.dead.get())
    }
}

/// Moves what the caches of one pool hold to its depot. Returns whether an owner
/// was in the way; `None` if a sweep has the pool.
pub(crate) fn gather_one(domain: &Inner, node: NodeRef, busy: Busy) -> Option<bool> {
    if !mark(domain, node) {
        return None;
    }
    let was_busy = Marked(node).gather(domain, busy);
    Some(was_busy | Marked(node).finish_gather(domain, busy))
}

/// Runs the destructors of what has expired in the depot of one pool. `None` if a
/// sweep has the pool.
pub(crate) fn run_one(domain: &Inner, node: NodeRef) -> Option<run::Panic> {
    mark(domain, node).then(|| Marked(node).run_to_end(domain, |marked| marked.run(domain)))
}

fn mark(domain: &Inner, node: NodeRef) -> bool {
    domain.pools.with(|list| {
        let free = list.try_mark(node);
        if free && node.get().is_listed(domain) {
            // Where others see that it is in hand.
            list.push_back(node);
        }
        free
    })
}

/// Moves what the caches of all listed pools hold to the pools' depots. Returns
/// how many owners were in the way. `slots` does the same for participants, whose
/// latches are claimed if there are `any`; they share the first barrier.
pub(crate) fn gather(
    domain: &Inner,
    busy: Busy,
    any: bool,
    slots: impl FnOnce(bool) -> usize,
) -> usize {
    let mut in_the_way = 0;
    let mut slots = Some(slots);
    let barrier = || mutant("gather_no_barrier") || domain.clock.barrier();
    let skipped = each_batch(domain, BATCH, |batch| {
        batch.iter().for_each(|node| Marked(*node).claim());
        let done = barrier();
        in_the_way += slots.take().map_or(0, |slots| slots(done));
        for node in batch {
            let was_busy = Marked(*node).take(done, busy);
            let was_busy = was_busy | Marked(*node).finish_gather(domain, busy);
            in_the_way += usize::from(was_busy);
        }
    });
    if let Some(slots) = slots {
        in_the_way += slots(any && barrier());
    }
    // What others have marked may come back with garbage.
    in_the_way + skipped
}

/// Runs the destructors of what has expired in the depots of all listed pools.
pub(crate) fn run_expired(domain: &Inner) -> run::Panic {
    let mut first_panic = run::Panic::none();
    // One at a time: a destructor may drop another pool, which then waits for
    // whoever holds it, and that must not be us.
    each_batch(domain, 1, |batch| {
        for node in batch {
            let reached = node.get().is_reached();
            first_panic.keep(Marked(*node).run_to_end(domain, |marked| {
                if reached {
                    marked.run(domain)
                } else {
                    marked.write_off()
                }
            }));
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
