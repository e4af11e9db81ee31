//! What the tests share: kinds of trees and of keys.
#![allow(dead_code, reason = "each test has use for a part")]

use std::fmt::Debug;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use smr_radix::{Boxed, Inline, Key, Policy};

/// How a tree keeps numbers.
pub(crate) trait Kind: 'static {
    type Policy: Policy<Value: Clone + PartialEq>;

    /// Whether equal values can differ.
    const BY_REFERENCE: bool = false;

    fn value(number: u32) -> <Self::Policy as Policy>::Value;
    fn number(value: <Self::Policy as Policy>::Val<'_>) -> u32;
    fn owned(value: &<Self::Policy as Policy>::Value) -> u32;
}

/// Values by reference.
pub(crate) struct ByReference;

impl Kind for ByReference {
    type Policy = Boxed<Box<u32>>;

    const BY_REFERENCE: bool = true;

    fn value(number: u32) -> Box<u32> {
        Box::new(number)
    }

    fn number(value: &Box<u32>) -> u32 {
        **value
    }

    fn owned(value: &Box<u32>) -> u32 {
        **value
    }
}

/// Values in the nodes.
pub(crate) struct InNodes;

impl Kind for InNodes {
    type Policy = Inline<u32>;

    fn value(number: u32) -> u32 {
        number
    }

    fn number(value: u32) -> u32 {
        value
    }

    fn owned(value: &u32) -> u32 {
        *value
    }
}

/// Values of which every third is too large for a node.
pub(crate) struct Mixed;

impl Kind for Mixed {
    type Policy = Inline<u64>;

    fn value(number: u32) -> u64 {
        let high = if number.is_multiple_of(3) {
            0xabcd_ef01
        } else {
            0
        };
        high << 32 | u64::from(number)
    }

    fn number(value: u64) -> u32 {
        let number = value as u32;
        assert_eq!(value, Self::value(number), "half of another value");
        number
    }

    fn owned(value: &u64) -> u32 {
        Self::number(*value)
    }
}

/// A key with the number, or one near by where that is none.
pub(crate) trait TestKey: Key + Ord + Debug + std::panic::RefUnwindSafe + 'static {
    fn at(bits: u64) -> Self;
}

macro_rules! test_keys {
    ($($int:ty),*) => {$(
        impl TestKey for $int {
            fn at(bits: u64) -> Self {
                Self::from_bits(bits & last::<Self>())
            }
        }

        impl TestKey for NonZero<$int> {
            fn at(bits: u64) -> Self {
                NonZero::new(<$int>::at(bits)).unwrap_or(const { Self::new(1).unwrap() })
            }
        }
    )*};
}

test_keys!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

/// The number of the last key.
pub(crate) fn last<K: Key>() -> u64 {
    u64::MAX >> (64 - K::BITS)
}

/// How keys lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// One behind the other.
    Dense,
    /// In a few runs that are far from each other.
    Extents,
    /// So far from each other.
    Strided(u64),
    /// Anywhere.
    Random,
    /// At both ends and around the middle.
    Edges,
}

impl Lie {
    pub(crate) const ALL: [Self; 7] = [
        Self::Dense,
        Self::Extents,
        Self::Strided(64),
        Self::Strided(4096),
        Self::Strided(1 << 27),
        Self::Random,
        Self::Edges,
    ];

    /// A key that lies so, by a random number.
    pub(crate) fn key<K: TestKey>(self, random: u64) -> K {
        let last = last::<K>();
        K::at(match self {
            Self::Dense => random % 200,
            Self::Extents => (random >> 32) % 5 * (last / 5) + random % 40,
            Self::Strided(by) => (random % 100).wrapping_mul(by),
            Self::Random => random >> (64 - K::BITS),
            Self::Edges => {
                let near = (random >> 8) % 4;
                match random % 4 {
                    0 => near,
                    1 => last - near,
                    2 => last / 2 - near,
                    _ => last / 2 + 1 + near,
                }
            }
        })
    }
}

/// Counts how many of its kind live.
#[derive(Debug)]
pub(crate) struct Counted(Arc<AtomicUsize>, pub(crate) u32);

impl Counted {
    pub(crate) fn new(live: &Arc<AtomicUsize>, number: u32) -> Self {
        live.fetch_add(1, SeqCst);
        Self(Arc::clone(live), number)
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        Self::new(&self.0, self.1)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let before = self.0.fetch_sub(1, SeqCst);
        assert_ne!(before, 0, "dropped twice");
    }
}
