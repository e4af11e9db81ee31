//! All shapes of a folder with all their mutants, judged and compared.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Expected, Machine, Model, Verdict, header, read};

/// A shape, or one of its mutants.
#[derive(Clone, Debug)]
pub struct Case {
    /// Name of the shape.
    pub shape: String,
    /// Name of the mutant, for a mutant.
    pub mutant: Option<String>,
    /// The litmus file.
    pub text: String,
    /// What the header of the shape says.
    pub expected: Expected,
    /// The remark on a mutant.
    pub why: String,
    /// Why the mutant is as good as the original.
    pub equivalent: Option<String>,
}

/// What one model said of one case.
#[derive(Clone, Debug)]
pub struct Line {
    /// Position of the case.
    pub case: usize,
    /// The model.
    pub model: Model,
    /// Its verdict.
    pub verdict: Verdict,
    /// The verdict that the header names.
    pub expected: Verdict,
    /// Candidate executions judged.
    pub judged: usize,
    /// Time it took.
    pub took: Duration,
    /// Conditions of the header that no execution meets.
    pub unreached: Vec<String>,
    /// An execution that shows the outcome.
    pub witness: Option<String>,
}

impl Line {
    /// Whether the verdict is the expected one, and nothing was void.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.verdict == self.expected && self.unreached.is_empty()
    }
}

impl Case {
    /// The shape's name, with the mutant's after a plus sign.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.mutant {
            Some(mutant) => format!("{}+{mutant}", self.shape),
            None => self.shape.clone(),
        }
    }

    /// The same as a file for `machine`.
    ///
    /// # Errors
    ///
    /// A message that names the case and says what cannot be read or written.
    pub fn compile(&self, machine: Machine) -> Result<String, String> {
        let at = |e: String| format!("{} for {}: {e}", self.name(), machine.arch());
        let (test, _) = read(&self.text).map_err(at)?;
        test.compile(machine).map_err(at)
    }
}

/// The folder with the shapes of this package.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("litmus")
}

/// Reads all shapes of `folder`, by name, each followed by its mutants.
///
/// # Errors
///
/// A message that names the file.
pub fn load(folder: &Path) -> Result<Vec<Case>, String> {
    let listing = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut files: Vec<PathBuf> = listing
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "litmus"))
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let at = |e: String| format!("{}: {e}", file.display());
        let text = std::fs::read_to_string(&file).map_err(|e| at(e.to_string()))?;
        let (program, spec) = read(&text).map_err(at)?;
        let shape = program.name().to_owned();
        if file.file_stem().is_none_or(|stem| stem != shape.as_str()) {
            return Err(at(format!("holds a shape called {shape}")));
        }
        cases.push(Case {
            shape: shape.clone(),
            mutant: None,
            text: text.clone(),
            expected: spec.expected,
            why: String::new(),
            equivalent: None,
        });
        for mutant in spec.mutants {
            cases.push(Case {
                shape: shape.clone(),
                text: header::mutate(&text, &mutant).map_err(at)?,
                mutant: Some(mutant.name),
                expected: mutant.expected,
                why: mutant.why,
                equivalent: mutant.equivalent,
            });
        }
    }
    Ok(cases)
}

/// Judges every case by every model, and hands each line to `seen`.
///
/// # Errors
///
/// A message that names the case which cannot be read.
pub fn run(cases: &[Case], mut seen: impl FnMut(&Case, &Line)) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        let (program, spec) = read(&case.text).map_err(|e| format!("{}: {e}", case.name()))?;
        for (model, expected) in Model::ALL.into_iter().zip(case.expected) {
            let start = Instant::now();
            let outcome = program.check(model);
            let unreached = program.unreached(model);
            let line = Line {
                case: at,
                model,
                verdict: outcome.verdict,
                expected,
                judged: outcome.judged,
                took: start.elapsed(),
                unreached: unreached
                    .into_iter()
                    .map(|i| spec.reach[i].clone())
                    .collect(),
                witness: outcome.witness,
            };
            seen(case, &line);
            lines.push(line);
        }
    }
    Ok(lines)
}

/// A mutant over all the shapes that know it.
#[derive(Clone, Debug)]
pub struct Fate {
    /// The mutant's name.
    pub mutant: String,
    /// Shape and models that tell it from the original.
    pub killers: Vec<(String, Vec<Model>)>,
    /// Why nothing does.
    pub equivalent: Option<String>,
}

impl Fate {
    /// Whether a model of the language kills it, or none is expected to.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let killed = self
            .killers
            .iter()
            .any(|(_, models)| models.iter().any(|m| m.is_language()));
        killed != self.equivalent.is_some()
    }
}

/// What became of each mutant, by name.
#[must_use]
pub fn fates(cases: &[Case], lines: &[Line]) -> Vec<Fate> {
    let mut fates: Vec<Fate> = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        let Some(mutant) = &case.mutant else {
            continue;
        };
        let found = fates.iter().position(|f| f.mutant == *mutant);
        let slot = found.unwrap_or_else(|| {
            fates.push(Fate {
                mutant: mutant.clone(),
                killers: Vec::new(),
                equivalent: None,
            });
            fates.len() - 1
        });
        let models: Vec<Model> = lines
            .iter()
            .filter(|l| l.case == at && l.verdict != Verdict::Forbidden)
            .map(|l| l.model)
            .collect();
        if !models.is_empty() {
            fates[slot].killers.push((case.shape.clone(), models));
        }
        if case.equivalent.is_some() {
            fates[slot].equivalent.clone_from(&case.equivalent);
        }
    }
    fates.sort_by(|a, b| a.mutant.cmp(&b.mutant));
    fates
}

/// The table of mutants and their killers, as Markdown.
#[must_use]
pub fn markdown(fates: &[Fate]) -> String {
    let mut out = String::from("| mutant | killed by |\n|---|---|\n");
    for fate in fates.iter().filter(|f| f.equivalent.is_none()) {
        let killers: Vec<String> = fate
            .killers
            .iter()
            .map(|(shape, models)| format!("`{shape}` ({})", names(models)))
            .collect();
        let _ = writeln!(out, "| `{}` | {} |", fate.mutant, killers.join(", "));
    }
    out.push_str("\n| mutant that survives | because |\n|---|---|\n");
    for fate in fates {
        if let Some(reason) = &fate.equivalent {
            let _ = writeln!(out, "| `{}` | {reason} |", fate.mutant);
        }
    }
    out
}

fn names(models: &[Model]) -> String {
    if models.len() == Model::ALL.len() {
        return "all".to_owned();
    }
    let names: Vec<&str> = models.iter().map(|m| m.name()).collect();
    names.join(", ")
}
