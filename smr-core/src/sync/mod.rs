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

/// Counts the references to a domain. Loom's own, so that a model knows that
/// the last one comes after all others, and fails if one is leaked.
#[cfg(not(loom))]
pub(crate) use alloc::sync::Arc;
#[cfg(loom)]
pub(crate) use loom::sync::Arc;

/// Atomics that are never modelled. They order nothing in a model.
///
/// Process-wide statics, whose value outlives a single execution of a model
/// (fork generation, what the kernel grants); the stamps of a fork; and figures
/// for people, which every cold path counts up and no algorithm asks: as
/// scheduling points they would drown the others.
pub(crate) mod process {
    #[allow(unused_imports)]
    pub(crate) use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
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

/// Names memory orderings: a function each, `name = Strong, or Weak;`. The weaker one
/// is what the mutant of that name puts in place.
#[doc(hidden)]
#[macro_export]
macro_rules! orderings {
    ($($(#[$doc:meta])* $name:ident = $strong:ident, or $weak:ident;)*) => {
        $(
            $(#[$doc])*
            #[inline(always)]
            pub(crate) fn $name() -> $crate::sync::Ordering {
                if $crate::sync::mutant(stringify!($name)) {
                    $crate::sync::Ordering::$weak
                } else {
                    $crate::sync::Ordering::$strong
                }
            }
        )*
    };
}
