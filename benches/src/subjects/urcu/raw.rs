//! The functions of `c/urcu.c`, checked.
//!
//! What C asks for and how it is seen to:
//!
//! - Sections only on registered threads: they are entered through a
//!   [`Registered`], which does not leave its thread.
//! - A thread registers once: a count for each thread and flavour. (`Memb` and
//!   `Defer` are one flavour to the library, and not used by a thread at a time.)
//! - A thread has one queue for `defer_rcu` in its life, and closes it before the library
//!   goes: the library refuses a second one once all queues were waited for, and ends the
//!   program if one is left. So it is a thread-local, which `exit` drops on the first thread.
//! - An item has room for an `rcu_head` until its callback has run: it stands
//!   behind the item in the same box, and the callback frees the box.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::thread::LocalKey;

/// Room for an `rcu_head`; its size is asserted in C.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Head([usize; 2]);

/// An item with room for its head.
#[derive(Debug)]
#[repr(C)]
struct Headed<T> {
    /// First, so that a pointer to it is one to the whole.
    item: T,
    head: Head,
}

/// A callback of the library.
type Gone = unsafe extern "C" fn(*mut Head);

/// The functions of one flavour.
pub(crate) struct Functions {
    register: unsafe extern "C" fn(),
    unregister: unsafe extern "C" fn(),
    enter: unsafe extern "C" fn(),
    leave: unsafe extern "C" fn(),
    read: unsafe extern "C" fn(*const AtomicPtr<u64>) -> u64,
    retire: unsafe extern "C" fn(*mut Head, Gone),
    barrier: unsafe extern "C" fn(),
    pause: unsafe extern "C" fn(),
    resume: unsafe extern "C" fn(),
}

/// A flavour of the library.
pub(crate) trait Flavour: Sync + Send + 'static {
    /// Its functions.
    const C: Functions;
    /// What a thread needs, beyond being registered, until it ends.
    fn prepare_thread() {}
    /// How often this thread is registered.
    fn registrations() -> &'static LocalKey<Cell<usize>>;
    /// How many items its callbacks have freed.
    fn freed() -> &'static AtomicU64;
    /// Whether who gives up may wait for readers.
    const WAITS: bool;
}

macro_rules! flavour {
    ($(#[$about:meta])* $flavour:ident, waits: $waits:literal, $register:ident, $unregister:ident,
     $enter:ident, $leave:ident, $read:ident, $retire:ident, $barrier:ident, $pause:ident,
     $resume:ident $(, of_thread: $of_thread:ident)?) => {
        $(#[$about])*
        #[derive(Debug)]
        pub(crate) struct $flavour;

        const _: () = {
            unsafe extern "C" {
                fn $register();
                fn $unregister();
                fn $enter();
                fn $leave();
                fn $read(source: *const AtomicPtr<u64>) -> u64;
                fn $retire(head: *mut Head, gone: Gone);
                fn $barrier();
                fn $pause();
                fn $resume();
            }

            impl Flavour for $flavour {
                const C: Functions = Functions {
                    register: $register,
                    unregister: $unregister,
                    enter: $enter,
                    leave: $leave,
                    read: $read,
                    retire: $retire,
                    barrier: $barrier,
                    pause: $pause,
                    resume: $resume,
                };
                const WAITS: bool = $waits;

                $(fn prepare_thread() {
                    $of_thread.with(|_| ());
                })?

                fn registrations() -> &'static LocalKey<Cell<usize>> {
                    thread_local!(static COUNT: Cell<usize> = const { Cell::new(0) });
                    &COUNT
                }

                fn freed() -> &'static AtomicU64 {
                    static FREED: AtomicU64 = AtomicU64::new(0);
                    &FREED
                }
            }
        };
    };
}

flavour!(
    /// Readers without a fence; writers use membarrier.
    Memb, waits: false, smr_memb_register, smr_memb_unregister, smr_memb_enter, smr_memb_leave,
    smr_memb_read, smr_memb_retire, smr_memb_barrier, smr_memb_pause, smr_memb_resume
);
flavour!(
    /// The same, with `defer_rcu`.
    Defer, waits: true, smr_memb_register, smr_memb_unregister, smr_memb_enter, smr_memb_leave,
    smr_memb_read, smr_defer_retire, smr_defer_barrier, smr_memb_pause, smr_memb_resume,
    of_thread: QUEUE
);
flavour!(
    /// Readers with fences.
    Mb, waits: false, smr_mb_register, smr_mb_unregister, smr_mb_enter, smr_mb_leave,
    smr_mb_read, smr_mb_retire, smr_mb_barrier, smr_mb_pause, smr_mb_resume
);
flavour!(
    /// "Bullet-proof": threads register themselves.
    Bp, waits: false, smr_bp_register, smr_bp_unregister, smr_bp_enter, smr_bp_leave,
    smr_bp_read, smr_bp_retire, smr_bp_barrier, smr_bp_pause, smr_bp_resume
);
flavour!(
    /// Threads announce quiescent states.
    Qsbr, waits: false, smr_qsbr_register, smr_qsbr_unregister, smr_qsbr_enter, smr_qsbr_leave,
    smr_qsbr_read, smr_qsbr_retire, smr_qsbr_barrier, smr_qsbr_pause, smr_qsbr_resume
);

