//! What a model checker is told of nodes: that they are read, and that their memory
//! goes.

#[cfg(not(loom))]
mod imp {
    /// Nothing.
    #[derive(Debug)]
    pub(crate) struct Life;

    impl Life {
        #[inline(always)]
        pub(crate) fn new() -> Self {
            Self
        }

        #[inline(always)]
        pub(crate) fn look(&self) {}
    }
}

#[cfg(loom)]
mod imp {
    use smr_core::sync::UnsafeCell;

    /// Whether the node was reclaimed, in a cell that loom watches.
    #[derive(Debug)]
    pub(crate) struct Life(UnsafeCell<bool>);

    impl Life {
        pub(crate) fn new() -> Self {
            Self(UnsafeCell::new(false))
        }

        #[track_caller]
        pub(crate) fn look(&self) {
            let is_over = self.0.with(|over| {
                // SAFETY: loom fails the model if a write is not ordered with it.
                unsafe { *over }
            });
            assert!(!is_over, "somebody is in a node that was reclaimed");
        }

        #[track_caller]
        pub(crate) fn end(&self) {
            let was_over = self.0.with_mut(|over| {
                // SAFETY: loom fails the model if any access is not ordered with it.
                unsafe { over.replace(true) }
            });
            assert!(!was_over, "a node was reclaimed twice");
        }
    }
}

pub(crate) use imp::Life;
