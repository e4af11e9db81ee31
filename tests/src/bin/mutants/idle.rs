//! The models that no mutant fails: such a one may show nothing.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{LIMIT, Outcome, PATIENCE, judge};

/// The models of a crate that each of its mutants leaves in peace, and how long each
/// may take. One model a process: one that fails may take it along.
pub(super) fn models(
    binary: &Path,
    mutants: &BTreeSet<String>,
) -> Result<Vec<(String, Duration)>, String> {
    let output = Command::new(binary)
        .args(["models::", "--list", "--format=terse"])
        .output()
        .map_err(|error| format!("{}: {error}", binary.display()))?;
    let mut left = Vec::new();
    for model in listing(&String::from_utf8_lossy(&output.stdout)) {
        let start = Instant::now();
        let outcome = judge(binary, None, &model, 10 * LIMIT)?;
        if outcome != Outcome::Survived {
            return Err(format!("without any mutant, {model} does not pass"));
        }
        left.push((model, (PATIENCE * start.elapsed()).max(LIMIT / 8)));
    }
    for mutant in mutants {
        let mut spared = Vec::new();
        for (model, limit) in left {
            match judge(binary, Some(mutant), &model, limit)? {
                Outcome::Killed(_) => println!("{model:<60} {mutant}"),
                Outcome::Survived | Outcome::TimedOut => spared.push((model, limit)),
            }
        }
        left = spared;
    }
    Ok(left)
}

/// The names in what a test binary lists.
fn listing(text: &str) -> Vec<String> {
    let names = text.lines().filter_map(|line| line.strip_suffix(": test"));
    names.map(str::to_owned).collect()
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
