//! The command line, and what it settles.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::machine;

/// Compares safe memory reclamation by sequences with its peers.
///
/// Without a suite: a comparison of about a minute over all of them. With
/// suites: those at full length, to be narrowed by the options.
#[derive(Debug, Parser)]
#[command(name = "smr-bench", version)]
pub(crate) struct Cli {
    /// The suites to run.
    #[arg(value_enum)]
    pub(crate) suites: Vec<Suite>,

    /// Numbers of threads, for the suites that vary them.
    #[arg(long, value_delimiter = ',', value_name = "N,...")]
    pub(crate) threads: Option<Vec<usize>>,

    /// Measured seconds of a run.
    #[arg(long, value_name = "S")]
    pub(crate) seconds: Option<f64>,

    /// Runs of each subject; the median counts.
    #[arg(long, value_name = "N")]
    pub(crate) runs: Option<usize>,

    /// Only these subjects.
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    pub(crate) subjects: Option<Vec<String>>,

    /// Item sizes of `churn`, in bytes.
    #[arg(long, value_delimiter = ',', value_name = "BYTES,...")]
    pub(crate) sizes: Option<Vec<usize>>,

    /// Whose queue `churn` pushes to.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHOSE,...")]
    pub(crate) localities: Option<Vec<Locality>>,

    /// Items that `stall` retires in a run, at most.
    #[arg(long, value_name = "N")]
    pub(crate) items: Option<u64>,

    /// Pools that `free` makes in its `pools` workload.
    #[arg(long, value_name = "N")]
    pub(crate) pools: Option<usize>,

    /// Writes the records here, one JSON object a line.
    #[arg(long, value_name = "PATH")]
    pub(crate) json: Option<PathBuf>,

    /// Tells what there is and ends.
    #[arg(long)]
    pub(crate) list: bool,
}

/// A family of workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// What a read section costs.
    Section,
    /// Items allocated, passed between threads and retired.
    Churn,
    /// Memory while a reader stays inside.
    Stall,
    /// Allocate, retire, reuse.
    Free,
}

impl Suite {
    /// The name in the records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Suite::Section => "section",
            Suite::Churn => "churn",
            Suite::Stall => "stall",
            Suite::Free => "free",
        }
    }
}

/// Whose queue a list is pushed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Locality {
    /// Any thread's, the own one among them.
    Random,
    /// The own one.
    Local,
    /// The next thread's.
    Remote,
}

impl Locality {
    /// The name in the records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Locality::Random => "random",
            Locality::Local => "local",
            Locality::Remote => "remote",
        }
    }
}

/// What to run: the command line with its gaps filled.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The suites, in order.
    pub(crate) suites: Vec<Suite>,
    /// Threads of `section` and `free`.
    pub(crate) threads: Vec<usize>,
    /// Threads of `churn`.
    pub(crate) churn_threads: Vec<usize>,
    /// Runs of each subject.
    pub(crate) runs: usize,
    /// Item sizes of `churn`.
    pub(crate) sizes: Vec<usize>,
    /// Localities of `churn`.
    pub(crate) localities: Vec<Locality>,
    /// Items that `stall` retires at most.
    pub(crate) items: u64,
    /// Pools of the `pools` workload.
    pub(crate) pools: usize,
    seconds: Option<f64>,
    short: bool,
    subjects: Option<Vec<String>>,
}

impl Settings {
    /// Fills the gaps: briefly if no suite is named.
    pub(crate) fn new(cli: &Cli) -> Self {
        let short = cli.suites.is_empty();
        let cores = machine::cores();
        let mut one_and_all = vec![1, cores];
        one_and_all.dedup();
        let suites = if short {
            Suite::value_variants().to_vec()
        } else {
            cli.suites.clone()
        };
        let pick = |given: &Option<Vec<usize>>, brief: Vec<usize>, full: Vec<usize>| {
            given.clone().unwrap_or(if short { brief } else { full })
        };
        Self {
            suites,
            threads: pick(&cli.threads, one_and_all.clone(), one_and_all),
            churn_threads: pick(&cli.threads, vec![cores], vec![1, 2, 4, 8]),
            runs: cli.runs.unwrap_or(if short { 3 } else { 5 }).max(1),
            sizes: pick(&cli.sizes, vec![128, 1024, 4096], vec![1024]),
            localities: cli.localities.clone().unwrap_or_else(|| {
                if short {
                    vec![Locality::Random]
                } else {
                    Locality::value_variants().to_vec()
                }
            }),
            items: cli
                .items
                .unwrap_or(if short { 2_000_000 } else { 5_000_000 }),
            pools: cli.pools.unwrap_or(if short { 10_000 } else { 100_000 }),
            seconds: cli.seconds,
            short,
            subjects: cli.subjects.clone(),
        }
    }

    /// The measured time of a run, given the suite's own defaults in seconds.
    pub(crate) fn time(&self, brief: f64, full: f64) -> Duration {
        let seconds = self
            .seconds
            .unwrap_or(if self.short { brief } else { full });
        Duration::from_secs_f64(seconds.max(0.001))
    }

    /// Whether a subject was asked for.
    pub(crate) fn wants(&self, subject: &str) -> bool {
        self.subjects
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| name == subject))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn without_a_suite_all_are_run_briefly() {
        let settings = Settings::new(&Cli::parse_from(["smr-bench"]));
        assert_eq!(settings.suites.len(), 4);
        assert!(settings.time(0.1, 1.0) < Duration::from_millis(200));
    }

    #[test]
    fn options_narrow_what_is_run() {
        let settings = Settings::new(&Cli::parse_from([
            "smr-bench",
            "churn",
            "section",
            "--threads",
            "3,5",
            "--subjects",
            "seize,none",
            "--seconds",
            "2",
        ]));
        assert_eq!(settings.suites, [Suite::Churn, Suite::Section]);
        assert_eq!(settings.churn_threads, [3, 5]);
        assert_eq!(settings.time(0.1, 1.0), Duration::from_secs(2));
        assert!(settings.wants("seize"));
        assert!(!settings.wants("sdd"));
    }
}
