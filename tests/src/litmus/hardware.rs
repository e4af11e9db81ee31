//! The machine level: what x86-TSO and AArch64 make of the same code, compiled
//! in the usual way and otherwise untouched by the compiler.
//!
//! Both models ask that one relation has no cycle. A heavy fence becomes a call
//! that interrupts all other threads: somewhere in each of them, between its
//! beginning and its end, stands a full fence. A light fence becomes nothing.
//! All places of these fences are tried, and one that leaves no cycle is enough
//! for the candidate to be possible.

use super::candidates::{Graph, NO_THREAD};
use super::judge::Model;
use super::program::{Order, Side};
use super::rel::{Rel, bits};
use super::trace::Kind;

/// Which machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// Total store order: loads, stores and fences map to `mov`, `seq_cst`
    /// fences to `mfence`, `seq_cst` stores and read-modify-writes to locked
    /// instructions.
    X86,
    /// AArch64, other-multi-copy atomic. Acquire loads map to `ldapr`, the
    /// weaker of the two instructions that compilers use, `seq_cst` loads to
    /// `ldar`, release stores to `stlr`; read-modify-writes to exclusive
    /// pairs, which are weaker than the single instructions, with `ldaxr` where
    /// they acquire.
    Arm,
}

impl Machine {
    /// Both.
    pub const ALL: [Machine; 2] = [Machine::X86, Machine::Arm];

    /// What herd7 calls it in the first line of a file.
    #[must_use]
    pub fn arch(self) -> &'static str {
        match self {
            Machine::X86 => "X86_64",
            Machine::Arm => "AArch64",
        }
    }

    /// The folder of its files beside the shapes.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Machine::X86 => "x86",
            Machine::Arm => "aarch64",
        }
    }

    /// The model with fences on both sides.
    #[must_use]
    pub fn model(self) -> Model {
        match self {
            Machine::X86 => Model::X86,
            Machine::Arm => Model::Arm,
        }
    }
}

/// Whether the machine can show the candidate.
pub(crate) fn is_possible(g: &Graph, machine: Machine, asymmetric: bool) -> bool {
    let is_fence = |e: usize| {
        g.events[e].kind == Kind::Fence && !(asymmetric && g.events[e].side == Side::Light)
    };
    // Within a thread, one location on its own keeps these; across threads they
    // order everything.
    let mut order = g.external(&g.rf);
    order.union_with(&g.external(&g.mo));
    order.union_with(&g.external(&g.fr));
    order.union_with(&match machine {
        Machine::X86 => x86(g, is_fence),
        Machine::Arm => arm(g, is_fence),
    });
    if !order.is_acyclic() {
        return false;
    }
    if !asymmetric {
        return true;
    }
    let heavy = g.mask(|e| e.side == Side::Heavy);
    interrupt(g, &order, heavy)
}

/// Orders the accesses around event `at` as a full fence does.
fn full_fence(g: &Graph, order: &mut Rel, at: usize) {
    order.add_column(g.po.column(at), at);
    order.add_row(at, g.po.row(at));
}

fn x86(g: &Graph, is_fence: impl Fn(usize) -> bool) -> Rel {
    let mut order = Rel::new(g.n);
    for a in 0..g.n {
        let from = &g.events[a];
        for b in bits(g.po.row(a)) {
            let to = &g.events[b];
            if from.kind == Kind::Fence || to.kind == Kind::Fence {
                continue;
            }
            let locked_read = b + 1 < g.n && g.events[b + 1].rmw && g.same_thread(b, b + 1);
            let locked_write = from.rmw || from.order == Order::SeqCst;
            // Only a read may overtake an earlier write, and neither may be locked.
            if from.kind == Kind::Read || to.kind == Kind::Write || locked_read || locked_write {
                order.add(a, b);
            }
        }
        if is_fence(a) && from.order == Order::SeqCst {
            full_fence(g, &mut order, a);
        }
    }
    order
}

