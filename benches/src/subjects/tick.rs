//! A tick-driven epoch, as FreeBSD's `epoch(9)` was used before sequences.
//!
//! # How
//!
//! A clock thread ticks a hundred times a second. At a tick the global epoch
//! goes one up, if every active reader has seen its present value. A retired
//! item is tagged with the epoch and freed to malloc when two steps have passed
//! since, by the thread that retired it, at its next retirement or its end.
//!
//! This is a small model of the scheme for comparison, not a port: the kernel
//! frees from a task on each processor, and can preempt and expedite.
//!
//! A thread whose lists hold more than its share of [`WAIT_BYTES`] waits for
//! the tick, so that a comparison does not take the machine; the figures then
//! show a subject that waits.
//!
//! # Orderings
//!
//! Enter: the slot's store, then a full fence, then the reader's loads. Retire:
//! the unlink, a full fence, then the load of the epoch that becomes the tag.
//! If a reader got the item, its fence came before the retirer's; then its slot
//! shows an epoch no later than the tag, which holds the clock within one step
//! of it. Exit: Release, pairs with the Acquire of the tick.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::mem;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_utils::CachePadded;

use super::{BoxedValue, HARNESS, Local, Reclaim, Section, Subject, WAIT_BYTES, boxed};

/// Time between two ticks: 100 Hz.
const TICK: Duration = Duration::from_millis(10);
/// A slot of a thread that is in no section; epochs start above.
const OUTSIDE: u64 = 0;

/// A tick-driven epoch.
#[derive(Debug)]
pub(crate) struct Tick {
    clock: Arc<Clock>,
    limit_bytes: usize,
    ticker: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Clock {
    epoch: CachePadded<AtomicU64>,
    slots: Box<[CachePadded<AtomicU64>]>,
    used: AtomicUsize,
    stop: AtomicBool,
}

impl Clock {
    fn tick(&self) {
        let epoch = self.epoch.load(Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let seen = |slot: &CachePadded<AtomicU64>| {
            // Acquire: pairs with the Release of an exit.
            let entered = slot.load(Ordering::Acquire);
            entered == OUTSIDE || entered == epoch
        };
        if self.slots.iter().all(seen) {
            // Release: who sees the new epoch comes after the exits seen here.
            self.epoch.store(epoch + 1, Ordering::Release);
        }
    }
}

/// Items that were retired in one epoch.
#[derive(Debug)]
struct Batch<T> {
    epoch: u64,
    items: Vec<NonNull<T>>,
}

impl<T> Batch<T> {
    fn free(&mut self) {
        for item in self.items.drain(..) {
            // SAFETY: boxed in `alloc`, retired once; its epoch has passed, or
            // no thread works any more.
            drop(unsafe { Box::from_raw(item.as_ptr()) });
        }
    }
}

/// A thread's slot and its lists.
#[derive(Debug)]
pub(crate) struct TickLocal<'r, T> {
    tick: &'r Tick,
    slot: &'r AtomicU64,
    lists: RefCell<Lists<T>>,
}

#[derive(Debug)]
struct Lists<T> {
    open: Batch<T>,
    closed: VecDeque<Batch<T>>,
    held: usize,
}

/// Shows that the thread is inside; leaves when dropped.
#[derive(Debug)]
pub(crate) struct Inside<'l>(&'l AtomicU64);

impl Drop for Inside<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.store(OUTSIDE, Ordering::Release);
    }
}

impl Subject for Tick {
    const NAME: &'static str = "tick-epoch";
    const ABOUT: &'static str = "an epoch that a 100 Hz clock advances, freed two steps later";
}

/// The pointer and the clock that its readers hold back.
#[derive(Debug)]
pub(crate) struct TickCell {
    tick: Tick,
    value: BoxedValue,
}

/// A reader and its slot.
#[derive(Debug)]
pub(crate) struct Reader<'s> {
    local: TickLocal<'s, u64>,
    value: &'s BoxedValue,
}

impl Section for Tick {
    type Shared = TickCell;
    type Reader<'s> = Reader<'s>;
    const NESTS: bool = false;
    const OWNED: bool = false;

    fn share(value: u64) -> TickCell {
        TickCell {
            // The suite tells no number: as many as its largest.
            tick: <Tick as Reclaim<u64>>::new(512),
            value: BoxedValue::new(value),
        }
    }

    fn reader(shared: &TickCell) -> Reader<'_> {
        Reader {
            local: shared.tick.local(),
            value: &shared.value,
        }
    }

    #[inline(always)]
    fn read(reader: &mut Reader<'_>) -> u64 {
        let inside = reader.local.enter();
        let value = reader.value.pointer().load(Ordering::Acquire);
        // SAFETY: never null, never retired.
        let value = unsafe { *value };
        drop(inside);
        value
    }
}

