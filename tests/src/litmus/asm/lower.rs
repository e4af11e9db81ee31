//! From a program to instructions.

use super::super::hardware::Machine;
use super::super::program::{BinOp, Expr, Instr, Location, Order, Program, Prop, RmwOp, Thread};
use super::{ARM_REGISTERS, Asm, Column, Listing, Operand, X86_REGISTERS};

/// Names that herd7 takes for instructions of x86 where a location stands.
const RESERVED: [&str; 14] = [
    "add", "and", "cmp", "dec", "inc", "jmp", "lock", "mfence", "mov", "nop", "or", "ret", "xchg",
    "xor",
];

pub(super) fn lower(program: &Program, machine: Machine) -> Result<Listing, String> {
    if machine == Machine::X86 {
        let taken = |l: &&Location| {
            let name = l.name.to_lowercase();
            let register = |(long, short): &(&str, &str)| *long == name || *short == name;
            RESERVED.contains(&&*name) || X86_REGISTERS.iter().any(register)
        };
        if let Some(location) = program.locations.iter().find(taken) {
            return Err(format!("{} is a word of the assembler", location.name));
        }
    }
    let asked: Vec<&Prop> = [&program.outcome]
        .into_iter()
        .chain(&program.reach)
        .collect();
    let mut columns = Vec::new();
    let mut homes = Vec::new();
    for (number, thread) in program.threads.iter().enumerate() {
        let mut lowering = Lowering::new(machine, number, thread, &asked);
        if lowering.free > lowering.limit() {
            return Err(lowering.too_many());
        }
        lowering.thread()?;
        homes.push(lowering.home.clone());
        columns.push(lowering.into_column());
    }
    let translate = |prop: &Prop| {
        columns
            .iter()
            .enumerate()
            .fold(rename(prop, &homes), |all, (thread, column)| {
                match column.passed {
                    Some(reg) => {
                        let value = 1;
                        let passed = Prop::Reg { thread, reg, value };
                        Prop::And(Box::new(all), Box::new(passed))
                    }
                    None => all,
                }
            })
    };
    Ok(Listing {
        machine,
        name: program.name.clone(),
        locations: program.locations.clone(),
        outcome: translate(&program.outcome),
        reach: program.reach.iter().map(translate).collect(),
        columns,
    })
}

/// The same statement about the registers that each one became.
fn rename(prop: &Prop, homes: &[Vec<Option<usize>>]) -> Prop {
    let inner = |p: &Prop| Box::new(rename(p, homes));
    match prop {
        Prop::Reg { thread, reg, value } => Prop::Reg {
            thread: *thread,
            reg: homes[*thread][*reg].expect("what a condition names has a home"),
            value: *value,
        },
        Prop::Mem { loc, value } => Prop::Mem {
            loc: *loc,
            value: *value,
        },
        Prop::Not(p) => Prop::Not(inner(p)),
        Prop::And(p, q) => Prop::And(inner(p), inner(q)),
        Prop::Or(p, q) => Prop::Or(inner(p), inner(q)),
    }
}

struct Lowering<'a> {
    machine: Machine,
    number: usize,
    thread: &'a Thread,
    addresses: Vec<usize>,
    /// The register of each of the thread's that anything reads.
    home: Vec<Option<usize>>,
    passed: Option<usize>,
    /// The first register that nothing owns, and how many of those the
    /// statement at hand has taken.
    free: usize,
    temporaries: usize,
    /// Labels of places in the thread's code.
    labels: Vec<(usize, String)>,
    made: usize,
    out: Vec<Asm>,
}

