//! The tables of the README: its systems, maps, lists and trees, a row for each.
//!
//! They stand between two marks, so that they can be replaced when the figures are
//! taken again, and so that a test can tell whether they are those of the record
//! that is kept with them. A suite that has no table of its own here gets one with
//! a column for each of its workloads.

use std::fmt::Write as _;
use std::io;

use super::standing::{Tally, best};
use super::{Findings, suites};
use crate::record::{Better, Metric, Record};
use crate::table;

/// Where the tables begin in a file, and where they end.
const BEGIN: &str = "<!-- figures: begin -->\n";
const END: &str = "<!-- figures: end -->";

/// A column of a table.
#[derive(Clone, Copy, Debug)]
struct Column<'c> {
    heading: &'c str,
    /// Workload and suite; of several numbers of threads, the most count.
    suite: &'c str,
    workload: &'c str,
    metric: Metric,
    /// Whether it is told above the same without protection.
    above_bare: bool,
}

const fn column<'c>(
    heading: &'c str,
    suite: &'c str,
    workload: &'c str,
    metric: Metric,
) -> Column<'c> {
    Column {
        heading,
        suite,
        workload,
        metric,
        above_bare: false,
    }
}

/// A table: what it is about, and its columns.
struct Front<'c> {
    title: &'c str,
    about: &'c str,
    columns: &'c [Column<'c>],
}

const SYSTEMS: Front<'static> = Front {
    title: "Reclamation",
    about: "*Section*: to enter, load and leave, above the bare load, in ns. *Free*: to allocate \
            and retire 48 bytes, in ns. *Churn*: items of so many bytes allocated, passed to a \
            random thread and retired, in million a second; *held*: the most memory beyond the \
            live items meanwhile, in MiB, of 1,024 bytes each. *Stalled*: the same while one \
            reader stays inside and a writer goes on (but for a lock, whose writer waits). *List*, *table*: the same lock-free structure over each \
            system, 90% look-ups, in million a second.",
    columns: &[
        Column {
            above_bare: true,
            ..column("section", "section", "enter", Metric::TimePerOp)
        },
        column("free", "free", "48", Metric::TimePerOp),
        column("churn 128", "churn", "random/128", Metric::Throughput),
        column("churn 1024", "churn", "random/1024", Metric::Throughput),
        column("churn 4096", "churn", "random/4096", Metric::Throughput),
        column("held", "churn", "random/1024", Metric::OverheadPeak),
        column("stalled", "stall", "pinned", Metric::OverheadPeak),
        column("list", "schemes", "list/90-10", Metric::Throughput),
        column("table", "schemes", "table/90-10", Metric::Throughput),
    ],
};

const MAPS: Front<'static> = Front {
    title: "Hash maps",
    about: "100,000 entries, uniform keys, in million operations a second: look-ups alone; 98% \
            look-ups; 10% look-ups, 40% insertions, 40% removals, 10% updates. *p99.99* and \
            *slowest*: of single insertions while the map grows to 200,000, in µs. Bytes an \
            entry: grown, and with nine of ten entries removed again; bytes of an empty map.",
    columns: &[
        column(
            "read",
            "map",
            "read-only/100000/uniform",
            Metric::Throughput,
        ),
        column(
            "98% read",
            "map",
            "read-heavy/100000/uniform",
            Metric::Throughput,
        ),
        column(
            "10% read",
            "map",
            "exchange/100000/uniform",
            Metric::Throughput,
        ),
        column("p99.99", "latency", "insert/200000", Metric::InsertP9999),
        column("slowest", "latency", "insert/200000", Metric::InsertMax),
        column(
            "bytes each",
            "memory",
            "grown/100000",
            Metric::BytesPerEntry,
        ),
        column(
            "thinned",
            "memory",
            "removed-90/100000",
            Metric::BytesPerEntry,
        ),
        column("empty", "memory", "empty", Metric::HeapBytes),
    ],
};

