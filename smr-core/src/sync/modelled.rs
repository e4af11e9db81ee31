//! The door on loom.
//!
//! Loom explores interleavings at the operations that it takes for scheduling
//! points, and for each atomic it remembers only the last access when it looks
//! for a place to backtrack to. A SeqCst fence is no such point, and a thread's
//! own load can hide another thread's access. Both make whole branches of an
//! algorithm unreachable. So every atomic here carries a companion that gets a
//! relaxed store before each operation, and one dummy gets the same before each
//! SeqCst fence. Nobody reads them: they add places to switch threads and no
//! order at all.

/// A static that begins anew with each execution of a model.
#[doc(hidden)]
pub use loom::lazy_static;
pub use loom::sync::atomic::Ordering;

use loom::sync::atomic as model;

macro_rules! atomic {
    ($(#[$doc:meta])* $name:ident, $inner:ty, $value:ty) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name {
            inner: $inner,
            nudge: model::AtomicUsize,
        }

        #[allow(missing_docs, dead_code)]
        impl $name {
            pub fn new(value: $value) -> Self {
                Self { inner: <$inner>::new(value), nudge: model::AtomicUsize::new(0) }
            }

            #[track_caller]
            fn at(&self) -> &$inner {
                self.nudge.store(0, Ordering::Relaxed);
                &self.inner
            }

            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                self.at().load(order)
            }

            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                self.at().store(value, order)
            }

            #[track_caller]
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                self.at().swap(value, order)
            }

            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.at().compare_exchange(current, new, success, failure)
            }

            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.at().compare_exchange(current, new, success, failure)
            }
        }
    };
}

macro_rules! starts_at_zero {
    ($($name:ident),*) => {
        $(
            impl Default for $name {
                fn default() -> Self {
                    Self::new(Default::default())
                }
            }
        )*
    };
}

macro_rules! integer {
    ($name:ident, $value:ty) => {
        atomic!(
            /// Mirrors the type of the same name in `core`.
            $name, model::$name, $value
        );

        #[allow(missing_docs, dead_code)]
        impl $name {
            #[track_caller]
            pub fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                self.at().fetch_add(value, order)
            }

            #[track_caller]
            pub fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                self.at().fetch_sub(value, order)
            }

            #[track_caller]
            pub fn fetch_or(&self, value: $value, order: Ordering) -> $value {
                self.at().fetch_or(value, order)
            }

            #[track_caller]
            pub fn fetch_and(&self, value: $value, order: Ordering) -> $value {
                self.at().fetch_and(value, order)
            }

            #[track_caller]
            pub fn fetch_max(&self, value: $value, order: Ordering) -> $value {
                self.at().fetch_max(value, order)
            }
        }
    };
}

integer!(AtomicU8, u8);
integer!(AtomicU32, u32);
integer!(AtomicU64, u64);
integer!(AtomicUsize, usize);
atomic!(
    /// Mirrors the type of the same name in `core`.
    AtomicBool, model::AtomicBool, bool
);

starts_at_zero!(AtomicU8, AtomicU32, AtomicU64, AtomicUsize, AtomicBool);

/// Mirrors the type of the same name in `core`.
#[derive(Debug)]
pub struct AtomicPtr<T> {
    inner: model::AtomicPtr<T>,
    nudge: model::AtomicUsize,
}

#[allow(missing_docs)]
impl<T> AtomicPtr<T> {
    pub fn new(value: *mut T) -> Self {
        Self {
            inner: model::AtomicPtr::new(value),
            nudge: model::AtomicUsize::new(0),
        }
    }

    #[track_caller]
    fn at(&self) -> &model::AtomicPtr<T> {
        self.nudge.store(0, Ordering::Relaxed);
        &self.inner
    }

    #[track_caller]
    pub fn load(&self, order: Ordering) -> *mut T {
        self.at().load(order)
    }

    #[track_caller]
    pub fn store(&self, value: *mut T, order: Ordering) {
        self.at().store(value, order)
    }

    #[track_caller]
    pub fn swap(&self, value: *mut T, order: Ordering) -> *mut T {
        self.at().swap(value, order)
    }

    #[track_caller]
    pub fn compare_exchange(
        &self,
        current: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        self.at().compare_exchange(current, new, success, failure)
    }

    #[track_caller]
    pub fn compare_exchange_weak(
        &self,
        current: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        self.at().compare_exchange(current, new, success, failure)
    }

    /// A read that needs no synchronisation: the caller has exclusive access.
    #[track_caller]
    pub fn unsync(&mut self) -> *mut T {
        self.inner.with_mut(|p| *p)
    }
}

loom::lazy_static! {
    static ref FENCE_NUDGE: model::AtomicUsize = model::AtomicUsize::new(0);
}

/// Mirrors `core::sync::atomic::fence`.
pub fn fence(order: Ordering) {
    if order == Ordering::SeqCst {
        FENCE_NUDGE.store(0, Ordering::Relaxed);
    }
    model::fence(order);
}

/// Loom executes what is written; there is no compiler to hold back.
pub fn compiler_fence(_order: Ordering) {}

/// A spinning thread lets the others run.
pub fn spin_loop() {
    loom::thread::yield_now();
}

/// Lets another thread run.
pub fn yield_now() {
    loom::thread::yield_now();
}

/// A cell whose accesses loom checks for races.
#[derive(Debug)]
pub struct UnsafeCell<T>(loom::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(loom::cell::UnsafeCell::new(value))
    }

    /// Shared access for the length of `f`.
    #[track_caller]
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        self.0.with(f)
    }

    /// Exclusive access for the length of `f`.
    #[track_caller]
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        self.0.with_mut(f)
    }
}

impl<T: Default> Default for UnsafeCell<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}
