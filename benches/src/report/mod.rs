//! The report: a page, comma-separated values, and tables in Markdown.
//!
//! Everything is made of the records alone. A suite that the command line does
//! not know, or a metric that nobody has described, appears as the others do.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::commands::ReportArgs;
use crate::journal::{Header, Journal};
use crate::record::Record;
use crate::table;

mod about;
mod chart;
mod family;
mod figures;
mod markdown;
mod page;
mod palette;
mod scale;
mod values;

/// What there is to report.
#[derive(Debug)]
pub(crate) struct Findings<'r> {
    /// How the figures were taken, for each file that they come from.
    pub(crate) headers: Vec<Header>,
    /// The figures.
    pub(crate) records: &'r [Record],
    /// Comparisons that were planned and are not complete.
    pub(crate) missing: usize,
}

/// Where the report goes.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    html: Option<PathBuf>,
    csv: Option<PathBuf>,
    markdown: Option<PathBuf>,
}

impl Outputs {
    /// As the command line says.
    pub(crate) fn new(arguments: &ReportArgs) -> Self {
        Self {
            html: arguments.html.clone(),
            csv: arguments.csv.clone(),
            markdown: arguments.markdown.clone(),
        }
    }

    /// Writes the report.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub(crate) fn write(&self, findings: &Findings<'_>) -> io::Result<()> {
        if let Some(path) = &self.html {
            write(path, &page::render(findings))?;
        }
        if let Some(path) = &self.csv {
            write(path, &values::render(findings.records))?;
        }
        if let Some(path) = &self.markdown {
            write(path, &markdown::render(findings.records))?;
        }
        Ok(())
    }

    /// Says where it went.
    pub(crate) fn tell(&self) {
        for path in [&self.html, &self.csv, &self.markdown]
            .into_iter()
            .flatten()
        {
            if path != Path::new("-") {
                eprintln!("written: {}", path.display());
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.html.is_none() && self.csv.is_none() && self.markdown.is_none()
    }
}

/// Writes a file as a whole, so that there is never half a page; `-` is the
/// standard output.
fn write(path: &Path, text: &str) -> io::Result<()> {
    if path == Path::new("-") {
        return io::stdout().write_all(text.as_bytes());
    }
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".part");
    let told =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    fs::write(&fresh, text).map_err(told)?;
    fs::rename(&fresh, path).map_err(told)
}

/// Reports what files of records hold.
///
/// # Errors
///
/// When a file cannot be read or written, or when nothing is left of them.
pub(crate) fn render(arguments: &ReportArgs) -> io::Result<()> {
    let (mut headers, mut records) = (Vec::new(), Vec::new());
    for path in &arguments.from {
        let journal = Journal::read(path)?;
        headers.extend(journal.header);
        records.extend(journal.records);
    }
    records.retain(|record| wanted(arguments, record));
    if records.is_empty() {
        let message = "there are no such records";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let outputs = Outputs::new(arguments);
    outputs.write(&Findings {
        headers: headers.clone(),
        records: &records,
        missing: 0,
    })?;
    if outputs.is_empty() {
        for header in headers {
            println!("{}", header.machine);
        }
        for records in table::comparisons(&records) {
            println!("{}", table::render(&records));
        }
    }
    outputs.tell();
    Ok(())
}

/// Whether the options ask for a record.
fn wanted(arguments: &ReportArgs, record: &Record) -> bool {
    let run = &arguments.run;
    let suites = &run.suites;
    let threads = run.threads.as_ref();
    let subjects = run.subjects.as_ref();
    (suites.is_empty() || suites.iter().any(|suite| suite.name() == record.suite))
        && threads.is_none_or(|threads| threads.contains(&record.threads))
        && subjects.is_none_or(|subjects| subjects.contains(&record.subject))
}
