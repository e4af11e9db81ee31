//! The models that no mutant fails: such a one may show nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use super::judge::{self, Outcome, judge};
use super::{LIMIT, PATIENCE};

/// The models of a crate that each of its mutants leaves in peace, and how long each
/// may take. One model a process: one that fails may take it along. `killers` are tried
/// first, each on its own mutant: few models are left for all the others then.
pub(super) fn models(
    binary: &Path,
    mutants: &BTreeSet<String>,
    killers: &BTreeMap<String, String>,
) -> Result<Vec<(String, Duration)>, String> {
    let mut left = Vec::new();
    for model in judge::models(binary)? {
        let start = Instant::now();
        let outcome = judge(binary, None, &model, 10 * LIMIT)?;
        if outcome != Outcome::Survived {
            return Err(format!("without any mutant, {model} does not pass"));
        }
        left.push((model, (PATIENCE * start.elapsed()).max(LIMIT / 8)));
    }
    let known = mutants.iter().filter_map(|mutant| {
        let killer = killers.get(mutant)?;
        Some((mutant, format!("models::{killer}")))
    });
    for (mutant, killer) in known {
        left = spared(binary, mutant, left, |model| model == killer)?;
    }
    for mutant in mutants {
        left = spared(binary, mutant, left, |_| true)?;
    }
    Ok(left)
}

/// Those of the models that a mutant leaves in peace, or that it is not tried on.
fn spared(
    binary: &Path,
    mutant: &str,
    models: Vec<(String, Duration)>,
    is_tried: impl Fn(&str) -> bool,
) -> Result<Vec<(String, Duration)>, String> {
    let mut spared = Vec::new();
    for (model, limit) in models {
        if is_tried(&model)
            && let Outcome::Killed(_) = judge(binary, Some(mutant), &model, limit)?
        {
            println!("{model:<60} {mutant}");
        } else {
            spared.push((model, limit));
        }
    }
    Ok(spared)
}
