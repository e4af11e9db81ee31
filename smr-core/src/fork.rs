//! Which process is this: the generation of a fork.
//!
//! A forked child has one thread. Slots that other threads of the parent owned
//! will never be left, and locks that they held will never be released. The
//! child notices by the *generation*, a counter that the `pthread_atfork` child
//! handler raises. Whoever registers a slot or takes a lock stamps it with the
//! generation; a stamp of an older one belongs to a thread that does not exist
//! here, unless its token is that of the thread that forked.
//!
//! Enter and exit of a section never look at any of this.

#[cfg(all(feature = "std", unix, not(loom)))]
mod imp {
    use crate::sync::process::{AtomicU8, AtomicU32, AtomicUsize, Ordering};

    static GENERATION: AtomicU32 = AtomicU32::new(0);
    static SURVIVOR: AtomicUsize = AtomicUsize::new(0);
    static INSTALLED: AtomicU8 = AtomicU8::new(0);

    unsafe extern "C" {
        // POSIX; in the C library that std links already.
        fn pthread_atfork(
            prepare: Option<extern "C" fn()>,
            parent: Option<extern "C" fn()>,
            child: Option<extern "C" fn()>,
        ) -> i32;
    }

    extern "C" fn in_child() {
        // The child has one thread here, so Relaxed is enough: threads that it
        // starts later are started after this.
        SURVIVOR.store(super::token(), Ordering::Relaxed);
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn install() {
        if INSTALLED.swap(1, Ordering::Relaxed) == 0 {
            // SAFETY: the handler only stores to atomics, which is allowed in
            // the child of a process with threads, and it is never unloaded.
            let refused = unsafe { pthread_atfork(None, None, Some(in_child)) };
            // The only error is ENOMEM. Forked children then wait for slots of
            // threads that they do not have: memory is kept, nothing breaks.
            debug_assert_eq!(refused, 0, "pthread_atfork had no memory");
        }
    }

    #[inline]
    pub(crate) fn generation() -> u32 {
        GENERATION.load(Ordering::Relaxed)
    }

    pub(crate) fn survivor() -> usize {
        SURVIVOR.load(Ordering::Relaxed)
    }
}

#[cfg(not(all(feature = "std", unix, not(loom))))]
mod imp {
    pub(crate) fn install() {}

    #[inline(always)]
    pub(crate) fn generation() -> u32 {
        0
    }

    pub(crate) fn survivor() -> usize {
        0
    }
}

#[cfg(all(feature = "std", not(loom)))]
mod thread {
    use core::cell::Cell;

    use crate::sync::process::{AtomicUsize, Ordering};

    static NEXT: AtomicUsize = AtomicUsize::new(1);

    std::thread_local! {
        // A number and not an address: the C library gives a thread of a forked
        // child the stack, and with it the thread-locals' addresses, of one that
        // vanished.
        static TOKEN: Cell<usize> = const { Cell::new(0) };
    }

    /// A number that no other thread of this process has, nor of those that it
    /// was forked from. The forking thread keeps its own in the child.
    #[inline]
    pub(crate) fn token() -> usize {
        match TOKEN.get() {
            0 => {
                // Relaxed: only that it is unique matters.
                let new = NEXT.fetch_add(1, Ordering::Relaxed);
                TOKEN.set(new);
                new
            }
            token => token,
        }
    }
}

#[cfg(any(not(feature = "std"), loom))]
mod thread {
    /// There is no telling threads apart.
    pub(crate) fn token() -> usize {
        0
    }
}

pub(crate) use imp::{generation, install, survivor};
pub(crate) use thread::token;

/// Whether the thread that stamped something with `generation` and `token`
/// exists in this process. A token of 0 stands for "no thread in particular".
pub(crate) fn is_alive(stamped: u32, token: usize) -> bool {
    stamped == generation() || token == 0 || token == survivor()
}
