//! The comparison of reclamation systems, hash maps, lists and radix trees: one binary,
//! every suite, every peer.
//!
//! ```text
//! smr-bench                       a minute and a half over everything
//! smr-bench churn --threads 1,2   one suite at full length
//! smr-bench schemes --threads 2   one structure over each system
//! smr-bench map --entries 10000000 --workloads read-only
//! smr-bench radix --spreads dense --mixes alone
//! smr-bench --list                suites and subjects
//! smr-bench report --html x.html  everything, as a page; x.jsonl and x.csv beside it
//! smr-bench report --from x.jsonl --html x.html     the page, from records
//! smr-bench diff a.jsonl b.jsonl                    what changed
//! smr-bench index FOLDER          real input, from end to end
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
//! other than insertions. Threads are bound to processors where there is one for
//! each and one for the harness ([`pin`]); the allocator is the system's, or
//! mimalloc by the feature of that name.

#![allow(
    clippy::disallowed_types,
    reason = "the comparison is not modelled under loom, and the peers speak std's atomics"
)]

mod alloc;
mod cli;
mod commands;
mod crew;
mod diff;
mod journal;
mod machine;
mod pin;
mod probe;
mod record;
mod report;
mod resident;
mod run;
mod session;
mod subjects;
mod suites;
mod table;
mod trace;
mod work;

use std::io;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, ValueEnum};

use cli::{Cli, Settings, Suite};
use commands::{Arguments, Command};
use report::Outputs;

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        None => {
            let run = &arguments.run;
            compare(run, &Settings::new(run), Outputs::default())
        }
        Some(Command::Report(mut report)) => {
            let brief = report.brief();
            report.complete();
            if report.from.is_empty() {
                let settings = Settings::with(&report.run, brief);
                compare(&report.run, &settings, Outputs::new(&report))
            } else {
                report::render(&report)
            }
        }
        Some(Command::Diff(files)) => return diff::run(&files),
        Some(Command::Index(work)) => work::index::run(&work),
        Some(Command::Pages(work)) => work::pages::run(&work),
        Some(Command::Trace(trace)) => commands::trace(&trace),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("smr-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs what the settings ask for.
fn compare(cli: &Cli, settings: &Settings, outputs: Outputs) -> io::Result<()> {
    if cli.list {
        list();
        return Ok(());
    }
    check(settings, cli);
    session::run(settings, cli, outputs)
}

/// Ends with a message if the settings name what there is not.
fn check(settings: &Settings, cli: &Cli) {
    use clap::error::ErrorKind::InvalidValue;
    let fail = |message: String| -> ! { Arguments::command().error(InvalidValue, message).exit() };
    if cli.resume && cli.json.is_none() {
        fail("--resume goes on with the file of --json".into());
    }
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
    if settings.lists.ranges.iter().any(|range| *range < 2) {
        fail("a list's range has at least two keys".into());
    }
    if settings.lists.gets.iter().any(|gets| *gets > 100) {
        fail("a hundred operations have at most a hundred look-ups".into());
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

/// Tells what there is.
fn list() {
    for suite in Suite::value_variants() {
        println!("{}", suite.name());
        for (name, about) in suites::subjects(*suite) {
            println!("  {name:<20}{about}");
        }
    }
}
