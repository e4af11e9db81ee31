//! What was recorded.

use std::collections::BTreeMap;

/// One operation: what was asked, what was answered, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<Op, Ret> {
    /// The stamp that was taken before the call.
    pub invoked: u64,
    /// The stamp that was taken after the return.
    pub responded: u64,
    /// The operation with its arguments.
    pub op: Op,
    /// What it returned.
    pub ret: Ret,
}

/// An operation on one key of a map or a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyed<K, Op> {
    /// The key.
    pub key: K,
    /// What is done to it.
    pub op: Op,
}

/// Records of completed operations, sorted by their invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History<Op, Ret> {
    records: Vec<Record<Op, Ret>>,
}

impl<Op, Ret> History<Op, Ret> {
    /// A history of these records, which may come in any order.
    ///
    /// # Panics
    ///
    /// If an operation responded before it was invoked, or if a stamp stands there
    /// twice: the order of the two would be anybody's guess.
    #[must_use]
    pub fn new(mut records: Vec<Record<Op, Ret>>) -> Self {
        records.sort_unstable_by_key(|record| record.invoked);
        let mut stamps = Vec::with_capacity(records.len() * 2);
        for record in &records {
            assert!(record.invoked < record.responded, "responded too early");
            stamps.extend([record.invoked, record.responded]);
        }
        stamps.sort_unstable();
        let distinct = stamps.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(distinct, "a stamp was taken twice");
        Self { records }
    }

    /// The records, sorted by their invocation.
    #[must_use]
    pub fn records(&self) -> &[Record<Op, Ret>] {
        &self.records
    }

    /// The number of operations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many operations began before an earlier one had ended: a history without
    /// any says nothing about concurrency.
    #[must_use]
    pub fn overlaps(&self) -> usize {
        let mut latest = 0;
        let mut count = 0;
        for record in &self.records {
            count += usize::from(record.invoked < latest);
            latest = latest.max(record.responded);
        }
        count
    }

    /// Adds an operation that was done when all others had returned, such as a look at
    /// what they left.
    pub fn push_last(&mut self, op: Op, ret: Ret) {
        let ends = self.records.iter().map(|record| record.responded);
        let invoked = ends.max().map_or(0, |last| last + 1);
        self.records.push(Record {
            invoked,
            responded: invoked + 1,
            op,
            ret,
        });
    }
}

impl<K: Ord, Op, Ret> History<Keyed<K, Op>, Ret> {
    /// One history a key.
    #[must_use]
    pub fn split(self) -> BTreeMap<K, History<Op, Ret>> {
        let mut parts = BTreeMap::new();
        for record in self.records {
            let Keyed { key, op } = record.op;
            let part: &mut History<Op, Ret> = parts.entry(key).or_insert_with(|| History {
                records: Vec::new(),
            });
            // They come sorted.
            part.records.push(Record {
                invoked: record.invoked,
                responded: record.responded,
                op,
                ret: record.ret,
            });
        }
        parts
    }
}
