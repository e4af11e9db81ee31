//! Who is compared: one small adapter a file.
//!
//! A subject has a name and a sentence ([`Subject`]) and one or both of two
//! abilities: it protects readers ([`Section`]), and it takes retired items and
//! frees them when no reader can be inside ([`Reclaim`]). The suites are generic
//! over these, so each subject's drivers are compiled for it alone: no call in
//! a measured loop is dynamic.
//!
//! Each adapter follows the subject's own documentation; where that leaves a
//! choice, the file says which was taken and why.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, Ordering};

pub(crate) mod arc_swap;
pub(crate) mod bare;
#[cfg(feature = "c-peers")]
pub(crate) mod ck;
pub(crate) mod counts;
pub(crate) mod crossbeam;
pub(crate) mod haphazard;
pub(crate) mod lists;
pub(crate) mod maps;
pub(crate) mod parsec;
pub(crate) mod rwlock;
pub(crate) mod sdd;
pub(crate) mod seize;
pub(crate) mod smr;
pub(crate) mod tick;
pub(crate) mod trees;
#[cfg(feature = "c-peers")]
pub(crate) mod urcu;

/// Calls a generic function for everybody who reclaims, and gives all that it returns:
/// those named first, those whom every suite has, those named last, the peers in C.
///
/// The function takes the subject, and what else stands in the brackets behind it.
macro_rules! for_each_reclaimer {
    ($item:ty, [$($first:ty),*], [$($last:ty),*], $call:ident $more:tt $arguments:tt) => {{
        use $crate::subjects::{call_for, counts, crossbeam, haphazard, parsec, sdd, seize, smr};
        #[cfg(feature = "c-peers")]
        use $crate::subjects::{ck, urcu};
        #[cfg_attr(not(feature = "c-peers"), expect(unused_mut, reason = "the peers in C"))]
        let mut all = vec![
            $(call_for!($first, $call $more $arguments),)*
            call_for!(smr::SmrPool<$item>, $call $more $arguments),
            call_for!(smr::FencedPool<$item>, $call $more $arguments),
            call_for!(smr::SmrMalloc, $call $more $arguments),
            call_for!(smr::FencedMalloc, $call $more $arguments),
            call_for!(crossbeam::Crossbeam, $call $more $arguments),
            call_for!(sdd::Sdd, $call $more $arguments),
            call_for!(parsec::Parsec, $call $more $arguments),
            call_for!(seize::Seize, $call $more $arguments),
            call_for!(haphazard::Haphazard, $call $more $arguments),
            call_for!(counts::Counts, $call $more $arguments),
            $(call_for!($last, $call $more $arguments),)*
        ];
        #[cfg(feature = "c-peers")]
        all.extend([
            call_for!(ck::Ck, $call $more $arguments),
            call_for!(urcu::Urcu<urcu::raw::Memb>, $call $more $arguments),
            call_for!(urcu::Urcu<urcu::raw::Defer>, $call $more $arguments),
            call_for!(urcu::Urcu<urcu::raw::Mb>, $call $more $arguments),
            call_for!(urcu::Urcu<urcu::raw::Bp>, $call $more $arguments),
            call_for!(urcu::Urcu<urcu::raw::Qsbr>, $call $more $arguments),
        ]);
        all
    }};
}
pub(crate) use for_each_reclaimer;

/// One call of [`for_each_reclaimer`].
macro_rules! call_for {
    ($subject:ty, $call:ident [$($more:tt),*] ($($argument:expr),*)) => {
        $call::<$subject $(, $more)*>($($argument),*)
    };
}
pub(crate) use call_for;

/// One who is compared.
pub(crate) trait Subject {
    /// The name in tables and records.
    const NAME: &'static str;
    /// What it is, in a sentence.
    const ABOUT: &'static str;
}

/// Protects the readers of one shared pointer.
pub(crate) trait Section: Subject {
    /// The shared pointer and what protects it.
    type Shared: Sync;
    /// What a reading thread keeps from one section to the next.
    type Reader<'s>;
    /// Whether a section can be entered inside another.
    const NESTS: bool;
    /// Whether a section can be held by something that moves between threads.
    const OWNED: bool;

