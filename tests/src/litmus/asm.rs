//! A program as the machines run it: herd7's litmus files for X86_64 and AArch64.
//!
//! [`write`] compiles a program in the usual way and prints it; the reader of
//! these files is [`super::parse`]. Both sides of the barrier are full fences
//! here, since a file has no word for the asymmetric one.
//!
//! A read-modify-write that may fail is tried once: a thread in which one fails
//! goes to its end, and leaves out the last instruction, which puts 1 into a
//! register. The condition asks for that 1, so that runs in which something failed
//! count for nothing. On AArch64 what may fail is the exclusive
//! store. On x86 it is an addition that returns a value: herd7 knows no `xadd`, so
//! it is a load and an exchange that has to give back what was loaded.

mod lower;
mod print;
#[cfg(test)]
mod tests;

use super::hardware::Machine;
use super::judge::Verdict;
use super::program::{BinOp, Location, Order, Program, Prop};

/// Where the value of an instruction comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    Number(i64),
    Register(usize),
}

/// One line of a thread, of either machine. Registers are numbers: those of the
/// machine in what is written, the thread's own in what has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asm {
    Move {
        to: usize,
        value: Operand,
    },
    Calc {
        op: BinOp,
        to: usize,
        left: usize,
        right: Operand,
    },
    Compare {
        left: usize,
        right: Operand,
    },
    /// Always, or when the last comparison came out like this.
    Jump {
        when: Option<BinOp>,
        label: String,
    },
    Label(String),
    Load {
        to: usize,
        loc: usize,
        order: Order,
    },
    Store {
        loc: usize,
        value: Operand,
        order: Order,
    },
    /// The locked exchange of x86.
    Swap {
        reg: usize,
        loc: usize,
    },
    LoadExclusive {
        to: usize,
        loc: usize,
        order: Order,
    },
    StoreExclusive {
        status: usize,
        value: usize,
        loc: usize,
        order: Order,
    },
    /// `cbnz`, which follows a store exclusive.
    JumpNonZero {
        reg: usize,
        label: String,
    },
    Fence(Order),
}

/// A thread as a column of the table.
#[derive(Debug)]
struct Column {
    code: Vec<Asm>,
    /// The locations whose addresses are in registers, from 0 on.
    addresses: Vec<usize>,
    /// Names in the program and the registers that they became.
    names: Vec<(String, usize)>,
    /// The register that is 1 at the end unless something failed.
    passed: Option<usize>,
}

/// A whole file.
#[derive(Debug)]
struct Listing {
    machine: Machine,
    name: String,
    locations: Vec<Location>,
    columns: Vec<Column>,
    outcome: Prop,
    reach: Vec<Prop>,
}

/// The registers of x86 that are used: as conditions name them, and as 32 bits.
pub(crate) const X86_REGISTERS: [(&str, &str); 15] = [
    ("rax", "eax"),
    ("rbx", "ebx"),
    ("rcx", "ecx"),
    ("rdx", "edx"),
    ("rsi", "esi"),
    ("rdi", "edi"),
    ("r8", "r8d"),
    ("r9", "r9d"),
    ("r10", "r10d"),
    ("r11", "r11d"),
    ("r12", "r12d"),
    ("r13", "r13d"),
    ("r14", "r14d"),
    ("r15", "r15d"),
    ("rbp", "ebp"),
];

/// `X0` to `X28`.
pub(crate) const ARM_REGISTERS: usize = 29;

/// The file of `program` for `machine`; `expected` is what its head announces.
///
/// # Errors
///
/// A message that says what the machine's instructions, or those that herd7
/// knows of it, do not express.
pub(super) fn write(
    program: &Program,
    machine: Machine,
    expected: Verdict,
) -> Result<String, String> {
    let listing =
        lower::lower(program, machine).map_err(|what| format!("{}: {what}", program.name))?;
    Ok(print::print(&listing, expected))
}
