//! Values that are kept in the slots of an inline tree.

/// A value that is a word of bits.
///
/// `from_word(to_word(v))` is `v` again. Words below 2^59 stand in the slot itself
/// (2^27 where a pointer has 32 bits); others are kept beside the tree.
pub trait InlineValue: Copy {
    /// The value as a word.
    fn to_word(self) -> u64;

    /// The value of a word that [`to_word`](Self::to_word) made.
    fn from_word(word: u64) -> Self;
}

impl InlineValue for u64 {
    #[inline(always)]
    fn to_word(self) -> u64 {
        self
    }

    #[inline(always)]
    fn from_word(word: u64) -> Self {
        word
    }
}
