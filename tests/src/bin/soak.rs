//! Everything under load for as long as one likes:
//! `cargo run --release -p smr-tests --bin soak -- --minutes 60`.

use std::fmt::Display;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use smr_core::{BarrierKind, Domain};
use smr_tests::soak::{self, Subject, resident_bytes};
use smr_tests::stress::{self, Kind};

/// The core, the map, the lists and the radix tree in turn, with every answer checked, every drop
/// counted, and the memory watched. Ends with 1 if anything was wrong.
#[derive(Debug, Parser)]
struct Args {
    /// For how long.
    #[arg(long, default_value_t = 60.0, conflicts_with = "seconds")]
    minutes: f64,
    /// The same in seconds.
    #[arg(long)]
    seconds: Option<f64>,
    /// Threads beside those that stall and watch; the default is twice the number
    /// of processors.
    #[arg(long)]
    threads: Option<usize>,
    /// Where the random numbers start; the default is random.
    #[arg(long)]
    seed: Option<u64>,
    /// Interrupt threads at any instruction.
    #[arg(long)]
    preempt: bool,
    /// The map and the lists without the core, and nothing that ThreadSanitizer
    /// does not understand.
    #[arg(long, hide = true)]
    for_thread_sanitizer: bool,
}

/// How long a part takes at the most, in seconds: after one round all has been seen.
const LONGEST_PART_S: f64 = 10.0;

/// What a process may hold more at the end of a round than at the end of the first:
/// what allocators and threads keep.
const ROOM_BYTES: u64 = 64 << 20;

struct Outcome {
    rounds: u32,
    clean: bool,
}

impl Outcome {
    fn note(&mut self, part: impl Display, seed: u64, is_clean: bool, report: impl Display) {
        println!("round {}, {part}, seed {seed}: {report}", self.rounds);
        self.clean &= is_clean;
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let total = args.seconds.unwrap_or(args.minutes * 60.0);
    let threads = args.threads.unwrap_or_else(|| {
        2 * std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get)
    });
    let barriers: Vec<_> = [BarrierKind::Asymmetric, BarrierKind::Fence]
        .into_iter()
        .filter(|kind| Domain::builder().barrier(*kind).build().is_ok())
        .collect();
    let kinds: &[Kind] = if args.for_thread_sanitizer {
        &[]
    } else {
        &Kind::ALL
    };
    let parts = barriers.len() * (kinds.len() + Subject::ALL.len());
    let part = Duration::from_secs_f64((total / parts as f64).min(LONGEST_PART_S));
    let mut seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
    let end = Instant::now() + Duration::from_secs_f64(total);
    let mut outcome = Outcome {
        rounds: 1,
        clean: true,
    };
    let mut first_round_bytes = None;
    loop {
        for &barrier in &barriers {
            for &subject in &Subject::ALL {
                seed = seed.wrapping_add(1);
                let report = soak::run(&soak::Config {
                    subject,
                    barrier,
                    duration: part,
                    threads,
                    seed,
                    for_thread_sanitizer: args.for_thread_sanitizer,
                    preempt: args.preempt,
                    mistake: None,
                });
                let what = format!("{subject:?}, {barrier:?}");
                outcome.note(what, seed, report.is_clean(), &report);
            }
            for &kind in kinds {
                seed = seed.wrapping_add(1);
                let report = stress::run(&stress::Config {
                    kind,
                    barrier,
                    duration: part,
                    readers: threads.div_ceil(2),
                    writers: threads.div_ceil(2),
                    churners: 1,
                    places: 3,
                    seed,
                    broken: None,
                    keep_domain: false,
                });
                let what = format!("{kind}, {barrier:?}");
                outcome.note(what, seed, report.is_clean(), &report);
            }
        }
        let bytes = resident_bytes();
        let first = *first_round_bytes.get_or_insert(bytes);
        println!("round {}: {} KiB resident", outcome.rounds, bytes >> 10);
        if bytes > first + ROOM_BYTES {
            println!("after the first round it were {} KiB", first >> 10);
            outcome.clean = false;
        }
        if !outcome.clean {
            println!("FAILED");
            return ExitCode::FAILURE;
        }
        if Instant::now() >= end {
            println!("nothing was wrong");
            return ExitCode::SUCCESS;
        }
        outcome.rounds += 1;
    }
}
