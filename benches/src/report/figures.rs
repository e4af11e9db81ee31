//! Which plots a suite has.
//!
//! - Over the number of threads, where there are at least three; else a bar for
//!   each subject.
//! - Over a number in the workload's name (the size of an item, the entries of a
//!   map), where at least three workloads differ in it alone.
//! - Percentiles of a time, where a run has them.
//! - Over time, where a run has a series.

use super::about;
use super::chart::{self, Across, Line, Spread};
use super::family::{self, Family};
use super::palette::Palette;
use super::scale;
use crate::record::{Metric, Record};
use crate::table;

/// Fewer places than these make no line.
const PLACES: usize = 3;

/// Metrics that have a plot of their own beside the first one.
const PLOTTED: [Metric; 7] = [
    Metric::OverheadPeak,
    Metric::WriterThroughput,
    Metric::ResidentPerEntry,
    Metric::HeapDrift,
    Metric::CpuTime,
    Metric::PeakResident,
    Metric::FreeToUseP99,
];

/// A plot with what belongs to it.
#[derive(Debug)]
pub(crate) struct Figure {
    /// What it shows.
    pub(crate) title: String,
    /// The drawing.
    pub(crate) svg: String,
    /// Subjects and their classes, where the drawing does not name them.
    pub(crate) legend: Vec<(String, String)>,
    /// What is measured, and how to read it.
    pub(crate) caption: String,
}

/// The plots of a workload, for all its numbers of threads.
pub(crate) fn of_workload(family: &Family<'_>, palette: &Palette) -> Vec<Figure> {
    let all: Vec<Record> = family
        .members
        .iter()
        .flat_map(|(_, records)| records.iter().copied().cloned())
        .collect();
    let mut figures = Vec::new();
    for metric in plotted(&all) {
        if percentile(metric).is_some() {
            for (threads, records) in &family.members {
                figures.push(percentiles(family, *threads, records, metric, palette));
            }
        } else if with(family, metric) >= PLACES {
            let lines = across(family, metric, palette);
            let marks = family.members.iter().map(|(number, _)| number.to_string());
            let title = format!("{} · {}", family.pattern, table::column(metric));
            let steps = Across::steps("threads", marks);
            figures.push(figure(
                title,
                metric,
                &steps,
                lines,
                &[caption(family, metric)],
            ));
        } else {
            for (threads, records) in &family.members {
                figures.extend(bars(family, *threads, records, metric, palette));
            }
        }
    }
    for (threads, records) in &family.members {
        figures.extend(over_time(family, *threads, records, palette));
    }
    figures
}

/// The plots of workloads that differ in a number, for one number of threads.
pub(crate) fn of_numbers(family: &Family<'_>, palette: &Palette) -> Vec<Figure> {
    let all: Vec<Record> = family
        .members
        .iter()
        .flat_map(|(_, records)| records.iter().copied().cloned())
        .collect();
    let threads = table::plural(family.threads.unwrap_or(1), "thread");
    plotted(&all)
        .into_iter()
        .filter(|metric| percentile(*metric).is_none() && with(family, *metric) >= PLACES)
        .map(|metric| {
            let lines = across(family, metric, palette);
            let marks = family.members.iter().map(|(number, _)| number.to_string());
            let title = format!("{} · {threads} · {}", family.pattern, table::column(metric));
            let steps = Across::steps("the number in the workload's name (*)", marks);
            figure(title, metric, &steps, lines, &[caption(family, metric)])
        })
        .collect()
}

/// Suites whose workloads come in sizes.
pub(crate) fn numbered(records: &[Record]) -> Vec<Family<'_>> {
    family::by_number(records, PLACES)
}

/// The first metric, and those that have a plot of their own.
fn plotted(records: &[Record]) -> Vec<Metric> {
    let metrics = table::metrics(records);
    let mut plotted: Vec<Metric> = metrics.iter().copied().take(1).collect();
    let others = metrics.iter().skip(1);
    plotted.extend(others.filter(|metric| PLOTTED.contains(metric)));
    // A metric whose figures are all 0 shows nothing.
    plotted.retain(|metric| {
        let mut own = records.iter().filter(|record| record.metric == *metric);
        own.any(|record| record.max != 0.0)
    });
    plotted
}

