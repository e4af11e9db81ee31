//! Nodes: what of the key they stand for, which children they have, and their slots.
//!
//! ```text
//!   63                              6  5        2  1     0
//!  +----------------------------------+-----------+-------+
//!  | the key above the node's digit   |   level   | shape |   head, never changes
//!  +----------------------------------+-----------+-------+
//!  | digit | digit | digit |  0  | ...                    |   lanes, only added to
//!  +----------------------------------+-----------+-------+
//!  | slot  | slot  | slot  | ...                          |
//!  +------------------------------------------------------+
//! ```
//!
//! A digit is what a node looks at: six bits of the key, at `6 * level`. In the small
//! shapes a lane says which digit the slot of the same number is for; lanes are bytes,
//! taken from the first on, by an exchange of the word that they are in. A word that is
//! full never changes again, so whoever adds a lane has seen all lanes before it: no
//! digit gets two. A full node has a slot for each digit and no lanes.
//!
//! # Orderings
//!
//! Lanes are Relaxed: nothing is reached through them. Who loads a word from a slot, with
//! Acquire, sees the lane of that slot, for who put the word there had seen it.

use core::marker::PhantomData;
use core::ptr::NonNull;

use smr_core::sync::{AtomicU64, Ordering, mutant};

use crate::raw::lanes::{Lanes, Places};
use crate::raw::life::Life;
use crate::raw::word::{Marks, Slot, Word};
use crate::tunables::{
    BITS, FULL, LARGE, LEVELS, MIDDLE, NEIGHBOURS, REST, ROW, SHARE, SLACK, SMALL, SPARSE,
};

/// Which key the digit of a level is at.
#[inline(always)]
pub(crate) const fn shift(level: usize) -> u32 {
    level as u32 * BITS
}

#[inline(always)]
pub(crate) const fn digit(key: u64, level: usize) -> usize {
    (key >> shift(level)) as usize & (FULL - 1)
}

/// The level of the highest digit in which two keys differ.
pub(crate) fn fork(one: u64, other: u64) -> usize {
    debug_assert_ne!(one, other);
    ((one ^ other).ilog2() / BITS) as usize
}

/// How many slots a node has, and how it finds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Small = 0,
    Middle = 1,
    Large = 2,
    Full = 3,
}

impl Shape {
    const fn slots(self) -> usize {
        match self {
            Self::Small => SMALL,
            Self::Middle => MIDDLE,
            Self::Large => LARGE,
            Self::Full => FULL,
        }
    }

    /// Lines of the cache that it fills.
    pub(crate) const fn lines(self) -> usize {
        let bytes = match self {
            Self::Small => size_of::<Small>(),
            Self::Middle => size_of::<Middle>(),
            Self::Large => size_of::<Large>(),
            Self::Full => size_of::<Full>(),
        };
        bytes.div_ceil(align_of::<Line>())
    }

    /// The smallest that has room for so many children and some more, one at least.
    fn fit(children: usize) -> Self {
        let wanted = children + children / SLACK + 1;
        [Self::Small, Self::Middle, Self::Large]
            .into_iter()
            .find(|shape| shape.slots() >= wanted)
            .unwrap_or(Self::Full)
    }
}

/// The first word of a node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head(u64);

impl Head {
    const LEVEL: u32 = 2;
    const PREFIX: u32 = 6;

    /// A node that `key` is below, on a level.
    fn new(key: u64, level: usize, shape: Shape) -> Self {
        debug_assert!(level < LEVELS);
        let prefix = key.checked_shr(shift(level) + BITS).unwrap_or(0) << shift(level);
        Self(prefix << Self::PREFIX | (level as u64) << Self::LEVEL | shape as u64)
    }

    #[inline(always)]
    pub(crate) fn level(self) -> usize {
        (self.0 >> Self::LEVEL) as usize & 0xf
    }

    #[inline(always)]
    pub(crate) fn shape(self) -> Shape {
        match self.0 & 3 {
            0 => Shape::Small,
            1 => Shape::Middle,
            2 => Shape::Large,
            _ => Shape::Full,
        }
    }

    /// Whether a key belongs below the node.
    #[inline(always)]
    pub(crate) fn covers(self, key: u64) -> bool {
        ((key >> BITS) ^ (self.0 >> Self::PREFIX)) >> shift(self.level()) == 0
    }

    /// The smallest key that belongs below the node.
    #[inline(always)]
    pub(crate) fn first(self) -> u64 {
        self.0 >> Self::PREFIX << BITS
    }

