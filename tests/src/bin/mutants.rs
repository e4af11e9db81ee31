//! Weakens one ordering, barrier or check of a crate at a time, and sees whether
//! a loom model of that crate fails.
//!
//! ```text
//! cargo mutants                 all of them
//! cargo mutants --part 2/4      every fourth, from the second on
//! cargo mutants --only enter_seq
//! cargo mutants --table tests/mutants.md
//! cargo mutants --passed        where `cargo loom models::` has just passed
//! cargo mutants --idle smr-list the models of a crate that no mutant fails
//! ```
//!
//! The mutants are found in the sources, so that none can be forgotten: every
//! entry of `ord.rs`, and every place that asks `mutant("...")`. The models are
//! built once; `SMR_MUTANT` chooses at run time.
//!
//! A mutant is *killed* by a model that fails, *survives* if none does, and *times
//! out* if the models do not come to an end, which shows nothing. The outcome is an
//! error unless every mutant is killed, or does as [`SURVIVORS`] or [`TIMEOUTS`] say;
//! also if one that is listed there is killed: it is to be taken off the list.
//!
//! `--table` writes down how each fared, and keeps the lines of those that were not
//! tried, so that a run in parts makes one table. The model that the committed table
//! names is tried first, alone: mostly it still does, and that is all.
//!
//! `--idle` goes the other way: it tries each mutant of the crate on the models that
//! none before it failed, and names the models that are left.

#[path = "mutants/idle.rs"]
mod idle;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// Mutants that no loom model can tell from the original, and why.
const SURVIVORS: &[(&str, &str)] = &[
    (
        "enter_wr",
        "the light barrier is a fence in loom, and acquires in its place; with the \
         asymmetric one the litmus shapes `enter-scan`, `clamp` and `two-writers` kill it, \
         as `enter-wr-load-relaxed`",
    ),
    (
        "latch_claim",
        "equivalent: a heavy barrier, which is a full one to its own thread, lies \
         between the claim and what it protects, and acquires in its place; the litmus \
         shape `latch` claims with Relaxed and holds in all models. Without a barrier \
         the exchange is made in a forked child alone, whose one thread has seen all \
         that came before the fork",
    ),
    (
        "map_past_end",
        "it orders the freeing of a word against its last use, and loom does not watch \
         where atomics are freed",
    ),
    (
        "poll_wr",
        "equivalent: the goal that the caller holds came from an advance which happened \
         before already, and the heavy barrier behind the load acquires in its place; \
         so say all models of the litmus shapes, as `poll-wr-load-relaxed`",
    ),
];

/// Mutants under which models do not end, and why that is no failure of theirs.
const TIMEOUTS: &[(&str, &str)] = &[];

/// The crates that have models. A mutant is judged by those of its own.
const CRATES: &[(&str, &str)] = &[
    ("smr-core", "smr_core"),
    ("smr-hashmap", "smr_hashmap"),
    ("smr-list", "smr_list"),
    ("smr-radix", "smr_radix"),
];

/// The committed table.
const TABLE: &str = "tests/mutants.md";

