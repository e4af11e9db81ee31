//! Checks that the hot paths take no more instructions than before.
//!
//! ```text
//! cargo counts             fails when one grew by more than 3%
//! cargo counts --bless     takes today's counts for the ones to hold
//! ```
//!
//! Callgrind counts the instructions of each path in `benches/hot_paths.rs`, in a
//! process of its own; the counts are the same on every machine with the same target
//! and compiler, whatever else it does. Those to hold are in `counts.txt` beside the
//! manifest, for each hundred operations. Needed is valgrind
//! (`apt-get install valgrind`).
//!
//! Ends with 0 if nothing grew, with 1 if something did or is new, and with 2 if
//! it could not be counted.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use serde_json::Value;

/// Growth that is still taken for none.
const TOLERANCE: f64 = 0.03;

type Counts = BTreeMap<String, u64>;

fn main() -> ExitCode {
    let bless = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--bless") => true,
        Some(other) => {
            eprintln!("counts: {other} is not --bless");
            return ExitCode::from(2);
        }
    };
    match check(bless) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("counts: {why}");
            ExitCode::from(2)
        }
    }
}

/// Where the counts to hold are.
fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("counts.txt")
}

/// Counts, and compares or writes; whether nothing grew.
fn check(bless: bool) -> Result<bool, String> {
    let compiler = compiler()?;
    let counts = count()?;
    if bless {
        fs::write(file(), written(&compiler, &counts)).map_err(|error| error.to_string())?;
        println!("{} counts written", counts.len());
        return Ok(true);
    }
    let text = fs::read_to_string(file())
        .map_err(|error| format!("{}: {error}; --bless makes it", file().display()))?;
    let (before, held) = read(&text)?;
    if before != compiler {
        println!("counted with {before}, now with {compiler}: differences may be the compiler's");
    }
    let (lines, good) = compared(&held, &counts);
    for line in lines {
        println!("{line}");
    }
    if !good {
        println!(
            "more than {}% are too many; if they must be, --bless",
            TOLERANCE * 100.0
        );
    }
    Ok(good)
}

/// Release and target of the compiler, which the counts depend on.
fn compiler() -> Result<String, String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .map_err(|error| format!("rustc: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let field = |name: &str| {
        let mut lines = text.lines();
        lines
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or("?")
            .to_owned()
    };
    Ok(format!("rustc {} {}", field("release: "), field("host: ")))
}

/// Runs each path under callgrind.
fn count() -> Result<Counts, String> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return Err("there is no valgrind here: apt-get install valgrind".to_owned());
    }
    let program = program()?;
    let names = said(Command::new(&program).arg("--list"))?;
    let counts: Result<Counts, String> = names
        .lines()
        .map(|name| Ok((name.to_owned(), instructions(&program, name)?)))
        .collect();
    counts.and_then(|counts| match counts.len() {
        0 => Err("there is nothing to count".to_owned()),
        _ => Ok(counts),
    })
}

/// What a command says, if it ends well.
fn said(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?} failed: {why}"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Builds the paths; where they are then.
fn program() -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args([
        "bench",
        "--quiet",
        "-p",
        "smr-counts",
        "--bench",
        "hot_paths",
    ]);
    let told = said(build.args(["--no-run", "--message-format=json"]))?;
    let program = told.lines().find_map(executable);
    program.ok_or_else(|| "cargo does not say where the paths are".to_owned())
}

/// The program of the paths, from a line of cargo.
fn executable(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    (message["target"]["name"] == "hot_paths").then_some(())?;
    Some(message["executable"].as_str()?.into())
}

