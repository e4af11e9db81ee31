//! All candidate executions of a program, for a model to judge.
//!
//! A candidate is one run of each thread, a write for every read to read from
//! (`rf`), and an order of the writes of each location (`mo`). Only candidates
//! that behave at each single location are built, and whose read-modify-writes
//! are atomic: no model of the three lets others pass, and it is what keeps
//! their number small.

use super::program::{Order, Program};
use super::rel::{Rel, bits};
use super::trace::{Kind, Step, Trace, traces};

/// Marks the initial writes, which belong to no thread.
pub(crate) const NO_THREAD: usize = usize::MAX;

/// A candidate execution: events, and the relations every model starts from.
/// The initial writes come first, one a location, then the threads in turn.
pub(crate) struct Graph {
    pub(crate) n: usize,
    pub(crate) events: Vec<Step>,
    pub(crate) thread: Vec<usize>,
    /// The first event and the number of events of each thread.
    pub(crate) spans: Vec<(usize, usize)>,
    /// Program order, transitive; the initial writes are not part of it.
    pub(crate) po: Rel,
    /// From a write to the reads that return its value.
    pub(crate) rf: Rel,
    /// Modification order, transitive, initial write first.
    pub(crate) mo: Rel,
    /// From a read to the writes that come after the one it read from.
    pub(crate) fr: Rel,
}

impl Graph {
    /// The events for which `test` holds, as a mask.
    pub(crate) fn mask(&self, test: impl Fn(&Step) -> bool) -> u64 {
        (0..self.n)
            .filter(|&e| test(&self.events[e]))
            .fold(0, |m, e| m | 1 << e)
    }

    pub(crate) fn same_thread(&self, a: usize, b: usize) -> bool {
        self.thread[a] == self.thread[b]
    }

    /// The part of `rel` between different threads; initial writes count as a
    /// thread of their own.
    pub(crate) fn external(&self, rel: &Rel) -> Rel {
        let mut out = Rel::new(self.n);
        for a in 0..self.n {
            for b in bits(rel.row(a)).filter(|&b| !self.same_thread(a, b)) {
                out.add(a, b);
            }
        }
        out
    }

    /// The mask of the position `local` of the thread of event `of`.
    pub(crate) fn shift(&self, of: usize, local: u64) -> u64 {
        local << self.spans[self.thread[of]].0
    }
}

/// A candidate together with what is left in registers and memory at its end.
pub(crate) struct Candidate<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) regs: &'a [&'a [i64]],
    pub(crate) memory: &'a [i64],
}

/// The runs of all threads, each with the values it reads and writes as bits,
/// so that combinations in which a read finds no writer fall out at once.
#[derive(Debug)]
pub(crate) struct Candidates {
    threads: Vec<Vec<Run>>,
    init: Vec<i64>,
    /// Bit set of (location, value) pairs that the initial writes supply.
    init_supply: u64,
    /// For each thread and those after it, everything they could write.
    later_supply: Vec<u64>,
}

#[derive(Debug)]
struct Run {
    trace: Trace,
    needs: u64,
    supplies: u64,
}

impl Candidates {
    pub(crate) fn new(program: &Program) -> Self {
        let all = traces(program);
        let mut pairs: Vec<(usize, i64)> = Vec::new();
        let mut bit = |loc: usize, value: i64| {
            let at = pairs
                .iter()
                .position(|p| *p == (loc, value))
                .unwrap_or_else(|| {
                    pairs.push((loc, value));
                    pairs.len() - 1
                });
            assert!(at < 64, "{}: too many values in all", program.name);
            1u64 << at
        };
        let init: Vec<i64> = program.locations.iter().map(|l| l.init).collect();
        let init_supply = init
            .iter()
            .enumerate()
            .fold(0, |m, (loc, value)| m | bit(loc, *value));
        let threads: Vec<Vec<Run>> = all
            .into_iter()
            .map(|runs| {
                runs.into_iter()
                    .map(|trace| {
                        let (mut needs, mut supplies) = (0, 0);
                        for s in &trace.steps {
                            match s.kind {
                                Kind::Read => needs |= bit(s.loc, s.value),
                                Kind::Write => supplies |= bit(s.loc, s.value),
                                Kind::Fence => {}
                            }
                        }
                        Run {
                            trace,
                            needs,
                            supplies,
                        }
                    })
                    .collect()
            })
            .collect();
        let mut later_supply = vec![0; threads.len() + 1];
        for t in (0..threads.len()).rev() {
            later_supply[t] = threads[t]
                .iter()
                .fold(later_supply[t + 1], |m, run| m | run.supplies);
        }
        Self {
            threads,
            init,
            init_supply,
            later_supply,
        }
    }

