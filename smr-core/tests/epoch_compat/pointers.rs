//! Every method and every impl of the pointer types.

use super::epoch::{
    self, Atomic, CompareExchangeError, Guard, Owned, Pointable, Pointer, Shared, unprotected,
};
use super::support::{Counted, Drops};
use std::borrow::{Borrow, BorrowMut};
use std::fmt;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

/// Alignment 16: tags of four bits.
#[derive(Clone, Debug, PartialEq)]
#[repr(align(16))]
struct Wide(u64);

fn fake() -> &'static Guard {
    // SAFETY: the tests that use it share nothing with other threads.
    unsafe { unprotected() }
}

/// Takes back what a test published.
fn take<T: ?Sized + Pointable>(p: Shared<'_, T>) -> Owned<T> {
    // SAFETY: each test publishes to nobody else and takes each object once.
    unsafe { p.into_owned() }
}

fn read<'g, T: ?Sized + Pointable>(p: Shared<'g, T>) -> Option<&'g T> {
    // SAFETY: each test reads only what it has not taken back.
    unsafe { p.as_ref() }
}

#[test]
fn pointer_types_are_shared_and_sent_as_their_targets_are() {
    fn send<T: Send>() {}
    fn sync<T: Sync>() {}
    fn pointer<T, P: Pointer<T> + fmt::Debug>() {}
    fn unwind_safe<T: std::panic::UnwindSafe + std::panic::RefUnwindSafe + Unpin>() {}
    unwind_safe::<Atomic<u32>>();
    unwind_safe::<Owned<u32>>();
    unwind_safe::<Shared<'_, u32>>();
    send::<Atomic<u32>>();
    sync::<Atomic<u32>>();
    send::<Owned<std::cell::Cell<u32>>>();
    sync::<Owned<u32>>();
    pointer::<u32, Owned<u32>>();
    pointer::<u32, Shared<'_, u32>>();
    fn covariant<'a>(p: Shared<'a, &'static str>) -> Shared<'a, &'a str> {
        p
    }
    fn covariant_owned<'a>(o: Owned<&'static str>) -> Owned<&'a str> {
        o
    }
    assert!(covariant(Shared::null()).is_null());
    assert_eq!(*covariant_owned(Owned::new("s")), "s");
    assert_eq!(size_of::<Atomic<u8>>(), size_of::<usize>());
    assert_eq!(size_of::<Owned<u8>>(), size_of::<usize>());
    assert_eq!(size_of::<Shared<'_, u8>>(), size_of::<usize>());
}

#[test]
fn owned_is_a_box_with_a_tag() {
    let mut o = Owned::new(Wide(1)).with_tag(0xabcd);
    assert_eq!((o.0, o.tag()), (1, 0xd));
    o.0 += 1;
    let copy = o.clone();
    assert_eq!((copy.0, copy.tag()), (2, 0xd));
    assert!(!ptr::eq(&*o, &*copy));

    AsMut::<Wide>::as_mut(&mut o).0 += 1;
    BorrowMut::<Wide>::borrow_mut(&mut o).0 += 1;
    assert_eq!(AsRef::<Wide>::as_ref(&o), &Wide(4));
    assert_eq!(Borrow::<Wide>::borrow(&o), &Wide(4));

    let address: *const Wide = &*o;
    let boxed: Box<Wide> = o.into_box();
    assert!(ptr::eq(address, &*boxed));
    let o = Owned::<Wide>::from(boxed);
    assert_eq!(o.tag(), 0);
    assert!(ptr::eq(address, &*o));
    assert_eq!(*Owned::from(5), 5);
    assert_eq!(*Owned::<i32>::init(6), 6);
    assert!(format!("{o:?}").starts_with("Owned {"));
}

#[test]
fn owned_takes_a_raw_pointer() {
    let raw = Box::into_raw(Box::new(Wide(7)));
    // SAFETY: the box gave it up.
    let o = unsafe { Owned::from_raw(raw) };
    assert_eq!((o.0, o.tag()), (7, 0));
}

#[test]
#[should_panic(expected = "unaligned pointer")]
fn owned_refuses_an_unaligned_pointer() {
    let raw = ptr::without_provenance_mut::<u64>(0x1001);
    // SAFETY: refused before it is used.
    let _ = std::mem::ManuallyDrop::new(unsafe { Owned::from_raw(raw) });
}

