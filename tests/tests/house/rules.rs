//! The rules. Each takes a file and returns its complaints.

use std::collections::BTreeSet;

use super::text::{Source, root};

/// Crates whose sources are a library's.
const LIBRARIES: [&str; 4] = ["smr-core", "smr-hashmap", "smr-radix", "smr-list"];

/// Source files of libraries, without their tests.
fn in_library(source: &Source) -> bool {
    LIBRARIES
        .iter()
        .any(|name| source.path.starts_with(&format!("{name}/src/")))
        && source.path.ends_with(".rs")
        && !source.path.contains("/tests/")
        && !source.path.ends_with("/tests.rs")
        && !source.path.contains("/models/")
        && !source.path.contains("/shuffles")
}

/// Only `smr_core::sync` names the atomics of `core` and `std`, loom, or shuttle.
pub(crate) fn one_door(source: &Source) -> Vec<String> {
    if !in_library(source) || source.path.starts_with("smr-core/src/sync/") {
        return Vec::new();
    }
    let (code, starts) = source.code();
    // Positions of what is no white space, so that a path may be broken.
    let dense: Vec<(usize, char)> = code
        .char_indices()
        .filter(|(_, c)| !c.is_whitespace())
        .collect();
    let text: String = dense.iter().map(|(_, c)| *c).collect();
    let mut lines = BTreeSet::new();
    for krate in ["core", "std"] {
        for (at, path) in text.match_indices(&format!("{krate}::sync::")) {
            let rest = &text[at + path.len()..];
            let named = match rest.strip_prefix('{') {
                Some(group) => group.split('}').next().unwrap_or(group),
                None => rest,
            };
            let direct = named.starts_with("atomic");
            let grouped = rest.starts_with('{') && named.contains("atomic");
            if direct || grouped {
                lines.insert(at);
            }
        }
    }
    for checker in ["loom::", "shuttle::"] {
        lines.extend(text.match_indices(checker).map(|(at, _)| at));
    }
    lines
        .into_iter()
        .map(|at| {
            // What precedes is ASCII or counted in characters either way.
            let position = dense[text[..at].chars().count()].0;
            let line = starts.partition_point(|start| *start <= position) - 1;
            source.at(line, "atomics come through `smr_core::sync` only")
        })
        .collect()
}

/// Structures know the core, and not each other; the core knows none of them.
pub(crate) fn arrows(source: &Source) -> Vec<String> {
    let Some(own) = LIBRARIES
        .iter()
        .find(|name| source.path.starts_with(&format!("{name}/")))
    else {
        return Vec::new();
    };
    let manifest = source.path.ends_with("/Cargo.toml");
    if !manifest && !in_library(source) {
        return Vec::new();
    }
    let strangers: Vec<String> = LIBRARIES
        .iter()
        .filter(|name| *name != own && **name != "smr-core")
        .map(|name| {
            if manifest {
                (*name).to_owned()
            } else {
                name.replace('-', "_")
            }
        })
        .collect();
    let named = |text: &str| strangers.iter().any(|name| text.contains(name.as_str()));
    let lines: Vec<&str> = if manifest {
        source.text.lines().collect()
    } else {
        source.lines.iter().map(|line| line.code.as_str()).collect()
    };
    let lines = lines.into_iter().enumerate();
    lines
        .filter(|(_, line)| named(line))
        .map(|(number, _)| source.at(number, "structures do not know each other"))
        .collect()
}

/// The longest file, in lines.
const LONGEST: usize = 600;

/// A file is about one thing, and short enough to be read in one go.
pub(crate) fn size(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    if !source.path.ends_with(".rs") || lines <= LONGEST {
        return Vec::new();
    }
    vec![format!(
        "{}: {lines} lines: split it by subject",
        source.path
    )]
}

