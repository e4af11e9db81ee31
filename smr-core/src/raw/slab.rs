//! Slabs: the memory of a pool.
//!
//! A slab is one allocation, a header and a row of items, and knows nothing of
//! which are in use. Slabs start small and double, so a pool of three items is
//! small and a pool of a million has few slabs. Those of a large pool are *huge*: as
//! large as a huge page of the system, and on one if the system gives it.

use core::alloc::Layout;
use core::marker::PhantomData;
use core::ptr::NonNull;

use alloc::alloc::{alloc, dealloc};

use crate::raw::huge;
use crate::tunables::{FIRST_SLAB_BYTES, HUGE_BYTES, HUGE_FROM, MAX_SLAB_BYTES};

struct Header<T> {
    next: Option<Slab<T>>,
    items: usize,
    _items: PhantomData<*mut T>,
}

/// An owned slab. Its items are not dropped with it.
pub(crate) struct Slab<T> {
    header: NonNull<Header<T>>,
    _items: PhantomData<*mut T>,
}

// SAFETY: a slab is memory; whose the items are is known elsewhere.
unsafe impl<T: Send> Send for Slab<T> {}

/// Bytes from one item to the next.
///
/// Items of a multiple of 1 KiB would all begin in the same few sets of the
/// processor's caches: where only the heads of items are touched, a hundred of
/// them would drive each other out. A line between them spreads them.
pub(crate) const fn stride<T>() -> usize {
    let size = size_of::<T>();
    if size != 0 && size.is_multiple_of(1024) && align_of::<T>() <= CACHE_LINE {
        size + CACHE_LINE
    } else {
        size
    }
}

const CACHE_LINE: usize = 64;

/// The item after `item` in a slab.
#[inline(always)]
pub(crate) fn next<T>(item: *mut T) -> *mut T {
    item.wrapping_byte_add(stride::<T>())
}

/// The item before `item` in a slab.
#[inline(always)]
pub(crate) fn previous<T>(item: *mut T) -> *mut T {
    item.wrapping_byte_sub(stride::<T>())
}

/// How many items lie from `first` to `end`.
pub(crate) fn count<T>(first: *mut T, end: *mut T) -> usize {
    match stride::<T>() {
        0 => 0,
        stride => (end.addr() - first.addr()) / stride,
    }
}

fn layout<T>(items: usize) -> Option<(Layout, usize)> {
    let size = stride::<T>().checked_mul(items)?;
    let row = Layout::from_size_align(size, align_of::<T>()).ok()?;
    let (layout, first) = Layout::new::<Header<T>>().extend(row).ok()?;
    // A huge slab, to which no item could be added, is all of a huge page.
    if layout.size() <= HUGE_BYTES && layout.size() + stride::<T>() > HUGE_BYTES && items > 1 {
        return Some((Layout::from_size_align(HUGE_BYTES, HUGE_BYTES).ok()?, first));
    }
    Some((layout, first))
}

/// How many items a huge slab has.
fn huge_items<T>() -> usize {
    let first = layout::<T>(1).map_or(HUGE_BYTES, |(_, first)| first);
    HUGE_BYTES.saturating_sub(first) / stride::<T>().max(1)
}

/// How many items the slab after one of `before` should have, in a pool that has so
/// many bytes for each of its users.
pub(crate) fn next_items<T>(before: usize, bytes: usize) -> usize {
    let item = size_of::<T>().max(1);
    if bytes >= HUGE_FROM * HUGE_BYTES && item <= MAX_SLAB_BYTES {
        return huge_items::<T>();
    }
    let most = (MAX_SLAB_BYTES / item).max(1);
    if before == 0 {
        (FIRST_SLAB_BYTES / item).clamp(1, most)
    } else {
        (before * 2).min(most)
    }
}

impl<T> Slab<T> {
    /// Memory for `items` items, untouched; `None` if there is none.
    pub(crate) fn new(items: usize) -> Option<Self> {
        let (layout, _) = layout::<T>(items)?;
        // SAFETY: the layout is not empty, it holds a header.
        let header = NonNull::new(unsafe { alloc(layout) })?.cast::<Header<T>>();
        huge::advise(header.cast(), layout.size());
        // SAFETY: fresh memory of the header's layout.
        unsafe {
            header.write(Header {
                next: None,
                items,
                _items: PhantomData,
            })
        };
        Some(Self {
            header,
            _items: PhantomData,
        })
    }

    fn header(&self) -> &Header<T> {
        // SAFETY: we own the allocation, and it starts with the header.
        unsafe { self.header.as_ref() }
    }

    pub(crate) fn items(&self) -> usize {
        self.header().items
    }

    /// Bytes that the system was asked for.
    pub(crate) fn bytes(&self) -> usize {
        layout::<T>(self.items()).map_or(0, |(layout, _)| layout.size())
    }

    /// The first item, and the end of the row.
    pub(crate) fn range(&self) -> (*mut T, *mut T) {
        let (_, offset) = layout::<T>(self.items()).expect("it was allocated");
        let first = self.header.as_ptr().wrapping_byte_add(offset).cast::<T>();
        (first, first.wrapping_byte_add(stride::<T>() * self.items()))
    }
}

impl<T> Drop for Slab<T> {
    fn drop(&mut self) {
        let (layout, _) = layout::<T>(self.items()).expect("it was allocated");
        // SAFETY: allocated in `new` with this layout, and owned.
        unsafe { dealloc(self.header.as_ptr().cast(), layout) };
    }
}

/// The slabs of a pool.
pub(crate) struct Slabs<T> {
    head: Option<Slab<T>>,
}

impl<T> Default for Slabs<T> {
    fn default() -> Self {
        Self { head: None }
    }
}

impl<T> Slabs<T> {
    pub(crate) fn push(&mut self, mut slab: Slab<T>) {
        // SAFETY: owned, and borrowed exclusively.
        unsafe { slab.header.as_mut() }.next = self.head.take();
        self.head = Some(slab);
    }

    pub(crate) fn pop(&mut self) -> Option<Slab<T>> {
        let mut slab = self.head.take()?;
        // SAFETY: owned, and borrowed exclusively.
        self.head = unsafe { slab.header.as_mut() }.next.take();
        Some(slab)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Slab<T>> {
        core::iter::successors(self.head.as_ref(), |slab| slab.header().next.as_ref())
    }
}

impl<T> Drop for Slabs<T> {
    fn drop(&mut self) {
        while self.pop().is_some() {}
    }
}
