//! Many keys, one after the other: the way to each begins where that to the last one
//! leaves it.
//!
//! # Why it may
//!
//! A way that is kept has nodes that were in the tree when the way came to them, and that
//! stay in memory, for the section is the same. Since then any of them may have left.
//!
//! * The slot where the new way ends is the one for the key: nodes that cover the key are
//!   known by their level, for they cover the key before, and what a node covers never
//!   changes. (Invariants 1 and 2)
//! * If its word is not frozen, it is in the tree, whatever the nodes above have become,
//!   and the exchange fails if that is no longer so. (Invariants 3 and 4) The same holds
//!   for a slot that a node has yet to claim: one that has left has frozen all of them.
//! * If its word is frozen, the node may have left long ago, and the word may have another
//!   place where the tree goes on. So the way begins at the root again.
//!
//! The slots that lead to the nodes may be frozen, or lead elsewhere by now. Who is to
//! rebuild a node finds that out, does the same for the topmost frozen one or nothing, and
//! starts over. A second attempt begins at the root in any case: by the old way it could
//! fail for ever, for the nodes above may have left as well. (Model
//! `a_batch_below_a_node_that_grows`)

use smr_core::Guard;
use smr_core::sync::mutant;

use crate::raw::edit::{NoMemory, Put};
use crate::raw::memory::Memory;
use crate::raw::path::{Path, Spot};
use crate::raw::policy::Policy;
use crate::raw::tree::Raw;

/// Puts one value after the other.
pub(crate) struct Batch<'g, P: Policy, M: Memory<P::Value>> {
    tree: &'g Raw<P, M>,
    guard: &'g Guard,
    /// The way to the last key.
    path: Path<'g>,
    key: u64,
}

impl<'g, P: Policy, M: Memory<P::Value>> Batch<'g, P, M> {
    pub(crate) fn new(tree: &'g Raw<P, M>, guard: &'g Guard) -> Self {
        Self {
            tree,
            guard,
            path: Path::new(),
            key: 0,
        }
    }

    /// Puts a value; whether its key is new. Lock-free; linearizes as
    /// [`edit`](Raw::edit).
    #[inline]
    pub(crate) fn put(
        &mut self,
        key: u64,
        mut value: P::Value,
    ) -> Result<bool, NoMemory<P::Value>> {
        self.path.keep(self.key, key);
        self.key = key;
        let mut spot = self.go_on();
        loop {
            let path = &mut self.path;
            let here = match spot.take() {
                Some(spot) => spot,
                None => {
                    let spot = self.tree.descend(key, path);
                    if spot.word.is_frozen() {
                        if self.tree.rebuild(path, path.len() - 1, self.guard).is_err() {
                            return Err(NoMemory(Some(value)));
                        }
                        continue;
                    }
                    spot
                }
            };
            match self
                .tree
                .put(key, value, &here, path, self.guard, &mut None)
            {
                Put::Done(old, _) => return Ok(old.is_none()),
                Put::Again(back) => value = back,
                Put::NoMemory(back) => return Err(NoMemory(Some(back))),
            }
            if mutant("radix_way_kept") {
                path.pop();
                spot = self.go_on();
            }
        }
    }

    /// Goes on to the key by the way that is kept; `None` if that may no longer be the
    /// tree's.
    #[inline(always)]
    fn go_on(&mut self) -> Option<Spot<'g>> {
        let spot = self.tree.descend_on(self.key, &mut self.path)?;
        let is_sure = !spot.word.is_frozen() || mutant("radix_stale_way");
        is_sure.then_some(spot)
    }
}
