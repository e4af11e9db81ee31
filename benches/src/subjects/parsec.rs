//! Parsec: Parallel Sections (Q. Wang, T. Stamler, G. Parmer, *Parallel
//! Sections: Scaling System-Level Data-Structures*, EuroSys 2016).
//!
//! There is no library to be had, so this is an implementation for the
//! comparison, after the paper.
//!
//! # How
//!
//! Time is the processor's time-stamp counter: no epoch, no line that anybody
//! must advance. A thread writes the time of its entry into its own line, and on
//! exit a later one beside it; it is inside as long as its exit is not after its
//! entry. A retired item is stamped with the time and put at the end of the
//! thread's queue, which is therefore in the order of time. When a batch of 128
//! has gathered, the thread looks at everybody's line once: items that are older
//! than every entry of those inside are freed, from the front of the queue. What
//! a look found is published as the thread's last known quiescence; others who
//! come by take the latest that they see, and look no further when it serves
//! for all they have.
//!
//! Left out:
//!
//! - Machines whose time-stamp counters differ between processors or change
//!   their pace: the paper supposes them equal, and so does this. It is used on
//!   x86-64 where the system keeps its own time by it; elsewhere a monotonic
//!   clock takes its place, which is right and slower.
//! - The paper's slabs and their lists for other processors: items are malloc's,
//!   so that only the reclamation is compared.
//! - Blocking until quiescence. A thread that cannot free lets its queue grow,
//!   and looks again a batch later.
//! - Threads bound to processors: a line is a thread's, not a processor's.
//!
//! # Orderings
//!
//! Enter: the store of the time, then a full barrier, then the reader's loads.
//! Look: the unlink and its stamp, a full fence, then the loads of the lines. If
//! the look misses the entry, the reader sees the unlink. If it sees the entry,
//! then a reader that found the item read its clock before it loaded, hence
//! before the unlink and the stamp: its entry is not after the stamp. The time
//! that a look publishes is read before it: items of others with earlier stamps
//! were unlinked before the look, and readers that it misses load after it.
//! Exit: Release, pairs with the Acquire of the look. The line is read entry
//! first: an exit after that entry, whichever it was, ended that section.
//! Last known quiescence: Release and Acquire, so that who takes it comes after
//! the exits that it stands for.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};
use std::thread;
use std::time::Instant;

use crossbeam_utils::CachePadded;

use super::{BoxedValue, HARNESS, Local, Reclaim, Section, Subject, boxed};

/// Items that are retired between two looks at the others.
const BATCH: usize = 128;

/// Parallel sections.
#[derive(Debug)]
pub(crate) struct Parsec {
    lines: Box<[CachePadded<Line>]>,
    used: AtomicUsize,
    clock: Clock,
}

/// When a thread has entered and left.
#[derive(Debug, Default)]
struct Line {
    entered: AtomicU64,
    left: AtomicU64,
    /// What was unlinked before this is in nobody's hands.
    quiescent: AtomicU64,
}

/// Where the time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    /// The time-stamp counter.
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "not here"))]
    Counter,
    /// Nanoseconds of the system's monotonic clock.
    System,
}

impl Clock {
    /// The counter, where the system itself trusts it.
    fn choose() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let path = "/sys/devices/system/clocksource/clocksource0/available_clocksource";
            // The system drops it from this list when the processors disagree.
            let sources = std::fs::read_to_string(path).unwrap_or_default();
            if sources.split_whitespace().any(|source| source == "tsc") {
                return Clock::Counter;
            }
        }
        Clock::System
    }

    /// The time. What comes before in the program has been loaded before; what
    /// it has stored may still be on its way.
    #[inline(always)]
    fn now(self) -> u64 {
        match self {
            #[cfg(target_arch = "x86_64")]
            Clock::Counter => {
                let mut processor = 0;
                // SAFETY: every x86-64 processor with an invariant counter has
                // the instruction.
                unsafe { std::arch::x86_64::__rdtscp(&mut processor) }
            }
            #[cfg(not(target_arch = "x86_64"))]
            Clock::Counter => unreachable!("never chosen"),
            Clock::System => {
                static BEGIN: OnceLock<Instant> = OnceLock::new();
                BEGIN.get_or_init(Instant::now).elapsed().as_nanos() as u64
            }
        }
    }

    /// The time; nothing that follows in the program is begun before.
    #[inline(always)]
    fn now_and_then(self) -> u64 {
        let now = self.now();
        #[cfg(target_arch = "x86_64")]
        // SAFETY: every x86-64 processor has the instruction.
        unsafe {
            std::arch::x86_64::_mm_lfence();
        }
        now
    }
}

