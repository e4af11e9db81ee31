//! congee: an adaptive radix tree with optimistic locks.

use congee::Congee;

use super::{Shared, Tree};
use crate::subjects::Subject;

/// Entries that a scan takes at a time.
const TAKEN: usize = 1024;

/// The tree, which keeps words.
pub(crate) struct Art(Congee<usize, usize>);

impl Subject for Art {
    const NAME: &'static str = "congee";
    const ABOUT: &'static str = "congee::Congee: an adaptive radix tree, optimistic locks";
}

impl Tree for Art {
    fn new() -> Self {
        Self(Congee::default())
    }

    fn put(&mut self, key: u64, value: u64) {
        self.insert(key, value);
    }

    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        self.0
            .get(&(key as usize), &self.0.pin())
            .map(|value| value as u64)
    }

    #[inline(always)]
    fn at_or_after(&self, key: u64) -> Option<(u64, u64)> {
        let mut found = [(0, 0)];
        let count = self
            .0
            .range(&(key as usize), &usize::MAX, &mut found, &self.0.pin());
        (count == 1).then(|| (found[0].0 as u64, found[0].1 as u64))
    }

    /// It copies ranges out: as many as the buffer holds, and on from the last.
    fn visit(&self, mut each: impl FnMut(u64, u64)) {
        let guard = self.0.pin();
        let mut buffer = [(0, 0); TAKEN];
        let mut next = 0;
        loop {
            let count = self.0.range(&next, &usize::MAX, &mut buffer, &guard);
            for &(key, value) in &buffer[..count] {
                each(key as u64, value as u64);
            }
            if count < TAKEN {
                break;
            }
            next = buffer[count - 1].0 + 1;
        }
    }

    fn settle() {
        crate::subjects::lists::settle_epoch();
    }
}

impl Shared for Art {
    #[inline(always)]
    fn insert(&self, key: u64, value: u64) -> bool {
        let old = self.0.insert(key as usize, value as usize, &self.0.pin());
        old.expect("memory is there").is_none()
    }

    #[inline(always)]
    fn remove(&self, key: u64) -> bool {
        self.0.remove(&(key as usize), &self.0.pin()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapter_does_as_told() {
        crate::subjects::trees::testing::writes_as_told::<Art>();
    }
}
