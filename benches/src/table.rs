//! The figures as tables, and who wins.

use std::fmt::Write as _;

use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::record::{Better, Metric, Record};

/// The subject that the others are compared with, if it took part.
pub(crate) const REFERENCE: &str = "smr";

/// A comparison as rows and columns.
#[derive(Debug)]
pub(crate) struct Grid {
    /// The workload and how it was run.
    pub(crate) title: String,
    /// The name of each column.
    pub(crate) header: Vec<String>,
    /// A subject each, by its name; what there is not is empty.
    pub(crate) rows: Vec<Vec<String>>,
}

/// The records, comparison by comparison, in their order.
pub(crate) fn comparisons(records: &[Record]) -> Vec<Vec<Record>> {
    let mut groups: Vec<Vec<Record>> = Vec::new();
    for record in records {
        let same = |group: &&mut Vec<Record>| {
            let first = &group[0];
            (&first.suite, &first.workload, first.threads)
                == (&record.suite, &record.workload, record.threads)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(record.clone()),
            None => groups.push(vec![record.clone()]),
        }
    }
    groups
}

/// The metrics of a comparison that have a figure, the one that counts first:
/// memory where a reader stalls, else the first that there is.
pub(crate) fn metrics(records: &[Record]) -> Vec<Metric> {
    let mut metrics: Vec<Metric> = records
        .iter()
        .map(|record| record.metric)
        .filter(|metric| *metric != Metric::OverheadSeries)
        .collect();
    metrics.sort();
    metrics.dedup();
    let about_memory = records.first().is_some_and(|first| first.suite == "stall");
    if let Some(at) = metrics
        .iter()
        .position(|metric| *metric == Metric::OverheadPeak)
        && about_memory
    {
        metrics[..=at].rotate_right(1);
    }
    metrics
}

/// One comparison: a row a subject, the first metric that can be won with its
/// spread and its ratio, the others by their medians.
pub(crate) fn grid(records: &[Record]) -> Option<Grid> {
    let first = records.first()?;
    let metrics = metrics(records);
    let &main = metrics.first()?;
    let bare = find(records, "none", main).filter(|_| first.suite == "section");
    let reference = reference(records);

    let mut header = vec!["subject".to_owned()];
    for &metric in &metrics {
        header.push(column(metric));
        if metric == main {
            header.push("spread".into());
            header.push(format!("{reference} is"));
            if bare.is_some() {
                header.push("above a bare load".into());
            }
        } else if has_share(metric) {
            header.push(format!("{reference} has"));
        }
    }
    let mut rows = Vec::new();
    for subject in subjects(records) {
        let mut row = vec![Some(subject.to_owned())];
        for &metric in &metrics {
            let record = find(records, subject, metric);
            row.push(record.map(|record| amount(metric, record.median)));
            if metric == main {
                row.push(record.map(|record| {
                    format!(
                        "{} … {}",
                        amount(metric, record.low()),
                        amount(metric, record.high())
                    )
                }));
                row.push(ratio(records, reference, subject, metric));
                if let Some(bare) = bare {
                    row.push(record.map(|record| amount(metric, record.median - bare.median)));
                }
            } else if has_share(metric) {
                row.push(share(records, reference, subject, metric));
            }
        }
        rows.push(row.into_iter().map(Option::unwrap_or_default).collect());
    }
    Some(Grid {
        title: format!(
            "{} · {} · {} · median of {} interleaved runs",
            first.suite,
            first.workload,
            plural(first.threads, "thread"),
            first.runs,
        ),
        header,
        rows,
    })
}

/// Shows one comparison in the terminal.
pub(crate) fn render(records: &[Record]) -> String {
    let Some(grid) = grid(records) else {
        return String::new();
    };
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(grid.header);
    for row in grid.rows {
        let cells = row.into_iter().enumerate().map(|(at, text)| match at {
            0 => Cell::new(text),
            _ => right(text),
        });
        table.add_row(cells);
    }
    format!("\n{}\n{table}", grid.title)
}

/// Says in a line for each comparison and metric who wins, and by how much.
///
/// A lead within the spread of the runs is no lead.
pub(crate) fn verdict(records: &[Record]) -> Vec<String> {
    let Some(first) = records.first() else {
        return Vec::new();
    };
    let mut metrics: Vec<Metric> = records
        .iter()
        .map(|record| record.metric)
        .filter(|metric| metric.better() != Better::Neither)
        .filter(|metric| *metric != Metric::ThroughputPerThread)
        .collect();
    metrics.sort();
    metrics.dedup();
    let mut lines = Vec::new();
    for metric in metrics {
        let mut field: Vec<&Record> = records
            .iter()
            .filter(|record| record.metric == metric && contends(record))
            .collect();
        let better = metric.better();
        field.sort_by(|a, b| match better {
            Better::Higher => b.median.total_cmp(&a.median),
            _ => a.median.total_cmp(&b.median),
        });
        let [best, second, ..] = field[..] else {
            continue;
        };
        let mut line = format!(
            "{} {} ×{} {}: ",
            first.suite,
            first.workload,
            first.threads,
            metric.name()
        );
        if best.is_apart(second) {
            let lead = match better {
                Better::Higher => best.median / second.median,
                _ => second.median / best.median,
            };
            if lead.is_finite() {
                let _ = write!(line, "{} wins by {}", best.subject, times(lead));
            } else {
                let _ = write!(line, "{} wins", best.subject);
            }
        } else {
            let _ = write!(line, "{} and {} are level", best.subject, second.subject);
        }
        let _ = write!(line, " · {}", amount(metric, best.median));
        for next in &field[1..] {
            let _ = write!(line, ", {} {}", next.subject, amount(metric, next.median));
        }
        lines.push(line);
    }
    lines
}

