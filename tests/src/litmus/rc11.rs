//! The language level: RC11 (Lahav, Vafeiadis, Kang, Hur and Dreyer, PLDI 2017)
//! with the release sequences of C++20, and the asymmetric barrier.
//!
//! - A release sequence is its head and the chain of read-modify-writes that
//!   follows; a later plain store of the same thread is not part of it.
//!   [`Rules::same_thread_sequences`] brings the old definition back.
//! - A heavy fence is a `seq_cst` fence to its own thread. A light one neither
//!   releases nor acquires; it has a place in the order of `seq_cst` fences
//!   towards heavy ones alone. Two light fences are not ordered, nor a light one
//!   and anything else that is `seq_cst`, unless a heavy one comes between
//!   (see [`asymmetric`]).
//! - Two accesses of one place, one of them plain and one a write, that happen
//!   in neither order are a race, and a program with a race means nothing.

use super::candidates::{Graph, NO_THREAD};
use super::program::{Order, Side};
use super::rel::{Rel, bits};
use super::trace::Kind;

/// Which reading of the model is applied.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    /// Light and heavy fences are what they say; else both are `seq_cst`.
    pub(crate) asymmetric: bool,
    /// Release sequences as before C++20.
    pub(crate) same_thread_sequences: bool,
}

/// What the model says of one candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    Inconsistent,
    Consistent,
    /// Consistent, and two plain accesses race in it.
    Racy,
}

/// Judges one candidate.
pub(crate) fn judge(g: &Graph, rules: Rules) -> Judgement {
    let mut causal = g.po.clone();
    causal.union_with(&g.rf);
    if !causal.is_acyclic() {
        return Judgement::Inconsistent;
    }
    let hb = happens_before(g, rules);
    let mut eco = g.rf.clone();
    eco.union_with(&g.mo);
    eco.union_with(&g.fr);
    let eco = eco.closed();
    // Coherence: nothing happens before itself or before what it follows in
    // the communication order.
    let coherent = hb.is_irreflexive() && (0..g.n).all(|a| bits(hb.row(a)).all(|b| !eco.has(b, a)));
    if !coherent || !partial_sc(g, rules, &hb, &eco).is_acyclic() {
        return Judgement::Inconsistent;
    }
    if races(g, &hb) {
        Judgement::Racy
    } else {
        Judgement::Consistent
    }
}

fn happens_before(g: &Graph, rules: Rules) -> Rel {
    let light = |e: usize| rules.asymmetric && g.events[e].side == Side::Light;
    let fences = |test: fn(Order) -> bool| {
        let all = g.mask(|e| e.kind == Kind::Fence && test(e.order));
        bits(all)
            .filter(|&f| !light(f))
            .fold(0u64, |m, f| m | 1 << f)
    };
    let releasing = fences(Order::releases);
    let acquiring = fences(Order::acquires);
    let threads = bits(g.mask(|_| true)).filter(|&e| g.thread[e] != NO_THREAD);
    let rest = threads.fold(0u64, |m, e| m | 1 << e);

    let mut hb = g.po.clone();
    for e in 0..g.n {
        if g.thread[e] == NO_THREAD {
            hb.add_row(e, rest);
        }
    }
    let heads = g.mask(|e| e.kind == Kind::Write && e.order.is_atomic());
    for head in bits(heads) {
        let mut from = g.po.column(head) & releasing;
        if g.events[head].order.releases() {
            from |= 1 << head;
        }
        if from == 0 {
            continue;
        }
        let mut to = 0u64;
        for r in bits(sequence_readers(g, rules, head)) {
            if g.events[r].order.acquires() {
                to |= 1 << r;
            }
            to |= g.po.row(r) & acquiring;
        }
        for a in bits(from) {
            hb.add_row(a, to);
        }
    }
    hb.closed()
}

/// The reads that take their value from the release sequence of `head`.
fn sequence_readers(g: &Graph, rules: Rules, head: usize) -> u64 {
    let mut members = 1u64 << head;
    if rules.same_thread_sequences {
        let loc = g.events[head].loc;
        members |= g.po.row(head) & g.mask(|e| e.kind == Kind::Write && e.loc == loc);
    }
    let mut readers = 0u64;
    let mut fresh = members;
    while fresh != 0 {
        let found = bits(fresh).fold(0u64, |m, w| m | g.rf.row(w));
        readers |= found;
        // The write of a read-modify-write stands next to its read.
        let writes = bits(found)
            .filter(|&r| r + 1 < g.n && g.events[r + 1].rmw)
            .fold(0u64, |m, r| m | 1 << (r + 1));
        fresh = writes & !members;
        members |= fresh;
    }
    readers
}

