//! The figures as comma-separated values.

use std::fmt::Write as _;

use crate::record::Record;

/// One line a record, below a line of names. Series are left to the records.
pub(crate) fn render(records: &[Record]) -> String {
    let mut text =
        "suite,workload,threads,subject,metric,unit,min,low,median,high,max,runs\n".to_owned();
    for record in records {
        let words = [
            &record.suite,
            &record.workload,
            &record.threads.to_string(),
            &record.subject,
            record.metric.name(),
            &record.unit,
        ]
        .map(quoted);
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{}",
            words.join(","),
            record.min,
            record.low(),
            record.median,
            record.high(),
            record.max,
            record.runs
        );
    }
    text
}

/// A field that commas and quotes do not break.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::records;

    #[test]
    fn a_line_has_as_many_fields_as_there_are_names() {
        let text = render(&records("a/1", &["x", "y"]));
        let fields: Vec<usize> = text.lines().map(|line| line.split(',').count()).collect();
        assert_eq!(fields, [12, 12, 12]);
        assert!(text.contains("free,a/1,1,x,time_per_op,ns,2.5,2.5,2.5,2.5,2.5,1"));
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
