//! Checks that span the crates.

pub mod ledger;
pub mod linear;
pub mod litmus;
#[cfg(target_os = "linux")]
pub mod preempt;
pub mod shapes;
pub mod soak;
pub mod stress;

/// The examples of the front pages work.
#[cfg(doctest)]
mod front_pages {
    #[doc = include_str!("../../README.md")]
    struct All;
    #[doc = include_str!("../../smr-core/README.md")]
    struct Core;
    #[doc = include_str!("../../smr-hashmap/README.md")]
    struct HashMap;
    #[doc = include_str!("../../smr-list/README.md")]
    struct List;
}
