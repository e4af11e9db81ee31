//! The comparison of reclamation systems and of hash maps: one binary, every suite, every peer.
//!
//! ```text
//! smr-bench                       about a minute over everything
//! smr-bench churn --threads 1,2   one suite at full length
//! smr-bench schemes --threads 2   one structure over each system
//! smr-bench map --entries 10000000 --workloads read-only
//! smr-bench --list                suites and subjects
//! ```
//!
//! # Method
//!
//! - The runs of the subjects are interleaved ([`run`]); tables show the median
//!   of a subject's runs and their spread, and a lead within the spread is not
//!   called a lead ([`table`]).
//! - A figure covers a span in which all threads are in full swing ([`crew`]).
//! - Memory is counted where it leaves the system ([`alloc`]): what a pool keeps
//!   for later counts against it. The count costs every allocation about a
//!   nanosecond, and every subject pays it.
//! - Latencies are taken in runs of their own ([`probe`]).
//! - Every subject has a domain of its own in each run, where it offers one, and
//!   every run checks that as many items were retired as allocated and that the
//!   subject gave its memory back at the end.
//!
//! With the feature `c-peers`, liburcu and Concurrency Kit take part as well.
//!
//! Not measured: the start of a thread, the tail latency of single operations
//! other than insertions, other allocators than the system's. Threads are not bound to processors.

#![allow(
    clippy::disallowed_types,
    reason = "the comparison is not modelled under loom, and the peers speak std's atomics"
)]

mod alloc;
mod cli;
mod crew;
mod machine;
mod probe;
mod record;
mod resident;
mod run;
mod subjects;
mod suites;
mod table;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, ValueEnum};

use cli::{Cli, Settings, Suite};
use machine::Machine;

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.list {
        list();
        return ExitCode::SUCCESS;
    }
    let settings = Settings::new(&cli);
    check(&settings, &cli);
    match compare(&settings, &cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("smr-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Ends with a message if the settings name what there is not.
fn check(settings: &Settings, cli: &Cli) {
    use clap::error::ErrorKind::InvalidValue;
    let fail = |message: String| -> ! { Cli::command().error(InvalidValue, message).exit() };
    if let Some(size) = settings
        .sizes
        .iter()
        .find(|size| !suites::churn::SIZES.contains(size))
    {
        fail(format!(
            "item size {size} is not one of {:?}",
            suites::churn::SIZES
        ));
    }
    let threads = settings.threads.iter().chain(&settings.churn_threads);
    let entries = settings.maps.entries.iter();
    let mut entries = entries.chain(&settings.maps.memory_entries);
    if entries.any(|count| !suites::map::ENTRIES.contains(count)) {
        fail(format!(
            "a map has {:?} entries in the comparison",
            suites::map::ENTRIES
        ));
    }
    if threads.copied().any(|count| count == 0) {
        fail("a run needs at least one thread".into());
    }
    let known: Vec<&str> = Suite::value_variants()
        .iter()
        .flat_map(|suite| suites::subjects(*suite))
        .map(|(name, _)| name)
        .collect();
    for name in cli.subjects.iter().flatten() {
        if !known.contains(&name.as_str()) {
            fail(format!("no subject is called {name}; see --list"));
        }
    }
}

fn compare(settings: &Settings, cli: &Cli) -> io::Result<()> {
    let mut json = match &cli.json {
        Some(path) => Some(BufWriter::new(File::create(path)?)),
        None => None,
    };
    println!("{}", Machine::inspect());
    let mut verdicts = Vec::new();
    run::run_all(&suites::plan(settings), |records| {
        println!("{}", table::render(records));
        verdicts.extend(table::verdict(records));
        match &mut json {
            Some(file) => record::write_lines(records, file),
            None => Ok(()),
        }
    })?;
    println!("\nWho wins (\"none\", \"malloc\" and \"hashbrown\" protect nobody and stand aside):");
    for line in verdicts {
        println!("  {line}");
    }
    io::stdout().flush()
}

/// Tells what there is.
fn list() {
    for suite in Suite::value_variants() {
        println!("{}", suite.name());
        for (name, about) in suites::subjects(*suite) {
            println!("  {name:<20}{about}");
        }
    }
}
