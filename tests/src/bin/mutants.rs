//! Weakens one ordering, barrier or check of a crate at a time, and sees whether
//! a loom model of that crate fails.
//!
//! ```text
//! cargo mutants                 all of them
//! cargo mutants --part 2/4      every fourth, from the second on
//! cargo mutants --only enter_seq
//! cargo mutants --table tests/mutants.md
//! cargo mutants --known         each on the model that the committed table names
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
//! `--known` leaves it at that, and leaves out what is listed: it is an error if the
//! model that killed a mutant does so no longer, or if the table names none.
//!
//! `--idle` goes the other way: it tries each mutant of the crate on the models that
//! none before it failed, and names the models that are left.

#[path = "mutants/args.rs"]
mod args;
#[path = "mutants/idle.rs"]
mod idle;
#[path = "mutants/judge.rs"]
mod judge;
#[path = "mutants/table.rs"]
mod table;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use args::Chosen;
use judge::{Outcome, judge};
use table::{Table, killers};

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
    let killers = killers(&fs::read_to_string(root.join(TABLE)).unwrap_or_default());
    let binaries = build(&root)?;
    if let Some(at) = idle_of {
        let left = idle::models(&binaries[at], &of_crate[at], &killers)?;
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
    let mut good = true;
    println!("{:<22} {:<9} {:>6}  by", "mutant", "outcome", "s");
    for name in names_to_try {
        let may_survive = listed(SURVIVORS, name);
        let may_time_out = listed(TIMEOUTS, name);
        if chosen.known && (may_survive.is_some() || may_time_out.is_some()) {
            continue;
        }
        let start = Instant::now();
        let home = of_crate.iter().position(|own| own.contains(name));
        let home = home.expect("it is of some crate");
        let on = |models: &str| judge(&binaries[home], Some(name), models, limits[home]);
        let killer = killers.get(name).map(String::as_str);
        let by_killer = killer.map(|model| on(&format!("models::{model}")));
        let by_killer = by_killer.transpose()?;
        let (is_good, word, by) = if chosen.known {
            verdict_of_killer(killer.zip(by_killer.as_ref()))
        } else {
            let outcome = match by_killer {
                Some(killed @ Outcome::Killed(_)) => killed,
                _ => on("models::")?,
            };
            verdict(&outcome, may_survive, may_time_out)
        };
        let seconds = start.elapsed().as_secs_f64();
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

/// The same of a mutant that was tried on the model which killed it, if one is known.
fn verdict_of_killer(killer: Option<(&str, &Outcome)>) -> (bool, &'static str, String) {
    match killer {
        Some((_, Outcome::Killed(by))) => (true, "killed", by.clone()),
        Some((model, Outcome::Survived)) => {
            let why = format!("{model}, which killed it, passes or is there no more");
            (false, "SURVIVES", why)
        }
        Some((model, Outcome::TimedOut)) => {
            let why = format!("{model}, which killed it, does not end");
            (false, "TIMEOUT", why)
        }
        None => {
            let why = format!("{TABLE} names no model that kills it");
            (false, "UNKNOWN", why)
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

    #[test]
    fn what_killed_a_mutant_is_to_kill_it_still() {
        let is_good = |outcome: Outcome| verdict_of_killer(Some(("a::model", &outcome))).0;
        assert!(is_good(Outcome::Killed("a::model".to_owned())));
        assert!(!is_good(Outcome::Survived));
        assert!(!is_good(Outcome::TimedOut));
        assert!(!verdict_of_killer(None).0, "nobody knows what kills it");
    }
}
