//! Buckets against `Vec`, queues of them against `VecDeque`.

use std::collections::VecDeque;

use proptest::prelude::*;

use crate::raw::bins::Held;
use crate::raw::bucket::{Bucket, Fifo};

#[derive(Debug, Clone, Copy)]
enum Op {
    Push(usize),
    Pop,
    Grow(u32),
    /// Keeps what is not a multiple.
    Retain(u32),
    Goal(u64),
    Reset,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..1000_usize).prop_map(Op::Push),
        3 => Just(Op::Pop),
        2 => (0..40_u32).prop_map(Op::Grow),
        1 => (1..5_u32).prop_map(Op::Retain),
        1 => (0..9_u64).prop_map(Op::Goal),
        1 => Just(Op::Reset),
    ]
}

/// An entry: made from a number, turned back into it.
trait Entry: Copy {
    fn of(number: u32) -> Self;
    fn number(self) -> u32;
}

impl Entry for u32 {
    fn of(number: u32) -> Self {
        number
    }

    fn number(self) -> u32 {
        self
    }
}

impl Entry for [u64; 4] {
    fn of(number: u32) -> Self {
        [u64::from(number); 4]
    }

    fn number(self) -> u32 {
        assert!(self.iter().all(|word| *word == self[0]));
        self[0] as u32
    }
}

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Aligned(u32);

impl Entry for Aligned {
    fn of(number: u32) -> Self {
        Self(number)
    }

    fn number(self) -> u32 {
        assert!((&raw const self).is_aligned());
        self.0
    }
}

fn run<E: Entry>(ops: &[Op], capacity: u32) {
    let mut bucket = Bucket::<E>::with_capacity(capacity);
    let mut model = Vec::new();
    let (mut bytes, mut goal) = (0, 0);
    for (number, op) in (0..).zip(ops) {
        match *op {
            Op::Push(more) if bucket.len() < bucket.capacity() => {
                let room = bucket.push(E::of(number), more);
                assert_eq!(room, bucket.len() < bucket.capacity());
                model.push(number);
                bytes += more;
            }
            Op::Push(_) => {}
            Op::Pop => assert_eq!(bucket.pop().map(E::number), model.pop()),
            Op::Grow(limit) => {
                let before = bucket.capacity();
                bucket.grow(limit);
                assert!(bucket.capacity() >= before);
                assert!(bucket.capacity() <= before.max(limit).max(1));
                assert!(bucket.capacity() > before || before >= limit);
            }
            Op::Retain(divisor) => {
                let keep = |number: u32| !number.is_multiple_of(divisor);
                bucket.retain(|entry| keep(entry.number()));
                model.retain(|number| keep(*number));
                // The order is not kept.
                let mut kept: Vec<_> = bucket.entries().iter().map(|e| e.number()).collect();
                kept.sort_unstable();
                let mut sorted = model.clone();
                sorted.sort_unstable();
                assert_eq!(kept, sorted);
                model = bucket.entries().iter().map(|e| e.number()).collect();
            }
            Op::Goal(new) => {
                bucket.set_goal(new);
                goal = new;
            }
            Op::Reset => {
                bucket.reset();
                (bytes, goal) = (0, 0);
            }
        }
        assert_eq!(bucket.len() as usize, model.len());
        assert!(
            bucket
                .entries()
                .iter()
                .map(|e| e.number())
                .eq(model.iter().copied())
        );
        assert_eq!((bucket.bytes(), bucket.goal()), (bytes, goal));
        let items = model.len();
        let on_account = if goal == 0 {
            Held::default()
        } else {
            Held { items, bytes }
        };
        assert_eq!(bucket.on_account(), on_account);
    }
}

#[derive(Debug, Clone, Copy)]
enum QueueOp {
    Back(u32),
    Front(u32),
    Pop,
    Retain(u32),
}

fn queue_op() -> impl Strategy<Value = QueueOp> {
    prop_oneof![
        4 => (0..4_u32).prop_map(QueueOp::Back),
        2 => (0..4_u32).prop_map(QueueOp::Front),
        3 => Just(QueueOp::Pop),
        1 => (1..4_u32).prop_map(QueueOp::Retain),
    ]
}

fn filled(number: u32, len: u32) -> (Bucket<u32>, Vec<u32>) {
    let entries: Vec<u32> = (number..number + len).collect();
    let mut bucket = Bucket::with_capacity(len);
    for (room, entry) in (0..len).rev().zip(&entries) {
        assert_eq!(bucket.push(*entry, 1), room != 0);
    }
    (bucket, entries)
}

proptest! {
    #[test]
    fn a_bucket_is_a_bounded_stack(
        ops in prop::collection::vec(op(), 1..100),
        capacity in 0..20_u32,
    ) {
        run::<u32>(&ops, capacity);
        run::<[u64; 4]>(&ops, capacity);
        run::<Aligned>(&ops, capacity);
    }

    #[test]
    fn a_fifo_is_a_queue_of_buckets(ops in prop::collection::vec(queue_op(), 1..100)) {
        let mut queue = Fifo::<u32>::default();
        let mut model = VecDeque::<Vec<u32>>::new();
        for (number, op) in (0..).map(|n| n * 10).zip(ops) {
            match op {
                QueueOp::Back(len) => {
                    let (bucket, entries) = filled(number, len);
                    queue.push_back(bucket);
                    model.push_back(entries);
                }
                QueueOp::Front(len) => {
                    let (bucket, entries) = filled(number, len);
                    queue.push_front(bucket);
                    model.push_front(entries);
                }
                QueueOp::Pop => {
                    let popped = queue.pop_front().map(|bucket| bucket.entries().to_vec());
                    prop_assert_eq!(popped, model.pop_front());
                }
                QueueOp::Retain(divisor) => {
                    queue.retain_entries(|entry| !entry.is_multiple_of(divisor));
                    for entries in &mut model {
                        entries.retain(|entry| !entry.is_multiple_of(divisor));
                    }
                    model.retain(|entries| !entries.is_empty());
                    // Entries change places within their bucket.
                    let mut index = 0;
                    queue.for_each(|bucket| {
                        let mut sorted = bucket.entries().to_vec();
                        sorted.sort_unstable();
                        model[index].sort_unstable();
                        assert_eq!(sorted, model[index]);
                        model[index] = bucket.entries().to_vec();
                        index += 1;
                    });
                }
            }
            prop_assert_eq!(queue.is_empty(), model.is_empty());
            let front = queue.front().map(|bucket| bucket.entries().to_vec());
            prop_assert_eq!(front.as_ref(), model.front());
            let (mut seen, mut again) = (Vec::new(), Vec::new());
            queue.for_each(|bucket| seen.push(bucket.entries().to_vec()));
            queue.for_each_mut(|bucket| again.push(bucket.entries().to_vec()));
            prop_assert_eq!(&seen, &again);
            prop_assert_eq!(VecDeque::from(seen), model.clone());
        }
    }
}

#[test]
#[should_panic(expected = "a full bucket takes no more")]
fn a_full_bucket_refuses() {
    let mut bucket = Bucket::with_capacity(1);
    bucket.push(1_u32, 0);
    bucket.push(2, 0);
}

#[test]
fn dropping_a_long_queue_needs_no_stack() {
    let mut queue = Fifo::<u32>::default();
    for _ in 0..100_000 {
        queue.push_back(Bucket::with_capacity(0));
    }
    std::thread::Builder::new()
        .stack_size(64 << 10)
        .spawn(move || drop(queue))
        .unwrap()
        .join()
        .unwrap();
}
