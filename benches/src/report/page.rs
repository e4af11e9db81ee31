//! The page: one file without anything from elsewhere, and without scripts.
//!
//! It is well-formed XML as well, so that a test can take it apart.

use std::fmt::Write as _;

use super::chart::escape;
use super::family::{self, Family};
use super::figures::{self, Figure};
use super::palette::Palette;
use super::standing::Tally;
use super::{Findings, about, suites};
use crate::record::Record;
use crate::table::{self, REFERENCE};

const STYLE: &str = include_str!("page.css");

/// The page.
pub(crate) fn render(findings: &Findings<'_>) -> String {
    let suites = suites(findings.records);
    let mut page = String::with_capacity(1 << 20);
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\
         <meta name=\"color-scheme\" content=\"light dark\"/>\
         <title>smr-bench: the comparison</title><style>{STYLE}</style></head><body>\n\
         <header><h1>Safe memory reclamation, compared</h1>\
         <p class=\"lead\">Global unbounded sequences (<b class=\"c0 key\">smr</b>) and the \
         structures over them, beside what else there is. Every figure is the median of \
         interleaved runs, with its spread; a lead within the spread is no lead.</p>\n",
    );
    if findings.missing > 0 {
        let _ = write!(
            page,
            "<p class=\"warning\">This report is partial: {} more were planned.</p>",
            table::plural(findings.missing, "comparison")
        );
    }
    facts(findings, &mut page);
    page.push_str("<nav>");
    for (name, _) in &suites {
        let _ = write!(page, "<a href=\"#{0}\">{0}</a>", escape(name));
    }
    page.push_str("<a href=\"#method\">method</a></nav></header>\n<main>\n");
    standings(&suites, &mut page);
    for (name, records) in &suites {
        suite(name, records, &mut page);
    }
    method(&mut page);
    page.push_str("</main>\n</body></html>\n");
    page
}

/// What the figures were taken on.
fn facts(findings: &Findings<'_>, page: &mut String) {
    let mut told: Vec<Vec<(&str, String)>> = Vec::new();
    for header in &findings.headers {
        let mut facts = header.machine.facts();
        let length = if header.pace.short {
            "brief: expect wide spreads"
        } else {
            "at full length"
        };
        facts.push(("runs", length.to_owned()));
        if !told.contains(&facts) {
            told.push(facts);
        }
    }
    for facts in told {
        page.push_str("<dl class=\"facts\">");
        for (name, fact) in facts {
            let _ = write!(page, "<div><dt>{name}</dt><dd>{}</dd></div>", escape(&fact));
        }
        page.push_str("</dl>\n");
    }
}

/// Where the reference leads, and where it does not.
fn standings(suites: &[(String, Vec<Record>)], page: &mut String) {
    page.push_str(
        "<section><h2>At a glance</h2><p>In how many comparisons <b>smr</b> leads everybody, is \
         level with the best, or is behind, by the figure that each comparison is about.</p>\
         <div class=\"scroll\"><table class=\"glance\"><thead><tr><th>suite</th><th>leads</th>\
         <th>level</th><th>behind</th></tr></thead><tbody>",
    );
    let mut losses = String::new();
    for (name, records) in suites {
        let tally = Tally::of(records);
        for whom in &tally.behind {
            let _ = write!(losses, "<li>{} {}</li>", escape(name), escape(whom));
        }
        if tally.all() > 0 {
            let _ = write!(
                page,
                "<tr><th><a href=\"#{0}\">{0}</a></th><td>{1}</td><td>{2}</td><td>{3}</td></tr>",
                escape(name),
                tally.ahead,
                tally.level,
                tally.behind.len(),
            );
        }
    }
    page.push_str("</tbody></table></div>");
    if !losses.is_empty() {
        let _ = write!(
            page,
            "<details><summary>Where smr is behind</summary><ul>{losses}</ul></details>"
        );
    }
    page.push_str("</section>\n");
}

fn suite(name: &str, records: &[Record], page: &mut String) {
    let about = about::suite(name);
    let title = about
        .as_ref()
        .map_or_else(|| about::fallback(name), |about| about.title.to_owned());
    let _ = write!(
        page,
        "<section id=\"{0}\"><h2><span class=\"suite\">{0}</span> {1}</h2>",
        escape(name),
        escape(&title)
    );
    if let Some(about) = &about {
        let _ = write!(
            page,
            "<p><b>Measured:</b> {}</p><p><b>Not measured:</b> {}</p>",
            escape(about.measured),
            escape(about.unmeasured)
        );
    }
    let unmeasured = about.map(|about| about.unmeasured);
    let palette = Palette::new(records.iter().map(|record| record.subject.as_str()));

    let numbered: Vec<Figure> = figures::numbered(records)
        .iter()
        .flat_map(|family| figures::of_numbers(family, &palette))
        .collect();
    if !numbered.is_empty() {
        page.push_str("<h3>By size</h3>");
        grid(&numbered, unmeasured, page);
    }
    for family in family::by_threads(records) {
        let _ = write!(page, "<h3>{}</h3>", escape(&family.pattern));
        grid(&figures::of_workload(&family, &palette), unmeasured, page);
        tables(&family, page);
    }
    page.push_str("<details><summary>Who wins, line by line</summary><ul>");
    for comparison in table::comparisons(records) {
        for line in table::verdict(&comparison) {
            let _ = write!(page, "<li>{}</li>", escape(&line));
        }
    }
    page.push_str("</ul></details></section>\n");
}

