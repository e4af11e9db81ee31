//! Bins against a `VecDeque` of entries with their goals.

use std::cell::Cell;
use std::collections::VecDeque;

use proptest::prelude::*;

use crate::raw::bins::{Bins, Held};
use crate::raw::bucket::Bucket;
use crate::tunables::{FINE_POLL_ITEMS, MAX_BUCKET_BYTES, MAX_BUCKET_ITEMS, MAX_POLL_ITEMS};

#[derive(Debug, Clone, Copy)]
enum Op {
    Push {
        bytes: usize,
        times: usize,
    },
    Seal,
    /// The read hand follows the write hand, at this distance.
    Read(u64),
    Expire,
    Pop,
    TakeAll,
    TakeReady,
    TakeExpired,
    WriteOff,
    /// Fills other bins and takes them over.
    Absorb {
        items: usize,
        popped: usize,
    },
    Polled(bool),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..3000_usize, 1..40_usize).prop_map(|(bytes, times)| Op::Push { bytes, times }),
        1 => Just(Op::Push { bytes: MAX_BUCKET_BYTES, times: 1 }),
        2 => Just(Op::Seal),
        3 => (0..4_u64).prop_map(Op::Read),
        3 => Just(Op::Expire),
        6 => Just(Op::Pop),
        1 => Just(Op::TakeAll),
        1 => Just(Op::TakeReady),
        1 => Just(Op::TakeExpired),
        1 => Just(Op::WriteOff),
        1 => (0..50_usize, 0..50_usize).prop_map(|(items, popped)| Op::Absorb { items, popped }),
        1 => any::<bool>().prop_map(Op::Polled),
    ]
}

/// Whether and since when an entry may go, as a bucket's worth of them.
struct Sealed {
    goal: u64,
    entries: Vec<u32>,
    /// On the account still.
    account: Held,
}

#[derive(Default)]
struct Model {
    open: Vec<u32>,
    open_bytes: usize,
    sealed: VecDeque<Sealed>,
    ready: Vec<u32>,
}

impl Model {
    fn seal(&mut self, goal: u64) {
        if self.open.is_empty() {
            return;
        }
        let entries = std::mem::take(&mut self.open);
        let account = Held {
            items: entries.len(),
            bytes: std::mem::take(&mut self.open_bytes),
        };
        self.sealed.push_back(Sealed {
            goal,
            entries,
            account,
        });
    }

    fn expire(&mut self, rd: u64) -> Option<Held> {
        if !self.ready.is_empty() || self.sealed.front()?.goal > rd {
            return None;
        }
        let first = self.sealed.pop_front()?;
        self.ready = first.entries;
        Some(first.account)
    }
}

fn run(ops: &[Op]) {
    let (wr, mut rd) = (Cell::new(10_u64), 10);
    let advance = || {
        wr.set(wr.get() + 1);
        wr.get()
    };
    let mut bins = Bins::<u32>::default();
    bins.fit(MAX_POLL_ITEMS);
    let mut model = Model::default();
    let mut next = 0;
    let mut limit = 0;
    for op in ops {
        match *op {
            Op::Push { bytes, times } => {
                for _ in 0..times {
                    let before = wr.get();
                    let sealed = bins.push(next, bytes, Bucket::with_capacity, advance);
                    model.open.push(next);
                    model.open_bytes += bytes;
                    next += 1;
                    assert_eq!(sealed, wr.get() == before + 1, "one advance a bucket");
                    if sealed {
                        // By number, by bytes, and never smaller than before
                        // unless by bytes.
                        let len = model.open.len();
                        assert!(len <= MAX_BUCKET_ITEMS as usize);
                        assert!(len >= limit || model.open_bytes >= MAX_BUCKET_BYTES);
                        limit = limit.max((len * 2).min(MAX_BUCKET_ITEMS as usize));
                        if model.open_bytes >= MAX_BUCKET_BYTES {
                            limit = 0;
                        }
                        model.seal(wr.get());
                    } else {
                        assert!(model.open_bytes < MAX_BUCKET_BYTES);
                    }
                }
            }
            Op::Seal => {
                let goal = advance();
                bins.seal(goal);
                model.seal(goal);
            }
            Op::Read(behind) => rd = rd.max(wr.get() - behind),
            Op::Expire => assert_eq!(bins.expire(rd), model.expire(rd)),
            Op::Pop => assert_eq!(bins.pop_ready(), model.ready.pop()),
            Op::TakeAll => check(&bins.take_all(), &std::mem::take(&mut model)),
            Op::TakeReady => {
                let taken = bins.take_ready_bucket().map(|b| b.entries().to_vec());
                let ready = std::mem::take(&mut model.ready);
                assert_eq!(taken.unwrap_or_default(), ready);
            }
            Op::TakeExpired => {
                let expired = model.sealed.front().is_some_and(|first| first.goal <= rd);
                let first = expired.then(|| model.sealed.pop_front().unwrap());
                let taken = bins.take_expired(rd).map(|bucket| {
                    (
                        bucket.goal(),
                        bucket.entries().to_vec(),
                        bucket.on_account(),
                    )
                });
                let first = first.map(|first| (first.goal, first.entries, first.account));
                assert_eq!(taken, first);
            }
            Op::WriteOff => {
                let mut expired = Held::default();
                for sealed in &mut model.sealed {
                    if sealed.goal <= rd {
                        sealed.goal = 0;
                        expired += std::mem::take(&mut sealed.account);
                    }
                }
                assert_eq!(bins.write_off(rd), expired);
                assert_eq!(bins.write_off(rd), Held::default(), "once");
            }
            Op::Absorb { items, popped } => {
                let mut other = Bins::default();
                let mut theirs = Model::default();
                for _ in 0..items {
                    if other.push(next, 8, Bucket::with_capacity, advance) {
                        theirs.open.push(next);
                        theirs.open_bytes += 8;
                        theirs.seal(wr.get());
                    } else {
                        theirs.open.push(next);
                        theirs.open_bytes += 8;
                    }
                    next += 1;
                }
                let goal = advance();
                other.seal(goal);
                theirs.seal(goal);
                assert_eq!(other.expire(u64::MAX), theirs.expire(u64::MAX));
                for _ in 0..popped {
                    assert_eq!(other.pop_ready(), theirs.ready.pop());
                }
                bins.absorb(other);
                if !theirs.ready.is_empty() {
                    model.sealed.push_front(Sealed {
                        goal: 0,
                        entries: theirs.ready,
                        account: Held::default(),
                    });
                }
                model.sealed.extend(theirs.sealed);
            }
            Op::Polled(expired) => {
                let waits = bins.backlog().items;
                bins.polled(expired, 5);
                assert_eq!(bins.is_due(5), expired && waits >= 5);
                // Not a part of the model: as it was.
                bins.polled(true, 5);
            }
        }
        check(&bins, &model);
    }
    // Everything comes out, oldest first.
    bins.seal(advance());
    model.seal(wr.get());
    assert_eq!(bins.take_ready_bucket().is_some(), !model.ready.is_empty());
    while let Some(bucket) = bins.take_sealed() {
        let first = model.sealed.pop_front().unwrap();
        assert_eq!(bucket.entries(), first.entries);
    }
    assert!(model.sealed.is_empty() && bins.is_empty());
}