/// Faces that contain unsafe code, and why it is not in a `raw` module.
pub(crate) const FACES: [(&str, &str); 12] = [
    (
        "smr-core/src/atomic.rs",
        "unsafe functions of the epoch API pass a promise on",
    ),
    ("smr-core/src/barrier.rs", "the system call on Windows"),
    (
        "smr-core/src/domain.rs",
        "a transparent view of what slots know",
    ),
    ("smr-core/src/fork.rs", "`pthread_atfork`"),
    ("smr-core/src/guard.rs", "what a guard promises to threads"),
    (
        "smr-core/src/owned.rs",
        "unsafe functions of the epoch API pass a promise on",
    ),
    (
        "smr-core/src/pointer.rs",
        "an unsafe trait of the epoch API and its two implementors",
    ),
    (
        "smr-core/src/pool.rs",
        "a pool makes its inside when it is first used",
    ),
    (
        "smr-core/src/local_pool.rs",
        "unsafe functions of the pool pass a promise on",
    ),
    (
        "smr-core/src/pool_box.rs",
        "a box owns the value in its item",
    ),
    (
        "smr-core/src/shared.rs",
        "unsafe functions of the epoch API pass a promise on",
    ),
    (
        "smr-core/src/sync/model.rs",
        "numbers that loom watches, and sections that open none",
    ),
];

fn unsafe_lines(source: &Source) -> impl Iterator<Item = usize> + '_ {
    let relies = |code: &str| {
        code.match_indices("unsafe").any(|(at, word)| {
            let whole = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let rest = code[at + word.len()..].trim_start();
            whole
                && ["{", "impl", "extern"]
                    .iter()
                    .any(|next| rest.starts_with(next))
        })
    };
    let lines = source.lines.iter().enumerate();
    lines.filter_map(move |(number, line)| relies(&line.code).then_some(number))
}

/// Unsafe code lives in `raw` modules and on the listed faces.
pub(crate) fn unsafe_rooms(source: &Source) -> Vec<String> {
    let is_face = FACES.iter().any(|(path, _reason)| *path == source.path);
    if !in_library(source) || source.path.contains("/src/raw/") || is_face {
        return Vec::new();
    }
    unsafe_lines(source)
        .map(|line| source.at(line, "unsafe code belongs into a `raw` module"))
        .collect()
}

/// Faces that are listed and contain no unsafe code.
pub(crate) fn idle_faces(sources: &[Source]) -> Vec<&'static str> {
    let needs = |path: &str| {
        let mut found = sources.iter().filter(|source| source.path == path);
        found.any(|source| unsafe_lines(source).next().is_some())
    };
    let faces = FACES.iter().map(|(path, _reason)| *path);
    faces.filter(|path| !needs(path)).collect()
}

/// No work is left for later, no test and no snippet is skipped without a word.
pub(crate) fn finished(source: &Source) -> Vec<String> {
    // In pieces, or this file would complain about itself.
    let comments = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["```ig", "nore"]];
    let codes = [
        ["to", "do!"],
        ["unimple", "mented!"],
        ["db", "g!"],
        ["#[ig", "nore]"],
    ];
    let any = |words: &[[&str; 2]], text: &str| words.iter().any(|w| text.contains(&w.concat()));
    let lines = source.lines.iter().enumerate();
    lines
        .filter(|(_, line)| any(&comments, &line.comment) || any(&codes, &line.code))
        .map(|(number, _)| source.at(number, "finish it, or say why not"))
        .collect()
}

const ORDERINGS: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];

/// How many lines above an ordering its reason may begin.
const REACH: usize = 6;

