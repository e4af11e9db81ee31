//! A bucket: a cache line of slots, and the word that its insertions pass one by one.
//!
//! ```text
//!   line   [ head | slot | slot | slot | slot | slot | slot | link ]
//!                                                               |
//!   more                  [ slot | slot | slot | slot | slot | slot | link ]
//! ```
//!
//! What does not fit goes on in the slots that the link leads to; they stay for as long
//! as the table.
//!
//! # The head
//!
//! ```text
//!   null                 nothing was ever inserted. In a table that replaces another
//!                        one: not filled yet, the bucket is where the table before has it
//!   FILLED               may be written; with the version, and the last insertion's slot
//!   FILLED | FROZEN      no entry comes in any more: the bucket is moving to the next table
//!   MOVED                it is in the next table
//!   ... | MORE           there may be entries behind the link
//! ```
//!
//! # Writes
//!
//! An entry that is there is replaced or removed by one exchange of its slot. An
//! *insertion* has to know that nobody inserts the same key into another slot:
//!
//! ```text
//!   1. settle:    load the head; help the insertion that it names to its end
//!   2. look:      the key is in no slot, and this one is free
//!   3. claim:     slot   free    -> entry          seen by no reader
//!   4. decide:    head   version -> version + 1, naming the slot
//!   5. complete:  slot   entry   -> entry | LIVE   the linearization point; by anyone
//! ```
//!
//! Step 4 fails if any insertion was decided since step 1, and then the claim is taken
//! back. So of two insertions of one key the second to be decided finds the first.
//!
//! # Invariant: the head names nobody else's claim
//!
//! While the head names a slot, the slot holds the entry that was decided, claimed or
//! live, or one that replaced it: it is never free. For a removal takes the slot out
//! of the head before it frees it, and nothing else frees a slot with a decided entry. So
//! whoever finds a claim in the slot that the head names, and then the head as it was,
//! may complete it: it is the claim that was decided. The exchange cannot hit another
//! one, since an entry does not come back to a slot in the section it was seen in.
//!
//! # Invariant: without `MORE`, no entry is behind the link
//!
//! An insertion there sets the bit with the exchange that decides it, and whoever fills the
//! bucket with the one that says so. A removal there takes it out, if it has found all of
//! these slots free after it had loaded the head: had an insertion been decided since, the
//! exchange would fail, for it is numbered. So a bucket that was too full once is looked
//! through like any other later. (Two removals that each see the other's entry still leave
//! the bit to the next one: it costs time, and nothing else.)
//!
//! Whoever loads a head without the bit, be it before the slots of the line or after them,
//! need not look behind the link: a key that is there all the time stays in its slot, which
//! at that moment was in the line. So it does if the bucket has moved meanwhile: the entries
//! of a frozen bucket stay where they are, and the bit with them.
//!
//! # Why an exchange cannot succeed wrongly
//!
//! A slot that holds the same entry again has held it all the time: what was removed is
//! retired, and not at its address again while the writer's section is open. A slot that
//! is free again is as good as before. The head counts insertions, in 39 bits. A writer
//! that is fooled when they wrap has been in one section for 2^39 insertions into one
//! bucket; all but the last million were removed again, and none of them could be reused
//! meanwhile: 8 TiB at least, with the lists that they wait in.

use core::ptr::{self, NonNull};

use smr_core::sync::{AtomicPtr, AtomicU64, Ordering, mutant};

use crate::ord;
use crate::raw::entry::Entry;
use crate::raw::word::{Marks, Wanted, Word};
use crate::tunables::SLOTS;

/// The head of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head(u64);

impl Head {
    const FILLED: u64 = 1;
    const FROZEN: u64 = 2;
    const MOVED: u64 = 4;
    const NAMES: u64 = 8;
    const MORE: u64 = 16;
    const INDEX_SHIFT: u32 = 5;
    const INDEX: u64 = (MAX_SLOTS as u64 - 1) << Self::INDEX_SHIFT;
    const VERSION_SHIFT: u32 = 25;

    /// Nothing was inserted.
    pub(crate) const NULL: Self = Self(0);

    /// Filled, by whoever moved the bucket here.
    const FRESH: Self = Self(Self::FILLED);

    #[inline(always)]
    pub(crate) fn is_null(self) -> bool {
        self == Self::NULL
    }

    #[inline(always)]
    pub(crate) fn is_moved(self) -> bool {
        self.0 & Self::MOVED != 0
    }

    #[inline(always)]
    pub(crate) fn is_frozen(self) -> bool {
        self.0 & Self::FROZEN != 0
    }

    /// Whether the bucket is here and may change.
    #[inline(always)]
    pub(crate) fn is_live(self) -> bool {
        self.0 & (Self::FROZEN | Self::MOVED) == 0
    }

