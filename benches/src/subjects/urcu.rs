//! `liburcu`: RCU in user space, by M. Desnoyers and others; four flavours.
//!
//! `memb`, `mb` and `bp` have sections; `qsbr` has none, its threads announce
//! quiescent states instead: here one at the end of each operation, where the
//! others leave their section.
//!
//! Items are given up by `call_rcu`, the usual way, with the
//! library's one thread for callbacks. That thread is the bottleneck when items
//! are given up at full speed, and nothing in the library slows the others down;
//! so that a comparison does not take the machine, a thread whose subject holds
//! more than [`WAIT_BYTES`] waits. The figures then show a subject that waits.
//!
//! `urcu-memb-defer` takes the other way, `defer_rcu`: each thread works off its
//! own queue of 4,096, after a grace period that it waits for. That is faster and
//! smaller, and a reader that stays inside stops the writers.
//!
//! The library is C. A section of the suite `section` is one call of a function
//! with the section inlined; elsewhere entering and leaving are a call each.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use raw::{Bp, Defer, Flavour, Inside, Mb, Memb, Qsbr, Registered};

use super::{BoxedValue, Local, Reclaim, Section, Subject, WAIT_BYTES};

pub(crate) mod raw;

/// Items between two looks at what is held.
const LOOK: u64 = 128;
/// Time between two looks of a thread that waits.
const WAIT: Duration = Duration::from_millis(1);

/// RCU of one flavour.
#[derive(Debug)]
pub(crate) struct Urcu<F: Flavour> {
    /// Items given up in this run, and what had been freed before it.
    given_up: AtomicU64,
    freed_before: u64,
    _flavour: PhantomData<F>,
}

impl Subject for Urcu<Memb> {
    const NAME: &'static str = "urcu-memb";
    const ABOUT: &'static str = "liburcu: call_rcu; writers use membarrier";
}

impl Subject for Urcu<Defer> {
    const NAME: &'static str = "urcu-memb-defer";
    const ABOUT: &'static str = "liburcu: defer_rcu; writers use membarrier and wait for readers";
}

impl Subject for Urcu<Mb> {
    const NAME: &'static str = "urcu-mb";
    const ABOUT: &'static str = "liburcu: call_rcu; a fence at both ends of a section";
}

impl Subject for Urcu<Bp> {
    const NAME: &'static str = "urcu-bp";
    const ABOUT: &'static str = "liburcu: call_rcu; threads register themselves";
}

impl Subject for Urcu<Qsbr> {
    const NAME: &'static str = "urcu-qsbr";
    const ABOUT: &'static str = "liburcu: call_rcu; a quiescent state after each operation";
}

/// A reader of a shared pointer.
#[derive(Debug)]
pub(crate) struct Reader<'s, F: Flavour> {
    thread: Registered<F>,
    value: &'s BoxedValue,
}

impl<F: Flavour> Section for Urcu<F>
where
    Self: Subject,
{
    type Shared = BoxedValue;
    type Reader<'s> = Reader<'s, F>;
    // Sections nest; quiescent states do not, and this is one for all four.
    const NESTS: bool = false;
    const OWNED: bool = false;

    fn share(value: u64) -> BoxedValue {
        BoxedValue::new(value)
    }

    fn reader(shared: &BoxedValue) -> Reader<'_, F> {
        Reader {
            thread: Registered::here(),
            value: shared,
        }
    }

    #[inline(always)]
    fn read(reader: &mut Reader<'_, F>) -> u64 {
        // SAFETY: never null, never retired.
        unsafe { reader.thread.read(reader.value.pointer()) }
    }
}

impl<F: Flavour, T: Send + Sync + 'static> Reclaim<T> for Urcu<F>
where
    Self: Subject,
{
    type Local<'r> = UrcuLocal<'r, F>;

    fn new(_threads: usize) -> Self {
        Self {
            given_up: AtomicU64::new(0),
            freed_before: F::freed().load(Ordering::Relaxed),
            _flavour: PhantomData,
        }
    }

    fn local(&self) -> UrcuLocal<'_, F> {
        UrcuLocal {
            urcu: self,
            thread: Registered::here(),
            fresh: Cell::new(0),
        }
    }

    fn finish(self) {
        raw::barrier::<F>();
    }
}

/// A thread's part: its registration.
#[derive(Debug)]
pub(crate) struct UrcuLocal<'r, F: Flavour> {
    urcu: &'r Urcu<F>,
    thread: Registered<F>,
    /// Items given up since the last look.
    fresh: Cell<u64>,
}

