//! What can be a value of an [`InlineTree`](crate::InlineTree): what fits a word.

use core::num::NonZero;
use core::ptr::NonNull;

/// A small value, which an [`InlineTree`](crate::InlineTree) keeps in its nodes.
///
/// It is implemented for integers of up to 64 bits, `bool`, `char`, `()`, pointers, and
/// [`NonZero`] integers and [`NonNull`] pointers with and without an [`Option`]. A new type
/// delegates:
///
/// ```
/// use smr_radix::{InlineTree, InlineValue};
///
/// #[derive(Debug, Clone, Copy, PartialEq)]
/// enum State {
///     Clean,
///     Dirty,
/// }
///
/// impl InlineValue for State {
///     fn to_word(self) -> u64 {
///         self as u64
///     }
///
///     fn from_word(word: u64) -> Self {
///         if word == 0 { Self::Clean } else { Self::Dirty }
///     }
/// }
///
/// let states = InlineTree::new();
/// let guard = states.guard();
/// states.insert(7_u32, State::Dirty, &guard);
/// assert_eq!(states.get(7, &guard), Some(State::Dirty));
/// ```
///
/// # Contract
///
/// `from_word` gives back what `to_word` took; different values have different words,
/// for it is words that [`compare_exchange`](crate::Tree::compare_exchange) compares.
/// `from_word` is asked for nothing else than what `to_word` gave. An implementation
/// that breaks this finds other values, and does no harm to memory.
///
/// # Which words are small
///
/// A slot of a node needs some bits of its word for itself. A word of 2^59 or more (2^27
/// where pointers have 32 bits) goes into a leaf of its own, beside its key, as in a
/// [`RadixTree`](crate::RadixTree): nothing is refused, but it costs 16 bytes, and a
/// look-up another load. So signed integers are turned in such a way that those near
/// zero have small words, and pointers are small as they are.
pub trait InlineValue: Copy {
    /// The value as a word.
    fn to_word(self) -> u64;

    /// The value of a word.
    fn from_word(word: u64) -> Self;
}

macro_rules! unsigned {
    ($($int:ty),*) => {$(
        impl InlineValue for $int {
            #[inline]
            fn to_word(self) -> u64 {
                self as u64
            }

            #[inline]
            fn from_word(word: u64) -> Self {
                word as $int
            }
        }
    )*};
}

macro_rules! signed {
    ($($int:ty),*) => {$(
        impl InlineValue for $int {
            // 0, -1, 1, -2, 2: the sign is the lowest bit.
            #[inline]
            fn to_word(self) -> u64 {
                let wide = self as i64;
                (wide << 1 ^ wide >> 63) as u64
            }

            #[inline]
            fn from_word(word: u64) -> Self {
                ((word >> 1) as i64 ^ -((word & 1) as i64)) as $int
            }
        }
    )*};
}

macro_rules! not_zero {
    ($($int:ty),*) => {$(
        impl InlineValue for NonZero<$int> {
            #[inline]
            fn to_word(self) -> u64 {
                self.get().to_word()
            }

            #[inline]
            fn from_word(word: u64) -> Self {
                Self::new(<$int>::from_word(word)).expect("the word of a value that is not zero")
            }
        }

        impl InlineValue for Option<NonZero<$int>> {
            #[inline]
            fn to_word(self) -> u64 {
                self.map_or(0, |value| value.to_word())
            }

            #[inline]
            fn from_word(word: u64) -> Self {
                NonZero::new(<$int>::from_word(word))
            }
        }
    )*};
}

unsigned!(u8, u16, u32, u64, usize);
signed!(i8, i16, i32, i64, isize);
not_zero!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

impl InlineValue for () {
    #[inline]
    fn to_word(self) -> u64 {
        0
    }

    #[inline]
    fn from_word(_: u64) -> Self {}
}

impl InlineValue for bool {
    #[inline]
    fn to_word(self) -> u64 {
        u64::from(self)
    }

    #[inline]
    fn from_word(word: u64) -> Self {
        word != 0
    }
}

