//! `diff --agree`: whether two files tell the same.
//!
//! A brief run and a long one of the same code should. Two questions:
//!
//! - Do the figures agree? Two do when their spreads have something in common, or
//!   when their medians are closer than a given share. A machine has moods that last
//!   for minutes and that all subjects of a comparison share: times and rates are taken
//!   relative to its median subject, where it has three subjects or more.
//! - Do they put subjects in the same order? Of two subjects, one is better in a
//!   file when their spreads there are apart. An order that is the other way
//!   around in the other file is reversed.
//!
//! Spreads hold the median 95 times of 100 at best. So not all must agree. A figure of
//! a single run has no spread, and is left out.

use std::collections::BTreeMap;

use super::{distance, line};
use crate::record::{Better, Metric, Record, median};

/// The share of the figures that must agree.
const FIGURES: f64 = 0.9;
/// The share of the orders that may be reversed.
const REVERSED: f64 = 0.01;

/// Fewer subjects than these have no median that is not one of them or between two.
const SUBJECTS: usize = 3;

/// A figure in both files, and how the machine was in the second.
struct Pair<'r> {
    old: &'r Record,
    new: &'r Record,
    /// What all of the comparison went up by.
    mood: f64,
}

/// Prints how far two files agree; whether that is enough.
pub(super) fn tell(pairs: &[(&Record, &Record)], least: f64) -> bool {
    let pairs: Vec<(&Record, &Record)> = pairs
        .iter()
        .filter(|(old, new)| old.metric.better() != Better::Neither && old.runs.min(new.runs) > 1)
        .copied()
        .collect();
    let (agreeing, mut apart): (Vec<Pair<'_>>, Vec<Pair<'_>>) = relative(&pairs)
        .into_iter()
        .partition(|pair| pair.agrees(least));
    apart.sort_by(|a, b| distance(b.old, b.new).total_cmp(&distance(a.old, a.new)));
    if !apart.is_empty() {
        println!("\nbeyond the spread of both:");
    }
    for pair in &apart {
        let mood = if pair.mood == 1.0 {
            String::new()
        } else {
            format!(" ({:+.1}% all of them)", (pair.mood - 1.0) * 100.0)
        };
        println!("  {}{mood}", line(pair.old, pair.new));
    }
    let mut suites: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for pair in &agreeing {
        let (good, all) = suites.entry(&pair.old.suite).or_default();
        *good += 1;
        *all += 1;
    }
    for pair in &apart {
        suites.entry(&pair.old.suite).or_default().1 += 1;
    }
    println!("\nfigures that agree:");
    for (suite, (good, all)) in suites {
        println!("  {suite:<10}{good:>5} of {all}");
    }
    let (kept, reversed) = orders(&pairs);
    for (one, other) in &reversed {
        println!(
            "reversed: {} {} ×{}: {} and {}",
            one.suite, one.workload, one.threads, one.subject, other.subject
        );
    }
    let good = enough(agreeing.len(), pairs.len(), kept, reversed.len());
    println!(
        "\n{} of {} figures agree, {kept} orders are the same, {} are reversed: the files {}",
        agreeing.len(),
        pairs.len(),
        reversed.len(),
        if good { "agree" } else { "do not agree" },
    );
    good
}

impl Pair<'_> {
    fn agrees(&self, least: f64) -> bool {
        let Self { old, new, mood } = *self;
        let apart = old.high() < new.low() / mood || new.high() / mood < old.low();
        !apart || (new.median / mood - old.median).abs() <= least * old.median.abs()
    }
}

/// The comparison that a record is of.
fn comparison(record: &Record) -> (&str, &str, usize, Metric) {
    let Record {
        suite,
        workload,
        threads,
        metric,
        ..
    } = record;
    (suite, workload, *threads, *metric)
}

/// Each figure with the mood of its comparison.
fn relative<'r>(pairs: &[(&'r Record, &'r Record)]) -> Vec<Pair<'r>> {
    let mut changes: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for (old, new) in pairs {
        if old.metric.is_speed() && old.median > 0.0 && new.median > 0.0 {
            let change = new.median / old.median;
            changes.entry(comparison(old)).or_default().push(change);
        }
    }
    changes.retain(|_, changes| changes.len() >= SUBJECTS);
    let moods: BTreeMap<_, f64> = changes
        .into_iter()
        .map(|(comparison, mut changes)| (comparison, median(&mut changes)))
        .collect();
    let of = |&(old, new)| Pair {
        old,
        new,
        mood: moods.get(&comparison(old)).copied().unwrap_or(1.0),
    };
    pairs.iter().map(of).collect()
}

