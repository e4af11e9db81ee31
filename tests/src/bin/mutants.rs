//! Weakens one ordering, barrier or check of a crate at a time, and sees whether
//! a loom model of that crate fails.
//!
//! ```text
//! cargo mutants                 all of them
//! cargo mutants --part 2/4      every fourth, from the second on
//! cargo mutants --only enter_seq
//! ```
//!
//! The mutants are found in the sources, so that none can be forgotten: every
//! entry of `ord.rs`, and every place that asks `mutant("...")`. The models are
//! built once; `SMR_MUTANT` chooses at run time. The outcome is an error if a
//! mutant survives that is not in [`SURVIVORS`].

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// Mutants that no loom model can tell from the original, and why.
const SURVIVORS: &[(&str, &str)] = &[
    (
        "assist_arm",
        "the fences around a mark order the goal of a poll that makes a scan; that of \
         one which joins an armed mark travels with the mark alone, and no model \
         has reached a reader that misses it",
    ),
    (
        "assist_take",
        "no model reaches it: the collection that follows begins with an Acquire load \
         of the same word (`garbage_look`)",
    ),
    (
        "handle_drop",
        "no model reaches it: what the last handle collects lies behind latches and \
         locks, which hand it over by themselves",
    ),
    (
        "hands_look",
        "an open gap: no model tells it yet; the argument is at its site",
    ),
    (
        "map_moved_count",
        "an open gap: no model tells it yet; the argument is at its site",
    ),
    (
        "map_word_freeze",
        "an open gap: no model tells it yet; the argument is at its site",
    ),
    (
        "running_not_seen",
        "an open gap: no model tells it yet; the argument is at its site",
    ),
    (
        "poll_wr",
        "equivalent: the goal that the caller holds came from an advance which \
         happened before already",
    ),
];

/// The crates that have models. A mutant is judged by those of its own.
const CRATES: &[(&str, &str)] = &[
    ("smr-core", "smr_core"),
    ("smr-hashmap", "smr_hashmap"),
    ("smr-list", "smr_list"),
];

/// One mutant gets this long; the models together take far less.
const LIMIT: Duration = Duration::from_secs(240);

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("mutants: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool, String> {
    let chosen = Chosen::from_args(std::env::args().skip(1))?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut names = BTreeSet::new();
    let mut of_crate = Vec::new();
    for (folder, _) in CRATES {
        let mut own = BTreeSet::new();
        collect(&root.join(folder).join("src"), &mut own)?;
        if let Some(twice) = own.iter().find(|name| names.contains(*name)) {
            return Err(format!("two crates have a mutant '{twice}'"));
        }
        names.extend(own.iter().cloned());
        of_crate.push(own);
    }
    for (name, _) in SURVIVORS {
        if !names.contains(*name) {
            return Err(format!(
                "the list of survivors names '{name}', which is in no source"
            ));
        }
    }
    let binaries = build(&root)?;
    for binary in &binaries {
        if let Outcome::Killed(model) = judge(binary, None)? {
            return Err(format!(
                "without any mutant, {model} fails: mend that first"
            ));
        }
    }
    let mut good = true;
    println!("{:<22} {:<9} {:>6}  by", "mutant", "outcome", "s");
    for name in chosen.of(&names)? {
        let start = Instant::now();
        let home = of_crate.iter().position(|own| own.contains(name));
        let binary = &binaries[home.expect("it is of some crate")];
        let outcome = judge(binary, Some(name))?;
        let expected = SURVIVORS.iter().find(|(survivor, _)| *survivor == name);
        let (word, by) = match (&outcome, expected) {
            (Outcome::Killed(model), None) => ("killed", model.clone()),
            (Outcome::Survived, Some((_, reason))) => ("survives", format!("as it may: {reason}")),
            (Outcome::Survived, None) => {
                good = false;
                (
                    "SURVIVES",
                    "no model fails, and no reason is given".to_owned(),
                )
            }
            // Good news, and no reason to stop anybody's work.
            (Outcome::Killed(model), Some(_)) => (
                "KILLED",
                format!("{model}, although it is listed: take it off the list"),
            ),
        };
        println!(
            "{name:<22} {word:<9} {:>6.1}  {by}",
            start.elapsed().as_secs_f64()
        );
    }
    Ok(good)
}

/// Which mutants to try.
enum Chosen {
    All,
    Part { part: usize, parts: usize },
    Only(String),
}

impl Chosen {
    fn from_args(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let usage = "usage: mutants [--part K/N | --only NAME]";
        let chosen = match (args.next().as_deref(), args.next()) {
            (None, _) => Self::All,
            (Some("--only"), Some(name)) => Self::Only(name),
            (Some("--part"), Some(which)) => {
                let (part, parts) = which.split_once('/').ok_or(usage)?;
                let part: usize = part.parse().map_err(|_| usage)?;
                let parts: usize = parts.parse().map_err(|_| usage)?;
                if part == 0 || part > parts {
                    return Err(format!("there is no part {part} of {parts}"));
                }
                Self::Part { part, parts }
            }
            _ => return Err(usage.to_owned()),
        };
        if args.next().is_some() {
            Err(usage.to_owned())
        } else {
            Ok(chosen)
        }
    }

