//! The command line, and what it settles.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::journal::Pace;
use crate::machine;

mod trees;
pub(crate) use trees::{Fault, Mix, Spread, TreeSettings};

/// Compares safe memory reclamation by sequences with its peers.
///
/// Without a suite: a comparison of a minute and a half over all of them. With
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

    /// Workloads of `map`.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAME,...")]
    pub(crate) workloads: Option<Vec<Workload>>,

    /// How `map` draws its keys.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "HOW,...")]
    pub(crate) distributions: Option<Vec<Distribution>>,

    /// How the keys of `radix` lie.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "HOW,...")]
    pub(crate) spreads: Option<Vec<Spread>>,

    /// Workloads of `radix`.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAME,...")]
    pub(crate) mixes: Option<Vec<Mix>>,

    /// Workloads of `page`.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAME,...")]
    pub(crate) faults: Option<Vec<Fault>>,

    /// Entries of the maps of `map`, `latency` and `memory`, and of the trees of
    /// `radix` and `page`.
    #[arg(long, value_delimiter = ',', value_name = "N,...")]
    pub(crate) entries: Option<Vec<u64>>,

    /// Ranges of the keys of `list`.
    #[arg(long, value_delimiter = ',', value_name = "N,...")]
    pub(crate) ranges: Option<Vec<u64>>,

    /// How many in a hundred operations of `list` look a key up.
    #[arg(long, value_delimiter = ',', value_name = "N,...")]
    pub(crate) gets: Option<Vec<u64>>,

    /// Operations of the churn of `memory`.
    #[arg(long, value_name = "N")]
    pub(crate) operations: Option<u64>,

    /// Writes the records here, one JSON object a line.
    #[arg(long, value_name = "PATH")]
    pub(crate) json: Option<PathBuf>,

    /// Goes on with the run that wrote the file of --json: what it has is not
    /// run again, and stays there, whatever is asked for now.
    #[arg(long)]
    pub(crate) resume: bool,

    /// Leaves it to the system where threads run, even where there are more
    /// processors than threads.
    #[arg(long)]
    pub(crate) no_pin: bool,

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
    /// One list and one hash table over each system.
    Schemes,
    /// Hash maps under mixes of operations.
    Map,
    /// Single insertions while a hash map grows.
    Latency,
    /// What hash maps hold.
    Memory,
    /// Linked lists, queues and stacks.
    List,
    /// Ordered maps from integers.
    Radix,
    /// What a page cache does with such a map.
    Page,
}

impl Suite {
    /// The name in the records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Suite::Section => "section",
            Suite::Churn => "churn",
            Suite::Stall => "stall",
            Suite::Free => "free",
            Suite::Schemes => "schemes",
            Suite::Map => "map",
            Suite::Latency => "latency",
            Suite::Memory => "memory",
            Suite::List => "list",
            Suite::Radix => "radix",
            Suite::Page => "page",
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

/// What the threads of `map` do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// Look-ups that hit, a pin or a lock for each.
    ReadOnly,
    /// The same, with the pin or the lock kept for many.
    ReadOnlyPinned,
    /// 98% look-ups, 1% insertions, 1% removals.
    ReadHeavy,
    /// 90% look-ups, 5% insertions, 5% removals.
    #[value(name = "90-10")]
    NinetyTen,
    /// 50% look-ups, 25% insertions, 25% removals.
    #[value(name = "50-50")]
    Half,
    /// 10% look-ups, 40% insertions, 40% removals, 10% updates.
    Exchange,
    /// 5% look-ups, 80% insertions, 5% removals, 10% updates, from empty.
    RapidGrow,
    /// The same with room for all entries from the start.
    RapidGrowPresized,
    /// A new key in, the oldest out.
    Churn,
    /// All entries visited, again and again.
    Iterate,
    /// Four readers beside a writer.
    FourReadersOneWriter,
}

impl Workload {
    /// The name in the records.
    pub(crate) fn name(self) -> String {
        possible_name(self)
    }
}

/// How keys are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Distribution {
    /// Each as likely as any other.
    Uniform,
    /// By Zipf's law with exponent 0.99: a few are drawn most of the time.
    Zipf,
}

impl Distribution {
    /// The name in the records.
    pub(crate) fn name(self) -> String {
        possible_name(self)
    }
}

/// The name that the command line knows a value by.
fn possible_name(value: impl ValueEnum) -> String {
    let possible = value.to_possible_value();
    possible.expect("no value is skipped").get_name().to_owned()
}

/// What to run of the suites over hash maps.
#[derive(Debug)]
pub(crate) struct MapSettings {
    /// Runs of each subject in `map`, whose workloads are many.
    pub(crate) runs: usize,
    /// Threads of `map`.
    pub(crate) threads: Vec<usize>,
    /// Workloads of `map`.
    pub(crate) workloads: Vec<Workload>,
    /// How `map` draws keys.
    pub(crate) distributions: Vec<Distribution>,
    /// Entries of the maps of `map`.
    pub(crate) entries: Vec<u64>,
    /// Entries that `latency` grows to.
    pub(crate) latency_entries: Vec<u64>,
    /// Threads of `latency`.
    pub(crate) latency_threads: Vec<usize>,
    /// Entries that `memory` counts.
    pub(crate) memory_entries: Vec<u64>,
    /// Operations of the churn of `memory`.
    pub(crate) operations: u64,
    /// Runs of `memory`, whose figures hardly differ from run to run.
    pub(crate) memory_runs: usize,
}

