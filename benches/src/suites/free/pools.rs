//! The `pools` workload of `free`: what a small structure costs.
//!
//! Many pools in one domain, each used once by one thread: an item of 48 bytes
//! is allocated, retired, and the next one allocated. `bytes_per_entry` is the
//! heap held for each pool beyond the slabs of its items; `time_per_op` is the time to make and use one. Only our own pools.

use std::time::Instant;

use smr_core::{Domain, Pool};

use super::Item;
use crate::alloc;
use crate::cli::{Settings, Suite};
use crate::record::{Metric, Sample};
use crate::run::{Case, Comparison};
use crate::subjects::Subject;
use crate::subjects::smr::Smr;
use crate::suites::{SLACK_BYTES, comparison};

/// The comparison that the settings ask for.
pub(super) fn plan(settings: &Settings) -> Comparison {
    let count = settings.pools.max(1);
    let case = Case::new(Smr::NAME, move || run(count));
    comparison(settings, Suite::Free, "pools".to_owned(), 1, vec![case])
}

fn run(count: usize) -> Vec<Sample> {
    let domain = Domain::new();
    let mut pools = Vec::with_capacity(count);
    let heap_before = alloc::heap_bytes();
    let begin = Instant::now();
    for value in 0..count as u64 {
        let pool: Pool<Item> = Pool::new_in(&domain);
        let item = pool.alloc([value; 6]).into_raw();
        // SAFETY: never published, given up once.
        unsafe { pool.retire(item) };
        drop(pool.alloc([value; 6]));
        pools.push(pool);
    }
    let elapsed = begin.elapsed();
    let heap = alloc::heap_bytes() - heap_before;
    let slabs: usize = pools.iter().map(|pool| pool.stats().slab_bytes).sum();
    pools.clear();
    drop(domain);
    let left = alloc::heap_bytes() - heap_before;
    assert!(
        left <= SLACK_BYTES,
        "pools: {left} bytes were not given back"
    );
    vec![
        Sample::new(
            Metric::BytesPerEntry,
            (heap as f64 - slabs as f64) / count as f64,
        ),
        Sample::new(Metric::TimePerOp, elapsed.as_nanos() as f64 / count as f64),
    ]
}
