//! What can be a key: an integer, in the order of its bits.

use core::num::NonZero;

/// A key of a [`Tree`](crate::Tree): what maps to an integer of at most 64 bits, in
/// order.
///
/// It is implemented for the integers of up to 64 bits, signed ones in their own
/// order, and for their [`NonZero`] forms. A new type delegates:
///
/// ```
/// use smr_radix::{Key, RadixTree};
///
/// /// A page of a file.
/// #[derive(Debug, Clone, Copy, PartialEq)]
/// struct Page(u32);
///
/// impl Key for Page {
///     const BITS: u32 = u32::BITS;
///
///     fn to_bits(self) -> u64 {
///         self.0.to_bits()
///     }
///
///     fn from_bits(bits: u64) -> Self {
///         Self(u32::from_bits(bits))
///     }
/// }
///
/// let cache = RadixTree::new();
/// let guard = cache.guard();
/// cache.insert(Page(7), "seven", &guard);
/// assert_eq!(cache.first(&guard), Some((Page(7), &"seven")));
/// ```
///
/// # Contract
///
/// * `to_bits` gives different keys different numbers, in the order that the keys are
///   to have, each below 2 to the power of [`BITS`](Self::BITS). Bits beyond are cut
///   off.
/// * `from_bits` gives back the key that `to_bits` took. It is asked for nothing else
///   than what `to_bits` gave, unless [`successor`](Self::successor) asks.
///
/// An implementation that breaks this loses entries, or finds them under other keys.
/// It does no harm to memory.
pub trait Key: Copy {
    /// How many bits a key has: 1 to 64. A tree is no higher than these need.
    const BITS: u32;

    /// The number of the key.
    fn to_bits(self) -> u64;

    /// The key with this number.
    fn from_bits(bits: u64) -> Self;

    /// The next greater key, or `None` after the last one.
    ///
    /// The default adds 1 to the number. Where some numbers are no keys, it has to
    /// leave them out: runs without a hole ([`Tree::contiguous`]) and holes
    /// ([`Tree::next_gap`]) are what this says they are.
    ///
    /// [`Tree::contiguous`]: crate::Tree::contiguous
    /// [`Tree::next_gap`]: crate::Tree::next_gap
    ///
    /// ```
    /// use core::num::NonZero;
    /// use smr_radix::Key;
    ///
    /// assert_eq!(7_u8.successor(), Some(8));
    /// assert_eq!(255_u8.successor(), None);
    /// assert_eq!(NonZero::new(-1).unwrap().successor(), NonZero::new(1));
    /// ```
    #[inline]
    fn successor(self) -> Option<Self> {
        let bits = bits_of(self);
        (bits < last::<Self>()).then(|| Self::from_bits(bits + 1))
    }
}

/// The number of the last key that `K` has bits for.
#[inline]
pub(crate) const fn last<K: Key>() -> u64 {
    const { assert!(K::BITS >= 1 && K::BITS <= 64, "a key has 1 to 64 bits") };
    u64::MAX >> (64 - K::BITS)
}

/// The number of a key, without bits that it says it does not have.
#[inline]
pub(crate) fn bits_of<K: Key>(key: K) -> u64 {
    key.to_bits() & last::<K>()
}

macro_rules! unsigned {
    ($($int:ty),*) => {$(
        impl Key for $int {
            const BITS: u32 = <$int>::BITS;

            #[inline]
            fn to_bits(self) -> u64 {
                self as u64
            }

            #[inline]
            fn from_bits(bits: u64) -> Self {
                bits as $int
            }
        }

        impl Key for NonZero<$int> {
            const BITS: u32 = <$int>::BITS;

            #[inline]
            fn to_bits(self) -> u64 {
                self.get().to_bits()
            }

            #[inline]
            fn from_bits(bits: u64) -> Self {
                Self::new(<$int>::from_bits(bits)).expect("the number of a key that is not zero")
            }
        }
    )*};
}

