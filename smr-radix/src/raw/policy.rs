//! How values are kept: beside the tree, or in its slots.

use core::borrow::Borrow;
use core::fmt;
use core::marker::PhantomData;

use crate::value::InlineValue;

/// How a tree keeps its values. Only [`Boxed`] and [`Inline`] are.
pub trait Policy: sealed::Sealed + Sized {
    /// What is inserted.
    type Value;

    /// What is returned: a reference, or the value itself.
    type Val<'g>: Copy + Borrow<Self::Value>
    where
        Self: 'g;

    /// Whether values stand in slots.
    #[doc(hidden)]
    const INLINE: bool;

    /// The value as bits of a slot, if it is to stand there.
    #[doc(hidden)]
    fn to_bits(value: &Self::Value) -> Option<u64>;

    /// What is returned for a value in a slot.
    #[doc(hidden)]
    fn from_bits<'g>(bits: u64) -> Self::Val<'g>
    where
        Self: 'g;

    /// What is returned for a value beside the tree.
    #[doc(hidden)]
    fn from_ref<'g>(value: &'g Self::Value) -> Self::Val<'g>
    where
        Self: 'g;

    /// The value that bits of a slot are.
    #[doc(hidden)]
    fn take_bits(bits: u64) -> Self::Value;
}

mod sealed {
    pub trait Sealed {}
    impl<V> Sealed for super::Boxed<V> {}
    impl<V> Sealed for super::Inline<V> {}
}

/// Values of any type, each in a leaf of its own, and returned by reference.
pub struct Boxed<V>(PhantomData<fn(V) -> V>);

/// Values that are words, in the slots themselves, and returned by value.
pub struct Inline<V>(PhantomData<fn(V) -> V>);

impl<V> fmt::Debug for Boxed<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Boxed")
    }
}

impl<V> fmt::Debug for Inline<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inline")
    }
}

impl<V> Policy for Boxed<V> {
    type Value = V;
    type Val<'g>
        = &'g V
    where
        Self: 'g;
    const INLINE: bool = false;

    #[inline(always)]
    fn to_bits(_: &V) -> Option<u64> {
        None
    }

    fn from_bits<'g>(_: u64) -> &'g V
    where
        Self: 'g,
    {
        unreachable!("no value stands in a slot")
    }

    #[inline(always)]
    fn from_ref<'g>(value: &'g V) -> &'g V
    where
        Self: 'g,
    {
        value
    }

    fn take_bits(_: u64) -> V {
        unreachable!("no value stands in a slot")
    }
}

impl<V: InlineValue> Policy for Inline<V> {
    type Value = V;
    type Val<'g>
        = V
    where
        Self: 'g;
    const INLINE: bool = true;

    #[inline(always)]
    fn to_bits(value: &V) -> Option<u64> {
        Some(value.to_word())
    }

    #[inline(always)]
    fn from_bits<'g>(bits: u64) -> V
    where
        Self: 'g,
    {
        V::from_word(bits)
    }

    #[inline(always)]
    fn from_ref<'g>(value: &'g V) -> V
    where
        Self: 'g,
    {
        *value
    }

    #[inline(always)]
    fn take_bits(bits: u64) -> V {
        V::from_word(bits)
    }
}
