//! From instructions to the steps of a program.
//!
//! A branch of the machine orders what comes after it to the end of the thread,
//! so no `EndIf` is made of it. An exclusive pair is one read-modify-write that
//! succeeds: the reader holds the condition to leave the other runs out.

use crate::litmus::asm::{Asm, Operand};
use crate::litmus::program::{BinOp, Expr, Instr, Order, RmwOp, Side};

pub(super) struct Raised {
    pub(super) code: Vec<Instr>,
    /// The register whose 1 says that no exclusive store failed.
    pub(super) passed: Option<usize>,
}

pub(super) fn raise(column: &[Asm], regs: &mut Vec<String>) -> Result<Raised, String> {
    // What was compared last; no condition can name these two.
    let flags = (regs.len(), regs.len() + 1);
    regs.extend(["flags.left".to_owned(), "flags.right".to_owned()]);
    let mut code = Vec::new();
    let mut labels: Vec<(&str, usize)> = Vec::new();
    let mut jumps: Vec<(usize, &str)> = Vec::new();
    let mut passed = None;
    let mut rest = column;
    while let Some((first, mut after)) = rest.split_first() {
        match first {
            Asm::Label(label) => {
                if labels.iter().any(|(known, _)| known == label) {
                    return Err(format!("{label} stands twice"));
                }
                labels.push((label, code.len()));
            }
            Asm::Jump { when, label } => {
                jumps.push((code.len(), label));
                code.push(match when {
                    None => Instr::Jump(0),
                    Some(when) => Instr::If {
                        cond: Expr::Bin(
                            opposite(*when)?,
                            Box::new(Expr::Reg(flags.0)),
                            Box::new(Expr::Reg(flags.1)),
                        ),
                        otherwise: 0,
                    },
                });
            }
            Asm::Compare { left, right } => {
                set(&mut code, flags.0, Expr::Reg(*left));
                set(&mut code, flags.1, value_of(*right));
            }
            Asm::Move { to, value } => set(&mut code, *to, value_of(*value)),
            Asm::Calc {
                op,
                to,
                left,
                right,
            } => {
                let (left, right) = (Box::new(Expr::Reg(*left)), Box::new(value_of(*right)));
                set(&mut code, *to, Expr::Bin(*op, left, right));
            }
            Asm::Load { to, loc, order } => code.push(Instr::Load {
                into: *to,
                loc: *loc,
                order: *order,
            }),
            Asm::Store { loc, value, order } => code.push(Instr::Store {
                loc: *loc,
                value: value_of(*value),
                order: *order,
            }),
            Asm::Swap { reg, loc } => code.push(Instr::Rmw {
                into: Some(*reg),
                loc: *loc,
                op: RmwOp::Exchange,
                operand: Expr::Reg(*reg),
                order: Order::SeqCst,
            }),
            Asm::Fence(order) => code.push(Instr::Fence {
                order: *order,
                side: Side::None,
            }),
            Asm::LoadExclusive { .. } => {
                let pair = pair(rest)?;
                passed = Some(last_one(column, pair.label)?);
                code.extend(pair.steps);
                after = pair.after;
            }
            Asm::StoreExclusive { .. } | Asm::JumpNonZero { .. } => {
                return Err("half of an exclusive pair".to_owned());
            }
        }
        rest = after;
    }
    for (at, label) in jumps {
        let Some((_, target)) = labels.iter().find(|(known, _)| *known == label) else {
            return Err(format!("no label {label}"));
        };
        if *target <= at {
            return Err(format!("a jump back to {label}"));
        }
        match &mut code[at] {
            Instr::Jump(to) | Instr::If { otherwise: to, .. } => *to = *target,
            _ => unreachable!("only jumps are to be placed"),
        }
    }
    Ok(Raised { code, passed })
}

fn set(code: &mut Vec<Instr>, reg: usize, value: Expr) {
    code.push(Instr::Set { reg, value });
}

fn value_of(operand: Operand) -> Expr {
    match operand {
        Operand::Number(n) => Expr::Const(n),
        Operand::Register(reg) => Expr::Reg(reg),
    }
}

/// When a jump is not taken.
fn opposite(when: BinOp) -> Result<BinOp, String> {
    Ok(match when {
        BinOp::Eq => BinOp::Ne,
        BinOp::Ne => BinOp::Eq,
        BinOp::Le => BinOp::Gt,
        BinOp::Ge => BinOp::Lt,
        other => return Err(format!("a jump on {other:?}")),
    })
}

struct Pair<'a> {
    steps: Vec<Instr>,
    /// Where it goes on failure.
    label: &'a str,
    after: &'a [Asm],
}

/// Load exclusive, perhaps a sum, store exclusive, leave on failure.
fn pair(code: &[Asm]) -> Result<Pair<'_>, String> {
    let (sum, rest) = match code {
        [_, sum @ Asm::Calc { .. }, rest @ ..] => (Some(sum), rest),
        [_, rest @ ..] => (None, rest),
        [] => (None, code),
    };
    let (
        Some(&Asm::LoadExclusive {
            to,
            loc,
            order: acquire,
        }),
        [
            Asm::StoreExclusive {
                status,
                value,
                loc: again,
                order: release,
            },
            Asm::JumpNonZero { reg, label },
            after @ ..,
        ],
    ) = (code.first(), rest)
    else {
        return Err("half of an exclusive pair".to_owned());
    };
    if loc != *again || reg != status {
        return Err("an exclusive pair that does not match".to_owned());
    }
    let mut steps = Vec::new();
    let (op, operand) = match sum {
        None if *value != to => (RmwOp::Exchange, Expr::Reg(*value)),
        Some(Asm::Calc {
            op,
            to: sum,
            left,
            right,
        }) if *left == to && sum == value && *right != Operand::Register(to) => {
            (RmwOp::Fetch(*op), value_of(*right))
        }
        _ => return Err("an exclusive pair of another kind".to_owned()),
    };
    let order = match (acquire.acquires(), release.releases()) {
        (true, true) => Order::AcqRel,
        (true, false) => Order::Acquire,
        (false, true) => Order::Release,
        (false, false) => Order::Relaxed,
    };
    steps.push(Instr::Rmw {
        into: Some(to),
        loc,
        op,
        operand,
        order,
    });
    if let Some(Asm::Calc {
        op,
        to: sum,
        left,
        right,
    }) = sum
    {
        let (left, right) = (Box::new(Expr::Reg(*left)), Box::new(value_of(*right)));
        set(&mut steps, *sum, Expr::Bin(*op, left, right));
    }
    set(&mut steps, *status, Expr::Const(0));
    Ok(Pair {
        steps,
        label,
        after,
    })
}

/// The register that the last instruction before `label`, at the end, makes 1,
/// and nothing else changes.
fn last_one(column: &[Asm], label: &str) -> Result<usize, String> {
    let [before @ .., Asm::Move { to, value }, Asm::Label(end)] = column else {
        return Err("a thread that does not say whether its stores succeeded".to_owned());
    };
    let written = |asm: &Asm| match asm {
        Asm::Move { to, .. }
        | Asm::Calc { to, .. }
        | Asm::Load { to, .. }
        | Asm::LoadExclusive { to, .. } => Some(*to),
        Asm::Swap { reg, .. } => Some(*reg),
        Asm::StoreExclusive { status, .. } => Some(*status),
        _ => None,
    };
    if end != label
        || *value != Operand::Number(1)
        || before.iter().any(|a| written(a) == Some(*to))
    {
        return Err("a store that fails goes on".to_owned());
    }
    Ok(*to)
}