/// A mutant gets at least this long, and [`PATIENCE`] times as long as the models
/// took without one: the machine may be busy.
const LIMIT: Duration = Duration::from_secs(240);
/// See [`LIMIT`].
const PATIENCE: u32 = 6;

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
    for (name, _) in SURVIVORS.iter().chain(TIMEOUTS) {
        if !names.contains(*name) {
            return Err(format!("a list names '{name}', which is in no source"));
        }
    }
    let names_to_try = chosen.which.of(&names)?;
    let at = |of: &String| CRATES.iter().position(|(folder, _)| folder == of);
    let idle_of = match &chosen.idle {
        Some(of) => Some(at(of).ok_or(format!("{of} is no crate with models"))?),
        None => None,
    };
    let binaries = build(&root)?;
    if let Some(at) = idle_of {
        let left = idle::models(&binaries[at], &of_crate[at])?;
        for (model, _) in &left {
            println!("{model:<60} no mutant");
        }
        return Ok(left.is_empty());
    }
    let mut limits = Vec::new();
    for binary in &binaries {
        if chosen.passed {
            limits.push(LIMIT);
            continue;
        }
        let start = Instant::now();
        match judge(binary, None, "models::", 10 * LIMIT)? {
            Outcome::Survived => limits.push(LIMIT.max(PATIENCE * start.elapsed())),
            Outcome::Killed(model) => {
                return Err(format!(
                    "without any mutant, {model} fails: mend that first"
                ));
            }
            Outcome::TimedOut => return Err("without any mutant, the models do not end".into()),
        }
    }
    let mut table = match &chosen.table {
        Some(path) => Some(Table::open(path, &names)?),
        None => None,
    };
    let killers = killers(&fs::read_to_string(root.join(TABLE)).unwrap_or_default());
    let mut good = true;
    println!("{:<22} {:<9} {:>6}  by", "mutant", "outcome", "s");
    for name in names_to_try {
        let start = Instant::now();
        let home = of_crate.iter().position(|own| own.contains(name));
        let home = home.expect("it is of some crate");
        let by_killer = match killers.get(name) {
            Some(model) => {
                let model = format!("models::{model}");
                judge(&binaries[home], Some(name), &model, limits[home])?
            }
            None => Outcome::Survived,
        };
        let outcome = match by_killer {
            Outcome::Killed(_) => by_killer,
            _ => judge(&binaries[home], Some(name), "models::", limits[home])?,
        };
        let seconds = start.elapsed().as_secs_f64();
        let (is_good, word, by) =
            verdict(&outcome, listed(SURVIVORS, name), listed(TIMEOUTS, name));
        good &= is_good;
        println!("{name:<22} {word:<9} {seconds:>6.1}  {by}");
        if let Some(table) = &mut table {
            table.set(name, CRATES[home].0, word, seconds, &by)?;
        }
    }
    Ok(good)
}

fn listed<'a>(list: &[(&str, &'a str)], name: &str) -> Option<&'a str> {
    let found = list.iter().find(|(listed, _)| *listed == name);
    found.map(|(_, reason)| *reason)
}

/// Whether an outcome is as it may be; the outcome in a word; and by what, or why.
fn verdict(
    outcome: &Outcome,
    may_survive: Option<&str>,
    may_time_out: Option<&str>,
) -> (bool, &'static str, String) {
    let off = |model: &str| format!("{model}, although it is listed: take it off the list");
    match (outcome, may_survive, may_time_out) {
        (Outcome::Killed(model), None, None) => (true, "killed", model.clone()),
        (Outcome::Killed(model), _, _) => (false, "KILLED", off(model)),
        (Outcome::Survived, Some(reason), _) => (true, "survives", reason.to_owned()),
        (Outcome::Survived, None, _) => {
            let why = "no model fails, and no reason is given";
            (false, "SURVIVES", why.to_owned())
        }
        (Outcome::TimedOut, _, Some(reason)) => (true, "timeout", reason.to_owned()),
        (Outcome::TimedOut, _, None) => {
            let why = "the models do not end, which shows nothing, and no reason is given";
            (false, "TIMEOUT", why.to_owned())
        }
    }
}

/// The record of how each mutant fared, as Markdown.
struct Table {
    path: PathBuf,
    rows: BTreeMap<String, String>,
    stamp: String,
}

impl Table {
    const HEAD: &'static str = "\
# Mutants, and what kills them

Written by `cargo mutants --table tests/mutants.md`. Each line is one ordering,
barrier, check or step that was weakened or left out, alone, and what the loom models
of its crate said. The last columns tell when, and at which commit (`+` with changes).

| mutant | crate | outcome | by which model, or why | s | date | commit |
|---|---|---|---|---|---|---|
";

