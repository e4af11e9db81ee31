//! What a slot holds: one word.
//!
//! ```text
//!             63   62 ................ 4   3  2  1     0
//!           +------+---------------------+----------+--------+
//!  nothing  |  0   | 0                   | 0        | FROZEN |
//!  leaf     |  0   | its address         | marks    | FROZEN |
//!  node     |  1   | DIRECT  its address | marks of | FROZEN |
//!           |      |                     | any below|        |
//!  value    |  1   | the value           | marks    | FROZEN |
//!           +------+---------------------+----------+--------+
//!            KIND
//! ```
//!
//! A node never stands in a slot of the lowest level, and a value only there: so one bit
//! tells all of them apart. DIRECT is bit 62, and leaves and nodes are aligned to 16
//! bytes. Where programs see addresses with the highest bits set (with 32 bits, and on
//! Android, which tags pointers there), KIND is bit 4 and DIRECT bit 5, leaves are
//! aligned to 32 bytes and nodes to 64.
//!
//! DIRECT says what the node would say itself: that it is a full one, of the level right
//! below that of the slot. Then nothing is skipped that a key could differ in, and whoever
//! comes by needs not look at its head, which is on another line than most of its slots.
//! It follows from the node and the level of the slot, so a word that goes to another
//! level is [placed](Word::placed) there.
//!
//! The word is a pointer and its address is changed in place, so it keeps the
//! provenance of what it leads to.
//!
//! # Orderings
//!
//! Failed exchanges are Relaxed: the caller loads again before it looks. Freezing and
//! raising a mark are Relaxed: they go on with the release sequence of who published
//! what the slot leads to.

use core::ptr::{self, NonNull};

use smr_core::prefetch;
use smr_core::sync::{AtomicPtr, Ordering, mutant};

use crate::ord;
use crate::raw::leaf::Leaf;
use crate::raw::node::{NodeRef, Shape};

/// Whether the two highest bits of an address are ours to use.
pub(crate) const HIGH: bool = cfg!(all(
    any(target_arch = "x86_64", target_arch = "aarch64"),
    target_pointer_width = "64",
    not(any(target_os = "android", loom, smr_tiny))
));

const FROZEN: usize = 1;
const MARK: u32 = 1;
const MARKS: usize = 0b1110;
const KIND: usize = if HIGH { 1 << (usize::BITS - 1) } else { 1 << 4 };
const DIRECT: usize = if HIGH { 1 << (usize::BITS - 2) } else { 1 << 5 };

/// Bits of a value that stand in a word.
pub(crate) const VALUE_BITS: u32 = usize::BITS - 5;

/// A set of the three marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks(usize);

impl Marks {
    pub(crate) const NONE: Self = Self(0);

    /// The mark of this number, alone.
    #[inline(always)]
    pub(crate) fn one(mark: u8) -> Self {
        debug_assert!(mark < 3, "there are three marks");
        Self((1 << (u32::from(mark) + MARK)) & MARKS)
    }

    #[inline(always)]
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a slot holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Word(*mut ());

// SAFETY: a word is an address; who follows it says why it may.
unsafe impl Send for Word {}
// SAFETY: as above.
unsafe impl Sync for Word {}

impl Word {
    pub(crate) const NULL: Self = Self(ptr::null_mut());

    pub(crate) fn of_leaf<V>(leaf: NonNull<Leaf<V>>) -> Self {
        Self::of_address(leaf.as_ptr().cast())
    }

    /// For a slot of a level.
    pub(crate) fn of_node(node: NodeRef<'_>, level: usize) -> Self {
        let word = Self::of_address(node.as_ptr()).map(|word| word | KIND);
        let head = node.head();
        if head.shape() == Shape::Full && head.level() + 1 == level {
            word.map(|word| word | DIRECT)
        } else {
            word
        }
    }

    /// The word of a node, for a slot of another level.
    ///
    /// # Safety
    ///
    /// The word holds a node that is alive.
    pub(crate) unsafe fn placed(self, level: usize) -> Self {
        if mutant("radix_direct_stays") {
            return self.thawed();
        }
        // SAFETY: the caller's promise.
        let node = unsafe { self.node() };
        Self::of_node(node, level).with(self.marks())
    }

    fn of_address(at: *mut ()) -> Self {
        let high = if HIGH { DIRECT } else { 0 };
        let spare = at.addr() & (FROZEN | MARKS | KIND | high);
        assert_eq!(spare, 0, "an address that leaves no room for marks");
        Self(at)
    }

    /// A value, if it is small enough.
    #[inline(always)]
    pub(crate) fn of_value(value: u64) -> Option<Self> {
        if value >> VALUE_BITS != 0 {
            return None;
        }
        let shift = if HIGH { 4 } else { 5 };
        Some(Self(ptr::without_provenance_mut(
            (value as usize) << shift | KIND,
        )))
    }

    /// The value that stands here.
    #[inline(always)]
    pub(crate) fn value(self) -> u64 {
        let word = self.0.addr();
        if HIGH {
            ((word << 1) >> 5) as u64
        } else {
            (word >> 5) as u64
        }
    }

    #[inline(always)]
    fn map(self, f: impl FnOnce(usize) -> usize) -> Self {
        Self(self.0.map_addr(f))
    }

    #[inline(always)]
    pub(crate) fn is_null(self) -> bool {
        self.0.addr() & !FROZEN == 0
    }

    #[inline(always)]
    pub(crate) fn is_frozen(self) -> bool {
        self.0.addr() & FROZEN != 0
    }

