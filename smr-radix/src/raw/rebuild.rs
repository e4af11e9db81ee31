//! Freezing a node and putting what it has become in its place.

use smr_core::Guard;
use smr_core::sync::mutant;

use crate::ord;
use crate::raw::memory::Memory;
use crate::raw::node::{Children, Draft, Head, NodeRef};
use crate::raw::path::Path;
use crate::raw::policy::Policy;
use crate::raw::tree::Raw;
use crate::raw::word::{Marks, Word};

/// What takes a frozen node's place.
struct Successor<'g> {
    word: Word,
    /// What was made for it.
    made: Made<'g>,
}

enum Made<'g> {
    Nothing,
    Leaf,
    Node(NodeRef<'g>),
}

impl<P: Policy, M: Memory<P::Value>> Raw<P, M> {
    /// Replaces a node on the way by what its children need: a node of the shape that
    /// fits, its only child, or nothing; `Ok(true)` if it was nothing. If the slot that
    /// leads to it is frozen, then the node of that slot is replaced instead, and the
    /// caller looks again.
    ///
    /// `Err`: no memory. Nodes may be frozen then, until somebody else has more luck.
    #[cold]
    #[inline(never)]
    pub(crate) fn rebuild(
        &self,
        path: &Path<'_>,
        mut at: usize,
        guard: &Guard,
    ) -> Result<bool, ()> {
        loop {
            let step = path.step(at);
            let word = step.slot.load();
            if !word.is_same(Word::of_node(step.node)) {
                return Ok(false);
            }
            if word.is_frozen() && !mutant("radix_frozen_parent") {
                // The root never is.
                at -= 1;
                continue;
            }
            let children = step.node.freeze(step.head);
            let new = self.successor(step.head, &children)?;
            // Release: pairs with the Acquire in `Slot::load`.
            if step.slot.exchange(word, new.word, ord::radix_rebuild()) {
                // SAFETY: our exchange cut it off.
                unsafe { self.memory.retire_node(guard, step.node) };
                return Ok(new.word.is_null());
            }
            match new.made {
                Made::Nothing => {}
                Made::Leaf => {
                    // SAFETY: nobody has seen it.
                    drop(unsafe { self.take(new.word) });
                }
                Made::Node(node) => {
                    // SAFETY: nobody has seen it.
                    unsafe { self.memory.give_back(node) };
                }
            }
        }
    }

    /// What a node that has these children for good becomes.
    fn successor(&self, head: Head, children: &Children) -> Result<Successor<'_>, ()> {
        match children.len() {
            0 => Ok(Successor {
                word: Word::NULL,
                made: Made::Nothing,
            }),
            1 => {
                let (digit, word) = children.iter().next().expect("there is one");
                if !(P::INLINE && head.level() == 0 && word.has_kind()) {
                    return Ok(Successor {
                        word,
                        made: Made::Nothing,
                    });
                }
                // Values stand on the lowest level only.
                let key = head.first() | digit as u64;
                let leaf = self.memory.leaf(key, P::take_bits(word.value()));
                let leaf = leaf.map_err(|_| ())?;
                Ok(Successor {
                    word: Word::of_leaf(leaf).with(word.marks()),
                    made: Made::Leaf,
                })
            }
            len => {
                let mut draft = Draft::new(head.first(), head.level(), len);
                for (digit, word) in children.iter() {
                    draft.push(digit, word);
                }
                let node = self.memory.node(&draft).ok_or(())?;
                let marks = if mutant("radix_marks_stay") {
                    Marks::NONE
                } else {
                    draft.marks()
                };
                Ok(Successor {
                    word: Word::of_node(node).with(marks),
                    made: Made::Node(node),
                })
            }
        }
    }
}
