//! Programs from end to end, over real input.
//!
//! Each run is a process of its own, so that the most memory it ever occupied is
//! its own too: the harness starts itself with the name of one subject, and reads
//! one line. Subjects take turns, as in the suites; all of them must give the
//! same answer. The input is read once before, so no run finds it cold. A file of
//! records has after each run those of all runs so far.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};

use crate::commands::WorkArgs;
use crate::journal::{self, Header, Pace};
use crate::machine::{self, Machine};
use crate::record::{Key, Metric, Record, Sample, summarise};
use crate::table;

pub(crate) mod index;
pub(crate) mod pages;

/// What one run says, in a line.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Outcome {
    /// All of the output in one number.
    answer: u64,
    /// The output in a few words.
    told: String,
    /// The figures.
    figures: BTreeMap<Metric, f64>,
}

/// How much a run does.
#[derive(Clone, Copy, Debug)]
struct Load {
    /// Threads that work.
    threads: usize,
    /// Requests of `pages`, of all threads together.
    requests: usize,
}

/// One who takes part: a name, a description, and one run over these files.
type Contender = (
    &'static str,
    &'static str,
    fn(&[PathBuf], Load) -> io::Result<Outcome>,
);

/// Measures the work of a process.
#[derive(Debug)]
struct Meter {
    wall: Instant,
    cpu: Option<Duration>,
}

impl Meter {
    fn start() -> Self {
        Self {
            wall: Instant::now(),
            cpu: processor_time(),
        }
    }

    /// The figures so far.
    fn read(&self) -> BTreeMap<Metric, f64> {
        let mut figures = BTreeMap::new();
        figures.insert(Metric::WallTime, self.wall.elapsed().as_nanos() as f64);
        if let (Some(before), Some(now)) = (self.cpu, processor_time()) {
            figures.insert(Metric::CpuTime, (now - before).as_nanos() as f64);
        }
        if let Some(bytes) = most_resident() {
            figures.insert(Metric::PeakResident, bytes as f64);
        }
        figures
    }
}

/// Processor time of all threads of this process so far.
fn processor_time() -> Option<Duration> {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let seconds = Duration::from_secs(time.tv_sec.try_into().ok()?);
        Some(seconds + Duration::from_nanos(time.tv_nsec.try_into().ok()?))
    }
    #[cfg(not(unix))]
    None
}

/// The most memory that this process has occupied, where the system tells.
fn most_resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

/// The files below a folder, in an order that is always the same.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Does what the command asks: one run, or all of them.
///
/// # Errors
///
/// When the folder cannot be read, when a run fails, or when two subjects do not
/// agree.
fn run(
    suite: &'static str,
    arguments: &WorkArgs,
    contenders: &[Contender],
    wanted: impl Fn(&Path) -> bool,
) -> io::Result<()> {
    let refuse = |message: String| Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    let mut files = files(&arguments.path)?;
    files.retain(|path| wanted(path));
    if files.is_empty() {
        return refuse(format!("{}: nothing to work on", arguments.path.display()));
    }
    let load = Load {
        threads: arguments.threads.unwrap_or_else(machine::cores).max(1),
        requests: arguments.requests,
    };
    if let Some(name) = &arguments.one {
        let Some((.., work)) = contenders.iter().find(|(known, ..)| known == name) else {
            return refuse(format!("no subject is called {name}"));
        };
        let outcome = work(&files, load)?;
        println!("{}", serde_json::to_string(&outcome)?);
        return Ok(());
    }
    let names: Vec<&str> = contenders.iter().map(|(name, ..)| *name).collect();
    for name in arguments.subjects.iter().flatten() {
        if !names.contains(&name.as_str()) {
            return refuse(format!("no subject is called {name}: {}", names.join(", ")));
        }
    }
    let wants = |name: &str| {
        let subjects = arguments.subjects.as_ref();
        subjects.is_none_or(|subjects| subjects.iter().any(|wanted| wanted == name))
    };
    let chosen: Vec<&Contender> = contenders.iter().filter(|(name, ..)| wants(name)).collect();
    compare(suite, arguments, load, &files, &chosen)
}

