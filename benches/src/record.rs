//! What is measured, and how a measurement is written down.
//!
//! One run of one subject yields [`Sample`]s; the runs of a subject are summed
//! up by minimum, median and maximum into a [`Record`], one JSON object a line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a figure says. The names are stable: scripts depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Metric {
    /// Wall time of one operation of one thread.
    TimePerOp,
    /// Wall time of a look-up that hits.
    GetTime,
    /// Wall time of a look-up of a key that is not there.
    MissTime,
    /// Wall time of a search for the first key at or after one.
    AtOrAfterTime,
    /// Wall time of a visit of all entries, divided by their number.
    ScanTime,
    /// Wall time of an insertion of a new key.
    InsertTime,
    /// Operations a second, all threads together.
    Throughput,
    /// Operations a second, divided by the number of threads.
    ThroughputPerThread,
    /// The largest of (bytes held from the system − bytes of live items).
    OverheadPeak,
    /// The same of the memory that the process occupies, which sees what the
    /// system's allocator keeps for reuse as well.
    ResidentPeak,
    /// The most bytes that were retired and waited for readers, as the subject tells.
    RetiredPeak,
    /// The overhead over time; `series` holds it, the figure is its last point.
    OverheadSeries,
    /// Items retired for each scan of the readers.
    FreesPerPoll,
    /// From the retirement of an item until its address is handed out again:
    /// half of the items that came back were faster.
    FreeToUseP50,
    /// The same, for 99 of 100 items.
    FreeToUseP99,
    /// Share of the lists that found their queue full.
    QueueFullShare,
    /// Items that were retired in the run.
    ItemsRetired,
    /// Heap bytes of one structure beyond the memory of its items: of a pool; of
    /// a map, all its bytes divided by its entries.
    BytesPerEntry,
    /// The same in resident memory.
    ResidentPerEntry,
    /// Heap bytes of a structure with nothing in it.
    HeapBytes,
    /// The same in resident memory, of one among many.
    ResidentBytes,
    /// By how much the heap of a structure of constant size swings: its largest
    /// amount after a warm-up over its smallest, less one.
    HeapDrift,
    /// The largest number of items that were retired and not destroyed yet.
    UnreclaimedPeak,
    /// Insertions a second of a writer beside readers.
    WriterThroughput,
    /// Time of an insertion: 9,999 of 10,000 were faster.
    InsertP9999,
    /// The slowest insertion.
    InsertMax,
    /// Time of an insertion: half of them were faster.
    InsertP50,
    /// The same, for 99 of 100.
    InsertP99,
    /// From the start of a program's work to its end.
    WallTime,
    /// Processor time of all its threads, in the kernel too.
    CpuTime,
    /// The most memory that the process occupied.
    PeakResident,
    /// Share of the requests that found what they wanted in the cache.
    HitRate,
}

/// Which way is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
    /// Told for information; nobody wins.
    Neither,
}

