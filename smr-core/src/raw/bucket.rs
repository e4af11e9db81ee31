//! Buckets: side arrays of retired items, each tagged with one goal.
//!
//! Nothing may be written into a retired item while readers can still be in it,
//! so a list of retired items cannot run through the items. A bucket is one
//! allocation, a header followed by the entries, and one word to hold:
//!
//! ```text
//!   Bucket -> | goal | next | bytes | len | cap | entry 0 | entry 1 | ...
//! ```
//!
//! A goal of 0 stands for "reached, and off the accounts".
//!
//! Dropping a bucket frees its memory and forgets its entries: what becomes of
//! them is the business of its owner.

use core::alloc::Layout;
use core::marker::PhantomData;
use core::ptr::NonNull;

use alloc::alloc::{alloc, dealloc, handle_alloc_error};

use crate::raw::bins::Held;

#[repr(C)]
struct Header<E> {
    goal: u64,
    next: Option<Bucket<E>>,
    bytes: usize,
    len: u32,
    cap: u32,
}

/// An owned bucket of at most `cap` entries.
pub(crate) struct Bucket<E> {
    header: NonNull<Header<E>>,
    _owns: PhantomData<E>,
}

// SAFETY: a bucket owns its entries and nothing else.
unsafe impl<E: Send> Send for Bucket<E> {}

fn layout<E>(cap: u32) -> (Layout, usize) {
    let entries = Layout::array::<E>(cap as usize).expect("a bucket is small");
    let (layout, offset) = Layout::new::<Header<E>>()
        .extend(entries)
        .expect("a bucket is small");
    (layout, offset)
}

impl<E> Bucket<E> {
    /// An empty bucket, or `None` if there is no memory.
    pub(crate) fn try_with_capacity(cap: u32) -> Option<Self> {
        let (layout, _) = layout::<E>(cap);
        // SAFETY: the layout is not empty, it holds a header.
        let header = NonNull::new(unsafe { alloc(layout) })?.cast::<Header<E>>();
        // SAFETY: fresh memory of the header's layout.
        unsafe {
            header.write(Header {
                goal: 0,
                next: None,
                bytes: 0,
                len: 0,
                cap,
            })
        };
        Some(Self {
            header,
            _owns: PhantomData,
        })
    }

    /// An empty bucket. Aborts without memory, as `Vec` does.
    pub(crate) fn with_capacity(cap: u32) -> Self {
        Self::try_with_capacity(cap).unwrap_or_else(|| handle_alloc_error(layout::<E>(cap).0))
    }

    #[inline(always)]
    fn header(&self) -> &Header<E> {
        // SAFETY: we own the allocation, and it starts with the header.
        unsafe { self.header.as_ref() }
    }

    #[inline(always)]
    fn header_mut(&mut self) -> &mut Header<E> {
        // SAFETY: as above, and we are borrowed exclusively.
        unsafe { self.header.as_mut() }
    }

    #[inline(always)]
    fn entry(&self, index: u32) -> *mut E {
        let (_, offset) = layout::<E>(0);
        let at = offset + index as usize * size_of::<E>();
        self.header.as_ptr().wrapping_byte_add(at).cast::<E>()
    }

    #[inline(always)]
    pub(crate) fn len(&self) -> u32 {
        self.header().len
    }

    #[inline(always)]
    pub(crate) fn capacity(&self) -> u32 {
        self.header().cap
    }

    #[inline(always)]
    pub(crate) fn goal(&self) -> u64 {
        self.header().goal
    }

    pub(crate) fn set_goal(&mut self, goal: u64) {
        self.header_mut().goal = goal;
    }

    #[inline(always)]
    pub(crate) fn bytes(&self) -> usize {
        self.header().bytes
    }

    /// What the entries stand for on the accounts: nothing once the goal was
    /// reached and they were taken off.
    #[inline]
    pub(crate) fn on_account(&self) -> Held {
        if self.goal() == 0 {
            return Held::default();
        }
        Held {
            items: self.len() as usize,
            bytes: self.bytes(),
        }
    }

    /// Forgets the goal, and how many bytes the entries stood for.
    pub(crate) fn reset(&mut self) {
        let header = self.header_mut();
        header.bytes = 0;
        header.goal = 0;
    }

    /// Adds an entry that stands for `bytes`. There must be room. Returns whether
    /// there still is.
    #[inline(always)]
    pub(crate) fn push(&mut self, entry: E, bytes: usize) -> bool {
        let len = self.len();
        assert!(len < self.capacity(), "a full bucket takes no more");
        // SAFETY: `len < cap`.
        unsafe { self.put(entry, bytes) };
        len + 1 < self.capacity()
    }

    /// Adds an entry behind those in use.
    ///
    /// # Safety
    ///
    /// There is room.
    #[inline(always)]
    unsafe fn put(&mut self, entry: E, bytes: usize) {
        let header = self.header_mut();
        let len = header.len;
        header.len = len + 1;
        // Not saturating: accounts add up the same bytes in other groups.
        header.bytes = header.bytes.wrapping_add(bytes);
        let at = self.entry(len);
        // SAFETY: the caller's promise: the place is inside the allocation.
        unsafe { at.write(entry) };
    }

    /// As [`push`](Self::push), if there is room for another one after it, and all stand
    /// for fewer than `most` bytes then; otherwise the entry.
    #[inline(always)]
    pub(crate) fn push_within(&mut self, entry: E, bytes: usize, most: usize) -> Result<(), E> {
        let header = self.header_mut();
        if header.len + 1 >= header.cap || header.bytes.wrapping_add(bytes) >= most {
            return Err(entry);
        }
        // SAFETY: for two.
        unsafe { self.put(entry, bytes) };
        Ok(())
    }

