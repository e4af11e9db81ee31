//! `arc-swap`: one pointer to a counted value; reads borrow through debt slots.
//!
//! The section is `load`, the owned guard is `load_full`, which takes a count.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::{Section, Subject};

/// A load through `ArcSwap`.
#[derive(Debug)]
pub(crate) struct Swap;

impl Subject for Swap {
    const NAME: &'static str = "arc-swap";
    const ABOUT: &'static str = "ArcSwap::load; owned: load_full";
}

impl Section for Swap {
    type Shared = ArcSwap<u64>;
    type Reader<'s> = &'s ArcSwap<u64>;
    const NESTS: bool = true;
    const OWNED: bool = true;

    fn share(value: u64) -> ArcSwap<u64> {
        ArcSwap::new(Arc::new(value))
    }

    fn reader(shared: &ArcSwap<u64>) -> &ArcSwap<u64> {
        shared
    }

    #[inline(always)]
    fn read(reader: &mut &ArcSwap<u64>) -> u64 {
        **reader.load()
    }

    fn nested(reader: &mut &ArcSwap<u64>, rounds: u64) -> u64 {
        let outer = reader.load();
        let sum = super::repeat(rounds, || **reader.load());
        drop(outer);
        sum
    }

    #[inline(always)]
    fn owned(reader: &mut &ArcSwap<u64>) -> u64 {
        *reader.load_full()
    }
}