thread_local!(static QUEUE: Queue = Queue::open());

/// The queue of a thread for `defer_rcu`.
#[derive(Debug)]
struct Queue;

impl Queue {
    fn open() -> Self {
        unsafe extern "C" {
            fn smr_defer_open();
        }
        // SAFETY: the thread-local is made once on a thread.
        unsafe { smr_defer_open() };
        Self
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        unsafe extern "C" {
            fn smr_defer_close();
        }
        // SAFETY: opened by this thread, which is ending and in no section. Closing waits
        // for readers and works off what is queued.
        unsafe { smr_defer_close() };
    }
}

/// This thread, known to the library.
#[derive(Debug)]
pub(crate) struct Registered<F: Flavour> {
    _flavour: PhantomData<F>,
    _not_send: PhantomData<*mut ()>,
}

impl<F: Flavour> Registered<F> {
    /// Makes this thread known.
    pub(crate) fn here() -> Self {
        F::registrations().with(|count| {
            if count.replace(count.get() + 1) == 0 {
                // SAFETY: this thread is not registered.
                unsafe { (F::C.register)() };
            }
        });
        F::prepare_thread();
        Self {
            _flavour: PhantomData,
            _not_send: PhantomData,
        }
    }

    /// Enters a section.
    #[inline(always)]
    pub(crate) fn enter(&self) -> Inside<'_, F> {
        // SAFETY: this thread is registered as long as we are.
        unsafe { (F::C.enter)() };
        Inside(self)
    }

    /// One section: enter, load, read, leave.
    ///
    /// # Safety
    ///
    /// The pointer leads to a value that is not freed unless by a callback.
    #[inline(always)]
    pub(crate) unsafe fn read(&self, source: &AtomicPtr<u64>) -> u64 {
        // SAFETY: this thread is registered; the value is the caller's promise.
        unsafe { (F::C.read)(source) }
    }

    /// Gives an item up.
    ///
    /// # Safety
    ///
    /// The item came from [`alloc`], is unlinked, and is given up once.
    #[inline(always)]
    pub(crate) unsafe fn retire<T: Send>(&self, item: NonNull<T>) {
        let whole = item.cast::<Headed<T>>().as_ptr();
        // SAFETY: the place of the head in a live box.
        let head = unsafe { &raw mut (*whole).head };
        // SAFETY: this thread is registered; the head stays in place until the
        // callback, which is of the item's type.
        unsafe { (F::C.retire)(head, gone::<T, F>) };
    }

    /// Waits elsewhere than in the way of others.
    pub(crate) fn pause(&self, wait: impl FnOnce()) {
        // SAFETY: this thread is registered, and holds nothing.
        unsafe { (F::C.pause)() };
        wait();
        // SAFETY: as above.
        unsafe { (F::C.resume)() };
    }
}

impl<F: Flavour> Drop for Registered<F> {
    fn drop(&mut self) {
        F::registrations().with(|count| {
            count.set(count.get() - 1);
            if count.get() == 0 {
                // SAFETY: this thread is registered, and guards borrow us.
                unsafe { (F::C.unregister)() };
            }
        });
    }
}

/// A section; left when dropped.
#[derive(Debug)]
pub(crate) struct Inside<'l, F: Flavour>(#[expect(dead_code)] &'l Registered<F>);

impl<F: Flavour> Drop for Inside<'_, F> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: entered once by this thread, which is still registered.
        unsafe { (F::C.leave)() };
    }
}

/// An item that can be given up.
#[inline(always)]
pub(crate) fn alloc<T>(item: T) -> NonNull<T> {
    let whole = Headed {
        item,
        head: Head([0; 2]),
    };
    crate::subjects::boxed(whole).cast()
}

/// Runs when no reader can be inside.
unsafe extern "C" fn gone<T, F: Flavour>(head: *mut Head) {
    // SAFETY: the library hands back the head that it was given, which stands
    // in a box of ours.
    let whole = unsafe { head.byte_sub(std::mem::offset_of!(Headed<T>, head)) };
    // SAFETY: boxed in `alloc`, given up once.
    drop(unsafe { Box::from_raw(whole.cast::<Headed<T>>()) });
    F::freed().fetch_add(1, Ordering::Relaxed);
}

/// Waits until the callbacks of everything given up so far have run.
pub(crate) fn barrier<F: Flavour>() {
    // SAFETY: may be called by any thread outside of a section; a section
    // borrows a `Registered` of its thread, and this thread needs none.
    unsafe { (F::C.barrier)() };
}