impl<'a> Lowering<'a> {
    fn new(machine: Machine, number: usize, thread: &'a Thread, asked: &[&Prop]) -> Self {
        let mut read = vec![false; thread.regs.len()];
        let mut addresses = Vec::new();
        let mut may_fail = false;
        for prop in asked {
            mark_named(prop, number, &mut read);
        }
        for instr in &thread.code {
            let (expr, loc) = match instr {
                Instr::Load { loc, .. } => (None, Some(*loc)),
                Instr::Store { loc, value, .. } => (Some(value), Some(*loc)),
                Instr::Rmw {
                    loc, operand, op, ..
                } => {
                    may_fail |= machine == Machine::Arm || matches!(op, RmwOp::Fetch(_));
                    (Some(operand), Some(*loc))
                }
                Instr::Set { value, .. } => (Some(value), None),
                Instr::If { cond, .. } => (Some(cond), None),
                Instr::Fence { .. } | Instr::Jump(_) | Instr::EndIf => (None, None),
            };
            if let Some(expr) = expr {
                mark_read(expr, &mut read);
            }
            if let Some(loc) = loc.filter(|loc| !addresses.contains(loc)) {
                addresses.push(loc);
            }
        }
        if machine == Machine::X86 {
            addresses.clear();
        }
        let mut free = addresses.len();
        let mut next = || {
            free += 1;
            free - 1
        };
        let home = read.into_iter().map(|r| r.then(&mut next)).collect();
        let passed = may_fail.then(&mut next);
        Self {
            machine,
            number,
            thread,
            addresses,
            home,
            passed,
            free,
            temporaries: 0,
            labels: Vec::new(),
            made: 0,
            out: Vec::new(),
        }
    }

    fn into_column(self) -> Column {
        let names = self.thread.regs.iter().zip(&self.home);
        Column {
            names: names
                .filter_map(|(name, home)| home.map(|reg| (name.clone(), reg)))
                .collect(),
            code: self.out,
            addresses: self.addresses,
            passed: self.passed,
        }
    }

    fn thread(&mut self) -> Result<(), String> {
        let code = &self.thread.code;
        for (at, instr) in code.iter().enumerate() {
            self.place_label(at);
            self.temporaries = 0;
            self.instr(instr)?;
        }
        self.place_label(code.len());
        if let Some(passed) = self.passed {
            self.set(passed, Operand::Number(1));
            self.out.push(Asm::Label(self.end()));
        }
        Ok(())
    }

    fn instr(&mut self, instr: &Instr) -> Result<(), String> {
        match instr {
            Instr::Load { into, loc, order } => {
                let to = self.home_or_temporary(Some(*into))?;
                let (loc, order) = (*loc, *order);
                self.out.push(Asm::Load { to, loc, order });
            }
            Instr::Store { loc, value, order } => self.store(*loc, value, *order)?,
            Instr::Rmw {
                into,
                loc,
                op,
                operand,
                order,
            } => self.rmw(*into, *loc, *op, operand, *order)?,
            // Only a full fence is an instruction on x86.
            Instr::Fence { order, .. } => {
                if self.machine == Machine::Arm || *order == Order::SeqCst {
                    self.out.push(Asm::Fence(*order));
                }
            }
            Instr::Set { reg, value } => {
                if let Some(to) = self.home[*reg] {
                    self.eval(value, to)?;
                }
            }
            Instr::If { cond, otherwise } => {
                let label = self.label_of(*otherwise);
                let when = Some(match cond {
                    Expr::Bin(op, a, b) if is_comparison(*op) => self.compare(*op, a, b)?,
                    _ => self.compare(BinOp::Ne, cond, &Expr::Const(0))?,
                });
                self.out.push(Asm::Jump { when, label });
            }
            Instr::Jump(to) => {
                let label = self.label_of(*to);
                self.out.push(Asm::Jump { when: None, label });
            }
            Instr::EndIf => {}
        }
        Ok(())
    }

    fn store(&mut self, loc: usize, value: &Expr, order: Order) -> Result<(), String> {
        if self.machine == Machine::X86 {
            if order == Order::SeqCst {
                let reg = self.temporary()?;
                self.eval(value, reg)?;
                self.out.push(Asm::Swap { reg, loc });
            } else {
                let value = self.operand(value)?;
                self.out.push(Asm::Store { loc, value, order });
            }
            return Ok(());
        }
        let value = Operand::Register(self.register(value)?);
        self.out.push(Asm::Store { loc, value, order });
        Ok(())
    }

