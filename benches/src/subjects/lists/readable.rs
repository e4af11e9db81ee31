//! What is read as a whole while it is written, beside our RCU list.

use std::sync::Mutex;

use arc_swap::ArcSwap;
use parking_lot::RwLock;

use super::Readable;
use crate::subjects::Subject;

/// A vector under a lock of readers and writers.
#[derive(Debug)]
pub(crate) struct Locked(RwLock<Vec<u64>>);

impl Subject for Locked {
    const NAME: &'static str = "rwlock-vec";
    const ABOUT: &'static str = "parking_lot::RwLock<Vec>";
}

impl Readable for Locked {
    fn of(values: std::ops::Range<u64>) -> Self {
        Self(RwLock::new(values.collect()))
    }

    #[inline(always)]
    fn visit(&self, each: impl FnMut(u64)) {
        self.0.read().iter().copied().for_each(each);
    }

    fn rotate(&self, value: u64) {
        let mut values = self.0.write();
        values.remove(0);
        values.push(value);
    }
}

/// A vector behind a pointer; a writer copies it.
#[derive(Debug)]
pub(crate) struct Swapped {
    values: ArcSwap<Vec<u64>>,
    writer: Mutex<()>,
}

impl Subject for Swapped {
    const NAME: &'static str = "arc-swap-vec";
    const ABOUT: &'static str = "arc_swap::ArcSwap<Vec>, copied by its writer";
}

impl Readable for Swapped {
    fn of(values: std::ops::Range<u64>) -> Self {
        Self {
            values: ArcSwap::from_pointee(values.collect()),
            writer: Mutex::new(()),
        }
    }

    #[inline(always)]
    fn visit(&self, each: impl FnMut(u64)) {
        self.values.load().iter().copied().for_each(each);
    }

    fn rotate(&self, value: u64) {
        let _alone = self.writer.lock().expect("nobody panics inside");
        let old = self.values.load();
        let mut values = Vec::with_capacity(old.len());
        values.extend_from_slice(&old[1..]);
        values.push(value);
        self.values.store(values.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subjects::lists::testing;

    #[test]
    fn the_adapters_do_as_told() {
        testing::visits_in_order::<Locked>();
        testing::visits_in_order::<Swapped>();
    }
}
