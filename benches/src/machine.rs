//! What the figures were taken on.

use std::fmt;
use std::fs;
use std::process::Command;
use std::thread;

use serde::{Deserialize, Serialize};

use crate::alloc;

/// Facts that a reader of the figures needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    cpu: String,
    /// Threads that can run at a time.
    pub(crate) cores: usize,
    memory_mib: Option<u64>,
    system: String,
    /// How many were at work at the start.
    load: Option<f64>,
    allocator: String,
    compiler: String,
    commit: Option<String>,
}

impl Machine {
    /// Asks the system.
    pub(crate) fn inspect() -> Self {
        let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".into());
        let memory_mib = field("/proc/meminfo", "MemTotal")
            .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
            .map(|kib| kib / 1024);
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let load = fs::read_to_string("/proc/loadavg")
            .ok()
            .and_then(|text| text.split_whitespace().next()?.parse().ok());
        let profile = if cfg!(debug_assertions) {
            "DEBUG BUILD: the figures mean nothing"
        } else {
            "release"
        };
        Self {
            load,
            allocator: format!("{}, behind a per-thread count of bytes", alloc::NAME),
            compiler: format!("{} ({profile})", env!("SMR_BENCH_RUSTC")),
            commit: commit(),
            cpu,
            cores: cores(),
            memory_mib,
            system: format!(
                "{} {} {}",
                std::env::consts::OS,
                release.trim(),
                std::env::consts::ARCH
            ),
        }
    }
}

/// The number of threads that can run at a time.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, Into::into)
}

/// Numbers of threads for suites that vary them: doubled from one to eight times
/// the processors.
pub(crate) fn ladder() -> Vec<usize> {
    let most = 8 * cores();
    let mut steps: Vec<usize> = (0..)
        .map(|step| 1 << step)
        .take_while(|threads| *threads < most)
        .collect();
    steps.extend([cores(), most]);
    steps.sort_unstable();
    steps.dedup();
    steps
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The commit of the sources, where they still lie and git tells; and whether
/// they have changed since.
fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-C", env!("CARGO_MANIFEST_DIR")]);
        let output = command.args(arguments).output().ok()?;
        output.status.success().then_some(())?;
        let text = String::from_utf8(output.stdout).ok()?;
        Some(text.trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changes = git(&["status", "--porcelain", "--untracked-files=no"])?;
    let changed = if changes.is_empty() {
        ""
    } else {
        " with changes"
    };
    Some(commit + changed)
}

impl Machine {
    /// Each fact with its name.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![("cpu", format!("{} ({} usable cores)", self.cpu, self.cores))];
        if let Some(mib) = self.memory_mib {
            facts.push(("memory", format!("{mib} MiB")));
        }
        facts.push(("system", self.system.clone()));
        if let Some(load) = self.load.filter(|load| *load >= 0.5) {
            let text = format!("{load}: others are at work, trust ratios only");
            facts.push(("load", text));
        }
        facts.push(("allocator", self.allocator.clone()));
        facts.push(("compiler", self.compiler.clone()));
        if let Some(commit) = &self.commit {
            facts.push(("commit", commit.clone()));
        }
        facts
    }

    /// The names of the facts that differ; the load is no fact about a machine.
    pub(crate) fn differs(&self, other: &Self) -> Vec<&'static str> {
        let pairs = [
            ("cpu", self.cpu != other.cpu),
            ("cores", self.cores != other.cores),
            ("memory", self.memory_mib != other.memory_mib),
            ("system", self.system != other.system),
            ("allocator", self.allocator != other.allocator),
            ("compiler", self.compiler != other.compiler),
            ("commit", self.commit != other.commit),
        ];
        let differing = pairs.into_iter().filter(|(_, differs)| *differs);
        differing.map(|(name, _)| name).collect()
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.facts();
        for (at, (name, fact)) in facts.iter().enumerate() {
            let end = if at + 1 < facts.len() { "\n" } else { "" };
            write!(f, "{name:<11}{fact}{end}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_go_from_one_to_eight_times_the_processors() {
        let steps = ladder();
        assert_eq!((steps[0], steps[steps.len() - 1]), (1, 8 * cores()));
        assert!(steps.is_sorted() && steps.contains(&cores()));
    }

    #[test]
    fn a_machine_differs_by_what_it_is_and_not_by_its_load() {
        let machine = Machine::inspect();
        let mut other = machine.clone();
        other.load = Some(99.0);
        assert_eq!(machine.differs(&other), [""; 0]);
        other.cores += 1;
        other.commit = Some("another".into());
        assert_eq!(machine.differs(&other), ["cores", "commit"]);
    }
}
