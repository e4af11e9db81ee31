//! Instructions, tables and conditions as herd7 writes them.

use super::super::hardware::Machine;
use super::super::judge::Verdict;
use super::super::program::{BinOp, Order, Prop};
use super::{Asm, Column, Listing, Operand, X86_REGISTERS};

pub(super) fn print(listing: &Listing, expected: Verdict) -> String {
    let machine = listing.machine;
    let mut out = format!(
        "{} {}\n\n{}\n{{\n",
        machine.arch(),
        listing.name,
        head(listing, expected)
    );
    for location in &listing.locations {
        out.push_str(&format!(" int {}={};\n", location.name, location.init));
    }
    for (number, column) in listing.columns.iter().enumerate() {
        let of = |(reg, loc): (usize, &usize)| {
            let name = &listing.locations[*loc].name;
            format!(" {number}:{}={name};", in_condition(machine, reg))
        };
        let addresses: String = column.addresses.iter().enumerate().map(of).collect();
        if !addresses.is_empty() {
            out.push_str(&format!("{addresses}\n"));
        }
    }
    out.push_str("}\n");
    out.push_str(&table(listing));
    let condition = condition(listing, &listing.outcome, Side::Whole);
    format!("{out}\nexists ({condition})\n")
}

/// The comment at the head: where the file comes from, what herd7 should find,
/// which register is which, and in the words of a shape's header what the
/// outcome is expected to be and what has to be possible.
fn head(listing: &Listing, expected: Verdict) -> String {
    let machine = listing.machine;
    let answer = match expected {
        Verdict::Forbidden => "Never",
        Verdict::Allowed | Verdict::Race => "Sometimes",
    };
    let mut lines = vec![
        format!("Result: {answer}"),
        String::new(),
        format!(
            "The shape of this name as {} runs it, with fences on both sides of the",
            machine.arch()
        ),
        "barrier: a file has no word for the asymmetric one. `cargo litmus` wrote it.".to_owned(),
    ];
    if listing.columns.iter().any(|c| c.passed.is_some()) {
        lines.push(String::new());
        lines.extend(match machine {
            Machine::X86 => [
                "An addition that returns a value is a load and an exchange that has to give"
                    .to_owned(),
                "back what was loaded; where it does not, the thread ends without its last 1."
                    .to_owned(),
            ],
            Machine::Arm => [
                "Where an exclusive store fails the thread ends without its last 1, and the"
                    .to_owned(),
                "condition leaves the run out.".to_owned(),
            ],
        });
    }
    lines.push(String::new());
    for (number, column) in listing.columns.iter().enumerate() {
        let name =
            |(name, reg): &(String, usize)| format!("{name} {}", in_condition(machine, *reg));
        let names: Vec<String> = column.names.iter().map(name).collect();
        if !names.is_empty() {
            lines.push(format!("P{number}: {}", names.join(", ")));
        }
    }
    if expected != Verdict::Forbidden || !listing.reach.is_empty() {
        lines.push(String::new());
    }
    if expected != Verdict::Forbidden {
        lines.push(format!("Allowed: {}", machine.model().name()));
    }
    for prop in &listing.reach {
        lines.push(format!("Reach: {}", condition(listing, prop, Side::Whole)));
    }
    let mut out = String::from("(*\n");
    for line in lines {
        out.push_str(format!(" * {line}").trim_end());
        out.push('\n');
    }
    out.push_str(" *)\n");
    out
}

/// One column a thread, each row ended by a semicolon.
fn table(listing: &Listing) -> String {
    let cells: Vec<Vec<String>> = listing
        .columns
        .iter()
        .enumerate()
        .map(|(number, column)| {
            let code = column.code.iter();
            std::iter::once(format!("P{number}"))
                .chain(code.map(|asm| instruction(listing, column, asm)))
                .collect()
        })
        .collect();
    let widths: Vec<usize> = cells
        .iter()
        .map(|column| column.iter().map(String::len).max().unwrap_or(0))
        .collect();
    let rows = cells.iter().map(Vec::len).max().unwrap_or(0);
    let mut out = String::new();
    for row in 0..rows {
        let texts: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(column, width)| format!(" {:<width$} ", column.get(row).map_or("", |c| c)))
            .collect();
        out.push_str(&format!("{};\n", texts.join("|")));
    }
    out
}

fn in_condition(machine: Machine, reg: usize) -> String {
    match machine {
        Machine::X86 => X86_REGISTERS[reg].0.to_owned(),
        Machine::Arm => format!("X{reg}"),
    }
}

fn instruction(listing: &Listing, column: &Column, asm: &Asm) -> String {
    match listing.machine {
        Machine::X86 => x86(listing, asm),
        Machine::Arm => arm(column, asm),
    }
}

