//! The asymmetric barrier: readers pay nothing, the poll pays for all.
//!
//! A reader publishes its sequence and then loads pointers; a writer unlinks
//! and then looks at the published sequences. Both sides need a StoreLoad
//! barrier in between, or each can miss the other's store. Where the kernel can
//! run a barrier on every CPU that runs a thread of this process, the reader's
//! half shrinks to a compiler barrier (*light*) and the writer pays the system
//! call (*heavy*): `membarrier(PRIVATE_EXPEDITED)` on Linux,
//! `FlushProcessWriteBuffers` on Windows. Elsewhere, or where the kernel
//! refuses, both halves are SeqCst fences.
//!
//! # The two cases
//!
//! Take any publish (store, then light) and any heavy barrier.
//!
//! 1. The store is visible to loads that follow the heavy barrier. The scan
//!    sees the reader.
//! 2. It is not. Then the light barrier comes after the heavy one, and every
//!    load behind the light barrier sees every store before the heavy one: the
//!    reader sees the unlink.
//!
//! Without the light half, or without the heavy one, there is a third case, in
//! which neither sees the other; the loom model `enter_against_scan` and the
//! shapes `enter-scan*` in `tests/litmus` find it.
//!
//! # Orderings
//!
//! The fences and the exchange of a `word` are SeqCst: they are the two halves of
//! the barrier. What the system granted (`STATE`) is Relaxed: who finds nothing
//! there asks the system again.

use core::hint::cold_path;

use crate::sync::{AtomicU64, Ordering, fence, mutant};

/// How the barrier between readers and polls is made; see
/// [`DomainBuilder::barrier`](crate::DomainBuilder::barrier).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum BarrierKind {
    /// [`Asymmetric`](Self::Asymmetric) where the system grants it, otherwise
    /// [`Fence`](Self::Fence).
    #[default]
    Auto,
    /// Readers execute no barrier instruction; a poll makes one system call
    /// (Linux 4.14 and later, Windows).
    Asymmetric,
    /// Readers and polls execute a full fence. Works everywhere.
    Fence,
}

/// The barrier that a domain settled on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Barrier {
    asymmetric: bool,
}

/// The system does not offer the asymmetric barrier.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refused;

impl Barrier {
    pub(crate) const ASYMMETRIC: Self = Self { asymmetric: true };
    pub(crate) const FENCE: Self = Self { asymmetric: false };

    pub(crate) fn is_fence(self) -> bool {
        !self.asymmetric
    }

    pub(crate) fn choose(kind: BarrierKind) -> Result<Self, Refused> {
        match kind {
            BarrierKind::Fence => Ok(Self::FENCE),
            BarrierKind::Auto => Ok(Self {
                asymmetric: system::is_granted(),
            }),
            BarrierKind::Asymmetric if system::is_granted() => Ok(Self::ASYMMETRIC),
            BarrierKind::Asymmetric => Err(Refused),
        }
    }

    pub(crate) fn kind(self) -> BarrierKind {
        if self.asymmetric {
            BarrierKind::Asymmetric
        } else {
            BarrierKind::Fence
        }
    }

    /// Stores `value`, then the light barrier.
    ///
    /// `order` is the store's own ordering, for what it releases to a load that
    /// reads it; the barrier is for what it does not say to loads that miss it.
    #[inline(always)]
    pub(crate) fn publish(self, word: &AtomicU64, value: u64, order: Ordering) {
        if self.asymmetric {
            word.store(value, order);
            light();
        } else {
            cold_path();
            fenced::publish(word, value, order);
        }
    }

    /// The light barrier alone, after a store of another kind.
    #[inline(always)]
    pub(crate) fn light(self) {
        if self.asymmetric {
            light();
        } else {
            cold_path();
            if mutant("light_alone_no_fence") {
                return;
            }
            // SeqCst fence: the light half; pairs with the one in `heavy`.
            fence(Ordering::SeqCst);
        }
    }

