//! The tree: look-ups, and the whole of it.

use core::marker::PhantomData;
use core::ptr::NonNull;

use smr_core::{Domain, Guard};
#[cfg(not(loom))]
use smr_core::{PoolGuard, PoolOwnedGuard, PoolStats};

use crate::raw::leaf::Leaf;
use crate::raw::memory::{Memory, Pools};
use crate::raw::node::digit;
use crate::raw::policy::Policy;
use crate::raw::walk::Walk;
use crate::raw::word::{Slot, Word};

/// A tree over keys of 64 bits, which the face maps its keys to. The guards that are
/// passed in are sections of the tree's domain; the caller sees to that.
pub(crate) struct Raw<P: Policy, M: Memory<P::Value> = Pools<<P as Policy>::Value>> {
    /// Never frozen.
    root: Slot,
    pub(crate) memory: M,
    _owns: PhantomData<*mut P::Value>,
}

// SAFETY: the tree owns its values.
unsafe impl<P: Policy, M: Memory<P::Value> + Send> Send for Raw<P, M> where P::Value: Send {}
// SAFETY: it hands out shared references to values, and takes values from any thread
// that are dropped on any other.
unsafe impl<P: Policy, M: Memory<P::Value> + Sync> Sync for Raw<P, M> where P::Value: Send + Sync {}

impl<P: Policy> Raw<P> {
    /// Under the global domain.
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Self {
            root: Slot::new(Word::NULL),
            memory: Pools::new(),
            _owns: PhantomData,
        }
    }

    pub(crate) fn new_in(domain: &Domain) -> Self {
        Self::over(Pools::new_in(domain))
    }

    pub(crate) fn domain(&self) -> &Domain {
        self.memory.leaves.domain()
    }

    /// A section that collects for the tree when it ends.
    #[cfg(not(loom))]
    #[inline]
    pub(crate) fn pin(&self) -> PoolGuard<'_> {
        self.memory.leaves.pin()
    }

    #[cfg(not(loom))]
    pub(crate) fn owned_guard(&self) -> PoolOwnedGuard<'_>
    where
        P::Value: Send,
    {
        self.memory.leaves.owned_guard()
    }

    /// Drops what no section holds up.
    pub(crate) fn flush(&self) {
        self.memory.flush();
    }

    /// Waits until all that was removed is dropped.
    pub(crate) fn barrier(&self) {
        self.memory.leaves.barrier();
    }

    /// Gives memory that is free back to the system, and returns its bytes.
    pub(crate) fn trim(&self) -> usize {
        self.memory.trim()
    }

    /// How many entries there are, exact when nobody writes.
    pub(crate) fn len(&self) -> usize {
        self.memory.length.sum()
    }

    /// The figures of all pools, added up: `slab_bytes` is what the tree has of the heap,
    /// but for some hundred bytes.
    #[cfg(not(loom))]
    pub(crate) fn stats(&self) -> PoolStats {
        self.memory.stats()
    }
}

impl<P: Policy, M: Memory<P::Value>> Raw<P, M> {
    pub(crate) fn over(memory: M) -> Self {
        Self {
            root: Slot::new(Word::NULL),
            memory,
            _owns: PhantomData,
        }
    }

    #[inline(always)]
    pub(crate) fn root(&self) -> &Slot {
        &self.root
    }

    pub(crate) fn root_mut(&mut self) -> &mut Slot {
        &mut self.root
    }

    /// The value of a key.
    ///
    /// Wait-free: a step for each level. Linearization point: the load of the last
    /// slot, or, where that is frozen, a moment of this call; see [the module](super).
    #[inline]
    pub(crate) fn find<'g>(&'g self, key: u64, _guard: &'g Guard) -> Option<P::Val<'g>> {
        let mut word = self.root.load();
        while word.has_kind() {
            // SAFETY: it was reachable in the guard's section.
            let node = unsafe { word.node() };
            let head = node.head();
            if !head.covers(key) {
                return None;
            }
            let level = head.level();
            word = node.slot(head, digit(key, level))?.load();
            if P::INLINE && level == 0 && word.has_kind() {
                return Some(P::from_bits(word.value()));
            }
        }
        let leaf = NonNull::new(word.leaf::<P::Value>())?;
        // SAFETY: as above.
        let leaf: &'g Leaf<P::Value> = unsafe { leaf.as_ref() };
        (leaf.key == key).then(|| P::from_ref(&leaf.value))
    }

    /// Whether there is no entry: none that was there throughout the call.
    pub(crate) fn is_empty(&self, guard: &Guard) -> bool {
        self.root.load().is_null() || Walk::new(self, guard, None).seek_ge(0).is_none()
    }

    /// What is returned for the word of an entry.
    ///
    /// # Safety
    ///
    /// The word of an entry that is alive for `'g`.
    #[inline(always)]
    pub(crate) unsafe fn value_of<'g>(word: Word) -> P::Val<'g>
    where
        P: 'g,
    {
        if P::INLINE && word.has_kind() {
            return P::from_bits(word.value());
        }
        let leaf = word.leaf::<P::Value>();
        // SAFETY: the caller's promise.
        let leaf: &'g Leaf<P::Value> = unsafe { &*leaf };
        P::from_ref(&leaf.value)
    }

    /// Whether two words are one entry; in an inline tree, one value.
    ///
    /// # Safety
    ///
    /// Words of entries of one key that are alive.
    pub(crate) unsafe fn is_one(one: Word, other: Word) -> bool {
        if one.is_same(other) {
            return true;
        }
        if !P::INLINE {
            return false;
        }
        let bits = |word: Word| {
            if word.has_kind() {
                return Some(word.value());
            }
            let leaf = word.leaf::<P::Value>();
            // SAFETY: the caller's promise.
            P::to_bits(unsafe { &(*leaf).value })
        };
        bits(one) == bits(other)
    }

    /// Retires the entry of a word that our exchange cut off. May run destructors of
    /// others, which may panic.
    ///
    /// # Safety
    ///
    /// Nobody who enters a section from now on can find it, and it is retired once.
    #[inline(always)]
    pub(crate) unsafe fn retire(&self, word: Word, guard: &Guard) {
        if P::INLINE && word.has_kind() {
            return;
        }
        if let Some(leaf) = NonNull::new(word.leaf()) {
            // SAFETY: the caller's promise.
            unsafe { self.memory.retire_leaf(guard, leaf) };
        }
    }

    /// The value of an entry that nobody else can reach.
    ///
    /// # Safety
    ///
    /// That it is, and it is taken once.
    pub(crate) unsafe fn take(&self, word: Word) -> P::Value {
        match NonNull::new(word.leaf()) {
            // SAFETY: the caller's promise.
            Some(leaf) if !word.has_kind() => unsafe { self.memory.take_leaf(leaf) },
            _ => P::take_bits(word.value()),
        }
    }
}
