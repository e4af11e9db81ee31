//! Fence placement under weak memory, checked exhaustively.
//!
//! The protocols of the core come down to a handful of *shapes*: programs of
//! two or three threads, written in herd7's C format under `tests/litmus`.
//! This module enumerates every execution of such a program and judges it by
//! RC11, by x86-TSO and by AArch64, each with fences on both sides of the
//! barrier and with the asymmetric barrier. A header in each shape says what
//! is expected, and lists *mutants*: an ordering weakened, a fence left out, a
//! load moved. Those have to fail, or the shape proves nothing.
//!
//! ```text
//! suite -> header (expectations, mutants)
//!       -> parse -> lex                     text to program
//!       -> judge -> candidates -> trace     program to executions
//!                -> rc11, hardware -> rel   executions to verdicts
//!                -> asm                     program to the files of the machines
//! ```

mod asm;
mod candidates;
mod hardware;
mod header;
mod judge;
mod lex;
mod parse;
mod program;
mod rc11;
mod rel;
pub mod suite;
mod trace;

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod classics;

pub use hardware::Machine;
pub use header::{Expected, Header, Mutant};
pub use judge::{Model, Outcome, Test, Verdict};

/// Reads a litmus file, of C or of a machine, with what its header says.
///
/// # Errors
///
/// A message that says what does not fit, and where.
pub fn read(text: &str) -> Result<(Test, Header), String> {
    let header = header::read(text)?;
    let program = parse::parse(text, &header.reach).map_err(|e| e.to_string())?;
    Ok((Test::new(program), header))
}