impl Metric {
    /// The name in the records.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Metric::TimePerOp => "time_per_op",
            Metric::GetTime => "get_time",
            Metric::MissTime => "miss_time",
            Metric::AtOrAfterTime => "at_or_after_time",
            Metric::ScanTime => "scan_time",
            Metric::InsertTime => "insert_time",
            Metric::Throughput => "throughput",
            Metric::ThroughputPerThread => "throughput_per_thread",
            Metric::OverheadPeak => "overhead_peak",
            Metric::ResidentPeak => "resident_peak",
            Metric::RetiredPeak => "retired_peak",
            Metric::OverheadSeries => "overhead_series",
            Metric::FreesPerPoll => "frees_per_poll",
            Metric::FreeToUseP50 => "free_to_use_p50",
            Metric::FreeToUseP99 => "free_to_use_p99",
            Metric::QueueFullShare => "queue_full_share",
            Metric::ItemsRetired => "items_retired",
            Metric::BytesPerEntry => "bytes_per_entry",
            Metric::ResidentPerEntry => "resident_per_entry",
            Metric::HeapBytes => "heap_bytes",
            Metric::ResidentBytes => "resident_bytes",
            Metric::HeapDrift => "heap_drift",
            Metric::UnreclaimedPeak => "unreclaimed_peak",
            Metric::WriterThroughput => "writer_throughput",
            Metric::InsertP9999 => "insert_p9999",
            Metric::InsertMax => "insert_max",
            Metric::InsertP50 => "insert_p50",
            Metric::InsertP99 => "insert_p99",
            Metric::WallTime => "wall_time",
            Metric::CpuTime => "cpu_time",
            Metric::PeakResident => "peak_resident",
            Metric::HitRate => "hit_rate",
        }
    }

    /// The unit in the records.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Metric::TimePerOp
            | Metric::GetTime
            | Metric::MissTime
            | Metric::AtOrAfterTime
            | Metric::ScanTime
            | Metric::InsertTime
            | Metric::FreeToUseP50
            | Metric::FreeToUseP99
            | Metric::InsertP50
            | Metric::InsertP99
            | Metric::InsertP9999
            | Metric::InsertMax
            | Metric::WallTime
            | Metric::CpuTime => "ns",
            Metric::Throughput | Metric::ThroughputPerThread | Metric::WriterThroughput => {
                "operations/s"
            }
            Metric::OverheadPeak
            | Metric::ResidentPeak
            | Metric::RetiredPeak
            | Metric::OverheadSeries
            | Metric::BytesPerEntry
            | Metric::ResidentPerEntry
            | Metric::HeapBytes
            | Metric::ResidentBytes
            | Metric::PeakResident => "bytes",
            Metric::FreesPerPoll | Metric::ItemsRetired | Metric::UnreclaimedPeak => "items",
            Metric::QueueFullShare | Metric::HeapDrift | Metric::HitRate => "ratio",
        }
    }

    /// Whether it follows the speed of the machine: a time or a rate.
    pub(crate) fn is_speed(self) -> bool {
        matches!(self.unit(), "ns" | "operations/s")
    }

    /// Which way is up.
    pub(crate) fn better(self) -> Better {
        match self {
            Metric::Throughput | Metric::ThroughputPerThread | Metric::WriterThroughput => {
                Better::Higher
            }
            Metric::TimePerOp
            | Metric::GetTime
            | Metric::MissTime
            | Metric::AtOrAfterTime
            | Metric::ScanTime
            | Metric::InsertTime
            | Metric::OverheadPeak
            | Metric::ResidentPeak
            | Metric::RetiredPeak
            | Metric::FreeToUseP50
            | Metric::FreeToUseP99
            | Metric::BytesPerEntry
            | Metric::ResidentPerEntry
            | Metric::HeapBytes
            | Metric::ResidentBytes
            | Metric::HeapDrift
            | Metric::UnreclaimedPeak
            | Metric::InsertP50
            | Metric::InsertP99
            | Metric::InsertP9999
            | Metric::InsertMax
            | Metric::WallTime
            | Metric::CpuTime
            | Metric::PeakResident => Better::Lower,
            Metric::OverheadSeries
            | Metric::FreesPerPoll
            | Metric::QueueFullShare
            | Metric::ItemsRetired
            | Metric::HitRate => Better::Neither,
        }
    }
}

/// A point of a series: milliseconds since the start, value.
pub(crate) type Point = (f64, f64);

/// One figure of one run.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// What it says.
    pub(crate) metric: Metric,
    /// The figure, in the metric's unit.
    pub(crate) value: f64,
    /// The figure over time, for the metrics that have one.
    pub(crate) series: Option<Vec<Point>>,
}

impl Sample {
    /// A plain figure.
    pub(crate) fn new(metric: Metric, value: f64) -> Self {
        Self {
            metric,
            value,
            series: None,
        }
    }
}

/// What identifies a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// The suite.
    pub(crate) suite: String,
    /// The workload of the suite, with its parameters.
    pub(crate) workload: String,
    /// Threads that work.
    pub(crate) threads: usize,
}

/// All runs of one subject on one metric, as written to the JSON lines.
///
/// # The spread
///
/// The smallest and the largest of many runs say more about the worst of the
/// machine's moods than about the median: the more runs, the further apart. So
/// the spread of a figure ([`Record::low`], [`Record::high`]) is the interval
/// between two of the ordered runs that the median of ever more runs would lie in,
/// 95 times of 100. Of six to eight runs that is all of them. Three to five lie closer
/// together than that too often: their interval is Student's, of the logarithms, where
/// it is the wider one. Two say nothing of the kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The suite.
    pub(crate) suite: String,
    /// The workload of the suite, with its parameters.
    pub(crate) workload: String,
    /// Who was measured.
    pub(crate) subject: String,
    /// Threads that worked.
    pub(crate) threads: usize,
    /// What the figures say.
    pub(crate) metric: Metric,
    /// The unit of the figures.
    pub(crate) unit: String,
    /// The smallest of the runs.
    pub(crate) min: f64,
    /// The middle of the runs.
    pub(crate) median: f64,
    /// The largest of the runs.
    pub(crate) max: f64,
    /// How many runs.
    pub(crate) runs: usize,
    /// The lower end of the spread, where it is not the smallest run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    low: Option<f64>,
    /// The upper end of the spread, where it is not the largest run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    high: Option<f64>,
    /// The last run over time: milliseconds since the start, value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) series: Option<Vec<Point>>,
}

