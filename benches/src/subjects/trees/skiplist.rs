//! crossbeam-skiplist as a tree: what the lists have, and ranges.

use super::{Shared, Tree};
use crate::subjects::Subject;
use crate::subjects::lists::skiplist::Skip;
use crate::subjects::lists::{Ordered, Walk};

/// The skip list.
pub(crate) struct SkipTree(Skip);

impl Subject for SkipTree {
    const NAME: &'static str = Skip::NAME;
    const ABOUT: &'static str = Skip::ABOUT;
}

impl Tree for SkipTree {
    fn new() -> Self {
        Self(Skip::new())
    }

    fn put(&mut self, key: u64, value: u64) {
        self.0.put(key, value);
    }

    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        self.0.get(key)
    }

    #[inline(always)]
    fn at_or_after(&self, key: u64) -> Option<(u64, u64)> {
        self.0.at_or_after(key)
    }

    fn visit(&self, each: impl FnMut(u64, u64)) {
        self.0.visit(each);
    }

    fn settle() {
        Skip::settle();
    }
}

impl Shared for SkipTree {
    const COUNTED: bool = Skip::COUNTED;

    #[inline(always)]
    fn insert(&self, key: u64, value: u64) -> bool {
        self.0.insert(key, value)
    }

    #[inline(always)]
    fn remove(&self, key: u64) -> bool {
        self.0.remove(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapter_does_as_told() {
        crate::subjects::trees::testing::writes_as_told::<SkipTree>();
    }
}