impl<F: Flavour> UrcuLocal<'_, F> {
    #[cold]
    #[inline(never)]
    fn look(&self, item_bytes: usize) {
        let given_up = self
            .urcu
            .given_up
            .fetch_add(self.fresh.take(), Ordering::Relaxed);
        let held = || {
            let freed = F::freed().load(Ordering::Relaxed) - self.urcu.freed_before;
            given_up.saturating_sub(freed) as usize * item_bytes
        };
        while held() > WAIT_BYTES {
            self.thread.pause(|| thread::sleep(WAIT));
        }
    }
}

impl<F: Flavour, T: Send + Sync + 'static> Local<T> for UrcuLocal<'_, F> {
    type Guard<'l>
        = Inside<'l, F>
    where
        Self: 'l;
    const WAITS: bool = F::WAITS;

    #[inline(always)]
    fn enter(&self) -> Inside<'_, F> {
        self.thread.enter()
    }

    #[inline(always)]
    fn alloc(&self, make: impl FnOnce() -> T) -> NonNull<T> {
        raw::alloc(make())
    }

    #[inline(always)]
    unsafe fn retire(&self, item: NonNull<T>) {
        // SAFETY: the caller's promise: from `alloc`, once.
        unsafe { self.thread.retire(item) };
        self.fresh.set(self.fresh.get() + 1);
        if self.fresh.get() >= LOOK {
            self.look(size_of::<T>());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicPtr;

    use super::*;

    #[test]
    fn a_barrier_has_freed_everything() {
        super::super::testing::frees_everything::<Urcu<Memb>>();
        super::super::testing::frees_everything::<Urcu<Defer>>();
        super::super::testing::frees_everything::<Urcu<Mb>>();
        super::super::testing::frees_everything::<Urcu<Bp>>();
        super::super::testing::frees_everything::<Urcu<Qsbr>>();
    }

    /// What a reader has loaded is there until it leaves, and not for ever.
    fn holds_back<F: Flavour>()
    where
        Urcu<F>: Subject,
    {
        let urcu = <Urcu<F> as Reclaim<Arc<()>>>::new(2);
        let seen = Arc::new(());
        let (entered, left) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
        let source = AtomicPtr::new(raw::alloc(Arc::clone(&seen)).as_ptr());
        thread::scope(|scope| {
            let (entered, left, source, urcu, seen) = (&entered, &left, &source, &urcu, &seen);
            scope.spawn(move || {
                let local = Reclaim::<Arc<()>>::local(urcu);
                let mut guard = Local::<Arc<()>>::enter(&local);
                let item = <UrcuLocal<'_, F> as Local<Arc<()>>>::load(&mut guard, source);
                entered.wait();
                thread::sleep(Duration::from_millis(30));
                // SAFETY: loaded in this section.
                let count = Arc::strong_count(unsafe { &*item });
                assert_eq!(count, 2, "freed under its reader");
                drop(guard);
                drop(local);
                left.wait();
            });
            entered.wait();
            {
                let local = Reclaim::<Arc<()>>::local(urcu);
                let item = source.swap(std::ptr::null_mut(), Ordering::AcqRel);
                let item = NonNull::new(item).expect("stored above");
                // SAFETY: from `alloc`, unlinked just now, once.
                unsafe { Local::retire(&local, item) };
            }
            left.wait();
            raw::barrier::<F>();
            assert_eq!(Arc::strong_count(seen), 1);
        });
    }

    #[test]
    fn a_reader_inside_holds_what_it_has_loaded() {
        holds_back::<Memb>();
        holds_back::<Defer>();
        holds_back::<Mb>();
        holds_back::<Bp>();
        holds_back::<Qsbr>();
    }

    #[test]
    fn a_thread_may_come_again_after_all_was_waited_for() {
        let urcu = <Urcu<Defer> as Reclaim<u64>>::new(1);
        for value in 0..3 {
            let local = Reclaim::<u64>::local(&urcu);
            // SAFETY: made just now and never published.
            unsafe { Local::retire(&local, raw::alloc(value)) };
            raw::barrier::<Defer>();
        }
    }

    #[test]
    fn a_thread_may_have_several_parts() {
        let urcu = <Urcu<Qsbr> as Reclaim<u64>>::new(1);
        let one = Reclaim::<u64>::local(&urcu);
        let two = Reclaim::<u64>::local(&urcu);
        drop(one);
        drop(Local::<u64>::enter(&two));
        assert_eq!(Qsbr::registrations().with(Cell::get), 1);
        drop(two);
        assert_eq!(Qsbr::registrations().with(Cell::get), 0);
    }
}
