//! Taking everything out, by value, of a tree that nobody else uses.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::raw::memory::{Memory, Pools};
use crate::raw::node::NodeRef;
use crate::raw::policy::Policy;
use crate::raw::tree::Raw;
use crate::raw::word::Word;
use crate::tunables::{FULL, LEVELS};

/// What was in a tree, cut off from it. Nodes are given back as they become empty.
struct Detached {
    frames: [Option<(*mut (), usize)>; LEVELS],
    depth: usize,
    root: Word,
}

impl Detached {
    fn of<P: Policy, M: Memory<P::Value>>(tree: &mut Raw<P, M>) -> Self {
        Self {
            frames: [None; LEVELS],
            depth: 0,
            root: tree.root_mut().take(),
        }
    }

    /// The next entry, with its key.
    ///
    /// # Safety
    ///
    /// It was of this tree, which nobody else uses.
    unsafe fn next<P: Policy, M: Memory<P::Value>>(
        &mut self,
        tree: &Raw<P, M>,
    ) -> Option<(u64, P::Value)> {
        let mut word = core::mem::replace(&mut self.root, Word::NULL);
        let mut place = None;
        loop {
            if word.has_kind() && !(P::INLINE && place.is_some()) {
                // SAFETY: the caller's promise.
                let node = unsafe { word.node() };
                self.frames[self.depth] = Some((node.as_ptr(), 0));
                self.depth += 1;
            } else if !word.is_null() {
                let key = match place {
                    Some(place) => place,
                    None => {
                        let leaf = word.leaf::<P::Value>();
                        // SAFETY: the caller's promise.
                        unsafe { (*leaf).key }
                    }
                };
                tree.memory.count(-1);
                // SAFETY: ours alone, and each entry is passed once.
                return Some((key, unsafe { tree.take(word) }));
            }
            (word, place) = loop {
                if self.depth == 0 {
                    return None;
                }
                let Some((at, next)) = &mut self.frames[self.depth - 1] else {
                    unreachable!("frames below the depth are there");
                };
                // SAFETY: ours until it is given back.
                let node = unsafe { NodeRef::new(*at) };
                let head = node.head();
                if *next == FULL {
                    self.depth -= 1;
                    // SAFETY: nothing leads to it any more.
                    unsafe { tree.memory.give_back(node) };
                    continue;
                }
                let digit = *next;
                *next += 1;
                if let Some(slot) = node.slot(head, digit) {
                    let place = (head.level() == 0).then(|| head.first() | digit as u64);
                    break (slot.peek().thawed(), place);
                }
            };
        }
    }

    /// Drops all that is left, whatever panics; then the first panic goes on.
    ///
    /// # Safety
    ///
    /// As for [`next`](Self::next).
    unsafe fn drop_all<P: Policy, M: Memory<P::Value>>(&mut self, tree: &Raw<P, M>) {
        let mut first = None;
        loop {
            let dropped = catch_unwind(AssertUnwindSafe(|| {
                // SAFETY: the caller's promise.
                unsafe { self.next(tree) }.is_some()
            }));
            match dropped {
                Ok(true) => {}
                Ok(false) => break,
                Err(panic) => {
                    first.get_or_insert(panic);
                }
            }
        }
        if let Some(panic) = first {
            resume_unwind(panic);
        }
    }
}

// SAFETY: it owns what it leads to, as the tree did.
unsafe impl Send for Detached {}
// SAFETY: a shared one does nothing.
unsafe impl Sync for Detached {}

/// Takes all entries out of a tree, in the order of the keys, and leaves it empty.
pub(crate) struct RawDrain<'t, P: Policy, M: Memory<P::Value> = Pools<<P as Policy>::Value>> {
    all: Detached,
    tree: &'t mut Raw<P, M>,
}

/// All entries of a tree that is gone, in the order of the keys.
pub(crate) struct RawIntoIter<P: Policy, M: Memory<P::Value> = Pools<<P as Policy>::Value>> {
    all: Detached,
    tree: Raw<P, M>,
}

impl<P: Policy, M: Memory<P::Value>> Raw<P, M> {
    pub(crate) fn drain(&mut self) -> RawDrain<'_, P, M> {
        RawDrain {
            all: Detached::of(self),
            tree: self,
        }
    }

    pub(crate) fn into_iter(mut self) -> RawIntoIter<P, M> {
        RawIntoIter {
            all: Detached::of(&mut self),
            tree: self,
        }
    }
}

impl<P: Policy, M: Memory<P::Value>> Iterator for RawDrain<'_, P, M> {
    type Item = (u64, P::Value);

    fn next(&mut self) -> Option<(u64, P::Value)> {
        // SAFETY: cut off from a tree that is borrowed exclusively.
        unsafe { self.all.next(self.tree) }
    }
}

impl<P: Policy, M: Memory<P::Value>> Drop for RawDrain<'_, P, M> {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { self.all.drop_all(self.tree) };
    }
}

impl<P: Policy, M: Memory<P::Value>> Iterator for RawIntoIter<P, M> {
    type Item = (u64, P::Value);

    fn next(&mut self) -> Option<(u64, P::Value)> {
        // SAFETY: cut off from a tree that is ours.
        unsafe { self.all.next(&self.tree) }
    }
}

impl<P: Policy, M: Memory<P::Value>> Drop for RawIntoIter<P, M> {
    fn drop(&mut self) {
        // SAFETY: cut off from a tree that is ours.
        unsafe { self.all.drop_all(&self.tree) };
    }
}

impl<P: Policy, M: Memory<P::Value>> Drop for Raw<P, M> {
    fn drop(&mut self) {
        // What has no destructor goes with its pool.
        if core::mem::needs_drop::<P::Value>() || cfg!(loom) {
            let mut all = Detached::of(self);
            // SAFETY: cut off from a tree that is borrowed exclusively.
            unsafe { all.drop_all(self) };
        }
    }
}
