//! One run of the comparison: what it has found so far, and where that goes.
//!
//! An interruption (Ctrl-C, or the signal to terminate) writes the report of the
//! comparisons that are complete and ends with 130. The handler has a thread of
//! its own, so a long run need not be waited for; what it shares with the main
//! thread is behind one lock, so no record is torn. It ends the process without
//! the libraries' farewells: liburcu's asks that no thread is at work any more.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::alloc;
use crate::cli::{Cli, Settings};
use crate::journal::{self, Header, Journal};
use crate::machine::Machine;
use crate::pin;
use crate::record::Record;
use crate::report::{Findings, Outputs};
use crate::run::{self, Case, Comparison};
use crate::suites;
use crate::table;

/// The exit code of a run that was interrupted.
const INTERRUPTED: i32 = 130;

/// What a run has found so far.
struct Session {
    outputs: Outputs,
    header: Header,
    records: Vec<Record>,
    json: Option<File>,
    done: usize,
    planned: usize,
}

/// Runs what the settings ask for.
///
/// # Errors
///
/// When an output cannot be written, or when the run that is to go on was taken
/// otherwise than this one would be.
pub(crate) fn run(settings: &Settings, cli: &Cli, outputs: Outputs) -> io::Result<()> {
    if cli.no_pin {
        pin::leave_alone();
    }
    let header = Header {
        machine: Machine::inspect(),
        pace: settings.pace(cli),
    };
    let plan = suites::plan(settings);
    let earlier = match &cli.json {
        Some(path) if cli.resume && path.exists() => continued(path, &header)?,
        _ => Vec::new(),
    };
    let (known, complete, rest) = divide(plan, earlier);
    println!("{}", header.machine);
    if complete > 0 {
        println!("\n{complete} comparisons are there from before");
    }
    let json = match &cli.json {
        Some(path) => Some(journal::begin(path, &header, &known)?),
        None => None,
    };
    let session = Arc::new(Mutex::new(Session {
        outputs,
        header,
        records: known,
        json,
        done: complete,
        planned: complete + rest.len(),
    }));
    let held = Arc::clone(&session);
    let handler = ctrlc::set_handler(move || lock(&held).interrupted());
    handler.map_err(io::Error::other)?;
    run::run_all(&rest, |records| lock(&session).complete(records))?;
    let session = lock(&session);
    session.write()?;
    session.tell()
}

/// What the harness' threads share is whole even after a panic.
fn lock(session: &Mutex<Session>) -> MutexGuard<'_, Session> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The records of a run that this one goes on with.
fn continued(path: &Path, header: &Header) -> io::Result<Vec<Record>> {
    let journal = Journal::read(path)?;
    let refuse = |why: String| {
        let message = format!("{}: cannot go on: {why}", path.display());
        Err(io::Error::new(io::ErrorKind::InvalidInput, message))
    };
    let Some(before) = journal.header else {
        return refuse("it does not say how it was taken".into());
    };
    let differing = before.machine.differs(&header.machine);
    if !differing.is_empty() {
        return refuse(format!("another {}", differing.join(", another ")));
    }
    if before.pace != header.pace {
        return refuse("it was run with other --seconds, --runs, --short or --no-pin".into());
    }
    Ok(journal.records)
}

/// Divides a plan: what is known, how many of its comparisons are complete with that, and
/// those that are left. What the plan does not have, and an earlier one had, stays known.
fn divide(plan: Vec<Comparison>, earlier: Vec<Record>) -> (Vec<Record>, usize, Vec<Comparison>) {
    let (mut known, mut complete, mut rest) = (earlier, 0, Vec::new());
    for comparison in plan {
        let has = |case: &Case| {
            journal::of_key(&known, &comparison.key).any(|record| record.subject == case.subject)
        };
        if comparison.cases.iter().all(has) {
            complete += 1;
        } else {
            // All of it is run again.
            known.retain(|record| !journal::is_of(record, &comparison.key));
            rest.push(comparison);
        }
    }
    (known, complete, rest)
}

