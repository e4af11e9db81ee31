//! Hints that a line of memory will be used soon.

/// Whether hints reach the processor. Where they do not, what is loaded for a hint alone
/// is not worth loading.
pub const HAS_PREFETCH: bool = cfg!(all(target_arch = "x86_64", not(loom)));

/// Says that the line will be read. Does nothing that can be observed; any address will do.
#[inline(always)]
pub fn prefetch<T>(at: *const T) {
    #[cfg(all(target_arch = "x86_64", not(loom)))]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch does not access memory, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(loom))))]
    let _ = at;
}

/// Says that the line will be written, so that it comes to this processor alone: one that
/// others have as well has to be asked for once more. As [`prefetch`] otherwise.
#[inline(always)]
pub(crate) fn prefetch_write<T>(at: *const T) {
    #[cfg(all(
        target_arch = "x86_64",
        target_pointer_width = "64",
        not(any(loom, miri))
    ))]
    // SAFETY: as above. AMD's processors know the instruction; of Intel's all but the first
    // with 64 bits do, or pass over it. The hint ET0 becomes a fetch for reading, unless what
    // is built is for processors that are said to know it.
    unsafe {
        core::arch::asm!(
            "prefetchw [{}]",
            in(reg) at,
            options(readonly, nostack, preserves_flags)
        );
    }
    #[cfg(not(all(
        target_arch = "x86_64",
        target_pointer_width = "64",
        not(any(loom, miri))
    )))]
    let _ = at;
}