fn x86(listing: &Listing, asm: &Asm) -> String {
    let reg = |r: usize| format!("%{}", X86_REGISTERS[r].1);
    let value = |v: Operand| match v {
        Operand::Number(n) => format!("${n}"),
        Operand::Register(r) => reg(r),
    };
    let place = |loc: usize| format!("({})", listing.locations[loc].name);
    match asm {
        Asm::Move { to, value: v } => format!("movl {},{}", value(*v), reg(*to)),
        Asm::Calc { op, to, right, .. } => {
            let name = if *op == BinOp::Or { "orl" } else { "addl" };
            format!("{name} {},{}", value(*right), reg(*to))
        }
        Asm::Compare { left, right } => format!("cmpl {},{}", value(*right), reg(*left)),
        Asm::Jump { when: None, label } => format!("jmp {label}"),
        Asm::Jump {
            when: Some(when),
            label,
        } => format!(
            "j{} {label}",
            suffix(*when).to_lowercase().replace("eq", "e")
        ),
        Asm::Label(label) => format!("{label}:"),
        Asm::Load { to, loc, .. } => format!("movl {},{}", place(*loc), reg(*to)),
        Asm::Store { loc, value: v, .. } => format!("movl {},{}", value(*v), place(*loc)),
        Asm::Swap { reg: r, loc } => format!("xchgl {},{}", reg(*r), place(*loc)),
        Asm::Fence(_) => "mfence".to_owned(),
        Asm::LoadExclusive { .. } | Asm::StoreExclusive { .. } | Asm::JumpNonZero { .. } => {
            unreachable!("x86 has no exclusive pairs")
        }
    }
}

fn arm(column: &Column, asm: &Asm) -> String {
    let value = |v: &Operand| match v {
        Operand::Number(n) => format!("#{n}"),
        Operand::Register(r) => format!("W{r}"),
    };
    let place = |loc: &usize| {
        let at = column.addresses.iter().position(|a| a == loc);
        format!("[X{}]", at.expect("each location has its address"))
    };
    match asm {
        Asm::Move { to, value: v } => format!("MOV W{to},{}", value(v)),
        Asm::Calc {
            op,
            to,
            left,
            right,
        } => {
            let name = if *op == BinOp::Or { "ORR" } else { "ADD" };
            format!("{name} W{to},W{left},{}", value(right))
        }
        Asm::Compare { left, right } => format!("CMP W{left},{}", value(right)),
        Asm::Jump { when: None, label } => format!("B {label}"),
        Asm::Jump {
            when: Some(when),
            label,
        } => format!("B.{} {label}", suffix(*when)),
        Asm::Label(label) => format!("{label}:"),
        Asm::Load { to, loc, order } => {
            let name = match order {
                Order::SeqCst => "LDAR",
                order if order.acquires() => "LDAPR",
                _ => "LDR",
            };
            format!("{name} W{to},{}", place(loc))
        }
        Asm::Store {
            loc,
            value: v,
            order,
        } => {
            let name = if order.releases() { "STLR" } else { "STR" };
            format!("{name} {},{}", value(v), place(loc))
        }
        Asm::LoadExclusive { to, loc, order } => {
            let name = if order.acquires() { "LDAXR" } else { "LDXR" };
            format!("{name} W{to},{}", place(loc))
        }
        Asm::StoreExclusive {
            status,
            value,
            loc,
            order,
        } => {
            let name = if order.releases() { "STLXR" } else { "STXR" };
            format!("{name} W{status},W{value},{}", place(loc))
        }
        Asm::JumpNonZero { reg, label } => format!("CBNZ W{reg},{label}"),
        Asm::Fence(Order::Acquire) => "DMB ISHLD".to_owned(),
        Asm::Fence(_) => "DMB ISH".to_owned(),
        Asm::Swap { .. } => unreachable!("a swap is a pair on AArch64"),
    }
}

fn suffix(when: BinOp) -> &'static str {
    match when {
        BinOp::Eq => "EQ",
        BinOp::Ne => "NE",
        BinOp::Le => "LE",
        BinOp::Ge => "GE",
        other => unreachable!("no jump is made for {other:?}"),
    }
}

/// Where a part of a condition stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Whole,
    And,
    Or,
    Not,
}

fn condition(listing: &Listing, prop: &Prop, side: Side) -> String {
    let part = |p: &Prop, side| condition(listing, p, side);
    let (text, own) = match prop {
        Prop::Reg { thread, reg, value } => {
            let reg = in_condition(listing.machine, *reg);
            return format!("{thread}:{reg}={value}");
        }
        Prop::Mem { loc, value } => return format!("[{}]={value}", listing.locations[*loc].name),
        Prop::Not(p) => return format!("~({})", part(p, Side::Not)),
        Prop::And(p, q) => {
            let sides = (part(p, Side::And), part(q, Side::And));
            (format!("{} /\\ {}", sides.0, sides.1), Side::And)
        }
        Prop::Or(p, q) => {
            let sides = (part(p, Side::Or), part(q, Side::Or));
            (format!("{} \\/ {}", sides.0, sides.1), Side::Or)
        }
    };
    // In brackets wherever the two are mixed.
    if side == own || matches!(side, Side::Whole | Side::Not) {
        text
    } else {
        format!("({text})")
    }
}
