//! `SmrCell`: one shared value.

#![allow(
    clippy::disallowed_types,
    reason = "the tests count with the atomics of std, outside of what is tested"
)]

use smr_core::cell::CompareExchangeError;
use smr_core::{Domain, SmrCell, pin, unprotected};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

/// Counts how many of its [`Counted`] were made and how many were dropped.
#[derive(Clone, Default)]
struct Tally(Arc<[AtomicUsize; 2]>);

impl Tally {
    fn value(&self, id: u64) -> Counted {
        self.0[0].fetch_add(1, SeqCst);
        Counted {
            id,
            tally: self.clone(),
        }
    }

    fn made(&self) -> usize {
        self.0[0].load(SeqCst)
    }

    fn dropped(&self) -> usize {
        self.0[1].load(SeqCst)
    }

    /// Waits until exactly `alive` values are left.
    fn settle_at(&self, alive: usize) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.made() - self.dropped() > alive {
            let left = self.made() - self.dropped();
            assert!(Instant::now() < deadline, "{left} alive, not {alive}");
            pin().flush();
            thread::yield_now();
        }
        assert_eq!(self.made(), self.dropped() + alive, "one was dropped twice");
    }
}

struct Counted {
    id: u64,
    tally: Tally,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.tally.0[1].fetch_add(1, SeqCst);
    }
}

/// Runs `body(0)` .. `body(threads - 1)`, each on its own thread, at once.
fn on_threads(threads: usize, body: impl Fn(usize) + Sync) {
    let barrier = Barrier::new(threads);
    let (body, barrier) = (&body, &barrier);
    thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                barrier.wait();
                body(thread);
            });
        }
    });
}

#[test]
fn cell_is_shared_and_sent_as_its_value_is() {
    /// Tells whether a type has an auto trait, without failing to compile.
    macro_rules! has {
        ($ty:ty: $trait:ident) => {{
            #[allow(dead_code, reason = "shadowed where the bound holds")]
            trait Otherwise {
                const HAS: bool = false;
            }
            impl<T: ?Sized> Otherwise for T {}
            struct Probe<T: ?Sized>(std::marker::PhantomData<T>);
            #[allow(dead_code, reason = "not looked at where the bound fails")]
            impl<T: ?Sized + $trait> Probe<T> {
                const HAS: bool = true;
            }
            <Probe<$ty>>::HAS
        }};
    }
    type Unsync = Cell<u32>; // Send, not Sync
    type Unsend = std::sync::MutexGuard<'static, u32>; // Sync, not Send
    assert!(has!(SmrCell<u32>: Send) && has!(SmrCell<u32>: Sync));
    assert!(has!(SmrCell<Unsync>: Send) && !has!(SmrCell<Unsync>: Sync));
    assert!(!has!(SmrCell<Unsend>: Send) && !has!(SmrCell<Unsend>: Sync));
    assert_eq!(size_of::<Option<&SmrCell<u32>>>(), size_of::<usize>());
}

#[test]
fn load_sees_the_last_store() {
    let cell = SmrCell::new(1);
    let guard = pin();
    assert_eq!(*cell.load(&guard), 1);
    cell.store(2);
    assert_eq!(*cell.load(&guard), 2);
    assert_eq!(cell.load_cloned(), 2);
    assert_eq!(*cell.swap(3, &guard), 2);
    assert_eq!(*cell.load(&guard), 3);
}

#[test]
fn cell_is_made_from_a_value_or_a_box() {
    let boxed = Box::new(7);
    let address: *const i32 = &*boxed;
    let cell = SmrCell::from_box(boxed);
    assert!(std::ptr::eq(cell.load(&pin()), address));
    assert_eq!(SmrCell::<Vec<u8>>::default().into_inner(), []);
    assert_eq!(SmrCell::from("a").into_inner(), "a");
    assert_eq!(format!("{:?}", SmrCell::new(Some(1))), "SmrCell(Some(1))");
}

