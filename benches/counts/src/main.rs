//! Checks that the hot paths take no more instructions than before.
//!
//! ```text
//! cargo counts             fails when one grew by more than 3%
//! cargo counts --bless     takes today's counts for the ones to hold
//! ```
//!
//! Callgrind counts the instructions of `benches/hot_paths.rs`, run by gungraun;
//! the counts are the same on every machine with the same target and compiler,
//! whatever else it does. Those to hold are in `counts.txt` beside the manifest,
//! for each hundred operations. Needed, once:
//!
//! ```text
//! apt-get install valgrind
//! cargo install gungraun-runner --version 0.20.0 --locked
//! ```
//!
//! Ends with 0 if nothing grew, with 1 if something did or is new, and with 2 if
//! it could not be counted.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
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

/// Runs the functions under callgrind.
fn count() -> Result<Counts, String> {
    for (tool, install) in [
        ("valgrind", "apt-get install valgrind"),
        (
            "gungraun-runner",
            "cargo install gungraun-runner --version 0.20.0 --locked",
        ),
    ] {
        if Command::new(tool).arg("--version").output().is_err() {
            return Err(format!("there is no {tool} here: {install}"));
        }
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "bench",
            "--quiet",
            "-p",
            "smr-counts",
            "--bench",
            "hot_paths",
        ])
        .env("GUNGRAUN_OUTPUT_FORMAT", "json")
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        return Err("the functions could not be run".to_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let counts: Counts = text.lines().filter_map(instructions).collect();
    if counts.is_empty() {
        return Err(format!("no counts in what the runner said: {text}"));
    }
    Ok(counts)
}

/// The name of a function and its instructions, from a line of the runner.
fn instructions(line: &str) -> Option<(String, u64)> {
    let summary: Value = serde_json::from_str(line).ok()?;
    let name = summary["function_name"].as_str()?;
    let values = &summary["profiles"][0]["data"]["total"]["metrics"]["Ir"]["values"];
    Some((name.to_owned(), values["new"].as_u64()?))
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
    fn a_line_of_the_runner_has_a_name_and_a_count() {
        let line = r#"{"function_name":"pin","profiles":[{"data":{"total":{"metrics":
            {"Ir":{"values":{"new":7,"old":9}}}}}}]}"#;
        assert_eq!(instructions(line), Some(("pin".to_owned(), 7)));
        assert_eq!(instructions("words"), None);
    }
}
