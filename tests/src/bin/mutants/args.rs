//! What the command line asks for.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// What the command line asks for.
pub(super) struct Chosen {
    pub(super) which: Which,
    pub(super) table: Option<PathBuf>,
    /// The models pass without any mutant: that need not be tried.
    pub(super) passed: bool,
    /// Try each mutant on the model that killed it, and on no other.
    pub(super) known: bool,
    /// Look for the models of this crate that no mutant fails.
    pub(super) idle: Option<String>,
}

impl Chosen {
    pub(super) fn from_args(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let usage = "usage: mutants [--part K/N | --only NAME] [--table FILE | --known] \
                     [--passed], or mutants --idle CRATE";
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
        let mut has = |option: &str| {
            let given = args.len();
            args.retain(|arg| arg != option);
            args.len() != given
        };
        let (passed, known) = (has("--passed"), has("--known"));
        if known && table.is_some() {
            return Err(usage.to_owned());
        }
        let which = Which::from_args(args.into_iter()).ok_or(usage)??;
        Ok(Self {
            which,
            table,
            passed,
            known,
            idle,
        })
    }
}

/// Which mutants to try.
pub(super) enum Which {
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

    pub(super) fn of<'a>(&self, names: &'a BTreeSet<String>) -> Result<Vec<&'a str>, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(!passed.known);
        let known = parse(&["--known", "--passed"]).unwrap();
        assert!(known.known && known.passed && matches!(known.which, Which::All));
        assert!(parse(&["--known", "--table", "file"]).is_err());
        assert!(parse(&["--idle", "smr-core", "--known"]).is_err());
    }
}