#[test]
fn owned_drops_its_object_once() {
    let drops = Drops::default();
    drop(Owned::new(drops.value(0)).with_tag(1));
    assert_eq!(drops.count(), 1);
    let guard = fake();
    let p = Owned::new(drops.value(1)).with_tag(3).into_shared(guard);
    assert_eq!((drops.count(), p.tag()), (1, 3));
    drop(take(p));
    assert_eq!(drops.count(), 2);
    drop(Owned::new(drops.value(2)).into_box());
    assert_eq!(drops.count(), 3);
}

#[test]
fn shared_null_may_carry_a_tag() {
    const NULL: Shared<'static, u64> = Shared::null();
    assert!(NULL.is_null() && NULL.as_raw().is_null());
    assert_eq!(NULL.tag(), 0);
    assert_eq!(NULL, Shared::default());
    let tagged = NULL.with_tag(5);
    assert!(tagged.is_null() && tagged.as_raw().is_null());
    assert_eq!(tagged.tag(), 5);
    assert_ne!(tagged, NULL);
    assert_eq!(read(tagged), None);
    // SAFETY: null is allowed.
    assert!(unsafe { tagged.try_into_owned() }.is_none());
}

#[test]
fn shared_tag_is_cut_to_the_alignment() {
    assert_eq!(Shared::<u8>::null().with_tag(usize::MAX).tag(), 0);
    assert_eq!(Shared::<u16>::null().with_tag(usize::MAX).tag(), 1);
    assert_eq!(
        Shared::<u64>::null().with_tag(usize::MAX).tag(),
        align_of::<u64>() - 1
    );
    assert_eq!(Shared::<Wide>::null().with_tag(0x73).tag(), 3);
    let p = Owned::new(Wide(1)).into_shared(fake());
    let q = p.with_tag(usize::MAX);
    assert_eq!((q.tag(), q.as_raw()), (15, p.as_raw()));
    assert_eq!(q.with_tag(0), p);
    assert_eq!(read(q), Some(&Wide(1)));
    drop(take(q));
}

#[test]
fn shared_leads_to_its_object() {
    let raw = Box::into_raw(Box::new(Wide(1)));
    let mut p = Shared::from(raw.cast_const()).with_tag(2);
    assert_eq!(p.as_raw(), raw.cast_const());
    // SAFETY: the test's alone.
    unsafe { p.deref_mut() }.0 = 9;
    // SAFETY: the test's alone.
    assert_eq!(unsafe { p.deref() }, &Wide(9));
    let copy = p;
    #[allow(clippy::clone_on_copy, reason = "the impl is what is tested")]
    let clone = p.clone();
    assert!(copy == clone);
    assert_eq!(format!("{p:p}"), format!("{raw:p}"));
    assert!(format!("{p:?}").starts_with("Shared {"));
    // SAFETY: the test's alone, taken once.
    let o = unsafe { p.try_into_owned() }.unwrap();
    assert_eq!((o.0, o.tag()), (9, 2));
}

#[test]
#[should_panic(expected = "unaligned pointer")]
fn shared_refuses_an_unaligned_pointer() {
    let _ = Shared::from(ptr::without_provenance::<u32>(0x1002));
}

#[test]
fn shared_is_ordered_by_address_and_then_by_tag() {
    let guard = fake();
    let a = Owned::new(1u64).into_shared(guard);
    let b = Owned::new(2u64).into_shared(guard);
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    assert!(low.as_raw() < high.as_raw());
    assert!(low.with_tag(1) > low && low.with_tag(7) < high);
    assert_eq!(low.max(high), high);
    assert_eq!(low.partial_cmp(&low), Some(std::cmp::Ordering::Equal));
    drop((take(a), take(b)));
}