/// The instructions of one path.
fn instructions(program: &Path, name: &str) -> Result<u64, String> {
    let file = program.with_file_name(format!("callgrind.out.{name}"));
    let mut callgrind = Command::new("valgrind");
    callgrind
        .args(["--tool=callgrind", "--quiet", "--collect-atstart=no"])
        .arg(format!("--toggle-collect=*{name}*"))
        .arg(format!("--callgrind-out-file={}", file.display()))
        .args([program.as_os_str(), name.as_ref()])
        // The same on every machine.
        .env_clear();
    said(&mut callgrind)?;
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let _ = fs::remove_file(file);
    let count = total(&text).filter(|count| *count > 0);
    count.ok_or_else(|| format!("callgrind did not meet {name}"))
}

/// The sum of what callgrind counted.
fn total(text: &str) -> Option<u64> {
    let mut lines = text.lines();
    let sum = lines.find_map(|line| line.strip_prefix("summary: "))?;
    sum.trim().parse().ok()
}

fn written(compiler: &str, counts: &Counts) -> String {
    let mut text = format!("{compiler}\n");
    for (name, count) in counts {
        text += &format!("{name:<24}{count:>8}\n");
    }
    text
}

/// The compiler and the counts of a file.
fn read(text: &str) -> Result<(String, Counts), String> {
    let mut lines = text.lines();
    let compiler = lines.next().ok_or("counts.txt is empty")?.to_owned();
    let counts = lines
        .map(|line| {
            let (name, count) = line.trim().split_once(' ')?;
            Some((name.to_owned(), count.trim().parse().ok()?))
        })
        .collect::<Option<Counts>>()
        .ok_or("a line of counts.txt is not a name and a count")?;
    Ok((compiler, counts))
}

/// A line for each count, and whether none is too large or without its like.
fn compared(held: &Counts, counts: &Counts) -> (Vec<String>, bool) {
    let (mut lines, mut good) = (Vec::new(), true);
    for (name, &now) in counts {
        let Some(&before) = held.get(name) else {
            good = false;
            lines.push(format!("{name:<24}{now:>8}  new: --bless takes it in"));
            continue;
        };
        let growth = now as f64 / before as f64 - 1.0;
        // Exactly the tolerance is within it, however the quotient was rounded.
        let word = if growth > TOLERANCE + 1e-9 {
            good = false;
            "  TOO MANY"
        } else if growth < -TOLERANCE {
            "  fewer: --bless holds it there"
        } else {
            ""
        };
        lines.push(format!("{name:<24}{now:>8}  {:+.1}%{word}", growth * 100.0));
    }
    for name in held.keys().filter(|name| !counts.contains_key(*name)) {
        good = false;
        lines.push(format!("{name:<24} is not counted any more"));
    }
    (lines, good)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(figures: &[(&str, u64)]) -> Counts {
        let figures = figures.iter();
        figures
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect()
    }

    #[test]
    fn growth_beyond_the_tolerance_fails() {
        let held = counts(&[("pin", 1000), ("get", 1000)]);
        let good = |now: &[(&str, u64)]| compared(&held, &counts(now)).1;
        assert!(good(&[("pin", 1030), ("get", 500)]));
        assert!(!good(&[("pin", 1031), ("get", 1000)]));
        assert!(!good(&[("pin", 1000)]), "one is gone");
        assert!(!good(&[("pin", 1000), ("get", 1000), ("new", 1)]));
    }

    #[test]
    fn the_counts_to_hold_are_read_as_they_are_written() {
        let counts = counts(&[("pin", 1000), ("get", 99)]);
        let text = written("rustc 1 x", &counts);
        assert_eq!(read(&text), Ok(("rustc 1 x".to_owned(), counts)));
        assert!(read("rustc\nnonsense\n").is_err());
    }

    #[test]
    fn what_cargo_and_callgrind_say_is_understood() {
        let line = r#"{"target":{"name":"hot_paths"},"executable":"a/b"}"#;
        assert_eq!(executable(line), Some("a/b".into()));
        assert_eq!(
            executable(r#"{"target":{"name":"x"},"executable":"y"}"#),
            None
        );
        assert_eq!(total("events: Ir\nsummary: 2323\n"), Some(2323));
        assert_eq!(total("events: Ir\n"), None);
    }
}