impl Line {
    /// Enters and shows it to everybody.
    #[inline(always)]
    fn enter(&self, clock: Clock) {
        let left = self.left.load(Ordering::Relaxed);
        let mut now = clock.now();
        // An entry is after the last exit, or it would look like one that has
        // ended. A coarse clock needs a moment for it.
        while now <= left {
            std::hint::spin_loop();
            now = clock.now();
        }
        if cfg!(target_arch = "x86_64") {
            // A locked exchange is a full barrier here, and cheaper than a fence.
            self.entered.swap(now, Ordering::SeqCst);
        } else {
            self.entered.store(now, Ordering::Relaxed);
            fence(Ordering::SeqCst);
        }
    }

    #[inline(always)]
    fn leave(&self) {
        let entered = self.entered.load(Ordering::Relaxed);
        self.left.store(entered + 1, Ordering::Release);
    }

    /// When the thread entered the section that it is in.
    fn inside_since(&self) -> Option<u64> {
        let entered = self.entered.load(Ordering::Acquire);
        (self.left.load(Ordering::Acquire) <= entered).then_some(entered)
    }
}

impl Parsec {
    fn with_clock(threads: usize, clock: Clock) -> Self {
        let line = || {
            CachePadded::new(Line {
                // Left after it was entered: outside.
                left: AtomicU64::new(1),
                ..Line::default()
            })
        };
        Self {
            lines: (0..threads + HARNESS).map(|_| line()).collect(),
            used: AtomicUsize::new(0),
            clock,
        }
    }

    fn register(&self) -> &Line {
        &self.lines[self.used.fetch_add(1, Ordering::Relaxed)]
    }

    /// A time of which it holds: what was unlinked before it is in nobody's
    /// hands. At least `enough`, or the latest there is.
    fn quiescent_before(&self, own: &Line, enough: u64) -> u64 {
        // Before the lines are read: an entry that this look misses is one whose
        // reader loads later than now.
        let mut found = self.clock.now_and_then();
        fence(Ordering::SeqCst);
        // A line that is missed here is as good as an entry that is missed.
        for line in &self.lines[..self.used.load(Ordering::Relaxed)] {
            let known = line.quiescent.load(Ordering::Acquire);
            if known >= enough {
                return known;
            }
            if let Some(since) = line.inside_since() {
                found = found.min(since);
            }
        }
        own.quiescent.store(found, Ordering::Release);
        found
    }
}

impl Subject for Parsec {
    const NAME: &'static str = "parsec";
    const ABOUT: &'static str =
        "parallel sections: times of entry and exit, freed by comparing them";
}

/// The pointer and the times of its readers.
#[derive(Debug)]
pub(crate) struct ParsecCell {
    parsec: Parsec,
    value: BoxedValue,
}

/// A reader and its line.
#[derive(Debug)]
pub(crate) struct Reader<'s> {
    line: &'s Line,
    clock: Clock,
    value: &'s BoxedValue,
}

impl Section for Parsec {
    type Shared = ParsecCell;
    type Reader<'s> = Reader<'s>;
    const NESTS: bool = false;
    const OWNED: bool = false;

    fn share(value: u64) -> ParsecCell {
        let threads = thread::available_parallelism().map_or(1, Into::into);
        ParsecCell {
            // The suite tells no number: as many as its largest.
            parsec: Parsec::with_clock(threads.max(1) * 512, Clock::choose()),
            value: BoxedValue::new(value),
        }
    }

    fn reader(shared: &ParsecCell) -> Reader<'_> {
        Reader {
            line: shared.parsec.register(),
            clock: shared.parsec.clock,
            value: &shared.value,
        }
    }

    #[inline(always)]
    fn read(reader: &mut Reader<'_>) -> u64 {
        reader.line.enter(reader.clock);
        let value = reader.value.pointer().load(Ordering::Acquire);
        // SAFETY: never null, never retired.
        let value = unsafe { *value };
        reader.line.leave();
        value
    }
}

impl<T: Send + Sync + 'static> Reclaim<T> for Parsec {
    type Local<'r> = ParsecLocal<'r, T>;

    fn new(threads: usize) -> Self {
        Self::with_clock(threads, Clock::choose())
    }

    fn local(&self) -> ParsecLocal<'_, T> {
        ParsecLocal {
            parsec: self,
            line: self.register(),
            queue: RefCell::new(Queue {
                items: VecDeque::new(),
                fresh: 0,
            }),
        }
    }
}

