//! Freezing a node and putting what it has become in its place.

use smr_core::Guard;
use smr_core::sync::mutant;

use crate::ord;
use crate::raw::memory::Memory;
use crate::raw::node::{Draft, Head, NodeRef};
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
    /// `Err`: no memory. What the node becomes is made before it is frozen, from the
    /// children that it has by then, so it stays as it was; unless others changed it in
    /// between, and there was no memory to make it anew. Then it is frozen, until
    /// somebody has more luck.
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
            if !word.is_node(step.node) {
                return Ok(false);
            }
            if word.is_frozen() && !mutant("radix_frozen_parent") {
                // The root never is.
                at -= 1;
                continue;
            }
            let head = step.node.head();
            let above = path.level_of(at);
            // Here it may fail; after the exchange it is too late.
            let room = self.memory.node_room(guard, step.node).ok_or(())?;
            let likely = step.node.look(head);
            let mut new = self.successor(head, likely.as_slice(), above)?;
            let children = step.node.freeze(head);
            if children.as_slice() != likely.as_slice() && !mutant("radix_rebuild_likely") {
                self.unmake(new);
                new = self.successor(head, children.as_slice(), above)?;
            }
            // Release: pairs with the Acquire in `Slot::load`.
            if step.slot.exchange(word, new.word, ord::radix_rebuild()) {
                // SAFETY: our exchange cut it off.
                unsafe { self.memory.retire_node(guard, step.node, room) };
                return Ok(new.word.is_null());
            }
            self.unmake(new);
        }
    }

    /// Takes back what was made in vain: nobody has seen it.
    fn unmake(&self, new: Successor<'_>) {
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

    /// What a node that has these children becomes, in a slot of the level
    /// `above`.
    fn successor(
        &self,
        head: Head,
        children: &[(u8, Word)],
        above: usize,
    ) -> Result<Successor<'_>, ()> {
        let as_it_is = |word| Successor {
            word,
            made: Made::Nothing,
        };
        match children {
            [] => Ok(as_it_is(Word::NULL)),
            [(_, word)] if !word.has_kind() => Ok(as_it_is(*word)),
            // SAFETY: on these levels it is a node, reachable in our section.
            [(_, word)] if head.level() != 0 => Ok(as_it_is(unsafe { word.placed(above) })),
            [(digit, word)] => {
                // Values stand on the lowest level only.
                let key = head.first() | u64::from(*digit);
                let leaf = self.memory.leaf(key, P::take_bits(word.value()));
                let leaf = leaf.map_err(|_| ())?;
                Ok(Successor {
                    word: Word::of_leaf(leaf).with(word.marks()),
                    made: Made::Leaf,
                })
            }
            _ => {
                let draft = Draft::instead_of(head, children);
                let node = self.memory.node(&draft).ok_or(())?;
                let marks = if mutant("radix_marks_stay") {
                    Marks::NONE
                } else {
                    draft.marks()
                };
                Ok(Successor {
                    word: Word::of_node(node, above).with(marks),
                    made: Made::Node(node),
                })
            }
        }
    }
}