    /// Reads what is there of mutants that there still are.
    fn open(path: &Path, names: &BTreeSet<String>) -> Result<Self, String> {
        let text = fs::read_to_string(path).unwrap_or_default();
        let rows = text.lines().filter_map(|line| {
            let name = line.strip_prefix("| `")?.split_once('`')?.0;
            names
                .contains(name)
                .then(|| (name.to_owned(), line.to_owned()))
        });
        let said = |program: &str, args: &[&str]| {
            let output = Command::new(program).args(args).output();
            let output = output.map_err(|error| format!("{program}: {error}"))?;
            Ok::<_, String>(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let date = said("date", &["+%F"])?;
        let commit = said("git", &["rev-parse", "--short", "HEAD"])?;
        let is_changed = !said("git", &["status", "--porcelain", "-uno"])?.is_empty();
        let mark = if is_changed { "+" } else { "" };
        Ok(Self {
            path: path.to_owned(),
            rows: rows.collect(),
            stamp: format!("{date} | {commit}{mark}"),
        })
    }

    /// Sets a line, and writes all of them: a run may be broken off.
    fn set(
        &mut self,
        name: &str,
        of: &str,
        word: &str,
        seconds: f64,
        by: &str,
    ) -> Result<(), String> {
        let stamp = &self.stamp;
        let row = format!("| `{name}` | {of} | {word} | {by} | {seconds:.0} | {stamp} |");
        self.rows.insert(name.to_owned(), row);
        let rows = self.rows.values().map(|row| format!("{row}\n"));
        let text: String = std::iter::once(Self::HEAD.to_owned()).chain(rows).collect();
        fs::write(&self.path, text).map_err(|error| format!("{}: {error}", self.path.display()))
    }
}

/// Which model killed each mutant, as a table says.
fn killers(table: &str) -> BTreeMap<String, String> {
    let killer = |line: &str| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
        let (_, word, by) = (cells.next()?, cells.next()?, cells.next()?);
        // The end of the process is no model's name.
        let is_model = word == "killed" && by.contains("::") && !by.contains(' ');
        is_model.then(|| (name.to_owned(), by.to_owned()))
    };
    table.lines().filter_map(killer).collect()
}

/// What the command line asks for.
struct Chosen {
    which: Which,
    table: Option<PathBuf>,
    /// The models pass without any mutant: that need not be tried.
    passed: bool,
    /// Look for the models of this crate that no mutant fails.
    idle: Option<String>,
}

impl Chosen {
    fn from_args(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let usage = "usage: mutants [--part K/N | --only NAME] [--table FILE] [--passed], \
                     or mutants --idle CRATE";
        let mut args: Vec<String> = args.collect();
        let mut value = |option: &str| match args.iter().position(|arg| arg == option) {
            Some(at) if at + 1 < args.len() => {
                args.remove(at);
                Ok(Some(args.remove(at)))
            }
            Some(_) => Err(usage.to_owned()),
            None => Ok(None),
        };
        let table = value("--table")?.map(PathBuf::from);
        let idle = value("--idle")?;
        if idle.is_some() && (table.is_some() || !args.is_empty()) {
            return Err(usage.to_owned());
        }
        let given = args.len();
        args.retain(|arg| arg != "--passed");
        let passed = args.len() != given;
        let which = Which::from_args(args.into_iter()).ok_or(usage)??;
        Ok(Self {
            which,
            table,
            passed,
            idle,
        })
    }
}

/// Which mutants to try.
enum Which {
    All,
    Part { part: usize, parts: usize },
    Only(String),
}

impl Which {
    /// `None` if it is not to be understood.
    fn from_args(mut args: impl Iterator<Item = String>) -> Option<Result<Self, String>> {
        let which = match (args.next().as_deref(), args.next()) {
            (None, _) => Self::All,
            (Some("--only"), Some(name)) => Self::Only(name),
            (Some("--part"), Some(which)) => {
                let (part, parts) = which.split_once('/')?;
                let part: usize = part.parse().ok()?;
                let parts: usize = parts.parse().ok()?;
                if part == 0 || part > parts {
                    return Some(Err(format!("there is no part {part} of {parts}")));
                }
                Self::Part { part, parts }
            }
            _ => return None,
        };
        args.next().is_none().then_some(Ok(which))
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

#[derive(Debug, PartialEq)]
enum Outcome {
    Killed(String),
    Survived,
    TimedOut,
}

/// Runs the models of a module, `models::`, or the one of that name if it is still there,
/// to the first that fails.
fn judge(
    binary: &Path,
    mutant: Option<&str>,
    models: &str,
    limit: Duration,
) -> Result<Outcome, String> {
    let mut command = Command::new(binary);
    command.arg(models).env_remove("SMR_MUTANT");
    if !models.ends_with("::") {
        command.arg("--exact");
    }
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
    let deadline = Instant::now() + limit;
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
                break Ok(Outcome::TimedOut);
            }
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => {
                let status = child.wait().map_err(|error| error.to_string())?;
                break match (status.success(), passed) {
                    (true, 0) if models.ends_with("::") => Err("there are no models".to_owned()),
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
            let chosen = Which::Part { part, parts: 3 };
            seen.extend(chosen.of(&names).unwrap().into_iter().map(str::to_owned));
        }
        seen.sort();
        assert!(seen.iter().eq(&names));
    }

    #[test]
    fn a_table_names_the_models_that_kill() {
        let table = "| mutant | crate | outcome | by which model, or why | s |\n\
            | `enter_seq` | smr-core | killed | clock::repin | 17 | today | x |\n\
            | `enter_wr` | smr-core | survives | so say `clamp` and a::b | 130 | today | x |\n\
            | `gather` | smr-core | killed | the end of the process: signal: 6 | 0 | today | x |";
        let expected = ("enter_seq".to_owned(), "clock::repin".to_owned());
        assert_eq!(killers(table), BTreeMap::from([expected]));
    }

    #[test]
    fn bad_arguments_are_refused() {
        let parse = |args: &[&str]| Chosen::from_args(args.iter().map(|a| (*a).to_owned()));
        assert!(parse(&["--part", "4/3"]).is_err());
        assert!(parse(&["--part", "0/3"]).is_err());
        assert!(parse(&["--only"]).is_err());
        assert!(parse(&["--all"]).is_err());
        assert!(parse(&["--only", "a", "--table"]).is_err());
        assert!(parse(&[]).is_ok());
        let both = parse(&["--table", "file", "--part", "1/2"]).unwrap();
        assert!(both.table.is_some() && matches!(both.which, Which::Part { .. }));
        assert!(!both.passed);
        assert!(parse(&["--idle"]).is_err());
        assert!(parse(&["--idle", "smr-core", "--passed"]).is_err());
        assert!(parse(&["--idle", "smr-core", "--table", "file"]).is_err());
        let idle = parse(&["--idle", "smr-core"]).unwrap().idle;
        assert_eq!(idle.as_deref(), Some("smr-core"));
        let passed = parse(&["--passed", "--part", "1/2"]).unwrap();
        assert!(passed.passed && matches!(passed.which, Which::Part { .. }));
    }

    #[test]
    fn only_what_is_listed_may_live_or_go_on_for_ever() {
        let killed = Outcome::Killed("model".to_owned());
        let is_good = |outcome, survivor: bool, timeout: bool| {
            let reason = |is_listed: bool| is_listed.then_some("a reason");
            verdict(outcome, reason(survivor), reason(timeout)).0
        };
        assert!(is_good(&killed, false, false));
        assert!(!is_good(&killed, true, false), "it is to leave the list");
        assert!(!is_good(&killed, false, true), "it is to leave the list");
        assert!(is_good(&Outcome::Survived, true, false));
        assert!(!is_good(&Outcome::Survived, false, false));
        assert!(is_good(&Outcome::TimedOut, false, true));
        assert!(!is_good(&Outcome::TimedOut, false, false));
        assert!(!is_good(&Outcome::TimedOut, true, false));
    }
}
