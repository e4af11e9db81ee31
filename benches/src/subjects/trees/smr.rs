//! Our radix trees: a guard for each operation.

use std::ops::Range;

use smr_radix::{InlineTree, RadixTree};

use super::{Shared, Tree};
use crate::subjects::Subject;

/// A tree with its values in its nodes.
pub(crate) struct Inline(InlineTree<u64, u64>);

/// A tree with its values in leaves of their own, which readers hold references to.
pub(crate) struct Boxed(RadixTree<u64, u64>);

impl Subject for Inline {
    const NAME: &'static str = "smr";
    const ABOUT: &'static str = "smr_radix::InlineTree, small values in the nodes";
}

impl Subject for Boxed {
    const NAME: &'static str = "smr-boxed";
    const ABOUT: &'static str = "smr_radix::RadixTree, values by reference";
}

macro_rules! adapter {
    ($name:ident, $inner:ty, $value:pat => $copied:expr) => {
        impl Tree for $name {
            fn new() -> Self {
                Self(<$inner>::new())
            }

            fn put(&mut self, key: u64, value: u64) {
                self.0.insert(key, value, &self.0.guard());
            }

            #[inline(always)]
            fn get(&self, key: u64) -> Option<u64> {
                self.0.get(key, &self.0.guard()).map(|$value| $copied)
            }

            #[inline(always)]
            fn at_or_after(&self, key: u64) -> Option<(u64, u64)> {
                let guard = self.0.guard();
                let found = self.0.get_ge(key, &guard);
                found.map(|(key, $value)| (key, $copied))
            }

            fn visit(&self, mut each: impl FnMut(u64, u64)) {
                for (key, $value) in self.0.iter(&self.0.guard()) {
                    each(key, $copied);
                }
            }
        }

        impl Shared for $name {
            #[inline(always)]
            fn insert(&self, key: u64, value: u64) -> bool {
                self.0.insert(key, value, &self.0.guard()).is_none()
            }

            #[inline(always)]
            fn remove(&self, key: u64) -> bool {
                self.0.remove(key, &self.0.guard()).is_some()
            }

            #[inline(always)]
            fn remove_range(&self, keys: Range<u64>) -> u64 {
                self.0.remove_range(keys, &self.0.guard()) as u64
            }
        }
    };
}

adapter!(Inline, InlineTree<u64, u64>, value => value);
adapter!(Boxed, RadixTree<u64, u64>, value => *value);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapters_do_as_told() {
        crate::subjects::trees::testing::writes_as_told::<Inline>();
        crate::subjects::trees::testing::writes_as_told::<Boxed>();
    }
}
