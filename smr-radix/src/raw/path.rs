//! The way from the root to the place of a key.

use core::mem::MaybeUninit;

use crate::raw::memory::Memory;
use crate::raw::node::{Head, NodeRef, digit};
use crate::raw::policy::Policy;
use crate::raw::tree::Raw;
use crate::raw::word::{Slot, Word};
use crate::tunables::LEVELS;

/// A node on the way, and the slot that led there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step<'g> {
    pub(crate) slot: &'g Slot,
    pub(crate) node: NodeRef<'g>,
    pub(crate) head: Head,
}

/// The nodes that cover a key, from the root on.
pub(crate) struct Path<'g> {
    steps: [MaybeUninit<Step<'g>>; LEVELS],
    len: usize,
}

/// Where the way ended.
#[derive(Clone, Copy)]
pub(crate) struct Spot<'g> {
    /// `None`: the last node has no slot for the key's digit.
    pub(crate) slot: Option<&'g Slot>,
    pub(crate) word: Word,
    pub(crate) seen: Seen,
}

/// What was found there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    Nothing,
    /// The key's entry.
    Entry,
    /// Something that this key belongs to, and the one that was looked for does not.
    Other(u64),
}

impl<'g> Path<'g> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self {
            steps: [MaybeUninit::uninit(); LEVELS],
            len: 0,
        }
    }

    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    fn push(&mut self, step: Step<'g>) {
        self.steps[self.len].write(step);
        self.len += 1;
    }

    #[inline(always)]
    pub(crate) fn step(&self, at: usize) -> Step<'g> {
        let step = self.steps[..self.len][at];
        // SAFETY: steps below the length were written.
        unsafe { step.assume_init() }
    }

    /// The last node.
    #[inline(always)]
    pub(crate) fn last(&self) -> Option<Step<'g>> {
        (self.len != 0).then(|| self.step(self.len - 1))
    }

    /// Whether the slot where the way ended is of the lowest level.
    #[inline(always)]
    pub(crate) fn is_bottom(&self) -> bool {
        self.last().is_some_and(|step| step.head.level() == 0)
    }
}

impl<P: Policy, M: Memory<P::Value>> Raw<P, M> {
    /// Goes to the place of a key.
    #[inline(always)]
    pub(crate) fn descend<'g>(&'g self, key: u64, path: &mut Path<'g>) -> Spot<'g> {
        path.len = 0;
        let mut slot = self.root();
        let mut is_bottom = false;
        loop {
            let word = slot.load();
            let at = |seen| Spot {
                slot: Some(slot),
                word,
                seen,
            };
            if word.is_null() {
                return at(Seen::Nothing);
            }
            if !word.has_kind() {
                let leaf = word.leaf::<P::Value>();
                // SAFETY: it was reachable in our section. The key never changes.
                let other = unsafe { (*leaf).key };
                let is_ours = other == key;
                return at(if is_ours {
                    Seen::Entry
                } else {
                    Seen::Other(other)
                });
            }
            if P::INLINE && is_bottom {
                return at(Seen::Entry);
            }
            // SAFETY: it was reachable in our section.
            let node = unsafe { word.node() };
            let head = node.head();
            if !head.covers(key) {
                return at(Seen::Other(head.first()));
            }
            path.push(Step { slot, node, head });
            let Some(next) = node.slot(head, digit(key, head.level())) else {
                return Spot {
                    slot: None,
                    word: Word::NULL,
                    seen: Seen::Nothing,
                };
            };
            slot = next;
            is_bottom = head.level() == 0;
        }
    }
}
