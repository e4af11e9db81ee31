//! The tables in Markdown, as the README has them.
//!
//! Workloads that differ in one number become one table with a row for each
//! number and a column for each subject; the others are told as in the terminal.

use std::fmt::Write as _;

use super::family::{self, Family};
use crate::record::{Better, Metric, Record};
use crate::table::{self, amount, plural};

/// All tables.
pub(crate) fn render(records: &[Record]) -> String {
    let families = family::by_number(records, 2);
    let mut text = String::new();
    for family in &families {
        pivot(family, &mut text);
    }
    let told = |record: &Record| {
        families.iter().any(|family| {
            let mut members = family.members.iter().flat_map(|(_, members)| members);
            members.any(|member| std::ptr::eq(*member, record))
        })
    };
    let rest: Vec<Record> = records
        .iter()
        .filter(|record| !told(record))
        .cloned()
        .collect();
    for records in table::comparisons(&rest) {
        single(&records, &mut text);
    }
    text
}

/// The memory that a subject's figure comes with, if any.
fn memory(records: &[&Record], subject: &str) -> Option<String> {
    let record = records
        .iter()
        .find(|record| record.subject == subject && record.metric == Metric::OverheadPeak)?;
    Some(format!(" ({})", amount(record.metric, record.median)))
}

fn pivot(family: &Family<'_>, text: &mut String) {
    let all: Vec<Record> = family
        .members
        .iter()
        .flat_map(|(_, records)| records.iter().copied().cloned())
        .collect();
    let Some(&main) = table::metrics(&all).first() else {
        return;
    };
    let subjects = table::subjects(&all);
    let threads = plural(family.threads.unwrap_or(1), "thread");
    let runs = all[0].runs;
    let _ = writeln!(
        text,
        "{} {}, {threads}: {}, median of {runs} runs\n",
        family.suite,
        family.pattern,
        table::column(main)
    );
    let _ = writeln!(text, "| * | {} |", subjects.join(" | "));
    let _ = writeln!(text, "|---|{}", "---|".repeat(subjects.len()));
    for (number, records) in &family.members {
        let find = |subject: &str| {
            let mut own = records.iter();
            own.find(|record| record.subject == subject && record.metric == main)
        };
        let figures = subjects.iter().filter_map(|subject| find(subject));
        let figures = figures.filter(|record| table::contends(record));
        let best = figures
            .map(|record| record.median)
            .reduce(match main.better() {
                Better::Higher => f64::max,
                _ => f64::min,
            });
        let cells: Vec<String> = subjects
            .iter()
            .map(|subject| {
                let Some(record) = find(subject) else {
                    return "–".to_owned();
                };
                let figure = amount(main, record.median);
                let held = memory(records, subject).unwrap_or_default();
                if best == Some(record.median) && table::contends(record) {
                    format!("**{figure}**{held}")
                } else {
                    figure + &held
                }
            })
            .collect();
        let _ = writeln!(text, "| {number} | {} |", cells.join(" | "));
    }
    text.push('\n');
}

fn single(records: &[Record], text: &mut String) {
    let Some(grid) = table::grid(records) else {
        return;
    };
    let _ = writeln!(text, "{}\n", grid.title);
    let _ = writeln!(text, "| {} |", grid.header.join(" | "));
    let _ = writeln!(text, "|---|{}", "---:|".repeat(grid.header.len() - 1));
    for row in grid.rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::records;

    #[test]
    fn a_number_that_varies_makes_the_rows() {
        let all = [
            records("random/1024", &["x", "y"]),
            records("random/128", &["x", "y"]),
            records("other", &["x"]),
        ]
        .concat();
        let text = render(&all);
        assert!(
            text.contains("| * | x | y |\n|---|---|---|\n| 128 | **2.50 ns** |"),
            "{text}"
        );
        assert!(text.contains("free · other"), "{text}");
        assert!(text.contains("| subject | time of an op |"), "{text}");
    }
}
