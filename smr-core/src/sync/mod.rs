//! The one door to atomics.
//!
//! Every algorithm of this workspace takes its atomics, fences and cells from
//! here. In a normal build the door opens on `core`; under `--cfg loom` it
//! opens on [loom](https://docs.rs/loom), so that what is model-checked is the
//! code that ships. Nothing is weakened or strengthened on the way. With
//! `--cfg shuttle` besides, such a build opens it on
//! [shuttle](https://docs.rs/shuttle), for schedules at random.
//!
//! The types mirror `core::sync::atomic`. [`UnsafeCell`] hands out its pointer
//! to a closure, which lets loom see how long an access lasts.

#[cfg(not(loom))]
#[path = "native.rs"]
mod imp;

#[cfg(all(loom, not(shuttle)))]
#[path = "modelled.rs"]
mod imp;

#[cfg(all(loom, shuttle))]
#[path = "shuffled.rs"]
mod imp;

#[cfg(all(loom, not(shuttle)))]
#[doc(hidden)]
pub mod model;

#[cfg(all(loom, shuttle))]
#[doc(hidden)]
pub mod shuffle;

pub use imp::*;

/// Counts the references to a domain. Loom's own, so that a model knows that
/// the last one comes after all others, and fails if one is leaked.
#[cfg(any(not(loom), shuttle))]
pub(crate) use alloc::sync::Arc;
#[cfg(all(loom, not(shuttle)))]
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

/// The time in microseconds, modulo 2^32, by the wall clock, which may jump: for limits
/// on how often, which get along with a wrong answer.
///
/// A monotonic clock has to be counted from a moment of our own, in a static that one
/// thread makes and all others read; and the standard library orders the two where
/// ThreadSanitizer does not look.
#[cfg(all(feature = "std", not(loom)))]
#[doc(hidden)]
#[must_use]
pub fn micros() -> u32 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_micros() as u32)
}

/// Whether the named weakening of the algorithm is switched on.
///
/// Always `false`, and gone at compile time, except under loom and shuttle, where
/// the environment variable `SMR_MUTANT` selects one. The models must fail then:
/// see CONTRIBUTING.md.
#[doc(hidden)]
#[inline(always)]
pub fn mutant(name: &str) -> bool {
    is_chosen(name)
}

#[cfg(not(loom))]
#[inline(always)]
fn is_chosen(_name: &str) -> bool {
    false
}

#[cfg(loom)]
fn is_chosen(name: &str) -> bool {
    use alloc::string::String;
    static CHOSEN: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| std::env::var("SMR_MUTANT").ok());
    chosen.as_deref() == Some(name)
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