/// Every ordering that is spelled out names its partner, or says why it needs
/// none: in a comment near by, or for the field as a whole in the section
/// "Orderings" at the head of the file.
pub(crate) fn orderings(source: &Source) -> Vec<String> {
    let concerned = source.path.contains("/src/raw/")
        || ["clock.rs", "barrier.rs"]
            .map(|name| format!("smr-core/src/{name}"))
            .contains(&source.path);
    if !in_library(source) || !concerned {
        return Vec::new();
    }
    let (code, starts) = source.code();
    let head = orderings_at_the_head(source);
    let mut complaints = Vec::new();
    let mut told = BTreeSet::new();
    for (at, path) in code.match_indices("Ordering::") {
        let rest = &code[at + path.len()..];
        let Some(name) = ORDERINGS.iter().find(|name| rest.starts_with(**name)) else {
            continue;
        };
        let line = starts.partition_point(|start| *start <= at) - 1;
        let near = (line.saturating_sub(REACH)..=line)
            .map(|line| source.lines[line].comment.as_str())
            .collect::<Vec<_>>()
            .join("\n");
        let by_head = accessed(&code[..at])
            .is_some_and(|field| head.contains(&format!("`{field}`")) && head.contains(name));
        if !(gives_reason(&near, name) || by_head) && told.insert(line) {
            let what = format!("{name}: which partner, or why none?");
            complaints.push(source.at(line, &what));
        }
    }
    complaints
}

fn gives_reason(comment: &str, ordering: &str) -> bool {
    let word = |word: &str| comment.contains(word);
    match ordering {
        "Relaxed" => word("Relaxed"),
        _ => {
            word(ordering)
                && ["pairs", "pair ", "fence", "barrier", "sees", "happens"]
                    .iter()
                    .any(|w| word(w))
        }
    }
}

/// The section "Orderings" of the module's documentation.
fn orderings_at_the_head(source: &Source) -> String {
    let head = source.lines.iter().map(|line| line.comment.as_str());
    let head = head.take_while(|comment| comment.starts_with("//!"));
    let section = head.skip_while(|comment| !comment.contains("# Orderings"));
    section.collect::<Vec<_>>().join("\n")
}

/// The field or variable whose method the code before an ordering calls.
fn accessed(before: &str) -> Option<&str> {
    let methods = [
        ".load(",
        ".store(",
        ".swap(",
        ".compare_exchange",
        ".fetch_",
    ];
    let call = methods
        .iter()
        .filter_map(|method| before.rfind(method))
        .max()?;
    let mut owner = before[..call].trim_end();
    // What stands before an index, or before the arguments of a call.
    while let Some(open) = owner.chars().next_back().and_then(|last| match last {
        ']' => Some('['),
        ')' => Some('('),
        _ => None,
    }) {
        owner = &owner[..owner.rfind(open)?];
    }
    let start = owner.rfind(|c: char| !(c.is_alphanumeric() || c == '_'));
    Some(&owner[start.map_or(0, |at| at + 1)..])
}

/// Links of the project's pages lead to files.
pub(crate) fn links(source: &Source) -> Vec<String> {
    if !source.path.ends_with(".md") {
        return Vec::new();
    }
    let here = root().join(&source.path);
    let here = here.parent().expect("a file is in a directory");
    let mut complaints = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        for link in line.split("](").skip(1) {
            let link = link.split(')').next().unwrap_or(link);
            let path = link.split('#').next().unwrap_or(link);
            let elsewhere = link.contains("://") || link.starts_with("mailto:") || path.is_empty();
            if !elsewhere && is_path(path) && !here.join(path).exists() {
                complaints.push(source.at(number, &format!("{path} does not exist")));
            }
        }
    }
    complaints
}

/// Links of rustdoc in included pages name items, not files.
fn is_path(link: &str) -> bool {
    !link.contains("::") && (link.contains('/') || link.contains('.'))
}

/// No file names a place that exists on one machine only.
pub(crate) fn machine_paths(source: &Source) -> Vec<String> {
    let places = [["/ho", "me/"], ["/ro", "ot/"], ["/Us", "ers/"]].map(|parts| parts.concat());
    let lines = source.text.lines().enumerate();
    lines
        .filter(|(_, line)| places.iter().any(|place| line.contains(place)))
        .map(|(number, _)| source.at(number, "a path of one machine"))
        .collect()
}
