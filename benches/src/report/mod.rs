//! The report: a page, comma-separated values, tables in Markdown, and those of
//! the README.
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
mod front;
mod markdown;
mod page;
mod palette;
mod scale;
mod standing;
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
    readme: Option<PathBuf>,
}

impl Outputs {
    /// As the command line says.
    pub(crate) fn new(arguments: &ReportArgs) -> Self {
        Self {
            html: arguments.html.clone(),
            csv: arguments.csv.clone(),
            markdown: arguments.markdown.clone(),
            readme: arguments.readme.clone(),
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
        // A part of the comparisons does not replace all of them.
        if let Some(path) = self.readme.as_ref().filter(|_| findings.missing == 0) {
            let named = |error: io::Error| named(path, &error);
            let page = fs::read_to_string(path).map_err(named)?;
            write(path, &front::placed(&page, findings).map_err(named)?)?;
        }
        Ok(())
    }

    /// Says where it went.
    pub(crate) fn tell(&self) {
        for path in [&self.html, &self.csv, &self.markdown, &self.readme]
            .into_iter()
            .flatten()
        {
            if path != Path::new("-") {
                eprintln!("written: {}", path.display());
            }
        }
    }

    fn is_empty(&self) -> bool {
        [&self.html, &self.csv, &self.markdown, &self.readme]
            .into_iter()
            .all(Option::is_none)
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
    let named = |error: io::Error| named(path, &error);
    fs::write(&fresh, text).map_err(named)?;
    fs::rename(&fresh, path).map_err(named)
}

/// An error with the file that it is about.
fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
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

/// The suites in the order in which they were run, each with its records.
fn suites(records: &[Record]) -> Vec<(String, Vec<Record>)> {
    let mut suites: Vec<(String, Vec<Record>)> = Vec::new();
    for record in records {
        match suites.iter_mut().find(|(name, _)| *name == record.suite) {
            Some((_, own)) => own.push(record.clone()),
            None => suites.push((record.suite.clone(), vec![record.clone()])),
        }
    }
    suites
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