    fn of<'a>(&self, names: &'a BTreeSet<String>) -> Result<Vec<&'a str>, String> {
        let chosen: Vec<&str> = match self {
            Self::All => names.iter().map(String::as_str).collect(),
            Self::Part { part, parts } => names
                .iter()
                .skip(part - 1)
                .step_by(*parts)
                .map(String::as_str)
                .collect(),
            Self::Only(name) => names.get(name).map(String::as_str).into_iter().collect(),
        };
        if chosen.is_empty() {
            Err("no such mutant".to_owned())
        } else {
            Ok(chosen)
        }
    }
}

/// Finds the names of all mutants below a folder.
fn collect(folder: &Path, names: &mut BTreeSet<String>) -> Result<(), String> {
    let error = |error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(error)? {
        let path = entry.map_err(error)?.path();
        if path.is_dir() {
            collect(&path, names)?;
            continue;
        }
        let source = fs::read_to_string(&path).map_err(error)?;
        if path.ends_with("ord.rs") {
            names.extend(orderings(&source));
        }
        names.extend(sites(&source));
    }
    Ok(())
}

/// The entries `name = Strong, or Weak;` of the table of orderings.
fn orderings(source: &str) -> impl Iterator<Item = String> + '_ {
    source.lines().filter_map(|line| {
        let line = line.trim();
        if line.starts_with("//") {
            return None;
        }
        let (name, rest) = line.split_once(" = ")?;
        let is_entry = rest.contains(", or ") && rest.ends_with(';');
        is_entry.then(|| name.to_owned())
    })
}

/// The names that a source asks `mutant` for.
fn sites(source: &str) -> impl Iterator<Item = String> + '_ {
    source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .filter_map(|line| {
            Some(
                line.split_once("mutant(\"")?
                    .1
                    .split_once('"')?
                    .0
                    .to_owned(),
            )
        })
}

/// Builds the models and returns the test binaries, in the order of [`CRATES`].
fn build(root: &Path) -> Result<Vec<PathBuf>, String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root)
        .args(["loom", "--no-run", "--message-format=json"])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        return Err("the models do not build".to_owned());
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let executables: Vec<&str> = messages
        .lines()
        .filter_map(|line| line.split_once("\"executable\":\"")?.1.split_once('"'))
        .map(|(path, _)| path)
        .collect();
    CRATES
        .iter()
        .map(|(_, stem)| {
            let is_of = |path: &&&str| {
                let name = Path::new(path).file_name().and_then(|name| name.to_str());
                name.and_then(|name| name.rsplit_once('-'))
                    .is_some_and(|(name, _)| name == *stem)
            };
            let path = executables.iter().find(is_of);
            path.map(PathBuf::from)
                .ok_or_else(|| format!("cargo built no models of {stem}"))
        })
        .collect()
}

enum Outcome {
    Killed(String),
    Survived,
}

/// Runs the models, to the first that fails.
fn judge(binary: &Path, mutant: Option<&str>) -> Result<Outcome, String> {
    let mut command = Command::new(binary);
    command.arg("models::").env_remove("SMR_MUTANT");
    if let Some(name) = mutant {
        command.env("SMR_MUTANT", name);
    }
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", binary.display()))?;
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let (sender, receiver) = std::sync::mpsc::channel();
    let reader = thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let deadline = Instant::now() + LIMIT;
    let mut passed = 0;
    let outcome = loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(left) {
            Ok(line) => {
                let Some(rest) = line.strip_prefix("test ") else {
                    continue;
                };
                let name = rest.split(' ').next().unwrap_or(rest);
                if rest.ends_with("FAILED") {
                    break Ok(Outcome::Killed(
                        name.trim_start_matches("models::").to_owned(),
                    ));
                }
                passed += usize::from(rest.ends_with(" ok"));
            }
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                break Ok(Outcome::Killed(format!(
                    "no end within {} s",
                    LIMIT.as_secs()
                )));
            }
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => {
                let status = child.wait().map_err(|error| error.to_string())?;
                break match (status.success(), passed) {
                    (true, 0) => Err("there are no models".to_owned()),
                    (true, _) => Ok(Outcome::Survived),
                    (false, _) => Ok(Outcome::Killed(format!("the end of the process: {status}"))),
                };
            }
        }
    };
    drop(receiver);
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
    let _ = reader.join();
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutants_are_found_in_sources() {
        let table =
            "/// Text = with, or without;\n    enter_wr = Acquire, or Relaxed;\n let x = 1;";
        assert_eq!(orderings(table).collect::<Vec<_>>(), ["enter_wr"]);
        let code = "if mutant(\"no_clamp\") {\n// mutant(\"said\")\n";
        assert_eq!(sites(code).collect::<Vec<_>>(), ["no_clamp"]);
    }

    #[test]
    fn parts_cover_everything_once() {
        let names: BTreeSet<String> = ('a'..='j').map(String::from).collect();
        let mut seen = Vec::new();
        for part in 1..=3 {
            let chosen = Chosen::Part { part, parts: 3 };
            seen.extend(chosen.of(&names).unwrap().into_iter().map(str::to_owned));
        }
        seen.sort();
        assert!(seen.iter().eq(&names));
    }

    #[test]
    fn bad_arguments_are_refused() {
        let parse = |args: &[&str]| Chosen::from_args(args.iter().map(|a| (*a).to_owned()));
        assert!(parse(&["--part", "4/3"]).is_err());
        assert!(parse(&["--part", "0/3"]).is_err());
        assert!(parse(&["--only"]).is_err());
        assert!(parse(&["--all"]).is_err());
        assert!(parse(&[]).is_ok());
    }
}
