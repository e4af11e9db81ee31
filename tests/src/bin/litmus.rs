//! Judges the litmus shapes and their mutants, and prints a table.
//!
//! ```text
//! litmus [--explain] [--markdown] [--write-mutants DIR] [--write-machines DIR] [FILTER]
//! ```

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use smr_tests::litmus::Machine;
use smr_tests::litmus::suite::{self, Case};

struct Args {
    explain: bool,
    markdown: bool,
    write_mutants: Option<PathBuf>,
    write_machines: Option<PathBuf>,
    filter: String,
}

fn args() -> Result<Args, String> {
    let mut out = Args {
        explain: false,
        markdown: false,
        write_mutants: None,
        write_machines: None,
        filter: String::new(),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--explain" => out.explain = true,
            "--markdown" => out.markdown = true,
            "--write-mutants" => {
                let dir = words.next().ok_or("--write-mutants needs a folder")?;
                out.write_mutants = Some(PathBuf::from(dir));
            }
            "--write-machines" => {
                let dir = words.next().ok_or("--write-machines needs a folder")?;
                out.write_machines = Some(PathBuf::from(dir));
            }
            flag if flag.starts_with('-') => {
                return Err(format!(
                    "{flag}: the flags are --explain, --markdown, --write-mutants DIR and \
                     --write-machines DIR"
                ));
            }
            _ => out.filter = word,
        }
    }
    Ok(out)
}

/// Writes the C files of all mutants into `dir`.
fn write_mutants(cases: &[Case], dir: &Path) -> Result<(), String> {
    let mut count = 0;
    for case in cases.iter().filter(|c| c.mutant.is_some()) {
        write(dir, case, &case.text)?;
        count += 1;
    }
    println!("{count} mutants written to {}", dir.display());
    Ok(())
}

/// Writes the cases that `wanted` accepts as files of the machines, into a folder
/// of `dir` for each.
fn write_machines(
    cases: &[Case],
    dir: &Path,
    wanted: impl Fn(&Case) -> bool,
) -> Result<(), String> {
    let mut count = 0;
    for machine in Machine::ALL {
        for case in cases.iter().filter(|c| wanted(c)) {
            write(&dir.join(machine.folder()), case, &case.compile(machine)?)?;
            count += 1;
        }
    }
    println!("{count} files of machines written to {}", dir.display());
    Ok(())
}

fn write(dir: &Path, case: &Case, text: &str) -> Result<(), String> {
    let fail = |e: std::io::Error| format!("{}: {e}", dir.display());
    std::fs::create_dir_all(dir).map_err(fail)?;
    std::fs::write(dir.join(format!("{}.litmus", case.name())), text).map_err(fail)
}

fn run() -> Result<bool, String> {
    let args = args()?;
    let mut cases = suite::load(&suite::folder())?;
    cases.retain(|c| c.name().contains(&args.filter));
    if let Some(dir) = &args.write_mutants {
        write_mutants(&cases, dir)?;
        write_machines(&cases, dir, |case| case.mutant.is_some())?;
        return Ok(true);
    }
    if let Some(dir) = &args.write_machines {
        write_machines(&cases, dir, |case| case.mutant.is_none())?;
        return Ok(true);
    }
    let start = Instant::now();
    let quiet = args.markdown;
    if !quiet {
        println!(
            "{:<44} {:<8} {:<10} {:<10} {:>8} {:>9}",
            "shape", "model", "verdict", "expected", "judged", "time"
        );
    }
    let lines = suite::run(&cases, |case, line| {
        if quiet {
            return;
        }
        println!(
            "{:<44} {:<8} {:<10} {:<10} {:>8} {:>6.1} ms{}",
            case.name(),
            line.model.name(),
            line.verdict,
            line.expected,
            line.judged,
            line.took.as_secs_f64() * 1e3,
            if line.is_right() {
                ""
            } else {
                "  <-- MISMATCH"
            },
        );
        for condition in &line.unreached {
            println!("  never reached: {condition}");
        }
        if let (true, Some(witness)) = (args.explain, &line.witness) {
            print!("{witness}");
        }
    })?;
    let fates = suite::fates(&cases, &lines);
    if args.markdown {
        print!("{}", suite::markdown(&fates));
        return Ok(true);
    }
    let wrong = lines.iter().filter(|l| !l.is_right()).count();
    let mut open = 0;
    // A filter may have left out the shape that kills a mutant.
    if args.filter.is_empty() {
        for fate in fates.iter().filter(|f| !f.is_settled()) {
            println!(
                "mutant {} is neither killed nor explained, or both",
                fate.mutant
            );
            open += 1;
        }
    }
    let shapes = cases.iter().filter(|c| c.mutant.is_none()).count();
    println!(
        "{shapes} shapes, {} mutants of them, {} models: {} verdicts, {wrong} mismatches, {open} open mutants, {:.2} s",
        cases.len() - shapes,
        lines.len() / cases.len().max(1),
        lines.len(),
        start.elapsed().as_secs_f64(),
    );
    Ok(wrong == 0 && open == 0)
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}
