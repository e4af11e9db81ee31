//! Every suite runs from end to end at tiny settings, and its records are what
//! scripts expect: valid JSON lines with stable names and every subject in them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

fn bench(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_smr-bench"))
        .args(arguments)
        .output()
        .expect("the binary starts");
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Runs a suite briefly; gives its records and what it printed.
fn records(suite: &str, extra: &[&str]) -> (Vec<Value>, String) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{suite}.jsonl"));
    let path = path.to_str().expect("a plain path");
    let mut arguments = vec![
        suite,
        "--seconds",
        "0.02",
        "--runs",
        "1",
        "--threads",
        "2",
        "--json",
        path,
    ];
    arguments.extend(extra);
    let printed = bench(&arguments);
    let text = std::fs::read_to_string(path).expect("the records");
    let records = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("one JSON object a line"))
        .collect();
    (records, printed)
}

/// The subjects of a suite according to `--list`.
fn listed(suite: &str) -> BTreeSet<String> {
    let text = bench(&["--list"]);
    text.lines()
        .skip_while(|line| *line != suite)
        .skip(1)
        .take_while(|line| line.starts_with(' '))
        .map(|line| {
            let name = line.split_whitespace().next();
            name.expect("a name").to_owned()
        })
        .collect()
}

/// Checks the form of the records, and that each subject has this metric.
fn check(suite: &str, metric: &str, extra: &[&str]) {
    let (records, printed) = records(suite, extra);
    let mut seen = BTreeSet::new();
    for record in &records {
        assert_eq!(record["suite"], suite);
        for name in ["workload", "subject", "metric", "unit"] {
            assert!(record[name].is_string(), "{name} in {record}");
        }
        assert!(record["threads"].as_u64() >= Some(1), "{record}");
        assert!(record["runs"].as_u64() >= Some(1), "{record}");
        let figure = |name: &str| record[name].as_f64().expect("a number");
        assert!(figure("min") <= figure("median"), "{record}");
        assert!(figure("median") <= figure("max"), "{record}");
        let subject = record["subject"].as_str().expect("checked");
        assert!(printed.contains(subject), "{subject} in the tables");
        if record["metric"] == metric {
            seen.insert(subject.to_owned());
        }
    }
    assert_eq!(seen, listed(suite), "subjects with {metric}");
    assert!(printed.contains("Who wins"));
}

#[test]
fn section_has_every_subject() {
    check("section", "time_per_op", &[]);
}

#[test]
fn churn_has_every_subject() {
    check("churn", "throughput", &["--sizes", "128,4096"]);
}

#[test]
fn stall_has_every_subject() {
    check("stall", "overhead_peak", &["--items", "20000"]);
}

#[test]
fn free_has_every_subject() {
    check("free", "time_per_op", &["--pools", "100"]);
}

#[test]
fn a_subject_that_is_not_there_is_refused() {
    let output = Command::new(env!("CARGO_BIN_EXE_smr-bench"))
        .args(["free", "--subjects", "nobody"])
        .output()
        .expect("the binary starts");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("nobody"));
}
