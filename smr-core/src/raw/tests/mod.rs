//! The containers of retired things, against models.

mod bins;
mod bucket;
mod deferred;
mod zeroed;

#[test]
#[cfg(target_pointer_width = "64")]
fn a_small_pool_is_small() {
    use crate::raw::cache::{Cache, Item};
    use crate::raw::pool::PoolInner;

    // What a pool of one thread holds beyond its slab: itself, one cache, and a
    // bucket of one item. Its documentation says 304 bytes. Debug builds also keep a
    // record of what is retired, and in which process.
    #[cfg(debug_assertions)]
    let record = size_of::<crate::raw::lock::ForkLock<crate::retired::Retired>>() + 8;
    #[cfg(not(debug_assertions))]
    let record = 0;
    let bucket = 32 + size_of::<Item<u64>>();
    let all = size_of::<PoolInner<u64>>() + size_of::<Cache<u64>>() + bucket;
    assert!(all <= 304 + record, "{all} bytes");
}
