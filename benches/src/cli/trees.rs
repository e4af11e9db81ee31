//! What to run of the suites over trees.

use clap::ValueEnum;

use super::{Cli, possible_name};
use crate::machine;

/// How the keys of `radix` lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Spread {
    /// From 0, without holes, in order.
    Dense,
    /// Runs of neighbours, 64 of them in the mean, anywhere in 28 bits.
    Extents,
    /// Anywhere in 32 bits.
    RandomU32,
    /// Anywhere in 64 bits.
    RandomU64,
    /// Every 64th, in order.
    Stride64,
    /// Every 512th, in order.
    Stride512,
}

impl Spread {
    /// The name in the records.
    pub(crate) fn name(self) -> String {
        possible_name(self)
    }
}

/// What the threads of `radix` do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mix {
    /// One thread alone: insertions, look-ups, ranges, and what an entry takes.
    Alone,
    /// Look-ups that hit.
    #[value(name = "100-0")]
    Reads,
    /// 95% look-ups, 2.5% insertions, 2.5% removals.
    #[value(name = "95-5")]
    NinetyFive,
    /// 50% look-ups, 25% insertions, 25% removals.
    #[value(name = "50-50")]
    Half,
    /// A new key in, the oldest out.
    Churn,
}

impl Mix {
    /// The name in the records.
    pub(crate) fn name(self) -> String {
        possible_name(self)
    }
}

/// What the threads of `page` do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// Faults at neighbouring pages, a jump now and then.
    FaultsSequential,
    /// Faults anywhere.
    FaultsRandom,
    /// The pages that a real program touched, in its order.
    Replay,
}

impl Fault {
    /// The name in the records.
    pub(crate) fn name(self) -> String {
        possible_name(self)
    }
}

/// What to run of `radix` and `page`.
#[derive(Debug)]
pub(crate) struct TreeSettings {
    /// How keys lie.
    pub(crate) spreads: Vec<Spread>,
    /// Workloads of `radix`.
    pub(crate) mixes: Vec<Mix>,
    /// Workloads of `page`.
    pub(crate) faults: Vec<Fault>,
    /// Entries of the trees of `radix`, and pages of the faults of `page`.
    pub(crate) entries: Vec<u64>,
    /// Threads of both, where they vary.
    pub(crate) threads: Vec<usize>,
    /// Runs of each subject.
    pub(crate) runs: usize,
}

impl TreeSettings {
    pub(super) fn new(cli: &Cli, short: bool) -> Self {
        fn pick<T: Clone>(given: &Option<Vec<T>>, short: bool, brief: &[T], full: &[T]) -> Vec<T> {
            let default = if short { brief } else { full };
            given.clone().unwrap_or_else(|| default.to_vec())
        }
        let brief = [Spread::Dense, Spread::RandomU64];
        let mixes = [Mix::Alone, Mix::NinetyFive];
        let faults = [Fault::FaultsRandom, Fault::Replay];
        Self {
            spreads: pick(&cli.spreads, short, &brief, Spread::value_variants()),
            mixes: pick(&cli.mixes, short, &mixes, Mix::value_variants()),
            faults: pick(&cli.faults, short, &faults, Fault::value_variants()),
            entries: pick(&cli.entries, short, &[50_000], &[1_000_000]),
            threads: pick(&cli.threads, short, &[machine::cores()], &machine::ladder()),
            runs: cli.runs.unwrap_or(if short { 1 } else { 3 }).max(1),
        }
    }
}