/// A thread's line and its queue.
#[derive(Debug)]
pub(crate) struct ParsecLocal<'r, T> {
    parsec: &'r Parsec,
    line: &'r Line,
    queue: RefCell<Queue<T>>,
}

/// What waits for quiescence, with the times of its retirement.
#[derive(Debug)]
struct Queue<T> {
    items: VecDeque<(u64, NonNull<T>)>,
    /// Items since the last look.
    fresh: usize,
}

impl<T> ParsecLocal<'_, T> {
    /// The time, after everything that this thread has unlinked.
    #[inline(always)]
    fn stamp(&self) -> u64 {
        fence(Ordering::SeqCst);
        self.parsec.clock.now()
    }

    #[inline(always)]
    fn put(&self, stamp: u64, item: NonNull<T>) {
        let mut queue = self.queue.borrow_mut();
        queue.items.push_back((stamp, item));
        queue.fresh += 1;
        let full = queue.fresh >= BATCH;
        drop(queue);
        if full {
            self.look();
        }
    }

    /// Looks at everybody and frees what nobody can hold.
    #[cold]
    #[inline(never)]
    fn look(&self) {
        let mut queue = self.queue.borrow_mut();
        queue.fresh = 0;
        let Some(&(latest, _)) = queue.items.back() else {
            return;
        };
        let quiescent = self.parsec.quiescent_before(self.line, latest + 1);
        while let Some((_, item)) = queue.items.pop_front_if(|(stamp, _)| *stamp < quiescent) {
            // SAFETY: boxed in `alloc`, retired once. Every reader that entered
            // at its time or before has left.
            drop(unsafe { Box::from_raw(item.as_ptr()) });
        }
    }
}

/// Shows that the thread is inside; leaves when dropped.
#[derive(Debug)]
pub(crate) struct Inside<'l>(&'l Line);

impl Drop for Inside<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl<T: Send + Sync + 'static> Local<T> for ParsecLocal<'_, T> {
    type Guard<'l>
        = Inside<'l>
    where
        Self: 'l;

    #[inline(always)]
    fn enter(&self) -> Inside<'_> {
        self.line.enter(self.parsec.clock);
        Inside(self.line)
    }

    #[inline(always)]
    fn alloc(&self, make: impl FnOnce() -> T) -> NonNull<T> {
        boxed(make())
    }

    #[inline(always)]
    unsafe fn retire(&self, item: NonNull<T>) {
        self.put(self.stamp(), item);
    }

    #[inline(always)]
    unsafe fn retire_all(&self, items: impl Iterator<Item = NonNull<T>>) {
        // All were unlinked before: one time serves them.
        let stamp = self.stamp();
        for item in items {
            self.put(stamp, item);
        }
    }
}

