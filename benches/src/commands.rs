//! The commands beside the plain comparison.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::{Args, Parser, Subcommand};

use crate::cli::Cli;
use crate::trace;

/// Compares safe memory reclamation by sequences, and structures over it, with
/// their peers.
#[derive(Debug, Parser)]
#[command(name = "smr-bench", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    /// Without one: the comparison, printed.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// What to compare.
    #[command(flatten)]
    pub(crate) run: Cli,
}

/// What there is to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compares, and writes a page with tables and plots.
    ///
    /// At full length when it is written to a file (some hours for all suites),
    /// unless --short is given; otherwise briefly, to the terminal.
    Report(Box<ReportArgs>),
    /// Tells what changed from one file of records to another.
    ///
    /// A figure has changed when the spreads of both files do not overlap. Ends
    /// with 0 if nothing has become worse, with 1 if something has, and with 2 if
    /// the files cannot be compared.
    Diff(DiffArgs),
    /// Indexes the words of a folder of text, by each map in turn.
    Index(WorkArgs),
    /// Serves the pages of a folder of files, by each cache in turn.
    Pages(WorkArgs),
    /// Stores what valgrind's lackey tells on the standard input as a trace of pages.
    Trace(TraceArgs),
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Writes the page here; records and comma-separated values go beside it, with
    /// endings of their own, unless they are given other places.
    #[arg(long, value_name = "PATH")]
    pub(crate) html: Option<PathBuf>,

    /// Writes the figures here, as comma-separated values.
    #[arg(long, value_name = "PATH")]
    pub(crate) csv: Option<PathBuf>,

    /// Writes the tables here, in Markdown.
    #[arg(long, value_name = "PATH")]
    pub(crate) markdown: Option<PathBuf>,

    /// Replaces the tables in this file, between its two marks.
    #[arg(long, value_name = "PATH")]
    pub(crate) readme: Option<PathBuf>,

    /// Runs nothing, and takes the records of these files.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["json", "resume", "short"])]
    pub(crate) from: Vec<PathBuf>,

    /// Runs briefly.
    #[arg(long)]
    pub(crate) short: bool,

    /// What to compare.
    #[command(flatten)]
    pub(crate) run: Cli,
}

impl ReportArgs {
    /// Whether the runs are brief, unless options say otherwise.
    pub(crate) fn brief(&self) -> bool {
        let to_files = self.html.is_some() || self.csv.is_some() || self.markdown.is_some();
        self.short || (self.run.suites.is_empty() && !to_files && self.run.json.is_none())
    }

    /// Gives what belongs to a page its place beside it.
    pub(crate) fn complete(&mut self) {
        let Some(page) = self.html.clone().filter(|page| *page != Path::new("-")) else {
            return;
        };
        self.csv.get_or_insert_with(|| page.with_extension("csv"));
        if self.from.is_empty() {
            let json = &mut self.run.json;
            json.get_or_insert_with(|| page.with_extension("jsonl"));
        }
    }
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The records before.
    pub(crate) before: PathBuf,
    /// The records after.
    pub(crate) after: PathBuf,

    /// Changes of a median by less than this share are no changes.
    #[arg(long, value_name = "SHARE", default_value_t = 0.03)]
    pub(crate) least: f64,

    /// Asks whether the files tell the same, as a brief run and a long one should:
    /// ends with 0 if nine of ten figures agree within their spreads (times and rates
    /// relative to the median subject of their comparison), and at most one in a hundred
    /// orders of two subjects is reversed, else with 1.
    #[arg(long)]
    pub(crate) agree: bool,
}

/// Arguments of `index` and `pages`.
#[derive(Debug, Args)]
pub(crate) struct WorkArgs {
    /// A folder.
    pub(crate) path: PathBuf,

    /// Threads that work.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,

    /// Requests of `pages`, of all threads together.
    #[arg(long, value_name = "N", default_value_t = 2_000_000)]
    pub(crate) requests: usize,

    /// Runs of each.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) runs: usize,

    /// Only these.
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    pub(crate) subjects: Option<Vec<String>>,

    /// Writes the records here, one JSON object a line.
    #[arg(long, value_name = "PATH")]
    pub(crate) json: Option<PathBuf>,

    /// Does one run of this subject, and prints its figures: what the runs are
    /// made of, each a process of its own.
    #[arg(long, value_name = "NAME", hide = true)]
    pub(crate) one: Option<String>,
}

/// Arguments of `trace`.
#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    /// Writes the trace here.
    pub(crate) to: PathBuf,
}

/// Stores a trace.
///
/// # Errors
///
/// When the input cannot be read, is too much, or the file cannot be written.
pub(crate) fn trace(arguments: &TraceArgs) -> io::Result<()> {
    let trace = trace::reduce(io::stdin().lock())?;
    let stored = trace::pack(&trace).map_err(io::Error::other)?;
    fs::write(&arguments.to, &stored)?;
    let pages: BTreeSet<u64> = trace.iter().copied().collect();
    println!(
        "{} references to {} pages in {} bytes",
        trace.len(),
        pages.len(),
        stored.len()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn suites_stand_beside_commands() {
        let plain = Arguments::parse_from(["smr-bench", "churn", "--runs", "2"]);
        assert!(plain.command.is_none());
        assert_eq!(plain.run.runs, Some(2));
        let report = Arguments::parse_from(["smr-bench", "report", "churn", "--html", "x"]);
        let Some(Command::Report(report)) = report.command else {
            panic!("a command");
        };
        assert_eq!(report.run.suites.len(), 1);
        assert!(!report.brief());
    }

    #[test]
    fn records_and_values_lie_beside_the_page() {
        let places = |arguments: &[&str]| match Arguments::parse_from(arguments).command {
            Some(Command::Report(mut report)) => {
                report.complete();
                let told = |path: Option<PathBuf>| path.map(|path| path.display().to_string());
                (told(report.csv), told(report.run.json))
            }
            other => panic!("{other:?}"),
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            places(&["smr-bench", "report", "--html", "a/x.html"]),
            (some("a/x.csv"), some("a/x.jsonl"))
        );
        assert_eq!(
            places(&[
                "smr-bench",
                "report",
                "--html",
                "x.html",
                "--from",
                "y.jsonl"
            ]),
            (some("x.csv"), None)
        );
        assert_eq!(
            places(&["smr-bench", "report", "--html", "x.html", "--json", "y"]),
            (some("x.csv"), some("y"))
        );
        assert_eq!(
            places(&["smr-bench", "report", "--html", "-"]),
            (None, None)
        );
    }

    #[test]
    fn a_report_to_the_terminal_is_brief() {
        let brief = |arguments: &[&str]| match Arguments::parse_from(arguments).command {
            Some(Command::Report(report)) => report.brief(),
            other => panic!("{other:?}"),
        };
        assert!(brief(&["smr-bench", "report"]));
        assert!(!brief(&["smr-bench", "report", "--html", "x"]));
        assert!(brief(&["smr-bench", "report", "--html", "x", "--short"]));
    }
}