    /// The largest key that belongs below the node.
    #[inline(always)]
    pub(crate) fn last(self) -> u64 {
        let below = ((FULL as u64) << shift(self.level())).wrapping_sub(1);
        self.first() | below
    }
}

/// What all nodes begin with.
#[derive(Debug)]
#[repr(C)]
struct Start {
    head: Head,
    life: Life,
}

/// The memory of a node: aligned as `A`, with `W` words of lanes and `S` slots.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Node<A, const W: usize, const S: usize> {
    _align: [A; 0],
    start: Start,
    lanes: [AtomicU64; W],
    slots: [Slot; S],
}

/// A whole line.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Line;

/// What the bits of a [`Word`] need: see `word`.
#[cfg(all(
    any(target_arch = "x86_64", target_arch = "aarch64"),
    target_pointer_width = "64",
    not(any(target_os = "android", loom, smr_tiny))
))]
#[derive(Debug)]
#[repr(align(16))]
pub(crate) struct Least;

/// What the bits of a [`Word`] need: see `word`.
#[cfg(not(all(
    any(target_arch = "x86_64", target_arch = "aarch64"),
    target_pointer_width = "64",
    not(any(target_os = "android", loom, smr_tiny))
)))]
pub(crate) type Least = Line;

pub(crate) type Small = Node<Line, 1, SMALL>;
pub(crate) type Middle = Node<Line, 2, MIDDLE>;
pub(crate) type Large = Node<Line, 4, LARGE>;
pub(crate) type Full = Node<Least, 0, FULL>;

// SAFETY: words and atomics; what the words lead to is nobody's in particular.
unsafe impl<A, const W: usize, const S: usize> Send for Node<A, W, S> {}

/// A node in the making.
pub(crate) struct Draft<'a> {
    head: Head,
    children: &'a [(u8, Word)],
}

impl<'a> Draft<'a> {
    /// A node that `key` is below, with room for its children and some more.
    pub(crate) fn new(key: u64, level: usize, children: &'a [(u8, Word)]) -> Self {
        Self {
            head: Head::new(key, level, Shape::fit(children.len())),
            children,
        }
    }

    /// What a node that has these children for good becomes.
    pub(crate) fn instead_of(head: Head, children: &'a [(u8, Word)]) -> Self {
        let mut draft = Self::new(head.first(), head.level(), children);
        if head.shape() == Shape::Middle && children.len() == MIDDLE && is_run(children) {
            // It is being filled in order, and will be full soon.
            draft.head = Head::new(head.first(), head.level(), Shape::Full);
        }
        draft
    }

    /// A full node for what comes in order, of which this is the beginning.
    pub(crate) fn row(key: u64, level: usize, children: &'a [(u8, Word)]) -> Self {
        Self {
            head: Head::new(key, level, Shape::Full),
            children,
        }
    }

    pub(crate) fn shape(&self) -> Shape {
        self.head.shape()
    }

    /// The marks of all children.
    pub(crate) fn marks(&self) -> Marks {
        let children = self.children.iter();
        children.fold(Marks::NONE, |all, (_, word)| all.and(word.marks()))
    }

    /// The node, in the memory of its shape.
    #[inline]
    pub(crate) fn build<A, const W: usize, const S: usize>(&self) -> Node<A, W, S> {
        let mut lanes = [0_u64; W];
        let mut words = [Word::NULL; S];
        for (at, (digit, word)) in self.children.iter().enumerate() {
            let digit = usize::from(*digit);
            if W == 0 {
                words[digit] = *word;
            } else {
                lanes[at / 8] |= Lanes::taken(at % 8, digit);
                words[at] = *word;
            }
        }
        Node {
            _align: [],
            start: Start {
                head: self.head,
                life: Life::new(),
            },
            lanes: lanes.map(AtomicU64::new),
            slots: words.map(Slot::new),
        }
    }
}

/// Whether the digits have no gap between them.
fn is_run(children: &[(u8, Word)]) -> bool {
    let digits = children.iter().map(|(digit, _)| usize::from(*digit));
    let (first, last) = digits.fold((FULL, 0), |(first, last), digit| {
        (first.min(digit), last.max(digit))
    });
    first + children.len() == last + 1
}

/// A node that is alive for `'g`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NodeRef<'g> {
    at: NonNull<()>,
    _alive: PhantomData<&'g Full>,
}

// SAFETY: a shared reference to words and atomics.
unsafe impl Send for NodeRef<'_> {}
// SAFETY: as above.
unsafe impl Sync for NodeRef<'_> {}