#[test]
fn borrowed_values_may_be_read() {
    let text = String::from("not static");
    let cell = SmrCell::new(text.as_str());
    assert_eq!(*cell.load(&pin()), "not static");
    let cell = SmrCell::new(std::rc::Rc::new(1)); // nor `Send`
    assert_eq!(*cell.load_cloned(), 1);
}

#[test]
fn old_value_stays_readable_for_the_guard() {
    let tally = Tally::default();
    let cell = SmrCell::new(tally.value(1));
    let guard = pin();
    let one = cell.load(&guard);
    assert!(std::ptr::eq(one, cell.swap(tally.value(2), &guard)));
    thread::scope(|s| {
        s.spawn(|| (3..100).for_each(|id| cell.store(tally.value(id))));
    });
    pin().flush();
    assert_eq!((one.id, cell.load(&guard).id), (1, 99));
    assert_eq!(tally.dropped(), 0, "our guard is older than all of them");
    drop(guard);
    tally.settle_at(1);
    drop(cell);
    assert_eq!(tally.dropped(), tally.made());
}

#[test]
fn exchange_compares_by_address() {
    let cell = SmrCell::new(1);
    let guard = pin();
    let one = cell.load(&guard);
    let equal = 1;
    let refused = cell.compare_exchange(&equal, 2, &guard).unwrap_err();
    assert!(std::ptr::eq(refused.current, one));
    assert_eq!(refused.new, 2);
    let two = cell.compare_exchange(one, 2, &guard).unwrap();
    assert!(std::ptr::eq(two, cell.load(&guard)));
    assert_eq!((*one, *two), (1, 2));
}

#[test]
fn exchange_error_gives_the_value_back_and_is_shown() {
    let tally = Tally::default();
    let cell = SmrCell::new(tally.value(1));
    let guard = pin();
    let stranger = tally.value(0);
    let lost = cell.compare_exchange(&stranger, tally.value(2), &guard);
    let CompareExchangeError { current, new } = lost.err().unwrap();
    assert_eq!((current.id, new.id, tally.dropped()), (1, 2, 0));
    drop((new, stranger));
    assert_eq!(tally.dropped(), 2);

    let e = CompareExchangeError {
        current: &1,
        new: 2,
    };
    assert_eq!(
        format!("{e:?}"),
        "CompareExchangeError { current: 1, new: 2 }"
    );
    assert_eq!(e.to_string(), "the cell held another value");
}

#[test]
fn exchange_is_won_by_one_of_many() {
    let cell = SmrCell::new(0);
    let wins = AtomicUsize::new(0);
    for round in 1..=200 {
        on_threads(3, |_| {
            let guard = pin();
            let current = cell.load(&guard);
            if *current == round - 1 && cell.compare_exchange(current, round, &guard).is_ok() {
                wins.fetch_add(1, Relaxed);
            }
        });
        assert_eq!(wins.load(Relaxed), round);
    }
}

#[test]
fn update_loses_no_change() {
    const THREADS: usize = 4;
    const EACH: u64 = 5_000;
    let tally = Tally::default();
    let cell = SmrCell::new(tally.value(0));
    on_threads(THREADS, |_| {
        let mut last = 0;
        for _ in 0..EACH {
            let guard = pin();
            let now = cell.update(&guard, |n| tally.value(n.id + 1));
            assert!(now.id > last, "our own change was lost");
            last = now.id;
        }
    });
    assert_eq!(cell.load(&pin()).id, THREADS as u64 * EACH);
    tally.settle_at(1);
    drop(cell);
    assert_eq!(tally.dropped(), tally.made());
}

#[test]
fn update_runs_again_on_what_came_between() {
    let cell = SmrCell::new(1);
    let guard = pin();
    let mut seen = Vec::new();
    let now = cell.update(&guard, |&n| {
        seen.push(n);
        if seen.len() < 3 {
            cell.store(n * 10); // somebody else, as it were
        }
        n + 1
    });
    assert_eq!((*now, seen), (101, vec![1, 10, 100]));
}