    #[inline(always)]
    pub(crate) fn pop(&mut self) -> Option<E> {
        let len = self.len().checked_sub(1)?;
        self.header_mut().len = len;
        // SAFETY: entries below the old length were written by `push`, and the
        // new length gives this one up.
        Some(unsafe { self.entry(len).read() })
    }

    /// Moves the entries into a bucket of twice the room, or of `limit`.
    /// Without memory the bucket stays as it is.
    pub(crate) fn grow(&mut self, limit: u32) {
        let cap = (self.capacity().saturating_mul(2)).clamp(1, limit.max(self.capacity()).max(1));
        let Some(mut larger) = Self::try_with_capacity(cap) else {
            return;
        };
        let len = self.len();
        // SAFETY: both ranges hold `len` entries, in different allocations; the
        // old bucket gives them up below.
        unsafe {
            larger
                .entry(0)
                .copy_from_nonoverlapping(self.entry(0), len as usize)
        };
        let (goal, bytes) = (self.goal(), self.bytes());
        let header = larger.header_mut();
        header.len = len;
        header.bytes = bytes;
        header.goal = goal;
        self.header_mut().len = 0;
        *self = larger;
    }

    /// The entries in place.
    pub(crate) fn entries(&self) -> &[E] {
        // SAFETY: the first `len` entries are written, and borrowed with self.
        unsafe { core::slice::from_raw_parts(self.entry(0), self.len() as usize) }
    }

    /// Keeps the entries that `keep` says, in some order.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&E) -> bool) {
        let mut index = 0;
        while index < self.len() {
            if keep(&self.entries()[index as usize]) {
                index += 1;
                continue;
            }
            let last = self.pop().expect("the bucket is not empty");
            if index < self.len() {
                // SAFETY: `index` is below the length; the entry there is
                // forgotten, which is what dropping it from a bucket means.
                unsafe { self.entry(index).write(last) };
            }
        }
    }
}

impl<E> Drop for Bucket<E> {
    fn drop(&mut self) {
        debug_assert!(
            self.header().next.is_none(),
            "a bucket in a queue was dropped"
        );
        let (layout, _) = layout::<E>(self.capacity());
        // SAFETY: allocated by `try_with_capacity` with this layout, and owned.
        unsafe { dealloc(self.header.as_ptr().cast(), layout) };
    }
}

/// Buckets in the order in which they were sealed.
pub(crate) struct Fifo<E> {
    head: Option<Bucket<E>>,
    // The last header of the chain that `head` owns; dangling while it is empty.
    tail: NonNull<Header<E>>,
}

// SAFETY: the tail points into what the head owns.
unsafe impl<E: Send> Send for Fifo<E> {}

impl<E> Default for Fifo<E> {
    fn default() -> Self {
        Self {
            head: None,
            tail: NonNull::dangling(),
        }
    }
}

impl<E> Fifo<E> {
    pub(crate) fn front(&self) -> Option<&Bucket<E>> {
        self.head.as_ref()
    }

    pub(crate) fn front_mut(&mut self) -> Option<&mut Bucket<E>> {
        self.head.as_mut()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    pub(crate) fn push_back(&mut self, bucket: Bucket<E>) {
        debug_assert!(
            bucket.header().next.is_none(),
            "a bucket stands in one queue"
        );
        let header = bucket.header;
        match &mut self.head {
            None => self.head = Some(bucket),
            Some(_) => {
                // SAFETY: the queue is not empty, so the tail is the last header
                // of a chain that we own and have borrowed exclusively.
                let tail = unsafe { self.tail.as_mut() };
                tail.next = Some(bucket);
            }
        }
        self.tail = header;
    }

    pub(crate) fn push_front(&mut self, mut bucket: Bucket<E>) {
        debug_assert!(
            bucket.header().next.is_none(),
            "a bucket stands in one queue"
        );
        if self.head.is_none() {
            self.tail = bucket.header;
        }
        bucket.header_mut().next = self.head.take();
        self.head = Some(bucket);
    }

    /// Visits all buckets, first to last.
    pub(crate) fn for_each(&self, mut f: impl FnMut(&Bucket<E>)) {
        let mut bucket = self.head.as_ref();
        while let Some(this) = bucket {
            f(this);
            bucket = this.header().next.as_ref();
        }
    }

    /// The same, exclusively.
    pub(crate) fn for_each_mut(&mut self, mut f: impl FnMut(&mut Bucket<E>)) {
        let mut bucket = self.head.as_mut();
        while let Some(this) = bucket {
            f(this);
            bucket = this.header_mut().next.as_mut();
        }
    }

    /// Keeps the entries that `keep` says, and the buckets that have any.
    pub(crate) fn retain_entries(&mut self, mut keep: impl FnMut(&E) -> bool) {
        let mut kept = Self::default();
        while let Some(mut bucket) = self.pop_front() {
            bucket.retain(&mut keep);
            if bucket.len() != 0 {
                kept.push_back(bucket);
            }
        }
        *self = kept;
    }

    pub(crate) fn pop_front(&mut self) -> Option<Bucket<E>> {
        let mut bucket = self.head.take()?;
        self.head = bucket.header_mut().next.take();
        Some(bucket)
    }
}

impl<E> Drop for Fifo<E> {
    fn drop(&mut self) {
        // One by one: a chain dropped recursively could exhaust the stack.
        while self.pop_front().is_some() {}
    }
}