#[test]
fn atomic_is_made_from_everything_that_points() {
    static STATIC: Atomic<String> = Atomic::null();
    let guard = fake();
    assert!(STATIC.load(Relaxed, guard).is_null());
    assert!(Atomic::<u64>::default().load(Relaxed, guard).is_null());

    let raw = Box::into_raw(Box::new(5u64)).cast_const();
    let all: [Atomic<u64>; 7] = [
        Atomic::new(0),
        Atomic::init(1),
        Atomic::from(2),
        Atomic::from(Box::new(3)),
        Atomic::from(Owned::new(4).with_tag(4)),
        Atomic::from(raw),
        Atomic::from(Owned::new(6).into_shared(guard).with_tag(6)),
    ];
    for (i, a) in (0..).zip(all) {
        let p = a.load(Relaxed, guard);
        assert_eq!(p.tag(), if i == 4 || i == 6 { i as usize } else { 0 });
        assert_eq!(read(p), Some(&i));
        assert_eq!(format!("{a:p}"), format!("{:p}", p.as_raw()));
        assert!(format!("{a:?}").starts_with("Atomic {"));
        // SAFETY: the test's alone.
        assert_eq!(*unsafe { a.into_owned() }, i);
    }
    // SAFETY: null is allowed.
    assert!(unsafe { Atomic::<u64>::null().try_into_owned() }.is_none());
    // SAFETY: the test's alone.
    assert_eq!(*unsafe { Atomic::new(8).try_into_owned() }.unwrap(), 8);
}

#[test]
fn atomic_owns_nothing() {
    let drops = Drops::default();
    let guard = fake();
    let p = {
        let a = Atomic::new(drops.value(0));
        let clone = a.clone();
        let p = a.load(Acquire, guard);
        assert_eq!(clone.load(Acquire, guard), p);
        p
    };
    assert_eq!(drops.count(), 0);
    drop(take(p));
    assert_eq!(drops.count(), 1);
}

#[test]
fn atomic_loads_stores_and_swaps_pointer_and_tag() {
    let guard = &epoch::pin();
    let a = Atomic::<u64>::null();
    a.store(Owned::new(1).with_tag(1), Release);
    let one = a.load(Acquire, guard);
    assert_eq!((read(one), one.tag()), (Some(&1), 1));
    assert_eq!(a.load_consume(guard), one);
    a.store(one.with_tag(2), SeqCst);
    let again = a.swap(Owned::new(2), AcqRel, guard);
    assert_eq!((again.as_raw(), again.tag()), (one.as_raw(), 2));
    let two = a.swap(Shared::null(), AcqRel, guard);
    assert_eq!(read(two), Some(&2));
    assert!(a.load(Acquire, guard).is_null());
    drop((take(one), take(two)));
}

#[test]
fn atomic_exchange_gives_an_owned_back() {
    let drops = Drops::default();
    let guard = &epoch::pin();
    let a = Atomic::<Counted>::null();
    let new = Owned::new(drops.value(1)).with_tag(1);
    let one = a
        .compare_exchange(Shared::null(), new, AcqRel, Acquire, guard)
        .unwrap();
    assert_eq!((read(one).unwrap().id, one.tag()), (1, 1));
    assert_eq!(a.load(Relaxed, guard), one);

    // The same pointer with another tag is another value.
    let new = Owned::new(drops.value(2)).with_tag(2);
    let lost = a.compare_exchange(one.with_tag(0), new, AcqRel, Acquire, guard);
    let CompareExchangeError { current, new } = lost.map(drop).unwrap_err();
    assert_eq!(current, one);
    assert_eq!((new.id, new.tag()), (2, 2));
    assert_eq!(drops.count(), 0);
    drop(new);
    assert_eq!(drops.count(), 1);

    let mut turns = 0;
    while let Err(e) = a.compare_exchange_weak(one, Shared::null(), AcqRel, Relaxed, guard) {
        assert_eq!(e.current, one);
        assert!(e.new.is_null());
        turns += 1;
        assert!(turns < 1_000_000);
    }
    drop(take(one));
    assert_eq!(drops.count(), 2);
}

#[test]
fn atomic_exchange_error_is_shown() {
    let guard = fake();
    let a = Atomic::new(1u32);
    let e = a
        .compare_exchange(Shared::null(), Owned::new(2), AcqRel, Acquire, guard)
        .unwrap_err();
    assert!(format!("{e:?}").starts_with("CompareExchangeError {"));
    drop(take(e.current));
}