#[test]
fn try_update_leaves_the_cell_alone_when_refused() {
    let cell = SmrCell::new(2u32);
    let guard = pin();
    let one = cell.try_update(&guard, |n| n.checked_sub(1));
    assert_eq!(one, Ok(&1));
    let address: *const u32 = cell.load(&guard);
    let refused = cell.try_update(&guard, |n| n.checked_sub(2));
    assert_eq!(refused, Err(&1));
    assert!(std::ptr::eq(refused.unwrap_err(), address));
}

#[test]
fn panic_in_update_leaves_the_cell_as_it_was() {
    let tally = Tally::default();
    let cell = SmrCell::new(tally.value(1));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        cell.update(&pin(), |_| panic!("no"));
    }));
    assert!(panicked.is_err());
    assert_eq!(cell.load(&pin()).id, 1);

    // Again, in the second turn, when a value has been made and thrown back.
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut turn = 0;
        cell.update(&pin(), |old| {
            turn += 1;
            assert!(turn < 2, "no");
            cell.store(tally.value(2));
            tally.value(old.id + 10)
        });
    }));
    assert!(panicked.is_err());
    assert_eq!(cell.load(&pin()).id, 2);
    tally.settle_at(1);
    drop(cell);
    assert_eq!(tally.dropped(), tally.made());
}

#[test]
fn every_old_value_is_dropped_once() {
    const WRITERS: usize = 3;
    const EACH: u64 = 2_000;
    let tally = Tally::default();
    let cell = SmrCell::new(tally.value(0));
    let done = AtomicBool::new(false);
    thread::scope(|s| {
        s.spawn(|| {
            while !done.load(Relaxed) {
                let guard = pin();
                let now = cell.load(&guard);
                assert!(now.id <= EACH && Arc::strong_count(&now.tally.0) > 1);
            }
        });
        on_threads(WRITERS, |thread| {
            for id in 1..=EACH {
                match thread {
                    0 => cell.store(tally.value(id)),
                    1 => _ = cell.swap(tally.value(id), &pin()).id,
                    _ => {
                        let guard = pin();
                        let current = cell.load(&guard);
                        let _ = cell.compare_exchange(current, tally.value(id), &guard);
                    }
                }
            }
        });
        done.store(true, Relaxed);
    });
    tally.settle_at(1);
    drop(cell);
    assert_eq!(tally.dropped(), tally.made());
}

#[test]
fn owner_has_the_value_to_itself() {
    let tally = Tally::default();
    let mut cell = SmrCell::new(tally.value(1));
    cell.get_mut().id = 2;
    assert_eq!(cell.load(&pin()).id, 2);
    *cell.get_mut() = tally.value(3);
    assert_eq!(tally.dropped(), 1, "replaced by the owner: at once");
    let value = cell.into_inner();
    assert_eq!((value.id, tally.dropped()), (3, 1));
    drop(value);
    assert_eq!(tally.dropped(), 2);
    drop(SmrCell::new(tally.value(4)));
    assert_eq!(tally.dropped(), 3, "dropped with its cell: at once");
}

#[test]
fn values_without_size_are_held_and_dropped() {
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    struct Unit;
    impl Drop for Unit {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, SeqCst);
        }
    }
    let cell = SmrCell::new(Unit);
    cell.store(Unit);
    let deadline = Instant::now() + Duration::from_secs(30);
    while DROPPED.load(SeqCst) == 0 && Instant::now() < deadline {
        pin().flush();
    }
    drop(cell.into_inner());
    assert_eq!(DROPPED.load(SeqCst), 2);
}

