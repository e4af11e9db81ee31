//! Memory of zeros: below the size from which it is mapped, at it, and above.

use core::alloc::Layout;

use crate::raw::zeroed::{Zeroed, mapped_bytes};
use crate::tunables::MAP_FROM_BYTES;

const HUGE: usize = 24 << 20;

/// More than is mapped by the tests beside one.
#[cfg(all(target_os = "linux", not(miri)))]
const OTHERS: usize = 4 * MAP_FROM_BYTES;

fn make(bytes: usize, align: usize) -> Option<Zeroed> {
    Zeroed::new(Layout::from_size_align(bytes, align).unwrap())
}

/// How many of its pages the system has given so far.
#[cfg(all(target_os = "linux", not(miri)))]
fn pages_there(memory: &Zeroed, bytes: usize) -> usize {
    use std::os::unix::fs::FileExt;

    let page = rustix::param::page_size();
    let map = std::fs::File::open("/proc/self/pagemap").expect("a process may look at its own");
    let mut words = vec![0; bytes / page * 8];
    let at = memory.first().addr().get() / page * 8;
    map.read_exact_at(&mut words, at as u64).unwrap();
    // The highest bit: the page is present.
    words.chunks(8).filter(|word| word[7] & 0x80 != 0).count()
}

#[test]
fn it_is_aligned_and_zeros_and_all_of_it_can_be_written() {
    let limit = MAP_FROM_BYTES;
    for bytes in [1, 63, 4096, limit - 1, limit, limit + 1, 3 * limit + 777] {
        for align in [1, 64, 128, 4096, 8192] {
            // What is dirty is there to be had.
            drop(vec![0xff_u8; bytes + align]);
            for _ in 0..2 {
                let memory = make(bytes, align).unwrap();
                assert!(memory.first().addr().get().is_multiple_of(align));
                // SAFETY: it is this large, initialised and ours alone.
                let all =
                    unsafe { core::slice::from_raw_parts_mut(memory.first().as_ptr(), bytes) };
                assert!(all.iter().all(|byte| *byte == 0), "{bytes} bytes, {align}");
                all.fill(0xff);
            }
        }
    }
}

#[test]
#[cfg(not(miri))]
fn what_no_memory_is_large_enough_for_is_refused() {
    for bytes in [
        0,
        isize::MAX as usize & !8191,
        (isize::MAX as usize / 2) & !8191,
    ] {
        for align in [1, 64, 4096] {
            assert!(make(bytes, align).is_none(), "{bytes} bytes, {align}");
        }
    }
}

#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn what_is_large_is_counted_and_untouched_whatever_was_freed() {
    // glibc's allocator takes what is as large as that from the heap from now on, and
    // keeps it there when it is freed.
    drop(vec![0xff_u8; HUGE]);
    drop(vec![0xff_u8; HUGE]);
    let before = mapped_bytes();
    let memory = make(HUGE, 64).unwrap();
    assert!(mapped_bytes() + OTHERS >= before + HUGE);
    assert_eq!(pages_there(&memory, HUGE), 0);
    // SAFETY: within the memory.
    let midst = unsafe { memory.first().add(HUGE / 2) };
    // SAFETY: ours alone.
    unsafe { midst.write(1) };
    assert!((1..=HUGE / 4096 / 4).contains(&pages_there(&memory, HUGE)));
    drop(memory);
    assert!(mapped_bytes() <= before + OTHERS);
}