/// Whether a row can win: those that protect nobody, or never free, cannot. Nor
/// can look-ups in batches, which nobody else has, nor in `stall` those whose writer
/// stands still until the reader leaves.
pub(crate) fn contends(record: &Record) -> bool {
    match record.subject.as_str() {
        "none" | "malloc" | "hashbrown" | "hashbrown-boxed" | "smr-batched" | "plain" | "btree"
        | "xarray" => false,
        "parking_lot-rwlock" | "urcu-memb" | "urcu-mb" | "urcu-bp" | "urcu-qsbr" => {
            record.suite != "stall"
        }
        _ => true,
    }
}

pub(crate) fn subjects(records: &[Record]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for record in records {
        if !names.contains(&record.subject.as_str()) {
            names.push(&record.subject);
        }
    }
    names
}

pub(crate) fn reference(records: &[Record]) -> &str {
    let names = subjects(records);
    names
        .iter()
        .copied()
        .find(|name| *name == REFERENCE)
        .or_else(|| names.first().copied())
        .unwrap_or(REFERENCE)
}

pub(crate) fn find<'r>(records: &'r [Record], subject: &str, metric: Metric) -> Option<&'r Record> {
    records
        .iter()
        .find(|record| record.subject == subject && record.metric == metric)
}

/// How many times better the reference is than a subject.
fn ratio(records: &[Record], reference: &str, subject: &str, metric: Metric) -> Option<String> {
    if subject == reference {
        return None;
    }
    let ours = find(records, reference, metric)?.median;
    let theirs = find(records, subject, metric)?.median;
    let (times, word) = match metric.better() {
        Better::Higher => (ours / theirs, "the rate"),
        Better::Lower => (theirs / ours, "as fast"),
        Better::Neither => return None,
    };
    Some(match metric {
        _ if metric.unit() == "bytes" && theirs <= 0.0 => return None,
        _ if metric.unit() == "bytes" => format!("{:.2}× the size", ours / theirs),
        _ => format!("{times:.2}× {word}"),
    })
}

/// What the reference has, as a share of what a subject has.
fn share(records: &[Record], reference: &str, subject: &str, metric: Metric) -> Option<String> {
    if subject == reference {
        return None;
    }
    let ours = find(records, reference, metric)?.median;
    let theirs = find(records, subject, metric)?.median;
    if theirs <= 0.0 || ours <= 0.0 {
        return None;
    }
    Some(if theirs >= ours {
        format!("1/{:.1}", theirs / ours)
    } else {
        format!("{:.1}×", ours / theirs)
    })
}

fn right(text: String) -> Cell {
    let text = if text.is_empty() { "–".into() } else { text };
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn has_share(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::OverheadPeak
            | Metric::ResidentPeak
            | Metric::ResidentPerEntry
            | Metric::WriterThroughput
            | Metric::InsertMax
    )
}

pub(crate) fn column(metric: Metric) -> String {
    match metric {
        Metric::TimePerOp => "time of an op".into(),
        Metric::GetTime => "get".into(),
        Metric::MissTime => "get, missing".into(),
        Metric::AtOrAfterTime => "at or after".into(),
        Metric::ScanTime => "scan, an entry".into(),
        Metric::InsertTime => "insert".into(),
        Metric::Throughput => "throughput".into(),
        Metric::ThroughputPerThread => "per thread".into(),
        Metric::OverheadPeak => "overhead, peak".into(),
        Metric::ResidentPeak => "resident, peak".into(),
        Metric::RetiredPeak => "retired, peak".into(),
        Metric::OverheadSeries => "overhead".into(),
        Metric::FreesPerPoll => "frees a poll".into(),
        Metric::FreeToUseP50 => "free to use, p50".into(),
        Metric::FreeToUseP99 => "p99".into(),
        Metric::QueueFullShare => "queue full".into(),
        Metric::ItemsRetired => "items".into(),
        Metric::BytesPerEntry => "bytes each".into(),
        Metric::ResidentPerEntry => "resident each".into(),
        Metric::HeapBytes => "heap".into(),
        Metric::ResidentBytes => "resident".into(),
        Metric::HeapDrift => "heap swings by".into(),
        Metric::UnreclaimedPeak => "unreclaimed".into(),
        Metric::WriterThroughput => "the writer".into(),
        Metric::InsertP9999 => "insert, p99.99".into(),
        Metric::InsertMax => "maximum".into(),
        Metric::InsertP50 => "p50".into(),
        Metric::InsertP99 => "p99".into(),
        Metric::WallTime => "wall time".into(),
        Metric::CpuTime => "processor time".into(),
        Metric::PeakResident => "memory, peak".into(),
        Metric::HitRate => "hits".into(),
    }
}