#[test]
fn unprotected_guard_is_refused() {
    let tally = Tally::default();
    let cell = SmrCell::new(tally.value(1));
    // SAFETY: nobody else has the cell.
    let guard = unsafe { unprotected() };
    let refused = |f: &dyn Fn()| assert!(catch_unwind(AssertUnwindSafe(f)).is_err());
    refused(&|| _ = cell.load(guard).id);
    refused(&|| _ = cell.swap(tally.value(2), guard).id);
    refused(&|| _ = cell.update(guard, |_| tally.value(2)).id);
    let real = pin();
    let one = cell.load(&real);
    refused(&|| _ = cell.compare_exchange(one, tally.value(2), guard).is_ok());
    assert!(std::ptr::eq(one, cell.load(&real)));
    drop(cell);
    assert_eq!(tally.dropped(), tally.made());
}

#[test]
fn guard_of_another_domain_is_refused() {
    let [ours, other] = [Domain::new(), Domain::new()];
    let cell = SmrCell::new_in(1, &ours);
    let refused = |f: &dyn Fn()| assert!(catch_unwind(AssertUnwindSafe(f)).is_err());
    refused(&|| _ = cell.load(&pin()));
    refused(&|| _ = cell.swap(2, &other.pin()));
    refused(&|| _ = SmrCell::new(1).load(&ours.pin()));
    assert_eq!(*cell.load(&ours.pin()), 1);
    assert_eq!(*cell.load(&ours.register().pin()), 1);
    assert_eq!(*cell.load(&ours.owned_guard()), 1);
    assert_eq!((cell.domain(), cell.load_cloned()), (&ours, 1));
}

#[test]
fn reader_of_another_domain_holds_nothing_up() {
    let tally = Tally::default();
    let domain = Domain::new();
    let cell = SmrCell::from_box_in(Box::new(tally.value(1)), &domain);
    let _global = pin();
    let guard = domain.pin();
    let one = cell.load(&guard);
    cell.store(tally.value(2));
    domain.flush();
    assert_eq!((one.id, tally.dropped()), (1, 0));
    drop(guard);
    domain.barrier();
    assert_eq!(tally.dropped(), 1);
}

#[test]
fn cell_keeps_its_domain_open_and_leaves_nothing_behind() {
    let tally = Tally::default();
    let cell = SmrCell::new_in(tally.value(1), &Domain::new());
    (2..100).for_each(|id| cell.store(tally.value(id)));
    assert_eq!(cell.load(&cell.domain().pin()).id, 99);
    let last = cell.into_inner();
    assert_eq!(last.id, 99);
    assert_eq!(tally.made(), tally.dropped() + 1, "the domain has closed");
}

#[test]
fn cells_within_a_cell_go_with_it() {
    let tally = Tally::default();
    let domain = Domain::new();
    let inner = |id| SmrCell::new_in(tally.value(id), &domain);
    let outer = SmrCell::new_in(inner(1), &domain);
    {
        let guard = domain.pin();
        let first = outer.swap(inner(2), &guard);
        first.store(tally.value(3)); // retired already, and alive still
        assert_eq!(first.load(&guard).id, 3);
    }
    domain.barrier();
    assert_eq!((tally.made(), tally.dropped()), (3, 2));
    drop(domain);
    drop(outer);
    assert_eq!(tally.dropped(), 3);
}

#[test]
fn owned_guard_carries_a_value_to_another_thread() {
    let cell = SmrCell::new(String::from("first"));
    let guard = Domain::global().owned_guard();
    let seen = cell.load(&guard);
    cell.store(String::from("second"));
    thread::scope(|s| {
        s.spawn(|| {
            assert_eq!(
                (seen.as_str(), cell.load(&guard).as_str()),
                ("first", "second")
            )
        });
    });
}

#[test]
fn destructor_that_panics_loses_only_its_own_value() {
    struct Bomb(bool);
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(!self.0, "boom");
        }
    }
    let domain = Domain::new();
    let cell = SmrCell::new_in(Bomb(true), &domain);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        cell.store(Bomb(false));
        domain.barrier();
    }));
    assert!(panicked.is_err());
    assert!(!cell.load(&domain.pin()).0);
    cell.store(Bomb(false));
    domain.barrier();
}
