//! A page of a file in memory.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Bytes of a page.
pub(crate) const PAGE: usize = 4096;

/// The bytes of a page.
pub(crate) type Bytes = [u8; PAGE];

/// Pages that exist, found or not, and the most that ever did.
static LIVE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// A page, which is found before it has been read: who finds it empty reads it, or
/// waits for who does.
pub(crate) struct Page {
    bytes: OnceLock<Box<Bytes>>,
    /// Whether the disk has these bytes.
    clean: AtomicBool,
}

impl Page {
    fn new(bytes: OnceLock<Box<Bytes>>, clean: bool) -> Self {
        let live = LIVE.fetch_add(1, Ordering::Relaxed) + 1;
        MOST.fetch_max(live, Ordering::Relaxed);
        Self {
            bytes,
            clean: AtomicBool::new(clean),
        }
    }

    /// A page that is still to be read.
    pub(crate) fn empty() -> Self {
        Self::new(OnceLock::new(), true)
    }

    /// A page with bytes that the disk does not have yet.
    pub(crate) fn written(bytes: Box<Bytes>) -> Self {
        Self::new(OnceLock::from(bytes), false)
    }

    /// The bytes, which are read by this thread or another if nobody has yet.
    pub(crate) fn bytes_or_read(&self, read: impl FnOnce() -> Box<Bytes>) -> &Bytes {
        self.bytes.get_or_init(read)
    }

    /// The bytes, if they have been read.
    pub(crate) fn bytes(&self) -> Option<&Bytes> {
        self.bytes.get().map(|bytes| &**bytes)
    }

    pub(crate) fn is_clean(&self) -> bool {
        // Acquire: pairs with the Release of `cleaned`; what the disk has was written.
        self.clean.load(Ordering::Acquire)
    }

    /// The disk has them now.
    pub(crate) fn cleaned(&self) {
        self.clean.store(true, Ordering::Release);
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Pages that exist now.
pub(crate) fn live() -> usize {
    LIVE.load(Ordering::Relaxed)
}

/// The most pages that existed at a time; counts anew from here.
pub(crate) fn take_most() -> usize {
    MOST.swap(live(), Ordering::Relaxed)
}
