//! Retiring inside a section, as lock-free structures do.
#![cfg(feature = "std")]

use crate::support::every_barrier;
use smr_core::Pool;

/// A section holds up what is retired in it, and not what was retired before: memory
/// comes back although every retirement happens inside some section.
#[test]
fn memory_retired_in_short_sections_comes_back() {
    every_barrier(|domain| {
        let pool = Pool::<[u64; 8]>::new_in(&domain);
        let handle = domain.register();
        let local = pool.local(&handle);
        for value in 0..200_000 {
            let guard = handle.pin();
            let item = local.alloc([value; 8]).into_raw();
            // SAFETY: nobody has seen it, and it is retired once.
            unsafe { local.retire(item) };
            drop(guard);
        }
        let stats = pool.stats();
        assert!(stats.retired_items < 20_000, "{stats:?}");
        assert!(stats.slab_bytes < 4 << 20, "{stats:?}");
    });
}
