//! The chain with handles.
//!
//! # Invariant
//!
//! A node is marked only by whoever has its handle, which is used up by it, or by
//! the exclusive owner of the list, who changes the list's number at the same time.
//! So a handle with the list's number leads to a node that is linked and not marked:
//! it is not freed as long as the list lives.
//!
//! # Memory
//!
//! Removing marks a node and leaves it where it is. When as many are marked as were
//! left by the sweep before, and [`SWEEP_AT_LEAST`] at least, the remover sweeps:
//! amortised, a removal costs O(1), and no more nodes wait than twice the elements
//! and a few.
//!
//! # Orderings
//!
//! `dead` and `limit` are Relaxed: they say when to sweep, not what. `NUMBERS` is
//! Relaxed: an increment gives each a number of its own. So is a list's number: who has
//! a handle of the list got it after the list got its number.

use core::ptr::NonNull;

use smr_core::Guard;
use smr_core::sync::{AtomicUsize, Ordering, mutant};

use self::imp::Number;
use super::chain::Chain;
use super::node::{Memory, Node};
use crate::tunables::SWEEP_AT_LEAST;

#[derive(Debug)]
pub(crate) struct RawList<T, M: Memory<Node<T>>> {
    pub(crate) chain: Chain<T, M>,
    number: Number,
    dead: AtomicUsize,
    limit: AtomicUsize,
}

/// The right to remove one node.
pub(crate) struct RawHandle<T> {
    node: NonNull<Node<T>>,
    number: u64,
}

// SAFETY: a handle gives no access without the list, which says who may have it.
unsafe impl<T> Send for RawHandle<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for RawHandle<T> {}

impl<T, M: Memory<Node<T>>> RawList<T, M> {
    const_unless_modelled! {
        pub(crate) fn new(memory: M) -> Self {
            Self {
                chain: Chain::new(memory),
                number: Number::none(),
                dead: AtomicUsize::new(0),
                limit: AtomicUsize::new(SWEEP_AT_LEAST),
            }
        }
    }

    pub(crate) fn push(&self, value: T, guard: &Guard) -> RawHandle<T> {
        RawHandle {
            node: self.chain.push(value, guard).into(),
            number: self.number.or_take(),
        }
    }

    /// The node of a handle, if it is one of this list.
    pub(crate) fn get<'g>(
        &'g self,
        handle: &RawHandle<T>,
        _guard: &'g Guard,
    ) -> Option<&'g Node<T>> {
        // SAFETY: the invariant; and it is retired under a guard later than this.
        self.number
            .is(handle.number)
            .then(|| unsafe { &*handle.node.as_ptr() })
    }

    /// Removes the node of a handle, or gives the handle back.
    pub(crate) fn remove<'g>(
        &'g self,
        handle: RawHandle<T>,
        guard: &'g Guard,
    ) -> Result<&'g Node<T>, RawHandle<T>> {
        let Some(node) = self.get(&handle, guard) else {
            return Err(handle);
        };
        let marked = self.chain.mark(node).is_some();
        debug_assert!(marked, "only its handle removes a node");
        if mutant("handle_retires") {
            // SAFETY: none: it is still linked, and a model must see that.
            unsafe { self.chain.memory.retire(guard, handle.node) };
        }
        // Relaxed: see the head of the file.
        let dead = self.dead.fetch_add(1, Ordering::Relaxed) + 1;
        // Relaxed: as above.
        if dead >= self.limit.load(Ordering::Relaxed) {
            self.sweep(guard);
        }
        Ok(node)
    }

    #[cold]
    pub(crate) fn sweep(&self, guard: &Guard) {
        // Before, so that whoever marks from now on counts for the next sweep.
        // Relaxed: see the head of the file.
        self.dead.store(0, Ordering::Relaxed);
        let left = self.chain.sweep(guard);
        // Relaxed: as above.
        self.limit
            .store(left.max(SWEEP_AT_LEAST), Ordering::Relaxed);
    }

    /// The chain, to take values out. Handles are no longer good.
    pub(crate) fn chain_mut(&mut self) -> &mut Chain<T, M> {
        self.number = Number::none();
        &mut self.chain
    }
}

#[cfg(not(loom))]
mod imp {
    use smr_core::sync::{AtomicU64, Ordering};

    /// What tells a list from all others, and from itself before its values were taken.
    #[derive(Debug)]
    pub(super) struct Number(AtomicU64);

    impl Number {
        /// That of a list which has given out no handle.
        pub(super) const fn none() -> Self {
            Self(AtomicU64::new(0))
        }

        /// The number; a new one where there is none.
        #[inline]
        pub(super) fn or_take(&self) -> u64 {
            // Relaxed: see the head of the file.
            match self.0.load(Ordering::Relaxed) {
                0 => self.take(),
                number => number,
            }
        }

        #[cold]
        fn take(&self) -> u64 {
            static NUMBERS: AtomicU64 = AtomicU64::new(1);
            // Relaxed, all of it: see the head of the file.
            let new = NUMBERS.fetch_add(1, Ordering::Relaxed);
            let taken = self
                .0
                .compare_exchange(0, new, Ordering::Relaxed, Ordering::Relaxed);
            taken.map_or_else(|theirs| theirs, |_| new)
        }

        #[inline]
        pub(super) fn is(&self, number: u64) -> bool {
            // Relaxed: see the head of the file.
            self.0.load(Ordering::Relaxed) == number
        }
    }
}

#[cfg(loom)]
mod imp {
    /// Models have one list.
    #[derive(Debug)]
    pub(super) struct Number;

    impl Number {
        pub(super) const fn none() -> Self {
            Self
        }

        pub(super) fn or_take(&self) -> u64 {
            0
        }

        pub(super) fn is(&self, _number: u64) -> bool {
            true
        }
    }
}