fn grid(figures: &[Figure], unmeasured: Option<&str>, page: &mut String) {
    page.push_str("<div class=\"figures\">");
    for figure in figures {
        let _ = write!(
            page,
            "<figure><h4>{}</h4>{}",
            escape(&figure.title),
            figure.svg
        );
        if !figure.legend.is_empty() {
            page.push_str("<ul class=\"legend\">");
            for (subject, class) in &figure.legend {
                let _ = write!(page, "<li class=\"{class} key\">{}</li>", escape(subject));
            }
            page.push_str("</ul>");
        }
        let _ = write!(page, "<figcaption>{}", escape(figure.caption.trim()));
        if let Some(unmeasured) = unmeasured {
            let _ = write!(page, " Not measured: {}", escape(unmeasured));
        }
        page.push_str("</figcaption></figure>");
    }
    page.push_str("</div>\n");
}

/// The tables of a workload, folded away.
fn tables(family: &Family<'_>, page: &mut String) {
    page.push_str("<details><summary>The figures</summary>");
    for (_, records) in &family.members {
        let records: Vec<Record> = records.iter().copied().cloned().collect();
        let Some(grid) = table::grid(&records) else {
            continue;
        };
        let _ = write!(
            page,
            "<h5>{}</h5><div class=\"scroll\"><table><thead><tr>",
            escape(&grid.title)
        );
        for name in &grid.header {
            let _ = write!(page, "<th>{}</th>", escape(name));
        }
        page.push_str("</tr></thead><tbody>");
        for row in &grid.rows {
            let ours = row.first().is_some_and(|name| name == REFERENCE);
            page.push_str(if ours {
                "<tr class=\"reference\">"
            } else {
                "<tr>"
            });
            for (at, cell) in row.iter().enumerate() {
                let cell = if cell.is_empty() { "–" } else { cell };
                let kind = if at == 0 { "th" } else { "td" };
                let _ = write!(page, "<{kind}>{}</{kind}>", escape(cell));
            }
            page.push_str("</tr>");
        }
        page.push_str("</tbody></table></div>");
    }
    page.push_str("</details>\n");
}

fn method(page: &mut String) {
    page.push_str(
        "<section id=\"method\"><h2>Method</h2><ul>\
         <li><b>Interleaved runs.</b> Each round runs every subject of a comparison once, and \
         starts with another one than the round before, so that what drifts in the machine meets \
         all of them.</li>\
         <li><b>Medians with their spread.</b> Lines through points and bars show it: of up to \
         eight runs, from the smallest to the largest; of more, between the two runs that the \
         median of ever more runs would lie in, 95 times of 100. Who leads within the spread does \
         not lead.</li>\
         <li><b>Warm-up.</b> A quarter of the measured time comes before it. Figures cover a span \
         in which all threads are in full swing: neither their start nor their end.</li>\
         <li><b>Processors.</b> Where there is one for each thread and one for the harness, \
         threads are bound to them; else the system places them. Suites that vary the number of \
         threads go up to eight times the processors: there, threads are preempted in the middle \
         of sections. Readers that stall are a suite of their own (stall).</li>\
         <li><b>Allocator.</b> All subjects use the one named above, behind a count of bytes that \
         costs each call about a nanosecond. With <code>--features mimalloc</code> it is \
         mimalloc.</li>\
         <li><b>The same for all.</b> Maps have the same hash function with the same seed, and the \
         same key and value types; each subject has a domain of its own in each run, where it \
         offers one, and is set up as its documentation says.</li>\
         <li><b>Checked.</b> Every run checks its answers, that as many items were retired as \
         allocated, and that the memory came back at the end.</li>\
         <li><b>Latencies</b> are taken in runs of their own: reading the clock costs time.</li>\
         <li><b>Scales.</b> Lines that differ by more than 40 times are plotted by their \
         logarithm; so are bars that differ by more than 250 times, as points, since such bars \
         would lie.</li>\
         <li><b>Not measured:</b> the start of a thread, more than one socket, power. \
         <code>none</code>, <code>malloc</code>, <code>hashbrown</code>, \
         <code>hashbrown-boxed</code>, <code>plain</code>, <code>btree</code> and \
         <code>xarray</code> protect nobody and cannot win.</li></ul>\
         <p>To take the figures again: <code>cargo run --release -p smr-bench -- report --html \
         report.html</code>, which leaves <code>report.jsonl</code> beside the page; to compare \
         two runs: <code>smr-bench diff before.jsonl after.jsonl</code>.</p></section>\n",
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Key, Metric, Sample, summarise};

    fn records(smr: &[f64], other: &[f64]) -> Vec<Record> {
        let key = Key {
            suite: "novel".into(),
            workload: "w".into(),
            threads: 2,
        };
        let samples = |figures: &[f64]| -> Vec<Sample> {
            let all = figures.iter();
            all.map(|figure| Sample::new(Metric::Throughput, *figure))
                .collect()
        };
        [
            summarise(&key, REFERENCE, &samples(smr)),
            summarise(&key, "a<b", &samples(other)),
        ]
        .concat()
    }

    #[test]
    fn a_suite_that_nobody_has_described_is_on_the_page() {
        let records = records(&[1.0], &[2.0]);
        let page = render(&Findings {
            headers: Vec::new(),
            records: &records,
            missing: 3,
        });
        assert!(page.contains("id=\"novel\""));
        assert!(page.contains("a&lt;b"));
        assert!(!page.contains("a<b"));
        assert!(page.contains("3 comparisons were planned") || page.contains("3 comparisons"));
    }
}