    /// Whether there may be entries behind the link.
    #[inline(always)]
    pub(crate) fn has_more(self) -> bool {
        self.0 & Self::MORE != 0
    }

    /// How many insertions were decided.
    #[inline(always)]
    pub(crate) fn version(self) -> u64 {
        self.0 >> Self::VERSION_SHIFT
    }

    /// The slot of the last insertion that was decided, until it is freed.
    #[inline(always)]
    fn named(self) -> Option<usize> {
        let index = (self.0 & Self::INDEX) >> Self::INDEX_SHIFT;
        (self.0 & Self::NAMES != 0).then_some(index as usize)
    }

    /// Whether the last insertion was into this slot, and nobody has freed it.
    #[inline(always)]
    pub(crate) fn names(self, index: usize) -> bool {
        self.named() == Some(index)
    }

    #[inline(always)]
    fn unnamed(self) -> Self {
        Self(self.0 & !(Self::NAMES | Self::INDEX))
    }

    /// With one more insertion decided, into this slot.
    #[inline(always)]
    fn naming(self, index: usize) -> Self {
        let version = if mutant("map_version_stays") {
            self.version()
        } else {
            self.version() + 1
        };
        let more = if index < SLOTS || mutant("map_more_unsaid") {
            self.0 & Self::MORE
        } else {
            Self::MORE
        };
        let index = (index as u64) << Self::INDEX_SHIFT;
        Self(version << Self::VERSION_SHIFT | index | more | Self::NAMES | Self::FILLED)
    }

    #[inline(always)]
    fn without_more(self) -> Self {
        Self(self.0 & !Self::MORE)
    }

    #[inline(always)]
    fn frozen(self) -> Self {
        Self(self.unnamed().0 | Self::FROZEN)
    }

    /// Who is among the slots still asks whether there are more.
    #[inline(always)]
    fn moved(self) -> Self {
        let lost = if mutant("map_moved_unsaid") {
            Self::FROZEN | Self::MORE
        } else {
            Self::FROZEN
        };
        Self(self.0 & !lost | Self::MOVED)
    }
}

/// Slots of a bucket at the most.
pub(crate) const MAX_SLOTS: usize = 1 << 20;

/// A slot.
#[derive(Debug)]
pub(crate) struct Slot(AtomicPtr<()>);

impl Slot {
    #[inline(always)]
    pub(crate) fn load(&self) -> Word {
        // Acquire: pairs with the Release of whoever put the entry there.
        Word(self.0.load(ord::map_slot_load()))
    }

    #[inline(always)]
    fn exchange(&self, old: Word, new: Word, order: Ordering) -> bool {
        // Acquire: of a failure, pairs with the Release of what was lost to, as for the head.
        self.0
            .compare_exchange(old.0, new.0, order, Ordering::Acquire)
            .is_ok()
    }

    /// Puts an entry into a free slot, where nobody finds it yet.
    #[inline(always)]
    pub(crate) fn claim(&self, free: Word, claim: Word) -> bool {
        debug_assert!(free.is_free() && claim.is_claimed());
        // Relaxed: nobody follows a claim; deciding and completing it publish the entry.
        // Who finds it knows what came before the slot was freed: an exchange goes on with
        // the release sequence.
        self.exchange(free, claim, Ordering::Relaxed)
    }

    /// Takes a claim back that was not decided.
    pub(crate) fn take_back(&self, claim: Word) {
        // Relaxed: it was seen by nobody.
        self.exchange(claim, Word::EMPTY, Ordering::Relaxed);
    }

    /// Puts a claim that was decided into the map, unless somebody has.
    #[inline(always)]
    pub(crate) fn complete(&self, claim: Word) {
        // Release: pairs with the Acquire of `load`: who finds the entry finds that the
        // head names the slot.
        self.exchange(claim, claim.live(), ord::map_slot_complete());
    }

    /// Puts an entry in another's place.
    #[inline(always)]
    pub(crate) fn replace(&self, old: Word, new: Word) -> bool {
        debug_assert!(new.live() == new);
        // Release: pairs with the Acquire of `load`.
        !old.is_frozen() && self.exchange(old, new, ord::map_slot_replace())
    }

    /// Says that a moving bucket has this here, unless somebody has.
    pub(in crate::raw) fn install(&self, word: Word) {
        let old = if mutant("map_install_over") {
            self.load()
        } else {
            Word::UNUSED
        };
        // Relaxed: the head is installed behind it.
        self.exchange(old, word, Ordering::Relaxed);
    }

    /// Freezes the entry that is here, if there is one.
    fn freeze(&self) {
        loop {
            let word = self.load();
            // Release: pairs with the Acquire of `load`: who cannot write here finds the head
            // frozen. What was put here stays published, by its release sequence.
            if !word.is_live()
                || word.is_frozen()
                || self.exchange(word, word.frozen(), ord::map_slot_freeze())
            {
                return;
            }
        }
    }
}

