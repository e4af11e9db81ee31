//! The memory that the process really occupies.
//!
//! The count of [`crate::alloc`] does not see what the system's allocator keeps
//! for reuse once a subject has given it back; slabs of a pool it sees in full.
//! Resident memory treats both alike.

use std::fs::File;
use std::io::Read as _;

/// Bytes of a page of `/proc/self/statm`: the pages of all systems that have it
/// and that the comparison runs on.
const PAGE: u64 = 4096;

/// Bytes resident now, or `None` where the system does not tell.
pub(crate) fn bytes() -> Option<u64> {
    let mut text = [0; 128];
    let len = File::open("/proc/self/statm")
        .and_then(|mut file| file.read(&mut text))
        .ok()?;
    // "size resident shared ...", in pages.
    let resident = str::from_utf8(&text[..len]).ok()?.split(' ').nth(1)?;
    Some(resident.parse::<u64>().ok()? * PAGE)
}

/// Gives back what the system's allocator kept of earlier runs, so that a run
/// does not find it. Elsewhere than in the GNU library that cannot be asked for.
pub(crate) fn settle() {
    #[cfg(target_env = "gnu")]
    // SAFETY: releases free memory; it may be called at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn touched_memory_is_resident() {
        const SIZE: usize = 64 << 20;
        let _alone = crate::alloc::tests::alone();
        let before = super::bytes().unwrap();
        let held = std::hint::black_box(vec![1_u8; SIZE]);
        // Other tests run beside this one: leave them some room.
        assert!(super::bytes().unwrap() > before + SIZE as u64 / 2);
        drop(held);
    }
}