/// How many members of a family have a metric.
fn with(family: &Family<'_>, metric: Metric) -> usize {
    let has = |records: &Vec<&Record>| records.iter().any(|record| record.metric == metric);
    let members = family.members.iter();
    members.filter(|(_, records)| has(records)).count()
}

fn spread(record: &Record) -> Spread {
    Spread {
        min: record.low(),
        median: record.median,
        max: record.high(),
    }
}

/// A line for each subject that has any points.
fn subjects_with(
    records: &[&Record],
    palette: &Palette,
    points: impl Fn(&str) -> Vec<(f64, Spread)>,
) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for record in records {
        if lines.iter().any(|line| line.subject == record.subject) {
            continue;
        }
        lines.push(Line {
            subject: record.subject.clone(),
            class: palette.class(&record.subject),
            points: points(&record.subject),
        });
    }
    lines.retain(|line| !line.points.is_empty());
    lines
}

/// A line for each subject over the members of a family.
fn across(family: &Family<'_>, metric: Metric, palette: &Palette) -> Vec<Line> {
    let all: Vec<&Record> = family
        .members
        .iter()
        .flat_map(|(_, all)| all.clone())
        .collect();
    subjects_with(&all, palette, |subject| {
        let places = family.members.iter().enumerate();
        places
            .filter_map(|(place, (_, records))| {
                let mut own = records.iter();
                let record =
                    own.find(|record| record.subject == subject && record.metric == metric)?;
                Some((place as f64, spread(record)))
            })
            .collect()
    })
}

fn figure(
    title: String,
    metric: Metric,
    across: &Across,
    lines: Vec<Line>,
    caption: &[String],
) -> Figure {
    Figure {
        svg: chart::lines(&title, metric, across, &lines),
        title,
        legend: lines
            .into_iter()
            .map(|line| (line.subject, line.class))
            .collect(),
        caption: caption.join(" "),
    }
}

/// What the workload is, and what is plotted of it.
fn caption(family: &Family<'_>, metric: Metric) -> String {
    let workload = about::workload(family.suite, &family.pattern);
    format!(
        "{} Plotted: {} ({}).",
        workload.unwrap_or_default(),
        about::metric(metric),
        about::better(metric)
    )
}

fn bars(
    family: &Family<'_>,
    threads: u64,
    records: &[&Record],
    metric: Metric,
    palette: &Palette,
) -> Option<Figure> {
    let lines = subjects_with(records, palette, |subject| {
        let own = records.iter();
        own.filter(|record| record.subject == subject && record.metric == metric)
            .map(|record| (0.0, spread(record)))
            .collect()
    });
    if lines.is_empty() {
        return None;
    }
    let threads = table::plural(threads as usize, "thread");
    let title = format!("{} · {threads} · {}", family.pattern, table::column(metric));
    Some(Figure {
        svg: chart::bars(&title, metric, &lines),
        title,
        legend: Vec::new(),
        caption: caption(family, metric),
    })
}

/// What a metric is a percentile of, and which: 1 is the maximum.
fn percentile(metric: Metric) -> Option<(&'static str, f64)> {
    let (what, which) = metric.name().rsplit_once('_')?;
    if metric.unit() != "ns" {
        return None;
    }
    if which == "max" {
        return Some((what, 1.0));
    }
    let digits = which.strip_prefix('p')?;
    let number: f64 = digits.parse().ok()?;
    Some((what, number / 10_f64.powi(digits.len() as i32)))
}

fn percentiles(
    family: &Family<'_>,
    threads: u64,
    records: &[&Record],
    main: Metric,
    palette: &Palette,
) -> Figure {
    let what = percentile(main).map_or("", |(what, _)| what);
    let mut shares: Vec<(f64, Metric)> = records
        .iter()
        .filter_map(|record| Some((record.metric, percentile(record.metric)?)))
        .filter(|(_, (own, _))| *own == what)
        .map(|(metric, (_, share))| (share, metric))
        .collect();
    shares.sort_by(|a, b| a.0.total_cmp(&b.0));
    shares.dedup();
    let lines = subjects_with(records, palette, |subject| {
        let places = shares.iter().enumerate();
        places
            .filter_map(|(place, (_, metric))| {
                let mut own = records.iter();
                let record =
                    own.find(|record| record.subject == subject && record.metric == *metric)?;
                Some((place as f64, spread(record)))
            })
            .collect()
    });
    let names = shares.iter().map(|(share, _)| {
        if *share < 1.0 {
            format!("{}%", scale::trimmed(share * 100.0))
        } else {
            "slowest".to_owned()
        }
    });
    let threads = table::plural(threads as usize, "thread");
    let what = what.replace('_', " ");
    let title = format!("{} · {threads} · {what}", family.pattern);
    let workload = about::workload(family.suite, &family.pattern).unwrap_or_default();
    let caption = format!(
        "{workload} Plotted: the time that this share of the operations stayed below, and the \
         slowest of all (lower is better)."
    );
    let steps = Across::steps("share of the operations", names);
    figure(title, main, &steps, lines, &[caption])
}

