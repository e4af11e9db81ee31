//! The one door to atomics.
//!
//! Every algorithm of this workspace takes its atomics, fences and cells from
//! here. In a normal build the door opens on `core`; under `--cfg loom` it
//! opens on [loom](https://docs.rs/loom), so that what is model-checked is the
//! code that ships. Nothing is weakened or strengthened on the way.
//!
//! The types mirror `core::sync::atomic`. [`UnsafeCell`] hands out its pointer
//! to a closure, which lets loom see how long an access lasts.

#[cfg(not(loom))]
#[path = "native.rs"]
mod imp;

#[cfg(loom)]
#[path = "modelled.rs"]
mod imp;

pub use imp::*;

/// Atomics that are never modelled: process-wide statics, whose value outlives
/// a single execution of a model (fork generation, what the kernel grants).
pub(crate) mod process {
    #[cfg(all(feature = "std", not(loom)))]
    pub(crate) use core::sync::atomic::AtomicUsize;
    #[allow(unused_imports)]
    pub(crate) use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
}

/// Whether the named weakening of the algorithm is switched on.
///
/// Always `false`, and gone at compile time, except under loom, where the
/// environment variable `SMR_MUTANT` selects one. The models must fail then:
/// see CONTRIBUTING.md.
#[doc(hidden)]
#[inline(always)]
pub fn mutant(name: &str) -> bool {
    imp::mutant(name)
}
