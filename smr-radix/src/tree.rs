//! [`Tree`]: an ordered map from integers.

mod mark;
mod read;
mod traits;
mod whole;
mod write;

use core::marker::PhantomData;

use smr_core::{Domain, Guard};

use crate::key::Key;
use crate::raw::{Boxed, Inline, Policy, Raw};

pub(crate) use self::read::{Entry, entry};
pub use self::traits::{Drain, IntoIter};

/// A tree whose values stand at stable addresses: look-ups return `&V`, and `V` may
/// hold atomics and locks. Values of any size, which may borrow.
///
/// ```
/// use smr_radix::RadixTree;
///
/// let tree = RadixTree::new();
/// let guard = tree.guard();
/// tree.insert(7_u64, String::from("seven"), &guard);
/// assert_eq!(tree.get(7, &guard).map(String::as_str), Some("seven"));
/// ```
pub type RadixTree<K, V> = Tree<K, Boxed<V>>;

/// A tree whose values stand in its nodes: look-ups return `V`, and load nothing more
/// than the way to it. For small `Copy` values: see [`InlineValue`].
///
/// [`InlineValue`]: crate::InlineValue
///
/// ```
/// use smr_radix::InlineTree;
///
/// let tree = InlineTree::new();
/// let guard = tree.guard();
/// tree.insert(7_u32, 49_u32, &guard);
/// assert_eq!(tree.get(7, &guard), Some(49));
/// ```
pub type InlineTree<K, V> = Tree<K, Inline<V>>;

/// An ordered map from integers, as a radix tree: the methods of [`RadixTree`] and
/// [`InlineTree`].
///
/// `P` says how values are kept, and with that what look-ups return: `P::Val<'g>` is
/// `&'g V` for a [`RadixTree`], and `V` for an [`InlineTree`]. A reference is good for
/// as long as the tree and the guard are.
///
/// Methods take as many steps as the key has digits of six bits: at most eleven, fewer
/// where keys lie close together or are few. What each promises under concurrent
/// change is in a table of [the crate](crate#what-is-promised).
///
/// ```
/// use smr_radix::RadixTree;
///
/// // Extents of a file: where one begins, and how long it is.
/// let extents = RadixTree::from_iter([(0_u64, 8_u64), (64, 16)]);
/// let guard = extents.guard();
/// let holding = |offset| {
///     let (start, length) = extents.get_le(offset, &guard)?;
///     (offset - start < *length).then_some(start)
/// };
/// assert_eq!(holding(70), Some(64));
/// assert_eq!(holding(8), None);
/// ```
pub struct Tree<K, P: Policy> {
    pub(crate) raw: Raw<P>,
    /// Keys are made of bits when they are asked for.
    keys: PhantomData<fn() -> K>,
}

impl<K: Key, P: Policy> Tree<K, P> {
    /// An empty tree under the global domain. It owns no heap.
    ///
    /// ```
    /// use smr_radix::RadixTree;
    ///
    /// static TREE: RadixTree<u64, &str> = RadixTree::new();
    /// TREE.insert(1, "one", &TREE.guard());
    /// assert_eq!(TREE.len(), 1);
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self {
            raw: Raw::new(),
            keys: PhantomData,
        }
    }

    /// An empty tree under the given domain.
    ///
    /// ```
    /// use smr_core::Domain;
    /// use smr_radix::InlineTree;
    ///
    /// let domain = Domain::new();
    /// let tree = InlineTree::<u64, u64>::new_in(&domain);
    /// tree.insert(1, 1, &domain.pin());
    /// assert_eq!(tree.domain(), &domain);
    /// ```
    #[must_use]
    pub fn new_in(domain: &Domain) -> Self {
        Self {
            raw: Raw::new_in(domain),
            keys: PhantomData,
        }
    }
}

impl<K, P: Policy> Tree<K, P> {
    /// The domain that the guards of the tree belong to.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        self.raw.domain()
    }

    /// A section on the calling thread, for this tree and all of its domain.
    ///
    /// Wait-free. Its end drops what was removed from this tree and waited for it: see
    /// [the crate](crate#when-values-are-dropped).
    #[inline]
    pub fn guard(&self) -> smr_core::PoolGuard<'_> {
        self.raw.pin()
    }

    /// As [`guard`](Self::guard), bound to no thread: it may be held over `.await`.
    /// Values must be `Send`, for its end may drop some.
    pub fn owned_guard(&self) -> smr_core::PoolOwnedGuard<'_>
    where
        P::Value: Send,
    {
        self.raw.owned_guard()
    }

    /// Drops the removed values that no reader holds up. Does not wait.
    ///
    /// # Panics
    ///
    /// If a destructor of a value does.
    pub fn flush(&self) {
        self.raw.flush();
    }

    /// Waits until what was retired before has been dropped, by whatever thread.
    ///
    /// # Panics
    ///
    /// If the calling thread is inside a section of the tree's domain, or a destructor
    /// panics.
    pub fn barrier(&self) {
        self.raw.barrier();
    }

    /// How many entries there are. O(1) up to the number of threads.
    ///
    /// Exact while nobody writes. Else it counts some of the writes that are under way,
    /// and none twice.
    #[must_use]
    pub fn len(&self) -> usize {
        self.raw.len()
    }

    /// Whether there are no entries: none, at least, that was there throughout the call.
    /// Lock-free.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty(&self.domain().pin())
    }

    /// The bytes of heap that the tree has, for nodes and entries, with what is free in
    /// its pools and what waits for readers; without what values own themselves.
    ///
    /// ```
    /// use smr_radix::InlineTree;
    ///
    /// assert_eq!(InlineTree::<u64, u32>::new().memory_usage(), 0);
    /// let dense: InlineTree<u64, u32> = (0..300_000).map(|key| (key, 7)).collect();
    /// dense.flush();
    /// dense.trim();
    /// assert!(dense.memory_usage() < 3_300_000, "some ten bytes a key");
    /// ```
    #[must_use]
    pub fn memory_usage(&self) -> usize {
        self.raw.stats().slab_bytes
    }

    /// What memory the tree holds, and for what, all its pools together.
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([(1_u64, 'a')]);
    /// assert_eq!(tree.stats().live_items, 1, "a leaf, in the root");
    /// ```
    #[must_use]
    pub fn stats(&self) -> smr_core::PoolStats {
        self.raw.stats()
    }

    /// Gives free memory back to the system, and returns its bytes.
    pub fn trim(&self) -> usize {
        self.raw.trim()
    }

    #[inline]
    #[track_caller]
    pub(crate) fn check(&self, guard: &Guard) {
        assert!(
            guard.protects(self.domain()),
            "the guard does not protect the domain of this tree"
        );
    }
}
