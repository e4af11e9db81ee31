//! A parsed test: straight-line code with branches, and a final condition.

use std::fmt;

/// How strong an access or a fence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// A plain access, which may race.
    Plain,
    Relaxed,
    Acquire,
    Release,
    AcqRel,
    SeqCst,
}

impl Order {
    pub(crate) fn acquires(self) -> bool {
        matches!(self, Order::Acquire | Order::AcqRel | Order::SeqCst)
    }

    pub(crate) fn releases(self) -> bool {
        matches!(self, Order::Release | Order::AcqRel | Order::SeqCst)
    }

    pub(crate) fn is_atomic(self) -> bool {
        self != Order::Plain
    }
}

/// Which side of the asymmetric barrier a fence stands on. Where the barrier
/// is symmetric, all three are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// An ordinary fence.
    None,
    Light,
    Heavy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinOp {
    Add,
    Sub,
    And,
    Or,
    Xor,
    Eq,
    Ne,
    Lt,
    Gt,
    Le,
    Ge,
}

impl BinOp {
    pub(crate) fn apply(self, a: i64, b: i64) -> i64 {
        match self {
            BinOp::Add => a + b,
            BinOp::Sub => a - b,
            BinOp::And => a & b,
            BinOp::Or => a | b,
            BinOp::Xor => a ^ b,
            BinOp::Eq => i64::from(a == b),
            BinOp::Ne => i64::from(a != b),
            BinOp::Lt => i64::from(a < b),
            BinOp::Gt => i64::from(a > b),
            BinOp::Le => i64::from(a <= b),
            BinOp::Ge => i64::from(a >= b),
        }
    }
}

/// An expression over registers; memory is read by [`Instr::Load`] alone.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Const(i64),
    Reg(usize),
    Bin(BinOp, Box<Expr>, Box<Expr>),
}

/// What a read-modify-write does with the value it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RmwOp {
    Exchange,
    Fetch(BinOp),
}

/// One step of a thread. Branch targets are indexes into the thread's code.
#[derive(Clone, Debug)]
pub(crate) enum Instr {
    Load {
        into: usize,
        loc: usize,
        order: Order,
    },
    Store {
        loc: usize,
        value: Expr,
        order: Order,
    },
    Rmw {
        into: Option<usize>,
        loc: usize,
        op: RmwOp,
        operand: Expr,
        order: Order,
    },
    Fence {
        order: Order,
        side: Side,
    },
    Set {
        reg: usize,
        value: Expr,
    },
    /// Goes to `otherwise` when `cond` is zero; either way what follows, up to
    /// the matching `EndIf`, depends on the condition.
    If {
        cond: Expr,
        otherwise: usize,
    },
    Jump(usize),
    EndIf,
}

/// A memory location.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    pub(crate) name: String,
    pub(crate) init: i64,
    /// `atomic_int` or `int`; `None` until a thread declares it.
    pub(crate) atomic: Option<bool>,
}

/// A thread: its code and the names of its registers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Thread {
    pub(crate) code: Vec<Instr>,
    pub(crate) regs: Vec<String>,
}

/// A statement about the end of an execution.
#[derive(Clone, Debug)]
pub(crate) enum Prop {
    Reg {
        thread: usize,
        reg: usize,
        value: i64,
    },
    Mem {
        loc: usize,
        value: i64,
    },
    Not(Box<Prop>),
    And(Box<Prop>, Box<Prop>),
    Or(Box<Prop>, Box<Prop>),
}

impl Prop {
    /// Whether it holds, given the registers of each thread and the final
    /// memory.
    pub(crate) fn holds(&self, regs: &[&[i64]], memory: &[i64]) -> bool {
        match self {
            Prop::Reg { thread, reg, value } => regs[*thread][*reg] == *value,
            Prop::Mem { loc, value } => memory[*loc] == *value,
            Prop::Not(p) => !p.holds(regs, memory),
            Prop::And(p, q) => p.holds(regs, memory) && q.holds(regs, memory),
            Prop::Or(p, q) => p.holds(regs, memory) || q.holds(regs, memory),
        }
    }

    /// Whether it holds only where the register has that value.
    pub(crate) fn requires(&self, of: usize, register: usize, wanted: i64) -> bool {
        match self {
            Prop::Reg { thread, reg, value } => (*thread, *reg, *value) == (of, register, wanted),
            Prop::Mem { .. } | Prop::Not(_) => false,
            Prop::And(p, q) => p.requires(of, register, wanted) || q.requires(of, register, wanted),
            Prop::Or(p, q) => p.requires(of, register, wanted) && q.requires(of, register, wanted),
        }
    }

    /// Whether it speaks of registers only.
    pub(crate) fn ignores_memory(&self) -> bool {
        match self {
            Prop::Reg { .. } => true,
            Prop::Mem { .. } => false,
            Prop::Not(p) => p.ignores_memory(),
            Prop::And(p, q) | Prop::Or(p, q) => p.ignores_memory() && q.ignores_memory(),
        }
    }
}

/// A parsed litmus test.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) locations: Vec<Location>,
    pub(crate) threads: Vec<Thread>,
    /// What the test asks about. `exists`, `~exists` and `forall` all come
    /// down to one question, whether an outcome can be seen; for `forall` it
    /// is the negation of what was written.
    pub(crate) outcome: Prop,
    /// Further conditions that some execution must meet, or the test is void.
    pub(crate) reach: Vec<Prop>,
}

impl Program {
    /// The same, but that what follows a branch depends on its condition to the
    /// end of the thread, as on a machine, and not only up to where the two
    /// sides join, beyond which a compiler may have done without the branch.
    pub(crate) fn with_lasting_branches(&self) -> Program {
        let mut program = self.clone();
        for thread in &mut program.threads {
            for (at, instr) in thread.code.iter_mut().enumerate() {
                if let Instr::EndIf = instr {
                    *instr = Instr::Jump(at + 1);
                }
            }
        }
        program
    }
}

/// Why a text is not a litmus test of the subset that the checker reads.
#[derive(Clone, Debug)]
pub(crate) struct ParseError {
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ParseError {}