    fn rmw(
        &mut self,
        into: Option<usize>,
        loc: usize,
        op: RmwOp,
        operand: &Expr,
        order: Order,
    ) -> Result<(), String> {
        let to = self.home_or_temporary(into)?;
        if let (Machine::X86, RmwOp::Exchange) = (self.machine, op) {
            self.eval(operand, to)?;
            self.out.push(Asm::Swap { reg: to, loc });
            return Ok(());
        }
        // What is read may not overwrite what is still to be written.
        let mut right = self.operand(operand)?;
        if right == Operand::Register(to) {
            let copy = self.temporary()?;
            self.set(copy, right);
            right = Operand::Register(copy);
        }
        if self.machine == Machine::X86 {
            let RmwOp::Fetch(op) = op else {
                unreachable!("an exchange is one instruction")
            };
            let order = Order::Relaxed;
            self.out.push(Asm::Load { to, loc, order });
            let sum = self.temporary()?;
            self.calc(op, sum, to, right)?;
            self.out.push(Asm::Swap { reg: sum, loc });
            self.out.push(Asm::Compare {
                left: sum,
                right: Operand::Register(to),
            });
            self.out.push(Asm::Jump {
                when: Some(BinOp::Ne),
                label: self.end(),
            });
            return Ok(());
        }
        let (acquire, release) = halves(order);
        let exclusive = Asm::LoadExclusive {
            to,
            loc,
            order: acquire,
        };
        let value = match (op, right) {
            (RmwOp::Exchange, Operand::Register(value)) => {
                self.out.push(exclusive);
                value
            }
            (RmwOp::Exchange, number) => {
                let value = self.temporary()?;
                self.set(value, number);
                self.out.push(exclusive);
                value
            }
            (RmwOp::Fetch(op), right) => {
                self.out.push(exclusive);
                let sum = self.temporary()?;
                self.calc(op, sum, to, right)?;
                sum
            }
        };
        let status = self.temporary()?;
        self.out.push(Asm::StoreExclusive {
            status,
            value,
            loc,
            order: release,
        });
        self.out.push(Asm::JumpNonZero {
            reg: status,
            label: self.end(),
        });
        Ok(())
    }

    /// Puts the value of `expr` into `to`.
    fn eval(&mut self, expr: &Expr, to: usize) -> Result<(), String> {
        match expr {
            Expr::Const(_) | Expr::Reg(_) => {
                let value = self.operand(expr)?;
                if value != Operand::Register(to) {
                    self.set(to, value);
                }
                Ok(())
            }
            Expr::Bin(op, a, b) if is_comparison(*op) => {
                let when = Some(self.compare(*op, a, b)?);
                let label = self.fresh_label();
                // After the comparison, which may be of `to`; flags stay.
                self.set(to, Operand::Number(0));
                self.out.push(Asm::Jump {
                    when,
                    label: label.clone(),
                });
                self.set(to, Operand::Number(1));
                self.out.push(Asm::Label(label));
                Ok(())
            }
            Expr::Bin(op, a, b) => {
                let left = self.register(a)?;
                let right = self.operand(b)?;
                self.calc(*op, to, left, right)
            }
        }
    }

    fn calc(&mut self, op: BinOp, to: usize, left: usize, right: Operand) -> Result<(), String> {
        if !matches!(op, BinOp::Add | BinOp::Or) {
            return Err(format!("{op:?} is not among the instructions used"));
        }
        let mut right = right;
        let mut left = left;
        match self.machine {
            Machine::Arm => {
                if op != BinOp::Add && matches!(right, Operand::Number(_)) {
                    let copy = self.temporary()?;
                    self.set(copy, right);
                    right = Operand::Register(copy);
                }
            }
            // The result goes where the left side was.
            Machine::X86 => {
                if right == Operand::Register(to) {
                    right = Operand::Register(left);
                } else if left != to {
                    self.set(to, Operand::Register(left));
                }
                left = to;
            }
        }
        self.out.push(Asm::Calc {
            op,
            to,
            left,
            right,
        });
        Ok(())
    }

    /// Compares, and says how it comes out when `a op b` is false: `e`, `ne`,
    /// `le` or `ge`, the four jumps of x86 that mean the same in every herd7.
    fn compare(&mut self, op: BinOp, a: &Expr, b: &Expr) -> Result<BinOp, String> {
        let shifted = |by: i64| match b {
            Expr::Const(n) => Ok(Expr::Const(n + by)),
            Expr::Bin(BinOp::Add, x, one) if matches!(**one, Expr::Const(n) if n + by == 0) => {
                Ok((**x).clone())
            }
            _ => Err("a comparison that needs another jump".to_owned()),
        };
        let (when, right) = match op {
            BinOp::Eq => (BinOp::Ne, b.clone()),
            BinOp::Ne => (BinOp::Eq, b.clone()),
            BinOp::Lt => (BinOp::Ge, b.clone()),
            BinOp::Gt => (BinOp::Le, b.clone()),
            // As a < b + 1, and as a > b - 1.
            BinOp::Le => (BinOp::Ge, shifted(1)?),
            BinOp::Ge => (BinOp::Le, shifted(-1)?),
            _ => return Err(format!("{op:?} does not compare")),
        };
        let left = self.register(a)?;
        let right = self.operand(&right)?;
        self.out.push(Asm::Compare { left, right });
        Ok(when)
    }

