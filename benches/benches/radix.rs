//! Single operations of `smr-radix`, one thread, nobody else there.
//!
//! ```text
//! cargo bench -p smr-bench --bench radix
//! ```

#![allow(missing_docs, reason = "criterion's macros make functions without any")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use smr_radix::{InlineTree, Mark, RadixTree};

/// Keys of the trees: one for the nearest cache, one beyond it.
const SIZES: [u64; 2] = [1000, 100_000];

/// Distinct keys anywhere in 64 bits: an odd factor can be undone.
fn scattered(at: u64) -> u64 {
    (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
}

/// How keys lie, with a name.
type Spread = (&'static str, fn(u64) -> u64);

const SPREADS: [Spread; 2] = [("dense", |at| at), ("scattered", scattered)];

fn operations(c: &mut Criterion) {
    for (spread, key) in SPREADS {
        let mut group = c.benchmark_group(format!("radix/{spread}"));
        for size in SIZES {
            let tree: InlineTree<u64, u64> = (0..size).map(|at| (key(at), at)).collect();
            // Keys that come in no order: steps that have no divisor with the size.
            let mut at = 0;
            let mut next = || {
                at = (at + 611_953) % size;
                key(at)
            };
            group.bench_function(BenchmarkId::new("get", size), |b| {
                b.iter(|| tree.get(black_box(next()), &tree.guard()));
            });
            group.bench_function(BenchmarkId::new("get_ge", size), |b| {
                b.iter(|| tree.get_ge(black_box(next()) + 1, &tree.guard()));
            });
            group.bench_function(BenchmarkId::new("replace", size), |b| {
                b.iter(|| tree.insert(black_box(next()), 7, &tree.guard()));
            });
            group.bench_function(BenchmarkId::new("insert and remove", size), |b| {
                let new = key(size + 7);
                b.iter(|| {
                    let guard = tree.guard();
                    tree.insert(black_box(new), 7, &guard);
                    tree.remove(new, &guard)
                });
            });
            group.bench_function(BenchmarkId::new("mark and unmark", size), |b| {
                b.iter(|| {
                    let (key, guard) = (black_box(next()), tree.guard());
                    tree.set_mark(key, Mark::DIRTY, &guard);
                    tree.clear_mark(key, Mark::DIRTY, &guard)
                });
            });
            group.bench_function(BenchmarkId::new("iterate", size), |b| {
                let guard = tree.guard();
                b.iter(|| tree.iter(&guard).map(|(_, value)| value).sum::<u64>());
            });
        }
        group.finish();
    }
}

fn references(c: &mut Criterion) {
    let mut group = c.benchmark_group("radix/by reference");
    for size in SIZES {
        let tree: RadixTree<u64, [u64; 4]> = (0..size).map(|at| (at, [at; 4])).collect();
        group.bench_function(BenchmarkId::new("get", size), |b| {
            let guard = tree.guard();
            b.iter(|| tree.get(black_box(size / 2), &guard).map(|value| value[0]));
        });
        group.bench_function(BenchmarkId::new("replace", size), |b| {
            b.iter(|| {
                let guard = tree.guard();
                let old = tree.insert(black_box(size / 2), [7; 4], &guard);
                old.map(|value| value[0])
            });
        });
        group.bench_function(BenchmarkId::new("a run of 16", size), |b| {
            let guard = tree.guard();
            b.iter(|| {
                let run = tree.contiguous(black_box(size / 2), 16, &guard);
                run.map(|(_, value)| value[0]).sum::<u64>()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, operations, references);
criterion_main!(benches);
