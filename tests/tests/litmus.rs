//! The fence placement of the core, by every execution of every shape.
//!
//! `cargo run -p smr-tests --bin litmus` prints the same as a table.

use std::sync::OnceLock;

use smr_tests::litmus::suite::{self, Case, Fate, Line};
use smr_tests::litmus::{self, Model, Verdict};

struct Report {
    cases: Vec<Case>,
    lines: Vec<Line>,
    fates: Vec<Fate>,
}

fn report() -> &'static Report {
    static REPORT: OnceLock<Report> = OnceLock::new();
    REPORT.get_or_init(|| {
        let cases = suite::load(&suite::folder()).expect("the shapes can be read");
        let lines = suite::run(&cases, |_, _| {}).expect("the mutants can be read");
        let fates = suite::fates(&cases, &lines);
        Report {
            cases,
            lines,
            fates,
        }
    })
}

#[test]
fn every_shape_and_mutant_is_judged_as_its_header_says() {
    let report = report();
    let wrong: Vec<String> = report
        .lines
        .iter()
        .filter(|line| !line.is_right())
        .map(|line| {
            format!(
                "{} by {}: {} instead of {}, never reached: {:?}\n{}",
                report.cases[line.case].name(),
                line.model.name(),
                line.verdict,
                line.expected,
                line.unreached,
                line.witness.as_deref().unwrap_or(""),
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_shape_as_it_stands_is_sound_in_every_model() {
    let report = report();
    for line in &report.lines {
        let case = &report.cases[line.case];
        if case.mutant.is_none() {
            assert_eq!(line.verdict, Verdict::Forbidden, "{}", case.name());
        }
    }
}

#[test]
fn every_shape_has_a_mutant_that_it_kills() {
    let report = report();
    for shape in report.cases.iter().filter(|c| c.mutant.is_none()) {
        let kills = report
            .fates
            .iter()
            .any(|f| f.killers.iter().any(|(killer, _)| *killer == shape.shape));
        assert!(kills, "{} kills nothing", shape.shape);
    }
}

#[test]
fn every_mutant_is_killed_in_the_language_or_explained() {
    for fate in &report().fates {
        assert!(
            fate.is_settled(),
            "{} is neither killed nor explained, or both",
            fate.mutant
        );
    }
}

#[test]
fn what_the_language_forbids_no_machine_shows() {
    let report = report();
    for (language, machines) in [
        (Model::Rc11, [Model::X86, Model::Arm]),
        (Model::Rc11Mb, [Model::X86Mb, Model::ArmMb]),
    ] {
        for at in 0..report.cases.len() {
            let by = |model: Model| {
                let found = report
                    .lines
                    .iter()
                    .find(|l| l.case == at && l.model == model);
                found.expect("every case is judged by every model").verdict
            };
            if by(language) == Verdict::Forbidden {
                for machine in machines {
                    let name = report.cases[at].name();
                    assert_eq!(by(machine), Verdict::Forbidden, "{name} {}", machine.name());
                }
            }
        }
    }
}

#[test]
fn only_the_relaxed_enter_store_depends_on_the_release_sequences_of_cpp20() {
    let differ: Vec<String> = report()
        .lines
        .iter()
        .filter(|line| line.model == Model::Rc11)
        .map(|line| (&report().cases[line.case], line.verdict))
        .filter(|(case, new)| {
            let (test, _) = litmus::read(&case.text).expect("the case can be read");
            test.check(Model::Rc11Old).verdict != *new
        })
        .map(|(case, _)| case.name())
        .collect();
    assert_eq!(differ, ["reenter-scan+enter-store-relaxed"]);
}

#[test]
fn the_readme_lists_the_mutants_as_they_are() {
    let readme = std::fs::read_to_string(suite::folder().join("README.md"))
        .expect("the chapter stands beside the shapes");
    let table = suite::markdown(&report().fates);
    assert!(
        readme.contains(&table),
        "put the output of `cargo run -p smr-tests --bin litmus -- --markdown` into README.md"
    );
}

#[test]
fn mutants_keep_their_shape_and_differ_from_it() {
    let report = report();
    for case in &report.cases {
        let Some(mutant) = &case.mutant else {
            continue;
        };
        let original = report
            .cases
            .iter()
            .find(|c| c.shape == case.shape && c.mutant.is_none())
            .expect("a mutant has a shape");
        let code = |text: &str| {
            text.split_once("*)")
                .map(|(_, code)| code.trim().to_owned())
        };
        assert_ne!(code(&case.text), code(&original.text), "{}", case.name());
        let first = case.text.lines().next().unwrap_or("");
        assert_eq!(first, format!("C {}+{mutant}", case.shape));
    }
}
