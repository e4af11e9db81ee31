//! `diff`: what changed from one file of records to another.
//!
//! The runs of a figure have a spread. Two figures differ when their spreads do
//! not overlap, and their medians are apart by more than a given share as well:
//! few runs can lie close together by chance. A figure of a single run has no
//! spread, so nothing is said about it.

use std::io;
use std::process::ExitCode;

use crate::commands::DiffArgs;
use crate::journal::Journal;
use crate::record::{Better, Record};
use crate::table::{amount, column};

mod agree;

/// Something has become worse, or the files do not agree.
const WORSE: u8 = 1;
/// The files cannot be compared.
const INCOMPARABLE: u8 = 2;

/// What became of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Worse,
    Better,
    /// Changed, and neither way is up.
    Other,
    Within,
    /// One run is no spread.
    Unknown,
}

/// Runs the command.
pub(crate) fn run(arguments: &DiffArgs) -> ExitCode {
    match compare(arguments) {
        Ok(false) => ExitCode::from(WORSE),
        Ok(true) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("smr-bench: {error}");
            ExitCode::from(INCOMPARABLE)
        }
    }
}

/// Prints what changed, or how far the files agree; whether all is well.
fn compare(arguments: &DiffArgs) -> io::Result<bool> {
    let before = Journal::read(&arguments.before)?;
    let after = Journal::read(&arguments.after)?;
    if let (Some(first), Some(second)) = (&before.header, &after.header) {
        let differing = first.machine.differs(&second.machine);
        if !differing.is_empty() {
            println!("taken with another {}", differing.join(", another "));
        }
        if first.pace != second.pace {
            println!("taken with runs of other lengths or numbers");
        }
    }
    let common: Vec<(&Record, &Record)> = before
        .records
        .iter()
        .filter_map(|old| Some((old, after.records.iter().find(|new| is_same(old, new))?)))
        .collect();
    if common.is_empty() {
        let message = "the files have no figure in common";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    if arguments.agree {
        return Ok(agree::tell(&common, arguments.least));
    }
    let pairs: Vec<(&Record, &Record, Change)> = common
        .into_iter()
        .map(|(old, new)| (old, new, change(old, new, arguments.least)))
        .collect();
    for (kind, heading) in [
        (Change::Worse, "worse"),
        (Change::Better, "better"),
        (Change::Other, "changed"),
    ] {
        let mut told: Vec<_> = pairs.iter().filter(|pair| pair.2 == kind).collect();
        told.sort_by(|a, b| distance(b.0, b.1).total_cmp(&distance(a.0, a.1)));
        if !told.is_empty() {
            println!("\n{heading}:");
        }
        for (old, new, _) in told {
            println!("  {}", line(old, new));
        }
    }
    let count = |kind: Change| pairs.iter().filter(|pair| pair.2 == kind).count();
    println!(
        "\n{} worse, {} better, {} changed; {} within the spread; {} of a single run; \
         {} only before, {} only after",
        count(Change::Worse),
        count(Change::Better),
        count(Change::Other),
        count(Change::Within),
        count(Change::Unknown),
        before.records.len() - pairs.len(),
        after.records.len().saturating_sub(pairs.len()),
    );
    Ok(count(Change::Worse) == 0)
}

fn is_same(a: &Record, b: &Record) -> bool {
    (&a.suite, &a.workload, a.threads, &a.subject, a.metric)
        == (&b.suite, &b.workload, b.threads, &b.subject, b.metric)
}

fn change(old: &Record, new: &Record, least: f64) -> Change {
    if old.runs < 2 || new.runs < 2 {
        return Change::Unknown;
    }
    if !old.is_apart(new) || (new.median - old.median).abs() <= least * old.median.abs() {
        return Change::Within;
    }
    match (old.metric.better(), new.median > old.median) {
        (Better::Neither, _) => Change::Other,
        (Better::Higher, true) | (Better::Lower, false) => Change::Better,
        _ => Change::Worse,
    }
}

/// By how much a figure changed, either way.
fn distance(old: &Record, new: &Record) -> f64 {
    if old.median <= 0.0 || new.median <= 0.0 {
        return f64::INFINITY;
    }
    (new.median / old.median).ln().abs()
}

fn line(old: &Record, new: &Record) -> String {
    let share = if old.median == 0.0 {
        "from nothing".to_owned()
    } else {
        format!("{:+.1}%", (new.median / old.median - 1.0) * 100.0)
    };
    let told = |record: &Record| {
        format!(
            "{} ({} … {})",
            amount(record.metric, record.median),
            amount(record.metric, record.low()),
            amount(record.metric, record.high())
        )
    };
    format!(
        "{} {} ×{} {} {}: {share}, {} → {}",
        old.suite,
        old.workload,
        old.threads,
        old.subject,
        column(old.metric),
        told(old),
        told(new),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Key, Metric, Sample, summarise};

    pub(super) fn record(metric: Metric, figures: &[f64]) -> Record {
        let key = Key {
            suite: "free".into(),
            workload: "48".into(),
            threads: 1,
        };
        let samples: Vec<Sample> = figures
            .iter()
            .map(|figure| Sample::new(metric, *figure))
            .collect();
        summarise(&key, "smr", &samples).remove(0)
    }

    #[test]
    fn a_change_is_beyond_both_spreads() {
        // Six runs of three figures, whose spread is all of them.
        let time = |figures: &[f64]| record(Metric::TimePerOp, &figures.repeat(6 / figures.len()));
        let old = time(&[10.0, 11.0, 12.0]);
        assert_eq!(
            change(&old, &time(&[11.9, 14.0, 15.0]), 0.03),
            Change::Within
        );
        assert_eq!(
            change(&old, &time(&[12.5, 14.0, 15.0]), 0.03),
            Change::Worse
        );
        assert_eq!(change(&old, &time(&[5.0, 6.0, 7.0]), 0.03), Change::Better);
        let alone = record(Metric::TimePerOp, &[20.0]);
        assert_eq!(change(&old, &alone, 0.03), Change::Unknown);
        let old = time(&[10.0, 10.0]);
        assert_eq!(change(&old, &time(&[10.2, 10.2]), 0.03), Change::Within);
    }

    #[test]
    fn more_is_better_where_it_is() {
        let rate = |figures: &[f64]| record(Metric::Throughput, figures);
        assert_eq!(
            change(&rate(&[1.0, 2.0]), &rate(&[3.0, 4.0]), 0.0),
            Change::Better
        );
        let count = |figures: &[f64]| record(Metric::FreesPerPoll, figures);
        assert_eq!(
            change(&count(&[1.0, 2.0]), &count(&[3.0, 4.0]), 0.0),
            Change::Other
        );
    }
}