    /// Whether this is a node, or on the lowest level a value.
    #[inline(always)]
    pub(crate) fn has_kind(self) -> bool {
        self.0.addr() & KIND != 0
    }

    #[inline(always)]
    pub(crate) fn thawed(self) -> Self {
        self.map(|word| word & !FROZEN)
    }

    #[inline(always)]
    fn frozen(self) -> Self {
        self.map(|word| word | FROZEN)
    }

    #[inline(always)]
    pub(crate) fn marks(self) -> Marks {
        Marks(self.0.addr() & MARKS)
    }

    #[inline(always)]
    pub(crate) fn has(self, marks: Marks) -> bool {
        self.0.addr() & marks.0 == marks.0
    }

    #[inline(always)]
    pub(crate) fn with(self, marks: Marks) -> Self {
        self.map(|word| word | marks.0)
    }

    #[inline(always)]
    pub(crate) fn without(self, marks: Marks) -> Self {
        self.map(|word| word & !marks.0)
    }

    /// Whether this is a node that is full, and right below the level of the slot.
    #[inline(always)]
    pub(crate) fn is_direct(self) -> bool {
        self.0.addr() & DIRECT != 0
    }

    /// Whether this is the node.
    #[inline(always)]
    pub(crate) fn is_node(self, node: NodeRef<'_>) -> bool {
        self.has_kind() && core::ptr::eq(self.address(), node.as_ptr())
    }

    /// Whether both are the same leaf, or the same value; marks aside.
    #[inline(always)]
    pub(crate) fn is_same(self, other: Self) -> bool {
        (self.0.addr() ^ other.0.addr()) & !(FROZEN | MARKS) == 0
    }

    /// Where the leaf is.
    #[inline(always)]
    pub(crate) fn leaf<V>(self) -> *mut Leaf<V> {
        self.map(|word| word & !(FROZEN | MARKS)).0.cast()
    }

    /// The node.
    ///
    /// # Safety
    ///
    /// The word holds a node that is alive for `'g`.
    #[inline(always)]
    pub(crate) unsafe fn node<'g>(self) -> NodeRef<'g> {
        // SAFETY: the caller's promise.
        unsafe { NodeRef::new(self.address()) }
    }

    /// Where the node is; where a leaf is, or close to it.
    #[inline(always)]
    fn address(self) -> *mut () {
        self.map(|word| word & !(FROZEN | MARKS | KIND | DIRECT)).0
    }

    /// Asks for the line that the leaf is in, or that the node begins in.
    #[inline(always)]
    pub(crate) fn prefetch(self) {
        prefetch(self.address());
    }

    /// Asks for so many lines of the node.
    #[inline(always)]
    pub(crate) fn prefetch_node(self, lines: usize) {
        for line in 0..lines {
            prefetch(self.address().cast::<u8>().wrapping_add(64 * line));
        }
    }
}

/// The word that threads share.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Slot(AtomicPtr<()>);

impl Slot {
    #[cfg(not(loom))]
    pub(crate) const fn new(word: Word) -> Self {
        Self(AtomicPtr::new(word.0))
    }

    #[cfg(loom)]
    pub(crate) fn new(word: Word) -> Self {
        Self(AtomicPtr::new(word.0))
    }

    /// What it holds.
    #[inline(always)]
    pub(crate) fn load(&self) -> Word {
        // Acquire: pairs with the Release of every exchange in `ord.rs`.
        Word(self.0.load(ord::radix_load()))
    }

    /// What it holds, for who will not look behind it or is alone.
    #[inline(always)]
    pub(crate) fn peek(&self) -> Word {
        // Relaxed: nothing is read through it, or nobody else is there.
        Word(self.0.load(Ordering::Relaxed))
    }

    /// Empties it, for who is alone.
    pub(crate) fn take(&mut self) -> Word {
        // Relaxed: nobody else is there.
        Word(self.0.swap(ptr::null_mut(), Ordering::Relaxed))
    }

    /// Exchanges what it holds, if that is as it was seen. `from` is not frozen.
    #[inline(always)]
    pub(crate) fn exchange(&self, from: Word, to: Word, order: Ordering) -> bool {
        self.0
            // Relaxed on failure: the caller loads again before it looks.
            .compare_exchange(from.0, to.0, order, Ordering::Relaxed)
            .is_ok()
    }

    /// Adds marks to what leads to a node.
    pub(crate) fn raise(&self, from: Word, marks: Marks) -> bool {
        // Relaxed: see the head of the file.
        self.exchange(from, from.with(marks), Ordering::Relaxed)
    }

    /// Adds marks to the entry, if there is one; whether there is. `Err`: it is frozen
    /// without them.
    pub(crate) fn mark(&self, marks: Marks) -> Result<bool, ()> {
        loop {
            let word = self.load();
            if word.is_null() || word.has(marks) {
                return Ok(!word.is_null());
            }
            if word.is_frozen() {
                return Err(());
            }
            // Release: pairs with the Acquire in `load`.
            if self.exchange(word, word.with(marks), ord::radix_mark()) {
                return Ok(true);
            }
        }
    }

    /// Freezes it: from here on it holds what is returned.
    pub(crate) fn freeze(&self) -> Word {
        loop {
            let word = self.load();
            // Relaxed: see the head of the file.
            if word.is_frozen() || self.exchange(word, word.frozen(), Ordering::Relaxed) {
                return word.thawed();
            }
        }
    }
}