impl InlineValue for char {
    #[inline]
    fn to_word(self) -> u64 {
        u64::from(self)
    }

    #[inline]
    fn from_word(word: u64) -> Self {
        let scalar = u32::try_from(word).ok();
        scalar
            .and_then(Self::from_u32)
            .expect("the word of a character")
    }
}

/// The provenance of the pointer is exposed.
impl<T> InlineValue for *const T {
    #[inline]
    fn to_word(self) -> u64 {
        self.expose_provenance() as u64
    }

    #[inline]
    fn from_word(word: u64) -> Self {
        core::ptr::with_exposed_provenance(word as usize)
    }
}

/// The provenance of the pointer is exposed.
impl<T> InlineValue for *mut T {
    #[inline]
    fn to_word(self) -> u64 {
        self.expose_provenance() as u64
    }

    #[inline]
    fn from_word(word: u64) -> Self {
        core::ptr::with_exposed_provenance_mut(word as usize)
    }
}

/// The provenance of the pointer is exposed.
impl<T> InlineValue for NonNull<T> {
    #[inline]
    fn to_word(self) -> u64 {
        self.as_ptr().to_word()
    }

    #[inline]
    fn from_word(word: u64) -> Self {
        Self::new(<*mut T>::from_word(word)).expect("the word of a pointer that is not null")
    }
}

/// The provenance of the pointer is exposed.
impl<T> InlineValue for Option<NonNull<T>> {
    #[inline]
    fn to_word(self) -> u64 {
        self.map_or(0, |pointer| pointer.to_word())
    }

    #[inline]
    fn from_word(word: u64) -> Self {
        NonNull::new(<*mut T>::from_word(word))
    }
}

#[cfg(test)]
mod tests {
    use core::fmt::Debug;
    use std::collections::HashSet;

    use super::*;

    fn come_back<V: InlineValue + PartialEq + Debug>(values: &[V]) {
        let mut words = HashSet::new();
        for value in values {
            let word = value.to_word();
            assert_eq!(V::from_word(word), *value);
            assert!(words.insert(word), "{value:?} has the word of another");
        }
    }

    macro_rules! of_every_width {
        ($($unsigned:ty, $signed:ty);*) => {$(
            let end = <$unsigned>::MAX;
            come_back(&[0, 1, 2, end / 2, end / 2 + 1, end - 1, end]);
            come_back(&[1, 2, end / 2, end].map(|n| NonZero::new(n).unwrap()));
            come_back(&[0, 1, 2, end / 2, end].map(NonZero::new));
            let (start, end) = (<$signed>::MIN, <$signed>::MAX);
            come_back(&[start, start + 1, -2, -1, 0, 1, 2, end - 1, end]);
            come_back(&[start, -1, 1, end].map(|n| NonZero::new(n).unwrap()));
            come_back(&[start, -1, 0, 1, end].map(NonZero::new));
        )*};
    }

    #[test]
    fn integers_come_back() {
        of_every_width!(u8, i8; u16, i16; u32, i32; u64, i64; usize, isize);
    }

    #[test]
    fn integers_near_zero_have_small_words() {
        for value in -500_i64..500 {
            assert!(value.to_word() <= 1000, "{value}");
        }
    }

    #[test]
    fn what_is_no_integer_comes_back() {
        come_back(&[false, true]);
        come_back(&['\0', 'a', '\u{d7ff}', '\u{e000}', char::MAX]);
        come_back(&[()]);
        let place = 7_u32;
        let pointer = &raw const place;
        come_back(&[pointer, core::ptr::null()]);
        come_back(&[pointer.cast_mut(), core::ptr::null_mut()]);
        let there = NonNull::from(&place);
        come_back(&[there, NonNull::dangling()]);
        come_back(&[Some(there), Some(NonNull::dangling()), None]);
        assert_eq!(Some(there).to_word(), pointer.to_word());
        assert_eq!(None::<NonNull<u32>>.to_word(), 0);
        come_back(&[
            core::ptr::null::<u8>(),
            core::ptr::without_provenance(usize::MAX),
        ]);
    }
}