/// Slots, and the way to more of them.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Slots {
    slots: [Slot; SLOTS],
    link: AtomicPtr<Slots>,
}

impl Slots {
    fn new() -> Self {
        Self {
            slots: core::array::from_fn(|_| Slot(AtomicPtr::new(ptr::null_mut()))),
            link: AtomicPtr::new(ptr::null_mut()),
        }
    }

    #[inline(always)]
    pub(crate) fn slots(&self) -> &[Slot; SLOTS] {
        &self.slots
    }

    #[inline(always)]
    pub(crate) fn words(&self) -> [Word; SLOTS] {
        core::array::from_fn(|index| self.slots[index].load())
    }

    /// Whether nothing is in these slots.
    pub(crate) fn is_clear(&self) -> bool {
        self.words().iter().all(|word| word.is_free())
    }

    /// The marks of the slots.
    #[inline(always)]
    pub(crate) fn marks(&self) -> Marks {
        Marks::new(self.slots.iter().map(Slot::load))
    }

    /// The entry in the last slot that may hold a hash.
    #[inline(always)]
    pub(crate) fn last_of<K, V>(&self, wanted: Wanted) -> Option<NonNull<Entry<K, V>>> {
        let mut last = Word::UNUSED;
        for slot in &self.slots {
            let word = slot.load();
            last = core::hint::select_unpredictable(word.may_be(wanted), word, last);
        }
        // One that may be is live.
        last.named()
    }

    /// The slots that follow.
    #[inline(always)]
    pub(crate) fn next(&self) -> Option<&Slots> {
        // Acquire: pairs with the Release of `extend`.
        let next = self.link.load(ord::map_link_load());
        // SAFETY: they live for as long as the table, and so do we.
        unsafe { next.as_ref() }
    }

    /// Makes these slots the ones that follow; `false` if others do.
    pub(crate) fn extend(&self, more: NonNull<More>) -> bool {
        // Release: pairs with the Acquire of `next`. Relaxed: theirs is loaded again.
        self.link
            .compare_exchange(
                ptr::null_mut(),
                more.as_ptr().cast(),
                ord::map_link_publish(),
                Ordering::Relaxed,
            )
            .is_ok()
    }

    /// These, and all that follow.
    #[inline]
    pub(crate) fn chain(&self) -> impl Iterator<Item = &Slots> {
        core::iter::successors(Some(self), |slots| slots.next())
    }
}

/// Slots that follow others, on a line of their own.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct More(Slots);

impl More {
    /// Slots that nobody has used.
    pub(crate) fn new() -> Self {
        Self(Slots::new())
    }
}

/// A bucket.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Line {
    head: AtomicU64,
    slots: Slots,
}

