//! What one thread may do, whatever the others write.
//!
//! A thread is run along every path, each of its reads taking every value that
//! another thread may ever write there, or that it finds there by itself. Which write supplied the value is settled later,
//! by [`super::candidates`].

use std::collections::BTreeSet;

use super::program::{Expr, Instr, Order, Program, RmwOp, Side, Thread};

/// What an event does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    Write,
    Fence,
}

/// One event of a thread. A read-modify-write is two: the read, then the write.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) kind: Kind,
    pub(crate) loc: usize,
    pub(crate) value: i64,
    pub(crate) order: Order,
    pub(crate) side: Side,
    /// The write of a read-modify-write; its read stands just before it.
    pub(crate) rmw: bool,
    /// Earlier reads of the thread, by position, whose values went into the
    /// value written.
    pub(crate) data: u64,
    /// Earlier reads that decided the branch this event stands in.
    pub(crate) ctrl: u64,
}

/// One run of a thread, alone.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub(crate) steps: Vec<Step>,
    pub(crate) regs: Vec<i64>,
}

/// More values than this at one location mean a test that is not a shape.
const MAX_VALUES: usize = 32;

/// For each location, the values that some threads may write to it.
type Values = Vec<BTreeSet<i64>>;

/// All runs of every thread.
pub(crate) fn traces(program: &Program) -> Vec<Vec<Trace>> {
    let none: Values = vec![BTreeSet::new(); program.locations.len()];
    let init: Vec<i64> = program.locations.iter().map(|l| l.init).collect();
    let mut written = vec![none.clone(); program.threads.len()];
    let all_runs = |written: &[Values]| -> Vec<Vec<Trace>> {
        (0..program.threads.len())
            .map(|t| {
                let mut others = none.clone();
                for (_, values) in written.iter().enumerate().filter(|(u, _)| *u != t) {
                    for (into, from) in others.iter_mut().zip(values) {
                        into.extend(from);
                    }
                }
                runs(&program.threads[t], &init, &others)
            })
            .collect()
    };
    // A value comes about through a chain of distinct writes, as no event may
    // depend on itself, so this many rounds find all of them.
    let writes = program
        .threads
        .iter()
        .flat_map(|t| &t.code)
        .filter(|i| matches!(i, Instr::Store { .. } | Instr::Rmw { .. }))
        .count();
    for _ in 0..writes {
        let mut grown = written.clone();
        for (t, runs) in all_runs(&written).iter().enumerate() {
            for step in runs.iter().flat_map(|r| &r.steps) {
                if step.kind == Kind::Write {
                    grown[t][step.loc].insert(step.value);
                    assert!(
                        grown[t][step.loc].len() <= MAX_VALUES,
                        "{}: too many values at one location",
                        program.name
                    );
                }
            }
        }
        if grown == written {
            break;
        }
        written = grown;
    }
    all_runs(&written)
}

#[derive(Clone)]
struct State {
    pc: usize,
    steps: Vec<Step>,
    regs: Vec<i64>,
    /// For each register, the reads that its value stems from.
    taint: Vec<u64>,
    ctrl: Vec<u64>,
}

/// The runs of one thread, given what all others may write.
fn runs(thread: &Thread, init: &[i64], others: &Values) -> Vec<Trace> {
    let mut done = Vec::new();
    let mut todo = vec![State {
        pc: 0,
        steps: Vec::new(),
        regs: vec![0; thread.regs.len()],
        taint: vec![0; thread.regs.len()],
        ctrl: Vec::new(),
    }];
    while let Some(mut state) = todo.pop() {
        loop {
            let Some(instr) = thread.code.get(state.pc) else {
                done.push(Trace {
                    steps: state.steps,
                    regs: state.regs,
                });
                break;
            };
            if let Instr::Load { loc, .. } | Instr::Rmw { loc, .. } = instr {
                // A thread's own last write hides the earlier ones, and the
                // initial value.
                let own = state
                    .steps
                    .iter()
                    .rfind(|s| s.kind == Kind::Write && s.loc == *loc)
                    .map_or(init[*loc], |s| s.value);
                let mut values = others[*loc].clone();
                values.insert(own);
                for seen in values {
                    let mut next = state.clone();
                    next.read(instr, seen);
                    todo.push(next);
                }
                break;
            }
            state.step(instr);
        }
    }
    done
}

impl State {
    fn eval(&self, expr: &Expr) -> (i64, u64) {
        match expr {
            Expr::Const(value) => (*value, 0),
            Expr::Reg(reg) => (self.regs[*reg], self.taint[*reg]),
            Expr::Bin(op, a, b) => {
                let ((a, from_a), (b, from_b)) = (self.eval(a), self.eval(b));
                (op.apply(a, b), from_a | from_b)
            }
        }
    }

    fn push(&mut self, kind: Kind, loc: usize, value: i64, order: Order) -> &mut Step {
        let ctrl = self.ctrl.iter().fold(0, |m, c| m | c);
        self.steps.push(Step {
            kind,
            loc,
            value,
            order,
            side: Side::None,
            rmw: false,
            data: 0,
            ctrl,
        });
        let last = self.steps.len() - 1;
        &mut self.steps[last]
    }

    /// Carries out a load or a read-modify-write that reads `seen`.
    fn read(&mut self, instr: &Instr, seen: i64) {
        self.pc += 1;
        let here = 1 << self.steps.len();
        match instr {
            Instr::Load { into, loc, order } => {
                self.push(Kind::Read, *loc, seen, *order);
                self.regs[*into] = seen;
                self.taint[*into] = here;
            }
            Instr::Rmw {
                into,
                loc,
                op,
                operand,
                order,
            } => {
                let (operand, mut data) = self.eval(operand);
                let written = match op {
                    RmwOp::Exchange => operand,
                    RmwOp::Fetch(op) => {
                        data |= here;
                        op.apply(seen, operand)
                    }
                };
                let (read_order, write_order) = match order {
                    Order::SeqCst => (Order::SeqCst, Order::SeqCst),
                    Order::AcqRel => (Order::Acquire, Order::Release),
                    Order::Acquire => (Order::Acquire, Order::Relaxed),
                    Order::Release => (Order::Relaxed, Order::Release),
                    Order::Relaxed | Order::Plain => (Order::Relaxed, Order::Relaxed),
                };
                self.push(Kind::Read, *loc, seen, read_order);
                let write = self.push(Kind::Write, *loc, written, write_order);
                write.rmw = true;
                write.data = data;
                if let Some(into) = into {
                    self.regs[*into] = seen;
                    self.taint[*into] = here;
                }
            }
            _ => unreachable!("only loads and read-modify-writes read"),
        }
    }

    /// Carries out an instruction that reads no memory.
    fn step(&mut self, instr: &Instr) {
        self.pc += 1;
        match instr {
            Instr::Store { loc, value, order } => {
                let (value, data) = self.eval(value);
                self.push(Kind::Write, *loc, value, *order).data = data;
            }
            Instr::Fence { order, side } => {
                self.push(Kind::Fence, usize::MAX, 0, *order).side = *side;
            }
            Instr::Set { reg, value } => {
                let (value, data) = self.eval(value);
                self.regs[*reg] = value;
                self.taint[*reg] = data;
            }
            Instr::If { cond, otherwise } => {
                let (value, data) = self.eval(cond);
                self.ctrl.push(data);
                if value == 0 {
                    self.pc = *otherwise;
                }
            }
            Instr::Jump(target) => self.pc = *target,
            Instr::EndIf => {
                self.ctrl.pop();
            }
            Instr::Load { .. } | Instr::Rmw { .. } => unreachable!("handled by read"),
        }
    }
}