macro_rules! signed {
    ($($int:ty as $bits:ty),*) => {$(
        impl Key for $int {
            const BITS: u32 = <$int>::BITS;

            // The smallest is the number 0.
            #[inline]
            fn to_bits(self) -> u64 {
                (self ^ <$int>::MIN) as $bits as u64
            }

            #[inline]
            fn from_bits(bits: u64) -> Self {
                bits as $int ^ <$int>::MIN
            }
        }

        impl Key for NonZero<$int> {
            const BITS: u32 = <$int>::BITS;

            #[inline]
            fn to_bits(self) -> u64 {
                self.get().to_bits()
            }

            #[inline]
            fn from_bits(bits: u64) -> Self {
                Self::new(<$int>::from_bits(bits)).expect("the number of a key that is not zero")
            }

            #[inline]
            fn successor(self) -> Option<Self> {
                // Behind -1 comes 1.
                Self::new(self.get().checked_add(1)?).or(Self::new(1))
            }
        }
    )*};
}

unsigned!(u8, u16, u32, u64, usize);
signed!(i8 as u8, i16 as u16, i32 as u32, i64 as u64, isize as usize);

#[cfg(test)]
mod tests {
    use core::fmt::Debug;

    use super::*;

    /// Sorted keys that have neighbours, edges and the middle among them.
    fn keep_order<K: Key + Ord + Debug>(keys: &[K]) {
        assert!(keys.is_sorted_by(|a, b| a < b));
        let bits: Vec<u64> = keys.iter().map(|key| key.to_bits()).collect();
        assert!(bits.is_sorted_by(|a, b| a < b), "{keys:?}: {bits:?}");
        for (key, bits) in keys.iter().zip(bits) {
            assert_eq!(K::from_bits(bits), *key);
            assert!(bits <= last::<K>(), "{key:?}");
        }
    }

    macro_rules! of_every_width {
        ($($unsigned:ty, $signed:ty);*) => {$(
            let (zero, end) = (<$unsigned>::MIN, <$unsigned>::MAX);
            keep_order(&[zero, 1, 2, end / 2, end / 2 + 1, end - 1, end]);
            assert_eq!((zero.to_bits(), end.to_bits()), (0, last::<$unsigned>()));
            let not_zero = |n| NonZero::new(n).unwrap();
            keep_order(&[1, 2, end / 2, end - 1, end].map(not_zero));
            let (start, end) = (<$signed>::MIN, <$signed>::MAX);
            keep_order(&[start, start + 1, -2, -1, 0, 1, end - 1, end]);
            assert_eq!((start.to_bits(), end.to_bits()), (0, last::<$signed>()));
            let not_zero = |n| NonZero::new(n).unwrap();
            keep_order(&[start, start + 1, -1, 1, end - 1, end].map(not_zero));
            assert_eq!(not_zero(-1).successor(), NonZero::new(1));
            assert_eq!(not_zero(end).successor(), None);
            assert_eq!(end.successor(), None);
            assert_eq!(start.successor(), Some(start + 1));
        )*};
    }

    #[test]
    fn integers_keep_their_order_and_come_back() {
        of_every_width!(u8, i8; u16, i16; u32, i32; u64, i64; usize, isize);
    }

    #[test]
    fn every_small_key_comes_back_and_is_followed_by_the_next() {
        let all: Vec<i8> = (i8::MIN..=i8::MAX).collect();
        keep_order(&all);
        let followed: Vec<i8> =
            core::iter::successors(Some(i8::MIN), |key| key.successor()).collect();
        assert_eq!(followed, all);
        let not_zero = core::iter::successors(NonZero::new(i8::MIN), |key| key.successor());
        assert!(
            not_zero
                .map(NonZero::get)
                .eq(all.into_iter().filter(|key| *key != 0))
        );
    }

    #[test]
    fn bits_beyond_are_cut_off() {
        #[derive(Debug, Clone, Copy)]
        struct Loose;
        impl Key for Loose {
            const BITS: u32 = 3;

            fn to_bits(self) -> u64 {
                0xf5
            }

            fn from_bits(_: u64) -> Self {
                Self
            }
        }
        assert_eq!(bits_of(Loose), 5);
        assert_eq!(last::<Loose>(), 7);
        assert!(Loose.successor().is_some());
    }
}
