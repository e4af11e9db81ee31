//! Single operations of `smr-list`, one thread, nobody else there.
//!
//! ```text
//! cargo bench -p smr-bench --bench list
//! ```

#![allow(missing_docs, reason = "criterion's macros make functions without any")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use smr_list::{List, OrderedList, Queue, Stack};

/// Keys of the ordered lists.
const SIZES: [u64; 2] = [16, 1024];

fn ordered(c: &mut Criterion) {
    let mut group = c.benchmark_group("list/ordered");
    for size in SIZES {
        let list = OrderedList::new();
        // Even keys are there, odd ones are not.
        for key in (0..size).rev() {
            list.insert(2 * key, key, &list.guard());
        }
        let middle = size / 2 * 2;
        group.bench_function(BenchmarkId::new("get", size), |b| {
            let guard = list.guard();
            b.iter(|| list.get(black_box(&middle), &guard).copied());
        });
        group.bench_function(BenchmarkId::new("insert and remove", size), |b| {
            b.iter(|| {
                let guard = list.guard();
                list.insert(middle + 1, 0, &guard);
                list.remove(&(middle + 1), &guard).copied()
            });
        });
        group.bench_function(BenchmarkId::new("replace", size), |b| {
            b.iter(|| list.insert(middle, 0, &list.guard()).copied());
        });
        group.bench_function(BenchmarkId::new("iterate", size), |b| {
            let guard = list.guard();
            b.iter(|| list.iter(&guard).map(|(_, value)| *value).sum::<u64>());
        });
    }
    group.finish();
}

fn ends(c: &mut Criterion) {
    let mut group = c.benchmark_group("list/ends");
    let stack = Stack::new();
    group.bench_function("stack, push and pop", |b| {
        b.iter(|| {
            let guard = stack.guard();
            stack.push(1_u64, &guard);
            stack.pop(&guard).copied()
        });
    });
    let queue = Queue::new();
    group.bench_function("queue, push and pop", |b| {
        b.iter(|| {
            let guard = queue.guard();
            queue.push(1_u64, &guard);
            queue.pop(&guard).copied()
        });
    });
    let list = List::new();
    group.bench_function("list, push and remove by handle", |b| {
        b.iter(|| {
            let guard = list.guard();
            let handle = list.push_front(1_u64, &guard);
            list.remove(handle, &guard).ok().copied()
        });
    });
    group.finish();
}

criterion_group!(benches, ordered, ends);
criterion_main!(benches);
