//! `diff --agree`: whether two files tell the same.
//!
//! A brief run and a long one of the same code should. Two questions:
//!
//! - Do the figures agree? Two do when their spreads have something in common, or
//!   when their medians are closer than a given share.
//! - Do they put subjects in the same order? Of two subjects, one is better in a
//!   file when their spreads there are apart. An order that is the other way
//!   around in the other file is reversed.
//!
//! Spreads hold the median 95 times of 100 at best, and three times of four where
//! there are three runs, and machines have moods that last. So not all must agree.

use std::collections::BTreeMap;

use super::{distance, line};
use crate::record::{Better, Record};

/// The share of the figures that must agree.
const FIGURES: f64 = 0.9;
/// The share of the orders that may be reversed.
const REVERSED: f64 = 0.01;

/// Prints how far two files agree; whether that is enough.
pub(super) fn tell(pairs: &[(&Record, &Record)], least: f64) -> bool {
    let pairs: Vec<(&Record, &Record)> = pairs
        .iter()
        .filter(|(old, _)| old.metric.better() != Better::Neither)
        .copied()
        .collect();
    let (agreeing, mut apart): (Vec<_>, Vec<_>) = pairs
        .iter()
        .copied()
        .partition(|(old, new)| agrees(old, new, least));
    apart.sort_by(|a, b| distance(b.0, b.1).total_cmp(&distance(a.0, a.1)));
    if !apart.is_empty() {
        println!("\nbeyond the spread of both:");
    }
    for (old, new) in &apart {
        println!("  {}", line(old, new));
    }
    let mut suites: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (old, new) in &pairs {
        let (good, all) = suites.entry(&old.suite).or_default();
        *good += usize::from(agrees(old, new, least));
        *all += 1;
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

fn agrees(old: &Record, new: &Record, least: f64) -> bool {
    !old.is_apart(new) || (new.median - old.median).abs() <= least * old.median.abs()
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
            let of_one = (&old.suite, &old.workload, old.threads, old.metric)
                == (
                    &other_old.suite,
                    &other_old.workload,
                    other_old.threads,
                    other_old.metric,
                );
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
    use crate::record::Metric;

    fn of(subject: &str, figures: &[f64]) -> Record {
        let mut record = record(Metric::TimePerOp, figures);
        record.subject = subject.into();
        record
    }

    #[test]
    fn figures_agree_within_their_spreads_or_a_share() {
        let old = of("smr", &[10.0, 11.0, 12.0]);
        assert!(agrees(&old, &of("smr", &[12.0, 14.0]), 0.0));
        assert!(!agrees(&old, &of("smr", &[12.1, 14.0]), 0.0));
        assert!(agrees(&old, &of("smr", &[12.1, 14.0]), 0.5));
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