impl Record {
    /// The lower end of the spread.
    pub(crate) fn low(&self) -> f64 {
        self.low.unwrap_or(self.min)
    }

    /// The upper end of the spread.
    pub(crate) fn high(&self) -> f64 {
        self.high.unwrap_or(self.max)
    }

    /// Whether the spreads of two figures have nothing in common.
    pub(crate) fn is_apart(&self, other: &Self) -> bool {
        self.high() < other.low() || other.high() < self.low()
    }
}

/// How many runs lie outside of the spread at each end.
///
/// Half of all runs lie below the true median, so the number of those that do is
/// binomial, whatever the figures' distribution.
fn outside(runs: usize) -> usize {
    let (mut outside, mut below) = (0, 0.0);
    // The probability that exactly `at` of the runs lie below the median.
    let mut exactly = 0.5_f64.powi(runs as i32);
    for at in 0..runs / 2 {
        below += exactly;
        if 2.0 * below > 0.05 {
            break;
        }
        outside = at;
        exactly *= (runs - at) as f64 / (at + 1) as f64;
    }
    outside
}

/// The ends of the spread of ordered runs, where they are not the first and the last.
fn spread(ordered: &[f64]) -> Option<(f64, f64)> {
    let runs = ordered.len();
    let (least, most) = (*ordered.first()?, *ordered.last()?);
    let outside = outside(runs);
    if outside > 0 {
        return Some((ordered[outside], ordered[runs - 1 - outside]));
    }
    // The 97.5th percentile of Student's distribution, by the number of runs.
    let quantile = match runs {
        3 => 4.303,
        4 => 3.182,
        5 => 2.776,
        _ => return None,
    };
    if least <= 0.0 {
        return None;
    }
    let count = runs as f64;
    let mean = ordered.iter().map(|run| run.ln()).sum::<f64>() / count;
    let squares = ordered.iter().map(|run| (run.ln() - mean).powi(2));
    let deviation = (squares.sum::<f64>() / (count - 1.0)).sqrt();
    let reach = quantile * deviation / count.sqrt();
    let (low, high) = ((mean - reach).exp(), (mean + reach).exp());
    Some((low.min(least), high.max(most)))
}

/// Sums up the samples of one subject, metric by metric.
pub(crate) fn summarise(key: &Key, subject: &str, samples: &[Sample]) -> Vec<Record> {
    let mut by_metric: BTreeMap<Metric, Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        by_metric.entry(sample.metric).or_default().push(sample);
    }
    by_metric
        .into_iter()
        .map(|(metric, samples)| {
            let mut values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
            let median = median(&mut values);
            let spread = spread(&values);
            Record {
                low: spread.map(|(low, _)| low),
                high: spread.map(|(_, high)| high),
                suite: key.suite.clone(),
                workload: key.workload.clone(),
                subject: subject.to_owned(),
                threads: key.threads,
                metric,
                unit: metric.unit().to_owned(),
                min: values[0],
                median,
                max: values[values.len() - 1],
                runs: values.len(),
                series: samples.last().and_then(|sample| sample.series.clone()),
            }
        })
        .collect()
}