fn enough(agreeing: usize, figures: usize, kept: usize, reversed: usize) -> bool {
    agreeing as f64 >= FIGURES * figures as f64
        && reversed as f64 <= REVERSED * (kept + reversed) as f64
}

/// How many pairs of subjects are in the same order in both files, and those that
/// are not.
fn orders<'r>(pairs: &[(&'r Record, &'r Record)]) -> (usize, Vec<(&'r Record, &'r Record)>) {
    let (mut kept, mut reversed) = (0, Vec::new());
    for (at, (old, new)) in pairs.iter().enumerate() {
        for (other_old, other_new) in &pairs[at + 1..] {
            let of_one = comparison(old) == comparison(other_old);
            if !of_one || !old.is_apart(other_old) || !new.is_apart(other_new) {
                continue;
            }
            if (old.median < other_old.median) == (new.median < other_new.median) {
                kept += 1;
            } else {
                reversed.push((*old, *other_old));
            }
        }
    }
    (kept, reversed)
}

#[cfg(test)]
mod tests {
    use super::super::tests::record;
    use super::*;

    fn of(subject: &str, figures: &[f64]) -> Record {
        let mut record = record(Metric::TimePerOp, figures);
        record.subject = subject.into();
        record
    }

    #[test]
    fn figures_agree_within_their_spreads_or_a_share() {
        let old = of("smr", &[10.0, 12.0]);
        let agrees = |new: &Record, least: f64| {
            let pairs = relative(&[(&old, new)]);
            pairs[0].agrees(least)
        };
        assert!(agrees(&of("smr", &[12.0, 14.0]), 0.0));
        assert!(!agrees(&of("smr", &[12.1, 14.0]), 0.0));
        assert!(agrees(&of("smr", &[12.1, 14.0]), 0.5));
    }

    #[test]
    fn a_machine_that_is_slower_for_all_changes_no_figure_of_a_comparison() {
        let names = ["a", "b", "c"];
        let all = |figures: [f64; 3]| -> Vec<Record> {
            let each = names.iter().zip(figures);
            each.map(|(name, figure)| of(name, &[figure, 1.1 * figure]))
                .collect()
        };
        let agreeing = |olds: &[Record], news: &[Record]| {
            let pairs: Vec<_> = olds.iter().zip(news).collect();
            let pairs = relative(&pairs);
            pairs.iter().filter(|pair| pair.agrees(0.03)).count()
        };
        let olds = all([1.0, 5.0, 9.0]);
        assert_eq!(agreeing(&olds, &all([2.0, 10.0, 18.0])), 3);
        // One alone, and two, who have no median.
        assert_eq!(agreeing(&olds, &all([1.0, 5.0, 18.0])), 2);
        assert_eq!(agreeing(&olds[..2], &all([2.0, 10.0, 18.0])[..2]), 0);
        // Memory has no moods.
        let bytes = |figure: f64| record(Metric::HeapBytes, &[figure, figure]);
        let (olds, news) = ([1.0, 2.0, 3.0].map(bytes), [2.0, 4.0, 6.0].map(bytes));
        assert_eq!(agreeing(&olds, &news), 0);
    }

    #[test]
    fn an_order_is_kept_or_reversed_only_where_both_files_have_one() {
        let (a, b) = (of("a", &[1.0, 2.0]), of("b", &[3.0, 4.0]));
        let close = of("b", &[1.5, 4.0]);
        let (kept, reversed) = orders(&[(&a, &a), (&b, &b)]);
        assert_eq!((kept, reversed.len()), (1, 0));
        let (kept, reversed) = orders(&[(&a, &b), (&b, &a)]);
        assert_eq!((kept, reversed.len()), (0, 1));
        let (kept, reversed) = orders(&[(&a, &a), (&b, &close)]);
        assert_eq!((kept, reversed.len()), (0, 0));
    }

    #[test]
    fn nine_of_ten_figures_and_all_but_one_in_a_hundred_orders_are_enough() {
        assert!(enough(90, 100, 99, 1));
        assert!(!enough(89, 100, 99, 1));
        assert!(!enough(90, 100, 98, 2));
    }
}
