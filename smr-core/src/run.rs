//! Running destructors: panics, re-entry, and who has what in hand.
//!
//! A destructor is the user's code. It may panic: the others still run, and the
//! first panic goes on in the thread that ran them, unless that thread is
//! unwinding already. It may pin, retire and drop domains: collections of one
//! domain do not nest on a thread, so the stack stays flat.

use crate::sync::{AtomicU32, Ordering, mutant};
use crate::{fork, ord};

/// The first panic of a batch of destructors.
#[must_use]
pub(crate) struct Panic {
    #[cfg(feature = "std")]
    payload: Option<alloc::boxed::Box<dyn core::any::Any + Send>>,
}

impl Panic {
    pub(crate) fn none() -> Self {
        Self {
            #[cfg(feature = "std")]
            payload: None,
        }
    }

    /// Keeps `other` if it is the first.
    pub(crate) fn keep(&mut self, other: Self) {
        #[cfg(feature = "std")]
        if self.payload.is_none() {
            self.payload = other.payload;
        } else {
            other.end();
        }
        #[cfg(not(feature = "std"))]
        let _ = other;
    }

    /// The panic goes no further.
    pub(crate) fn end(self) {
        // What a panic carries is the user's as well, and its destructor may panic.
        #[cfg(feature = "std")]
        if let Some(payload) = self.payload {
            let drop = core::panic::AssertUnwindSafe(|| drop(payload));
            if let Err(again) = std::panic::catch_unwind(drop) {
                core::mem::forget(again);
            }
        }
    }

    /// Resumes the panic, if there was one and the thread is not unwinding.
    pub(crate) fn go_on(self) {
        #[cfg(feature = "std")]
        if let Some(payload) = self.payload
            && !std::thread::panicking()
        {
            std::panic::resume_unwind(payload);
        }
    }
}

/// Runs `f`; a panic is caught where there is `std`.
#[inline]
pub(crate) fn catch(f: impl FnOnce()) -> Panic {
    #[cfg(feature = "std")]
    {
        // What a destructor leaves half done is its own value, which nobody
        // sees again.
        let caught = std::panic::catch_unwind(core::panic::AssertUnwindSafe(f));
        Panic {
            payload: caught.err(),
        }
    }
    #[cfg(not(feature = "std"))]
    {
        f();
        Panic::none()
    }
}

/// Counts batches of destructors that were taken from a depot and still run, so
/// that `barrier` can wait for those that were taken before it.
///
/// Two counters: new batches count in the current one; a barrier turns to the
/// other and waits for the old one to drain, then the other way round. (SRCU does the same for readers.)
///
/// In a forked child the counts start from zero: whoever had something in hand
/// has vanished, or is the thread that forked, in a destructor of its own.
#[derive(Debug, Default)]
pub(crate) struct Hands {
    phase: AtomicU32,
    inside: [AtomicU32; 2],
    generation: AtomicU32,
}

pub(crate) struct Hand<'a> {
    inside: &'a AtomicU32,
    generation: u32,
}

impl Hands {
    /// Called behind the depot's lock, as is `avoid`.
    pub(crate) fn take(&self) -> Hand<'_> {
        let generation = self.look_at_generation();
        let inside = &self.inside[self.phase.load(Ordering::Relaxed) as usize % 2];
        inside.fetch_add(1, Ordering::Relaxed);
        Hand { inside, generation }
    }

    fn look_at_generation(&self) -> u32 {
        let now = fork::generation();
        // Relaxed, all of it: behind the lock.
        if self.generation.load(Ordering::Relaxed) != now {
            self.generation.store(now, Ordering::Relaxed);
            for inside in &self.inside {
                inside.store(0, Ordering::Relaxed);
            }
        }
        now
    }

    /// From now on new batches count in the other counter.
    pub(crate) fn avoid(&self, index: usize) {
        self.look_at_generation();
        self.phase.store(1 - index as u32 % 2, Ordering::Relaxed);
    }

    pub(crate) fn are_empty(&self, old: usize) -> bool {
        // Acquire: pairs with the Release in `Hand::drop`.
        self.inside[old].load(ord::hands_look()) == 0 || mutant("hands_not_seen")
    }
}

impl Drop for Hand<'_> {
    fn drop(&mut self) {
        if self.generation == fork::generation() {
            // Release: pairs with the Acquire in `Hands::are_empty`.
            self.inside.fetch_sub(1, ord::hands_leave());
        }
    }
}

/// Which domains this thread is collecting for, innermost first.
#[cfg(all(feature = "std", not(loom)))]
mod frames {
    use core::cell::Cell;
    use core::num::NonZeroU64;

    /// Domains whose collection may nest in each other on one thread.
    const DEPTH: usize = 8;

    std::thread_local! {
        static STACK: [Cell<u64>; DEPTH] = const { [const { Cell::new(0) }; DEPTH] };
        static AGAIN: [Cell<bool>; DEPTH] = const { [const { Cell::new(false) }; DEPTH] };
        static TOP: Cell<usize> = const { Cell::new(0) };
    }

    /// A collection on this thread; see [`enter`].
    pub(crate) struct Frame(usize);

    fn find(domain: NonZeroU64) -> Option<usize> {
        let top = TOP.get();
        STACK.with(|stack| stack[..top].iter().position(|id| id.get() == domain.get()))
    }

    pub(crate) fn is_collecting(domain: NonZeroU64) -> bool {
        TOP.get() != 0 && find(domain).is_some()
    }

    /// Begins a collection, unless this thread is in one of the same domain, or
    /// too deep in others.
    pub(crate) fn enter(domain: NonZeroU64) -> Option<Frame> {
        let top = TOP.get();
        if top == DEPTH || is_collecting(domain) {
            return None;
        }
        STACK.with(|stack| stack[top].set(domain.get()));
        AGAIN.with(|again| again[top].set(false));
        TOP.set(top + 1);
        Some(Frame(top))
    }

    /// Asks the collection of the domain that this thread is in to go round once
    /// more; `false` if there is none.
    pub(crate) fn want_again(domain: NonZeroU64) -> bool {
        let found = find(domain);
        if let Some(index) = found {
            AGAIN.with(|again| again[index].set(true));
        }
        found.is_some()
    }

    impl Frame {
        /// Whether [`want_again`] was called since this was last asked.
        pub(crate) fn is_wanted_again(&self) -> bool {
            AGAIN.with(|again| again[self.0].take())
        }
    }

    impl Drop for Frame {
        fn drop(&mut self) {
            TOP.set(TOP.get() - 1);
        }
    }
}

#[cfg(any(not(feature = "std"), loom))]
mod frames {
    use core::num::NonZeroU64;

    pub(crate) struct Frame(());

    pub(crate) fn is_collecting(_domain: NonZeroU64) -> bool {
        false
    }

    pub(crate) fn enter(_domain: NonZeroU64) -> Option<Frame> {
        Some(Frame(()))
    }

    pub(crate) fn want_again(_domain: NonZeroU64) -> bool {
        false
    }

    impl Frame {
        pub(crate) fn is_wanted_again(&self) -> bool {
            false
        }
    }
}

pub(crate) use frames::{enter, is_collecting, want_again};
