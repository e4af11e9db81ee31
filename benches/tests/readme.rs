//! The figures of the README are those of the records that are kept with it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

mod systems;

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package is in the workspace")
}

/// The records, the main one first.
fn records() -> Vec<PathBuf> {
    let main = workspace().join("benches/records/figures.jsonl");
    let folder = fs::read_dir(workspace().join("benches/records")).expect("the records");
    let files = folder.map(|entry| entry.expect("an entry").path());
    let mut others: Vec<PathBuf> = files.filter(|path| *path != main).collect();
    others.retain(|path| path.extension().is_some_and(|end| end == "jsonl"));
    others.sort();
    others.insert(0, main);
    others
}

fn bench<'a>(arguments: impl IntoIterator<Item = &'a Path>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_smr-bench"))
        .args(arguments)
        .output()
        .expect("the binary starts")
}

/// A copy of the README, changed in some way, with the tables of the record put in.
fn renewed(name: &str, change: impl Fn(&str) -> String) -> String {
    let readme = fs::read_to_string(workspace().join("README.md")).expect("the README");
    let copy = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&copy, change(&readme)).expect("written");
    let records = records();
    let from = records.iter().flat_map(|path| [Path::new("--from"), path]);
    let readme = [Path::new("--readme"), &copy];
    let output = bench([Path::new("report")].into_iter().chain(from).chain(readme));
    assert!(output.status.success(), "{output:?}");
    fs::read_to_string(copy).expect("the copy")
}

#[test]
fn the_readme_has_the_figures_of_its_records() {
    let readme = fs::read_to_string(workspace().join("README.md")).expect("the README");
    let renewed = renewed("readme-same.md", str::to_owned);
    assert!(
        readme == renewed,
        "README.md has other figures than benches/records: put them in by\n\
         cargo run --release -p smr-bench -- report --from benches/records/figures.jsonl \
         --readme README.md\n(with a --from for each file there)"
    );
}

#[test]
fn a_figure_of_no_record_is_replaced() {
    let begin = "<!-- figures: begin -->";
    let renewed = renewed("readme-other.md", |readme| {
        readme.replace(begin, &format!("{begin}\nsmr wins by a million\n"))
    });
    assert!(renewed.contains(begin) && !renewed.contains("by a million"));
    assert!(renewed.contains("| smr |"));
}

#[test]
fn the_records_have_what_the_tables_tell_and_were_taken_by_release_builds() {
    let mut has = BTreeSet::new();
    for path in records() {
        let text = fs::read_to_string(path).expect("a record");
        let mut lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("one JSON object a line"));
        let header = lines.next().expect("a first line");
        let compiler = header["header"]["machine"]["compiler"].as_str();
        assert!(
            compiler.is_some_and(|text| text.contains("(release)")),
            "{header}"
        );
        has.extend(lines.map(|record| {
            let name = |which: &str| record[which].as_str().expect("a name").to_owned();
            (name("suite"), name("subject"))
        }));
    }
    // Those that the README has tables of its own for; others join as they are taken.
    for suite in ["map", "latency", "memory", "list", "radix", "page"] {
        let subject = (suite.to_owned(), "smr".to_owned());
        assert!(has.contains(&subject), "{suite} is in no record");
    }
    for suite in systems::SUITES {
        for system in systems::of(suite, true) {
            let subject = (suite.to_owned(), system.to_owned());
            assert!(
                has.contains(&subject),
                "{system} is in no record of {suite}"
            );
        }
    }
}