fn compare(
    suite: &'static str,
    arguments: &WorkArgs,
    load: Load,
    files: &[PathBuf],
    chosen: &[&Contender],
) -> io::Result<()> {
    let machine = Machine::inspect();
    println!("{machine}\n");
    for (name, about, _) in chosen {
        println!("{name:<16}{about}");
    }
    let mut bytes = 0;
    for path in files {
        bytes += fs::read(path)?.len();
    }
    let runs = arguments.runs.max(1);
    let bar = ProgressBar::with_draw_target(
        Some((runs * chosen.len()) as u64),
        ProgressDrawTarget::stderr(),
    );
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} (left: {eta}) {wide_msg}")
            .expect("a valid template"),
    );
    let folder = arguments
        .path
        .file_name()
        .unwrap_or(arguments.path.as_os_str());
    let key = Key {
        suite: suite.to_owned(),
        workload: folder.to_string_lossy().into_owned(),
        threads: load.threads,
    };
    let summed = |samples: &[Vec<Sample>]| -> Vec<Record> {
        let rows = chosen.iter().zip(samples);
        rows.flat_map(|((name, ..), samples)| summarise(&key, name, samples))
            .collect()
    };
    let pace = Pace {
        short: false,
        seconds: None,
        runs: Some(runs),
        pinned: false,
    };
    let header = Header { machine, pace };
    let mut samples: Vec<Vec<Sample>> = chosen.iter().map(|_| Vec::new()).collect();
    let mut answer: Option<(&str, Outcome)> = None;
    for round in 0..runs {
        for turn in 0..chosen.len() {
            let at = (turn + round) % chosen.len();
            let name = chosen[at].0;
            bar.set_message(name);
            let outcome = process(suite, &arguments.path, load, name)?;
            let figures = outcome.figures.iter();
            samples[at].extend(figures.map(|(metric, value)| Sample::new(*metric, *value)));
            match &answer {
                Some((first, known)) if known.answer != outcome.answer => {
                    let message = format!(
                        "{first} and {name} disagree: {} and {}",
                        known.told, outcome.told
                    );
                    return Err(io::Error::other(message));
                }
                Some(_) => {}
                None => answer = Some((name, outcome)),
            }
            if let Some(path) = &arguments.json {
                journal::begin(path, &header, &summed(&samples))?;
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let records = summed(&samples);
    if let Some((_, outcome)) = answer {
        println!(
            "\n{} files, {:.1} MiB; all agree: {} (checksum {:016x})",
            files.len(),
            bytes as f64 / 1_048_576.0,
            outcome.told,
            outcome.answer
        );
    }
    println!("{}", table::render(&records));
    for line in table::verdict(&records) {
        println!("  {line}");
    }
    Ok(())
}

/// One run of a subject, in a process of its own.
fn process(suite: &str, path: &Path, load: Load, name: &str) -> io::Result<Outcome> {
    let output = Command::new(std::env::current_exe()?)
        .arg(suite)
        .arg(path)
        .args(["--threads", &load.threads.to_string()])
        .args(["--requests", &load.requests.to_string()])
        .args(["--one", name])
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("{name} has failed")));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with a few files of text, gone at the end of the test.
    pub(super) struct Folder(pub(super) PathBuf);

    impl Folder {
        pub(super) fn new(name: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("smr-bench-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(path.join("b")).expect("a folder");
            let words = |times: usize| "one two three_3 two\n".repeat(times);
            fs::write(path.join("a.txt"), words(700)).expect("written");
            fs::write(path.join("b/c.md"), words(900) + "end").expect("written");
            fs::write(path.join("b/none"), "").expect("written");
            Self(path)
        }

        pub(super) fn files(&self) -> Vec<PathBuf> {
            files(&self.0).expect("readable")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// All give the same answer, with each of these numbers of threads.
    pub(super) fn all_agree(
        contenders: &[Contender],
        files: &[PathBuf],
        threads: &[usize],
    ) -> Outcome {
        let mut first: Option<Outcome> = None;
        for (name, _, work) in contenders {
            for &threads in threads {
                let load = Load {
                    threads,
                    requests: 20_000,
                };
                let outcome = work(files, load).expect("it works");
                assert!(outcome.figures[&Metric::WallTime] > 0.0, "{name}");
                if let Some(first) = &first {
                    assert_eq!(outcome.answer, first.answer, "{name}");
                    assert_eq!(outcome.told, first.told, "{name}");
                }
                first.get_or_insert(outcome);
            }
        }
        first.expect("somebody takes part")
    }

    #[test]
    fn files_are_found_in_order() {
        let folder = Folder::new("files");
        let names: Vec<String> = folder
            .files()
            .iter()
            .map(|path| {
                let below = path.strip_prefix(&folder.0).expect("below the folder");
                below.to_string_lossy().into_owned()
            })
            .collect();
        assert_eq!(names, ["a.txt", "b/c.md", "b/none"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_meter_sees_what_is_used() {
        let meter = Meter::start();
        let mut held = vec![1_u64; 4 << 20];
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(30) {
            let words = held.iter_mut().take(1 << 16);
            words.for_each(|word| *word = std::hint::black_box(*word + 1));
        }
        let figures = meter.read();
        assert!(figures[&Metric::WallTime] >= 30e6);
        assert!(figures[&Metric::CpuTime] > 1e6);
        assert!(figures[&Metric::PeakResident] > (32 << 20) as f64);
        assert_ne!(held[7], 1);
    }
}