/// A factor with as many digits as mean something.
pub(crate) fn times(factor: f64) -> String {
    if factor < 10.0 {
        format!("{factor:.2}×")
    } else if factor >= 1000.0 {
        "more than 1000×".to_owned()
    } else {
        format!("{factor:.0}×")
    }
}

pub(crate) fn plural(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

/// A figure as people read it.
pub(crate) fn amount(metric: Metric, value: f64) -> String {
    match metric.unit() {
        "ns" => {
            let size = value.abs();
            if size < 100.0 {
                format!("{value:.2} ns")
            } else if size < 1e4 {
                format!("{value:.0} ns")
            } else if size < 1e7 {
                format!("{:.1} µs", value / 1e3)
            } else {
                format!("{:.1} ms", value / 1e6)
            }
        }
        "operations/s" if value >= 1e9 => format!("{:.2} G/s", value / 1e9),
        "operations/s" => format!("{:.2} M/s", value / 1e6),
        "bytes" => {
            if value < 100.0 && value.fract() != 0.0 {
                format!("{value:.1} B")
            } else if value < 10_240.0 {
                format!("{value:.0} B")
            } else if value < 10_485_760.0 {
                format!("{:.1} KiB", value / 1024.0)
            } else {
                format!("{:.1} MiB", value / 1_048_576.0)
            }
        }
        "ratio" => format!("{:.1}%", value * 100.0),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Key, Sample, summarise};

    fn records(figures: &[(&str, Metric, &[f64])]) -> Vec<Record> {
        let key = Key {
            suite: "churn".into(),
            workload: "random/128".into(),
            threads: 2,
        };
        figures
            .iter()
            .flat_map(|(subject, metric, values)| {
                let samples: Vec<Sample> = values
                    .iter()
                    .map(|value| Sample::new(*metric, *value))
                    .collect();
                summarise(&key, subject, &samples)
            })
            .collect()
    }

    #[test]
    fn a_lead_within_the_spread_is_no_lead() {
        let clear = records(&[
            ("smr", Metric::Throughput, &[9e6, 10e6, 11e6]),
            ("seize", Metric::Throughput, &[3e6, 4e6, 5e6]),
        ]);
        assert!(verdict(&clear)[0].contains("smr wins"));
        let close = records(&[
            ("smr", Metric::Throughput, &[4e6, 10e6, 11e6]),
            ("seize", Metric::Throughput, &[3e6, 4e6, 5e6]),
        ]);
        assert!(verdict(&close)[0].contains("level"));
    }

    #[test]
    fn who_protects_nobody_cannot_win() {
        let all = records(&[
            ("none", Metric::TimePerOp, &[0.3]),
            ("smr", Metric::TimePerOp, &[1.0]),
            ("seize", Metric::TimePerOp, &[5.0]),
        ]);
        assert!(verdict(&all)[0].contains("smr wins"));
    }

    #[test]
    fn where_a_reader_stalls_memory_counts_and_who_stands_still_cannot_win() {
        let mut all = records(&[
            ("smr", Metric::Throughput, &[10.0]),
            ("smr", Metric::OverheadPeak, &[10.0]),
            ("parking_lot-rwlock", Metric::OverheadPeak, &[0.0]),
        ]);
        assert_eq!(metrics(&all)[0], Metric::Throughput);
        assert!(contends(&all[2]));
        for record in &mut all {
            record.suite = "stall".into();
        }
        assert_eq!(metrics(&all), [Metric::OverheadPeak, Metric::Throughput]);
        assert!(contends(&all[0]) && !contends(&all[2]));
    }

    #[test]
    fn large_figures_are_told_shortly() {
        assert_eq!(amount(Metric::Throughput, 6.67e9), "6.67 G/s");
        assert_eq!(amount(Metric::Throughput, 9.9e8), "990.00 M/s");
        assert_eq!([999.4, 1000.0].map(times), ["999×", "more than 1000×"]);
    }

    #[test]
    fn the_ratio_says_how_many_times_better_the_reference_is() {
        let all = records(&[
            ("smr", Metric::Throughput, &[10.0]),
            ("seize", Metric::Throughput, &[4.0]),
            ("smr", Metric::OverheadPeak, &[10.0]),
            ("seize", Metric::OverheadPeak, &[200.0]),
        ]);
        let text = render(&all);
        assert!(text.contains("2.50×"), "{text}");
        assert!(text.contains("1/20.0"), "{text}");
    }
}