impl MapSettings {
    fn new(cli: &Cli, short: bool) -> Self {
        let cores = machine::cores();
        let mut one_and_all = vec![1, cores];
        one_and_all.dedup();
        let entries = |brief: u64, full: &[u64]| {
            cli.entries
                .clone()
                .unwrap_or(if short { vec![brief] } else { full.to_vec() })
        };
        let threads = |brief: usize, full: &[usize]| {
            cli.threads
                .clone()
                .unwrap_or(if short { vec![brief] } else { full.to_vec() })
        };
        Self {
            runs: cli.runs.unwrap_or(3).max(1),
            threads: threads(cores, &machine::ladder()),
            workloads: cli.workloads.clone().unwrap_or_else(|| {
                if short {
                    vec![Workload::ReadOnly, Workload::ReadHeavy, Workload::Exchange]
                } else {
                    Workload::value_variants().to_vec()
                }
            }),
            distributions: cli.distributions.clone().unwrap_or_else(|| {
                if short {
                    vec![Distribution::Uniform]
                } else {
                    Distribution::value_variants().to_vec()
                }
            }),
            entries: entries(100_000, &[1_000, 100_000, 1_000_000]),
            latency_entries: entries(200_000, &[4_000_000]),
            latency_threads: threads(1, &one_and_all),
            memory_entries: entries(100_000, &[1_000_000]),
            operations: cli
                .operations
                .unwrap_or(if short { 500_000 } else { 100_000_000 }),
            memory_runs: cli.runs.unwrap_or(if short { 1 } else { 3 }).max(1),
        }
    }
}

/// What to run of the suite over lists.
#[derive(Debug)]
pub(crate) struct ListSettings {
    /// Threads.
    pub(crate) threads: Vec<usize>,
    /// Ranges of keys.
    pub(crate) ranges: Vec<u64>,
    /// How many in a hundred operations are look-ups.
    pub(crate) gets: Vec<u64>,
}

impl ListSettings {
    fn new(cli: &Cli, short: bool) -> Self {
        let or = |given: &Option<Vec<u64>>, brief: &[u64], full: &[u64]| {
            let default = if short { brief } else { full };
            given.clone().unwrap_or_else(|| default.to_vec())
        };
        let threads = if short {
            vec![machine::cores()]
        } else {
            machine::ladder()
        };
        Self {
            threads: cli.threads.clone().unwrap_or(threads),
            ranges: or(&cli.ranges, &[16, 1000], &[16, 1000, 10_000]),
            gets: or(&cli.gets, &[50, 100], &[0, 50, 90, 100]),
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
    /// Threads of `schemes`.
    pub(crate) schemes_threads: Vec<usize>,
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
    /// What concerns hash maps.
    pub(crate) maps: MapSettings,
    /// What concerns lists.
    pub(crate) lists: ListSettings,
    /// What concerns trees.
    pub(crate) trees: TreeSettings,
    /// Whether no suite was named, so that it is to be brief.
    pub(crate) short: bool,
    seconds: Option<f64>,
    subjects: Option<Vec<String>>,
}

impl Settings {
    /// Fills the gaps: briefly if no suite is named.
    pub(crate) fn new(cli: &Cli) -> Self {
        Self::with(cli, cli.suites.is_empty())
    }

    /// Fills the gaps, briefly or not. No suite means all.
    pub(crate) fn with(cli: &Cli, short: bool) -> Self {
        let cores = machine::cores();
        let mut one_and_all = vec![1, cores];
        one_and_all.dedup();
        let suites = if cli.suites.is_empty() {
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
            churn_threads: pick(&cli.threads, vec![cores], machine::ladder()),
            schemes_threads: pick(&cli.threads, vec![cores], machine::ladder()),
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
            maps: MapSettings::new(cli, short),
            lists: ListSettings::new(cli, short),
            trees: TreeSettings::new(cli, short),
            seconds: cli.seconds,
            short,
            subjects: cli.subjects.clone(),
        }
    }

    /// How much is run, for the records.
    pub(crate) fn pace(&self, cli: &Cli) -> Pace {
        Pace {
            short: self.short,
            seconds: self.seconds,
            runs: cli.runs,
            pinned: !cli.no_pin,
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
        assert_eq!(settings.suites, Suite::value_variants());
        assert!(settings.time(0.1, 1.0) < Duration::from_millis(200));
    }

    #[test]
    fn suites_that_vary_threads_take_the_whole_ladder_and_brief_ones_all_processors() {
        let threads = |arguments: &[&str]| {
            let settings = Settings::new(&Cli::parse_from(arguments));
            [
                settings.churn_threads,
                settings.schemes_threads,
                settings.maps.threads,
                settings.lists.threads,
                settings.trees.threads,
            ]
        };
        assert_eq!(
            threads(&["smr-bench", "list"]),
            [(); 5].map(|()| machine::ladder())
        );
        assert_eq!(
            threads(&["smr-bench"]),
            [(); 5].map(|()| vec![machine::cores()])
        );
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

    #[test]
    fn options_narrow_the_suites_over_maps() {
        let maps = |arguments: &[&str]| Settings::new(&Cli::parse_from(arguments)).maps;
        let full = maps(&["smr-bench", "map", "latency"]);
        assert_eq!(full.workloads, Workload::value_variants());
        assert_eq!(full.latency_entries, [4_000_000]);
        assert_eq!((full.memory_runs, maps(&["smr-bench"]).memory_runs), (3, 1));
        let narrow = maps(&[
            "smr-bench",
            "map",
            "--entries",
            "10000000",
            "--workloads",
            "90-10,read-only",
            "--distributions",
            "zipf",
        ]);
        assert_eq!(narrow.entries, [10_000_000]);
        assert_eq!(narrow.workloads, [Workload::NinetyTen, Workload::ReadOnly]);
        assert_eq!(narrow.distributions, [Distribution::Zipf]);
    }
}