const LISTS: Front<'static> = Front {
    title: "Ordered lists",
    about: "Half of 16 or of 1,000 keys, in million operations a second: look-ups alone, and half \
            look-ups, half changes.",
    columns: &[
        column("16, read", "list", "get-100/16", Metric::Throughput),
        column("16, 50% read", "list", "get-50/16", Metric::Throughput),
        column("1000, read", "list", "get-100/1000", Metric::Throughput),
        column("1000, 50% read", "list", "get-50/1000", Metric::Throughput),
    ],
};

const SEQUENCES: Front<'static> = Front {
    title: "Queues, stacks, lists with handles, lists that are read through",
    about: "Insertions and removals, and elements that are visited, in million a second.",
    columns: &[
        column("queue", "list", "queue", Metric::Throughput),
        column("stack", "list", "stack", Metric::Throughput),
        column("handles", "list", "handles", Metric::Throughput),
        column("read through", "list", "iterate/1000", Metric::Throughput),
    ],
};

const TREES: Front<'static> = Front {
    title: "Ordered maps from integers",
    about: "50,000 entries, from 0 without holes (*dense*) or anywhere in 64 bits (*random*). One \
            thread alone: a look-up, and an entry of a visit of all, in ns; bytes an entry. 95% \
            look-ups beside insertions and removals, in million operations a second.",
    columns: &[
        column("dense, get", "radix", "alone/dense/50000", Metric::GetTime),
        column(
            "dense, scan",
            "radix",
            "alone/dense/50000",
            Metric::ScanTime,
        ),
        column(
            "dense, bytes each",
            "radix",
            "alone/dense/50000",
            Metric::BytesPerEntry,
        ),
        column(
            "dense, 95% read",
            "radix",
            "95-5/dense/50000",
            Metric::Throughput,
        ),
        column(
            "random, get",
            "radix",
            "alone/random-u64/50000",
            Metric::GetTime,
        ),
        column(
            "random, scan",
            "radix",
            "alone/random-u64/50000",
            Metric::ScanTime,
        ),
        column(
            "random, bytes each",
            "radix",
            "alone/random-u64/50000",
            Metric::BytesPerEntry,
        ),
        column(
            "random, 95% read",
            "radix",
            "95-5/random-u64/50000",
            Metric::Throughput,
        ),
    ],
};

const PAGES: Front<'static> = Front {
    title: "A page cache",
    about: "In million a second. *Faults*: of a hundred operations on any of 50,000 pages, of \
            which half are there, 90 look one up, 8 put one in, one takes one out, and one \
            removes a run of eight. *Replay*: the pages that a compiler touched, by each thread \
            from a place of its own, with room for half of them.",
    columns: &[
        column("faults", "page", "faults-random/50000", Metric::Throughput),
        column("replay", "page", "replay/rustc", Metric::Throughput),
    ],
};