/// What became of an attempt to get a slot for a digit.
pub(crate) enum Claim<'g> {
    Slot(&'g Slot),
    /// Others came between: look again.
    Changed,
    /// All lanes are taken.
    Full,
}

impl<'g> NodeRef<'g> {
    /// # Safety
    ///
    /// `at` is a node of one of the four types, alive for `'g`.
    #[inline(always)]
    pub(crate) unsafe fn new(at: *mut ()) -> Self {
        Self {
            // SAFETY: the caller's promise.
            at: unsafe { NonNull::new_unchecked(at) },
            _alive: PhantomData,
        }
    }

    #[inline(always)]
    pub(crate) fn as_ptr(self) -> *mut () {
        self.at.as_ptr()
    }

    #[inline(always)]
    pub(crate) fn head(self) -> Head {
        // SAFETY: alive, and all begin alike. The head never changes.
        let start: &Start = unsafe { self.at.cast().as_ref() };
        start.life.look();
        start.head
    }

    /// Tells the model checker that its memory goes.
    #[cfg(loom)]
    #[track_caller]
    pub(crate) fn end(self) {
        // SAFETY: as in `head`.
        let start: &Start = unsafe { self.at.cast().as_ref() };
        start.life.end();
    }

    /// As one of the four types.
    ///
    /// # Safety
    ///
    /// Of that type it is.
    #[inline(always)]
    unsafe fn of<A, const W: usize, const S: usize>(self) -> &'g Node<A, W, S> {
        // SAFETY: alive, and the caller's promise.
        unsafe { self.at.cast().as_ref() }
    }

    #[inline(always)]
    fn parts(self, head: Head) -> (&'g [AtomicU64], &'g [Slot]) {
        match head.shape() {
            Shape::Small => {
                // SAFETY: it says so itself.
                let node: &Small = unsafe { self.of() };
                (&node.lanes, &node.slots)
            }
            Shape::Middle => {
                // SAFETY: it says so itself.
                let node: &Middle = unsafe { self.of() };
                (&node.lanes, &node.slots)
            }
            Shape::Large => {
                // SAFETY: it says so itself.
                let node: &Large = unsafe { self.of() };
                (&node.lanes, &node.slots)
            }
            Shape::Full => {
                // SAFETY: it says so itself.
                let node: &Full = unsafe { self.of() };
                (&node.lanes, &node.slots)
            }
        }
    }

    #[inline(always)]
    fn lanes(word: &AtomicU64) -> Lanes {
        // Relaxed: see the head of the file.
        Lanes::new(word.load(Ordering::Relaxed))
    }

    /// The slots of a full node.
    ///
    /// # Safety
    ///
    /// That it is.
    #[inline(always)]
    pub(crate) unsafe fn full(self) -> &'g [Slot; FULL] {
        // SAFETY: the caller's promise.
        let node: &Full = unsafe { self.of() };
        node.start.life.look();
        &node.slots
    }

    /// The slot of a digit, if there is one yet.
    #[inline(always)]
    pub(crate) fn slot(self, head: Head, digit: usize) -> Option<&'g Slot> {
        if head.shape() == Shape::Full {
            // SAFETY: it says so itself.
            return Some(unsafe { &self.full()[digit & (FULL - 1)] });
        }
        let (lanes, slots) = self.parts(head);
        for (at, word) in lanes.iter().enumerate() {
            if let Some(lane) = Self::lanes(word).find(digit) {
                return slots.get(8 * at + lane);
            }
        }
        None
    }

    /// A slot for a digit that had none.
    pub(crate) fn claim(self, head: Head, digit: usize) -> Claim<'g> {
        let (words, slots) = self.parts(head);
        for (at, word) in words.iter().enumerate() {
            let lanes = Self::lanes(word);
            if lanes.find(digit).is_some() && !mutant("radix_claim_blind") {
                return Claim::Changed;
            }
            let lane = lanes.len();
            if lane == 8 {
                continue;
            }
            let Some(slot) = slots.get(8 * at + lane) else {
                break;
            };
            let taken = lanes.word() | Lanes::taken(lane, digit);
            // Relaxed: see the head of the file.
            let claimed =
                word.compare_exchange(lanes.word(), taken, Ordering::Relaxed, Ordering::Relaxed);
            return match claimed {
                Ok(_) => Claim::Slot(slot),
                Err(_) => Claim::Changed,
            };
        }
        Claim::Full
    }

    /// All slots, used or not.
    #[inline(always)]
    pub(crate) fn slots(self, head: Head) -> &'g [Slot] {
        self.parts(head).1
    }

    /// The digits that have slots.
    #[inline(always)]
    pub(crate) fn digits(self, head: Head) -> u64 {
        let (lanes, _) = self.parts(head);
        if lanes.is_empty() {
            return u64::MAX >> (64 - FULL);
        }
        let lanes = lanes.iter().map(Self::lanes);
        lanes.fold(0, |all, lanes| all | lanes.digits())
    }

    /// The digits that have slots, and which these are.
    #[inline(always)]
    pub(crate) fn places(self, head: Head) -> (u64, Places) {
        let (lanes, _) = self.parts(head);
        Lanes::places(lanes.iter().map(Self::lanes))
    }

    /// Whether it has so few children, after that of `digit` has gone, that it is to be
    /// rebuilt. `is_full`: it is known to be a full one.
    #[inline]
    pub(crate) fn is_sparse(self, digit: usize, is_full: bool) -> bool {
        if is_full || self.head().shape() == Shape::Full {
            // SAFETY: it says so itself.
            let slots = unsafe { self.full() };
            let first = digit / NEIGHBOURS * NEIGHBOURS;
            let mut neighbours = slots[first..first + NEIGHBOURS].iter();
            return neighbours.all(|slot| slot.peek().is_null()) && is_deserted(slots, digit);
        }
        let head = self.head();
        let (_, slots) = self.parts(head);
        let children = slots.iter().filter(|slot| !slot.peek().is_null());
        children.count() <= SPARSE[head.shape() as usize]
    }

    /// Whether a full node is taken at both ends: then what comes in order goes on in the
    /// next.
    ///
    /// # Safety
    ///
    /// That it is one.
    pub(crate) unsafe fn is_row(self) -> bool {
        // SAFETY: the caller's promise.
        let slots = unsafe { self.full() };
        let is_taken = |end: &[Slot]| {
            let taken = end.iter().filter(|slot| !slot.peek().is_null());
            taken.count() >= ROW.div_ceil(SHARE)
        };
        is_taken(&slots[FULL - ROW..]) && is_taken(&slots[..ROW])
    }

    /// Freezes all slots, and gives the children that it has for good.
    pub(crate) fn freeze(self, head: Head) -> Children {
        self.each_child(head, |slot| {
            if mutant("radix_freeze_children") && slot.load().is_null() {
                return Word::NULL;
            }
            slot.freeze()
        })
    }

    /// The children that it has now, each at an instant of its own.
    pub(crate) fn look(self, head: Head) -> Children {
        self.each_child(head, |slot| slot.load().thawed())
    }

    #[inline(always)]
    fn each_child(self, head: Head, get: impl Fn(&Slot) -> Word) -> Children {
        let (lanes, slots) = self.parts(head);
        let mut children = Children {
            all: [(0, Word::NULL); FULL],
            len: 0,
        };
        for (at, slot) in slots.iter().enumerate() {
            let word = get(slot);
            if word.is_null() {
                continue;
            }
            let digit = match lanes.get(at / 8) {
                Some(word) => Self::lanes(word).digit(at % 8),
                None => at,
            };
            children.all[children.len] = (digit as u8, word);
            children.len += 1;
        }
        children
    }
}

/// Whether a full node has few children, after that of `digit` has gone. Where they go in
/// order, and the rest will soon be gone as well, only if there are very few.
#[inline(never)]
fn is_deserted(slots: &[Slot; FULL], digit: usize) -> bool {
    let [.., most] = SPARSE;
    let (groups, _) = slots.as_chunks::<NEIGHBOURS>();
    let (mut children, mut first) = (0, groups.len());
    // From the end, which is the last to go.
    for (at, group) in groups.iter().enumerate().rev() {
        let taken = group.iter().map(|slot| usize::from(!slot.peek().is_null()));
        let taken: usize = taken.sum();
        first = if taken == 0 { first } else { at };
        children += taken;
        if children > most {
            return false;
        }
    }
    let behind = FULL - NEIGHBOURS * first;
    let in_order = NEIGHBOURS * first > digit && SHARE * children >= behind;
    children <= REST || !in_order
}

/// Children of a node, with their digits.
pub(crate) struct Children {
    all: [(u8, Word); FULL],
    len: usize,
}

impl Children {
    pub(crate) fn as_slice(&self) -> &[(u8, Word)] {
        &self.all[..self.len]
    }
}