    fn set(&mut self, to: usize, value: Operand) {
        self.out.push(Asm::Move { to, value });
    }

    fn operand(&mut self, expr: &Expr) -> Result<Operand, String> {
        match expr {
            Expr::Const(n) if (0..=4095).contains(n) => Ok(Operand::Number(*n)),
            Expr::Const(n) => Err(format!("{n} is no immediate")),
            Expr::Reg(reg) => Ok(Operand::Register(
                self.home[*reg].expect("what is read has a home"),
            )),
            Expr::Bin(..) => {
                let to = self.temporary()?;
                self.eval(expr, to)?;
                Ok(Operand::Register(to))
            }
        }
    }

    fn register(&mut self, expr: &Expr) -> Result<usize, String> {
        match self.operand(expr)? {
            Operand::Register(reg) => Ok(reg),
            number => {
                let to = self.temporary()?;
                self.set(to, number);
                Ok(to)
            }
        }
    }

    fn home_or_temporary(&mut self, reg: Option<usize>) -> Result<usize, String> {
        match reg.and_then(|reg| self.home[reg]) {
            Some(home) => Ok(home),
            None => self.temporary(),
        }
    }

    /// A register for the statement at hand.
    fn temporary(&mut self) -> Result<usize, String> {
        let reg = self.free + self.temporaries;
        self.temporaries += 1;
        if reg < self.limit() {
            Ok(reg)
        } else {
            Err(self.too_many())
        }
    }

    fn limit(&self) -> usize {
        match self.machine {
            Machine::X86 => X86_REGISTERS.len(),
            Machine::Arm => ARM_REGISTERS,
        }
    }

    fn too_many(&self) -> String {
        format!("thread {} needs more registers", self.number)
    }

    fn end(&self) -> String {
        format!("End{}", self.number)
    }

    fn fresh_label(&mut self) -> String {
        self.made += 1;
        format!("LC{}{}", self.number, self.made - 1)
    }

    /// The label of a place in the code; where branches join there is nothing
    /// to carry out.
    fn label_of(&mut self, at: usize) -> String {
        let rest = &self.thread.code[at..];
        let at = at
            + rest
                .iter()
                .take_while(|i| matches!(i, Instr::EndIf))
                .count();
        if let Some((_, known)) = self.labels.iter().find(|(place, _)| *place == at) {
            return known.clone();
        }
        let label = self.fresh_label();
        self.labels.push((at, label.clone()));
        label
    }

    fn place_label(&mut self, at: usize) {
        if let Some((_, label)) = self.labels.iter().find(|(place, _)| *place == at) {
            self.out.push(Asm::Label(label.clone()));
        }
    }
}

fn is_comparison(op: BinOp) -> bool {
    use BinOp::{Eq, Ge, Gt, Le, Lt, Ne};
    matches!(op, Eq | Ne | Lt | Gt | Le | Ge)
}

/// What the load and the store of an exclusive pair have of the pair's ordering.
fn halves(order: Order) -> (Order, Order) {
    let pick = |strong: bool, order| if strong { order } else { Order::Relaxed };
    (
        pick(order.acquires(), Order::Acquire),
        pick(order.releases(), Order::Release),
    )
}

fn mark_read(expr: &Expr, read: &mut [bool]) {
    match expr {
        Expr::Const(_) => {}
        Expr::Reg(reg) => read[*reg] = true,
        Expr::Bin(_, a, b) => {
            mark_read(a, read);
            mark_read(b, read);
        }
    }
}

fn mark_named(prop: &Prop, number: usize, read: &mut [bool]) {
    match prop {
        Prop::Reg { thread, reg, .. } => {
            if *thread == number {
                read[*reg] = true;
            }
        }
        Prop::Mem { .. } => {}
        Prop::Not(p) => mark_named(p, number, read),
        Prop::And(p, q) | Prop::Or(p, q) => {
            mark_named(p, number, read);
            mark_named(q, number, read);
        }
    }
}
