//! What the figures were taken on.

use std::fmt;
use std::fs;
use std::thread;

/// Facts that a reader of the figures needs.
#[derive(Debug)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    memory_mib: Option<u64>,
    system: String,
    load: Option<f64>,
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
        Self {
            load,
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

fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "cpu        {} ({} usable cores)", self.cpu, self.cores)?;
        if let Some(mib) = self.memory_mib {
            writeln!(f, "memory     {mib} MiB")?;
        }
        writeln!(f, "system     {}", self.system)?;
        if let Some(load) = self.load.filter(|load| *load >= 0.5) {
            writeln!(
                f,
                "load       {load}: others are at work, trust ratios only"
            )?;
        }
        writeln!(
            f,
            "allocator  the system's, behind a per-thread count of bytes"
        )?;
        let profile = if cfg!(debug_assertions) {
            "DEBUG BUILD: the figures mean nothing"
        } else {
            "release"
        };
        write!(f, "compiler   {} ({profile})", env!("SMR_BENCH_RUSTC"))
    }
}
