//! A value that is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Counts how many of its kind live.
#[derive(Debug)]
pub(crate) struct Counted(Arc<AtomicUsize>, pub(crate) u32);

impl Counted {
    pub(crate) fn new(live: &Arc<AtomicUsize>, number: u32) -> Self {
        live.fetch_add(1, SeqCst);
        Self(Arc::clone(live), number)
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        Self::new(&self.0, self.1)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let before = self.0.fetch_sub(1, SeqCst);
        assert_ne!(before, 0, "dropped twice");
    }
}
