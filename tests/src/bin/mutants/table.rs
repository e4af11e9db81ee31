//! The record of how each mutant fared.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The record of how each mutant fared, as Markdown.
pub(super) struct Table {
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
    pub(super) fn open(path: &Path, names: &BTreeSet<String>) -> Result<Self, String> {
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
    pub(super) fn set(
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
pub(super) fn killers(table: &str) -> BTreeMap<String, String> {
    let killer = |line: &str| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
        let (_, word, by) = (cells.next()?, cells.next()?, cells.next()?);
        // How it did is told behind the model's name.
        let model = by.split(", ").next()?;
        let is_model = word == "killed" && model.contains("::") && !model.contains(' ');
        is_model.then(|| (name.to_owned(), model.to_owned()))
    };
    table.lines().filter_map(killer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_names_the_models_that_kill() {
        let table = "| mutant | crate | outcome | by which model, or why | s |\n\
            | `enter_seq` | smr-core | killed | clock::repin | 17 | today | x |\n\
            | `enter_wr` | smr-core | survives | so say `clamp` and a::b | 130 | today | x |\n\
            | `gather` | smr-core | killed | no model alone, by the end of the process: 6 | 0 |\n\
            | `clamp` | smr-core | killed | a::b, by the end of the process: signal: 6 | 0 |";
        let expected = [("enter_seq", "clock::repin"), ("clamp", "a::b")];
        let expected = expected.map(|(name, model)| (name.to_owned(), model.to_owned()));
        assert_eq!(killers(table), BTreeMap::from(expected));
    }
}
