//! Huge pages: advice to the system, which may not follow it.

use core::ptr::NonNull;

/// Asks for huge pages under the whole ones of so many bytes, which are the caller's.
/// Changes nothing that can be observed but time and resident memory.
pub(super) fn advise(first: NonNull<u8>, bytes: usize) {
    imp::advise(first, bytes);
}

#[cfg(all(target_os = "linux", not(any(loom, miri))))]
mod imp {
    use core::ptr::NonNull;

    use rustix::mm::{Advice, madvise};

    use crate::tunables::HUGE_BYTES;

    pub(super) fn advise(first: NonNull<u8>, bytes: usize) {
        let ahead = first.as_ptr().align_offset(HUGE_BYTES);
        let whole = bytes.saturating_sub(ahead) / HUGE_BYTES * HUGE_BYTES;
        if whole != 0 {
            let at = first.as_ptr().wrapping_add(ahead).cast();
            // An error: this system has none. The pages stay as they are.
            // SAFETY: memory that the caller owns; the advice does not change what is
            // in it.
            let _ = unsafe { madvise(at, whole, Advice::LinuxHugepage) };
        }
    }
}

#[cfg(not(all(target_os = "linux", not(any(loom, miri)))))]
mod imp {
    use core::ptr::NonNull;

    pub(super) fn advise(_: NonNull<u8>, _: usize) {}
}
