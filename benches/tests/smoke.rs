//! Every suite runs from end to end at tiny settings, and its records are what
//! scripts expect: valid JSON lines with stable names and every subject in them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

mod systems;

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
    // A file of its own for each call: tests run beside each other.
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let file = format!("{suite}-{call}.jsonl");
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(file);
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
    let mut lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("one JSON object a line"));
    let first: Value = lines.next().expect("a first line");
    assert!(
        first["header"]["machine"]["cores"].as_u64() >= Some(1),
        "{first}"
    );
    (lines.collect(), printed)
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
fn every_system_takes_part_in_the_suites_about_reclamation() {
    for suite in systems::SUITES {
        let listed = listed(suite);
        for system in systems::of(suite, cfg!(feature = "c-peers")) {
            assert!(listed.contains(system), "{system} in {suite}: {listed:?}");
        }
    }
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
fn schemes_has_every_subject() {
    check("schemes", "throughput", &[]);
}

/// For the suites over hash maps, which are to be quick here.
const SMALL: [&str; 4] = ["--entries", "2000", "--operations", "20000"];

#[test]
fn map_has_every_subject() {
    check("map", "throughput", &SMALL);
}

#[test]
fn every_workload_of_map_runs() {
    let (records, _) = records("map", &["--entries", "10000", "--subjects", "dashmap"]);
    let seen: BTreeSet<&str> = records
        .iter()
        .map(|record| record["workload"].as_str().expect("a name"))
        .collect();
    let mut expected = BTreeSet::new();
    for name in [
        "read-only",
        "read-only-pinned",
        "read-heavy",
        "90-10",
        "50-50",
        "exchange",
        "four-readers-one-writer",
    ] {
        expected.insert(format!("{name}/10000/uniform"));
        expected.insert(format!("{name}/10000/zipf"));
    }
    for name in ["rapid-grow", "rapid-grow-presized", "churn", "iterate"] {
        expected.insert(format!("{name}/10000"));
    }
    let expected: BTreeSet<&str> = expected.iter().map(String::as_str).collect();
    assert_eq!(seen, expected);
}

#[test]
fn latency_has_every_subject() {
    check("latency", "insert_p9999", &SMALL);
}

#[test]
fn percentiles_of_latency_are_in_order() {
    let (records, _) = records("latency", &SMALL);
    for subject in listed("latency") {
        let figures: Vec<f64> = ["insert_p50", "insert_p99", "insert_p9999", "insert_max"]
            .iter()
            .map(|metric| {
                let record = records
                    .iter()
                    .find(|record| record["subject"] == *subject && record["metric"] == *metric);
                record.expect(metric)["median"].as_f64().expect("a number")
            })
            .collect();
        assert!(figures.is_sorted(), "{subject}: {figures:?}");
    }
}

#[test]
fn memory_has_every_subject() {
    check("memory", "heap_bytes", &SMALL);
}

/// The subjects that have a metric in a workload.
fn told<'r>(records: &'r [Value], workload: &str, metric: &str) -> BTreeSet<&'r str> {
    let own = |record: &&Value| record["workload"] == workload && record["metric"] == metric;
    let of = |record: &'r Value| record["subject"].as_str().expect("a name");
    records.iter().filter(own).map(of).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_map_holds_is_told_with_what_is_resident_beside_it() {
    let (records, _) = records("memory", &SMALL);
    for (workload, counted, resident) in [
        ("empty", "heap_bytes", "resident_bytes"),
        ("grown/2000", "bytes_per_entry", "resident_per_entry"),
        ("churn/200/20000", "bytes_per_entry", "resident_per_entry"),
    ] {
        let counted = told(&records, workload, counted);
        assert!(counted.contains("smr"), "{workload}");
        assert_eq!(counted, told(&records, workload, resident), "{workload}");
    }
}

#[test]
fn a_list_that_is_read_through_has_its_memory_and_its_limit_beside_it() {
    let (records, _) = records("list", &["--ranges", "16", "--gets", "100"]);
    let mut beside_a_writer = records;
    beside_a_writer.retain(|record| record["threads"] == 2);
    let of = |metric: &str| told(&beside_a_writer, "iterate/1000", metric);
    let mut all = BTreeSet::from(["arc-swap-vec", "plain", "rwlock-vec", "smr"]);
    assert_eq!(of("throughput"), all);
    assert_eq!(of("overhead_peak"), all);
    assert_eq!(of("retired_peak"), ["smr"].into());
    all.remove("plain");
    assert_eq!(of("writer_throughput"), all, "the limit has no writer");
}

#[test]
fn list_has_every_subject() {
    let small = ["--ranges", "16,100", "--gets", "50,100"];
    check("list", "throughput", &small);
}

#[test]
fn every_workload_of_list_runs() {
    let (records, _) = records("list", &["--ranges", "64", "--subjects", "smr"]);
    let seen: BTreeSet<&str> = records
        .iter()
        .map(|record| record["workload"].as_str().expect("a name"))
        .collect();
    let expected = [
        "get-0/64",
        "get-50/64",
        "get-90/64",
        "get-100/64",
        "queue",
        "stack",
        "handles",
        "iterate/1000",
    ];
    assert_eq!(seen, expected.into());
}

/// For the suites over trees, which are to be quick here.
const FEW: [&str; 2] = ["--entries", "3000"];

#[test]
fn radix_has_every_subject() {
    let alone = ["--mixes", "alone", "--spreads", "dense,random-u64"];
    check("radix", "scan_time", &[&FEW[..], &alone].concat());
}

#[test]
fn page_has_every_subject() {
    check("page", "throughput", &FEW);
}

/// The workloads of one subject's records.
fn workloads(suite: &str, subject: &str, extra: &[&str]) -> BTreeSet<String> {
    let (records, _) = records(suite, &[&["--subjects", subject], extra].concat());
    let name = |record: &Value| record["workload"].as_str().expect("a name").to_owned();
    records.iter().map(name).collect()
}

#[test]
fn every_workload_of_radix_and_page_runs() {
    let mut expected = BTreeSet::new();
    for mix in ["alone", "100-0", "95-5", "50-50", "churn"] {
        for spread in [
            "dense",
            "extents",
            "random-u32",
            "random-u64",
            "stride64",
            "stride512",
        ] {
            expected.insert(format!("{mix}/{spread}/3000"));
        }
    }
    assert_eq!(workloads("radix", "congee", &FEW), expected);
    let expected = [
        "faults-sequential/3000",
        "faults-random/3000",
        "replay/rustc",
    ];
    let expected: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
    assert_eq!(workloads("page", "congee", &FEW), expected);
}

#[test]
fn a_tree_alone_has_all_its_figures() {
    let alone = ["--mixes", "alone", "--subjects", "btree"];
    let (records, _) = records("radix", &[&FEW[..], &alone].concat());
    let metrics: BTreeSet<&str> = records
        .iter()
        .map(|record| record["metric"].as_str().expect("a name"))
        .collect();
    let expected = [
        "get_time",
        "miss_time",
        "at_or_after_time",
        "scan_time",
        "insert_time",
        "bytes_per_entry",
    ];
    assert_eq!(metrics, expected.into());
}

#[test]
fn a_map_of_no_entries_is_refused() {
    let output = Command::new(env!("CARGO_BIN_EXE_smr-bench"))
        .args(["memory", "--entries", "0"])
        .output()
        .expect("the binary starts");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("entries"));
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
