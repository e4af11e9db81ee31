//! How the reference stands in a comparison, by the figure that counts first.

use crate::record::{Better, Metric, Record};
use crate::table::{self, REFERENCE, amount};

/// Where the reference is.
#[derive(Debug)]
pub(crate) enum Standing {
    /// Nobody comes near.
    Ahead,
    /// The spreads have something in common.
    Level,
    /// Behind whom, in words.
    Behind(String),
}

/// How often the reference stands where.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Comparisons that it leads.
    pub(crate) ahead: usize,
    /// Comparisons in which it is level with the best.
    pub(crate) level: usize,
    /// Where it is behind, in words.
    pub(crate) behind: Vec<String>,
}

impl Tally {
    /// Counts the comparisons of some records.
    pub(crate) fn of(records: &[Record]) -> Self {
        let mut tally = Self::default();
        for comparison in table::comparisons(records) {
            match standing(&comparison) {
                Some(Standing::Ahead) => tally.ahead += 1,
                Some(Standing::Level) => tally.level += 1,
                Some(Standing::Behind(whom)) => tally.behind.push(whom),
                None => {}
            }
        }
        tally
    }

    /// How many comparisons were counted.
    pub(crate) fn all(&self) -> usize {
        self.ahead + self.level + self.behind.len()
    }
}

/// The best of those who contend.
pub(crate) fn best<'r>(
    records: impl Iterator<Item = &'r Record>,
    metric: Metric,
) -> Option<&'r Record> {
    let contenders = records.filter(|record| record.metric == metric && table::contends(record));
    contenders.reduce(|best, other| {
        let ahead = match metric.better() {
            Better::Higher => other.median > best.median,
            _ => other.median < best.median,
        };
        if ahead { other } else { best }
    })
}

/// How the reference stands in a comparison.
pub(crate) fn standing(records: &[Record]) -> Option<Standing> {
    let &main = table::metrics(records).first()?;
    let better = main.better();
    if better == Better::Neither {
        return None;
    }
    let ours = table::find(records, REFERENCE, main)?;
    let others = records.iter().filter(|record| record.subject != REFERENCE);
    let best = best(others, main)?;
    let lead = match better {
        Better::Higher => best.median / ours.median,
        _ => ours.median / best.median,
    };
    Some(if !ours.is_apart(best) {
        Standing::Level
    } else if lead < 1.0 {
        Standing::Ahead
    } else {
        let lead = if lead.is_finite() {
            format!(" by {}", table::times(lead))
        } else {
            String::new()
        };
        Standing::Behind(format!(
            "{} · {}: {} leads{lead} ({} against {})",
            ours.workload,
            table::plural(ours.threads, "thread"),
            best.subject,
            amount(main, best.median),
            amount(main, ours.median),
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Key, Sample, summarise};

    fn records(smr: &[f64], other: &[f64]) -> Vec<Record> {
        let key = Key {
            suite: "novel".into(),
            workload: "w".into(),
            threads: 2,
        };
        let samples = |figures: &[f64]| -> Vec<Sample> {
            let all = figures.iter();
            all.map(|figure| Sample::new(Metric::Throughput, *figure))
                .collect()
        };
        [
            summarise(&key, REFERENCE, &samples(smr)),
            summarise(&key, "a<b", &samples(other)),
        ]
        .concat()
    }

    #[test]
    fn who_is_behind_is_said_so() {
        let stands = |smr: &[f64], other: &[f64]| standing(&records(smr, other));
        assert!(matches!(
            stands(&[4.0, 5.0], &[1.0, 2.0]),
            Some(Standing::Ahead)
        ));
        assert!(matches!(
            stands(&[1.0, 5.0], &[4.0, 6.0]),
            Some(Standing::Level)
        ));
        let Some(Standing::Behind(whom)) = stands(&[2.0, 2.0], &[4.0, 4.0]) else {
            panic!("behind");
        };
        assert!(whom.contains("a<b leads by 2.00×"), "{whom}");
    }

    #[test]
    fn a_tally_has_every_comparison_once() {
        let mut behind = records(&[2.0, 2.0], &[4.0, 4.0]);
        for record in &mut behind {
            record.workload = "v".into();
        }
        let all = [records(&[4.0, 5.0], &[1.0, 2.0]), behind].concat();
        let tally = Tally::of(&all);
        assert_eq!((tally.ahead, tally.level, tally.behind.len()), (1, 0, 1));
        assert_eq!(tally.all(), 2);
    }
}