    /// The heavy barrier. `false` if the system refused it, although it had
    /// been granted (a seccomp filter installed later, say): the caller then
    /// knows nothing about the readers.
    pub(crate) fn heavy(self) -> bool {
        if mutant("no_heavy") {
            return true;
        }
        // A SeqCst fence on the calling side: for the fence mode this is the
        // whole barrier, for the other it keeps the compiler and the calling
        // CPU in order around the system call.
        fence(Ordering::SeqCst);
        if self.asymmetric {
            let done = system::heavy();
            // SeqCst fence: as above, on the other side of the system call. Neither has a
            // mutant that leaves out the one beside the call: loom has no asymmetric
            // barrier, and in the litmus shapes `heavy` is a full fence to its own thread,
            // as the systems say that it is. What remains is for the compiler, which may
            // not move what the scan loads to before the call.
            fence(Ordering::SeqCst);
            return done;
        }
        true
    }
}

#[inline(always)]
fn light() {
    // SeqCst fence, against the compiler only: the light half of the barrier.
    #[cfg(not(loom))]
    crate::sync::compiler_fence(Ordering::SeqCst);
}

/// Store and full fence where the hardware has one instruction for both.
#[cfg(all(any(target_arch = "x86_64", target_arch = "x86"), not(loom)))]
mod fenced {
    use crate::sync::{AtomicU64, Ordering};

    // A locked exchange drains the store buffer of an x86 processor, at less
    // than the cost of MFENCE. In the language's memory model a SeqCst exchange
    // is not a fence, so this stands only where the target is known. To the
    // compiler it is an acquire and a release at once: nothing moves across.
    #[inline(always)]
    pub(super) fn publish(word: &AtomicU64, value: u64, _order: Ordering) {
        word.swap(value, Ordering::SeqCst);
    }
}

#[cfg(not(all(any(target_arch = "x86_64", target_arch = "x86"), not(loom))))]
mod fenced {
    use crate::sync::{AtomicU64, Ordering, fence, mutant};

    #[inline(always)]
    pub(super) fn publish(word: &AtomicU64, value: u64, order: Ordering) {
        word.store(value, order);
        if mutant("no_light") {
            return;
        }
        // SeqCst fence: the light half; pairs with the one in `heavy`.
        fence(Ordering::SeqCst);
    }
}

#[cfg(all(any(target_os = "linux", target_os = "android"), not(loom)))]
mod system {
    use crate::sync::process::{AtomicU8, Ordering};
    use rustix::thread::{MembarrierCommand, membarrier};

    const UNKNOWN: u8 = 0;
    const GRANTED: u8 = 1;
    const REFUSED: u8 = 2;

    static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);

    fn register() -> bool {
        membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok()
            && membarrier(MembarrierCommand::PrivateExpedited).is_ok()
    }

    /// Registers the process on first use. Any error means: not here.
    pub(super) fn is_granted() -> bool {
        match STATE.load(Ordering::Relaxed) {
            GRANTED => true,
            REFUSED => false,
            // Two threads may both register; the kernel does not mind.
            _ => {
                let granted = register();
                STATE.store(if granted { GRANTED } else { REFUSED }, Ordering::Relaxed);
                granted
            }
        }
    }

    pub(super) fn heavy() -> bool {
        // EPERM says "not registered": so it may be after a checkpoint was
        // restored into a fresh process. One more try settles it.
        membarrier(MembarrierCommand::PrivateExpedited).is_ok() || register()
    }
}

#[cfg(all(windows, not(loom)))]
mod system {
    use windows_sys::Win32::System::Threading::FlushProcessWriteBuffers;

    pub(super) fn is_granted() -> bool {
        true
    }

    pub(super) fn heavy() -> bool {
        // SAFETY: takes no arguments and cannot fail.
        unsafe { FlushProcessWriteBuffers() };
        true
    }
}

#[cfg(any(loom, not(any(target_os = "linux", target_os = "android", windows))))]
mod system {
    pub(super) fn is_granted() -> bool {
        false
    }

    pub(super) fn heavy() -> bool {
        false
    }
}