    /// A pointer to this value.
    fn share(value: u64) -> Self::Shared;
    /// A reader for this thread.
    fn reader(shared: &Self::Shared) -> Self::Reader<'_>;
    /// Enter, load the pointer, read the value, exit.
    fn read(reader: &mut Self::Reader<'_>) -> u64;
    /// Enters; then so many times [`read`](Self::read) inside; exits.
    fn nested(reader: &mut Self::Reader<'_>, rounds: u64) -> u64 {
        let _ = (reader, rounds);
        unreachable!("{} does not nest", Self::NAME)
    }
    /// Enter with an owned guard, load, read, exit.
    fn owned(reader: &mut Self::Reader<'_>) -> u64 {
        let _ = reader;
        unreachable!("{} has no owned guard", Self::NAME)
    }
}

/// Takes retired items and frees them when no reader can be inside.
pub(crate) trait Reclaim<T: Send + Sync + 'static>: Subject + Sync + Sized {
    /// What a thread keeps from one operation to the next.
    type Local<'r>: Local<T>
    where
        Self: 'r;
    /// Whether retired items are ever freed before the end.
    const RECLAIMS: bool = true;

    /// A domain of its own, for so many threads.
    fn new(threads: usize) -> Self;
    /// This thread's part in it.
    fn local(&self) -> Self::Local<'_>;
    /// How often the readers were scanned, if the subject tells.
    fn polls(&self) -> Option<u64> {
        None
    }
    /// Frees everything that was retired. Nobody is inside any more.
    fn finish(self) {}
}

/// Parts that the harness' own thread takes: it fills a structure before a run,
/// and retires what is left after it.
pub(crate) const HARNESS: usize = 2;

/// Bytes of retired items beyond which the threads of a subject that bounds
/// nothing by itself wait, so that a comparison does not take the machine.
pub(crate) const WAIT_BYTES: usize = 4 << 30;

/// Items that a guard can announce at a time, for the subjects that protect
/// each item for itself.
pub(crate) const ANNOUNCED: usize = 3;

/// A thread's part in a [`Reclaim`].
pub(crate) trait Local<T> {
    /// Shows that the thread is inside.
    type Guard<'l>
    where
        Self: 'l;
    /// Whether a section protects only the items that are announced in it, so
    /// that every pointer must be looked at again after its announcement.
    const EACH: bool = false;
    /// Whether writers keep everybody else out, by
    /// [`enter_to_write`](Self::enter_to_write).
    const EXCLUSIVE: bool = false;
    /// Whether who retires waits for readers, so that one who stays inside stops
    /// the writers.
    const WAITS: bool = false;

    /// Enters a section.
    fn enter(&self) -> Self::Guard<'_>;
    /// Enters a section that will link or unlink items.
    #[inline(always)]
    fn enter_to_write(&self) -> Self::Guard<'_> {
        self.enter()
    }
    /// Announces in one of [`ANNOUNCED`] places that the item will be used. It
    /// may be used if its source still leads to it after that.
    #[inline(always)]
    fn announce(guard: &mut Self::Guard<'_>, place: usize, item: *mut T) {
        let _ = (guard, place, item);
    }
    /// Loads a pointer that stays valid as long as the guard, or until the next
    /// announcement in the first place.
    #[inline(always)]
    fn load(guard: &mut Self::Guard<'_>, source: &AtomicPtr<T>) -> *mut T {
        if !Self::EACH {
            let _ = guard;
            return source.load(Ordering::Acquire);
        }
        loop {
            let item = source.load(Ordering::Acquire);
            Self::announce(guard, 0, item);
            if source.load(Ordering::Acquire) == item {
                return item;
            }
        }
    }
    /// Memory for an item, and the item in it.
    fn alloc(&self, make: impl FnOnce() -> T) -> NonNull<T>;
    /// Gives an item up, outside of any section of this thread.
    ///
    /// # Safety
    ///
    /// The item came from [`alloc`](Self::alloc) of the same subject, no reader
    /// that enters from now on can find it, and it is retired only once. If the
    /// subject is [`EXCLUSIVE`](Self::EXCLUSIVE), it was unlinked in a section
    /// that was entered to write, or was never linked.
    unsafe fn retire(&self, item: NonNull<T>);
    /// Gives up many items that were unlinked together, outside of any section.
    ///
    /// # Safety
    ///
    /// As [`retire`](Self::retire), for each of them.
    #[inline(always)]
    unsafe fn retire_all(&self, items: impl Iterator<Item = NonNull<T>>) {
        for item in items {
            // SAFETY: the caller's promise, passed on.
            unsafe { self.retire(item) };
        }
    }
    /// Leaves a section and gives up what was unlinked in it.
    ///
    /// # Safety
    ///
    /// As [`retire`](Self::retire), for each of the items, and nobody on this
    /// thread uses them any more.
    #[inline(always)]
    unsafe fn leave<'l>(&'l self, guard: Self::Guard<'l>, items: impl Iterator<Item = NonNull<T>>) {
        drop(guard);
        for item in items {
            // SAFETY: the caller's promise, passed on.
            unsafe { self.retire(item) };
        }
    }
}

