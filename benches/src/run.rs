//! Runs what the suites ask for, the subjects in turn.
//!
//! # Interleaving
//!
//! A machine drifts: its clock changes, neighbours come and go, its memory
//! fragments. If one subject were measured ten times and then the next, the
//! drift would be taken for a difference between them. So each round runs every
//! subject of a comparison once, and starts with another one than the round
//! before; the runs of a subject lie as far apart as the comparison is long.

use std::io::{self, IsTerminal};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::record::{Key, Record, Sample, summarise};

/// One subject on one workload.
pub(crate) struct Case {
    /// Who is measured.
    pub(crate) subject: &'static str,
    /// Does one run.
    pub(crate) run: Box<dyn Fn() -> Vec<Sample>>,
}

impl Case {
    /// A case.
    pub(crate) fn new(subject: &'static str, run: impl Fn() -> Vec<Sample> + 'static) -> Self {
        Self {
            subject,
            run: Box::new(run),
        }
    }
}

/// Cases that are compared with each other.
pub(crate) struct Comparison {
    /// What they have in common.
    pub(crate) key: Key,
    /// Who takes part. A subject may stand here twice, when part of its figures
    /// is taken in runs of its own.
    pub(crate) cases: Vec<Case>,
    /// Rounds.
    pub(crate) runs: usize,
}

impl Comparison {
    fn len(&self) -> u64 {
        (self.cases.len() * self.runs) as u64
    }

    /// Runs it to the end.
    fn run(&self, bar: &ProgressBar) -> Vec<Record> {
        let mut samples: Vec<Vec<Sample>> = self.cases.iter().map(|_| Vec::new()).collect();
        for round in 0..self.runs {
            for turn in 0..self.cases.len() {
                let index = (turn + round) % self.cases.len();
                let case = &self.cases[index];
                bar.set_message(format!(
                    "{} {} ×{} {}",
                    self.key.suite, self.key.workload, self.key.threads, case.subject
                ));
                samples[index].extend((case.run)());
                bar.inc(1);
            }
        }
        // A subject's cases share one row.
        let mut names: Vec<&str> = Vec::new();
        for case in &self.cases {
            if !names.contains(&case.subject) {
                names.push(case.subject);
            }
        }
        names
            .into_iter()
            .flat_map(|name| {
                let own: Vec<Sample> = self
                    .cases
                    .iter()
                    .zip(&samples)
                    .filter(|(case, _)| case.subject == name)
                    .flat_map(|(_, samples)| samples.iter().cloned())
                    .collect();
                summarise(&self.key, name, &own)
            })
            .collect()
    }
}

/// Runs all comparisons, and hands each over as soon as it is complete. How far it is
/// and how long it will take is told by a bar, or line by line where that goes to no
/// terminal.
///
/// # Errors
///
/// What `complete` returns.
pub(crate) fn run_all<E>(
    comparisons: &[Comparison],
    mut complete: impl FnMut(&[Record]) -> Result<(), E>,
) -> Result<(), E> {
    let total: u64 = comparisons.iter().map(Comparison::len).sum();
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} (left: {eta}) {wide_msg}")
            .expect("a valid template"),
    );
    for comparison in comparisons {
        let records = comparison.run(&bar);
        // The bar steps aside while tables are printed.
        bar.suspend(|| complete(&records))?;
        if !io::stderr().is_terminal() && bar.position() < total {
            let left = HumanDuration(bar.eta());
            eprintln!("{} of {total} runs, about {left} left", bar.position());
        }
    }
    bar.finish_and_clear();
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;
    use crate::record::Metric;

    #[test]
    fn subjects_take_turns_and_share_their_row() {
        let order = Rc::new(RefCell::new(Vec::new()));
        let case = |subject: &'static str, metric: Metric| {
            let order = Rc::clone(&order);
            Case::new(subject, move || {
                order.borrow_mut().push(subject);
                vec![Sample::new(metric, 1.0)]
            })
        };
        let comparison = Comparison {
            key: Key {
                suite: "free".into(),
                workload: "w".into(),
                threads: 1,
            },
            cases: vec![
                case("a", Metric::Throughput),
                case("b", Metric::Throughput),
                case("a", Metric::FreeToUseP50),
            ],
            runs: 2,
        };
        let mut records = Vec::new();
        run_all(&[comparison], |done| {
            records.extend_from_slice(done);
            Ok::<(), ()>(())
        })
        .expect("nothing fails");
        assert_eq!(*order.borrow(), ["a", "b", "a", "b", "a", "a"]);
        assert_eq!(records.len(), 3);
        assert!(records.iter().all(|record| record.runs == 2));
    }
}