    /// Calls `visit` for every candidate of every combination of runs that
    /// `wanted` accepts, until `visit` returns false.
    pub(crate) fn each(
        &self,
        mut wanted: impl FnMut(&[&Trace]) -> bool,
        mut visit: impl FnMut(&Candidate<'_>) -> bool,
    ) {
        let mut chosen = Vec::new();
        self.combine(0, self.init_supply, &mut chosen, &mut |runs| {
            let traces: Vec<&Trace> = runs.iter().map(|r| &r.trace).collect();
            !wanted(&traces) || self.relate(&traces, &mut visit)
        });
    }

    fn combine<'a>(
        &'a self,
        needs: u64,
        supply: u64,
        chosen: &mut Vec<&'a Run>,
        visit: &mut impl FnMut(&[&'a Run]) -> bool,
    ) -> bool {
        let t = chosen.len();
        if needs & !(supply | self.later_supply[t]) != 0 {
            return true;
        }
        if t == self.threads.len() {
            return visit(chosen);
        }
        for run in &self.threads[t] {
            chosen.push(run);
            let go_on = self.combine(needs | run.needs, supply | run.supplies, chosen, visit);
            chosen.pop();
            if !go_on {
                return false;
            }
        }
        true
    }

    /// All `rf` and `mo` for one combination of runs.
    fn relate(&self, traces: &[&Trace], visit: &mut impl FnMut(&Candidate<'_>) -> bool) -> bool {
        let mut graph = self.skeleton(traces);
        let mut options = Vec::new();
        for loc in 0..self.init.len() {
            let found = histories(&graph, loc);
            if found.is_empty() {
                return true;
            }
            options.push(found);
        }
        let regs: Vec<&[i64]> = traces.iter().map(|t| &t.regs[..]).collect();
        let mut pick = vec![0; options.len()];
        loop {
            graph.rf = Rel::new(graph.n);
            graph.mo = Rel::new(graph.n);
            graph.fr = Rel::new(graph.n);
            let mut memory = Vec::new();
            for (histories, at) in options.iter().zip(&pick) {
                let history = &histories[*at];
                history.apply(&mut graph);
                memory.push(history.last_value(&graph));
            }
            let go_on = visit(&Candidate {
                graph: &graph,
                regs: &regs,
                memory: &memory,
            });
            if !go_on {
                return false;
            }
            let Some(turn) = (0..pick.len()).find(|&l| pick[l] + 1 < options[l].len()) else {
                return true;
            };
            pick[turn] += 1;
            pick[..turn].fill(0);
        }
    }

    fn skeleton(&self, traces: &[&Trace]) -> Graph {
        let mut events: Vec<Step> = self
            .init
            .iter()
            .enumerate()
            .map(|(loc, &value)| Step {
                kind: Kind::Write,
                loc,
                value,
                order: Order::Plain,
                side: super::program::Side::None,
                rmw: false,
                data: 0,
                ctrl: 0,
            })
            .collect();
        let mut thread = vec![NO_THREAD; events.len()];
        let mut spans = Vec::new();
        for (t, trace) in traces.iter().enumerate() {
            spans.push((events.len(), trace.steps.len()));
            thread.resize(events.len() + trace.steps.len(), t);
            events.extend(trace.steps.iter().cloned());
        }
        let n = events.len();
        let mut po = Rel::new(n);
        for &(start, len) in &spans {
            for a in start..start + len {
                for b in a + 1..start + len {
                    po.add(a, b);
                }
            }
        }
        Graph {
            n,
            events,
            thread,
            spans,
            po,
            rf: Rel::new(n),
            mo: Rel::new(n),
            fr: Rel::new(n),
        }
    }
}

/// What happens at one location: its writes in modification order, and for each
/// read the position of the write it reads from.
struct History {
    writes: Vec<usize>,
    reads: Vec<(usize, usize)>,
}

impl History {
    fn apply(&self, graph: &mut Graph) {
        for (at, &w) in self.writes.iter().enumerate() {
            for &later in &self.writes[at + 1..] {
                graph.mo.add(w, later);
            }
        }
        for &(r, from) in &self.reads {
            graph.rf.add(self.writes[from], r);
            for &later in &self.writes[from + 1..] {
                graph.fr.add(r, later);
            }
        }
    }

    fn last_value(&self, graph: &Graph) -> i64 {
        self.writes.last().map_or(0, |&w| graph.events[w].value)
    }
}

/// Every history of `loc` that one location on its own allows.
fn histories(graph: &Graph, loc: usize) -> Vec<History> {
    let here = |e: &usize| graph.events[*e].kind != Kind::Fence && graph.events[*e].loc == loc;
    let accesses: Vec<usize> = (0..graph.n).filter(here).collect();
    let (writes, reads): (Vec<usize>, Vec<usize>) = accesses
        .iter()
        .partition(|&&e| graph.events[e].kind == Kind::Write);
    let mut found = Vec::new();
    orders(graph, &mut vec![writes[0]], &writes, &mut |order| {
        sources(graph, order, &reads, &mut Vec::new(), &mut |sources| {
            found.push(History {
                writes: order.to_vec(),
                reads: sources.to_vec(),
            });
        });
    });
    found
}

/// Orders of `writes` that keep each thread's own order; `done` is a prefix.
fn orders(
    graph: &Graph,
    done: &mut Vec<usize>,
    writes: &[usize],
    visit: &mut impl FnMut(&[usize]),
) {
    if done.len() == writes.len() {
        return visit(done);
    }
    for &w in writes {
        let ready = !done.contains(&w)
            && writes
                .iter()
                .all(|&v| !graph.po.has(v, w) || done.contains(&v));
        if ready {
            done.push(w);
            orders(graph, done, writes, visit);
            done.pop();
        }
    }
}

/// Sources for the reads, given the order of the writes. `chosen` has one for
/// each of the first reads. Reads come in program order.
fn sources(
    graph: &Graph,
    order: &[usize],
    reads: &[usize],
    chosen: &mut Vec<(usize, usize)>,
    visit: &mut impl FnMut(&[(usize, usize)]),
) {
    let Some(&r) = reads.get(chosen.len()) else {
        return visit(chosen);
    };
    for (at, &w) in order.iter().enumerate() {
        let matches = graph.events[w].value == graph.events[r].value;
        let after_own = order
            .iter()
            .enumerate()
            .all(|(i, &v)| (!graph.po.has(v, r) || i <= at) && (!graph.po.has(r, v) || i > at));
        let not_back = chosen
            .iter()
            .all(|&(earlier, from)| !graph.po.has(earlier, r) || from <= at);
        let write = r + 1;
        let is_rmw = write < graph.n
            && graph.events[write].rmw
            && graph.same_thread(r, write)
            && graph.events[write].loc == graph.events[r].loc;
        let atomic = !is_rmw || order.get(at + 1) == Some(&write);
        if matches && after_own && not_back && atomic {
            chosen.push((r, at));
            sources(graph, order, reads, chosen, visit);
            chosen.pop();
        }
    }
}
