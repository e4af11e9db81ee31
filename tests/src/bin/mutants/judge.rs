//! What the models say of a mutant.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    Killed(String),
    Survived,
    TimedOut,
}

/// The names of a crate's models, in the order in which they run.
pub(super) fn models(binary: &Path) -> Result<Vec<String>, String> {
    let output = Command::new(binary)
        .args(["models::", "--list", "--format=terse"])
        .output()
        .map_err(|error| format!("{}: {error}", binary.display()))?;
    Ok(listing(&String::from_utf8_lossy(&output.stdout)))
}

/// The names in what a test binary lists.
fn listing(text: &str) -> Vec<String> {
    let names = text.lines().filter_map(|line| line.strip_suffix(": test"));
    names.map(str::to_owned).collect()
}

/// Runs the models of a module, `models::`, or the one of that name if it is still there,
/// to the first that fails.
pub(super) fn judge(
    binary: &Path,
    mutant: Option<&str>,
    models: &str,
    limit: Duration,
) -> Result<Outcome, String> {
    let is_one = !models.ends_with("::");
    let mut command = Command::new(binary);
    command.arg(models).env_remove("SMR_MUTANT");
    if is_one {
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
    let mut passed = Vec::new();
    let outcome = loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(left) {
            Ok(line) => {
                let Some(rest) = line.strip_prefix("test ") else {
                    continue;
                };
                let name = rest.split(' ').next().unwrap_or(rest);
                if rest.ends_with("FAILED") {
                    break Ok(Outcome::Killed(short(name).to_owned()));
                }
                if rest.ends_with(" ok") {
                    passed.push(name.to_owned());
                }
            }
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                break Ok(Outcome::TimedOut);
            }
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => {
                let status = child.wait().map_err(|error| error.to_string())?;
                break match (status.success(), is_one) {
                    (true, false) if passed.is_empty() => Err("there are no models".to_owned()),
                    (true, _) => Ok(Outcome::Survived),
                    (false, true) => Ok(Outcome::Killed(ended(short(models), status))),
                    (false, false) => who_ended(binary, mutant, &passed, status, limit),
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

/// A model took the others along: the first of those that have not passed which fails
/// alone. Its assertion failed before: what the mutant broke is then dropped, and fails
/// once more while the stack unwinds, which ends the process.
fn who_ended(
    binary: &Path,
    mutant: Option<&str>,
    passed: &[String],
    status: ExitStatus,
    limit: Duration,
) -> Result<Outcome, String> {
    for model in models(binary)? {
        if passed.contains(&model) {
            continue;
        }
        let outcome = judge(binary, mutant, &model, limit)?;
        if matches!(outcome, Outcome::Killed(_)) {
            return Ok(outcome);
        }
    }
    Ok(Outcome::Killed(ended("no model alone", status)))
}

fn short(model: &str) -> &str {
    model.trim_start_matches("models::")
}

fn ended(model: &str, status: ExitStatus) -> String {
    format!("{model}, by the end of the process: {status}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_found_in_what_a_binary_lists() {
        let text = "models::a::one: test\nmodels::b::two: test\n\n2 tests, 0 benchmarks\n";
        assert_eq!(listing(text), ["models::a::one", "models::b::two"]);
    }
}