/// Sorts the values and gives the middle one, or the mean of the middle two.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    assert!(!values.is_empty(), "a median of nothing");
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key {
            suite: "churn".into(),
            workload: "random/1024".into(),
            threads: 2,
        }
    }

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_two() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&mut [7.0]), 7.0);
    }

    #[test]
    fn the_spread_of_few_runs_is_all_of_them_and_of_many_their_middle() {
        let figures = |runs: u32| -> Vec<Sample> {
            let all = (0..runs).map(|at| Sample::new(Metric::TimePerOp, f64::from(at)));
            all.collect()
        };
        let ends = |runs: u32| {
            let record = summarise(&key(), "smr", &figures(runs)).remove(0);
            (record.low(), record.high())
        };
        assert_eq!(ends(1), (0.0, 0.0));
        assert_eq!(ends(5), (0.0, 4.0));
        assert_eq!(ends(8), (0.0, 7.0));
        // The ranks that tables of the sign test name.
        assert_eq!(ends(9), (1.0, 7.0));
        assert_eq!(ends(15), (3.0, 11.0));
        assert_eq!(ends(25), (7.0, 17.0));
    }

    #[test]
    fn the_spread_of_three_to_five_runs_reaches_beyond_them() {
        let ends = |figures: &[f64]| {
            let samples: Vec<Sample> = figures
                .iter()
                .map(|figure| Sample::new(Metric::TimePerOp, *figure))
                .collect();
            let record = summarise(&key(), "smr", &samples).remove(0);
            (record.low(), record.high())
        };
        let close = |found: f64, expected: f64| (found / expected - 1.0).abs() < 1e-3;
        // Logarithms of 0, 1 and 2: around 1, by 4.303 times 1 over the root of 3.
        let powers = [0.0, 1.0, 2.0].map(f64::exp);
        let (low, high) = ends(&powers);
        assert!(close(low, 0.2268) && close(high, 32.58), "{low} {high}");
        // Three alike, one far out: never less than all of them.
        assert_eq!(ends(&[2.0, 2.0, 2.0]), (2.0, 2.0));
        let (low, high) = ends(&[1.0, 1.0, 1.0, 1.0, 9.0]);
        assert!(low <= 1.0 && high >= 9.0, "{low} {high}");
        assert_eq!(ends(&[1.0, 2.0]), (1.0, 2.0));
    }

    #[test]
    fn spreads_that_touch_are_not_apart() {
        let record = |figures: &[f64]| {
            let all = figures.iter();
            let samples: Vec<Sample> = all
                .map(|figure| Sample::new(Metric::Throughput, *figure))
                .collect();
            summarise(&key(), "smr", &samples).remove(0)
        };
        let (low, high) = (record(&[1.0, 2.0]), record(&[3.0, 4.0]));
        assert!(low.is_apart(&high) && high.is_apart(&low));
        assert!(!low.is_apart(&record(&[2.0, 4.0])));
    }

    #[test]
    fn runs_are_summed_up_metric_by_metric() {
        let samples = [
            Sample::new(Metric::Throughput, 30.0),
            Sample::new(Metric::OverheadPeak, 5.0),
            Sample::new(Metric::Throughput, 10.0),
            Sample::new(Metric::Throughput, 20.0),
        ];
        let records = summarise(&key(), "smr", &samples);
        assert_eq!(records.len(), 2);
        let throughput = &records[0];
        assert_eq!(throughput.metric, Metric::Throughput);
        assert_eq!(
            (throughput.min, throughput.median, throughput.max),
            (10.0, 20.0, 30.0)
        );
        assert_eq!(throughput.runs, 3);
        assert_eq!(records[1].runs, 1);
    }

    #[test]
    fn a_record_survives_its_json_line() {
        let mut sample = Sample::new(Metric::OverheadSeries, 12.5);
        sample.series = Some(vec![(0.0, 1.0), (1.5, 12.5)]);
        let records = summarise(
            &key(),
            "smr",
            &[sample, Sample::new(Metric::FreeToUseP99, 99.0)],
        );
        for record in records {
            let line = serde_json::to_string(&record).expect("a line");
            let back: Record = serde_json::from_str(&line).expect("our own line");
            assert_eq!(back, record);
        }
    }

    #[test]
    fn a_metric_has_one_name() {
        for metric in [
            Metric::TimePerOp,
            Metric::GetTime,
            Metric::MissTime,
            Metric::AtOrAfterTime,
            Metric::ScanTime,
            Metric::InsertTime,
            Metric::Throughput,
            Metric::ThroughputPerThread,
            Metric::OverheadPeak,
            Metric::ResidentPeak,
            Metric::RetiredPeak,
            Metric::OverheadSeries,
            Metric::FreesPerPoll,
            Metric::FreeToUseP50,
            Metric::FreeToUseP99,
            Metric::QueueFullShare,
            Metric::ItemsRetired,
            Metric::BytesPerEntry,
            Metric::ResidentPerEntry,
            Metric::HeapBytes,
            Metric::ResidentBytes,
            Metric::HeapDrift,
            Metric::UnreclaimedPeak,
            Metric::WriterThroughput,
            Metric::InsertP9999,
            Metric::InsertMax,
            Metric::InsertP50,
            Metric::InsertP99,
            Metric::WallTime,
            Metric::CpuTime,
            Metric::PeakResident,
            Metric::HitRate,
        ] {
            let json = serde_json::to_string(&metric).expect("a name");
            assert_eq!(json, format!("\"{}\"", metric.name()));
        }
    }
}