/// A boxed value behind an atomic pointer, for the subjects that bring no
/// pointer type of their own.
#[derive(Debug)]
pub(crate) struct BoxedValue(AtomicPtr<u64>);

impl BoxedValue {
    pub(crate) fn new(value: u64) -> Self {
        Self(AtomicPtr::new(Box::into_raw(Box::new(value))))
    }

    /// The pointer.
    #[inline(always)]
    pub(crate) fn pointer(&self) -> &AtomicPtr<u64> {
        &self.0
    }
}

impl Drop for BoxedValue {
    fn drop(&mut self) {
        // SAFETY: made from a box in `new`, never replaced, and no reader can
        // borrow us any more.
        drop(unsafe { Box::from_raw(*self.0.get_mut()) });
    }
}

/// Moves an item to the heap.
#[inline(always)]
pub(crate) fn boxed<T>(item: T) -> NonNull<T> {
    // `Box::into_raw` is never null.
    NonNull::from(Box::leak(Box::new(item)))
}

/// Calls `read` so many times.
#[inline(always)]
pub(crate) fn repeat(rounds: u64, mut read: impl FnMut() -> u64) -> u64 {
    let mut sum = 0_u64;
    for _ in 0..rounds {
        sum = sum.wrapping_add(read());
    }
    sum
}

#[cfg(test)]
pub(crate) mod testing {
    //! What every reclaiming subject must pass.

    use std::sync::atomic::AtomicU64;

    use super::*;

    /// Counts itself.
    struct Counted(&'static AtomicU64);

    impl Counted {
        fn new(live: &'static AtomicU64) -> Self {
            live.fetch_add(1, Ordering::Relaxed);
            Self(live)
        }
    }

    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Retires items on two threads and checks that all destructors have run
    /// when the subject has finished.
    pub(crate) fn frees_everything<R>()
    where
        R: Reclaim<CountedItem>,
    {
        let live: &'static AtomicU64 = Box::leak(Box::new(AtomicU64::new(0)));
        let subject = R::new(2);
        std::thread::scope(|scope| {
            let handles: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        let local = subject.local();
                        for _ in 0..1000 {
                            drop(local.enter());
                            let item = local.alloc(|| CountedItem(Counted::new(live)));
                            // SAFETY: never published.
                            unsafe { local.retire(item) };
                        }
                        let many: Vec<_> = (0..1000)
                            .map(|_| local.alloc(|| CountedItem(Counted::new(live))))
                            .collect();
                        // SAFETY: never published.
                        unsafe { local.retire_all(many.into_iter()) };
                    })
                })
                .collect();
            for handle in handles {
                handle.join().expect("no panic");
            }
        });
        subject.finish();
        assert_eq!(live.load(Ordering::Relaxed), 0, "{}", R::NAME);
    }

    /// An item whose destructor is seen.
    pub(crate) struct CountedItem(#[expect(dead_code)] Counted);
}