fn check(bins: &Bins<u32>, model: &Model) {
    let backlog: usize = model.sealed.iter().map(|sealed| sealed.entries.len()).sum();
    assert_eq!(bins.backlog().items, backlog);
    assert_eq!(bins.retired().items, backlog + model.open.len());
    let bytes: usize = model.sealed.iter().map(|sealed| sealed.account.bytes).sum();
    assert_eq!(bins.backlog().bytes, bytes);
    assert_eq!(bins.retired().bytes, bytes + model.open_bytes);
    assert_eq!(bins.ready_items(), model.ready.len());
    assert_eq!(
        bins.next_goal(),
        model.sealed.front().map(|sealed| sealed.goal)
    );
    assert_eq!(
        bins.owes(),
        model.sealed.iter().any(|sealed| sealed.goal != 0)
    );
    assert_eq!(
        bins.is_empty(),
        backlog == 0 && model.open.is_empty() && model.ready.is_empty()
    );
}

proptest! {
    #[test]
    fn bins_keep_order_goals_and_accounts(ops in prop::collection::vec(op(), 1..100)) {
        run(&ops);
    }
}

#[test]
fn a_failed_poll_puts_the_next_one_off() {
    let mut bins = Bins::default();
    let push = |bins: &mut Bins<u32>, items: u32| {
        for item in 0..items {
            bins.push(item, 1, Bucket::with_capacity, || 5);
        }
        bins.seal(5);
    };
    push(&mut bins, 99);
    assert!(!bins.is_due(100));
    push(&mut bins, 1);
    assert!(bins.is_due(100));
    bins.polled(false, 100);
    push(&mut bins, 99);
    assert!(!bins.is_due(100), "as much again must have come");
    push(&mut bins, 1);
    assert!(bins.is_due(100));
    bins.polled(true, 100);
    assert!(bins.is_due(100));
    // The longer it lasts, the seldomer.
    push(&mut bins, 600);
    bins.polled(false, 100);
    push(&mut bins, 399);
    assert!(!bins.is_due(100), "half of what waited must have come");
    push(&mut bins, 1);
    assert!(bins.is_due(100));
}

#[test]
fn idle_bins_are_small_and_buckets_grow_with_demand() {
    let mut bins = Bins::<u32>::default();
    bins.fit(MAX_POLL_ITEMS);
    let mut sizes = Vec::new();
    let mut before = 0;
    for item in 0..2000 {
        if bins.push(item, 1, Bucket::with_capacity, || 5) {
            sizes.push(item + 1 - before);
            before = item + 1;
        }
    }
    assert_eq!(sizes[..9], [1, 2, 4, 8, 16, 32, 64, 128, 256]);
    assert!(sizes[9..].iter().all(|size| *size == MAX_BUCKET_ITEMS));
}

#[test]
fn buckets_are_as_fine_as_polls_are_frequent() {
    let mut bins = Bins::<u32>::default();
    let mut size_after = |step: usize| {
        let (mut last, mut size) = (0, 0);
        for item in 1..=2000 {
            if bins.push(item, 1, Bucket::with_capacity, || 5) {
                (last, size) = (item, item - last);
                bins.fit(step);
                // What is used up is open next, unless it is too large.
                let mut used_up = bins.take_sealed().unwrap();
                while used_up.pop().is_some() {}
                bins.reuse(used_up);
            }
        }
        bins.seal(5);
        while bins.take_sealed().is_some() {}
        size
    };
    assert_eq!(size_after(MAX_POLL_ITEMS), MAX_BUCKET_ITEMS);
    assert_eq!(size_after(100), 16);
    assert_eq!(size_after(1), 1);
    assert_eq!(size_after(FINE_POLL_ITEMS), MAX_BUCKET_ITEMS);
}

#[test]
fn buckets_that_bytes_fill_stay_small() {
    let mut bins = Bins::<u32>::default();
    for item in 0..2000 {
        assert!(bins.push(item, MAX_BUCKET_BYTES, Bucket::with_capacity, || 5));
    }
    let mut largest = 0;
    while let Some(bucket) = bins.take_sealed() {
        largest = largest.max(bucket.capacity());
    }
    assert!(largest <= 2, "room for {largest} where one is used");
}