/// The tables, in their order.
const FRONTS: [&Front<'static>; 6] = [&SYSTEMS, &MAPS, &LISTS, &SEQUENCES, &TREES, &PAGES];

/// Whether one of them tells of a suite.
fn is_told(suite: &str) -> bool {
    let mut columns = FRONTS.iter().flat_map(|front| front.columns);
    columns.any(|column| column.suite == suite)
}

/// Replaces the tables in a text.
///
/// # Errors
///
/// When the marks are not there.
pub(super) fn placed(text: &str, findings: &Findings<'_>) -> io::Result<String> {
    let missing = || {
        let message = format!("has no {} … {END}", BEGIN.trim_end());
        io::Error::new(io::ErrorKind::InvalidData, message)
    };
    let (before, rest) = text.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    Ok(format!("{before}{BEGIN}{}{END}{after}", render(findings)))
}

/// All tables, between empty lines.
fn render(findings: &Findings<'_>) -> String {
    let records = findings.records;
    let mut text = String::from("\n");
    facts(findings, &mut text);
    for front in FRONTS {
        grid(front, records, &mut text);
    }
    for (suite, own) in suites(records) {
        if !is_told(&suite) {
            whole(&suite, &own, &mut text);
        }
    }
    behind(records, &mut text);
    text
}

/// How the figures were taken.
fn facts(findings: &Findings<'_>, text: &mut String) {
    let records = findings.records;
    let runs = records.iter().map(|record| record.runs).max().unwrap_or(0);
    let _ = write!(
        text,
        "Medians of {}",
        table::plural(runs, "interleaved run")
    );
    if let Some(header) = findings.headers.first() {
        for (name, fact) in header.machine.facts() {
            let _ = write!(text, "; {name} {fact}");
        }
    }
    let threads = records.iter().map(|record| record.threads).max();
    let _ = writeln!(
        text,
        ". {} where nothing else is said. Bold is the best, and who is level with it: a lead \
         within the spread of the runs is no lead. Those in italics protect nobody.\n",
        table::plural(threads.unwrap_or(1), "thread"),
    );
}

/// The records of a column.
fn of<'r>(column: &Column<'_>, records: &'r [Record]) -> Vec<&'r Record> {
    let own = |record: &&Record| {
        record.suite == column.suite
            && record.workload == column.workload
            && record.metric == column.metric
    };
    let threads = records
        .iter()
        .filter(own)
        .map(|record| record.threads)
        .max();
    let own = records.iter().filter(own);
    own.filter(|record| Some(record.threads) == threads)
        .collect()
}

fn grid(front: &Front<'_>, records: &[Record], text: &mut String) {
    let columns: Vec<(&Column<'_>, Vec<&Record>)> = front
        .columns
        .iter()
        .map(|column| (column, of(column, records)))
        .filter(|(_, own)| !own.is_empty())
        .collect();
    let mut subjects: Vec<&str> = Vec::new();
    for record in columns.iter().flat_map(|(_, own)| own) {
        if !subjects.contains(&&*record.subject) {
            subjects.push(&record.subject);
        }
    }
    if subjects.is_empty() {
        return;
    }
    let _ = writeln!(text, "### {}\n", front.title);
    if !front.about.is_empty() {
        let _ = writeln!(text, "{}\n", front.about);
    }
    let headings: Vec<&str> = columns.iter().map(|(column, _)| column.heading).collect();
    let _ = writeln!(text, "| | {} |", headings.join(" | "));
    let _ = writeln!(text, "|---|{}", "---:|".repeat(columns.len()));
    for subject in subjects {
        let mut cells = Vec::new();
        for (column, own) in &columns {
            cells.push(cell(column, own, subject).unwrap_or_else(|| "–".to_owned()));
        }
        let contends = columns.iter().any(|(_, own)| {
            let mut own = own.iter();
            own.any(|record| record.subject == subject && table::contends(record))
        });
        let around = if contends { "" } else { "*" };
        let _ = writeln!(
            text,
            "| {around}{subject}{around} | {} |",
            cells.join(" | ")
        );
    }
    let all: Vec<&Record> = columns.into_iter().flat_map(|(_, own)| own).collect();
    spread(&all, text);
}

/// A figure in its table; bold if nobody is better.
fn cell(column: &Column<'_>, own: &[&Record], subject: &str) -> Option<String> {
    let find = |name: &str| own.iter().find(|record| record.subject == name);
    let record = find(subject)?;
    let bare = find("none").filter(|_| column.above_bare);
    let figure = record.median - bare.map_or(0.0, |bare| bare.median);
    let text = rounded(figure / unit(column.metric));
    let best = best(own.iter().copied(), column.metric);
    let bold = column.metric.better() != Better::Neither
        && table::contends(record)
        && best.is_some_and(|best| !record.is_apart(best));
    Some(if bold { format!("**{text}**") } else { text })
}

/// In what a column counts, in the unit of the records.
fn unit(metric: Metric) -> f64 {
    match (metric, metric.unit()) {
        (Metric::InsertP50 | Metric::InsertP99 | Metric::InsertP9999 | Metric::InsertMax, _) => 1e3,
        (_, "operations/s") => 1e6,
        (Metric::BytesPerEntry | Metric::ResidentPerEntry | Metric::HeapBytes, _) => 1.0,
        (_, "bytes") => 1_048_576.0,
        _ => 1.0,
    }
}

/// Three digits that mean something, and no more.
fn rounded(figure: f64) -> String {
    let size = figure.abs();
    let places = if size < 0.005 {
        0
    } else if size < 9.995 {
        2
    } else {
        usize::from(size < 99.95)
    };
    format!("{figure:.places$}")
}

/// How far the runs of a table's figures lie apart.
fn spread(records: &[&Record], text: &mut String) {
    let mut shares: Vec<f64> = records
        .iter()
        .filter(|record| record.median > 0.0)
        .map(|record| {
            let far = (record.high() - record.median).max(record.median - record.low());
            far / record.median * 100.0
        })
        .collect();
    shares.sort_by(f64::total_cmp);
    let (Some(half), Some(tenth)) = (
        shares.get(shares.len() / 2),
        shares.get(shares.len() * 9 / 10),
    ) else {
        return;
    };
    let _ = writeln!(
        text,
        "\nSpread: within ±{half:.0}% of the figure for half of these, ±{tenth:.0}% for nine of \
         ten.\n"
    );
}

/// A suite without a table of its own: the figure that each workload is about.
fn whole(suite: &str, own: &[Record], text: &mut String) {
    let comparisons = table::comparisons(own);
    let mut headings: Vec<(String, &str, Metric)> = Vec::new();
    for comparison in &comparisons {
        let (Some(first), Some(&main)) = (comparison.first(), table::metrics(comparison).first())
        else {
            continue;
        };
        if headings
            .iter()
            .all(|(_, known, _)| *known != first.workload)
        {
            let heading = format!("{}, {}", first.workload, unit_name(main));
            headings.push((heading, &first.workload, main));
        }
    }
    let columns: Vec<Column<'_>> = headings
        .iter()
        .map(|(heading, workload, metric)| column(heading, suite, workload, *metric))
        .collect();
    let about = super::about::suite(suite);
    let front = Front {
        title: about.as_ref().map_or(suite, |about| about.title),
        about: about.as_ref().map_or("", |about| about.measured),
        columns: &columns,
    };
    grid(&front, own, text);
}

fn unit_name(metric: Metric) -> &'static str {
    match (metric.unit(), unit(metric) as u64) {
        ("operations/s", _) => "M/s",
        ("bytes", 1) => "bytes",
        ("bytes", _) => "MiB",
        ("ns", 1_000) => "µs",
        (other, _) => other,
    }
}

/// Where the reference is behind.
fn behind(records: &[Record], text: &mut String) {
    let (mut ahead, mut level, mut all) = (0, 0, 0);
    let mut lines = String::new();
    for (suite, own) in suites(records) {
        let tally = Tally::of(&own);
        ahead += tally.ahead;
        level += tally.level;
        all += tally.all();
        for whom in &tally.behind {
            let _ = writeln!(lines, "- {suite} {whom}");
        }
    }
    let _ = writeln!(
        text,
        "### Where others are better\n\nOf {}, by the figure that each is about, smr leads \
         {ahead}, is level with the best in {level}, and is behind in {}:\n\n{lines}",
        table::plural(all, "comparison"),
        all - ahead - level,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Key, Sample, summarise};

    fn records(suite: &str, workload: &str, figures: &[(&str, &[f64])]) -> Vec<Record> {
        let key = Key {
            suite: suite.into(),
            workload: workload.into(),
            threads: 2,
        };
        let of = |(subject, figures): &(&str, &[f64])| {
            let all = figures.iter();
            let samples: Vec<Sample> = all
                .map(|figure| Sample::new(Metric::TimePerOp, *figure))
                .collect();
            summarise(&key, subject, &samples)
        };
        figures.iter().flat_map(of).collect()
    }

    fn text(records: &[Record]) -> String {
        render(&Findings {
            headers: Vec::new(),
            records,
            missing: 0,
        })
    }

    #[test]
    fn a_section_is_told_above_the_bare_load_and_the_level_are_bold_together() {
        let figures: [(&str, &[f64]); 4] = [
            ("none", &[1.0]),
            ("smr", &[1.5, 1.75, 1.9]),
            ("close", &[1.8, 2.0, 2.0]),
            ("far", &[9.0, 13.25, 15.0]),
        ];
        let text = text(&records("section", "enter", &figures));
        for row in [
            "| *none* | 0 |",
            "| smr | **0.75** |",
            "| close | **1.00** |",
            "| far | 12.2 |",
        ] {
            assert!(text.contains(row), "{row} in {text}");
        }
        assert!(text.contains("smr leads 0, is level with the best in 1"));
    }

    #[test]
    fn a_suite_without_a_table_of_its_own_gets_one() {
        let one = records("novel", "a/1", &[("smr", &[2.0]), ("x", &[1.0])]);
        let two = records("novel", "b", &[("x", &[250.0])]);
        let text = text(&[one, two].concat());
        assert!(
            text.contains("### novel\n\n| | a/1, ns | b, ns |"),
            "{text}"
        );
        assert!(text.contains("| smr | 2.00 | – |"), "{text}");
        assert!(text.contains("| x | **1.00** | **250** |"), "{text}");
        assert!(
            text.contains("- novel a/1 · 2 threads: x leads by 2.00×"),
            "{text}"
        );
    }

    #[test]
    fn trees_and_pages_have_tables_of_their_own() {
        let get = |workload, figure: f64| -> Vec<Record> {
            let mut all = records("radix", workload, &[("smr", &[figure])]);
            for record in &mut all {
                record.metric = Metric::GetTime;
            }
            all
        };
        let mut replay = records("page", "replay/rustc", &[("smr", &[7e6])]);
        for record in &mut replay {
            record.metric = Metric::Throughput;
        }
        let all = [
            get("alone/dense/50000", 4.0),
            get("alone/random-u64/50000", 40.0),
            replay,
        ];
        let text = text(&all.concat());
        assert!(
            text.contains(
                "| | dense, get | random, get |\n|---|---:|---:|\n| smr | **4.00** | **40.0** |"
            ),
            "{text}"
        );
        assert!(text.contains("### A page cache\n"), "{text}");
        assert!(
            text.contains("| | replay |\n|---|---:|\n| smr | **7.00** |"),
            "{text}"
        );
        assert!(
            !text.contains("### radix") && !text.contains("alone/dense"),
            "{text}"
        );
    }

    #[test]
    fn tables_are_replaced_between_their_marks_alone() {
        let records = records("novel", "w", &[("smr", &[2.0])]);
        let findings = Findings {
            headers: Vec::new(),
            records: &records,
            missing: 0,
        };
        let page = format!("before\n{BEGIN}old\n{END}\nafter\n");
        let once = placed(&page, &findings).expect("the marks are there");
        assert!(once.starts_with("before\n") && once.ends_with("\nafter\n"));
        assert!(!once.contains("old\n") && once.contains("| smr |"));
        assert_eq!(placed(&once, &findings).expect("and still are"), once);
        placed("nothing", &findings).expect_err("no marks");
    }

    #[test]
    fn figures_have_three_digits() {
        let told = [0.0, 0.004, 0.126, 9.994, 9.996, 99.94, 99.96, 12_345.6].map(rounded);
        assert_eq!(
            told,
            ["0", "0", "0.13", "9.99", "10.0", "99.9", "100", "12346"]
        );
    }
}
