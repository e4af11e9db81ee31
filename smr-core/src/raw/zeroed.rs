//! Zeros that nobody has written yet.
//!
//! A table of many megabytes must not cost the one who makes it as much: its pages are to
//! become zeros when they are first used, one by one. An allocator does not promise that:
//! one that takes the memory from what was freed before writes the zeros itself, all of
//! them at once. So what is *large* is mapped: the system's own pages, which come that
//! way. The rest is the allocator's, for which it is cheaper, and writes little.

use core::alloc::Layout;
use core::ptr::NonNull;

use alloc::alloc::{alloc_zeroed, dealloc};

use crate::raw::huge;
use crate::sync::process::{AtomicUsize, Ordering};
use crate::tunables::MAP_FROM_BYTES;

/// What every allocator gives: two words. Where more is asked for, that of the standard
/// library writes the zeros itself on some systems; so room is made for them to begin
/// where they have to.
const HEAP_ALIGN: usize = 2 * size_of::<usize>();

/// The smallest page of any system.
const PAGE: usize = 4 << 10;

/// Owned memory, of zeros when it was made.
#[derive(Debug)]
pub struct Zeroed {
    memory: NonNull<u8>,
    first: NonNull<u8>,
    layout: Layout,
}

// SAFETY: it is memory; what is in it, and who may use it, is known elsewhere.
unsafe impl Send for Zeroed {}
// SAFETY: as above.
unsafe impl Sync for Zeroed {}

impl Zeroed {
    /// Memory for this layout; `None` if there is none, or if the layout is empty.
    pub fn new(layout: Layout) -> Option<Self> {
        if layout.size() == 0 {
            return None;
        }
        let memory = if is_mapped(layout) {
            let pages = pages::map(layout.size())?;
            // Relaxed: as in `mapped_bytes`.
            MAPPED.fetch_add(layout.size(), Ordering::Relaxed);
            pages
        } else {
            // SAFETY: the layout is not empty.
            NonNull::new(unsafe { alloc_zeroed(on_heap(layout)?) })?
        };
        let ahead = memory.align_offset(layout.align());
        debug_assert!(ahead < layout.align());
        // SAFETY: there is room for it on the heap, and a page begins where it has to.
        let first = unsafe { memory.add(ahead) };
        huge::advise(first, layout.size());
        Some(Self {
            memory,
            first,
            layout,
        })
    }

    /// Where it begins: aligned as it was asked for.
    #[inline(always)]
    pub fn first(&self) -> NonNull<u8> {
        self.first
    }
}

impl Drop for Zeroed {
    fn drop(&mut self) {
        if is_mapped(self.layout) {
            // SAFETY: mapped in `new` with this size, and owned.
            if unsafe { pages::unmap(self.memory, self.layout.size()) } {
                // Relaxed: as in `mapped_bytes`.
                MAPPED.fetch_sub(self.layout.size(), Ordering::Relaxed);
            }
        } else {
            let layout = on_heap(self.layout).expect("it was allocated");
            // SAFETY: allocated in `new` with this layout, and owned.
            unsafe { dealloc(self.memory.as_ptr(), layout) };
        }
    }
}

fn is_mapped(layout: Layout) -> bool {
    pages::ARE_MAPPED && layout.size() >= MAP_FROM_BYTES && layout.align() <= PAGE
}

/// What the allocator is asked for. `None` where no memory is so large.
fn on_heap(layout: Layout) -> Option<Layout> {
    let room = layout.align().saturating_sub(HEAP_ALIGN);
    let bytes = layout.size().checked_add(room)?;
    Layout::from_size_align(bytes, HEAP_ALIGN).ok()
}

static MAPPED: AtomicUsize = AtomicUsize::new(0);

/// Bytes of memory that the structures of this process hold and that did not come from its
/// global allocator.
///
/// On Linux, memory of four megabytes and more that has to be zeros is mapped from the
/// system, so that no operation pays for the zeros of all of it: the array of buckets of a
/// hash table with some hundred thousand entries. Whoever counts what the global allocator
/// gives adds this. On other systems it is 0.
///
/// A load; exact while nobody makes or drops such a table.
///
/// ```
/// let before = smr_core::mapped_bytes();
/// let pool = smr_core::Pool::<u64>::new();
/// pool.reserve(1_000_000);
/// assert_eq!(smr_core::mapped_bytes(), before, "pools take theirs from the allocator");
/// ```
pub fn mapped_bytes() -> usize {
    // Relaxed: a count, which orders nothing.
    MAPPED.load(Ordering::Relaxed)
}

#[cfg(all(any(target_os = "linux", target_os = "android"), not(any(loom, miri))))]
mod pages {
    use core::ptr::{self, NonNull};

    use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

    pub(super) const ARE_MAPPED: bool = true;

    pub(super) fn map(bytes: usize) -> Option<NonNull<u8>> {
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
        // SAFETY: new pages, where the system likes.
        let pages = unsafe { mmap_anonymous(ptr::null_mut(), bytes, access, flags) }.ok()?;
        NonNull::new(pages.cast())
    }

    /// Whether it could: a process that has as many mappings as it may have cannot give up
    /// the midst of one. The pages stay, as what an allocator keeps does.
    ///
    /// # Safety
    ///
    /// `map` gave it for so many bytes, and nobody uses it any more.
    pub(super) unsafe fn unmap(pages: NonNull<u8>, bytes: usize) -> bool {
        // SAFETY: the caller's promise.
        unsafe { munmap(pages.as_ptr().cast(), bytes) }.is_ok()
    }
}

#[cfg(not(all(any(target_os = "linux", target_os = "android"), not(any(loom, miri)))))]
mod pages {
    use core::ptr::NonNull;

    pub(super) const ARE_MAPPED: bool = false;

    pub(super) fn map(_: usize) -> Option<NonNull<u8>> {
        None
    }

    /// # Safety
    ///
    /// None: nothing was mapped.
    pub(super) unsafe fn unmap(_: NonNull<u8>, _: usize) -> bool {
        true
    }
}
