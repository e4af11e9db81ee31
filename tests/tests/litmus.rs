//! The fence placement of the core, by every execution of every shape.
//!
//! `cargo run -p smr-tests --bin litmus` prints the same as a table.

use std::sync::OnceLock;

use smr_tests::litmus::suite::{self, Case, Fate, Line};
use smr_tests::litmus::{self, Machine, Model, Verdict};

struct Report {
    cases: Vec<Case>,
    lines: Vec<Line>,
    fates: Vec<Fate>,
    /// The position of a case, a machine, and the file that is written for it.
    files: Vec<(usize, Machine, String)>,
}

fn report() -> &'static Report {
    static REPORT: OnceLock<Report> = OnceLock::new();
    REPORT.get_or_init(|| {
        let cases = suite::load(&suite::folder()).expect("the shapes can be read");
        let lines = suite::run(&cases, |_, _| {}).expect("the mutants can be read");
        let fates = suite::fates(&cases, &lines);
        let mut files = Vec::new();
        for machine in Machine::ALL {
            for (at, case) in cases.iter().enumerate() {
                let text = case.compile(machine).expect("a machine can say each case");
                files.push((at, machine, text));
            }
        }
        Report {
            cases,
            lines,
            fates,
            files,
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

#[test]
fn the_files_of_the_machines_are_those_that_are_written() {
    for machine in Machine::ALL {
        let folder = suite::folder().join(machine.folder());
        let listing = std::fs::read_dir(&folder).expect("the folder stands beside the shapes");
        let mut found: Vec<(String, String)> = listing
            .map(|entry| entry.expect("the folder can be read").path())
            .map(|path| {
                let name = path.file_name().expect("a file has a name");
                let text = std::fs::read_to_string(&path).expect("the file can be read");
                (name.to_string_lossy().into_owned(), text)
            })
            .collect();
        found.sort();
        let written: Vec<(String, String)> = report()
            .files
            .iter()
            .map(|(at, of, text)| (&report().cases[*at], *of, text))
            .filter(|(case, of, _)| *of == machine && case.mutant.is_none())
            .map(|(case, _, text)| (format!("{}.litmus", case.name()), text.clone()))
            .collect();
        assert!(
            found == written,
            "{}: `cargo litmus --write-machines tests/litmus` writes other files",
            folder.display()
        );
    }
}

#[test]
fn a_file_of_a_machine_says_the_same_as_its_shape() {
    for (at, machine, text) in &report().files {
        let case = &report().cases[*at];
        let name = format!("{} for {}", case.name(), machine.arch());
        let (file, header) = litmus::read(text).unwrap_or_else(|e| panic!("{name}: {e}\n{text}"));
        let (shape, _) = litmus::read(&case.text).expect("the case can be read");
        let model = machine.model();
        let of_file = file.check(model);
        let of_shape = shape.with_lasting_branches().check(model).verdict;
        let witness = of_file.witness.as_deref().unwrap_or("");
        assert_eq!(of_file.verdict, of_shape, "{name}\n{text}\n{witness}");
        let at = Model::ALL.iter().position(|m| *m == model);
        let announced = at.map(|at| header.expected[at]);
        assert_eq!(announced, Some(of_file.verdict), "{name}");
        if case.mutant.is_none() {
            assert_eq!(of_file.verdict, Verdict::Forbidden, "{name}");
        }
        assert_eq!(
            file.unreached(model),
            shape.unreached(model),
            "{name}\n{text}"
        );
    }
}

#[test]
fn where_a_branch_ends_decides_over_two_mutants() {
    let differ: Vec<String> = report()
        .lines
        .iter()
        .filter(|line| Machine::ALL.iter().any(|m| m.model() == line.model))
        .filter(|line| {
            let case = &report().cases[line.case];
            let (test, _) = litmus::read(&case.text).expect("the case can be read");
            test.with_lasting_branches().check(line.model).verdict != line.verdict
        })
        .map(|line| format!("{} {}", report().cases[line.case].name(), line.model.name()))
        .collect();
    assert_eq!(
        differ,
        ["recycle+scan-relaxed arm", "reenter-scan+scan-relaxed arm"]
    );
}
