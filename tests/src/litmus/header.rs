//! The header of a shape: what is expected of it, and its mutants.
//!
//! It is the `(* ... *)` comment after the first line. Prose, except for lines
//! that start with one of these words:
//!
//! - `Allowed:` or `Race:` and names of models, or `all`: there the outcome can
//!   be seen, or a race. In all other models it is forbidden.
//! - `Reach:` a condition that must be possible in every model.
//! - `Mutant` and a name. The lines that follow, up to the next mutant, say
//!   what is changed, one edit a line, and what that does:
//!   `@label relaxed` (or another ordering) weakens or strengthens the
//!   statement whose line has `// @label`; `@label drop` removes it;
//!   `@label after @other` and `@label before @other` move it;
//!   `@label => statement` replaces it.
//! - `Why:` a remark on the mutant.
//! - `Equivalent:` the mutant is as good as the original, and why.

use super::judge::{Model, Verdict};

/// Verdicts in the order of [`Model::ALL`].
pub type Expected = [Verdict; Model::ALL.len()];

/// A change to a shape, and what is expected to come of it.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// Its name, shared by all shapes that know the same change.
    pub name: String,
    /// The edits, as written.
    pub edits: Vec<String>,
    /// The verdict of each model.
    pub expected: Expected,
    /// A remark from the header, perhaps empty.
    pub why: String,
    /// Why no model is expected to tell it from the original.
    pub equivalent: Option<String>,
}

/// What the header of a shape says.
#[derive(Clone, Debug)]
pub struct Header {
    /// The verdict of each model on the shape as it stands.
    pub expected: Expected,
    /// Conditions that must be possible.
    pub reach: Vec<String>,
    /// The shape's mutants.
    pub mutants: Vec<Mutant>,
}

/// Reads the header of `text`; an error names the line which does not fit.
pub(super) fn read(text: &str) -> Result<Header, String> {
    let mut header = Header {
        expected: [Verdict::Forbidden; Model::ALL.len()],
        reach: Vec::new(),
        mutants: Vec::new(),
    };
    let Some(comment) = comment(text) else {
        return Ok(header);
    };
    // A remark goes on over the lines that follow it.
    let mut open = false;
    for raw in comment.lines() {
        let line = raw.trim().trim_start_matches('*').trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        let was_open = std::mem::replace(&mut open, false);
        let mutant = header.mutants.last_mut();
        match (word, mutant) {
            ("Mutant", _) => header.mutants.push(Mutant {
                name: rest.to_owned(),
                edits: Vec::new(),
                expected: [Verdict::Forbidden; Model::ALL.len()],
                why: String::new(),
                equivalent: None,
            }),
            ("Allowed:" | "Race:", mutant) => {
                let verdict = if word == "Race:" {
                    Verdict::Race
                } else {
                    Verdict::Allowed
                };
                let target = mutant.map_or(&mut header.expected, |m| &mut m.expected);
                expect(target, rest, verdict)?;
            }
            ("Reach:", _) => header.reach.push(rest.to_owned()),
            ("Why:", Some(mutant)) => {
                rest.clone_into(&mut mutant.why);
                open = true;
            }
            ("Equivalent:", Some(mutant)) => {
                mutant.equivalent = Some(rest.to_owned());
                open = true;
            }
            (_, Some(mutant)) if word.starts_with('@') => mutant.edits.push(line.to_owned()),
            (_, Some(mutant)) if !line.is_empty() => {
                if !was_open {
                    return Err(format!("not a line of a mutant: {line}"));
                }
                let remark = mutant.equivalent.as_mut().unwrap_or(&mut mutant.why);
                remark.push(' ');
                remark.push_str(line);
                open = true;
            }
            _ => {}
        }
    }
    Ok(header)
}

fn comment(text: &str) -> Option<&str> {
    let start = text.find("(*")? + 2;
    let len = text[start..].find("*)")?;
    Some(&text[start..start + len])
}

fn expect(target: &mut Expected, models: &str, verdict: Verdict) -> Result<(), String> {
    for name in models.split_whitespace() {
        let mut found = false;
        for (slot, model) in target.iter_mut().zip(Model::ALL) {
            if name == "all" || name == model.name() {
                *slot = verdict;
                found = true;
            }
        }
        if !found {
            return Err(format!("no model is called {name}"));
        }
    }
    Ok(())
}

/// The text of a mutant, a litmus file of its own; an error names the edit
/// which does not apply.
pub(super) fn mutate(text: &str, mutant: &Mutant) -> Result<String, String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for edit in &mutant.edits {
        apply(&mut lines, edit).map_err(|e| format!("{}: {edit}: {e}", mutant.name))?;
    }
    let mut out = lines.join("\n");
    out.push('\n');
    let (first, rest) = out.split_once('\n').unwrap_or((&out, ""));
    let body = match (rest.find("(*"), rest.find("*)")) {
        (Some(start), Some(end)) if start < end => {
            format!("{}{}", &rest[..start], rest[end + 2..].trim_start())
        }
        _ => rest.to_owned(),
    };
    let mut head = format!("{first}+{}\n\n(*\n", mutant.name);
    for edit in &mutant.edits {
        head.push_str(&format!(" * {edit}\n"));
    }
    for verdict in [Verdict::Allowed, Verdict::Race] {
        let models: Vec<&str> = Model::ALL
            .into_iter()
            .zip(mutant.expected)
            .filter_map(|(m, v)| (v == verdict).then_some(m.name()))
            .collect();
        if !models.is_empty() {
            let word = if verdict == Verdict::Race {
                "Race"
            } else {
                "Allowed"
            };
            head.push_str(&format!(" * {word}: {}\n", models.join(" ")));
        }
    }
    Ok(format!("{head} *)\n\n{}", body.trim_start()))
}

fn labelled(lines: &[String], label: &str) -> Vec<usize> {
    (0..lines.len())
        .filter(|&i| {
            lines[i]
                .split_once("//")
                .is_some_and(|(_, remark)| remark.split_whitespace().any(|w| w == label))
        })
        .collect()
}

fn apply(lines: &mut Vec<String>, edit: &str) -> Result<(), String> {
    let (label, action) = edit.split_once(' ').ok_or("no action")?;
    let at = labelled(lines, label);
    if at.is_empty() {
        return Err(format!("no statement has {label}"));
    }
    if let Some(code) = action.strip_prefix("=> ") {
        for i in at {
            // The labels stay; a side of the barrier does not.
            let (_, remark) = lines[i].split_once("//").unwrap_or_default();
            let labels: Vec<&str> = remark
                .split_whitespace()
                .filter(|word| word.starts_with('@'))
                .collect();
            lines[i] = format!("  {code} // {}", labels.join(" "));
        }
    } else if let Some((place, other)) = action.split_once(' ') {
        let &[from] = &at[..] else {
            return Err(format!("{label} is more than one statement"));
        };
        let line = lines.remove(from);
        let &[to] = &labelled(lines, other)[..] else {
            return Err(format!("{other} is not one statement"));
        };
        match place {
            "before" => lines.insert(to, line),
            "after" => lines.insert(to + 1, line),
            _ => return Err(format!("{place} is neither before nor after")),
        }
    } else if action == "drop" {
        for i in at.into_iter().rev() {
            lines.remove(i);
        }
    } else {
        for i in at {
            let start = lines[i].find("memory_order_").ok_or("no ordering there")?;
            let end = lines[i][start..]
                .find([')', ','])
                .map_or(lines[i].len(), |len| start + len);
            lines[i].replace_range(start..end, &format!("memory_order_{action}"));
        }
    }
    Ok(())
}