/// The order of everything that is `seq_cst`, or a side of the barrier.
fn partial_sc(g: &Graph, rules: Rules, hb: &Rel, eco: &Rel) -> Rel {
    let sc = g.mask(|e| e.order == Order::SeqCst);
    let fences = sc & g.mask(|e| e.kind == Kind::Fence);
    let accesses = sc & !fences;

    // scb = sb | sb different place; hb; sb different place | hb same place | mo | rb
    let mut sb = g.po.clone();
    for e in 0..g.n {
        if g.thread[e] == NO_THREAD {
            sb.add_row(e, hb.row(e));
        }
    }
    let loc = |e: usize| (g.events[e].kind != Kind::Fence).then(|| g.events[e].loc);
    let mut elsewhere = Rel::new(g.n);
    let mut scb = sb.clone();
    for a in 0..g.n {
        let same = (0..g.n)
            .filter(|&b| loc(a).is_some() && loc(a) == loc(b))
            .fold(0u64, |m, b| m | 1 << b);
        elsewhere.add_row(a, sb.row(a) & !same);
        scb.add_row(a, hb.row(a) & same);
    }
    scb.union_with(&elsewhere.then(hb).then(&elsewhere));
    scb.union_with(&g.mo);
    scb.union_with(&g.fr);

    let hb_or_equal = hb.clone().reflexive();
    let mut enter = hb_or_equal.restrict(fences, u64::MAX);
    let mut leave = hb_or_equal.restrict(u64::MAX, fences);
    for a in bits(accesses) {
        enter.add(a, a);
        leave.add(a, a);
    }
    let mut psc = enter.then(&scb).then(&leave);
    let mut between = hb.then(eco).then(hb);
    between.union_with(hb);
    psc.union_with(&between.restrict(fences, fences));
    if !rules.asymmetric {
        return psc;
    }
    asymmetric(g, &psc)
}

/// What is left of `psc` when light fences are only places where a heavy one
/// may have put a real fence.
///
/// A heavy fence H begins with a fence, puts one into every other thread, and
/// ends with another: Hs, F and He, with Hs before F before He. Where H is
/// ordered before a light fence L, F stands before L in program order, as it
/// would otherwise be both after and before He; where L is ordered before H, F
/// stands after it. So, X being any other `seq_cst` event:
///
/// - H, L, X in this order: Hs (by F) before X; X, L, H: X before He;
/// - H, L, K, and K heavy: Hs before Ks and He before Ke;
/// - H, L, L', K: Hs before Ke.
///
/// Pairs without L go from the end of the first to the start of the second.
fn asymmetric(g: &Graph, psc: &Rel) -> Rel {
    let side = |s: Side| g.mask(|e| e.kind == Kind::Fence && e.side == s);
    let (light, heavy) = (side(Side::Light), side(Side::Heavy));
    let other = !(light | heavy);
    let calls: Vec<usize> = bits(heavy).collect();
    let end = |h: usize| g.n + calls.iter().position(|&c| c == h).unwrap_or(0);

    let mut order = Rel::new(g.n + calls.len());
    for a in bits(g.mask(|_| true) & other) {
        order.add_row(a, psc.row(a) & !light);
    }
    for &h in &calls {
        order.add(h, end(h));
        order.add_row(end(h), psc.row(h) & !light);
    }
    for l in bits(light) {
        let (before, after) = (psc.column(l), psc.row(l));
        for h in bits(before & heavy) {
            order.add_row(h, after & !light);
            for k in bits(after & heavy) {
                order.add(end(h), end(k));
            }
            for k in bits(after & light).flat_map(|next| bits(psc.row(next) & heavy)) {
                order.add(h, end(k));
            }
        }
        for k in bits(after & heavy) {
            order.add_column(before & other, end(k));
        }
    }
    order
}

fn races(g: &Graph, hb: &Rel) -> bool {
    let plain = g.mask(|e| e.kind != Kind::Fence && e.order == Order::Plain);
    bits(plain).filter(|&a| g.thread[a] != NO_THREAD).any(|a| {
        (0..g.n).any(|b| {
            g.thread[b] != NO_THREAD
                && !g.same_thread(a, b)
                && g.events[b].kind != Kind::Fence
                && g.events[a].loc == g.events[b].loc
                && (g.events[a].kind == Kind::Write || g.events[b].kind == Kind::Write)
                && !hb.has(a, b)
                && !hb.has(b, a)
        })
    })
}
