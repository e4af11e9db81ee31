//! Links only without `std`: see Cargo.toml.
#![no_std]

use core::alloc::{GlobalAlloc, Layout};
use core::panic::PanicInfo;

use smr_core::{Domain, Pool, SmrCell};

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// Has nothing to give: this is linked and never run.
struct Nothing;

// SAFETY: it never gives out memory.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Nothing = Nothing;

/// Uses what there is without thread-locals.
#[unsafe(no_mangle)]
pub extern "C" fn smr_no_std_use() -> u64 {
    let domain = Domain::new();
    let handle = domain.register();
    let cell = SmrCell::new_in(1_u64, &domain);
    let pool = Pool::new_in(&domain);
    let guard = handle.pin();
    cell.store(2);
    guard.retire(3_u64);
    let owned = domain.owned_guard();
    let item = pool.alloc_in(&owned, 4_u64).into_inner();
    drop(owned);
    domain.flush();
    *cell.load(&guard) + item
}
