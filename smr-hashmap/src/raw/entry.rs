//! What the map holds: a key, a value, and the hash of the key.

use core::ptr::NonNull;

use smr_core::prefetch;

/// An entry. It lives in the map's pool, at one address from its insertion until the
/// last reader that could see it has left.
pub(crate) struct Entry<K, V> {
    /// The mixed hash: who moves entries to another table needs it, and must not call
    /// a hasher that may panic.
    pub(crate) hash: Hash,
    pub(crate) key: K,
    pub(crate) value: V,
}

// SAFETY: an entry leaves its thread when the pool drops it elsewhere. The pool of a
// map is reached through the map alone, which is `Send` or `Sync` only if keys and
// values are `Send`; whoever makes a pool that the domain reaches must ask for that.
unsafe impl<K, V> Send for Entry<K, V> {}

impl<K, V> Entry<K, V> {
    /// Where the hash is in an entry that may be none.
    #[inline(always)]
    pub(in crate::raw) fn hash_in(entry: *const Self) -> *const Hash {
        entry
            .wrapping_byte_add(core::mem::offset_of!(Self, hash))
            .cast()
    }

    /// Fetches key and value of an entry, of which the end may be on another line.
    #[inline(always)]
    pub(in crate::raw) fn fetch(entry: *const Self) {
        prefetch(entry.wrapping_byte_add(core::mem::offset_of!(Self, key)));
        prefetch(entry.wrapping_add(1).wrapping_byte_sub(1));
    }

    /// The hash of an entry that others may be about to change.
    ///
    /// # Safety
    ///
    /// The entry is alive.
    pub(crate) unsafe fn hash_of(entry: NonNull<Self>) -> Hash {
        // SAFETY: the caller's promise; the hash never changes.
        unsafe { (*entry.as_ptr()).hash }
    }
}

/// A hash whose bits are all worth the same.
///
/// The table is indexed by the high bits and tags are the low ones; a user's hasher
/// may leave either constant. So the hash is multiplied by an odd constant (that of
/// the golden ratio) to twice its width, and the halves are folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub(crate) struct Hash(u64);

impl Hash {
    #[inline(always)]
    pub(crate) fn new(hash: u64) -> Self {
        let wide = u128::from(hash) * 0x9e37_79b9_7f4a_7c15;
        Self((wide >> 64) as u64 ^ wide as u64)
    }

    /// As it is: for tests that want certain buckets.
    #[cfg(all(test, loom))]
    pub(crate) const fn raw(hash: u64) -> Self {
        Self(hash)
    }

    /// The bucket in a table of 2^`bits` buckets; `bits` is at least 1.
    #[inline(always)]
    pub(crate) fn bucket(self, bits: u32) -> usize {
        self.bucket_of(1 << bits)
    }

    /// The same, by the number of buckets, which is a power of two: the first bits, by a product,
    /// since a shift by what it does not know takes a processor longer.
    #[inline(always)]
    pub(crate) fn bucket_of(self, len: usize) -> usize {
        ((u128::from(self.0) * len as u128) >> 64) as usize
    }

    /// The first and the last hash of a bucket in a table of 2^`bits` buckets.
    pub(crate) fn range(bucket: usize, bits: u32) -> (Self, Self) {
        let first = (bucket as u64) << (64 - bits);
        (Self(first), Self(first | u64::MAX >> bits))
    }

    /// The hash that follows.
    pub(crate) fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }

    /// A byte that is not 0.
    #[inline(always)]
    pub(crate) fn tag(self) -> u8 {
        self.0 as u8 | 0x80
    }
}