#[test]
fn atomic_fetch_update_stops_when_told() {
    let guard = fake();
    let a = Atomic::new(1u64);
    let p = a.load(Relaxed, guard);
    let more = |p: Shared<'static, u64>| (p.tag() < 2).then(|| p.with_tag(p.tag() + 1));
    assert_eq!(a.fetch_update(AcqRel, Acquire, guard, more), Ok(p));
    assert_eq!(
        a.fetch_update(AcqRel, Acquire, guard, more),
        Ok(p.with_tag(1))
    );
    assert_eq!(
        a.fetch_update(AcqRel, Acquire, guard, more),
        Err(p.with_tag(2))
    );
    assert_eq!(a.load(Relaxed, guard), p.with_tag(2));
    drop(take(p));
}

#[test]
fn atomic_bit_operations_touch_the_tag_only() {
    let guard = fake();
    let a = Atomic::<Wide>::from(Owned::new(Wide(1)).with_tag(0b1100));
    let p = a.load(Relaxed, guard).with_tag(0);
    assert_eq!(a.fetch_or(0xf0 | 0b0011, AcqRel, guard), p.with_tag(0b1100));
    assert_eq!(a.fetch_and(0b0101, AcqRel, guard), p.with_tag(0b1111));
    assert_eq!(
        a.fetch_xor(0xf0 | 0b0110, AcqRel, guard),
        p.with_tag(0b0101)
    );
    assert_eq!(a.load(Relaxed, guard), p.with_tag(0b0011));
    assert_eq!(a.fetch_and(0, Relaxed, guard), p.with_tag(0b0011));
    assert_eq!(a.load(Relaxed, guard), p);
    drop(take(p));
}

#[test]
fn zero_sized_objects_are_pointed_to() {
    struct Unit(());
    let guard = &epoch::pin();
    let a = Atomic::new(Unit(()));
    let p = a.swap(Owned::new(Unit(())), AcqRel, guard);
    assert_eq!(read(p).map(|unit| unit.0), Some(()));
    assert_eq!(p.with_tag(1).tag(), 0);
    // SAFETY: unlinked, and retired once.
    unsafe { guard.defer_destroy(p) };
    // SAFETY: the test's alone.
    drop(unsafe { a.into_owned() });
}

#[test]
fn arrays_know_their_length() {
    type Array<T> = [MaybeUninit<T>];
    let guard = &epoch::pin();
    for len in [0usize, 1, 7, 1000] {
        let mut o = Owned::<Array<u16>>::init(len).with_tag(7);
        assert_eq!((o.len(), o.tag()), (len, 7 & (align_of::<usize>() - 1)));
        for (i, slot) in o.iter_mut().enumerate() {
            slot.write(i as u16);
        }
        let a = Atomic::<Array<u16>>::from(o);
        let p = a.load(Acquire, guard);
        let array = read(p).unwrap();
        assert_eq!(array.len(), len);
        // SAFETY: all were written.
        let last = array.last().map(|slot| unsafe { slot.assume_init() });
        assert_eq!(last, len.checked_sub(1).map(|i| i as u16));
        // SAFETY: nobody else has it, and it is retired once.
        unsafe { guard.defer_destroy(p) };
    }
    let wide = Atomic::<Array<Wide>>::init(3);
    let p = wide.load(Relaxed, guard);
    assert_eq!(read(p).unwrap().as_ptr().addr() % 16, 0);
    assert_eq!(p.with_tag(usize::MAX).tag(), 15);
    drop(take(p));
    assert_eq!(Owned::<Array<()>>::init(usize::MAX).len(), usize::MAX);
}

#[test]
fn deferred_destruction_happens_once_and_at_once_if_unprotected() {
    let drops = Drops::default();
    let a = Atomic::new(drops.value(0));
    let guard = epoch::pin();
    let p = a.swap(Shared::null(), AcqRel, &guard).with_tag(1);
    // SAFETY: unlinked, and retired once. The tag is not part of the pointer.
    unsafe { guard.defer_destroy(p) };
    guard.flush();
    assert_eq!(drops.count(), 0);
    assert_eq!(read(p).unwrap().id, 0);
    drop(guard);
    drops.settle_at(1);

    let p = Owned::new(drops.value(1)).into_shared(fake());
    // SAFETY: the test's alone.
    unsafe { fake().defer_destroy(p) };
    assert_eq!(drops.count(), 2);
}