impl<T> Drop for ParsecLocal<'_, T> {
    fn drop(&mut self) {
        // A reader may still be inside what is left: wait for it.
        while !self.queue.borrow().items.is_empty() {
            self.look();
            if !self.queue.borrow().items.is_empty() {
                thread::yield_now();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Checks with both clocks where there are two.
    fn with_each_clock(check: impl Fn(Clock)) {
        check(Clock::System);
        if Clock::choose() == Clock::Counter {
            check(Clock::Counter);
        }
    }

    fn held<T: Send + Sync + 'static>(local: &ParsecLocal<'_, T>) -> usize {
        local.queue.borrow().items.len()
    }

    /// Retires so many items whose ends are seen in the count of the `Arc`.
    fn retire(local: &ParsecLocal<'_, Arc<()>>, count: usize, seen: &Arc<()>) {
        for _ in 0..count {
            let item = local.alloc(|| Arc::clone(seen));
            // SAFETY: never published.
            unsafe { local.retire(item) };
        }
    }

    #[test]
    fn what_is_given_up_is_freed_at_the_end() {
        super::super::testing::frees_everything::<Parsec>();
    }

    #[test]
    fn a_batch_is_freed_when_nobody_is_inside() {
        with_each_clock(|clock| {
            let parsec = Parsec::with_clock(2, clock);
            let (writer, _idle): (ParsecLocal<'_, Arc<()>>, ParsecLocal<'_, Arc<()>>) =
                (parsec.local(), parsec.local());
            let seen = Arc::new(());
            retire(&writer, BATCH - 1, &seen);
            assert_eq!(Arc::strong_count(&seen), BATCH, "no look before a batch");
            // The clock must have moved since the last stamp, whatever its grain.
            thread::sleep(std::time::Duration::from_micros(10));
            retire(&writer, 1, &seen);
            assert!(held(&writer) <= 1, "{clock:?}: {}", held(&writer));
            assert_eq!(Arc::strong_count(&seen), 1 + held(&writer));
        });
    }

    #[test]
    fn a_reader_inside_holds_what_is_retired_after_it_and_nothing_before() {
        with_each_clock(|clock| {
            let parsec = Parsec::with_clock(2, clock);
            let (writer, reader): (ParsecLocal<'_, Arc<()>>, ParsecLocal<'_, Arc<()>>) =
                (parsec.local(), parsec.local());
            let (before, after) = (Arc::new(()), Arc::new(()));
            retire(&writer, BATCH / 2, &before);
            thread::sleep(std::time::Duration::from_micros(10));
            let inside = reader.enter();
            retire(&writer, 3 * BATCH, &after);
            assert_eq!(Arc::strong_count(&before), 1, "{clock:?}");
            assert_eq!(Arc::strong_count(&after), 1 + 3 * BATCH, "{clock:?}");
            drop(inside);
            // Entered later: it cannot hold them.
            thread::sleep(std::time::Duration::from_micros(10));
            let again = reader.enter();
            writer.look();
            assert_eq!(Arc::strong_count(&after), 1, "{clock:?}");
            drop(again);
        });
    }

    #[test]
    fn the_own_section_holds_the_own_items() {
        with_each_clock(|clock| {
            let parsec = Parsec::with_clock(1, clock);
            let local: ParsecLocal<'_, Arc<()>> = parsec.local();
            let seen = Arc::new(());
            let inside = local.enter();
            retire(&local, 2 * BATCH, &seen);
            assert_eq!(Arc::strong_count(&seen), 1 + 2 * BATCH, "{clock:?}");
            drop(inside);
            local.look();
            assert!(held(&local) <= 1);
        });
    }

    #[test]
    fn the_quiescence_that_another_found_is_taken() {
        let parsec = Parsec::with_clock(2, Clock::System);
        let (one, two): (ParsecLocal<'_, Arc<()>>, ParsecLocal<'_, Arc<()>>) =
            (parsec.local(), parsec.local());
        two.line.quiescent.store(1_000, Ordering::Relaxed);
        assert_eq!(parsec.quiescent_before(one.line, 1_000), 1_000);
        assert!(parsec.quiescent_before(one.line, u64::MAX) > 1_000);
    }

    #[test]
    fn an_entry_is_after_the_exit_before_it() {
        with_each_clock(|clock| {
            let parsec = Parsec::with_clock(1, clock);
            let line = parsec.register();
            for _ in 0..10_000 {
                assert_eq!(line.inside_since(), None);
                line.enter(clock);
                assert!(line.inside_since().is_some(), "{clock:?}");
                line.leave();
            }
        });
    }

    #[test]
    fn readers_never_see_an_item_that_was_freed() {
        use std::sync::atomic::{AtomicBool, AtomicPtr};
        /// Shows its end in its first word.
        struct Marked(AtomicU64);
        const ALIVE: u64 = 0x0a11_0ca7_ed00;
        impl Drop for Marked {
            fn drop(&mut self) {
                self.0.store(0, Ordering::Relaxed);
            }
        }
        with_each_clock(|clock| {
            let parsec = Parsec::with_clock(3, clock);
            let source = AtomicPtr::new(std::ptr::null_mut());
            let stop = AtomicBool::new(false);
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        let local: ParsecLocal<'_, Marked> = parsec.local();
                        while !stop.load(Ordering::Relaxed) {
                            let mut inside = local.enter();
                            let item = <ParsecLocal<'_, Marked> as Local<Marked>>::load(
                                &mut inside,
                                &source,
                            );
                            if let Some(item) = NonNull::new(item) {
                                for _ in 0..20 {
                                    // SAFETY: loaded in this section.
                                    let word = unsafe { item.as_ref() }.0.load(Ordering::Relaxed);
                                    assert_eq!(word, ALIVE, "{clock:?}");
                                }
                            }
                        }
                    });
                }
                let local: ParsecLocal<'_, Marked> = parsec.local();
                for _ in 0..200_000 {
                    let fresh = local.alloc(|| Marked(AtomicU64::new(ALIVE)));
                    let old = source.swap(fresh.as_ptr(), Ordering::AcqRel);
                    if let Some(old) = NonNull::new(old) {
                        // SAFETY: we took it out.
                        unsafe { local.retire(old) };
                    }
                }
                stop.store(true, Ordering::Relaxed);
                let last = source.swap(std::ptr::null_mut(), Ordering::AcqRel);
                if let Some(last) = NonNull::new(last) {
                    // SAFETY: as above.
                    unsafe { local.retire(last) };
                }
            });
        });
    }
}