impl Line {
    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self {
            head: AtomicU64::new(0),
            slots: Slots::new(),
        }
    }

    #[inline(always)]
    pub(crate) fn slots(&self) -> &Slots {
        &self.slots
    }

    /// The slot of this number.
    #[inline(always)]
    fn slot(&self, index: usize) -> &Slot {
        match self.slots.slots.get(index) {
            Some(slot) => slot,
            None => self.slot_behind(index),
        }
    }

    /// The same, of a slot that is not in the line.
    #[cold]
    fn slot_behind(&self, index: usize) -> &Slot {
        let mut slots = &self.slots;
        for _ in 0..index / SLOTS {
            let Some(next) = slots.next() else {
                unreachable!("slots are numbered where they are");
            };
            slots = next;
        }
        &slots.slots[index % SLOTS]
    }

    #[inline(always)]
    pub(crate) fn head(&self) -> Head {
        // Acquire: pairs with the Release of every exchange of it.
        Head(self.head.load(ord::map_head_load()))
    }

    #[inline(always)]
    fn exchange(&self, old: Head, new: Head, order: Ordering) -> bool {
        // Acquire: of a failure, pairs with the Release of what was lost to. Whoever goes on
        // does not find that out step by step; nothing depends on it.
        self.head
            .compare_exchange(old.0, new.0, order, Ordering::Acquire)
            .is_ok()
    }

    /// The head, when the insertion that it names is complete.
    #[inline(always)]
    pub(crate) fn settle(&self) -> Head {
        loop {
            let head = self.head();
            let Some(index) = head.named() else {
                return head;
            };
            let slot = self.slot(index);
            let claim = slot.load();
            if !claim.is_claimed() || mutant("map_unsettled") {
                return head;
            }
            core::hint::cold_path();
            // Without this it might be a later claim.
            if self.head() == head || mutant("map_any_claim") {
                slot.complete(claim);
            }
        }
    }

    /// Decides an insertion: the claim is in the slot of this number, and the key was in
    /// no slot after `head` was settled.
    #[inline(always)]
    pub(crate) fn decide(&self, head: Head, index: usize) -> bool {
        debug_assert!(head.is_live());
        // Release: pairs with the Acquire of `head`: who finds the slot named finds the
        // claim in it, and all that was complete before.
        self.exchange(head, head.naming(index), ord::map_head_decide())
    }

    /// Frees the slot of this number, if it still holds this entry.
    #[inline(always)]
    pub(crate) fn free(&self, index: usize, slot: &Slot, word: Word) -> bool {
        if word.is_frozen() {
            return false;
        }
        if !self.unname(index, slot, word) {
            return false;
        }
        // Release: pairs with the Acquire of `load`: who finds the slot free finds that
        // the head does not name it, and what came before the removal.
        slot.exchange(word, Word::EMPTY, ord::map_slot_free()) || mutant("map_free_changed")
    }

    /// Takes a slot out of the head, before the entry in it is freed; `false` if it is not
    /// there any more.
    ///
    /// The slot is looked at after the head: if the entry is still there, it is the one that
    /// the head names, and if the head changes since, the exchange fails. Without the look
    /// a late removal could take out a later insertion, which was decided and is not
    /// complete.
    #[inline(always)]
    fn unname(&self, index: usize, slot: &Slot, word: Word) -> bool {
        loop {
            let head = self.head();
            if !head.names(index) || mutant("map_named_freed") {
                return true;
            }
            if slot.load() != word && !mutant("map_unname_late") {
                return false;
            }
            // Release: pairs with the Acquire of `head`: the insertion was complete.
            if self.exchange(head, head.unnamed(), ord::map_head_unname()) {
                return true;
            }
        }
    }

    /// Says that no entry is behind the link any more, if that is so.
    #[cold]
    pub(crate) fn close(&self) {
        loop {
            let mut head = self.head();
            if !head.has_more() || !head.is_live() {
                return;
            }
            if !self.slots.chain().skip(1).all(Slots::is_clear) {
                return;
            }
            if mutant("map_close_late") {
                head = self.head();
            }
            // Release: pairs with the Acquire of `head`: who finds the bit gone finds what
            // came before the removals.
            if self.exchange(head, head.without_more(), ord::map_head_close()) {
                return;
            }
        }
    }

    /// The slots behind the link, if there may be entries.
    #[inline(always)]
    pub(crate) fn more(&self, head: Head) -> Option<&Slots> {
        if head.has_more() {
            self.slots.next()
        } else {
            None
        }
    }

    /// All slots that may have entries.
    #[inline]
    pub(crate) fn chain(&self, head: Head) -> impl Iterator<Item = &Slots> {
        let count = if head.has_more() { usize::MAX } else { 1 };
        self.slots.chain().take(count)
    }

    /// Freezes the bucket: when this returns, its entries stay as they are, and no other
    /// comes in.
    ///
    /// A slot that holds no entry after the head is frozen will hold none, and is left as
    /// it is: what was decided before is complete, since the head was settled, and a claim
    /// that comes can no longer be decided.
    pub(crate) fn freeze(&self) {
        let head = loop {
            let head = self.settle();
            if head.is_moved() {
                return;
            }
            // Release: pairs with the Acquire of `head`: who finds it frozen finds the
            // next table.
            if head.is_frozen() || self.exchange(head, head.frozen(), ord::map_head_freeze()) {
                break head;
            }
        };
        if mutant("map_no_freeze") {
            return;
        }
        for slots in self.chain(head) {
            for slot in &slots.slots {
                slot.freeze();
            }
        }
    }

    /// Says that the bucket is filled, unless somebody has.
    pub(crate) fn install_head(&self) {
        // Whoever says so has filled what is behind the link, and nobody else made one.
        let head = if self.slots.next().is_some() && !mutant("map_filled_unsaid") {
            Head(Head::FRESH.0 | Head::MORE)
        } else {
            Head::FRESH
        };
        // Release: pairs with the Acquire of `head`: who finds it filled finds the slots.
        self.exchange(Head::NULL, head, ord::map_head_install());
    }

    /// Says that a frozen bucket has moved. Whoever says so says the same, and nothing
    /// comes after it.
    pub(crate) fn set_moved(&self) {
        let head = self.head();
        if head.is_frozen() {
            // Release: pairs with the Acquire of `head`: who finds it moved finds the
            // targets filled.
            self.head.store(head.moved().0, ord::map_head_moved());
        }
    }

    /// The words of the line, as they were while no insertion was decided, and the head of
    /// that time; none if the bucket has moved.
    #[inline]
    pub(crate) fn picture(&self, words: &mut [Word; SLOTS]) -> Head {
        loop {
            let head = self.head();
            if head.is_moved() {
                *words = [Word::UNUSED; SLOTS];
                return head;
            }
            *words = self.slots.words();
            if self.head().version() == head.version() {
                return head;
            }
        }
    }
}