impl Session {
    /// Takes the records of a comparison.
    fn complete(&mut self, records: &[Record]) -> io::Result<()> {
        println!("{}", table::render(records));
        if let Some(file) = &mut self.json {
            journal::append(file, records)?;
        }
        self.records.extend_from_slice(records);
        self.done += 1;
        Ok(())
    }

    fn findings(&self) -> Findings<'_> {
        Findings {
            headers: vec![self.header.clone()],
            records: &self.records,
            missing: self.planned - self.done,
        }
    }

    /// Writes what was asked for.
    fn write(&self) -> io::Result<()> {
        self.outputs.write(&self.findings())
    }

    /// Says who wins.
    fn tell(&self) -> io::Result<()> {
        println!(
            "\nWho wins (\"none\", \"malloc\", \"hashbrown\", \"hashbrown-boxed\", \"plain\", \"btree\" and \"xarray\" protect nobody and stand aside):"
        );
        for records in table::comparisons(&self.records) {
            for line in table::verdict(&records) {
                println!("  {line}");
            }
        }
        self.outputs.tell();
        io::stdout().flush()
    }

    /// Writes what is there, and ends the process.
    fn interrupted(&self) -> ! {
        // The run goes on meanwhile, and would find at its end that memory is missing.
        alloc::leave_out();
        eprintln!(
            "\nsmr-bench: interrupted: {} of {} comparisons are complete",
            self.done, self.planned
        );
        if self.json.is_some() && self.done < self.planned {
            eprintln!("smr-bench: the same command with --resume goes on from here");
        }
        if let Err(error) = self.write() {
            eprintln!("smr-bench: {error}");
        }
        self.outputs.tell();
        // What was printed so far; that nobody reads it changes nothing.
        let _ = io::stdout().flush();
        // SAFETY: ends the process; the files are written, and nothing else is ours to end.
        unsafe { libc::_exit(INTERRUPTED) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::{header, records};
    use crate::record::{Key, Metric, Sample};

    fn comparison(workload: &str, subjects: &[&'static str]) -> Comparison {
        let case = |subject: &&'static str| {
            Case::new(subject, || vec![Sample::new(Metric::TimePerOp, 1.0)])
        };
        Comparison {
            key: Key {
                suite: "free".into(),
                workload: workload.into(),
                threads: 1,
            },
            cases: subjects.iter().map(case).collect(),
            runs: 1,
        }
    }

    #[test]
    fn only_complete_comparisons_are_not_run_again() {
        let plan = vec![
            comparison("a", &["x", "y"]),
            comparison("b", &["x", "y"]),
            comparison("c", &["x"]),
        ];
        let (done, other) = (records("a", &["x", "y"]), records("d", &["x"]));
        let earlier = [other.clone(), done.clone(), records("b", &["x"])].concat();
        let (known, complete, rest) = divide(plan, earlier);
        let kept = [other, done].concat();
        assert_eq!(
            (known, complete),
            (kept, 1),
            "what others asked for is kept"
        );
        let left: Vec<&str> = rest.iter().map(|rest| rest.key.workload.as_str()).collect();
        assert_eq!(left, ["b", "c"]);
    }

    #[test]
    fn a_run_goes_on_with_its_like_alone() {
        let folder = std::env::temp_dir().join(format!("smr-bench-session-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the test");
        let path = folder.join("a.jsonl");
        journal::begin(&path, &header(), &records("a", &["x"])).expect("written");
        assert_eq!(continued(&path, &header()).expect("the same").len(), 1);
        let mut other = header();
        other.pace.runs = Some(17);
        let error = continued(&path, &other).expect_err("other runs");
        assert!(error.to_string().contains("--runs"), "{error}");
        std::fs::remove_dir_all(folder).expect("the folder was ours");
    }
}
