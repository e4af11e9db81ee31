//! Comparisons that differ in one number: of threads, or in the workload's name.

use crate::record::Record;

/// Comparisons of one suite, with what they differ by.
#[derive(Debug)]
pub(crate) struct Family<'r> {
    /// The suite.
    pub(crate) suite: &'r str,
    /// The workload; the number that varies is a star.
    pub(crate) pattern: String,
    /// The number of threads, unless that varies.
    pub(crate) threads: Option<usize>,
    /// Each value of the number, with its comparison; ascending.
    pub(crate) members: Vec<(u64, Vec<&'r Record>)>,
}

impl<'r> Family<'r> {
    fn add(&mut self, number: u64, record: &'r Record) {
        match self.members.iter_mut().find(|(known, _)| *known == number) {
            Some((_, records)) => records.push(record),
            None => self.members.push((number, vec![record])),
        }
    }
}

/// One family a workload, by the number of threads.
pub(crate) fn by_threads(records: &[Record]) -> Vec<Family<'_>> {
    let mut families: Vec<Family<'_>> = Vec::new();
    for record in records {
        let same = |family: &&mut Family<'_>| {
            family.suite == record.suite && family.pattern == record.workload
        };
        let family = match families.iter_mut().find(same) {
            Some(family) => family,
            None => push(&mut families, record, record.workload.clone(), None),
        };
        family.add(record.threads as u64, record);
    }
    sorted(families)
}

/// Families of at least `least` workloads that differ in one number.
pub(crate) fn by_number(records: &[Record], least: usize) -> Vec<Family<'_>> {
    let mut families: Vec<Family<'_>> = Vec::new();
    for record in records {
        let Some((pattern, number)) = numbered(&record.workload) else {
            continue;
        };
        let threads = Some(record.threads);
        let same = |family: &&mut Family<'_>| {
            family.suite == record.suite && family.pattern == pattern && family.threads == threads
        };
        let family = match families.iter_mut().find(same) {
            Some(family) => family,
            None => push(&mut families, record, pattern, threads),
        };
        family.add(number, record);
    }
    families.retain(|family| family.members.len() >= least);
    sorted(families)
}

fn push<'f, 'r>(
    families: &'f mut Vec<Family<'r>>,
    record: &'r Record,
    pattern: String,
    threads: Option<usize>,
) -> &'f mut Family<'r> {
    families.push(Family {
        suite: &record.suite,
        pattern,
        threads,
        members: Vec::new(),
    });
    families.last_mut().expect("just pushed")
}

fn sorted(mut families: Vec<Family<'_>>) -> Vec<Family<'_>> {
    for family in &mut families {
        family.members.sort_by_key(|(number, _)| *number);
    }
    families
}

/// The first part of a workload that is a number, and the others around a star.
fn numbered(workload: &str) -> Option<(String, u64)> {
    let mut parts: Vec<&str> = workload.split('/').collect();
    let at = parts.iter().position(|part| part.parse::<u64>().is_ok())?;
    let number = parts[at].parse().ok()?;
    parts[at] = "*";
    Some((parts.join("/"), number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::records;

    #[test]
    fn workloads_that_differ_in_a_number_belong_together() {
        let all = [
            records("random/1024", &["x"]),
            records("random/128", &["x"]),
            records("random", &["x"]),
        ]
        .concat();
        let families = by_number(&all, 2);
        assert_eq!(families.len(), 1);
        assert_eq!(families[0].pattern, "random/*");
        let numbers: Vec<u64> = families[0].members.iter().map(|(n, _)| *n).collect();
        assert_eq!(numbers, [128, 1024]);
        assert_eq!(by_threads(&all).len(), 3);
    }
}
