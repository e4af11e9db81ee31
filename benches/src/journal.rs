//! A file of records: one JSON object a line.
//!
//! The first line says what the figures were taken on and how long the runs
//! were ([`Header`]); the others are records. They are appended comparison by
//! comparison, so an interrupted run leaves a file that reads well; of a
//! comparison that was cut in the middle, a run that goes on takes nothing.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::record::{Key, Record};

/// What the figures of a file have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// Where they were taken.
    pub(crate) machine: Machine,
    /// How much was run.
    pub(crate) pace: Pace,
}

/// How much is run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pace {
    /// Briefly, or at full length.
    pub(crate) short: bool,
    /// Measured seconds of a run, if they were given.
    pub(crate) seconds: Option<f64>,
    /// Runs of each subject, if they were given.
    pub(crate) runs: Option<usize>,
    /// Whether threads are bound to processors where there are enough.
    pub(crate) pinned: bool,
}

#[derive(Serialize, Deserialize)]
struct HeaderLine {
    header: Header,
}

/// What a file holds.
#[derive(Debug)]
pub(crate) struct Journal {
    /// Files of earlier versions have none.
    pub(crate) header: Option<Header>,
    /// In the order in which they were taken.
    pub(crate) records: Vec<Record>,
}

impl Journal {
    /// Reads a file. A last line without an end was cut and is left out.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or a line is neither header nor record.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let told =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let text = std::fs::read_to_string(path).map_err(told)?;
        Self::parse(&text).map_err(told)
    }

    fn parse(text: &str) -> io::Result<Self> {
        let mut journal = Self {
            header: None,
            records: Vec::new(),
        };
        for (at, line) in text.split_inclusive('\n').enumerate() {
            let Some(line) = line.strip_suffix('\n') else {
                break;
            };
            if at == 0
                && let Ok(first) = serde_json::from_str::<HeaderLine>(line)
            {
                journal.header = Some(first.header);
                continue;
            }
            let record = serde_json::from_str(line).map_err(|error| {
                let message = format!("line {}: {error}", at + 1);
                io::Error::new(io::ErrorKind::InvalidData, message)
            })?;
            journal.records.push(record);
        }
        Ok(journal)
    }
}

/// Begins a file anew, with what is already known.
///
/// The old file stands until the new one is complete.
///
/// # Errors
///
/// When the file cannot be written.
pub(crate) fn begin(path: &Path, header: &Header, known: &[Record]) -> io::Result<File> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".part");
    let fresh = Path::new(&fresh);
    let mut text = serde_json::to_vec(&HeaderLine {
        header: header.clone(),
    })?;
    text.push(b'\n');
    lines(known, &mut text)?;
    std::fs::write(fresh, text)?;
    std::fs::rename(fresh, path)?;
    OpenOptions::new().append(true).open(path)
}

/// Appends the records of a comparison, in one go.
///
/// # Errors
///
/// When the file cannot be written.
pub(crate) fn append(file: &mut File, records: &[Record]) -> io::Result<()> {
    let mut text = Vec::new();
    lines(records, &mut text)?;
    file.write_all(&text)
}

fn lines(records: &[Record], text: &mut Vec<u8>) -> io::Result<()> {
    for record in records {
        serde_json::to_writer(&mut *text, record)?;
        text.push(b'\n');
    }
    Ok(())
}

/// Whether a record is of this comparison.
pub(crate) fn is_of(record: &Record, key: &Key) -> bool {
    record.suite == key.suite && record.workload == key.workload && record.threads == key.threads
}

/// The records of one comparison.
pub(crate) fn of_key<'r>(records: &'r [Record], key: &Key) -> impl Iterator<Item = &'r Record> {
    let key = key.clone();
    records.iter().filter(move |record| is_of(record, &key))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::record::{Metric, Sample, summarise};

    /// Some records of one comparison.
    pub(crate) fn records(workload: &str, subjects: &[&str]) -> Vec<Record> {
        let key = Key {
            suite: "free".into(),
            workload: workload.into(),
            threads: 1,
        };
        subjects
            .iter()
            .flat_map(|subject| summarise(&key, subject, &[Sample::new(Metric::TimePerOp, 2.5)]))
            .collect()
    }

    /// Of this machine.
    pub(crate) fn header() -> Header {
        Header {
            machine: Machine::inspect(),
            pace: Pace {
                short: true,
                seconds: Some(0.1),
                runs: None,
                pinned: true,
            },
        }
    }

    #[test]
    fn what_is_written_is_read_again_but_for_a_line_that_was_cut() {
        let folder = std::env::temp_dir().join(format!("smr-bench-journal-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the test");
        let path = folder.join("a.jsonl");
        let (first, second) = (records("a", &["x", "y"]), records("b", &["x"]));
        let mut file = begin(&path, &header(), &first).expect("written");
        append(&mut file, &second).expect("written");
        file.write_all(b"{\"suite\":\"fr").expect("written");
        let back = Journal::read(&path).expect("read");
        assert_eq!(back.header, Some(header_without_load(&back)));
        assert_eq!(back.records, [first, second].concat());
        std::fs::remove_dir_all(folder).expect("the folder was ours");
    }

    /// The load may have changed between two looks at the machine.
    fn header_without_load(back: &Journal) -> Header {
        let read = back.header.clone().expect("a header");
        assert_eq!(read.machine.differs(&header().machine), [""; 0]);
        Header {
            machine: read.machine,
            ..header()
        }
    }

    #[test]
    fn a_file_without_a_header_is_read_and_nonsense_is_refused() {
        let mut text = Vec::new();
        lines(&records("a", &["x"]), &mut text).expect("written");
        let mut text = String::from_utf8(text).expect("UTF-8");
        let journal = Journal::parse(&text).expect("records");
        assert_eq!((journal.header, journal.records.len()), (None, 1));
        text.push_str("nonsense\n");
        let error = Journal::parse(&text).expect_err("nonsense");
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