fn over_time(
    family: &Family<'_>,
    threads: u64,
    records: &[&Record],
    palette: &Palette,
) -> Option<Figure> {
    let with_series: Vec<&Record> = records
        .iter()
        .filter(|record| record.series.is_some())
        .copied()
        .collect();
    let metric = with_series.first()?.metric;
    let lines = subjects_with(&with_series, palette, |subject| {
        let own = with_series.iter().find(|record| record.subject == subject);
        let series = own.and_then(|record| record.series.as_ref());
        let point = |(millis, figure): &(f64, f64)| {
            let spread = Spread {
                min: *figure,
                median: *figure,
                max: *figure,
            };
            (*millis, spread)
        };
        series
            .map(|series| series.iter().map(point).collect())
            .unwrap_or_default()
    });
    let ends = lines.iter().filter_map(|line| line.points.last());
    let end = ends.map(|(millis, _)| *millis).fold(1.0, f64::max);
    let threads = table::plural(threads as usize, "thread");
    let title = format!("{} · {threads} · memory over time", family.pattern);
    let caption = format!(
        "{} A line ends where the subject's run ends.",
        caption(family, metric)
    );
    Some(figure(title, metric, &Across::time(end), lines, &[caption]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Key, Sample, summarise};

    fn records(threads: &[usize], metrics: &[Metric]) -> Vec<Record> {
        let mut all = Vec::new();
        for &threads in threads {
            let key = Key {
                suite: "novel".into(),
                workload: "w/8".into(),
                threads,
            };
            for subject in ["smr", "other"] {
                let samples: Vec<Sample> = metrics
                    .iter()
                    .map(|metric| {
                        let mut sample = Sample::new(*metric, 3.0);
                        sample.series = (*metric == Metric::OverheadSeries)
                            .then(|| vec![(0.0, 1.0), (5.0, 2.0)]);
                        sample
                    })
                    .collect();
                all.extend(summarise(&key, subject, &samples));
            }
        }
        all
    }

    fn titles(records: &[Record]) -> Vec<String> {
        let palette = Palette::new(["smr", "other"].into_iter());
        let families = family::by_threads(records);
        let figures = families
            .iter()
            .flat_map(|family| of_workload(family, &palette));
        figures.map(|figure| figure.title).collect()
    }

    #[test]
    fn three_numbers_of_threads_make_a_line_and_fewer_bars() {
        let few = titles(&records(&[1, 2], &[Metric::Throughput]));
        assert_eq!(
            few,
            [
                "w/8 · 1 thread · throughput",
                "w/8 · 2 threads · throughput"
            ]
        );
        let many = titles(&records(&[1, 2, 4], &[Metric::Throughput]));
        assert_eq!(many, ["w/8 · throughput"]);
    }

    #[test]
    fn percentiles_and_series_have_plots_of_their_own() {
        let shares = [Metric::InsertP50, Metric::InsertP9999, Metric::InsertMax];
        assert_eq!(titles(&records(&[1], &shares)), ["w/8 · 1 thread · insert"]);
        let stall = [Metric::Throughput, Metric::OverheadSeries];
        assert_eq!(
            titles(&records(&[2], &stall)),
            [
                "w/8 · 2 threads · throughput",
                "w/8 · 2 threads · memory over time"
            ]
        );
        assert_eq!(percentile(Metric::InsertP9999), Some(("insert", 0.9999)));
        assert_eq!(percentile(Metric::HeapBytes), None);
    }
}