fn arm(g: &Graph, is_fence: impl Fn(usize) -> bool) -> Rel {
    let mut order = Rel::new(g.n);
    let reads = g.mask(|e| e.kind == Kind::Read);
    let writes = g.mask(|e| e.kind == Kind::Write);
    // Loads with acquire semantics of either kind, and those of `ldar` and
    // `ldaxr` alone.
    let acquire = g.mask(|e| e.kind == Kind::Read && e.order.acquires());
    let pairs = g.mask(|e| e.rmw) >> 1;
    let strong = acquire & (pairs | g.mask(|e| e.order == Order::SeqCst));
    for a in 0..g.n {
        let event = &g.events[a];
        if g.thread[a] == NO_THREAD {
            continue;
        }
        match event.kind {
            Kind::Fence if !is_fence(a) => {}
            // `dmb ishld`: earlier loads before everything later.
            Kind::Fence if event.order == Order::Acquire => {
                order.add_column(g.po.column(a) & reads, a);
                order.add_row(a, g.po.row(a));
            }
            // `dmb ish`.
            Kind::Fence => full_fence(g, &mut order, a),
            Kind::Read => {
                if event.order.acquires() {
                    order.add_row(a, g.po.row(a) & (reads | writes));
                }
            }
            Kind::Write => {
                // A thread's accesses of one place keep in line before a write.
                let same = g.mask(|e| e.kind != Kind::Fence && e.loc == event.loc);
                order.add_column(g.po.column(a) & same, a);
                if event.order.releases() {
                    order.add_column(g.po.column(a) & (reads | writes), a);
                    order.add_row(a, g.po.row(a) & strong);
                }
                let data = g.shift(a, event.data);
                order.add_column(data | g.shift(a, event.ctrl), a);
                // What depends on a load also comes before who reads it here.
                let readers = g.rf.row(a);
                for r in bits(readers).filter(|&r| g.same_thread(a, r)) {
                    order.add_column(data, r);
                    if event.rmw && acquire >> r & 1 == 1 {
                        order.add(a, r);
                    }
                }
                if event.rmw {
                    order.add(a - 1, a);
                }
            }
        }
    }
    order
}

/// Whether the full fences that each event of `heavy` sends to the other
/// threads can be placed without a cycle.
fn interrupt(g: &Graph, order: &Rel, heavy: u64) -> bool {
    let pairs: Vec<(usize, usize)> = bits(heavy)
        .flat_map(|h| {
            (0..g.spans.len())
                .filter(move |&t| t != g.thread[h])
                .map(move |t| (h, t))
        })
        .collect();
    // One node for the return from each call, one for each fence sent.
    let calls: Vec<usize> = bits(heavy).collect();
    let mut wide = order.widened(g.n + calls.len() + pairs.len());
    for (i, &h) in calls.iter().enumerate() {
        wide.add_row(g.n + i, g.po.row(h));
    }
    let sent: Vec<Sent> = pairs
        .iter()
        .enumerate()
        .map(|(i, &(call, thread))| Sent {
            call,
            thread,
            back: g.n + calls.iter().position(|&h| h == call).unwrap_or(0),
            node: g.n + calls.len() + i,
        })
        .collect();
    place(g, wide, &sent)
}

/// A fence that the call `call` sends to `thread`, and that has come back
/// before `back`.
struct Sent {
    call: usize,
    thread: usize,
    back: usize,
    node: usize,
}

fn place(g: &Graph, order: Rel, sent: &[Sent]) -> bool {
    if !order.is_acyclic() {
        return false;
    }
    let Some((first, rest)) = sent.split_first() else {
        return true;
    };
    let (start, len) = g.spans[first.thread];
    (0..=len).any(|at| {
        let mut next = order.clone();
        next.add(first.call, first.node);
        next.add(first.node, first.back);
        for e in start..start + at {
            next.add(e, first.node);
        }
        for e in start + at..start + len {
            next.add(first.node, e);
        }
        place(g, next, rest)
    })
}