impl<T: Send + Sync + 'static> Reclaim<T> for Tick {
    type Local<'r> = TickLocal<'r, T>;

    fn new(threads: usize) -> Self {
        let slots = (0..threads + HARNESS).map(|_| CachePadded::new(AtomicU64::new(OUTSIDE)));
        let clock = Arc::new(Clock {
            epoch: CachePadded::new(AtomicU64::new(OUTSIDE + 1)),
            slots: slots.collect(),
            used: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        });
        let ticking = Arc::clone(&clock);
        let ticker = thread::spawn(move || {
            while !ticking.stop.load(Ordering::Relaxed) {
                thread::sleep(TICK);
                ticking.tick();
            }
        });
        Self {
            clock,
            limit_bytes: WAIT_BYTES / threads,
            ticker: Some(ticker),
        }
    }

    fn local(&self) -> TickLocal<'_, T> {
        let index = self.clock.used.fetch_add(1, Ordering::Relaxed);
        TickLocal {
            tick: self,
            slot: &self.clock.slots[index],
            lists: RefCell::new(Lists {
                open: Batch {
                    epoch: OUTSIDE,
                    items: Vec::new(),
                },
                closed: VecDeque::new(),
                held: 0,
            }),
        }
    }
}

impl Drop for Tick {
    fn drop(&mut self) {
        self.clock.stop.store(true, Ordering::Relaxed);
        if let Some(ticker) = self.ticker.take() {
            ticker.join().expect("the clock does not panic");
        }
    }
}

impl<T> TickLocal<'_, T> {
    /// The epoch now, after everything that this thread has unlinked.
    #[inline(always)]
    fn epoch_after_unlink(&self) -> u64 {
        fence(Ordering::SeqCst);
        // Acquire: pairs with the Release of the tick, so that the exits that it
        // saw come before what we free.
        self.tick.clock.epoch.load(Ordering::Acquire)
    }

    /// Closes the open list and frees those whose epoch has passed.
    #[cold]
    #[inline(never)]
    fn turn(&self, epoch: u64) {
        let mut lists = self.lists.borrow_mut();
        let lists = &mut *lists;
        let fresh = Batch {
            epoch,
            items: Vec::new(),
        };
        lists.closed.push_back(mem::replace(&mut lists.open, fresh));
        while let Some(mut batch) = lists.closed.pop_front_if(|batch| batch.epoch + 2 <= epoch) {
            lists.held -= batch.items.len();
            batch.free();
        }
    }

    #[inline(always)]
    fn put(&self, item: NonNull<T>) {
        let mut lists = self.lists.borrow_mut();
        lists.open.items.push(item);
        lists.held += 1;
    }

    /// Turns the lists if the epoch has moved, and waits if they hold too much.
    #[inline(always)]
    fn open(&self) {
        let epoch = self.epoch_after_unlink();
        if self.lists.borrow().open.epoch != epoch {
            self.turn(epoch);
        }
        if self.lists.borrow().held * mem::size_of::<T>() > self.tick.limit_bytes {
            self.wait();
        }
    }

    #[cold]
    #[inline(never)]
    fn wait(&self) {
        let before = self.lists.borrow().held;
        while self.lists.borrow().held >= before {
            thread::sleep(TICK / 4);
            let epoch = self.epoch_after_unlink();
            if self.lists.borrow().open.epoch != epoch {
                self.turn(epoch);
            }
        }
    }
}

impl<T: Send + Sync + 'static> Local<T> for TickLocal<'_, T> {
    type Guard<'l>
        = Inside<'l>
    where
        Self: 'l;

    #[inline(always)]
    fn enter(&self) -> Inside<'_> {
        let epoch = self.tick.clock.epoch.load(Ordering::Relaxed);
        if cfg!(target_arch = "x86_64") {
            // A locked exchange is a full barrier here, and cheaper than a
            // fence: what the epoch crates do as well.
            self.slot.swap(epoch, Ordering::SeqCst);
        } else {
            self.slot.store(epoch, Ordering::Relaxed);
            fence(Ordering::SeqCst);
        }
        Inside(self.slot)
    }

    #[inline(always)]
    fn alloc(&self, make: impl FnOnce() -> T) -> NonNull<T> {
        boxed(make())
    }

    #[inline(always)]
    unsafe fn retire(&self, item: NonNull<T>) {
        self.open();
        self.put(item);
    }

    #[inline(always)]
    unsafe fn retire_all(&self, items: impl Iterator<Item = NonNull<T>>) {
        // All were unlinked before: one tag serves them.
        self.open();
        for item in items {
            self.put(item);
        }
    }
}

impl<T> Drop for TickLocal<'_, T> {
    fn drop(&mut self) {
        // A reader may still be inside what is left: wait for the clock.
        while self.lists.borrow().held > 0 {
            let epoch = self.epoch_after_unlink();
            self.turn(epoch);
            if self.lists.borrow().held > 0 {
                thread::sleep(TICK / 4);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_up_is_freed_at_the_end() {
        super::super::testing::frees_everything::<Tick>();
    }

    #[test]
    fn a_reader_inside_holds_the_clock_within_one_step() {
        let tick = <Tick as Reclaim<u64>>::new(1);
        let local: TickLocal<'_, u64> = tick.local();
        let inside = local.enter();
        let entered = local.slot.load(Ordering::Relaxed);
        for _ in 0..5 {
            tick.clock.tick();
        }
        assert!(tick.clock.epoch.load(Ordering::Relaxed) <= entered + 1);
        drop(inside);
        tick.clock.tick();
        tick.clock.tick();
        assert!(tick.clock.epoch.load(Ordering::Relaxed) >= entered + 2);
    }
}
