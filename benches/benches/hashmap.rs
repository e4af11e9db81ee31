//! Single operations of `smr-hashmap`, one thread, nobody else there.
//!
//! ```text
//! cargo bench -p smr-bench --bench hashmap
//! ```

#![allow(missing_docs, reason = "criterion's macros make functions without any")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use smr_hashmap::HashMap;

/// One size in the caches, one beyond them.
const SIZES: [u64; 2] = [1_000, 1_000_000];
/// Keys that `get_many` looks up at a time.
const MANY: usize = 64;

/// Keys that lie nowhere near each other.
fn key(index: u64) -> u64 {
    index.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn filled(size: u64) -> HashMap<u64, u64> {
    (0..size).map(|index| (key(index), index)).collect()
}

/// The next of `size` indices, in an order that no cache foresees.
fn step(index: &mut u64, size: u64) -> u64 {
    *index = (*index + 7_368_787) % size;
    *index
}

fn reads(c: &mut Criterion) {
    let mut group = c.benchmark_group("hashmap");
    for size in SIZES {
        let map = filled(size);
        let mut at = 0;
        group.bench_function(BenchmarkId::new("get", size), |b| {
            let map = map.pin();
            b.iter(|| map.get(&key(step(&mut at, size))).copied());
        });
        group.bench_function(BenchmarkId::new("pin and get", size), |b| {
            b.iter(|| map.pin().get(&key(step(&mut at, size))).copied());
        });
        group.bench_function(BenchmarkId::new("get, missing", size), |b| {
            let map = map.pin();
            b.iter(|| map.get(&key(size + step(&mut at, size))).copied());
        });
        group.throughput(Throughput::Elements(MANY as u64));
        group.bench_function(BenchmarkId::new("get_many", size), |b| {
            let map = map.pin();
            b.iter(|| {
                let keys = [(); MANY].map(|()| key(step(&mut at, size)));
                map.get_many(&keys).flatten().sum::<u64>()
            });
        });
        group.throughput(Throughput::Elements(size));
        group.bench_function(BenchmarkId::new("iterate", size), |b| {
            let map = map.pin();
            b.iter(|| map.iter().map(|(_, value)| *value).sum::<u64>());
        });
        group.throughput(Throughput::Elements(1));
    }
    group.finish();
}

fn writes(c: &mut Criterion) {
    let mut group = c.benchmark_group("hashmap");
    for size in SIZES {
        let map = filled(size);
        let mut at = 0;
        group.bench_function(BenchmarkId::new("replace", size), |b| {
            let map = map.pin();
            b.iter(|| map.insert(key(step(&mut at, size)), 1).copied());
        });
        group.bench_function(BenchmarkId::new("update", size), |b| {
            let map = map.pin();
            b.iter(|| {
                map.update(key(step(&mut at, size)), |value| value + 1)
                    .copied()
            });
        });
        group.bench_function(BenchmarkId::new("insert and remove", size), |b| {
            let map = map.pin();
            b.iter(|| {
                let fresh = key(size + step(&mut at, size));
                map.insert(fresh, 1);
                map.remove(&fresh).copied()
            });
        });
    }
    group.bench_function("grow to 1000", |b| {
        b.iter(|| {
            let map = HashMap::new();
            let pinned = map.pin();
            for index in 0..1000 {
                pinned.insert(key(index), index);
            }
            black_box(pinned.len())
        });
    });
    group.finish();
}

criterion_group!(benches, reads, writes);
criterion_main!(benches);
