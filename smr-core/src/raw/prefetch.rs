//! A hint that a line of memory will be read soon.

/// Whether hints reach the processor. Where they do not, what is loaded for a hint alone
/// is not worth loading.
pub const HAS_PREFETCH: bool = cfg!(all(target_arch = "x86_64", not(loom)));

/// Does nothing that can be observed; any address will do.
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
