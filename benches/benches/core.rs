//! Single operations of `smr-core`, one thread, nobody else there.
//!
//! ```text
//! cargo bench -p smr-bench --bench core
//! cargo bench -p smr-bench --bench core -- pin
//! ```
//!
//! What happens among threads is measured by `smr-bench` itself; these are for a
//! quick look at one operation before and after a change.

#![allow(missing_docs, reason = "criterion's macros make functions without any")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use smr_core::{BarrierKind, Domain, Pool, SmrCell, pin};

/// An item of 48 bytes.
type Item = [u64; 6];

fn sections(c: &mut Criterion) {
    let mut group = c.benchmark_group("core/pin");
    group.bench_function("outermost", |b| b.iter(pin));
    group.bench_function("nested", |b| {
        let _outer = pin();
        b.iter(pin);
    });
    let own = Domain::new();
    group.bench_function("of a domain", |b| b.iter(|| own.pin()));
    let fenced = Domain::builder()
        .barrier(BarrierKind::Fence)
        .build()
        .expect("fences are everywhere");
    group.bench_function("with fences", |b| b.iter(|| fenced.pin()));
    group.bench_function("repin", |b| {
        let mut guard = pin();
        b.iter(|| guard.repin());
    });
    group.bench_function("owned", |b| b.iter(|| own.owned_guard()));
    group.finish();
}

fn cells(c: &mut Criterion) {
    let mut group = c.benchmark_group("core/cell");
    let cell = SmrCell::new(7_u64);
    group.bench_function("load", |b| {
        let guard = pin();
        b.iter(|| *black_box(&cell).load(&guard));
    });
    group.bench_function("pin and load", |b| {
        b.iter(|| *black_box(&cell).load(&pin()));
    });
    group.bench_function("store", |b| b.iter(|| cell.store(black_box(8))));
    group.bench_function("update", |b| {
        b.iter(|| {
            let guard = pin();
            *cell.update(&guard, |old| old + 1)
        });
    });
    group.finish();
}

fn retirement(c: &mut Criterion) {
    let mut group = c.benchmark_group("core/pool");
    let pool: Pool<Item> = Pool::new();
    group.bench_function("alloc and give back", |b| {
        b.iter(|| drop(black_box(pool.alloc([1; 6]))));
    });
    group.bench_function("alloc and retire", |b| {
        b.iter(|| {
            let item = black_box(pool.alloc([1; 6]).into_raw());
            // SAFETY: never published, retired once.
            unsafe { pool.retire(item) };
        });
    });
    let registered = pool.register();
    group.bench_function("alloc and retire, registered", |b| {
        b.iter(|| {
            let item = black_box(registered.alloc([1; 6]).into_raw());
            // SAFETY: never published, retired once.
            unsafe { registered.retire(item) };
        });
    });
    group.finish();

    let mut group = c.benchmark_group("core/retire");
    group.bench_function("a box", |b| {
        b.iter(|| pin().retire(black_box(Box::new([1_u64; 6]))));
    });
    group.bench_function("malloc and free alone", |b| {
        b.iter(|| drop(black_box(Box::new([1_u64; 6]))));
    });
    group.finish();
}

criterion_group!(benches, sections, cells, retirement);
criterion_main!(benches);
