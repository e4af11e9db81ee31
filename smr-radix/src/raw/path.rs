//! The way from the root to the place of a key.

use core::mem::MaybeUninit;

use crate::raw::memory::Memory;
use crate::raw::node::{NodeRef, digit, fork};
use crate::raw::policy::Policy;
use crate::raw::tree::Raw;
use crate::raw::word::{Slot, Word};
use crate::tunables::LEVELS;

/// A node on the way, and the slot that led there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step<'g> {
    pub(crate) slot: &'g Slot,
    pub(crate) node: NodeRef<'g>,
    pub(crate) level: usize,
    /// Whether the word in the slot was [direct](Word::is_direct): then it is a full node.
    pub(crate) is_direct: bool,
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

impl Spot<'_> {
    /// No slot.
    const NONE: Self = Self {
        slot: None,
        word: Word::NULL,
        seen: Seen::Nothing,
    };
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
            steps: [const { MaybeUninit::uninit() }; LEVELS],
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

    /// Leaves the last node.
    #[inline(always)]
    pub(crate) fn pop(&mut self) {
        self.len = self.len.saturating_sub(1);
    }

    /// The last node.
    #[inline(always)]
    pub(crate) fn last(&self) -> Option<Step<'g>> {
        (self.len != 0).then(|| self.step(self.len - 1))
    }

    /// Leaves the nodes that cover `next` too; the way was one to `key`.
    #[inline]
    pub(crate) fn keep(&mut self, key: u64, next: u64) {
        if key == next {
            return;
        }
        let level = fork(key, next);
        // From the root on: keys that are far from each other part there.
        let steps = 0..self.len;
        let kept = steps.take_while(|at| self.step(*at).level >= level);
        self.len = kept.count();
    }

    /// The level of the slot that leads to a node on the way, or where the way ended.
    #[inline(always)]
    pub(crate) fn level_of(&self, at: usize) -> usize {
        if at == 0 {
            LEVELS
        } else {
            self.step(at - 1).level
        }
    }

    /// Whether the slot where the way ended is of the lowest level.
    #[inline(always)]
    pub(crate) fn is_bottom(&self) -> bool {
        self.level_of(self.len) == 0
    }
}

impl<P: Policy, M: Memory<P::Value>> Raw<P, M> {
    /// Goes to the place of a key.
    #[inline(always)]
    pub(crate) fn descend<'g>(&'g self, key: u64, path: &mut Path<'g>) -> Spot<'g> {
        path.len = 0;
        self.descend_from(self.root(), LEVELS, key, path)
    }

    /// Goes to the place of a key from the last node on the way, which covers it; `None`
    /// if there is none.
    #[inline(always)]
    pub(crate) fn descend_on<'g>(&'g self, key: u64, path: &mut Path<'g>) -> Option<Spot<'g>> {
        let step = path.last()?;
        let slot = if step.is_direct {
            // SAFETY: so says the word that led there.
            Some(unsafe { &step.node.full()[digit(key, step.level)] })
        } else {
            step.node.slot(step.node.head(), digit(key, step.level))
        };
        Some(match slot {
            Some(slot) => self.descend_from(slot, step.level, key, path),
            None => Spot::NONE,
        })
    }

    /// Goes on to the place of a key from a slot of a level.
    #[inline(always)]
    fn descend_from<'g>(
        &'g self,
        mut slot: &'g Slot,
        mut level: usize,
        key: u64,
        path: &mut Path<'g>,
    ) -> Spot<'g> {
        loop {
            let word = slot.load();
            let at = |seen| Spot {
                slot: Some(slot),
                word,
                seen,
            };
            if !word.has_kind() {
                if word.is_null() {
                    return at(Seen::Nothing);
                }
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
            if P::INLINE && level == 0 {
                return at(Seen::Entry);
            }
            // SAFETY: it was reachable in our section.
            let node = unsafe { word.node() };
            let is_direct = word.is_direct();
            let next = if is_direct {
                level -= 1;
                // SAFETY: so says the word.
                Some(unsafe { &node.full()[digit(key, level)] })
            } else {
                let head = node.head();
                if !head.covers(key) {
                    return at(Seen::Other(head.first()));
                }
                level = head.level();
                node.slot(head, digit(key, level))
            };
            path.push(Step {
                slot,
                node,
                level,
                is_direct,
            });
            let Some(next) = next else {
                return Spot::NONE;
            };
            slot = next;
        }
    }
}
