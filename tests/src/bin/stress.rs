//! The long form of the stress: `cargo run --release -p smr-tests --bin stress`.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use smr_core::{BarrierKind, Domain};
use smr_tests::stress::{self, Broken, Config, Kind};

/// Readers, writers and threads that come and go, over objects that say so when
/// they are destroyed under a reader. Ends with 1 if anything was seen.
#[derive(Debug, Parser)]
struct Args {
    /// For how long, over all kinds and barriers.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Readers, and as many writers; the default is the number of processors.
    #[arg(long)]
    threads: Option<usize>,
    /// Threads that start short-lived threads.
    #[arg(long, default_value_t = 1)]
    churners: usize,
    /// Shared pointers.
    #[arg(long, default_value_t = 3)]
    places: usize,
    /// Where the random numbers start; the default is random.
    #[arg(long)]
    seed: Option<u64>,
    /// domain, cell, pool-plain or pool-drop; the default is all of them.
    #[arg(long)]
    kind: Option<Kind>,
    /// The barrier; the default is all that the system has.
    #[arg(long)]
    barrier: Option<BarrierArg>,
    /// A mistake to make: the run must see it, and ends with 1.
    #[arg(long)]
    broken: Option<BrokenArg>,
    /// Never drop a domain: for ThreadSanitizer.
    #[arg(long, hide = true)]
    keep_domains: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum BarrierArg {
    Asymmetric,
    Fence,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum BrokenArg {
    /// Readers look at objects outside of any section.
    Unprotected,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let barriers: Vec<_> = match args.barrier {
        Some(BarrierArg::Asymmetric) => vec![BarrierKind::Asymmetric],
        Some(BarrierArg::Fence) => vec![BarrierKind::Fence],
        None => [BarrierKind::Asymmetric, BarrierKind::Fence]
            .into_iter()
            .filter(|kind| Domain::builder().barrier(*kind).build().is_ok())
            .collect(),
    };
    let broken = args
        .broken
        .map(|BrokenArg::Unprotected| Broken::Unprotected);
    let kinds: Vec<_> = Kind::ALL
        .into_iter()
        .filter(|kind| args.kind.is_none_or(|only| only == *kind))
        .filter(|kind| broken.is_none() || *kind != Kind::Cell)
        .collect();
    if kinds.is_empty() {
        eprintln!("a cell cannot be read without a guard");
        return ExitCode::from(2);
    }
    let threads = args.threads.unwrap_or_else(|| {
        std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get)
    });
    let mut seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
    let runs = u32::try_from(kinds.len() * barriers.len()).expect("a few");
    // In rounds, so that a run that is stopped early has seen all kinds.
    let round = Duration::from_secs(args.seconds.clamp(1, 60));
    let end = Instant::now() + Duration::from_secs(args.seconds);
    let mut clean = true;
    loop {
        for &kind in &kinds {
            for &barrier in &barriers {
                let config = Config {
                    kind,
                    barrier,
                    duration: round / runs,
                    readers: threads,
                    writers: threads,
                    churners: args.churners,
                    places: args.places,
                    seed,
                    broken,
                    keep_domain: args.keep_domains,
                };
                let report = stress::run(&config);
                println!("{kind}, {barrier:?}, seed {seed}: {report}");
                clean &= report.is_clean();
                seed = seed.wrapping_add(1);
            }
        }
        if !clean {
            return ExitCode::FAILURE;
        }
        if Instant::now() >= end {
            return ExitCode::SUCCESS;
        }
    }
}
