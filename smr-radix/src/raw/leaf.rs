//! Leaves: a key with its value, beside the tree.

/// An entry that does not stand in a slot. It never changes.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Leaf<V> {
    _align: [Align; 0],
    pub(crate) key: u64,
    pub(crate) value: V,
}

/// What the marks of a [`Word`](super::word::Word) need.
#[cfg(all(
    any(target_arch = "x86_64", target_arch = "aarch64"),
    target_pointer_width = "64",
    not(any(target_os = "android", loom, smr_tiny))
))]
#[derive(Debug)]
#[repr(align(16))]
struct Align;

/// What the marks and the kind of a [`Word`](super::word::Word) need.
#[cfg(not(all(
    any(target_arch = "x86_64", target_arch = "aarch64"),
    target_pointer_width = "64",
    not(any(target_os = "android", loom, smr_tiny))
)))]
#[derive(Debug)]
#[repr(align(32))]
struct Align;

// SAFETY: leaves wait in a scoped pool, which only those reach who have the tree: their
// values are dropped on threads that the tree may be used on, and the tree says which
// these are.
unsafe impl<V> Send for Leaf<V> {}

impl<V> Leaf<V> {
    pub(crate) fn new(key: u64, value: V) -> Self {
        Self {
            _align: [],
            key,
            value,
        }
    }
}
