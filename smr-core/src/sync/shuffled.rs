//! The door on shuttle.
//!
//! Shuttle runs all threads of a case on one, and asks a scheduler which goes on
//! before each operation on an atomic. It takes all of them for SeqCst ones, so it sees
//! no missing ordering; but it is fast enough for cases that loom would never finish.
//! A cell has a place to switch threads in the middle of each access, and complains of
//! two that should not meet.

/// A static that begins anew with each schedule.
#[doc(hidden)]
pub use shuttle::lazy_static;
pub use shuttle::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, compiler_fence,
    fence,
};

use core::cell::Cell;

/// A spinning thread lets the others run.
pub fn spin_loop() {
    shuttle::thread::yield_now();
}

/// Lets another thread run.
pub fn yield_now() {
    shuttle::thread::yield_now();
}

/// A cell whose accesses are checked for meeting each other.
#[derive(Debug, Default)]
pub struct UnsafeCell<T> {
    value: core::cell::UnsafeCell<T>,
    /// How many read it now; -1 if one writes.
    inside: Cell<isize>,
    nudge: AtomicBool,
}

/// An access; it ends also when what it does panics.
struct Access<'a>(&'a Cell<isize>, isize);

impl Drop for Access<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - self.1);
    }
}

impl<T> UnsafeCell<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self {
            value: core::cell::UnsafeCell::new(value),
            inside: Cell::new(0),
            nudge: AtomicBool::new(false),
        }
    }

    #[track_caller]
    fn access(&self, as_many: isize) -> Access<'_> {
        self.inside.set(self.inside.get() + as_many);
        let access = Access(&self.inside, as_many);
        // Relaxed: a place to switch threads, while we are inside.
        self.nudge.load(Ordering::Relaxed);
        access
    }

    /// Shared access for the length of `f`.
    #[track_caller]
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        assert!(self.inside.get() >= 0, "read while it is written");
        let _access = self.access(1);
        f(self.value.get())
    }

    /// Exclusive access for the length of `f`.
    #[track_caller]
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        assert_eq!(self.inside.get(), 0, "written while it is accessed");
        let _access = self.access(-1);
        f(self.value.get())
    }
}
