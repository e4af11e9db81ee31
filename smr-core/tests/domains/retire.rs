//! Retiring: what may be retired, and when it goes.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use crate::support::{Counted, Drops, Reader, every_barrier, message};
use smr_core::{Domain, Guard};

/// Retires through a domain or through a guard of it.
type Retire = fn(&Domain, Counted);

const WAYS: [Retire; 6] = [
    |domain, value| domain.retire(value),
    |domain, value| domain.try_retire(value).unwrap(),
    |domain, value| domain.defer(move || drop(value)),
    |domain, value| domain.pin().retire(value),
    |domain, value| domain.register().pin().defer(move || drop(value)),
    |domain, value| domain.owned_guard().defer_sized(100, move || drop(value)),
];

#[test]
fn a_reader_keeps_what_is_retired_in_every_way() {
    every_barrier(|domain| {
        for retire in WAYS {
            let drops = Drops::default();
            let reader = Reader::enter(&domain, "reader");
            retire(&domain, drops.value());
            domain.flush();
            assert_eq!(drops.count(), 0);
            reader.leave();
            domain.barrier();
            assert_eq!(drops.count(), 1);
        }
    });
}

#[test]
fn each_way_drops_everything_once() {
    every_barrier(|domain| {
        for retire in WAYS {
            let drops = Drops::default();
            (0..1000).for_each(|_| retire(&domain, drops.value()));
            domain.barrier();
            assert_eq!(drops.count(), 1000);
        }
        let stats = domain.stats();
        assert_eq!((stats.retired_items, stats.retired_bytes), (0, 0));
        assert_eq!(stats.reclaimed_items, 6000);
    });
}

#[test]
fn values_of_every_shape_are_retired() {
    #[repr(align(256))]
    struct Aligned(#[allow(dead_code, reason = "dropped")] Counted);
    every_barrier(|domain| {
        let drops = Drops::default();
        domain.retire(drops.value());
        domain.retire(Box::new(drops.value()));
        domain.retire(vec![drops.value(), drops.value()]);
        domain.retire((drops.value(), [7_u8; 4000]));
        domain.retire(Box::new([0_u8; 4000]) as Box<dyn std::any::Any + Send>);
        domain.retire(Aligned(drops.value()));
        domain.retire(Arc::new(drops.value()));
        domain.retire(());
        domain.retire("nothing to drop");
        domain.barrier();
        assert_eq!(drops.count(), 7);
    });
}

#[test]
fn closures_of_every_size_run_once() {
    fn defer<const N: usize>(domain: &Domain, sum: &Arc<AtomicUsize>) {
        let (sum, words) = (sum.clone(), [1_usize; N]);
        domain.defer(move || {
            sum.fetch_add(words.iter().sum(), SeqCst);
        });
    }
    every_barrier(|domain| {
        let sum = Arc::new(AtomicUsize::new(0));
        defer::<0>(&domain, &sum);
        defer::<1>(&domain, &sum);
        defer::<2>(&domain, &sum);
        defer::<3>(&domain, &sum);
        defer::<4>(&domain, &sum);
        defer::<1000>(&domain, &sum);
        domain.barrier();
        assert_eq!(sum.load(SeqCst), 1010);
        assert_eq!(Arc::strong_count(&sum), 1, "the closures are gone");
    });
}

#[test]
fn an_index_goes_back_to_its_free_list() {
    every_barrier(|domain| {
        let free = Arc::new(Mutex::new(Vec::new()));
        let guard = domain.pin();
        for index in 0..3 {
            let free = free.clone();
            guard.defer(move || free.lock().unwrap().push(index));
        }
        assert!(
            free.lock().unwrap().is_empty(),
            "readers may use them still"
        );
        drop(guard);
        domain.barrier();
        let mut free = free.lock().unwrap().clone();
        free.sort_unstable();
        assert_eq!(free, [0, 1, 2]);
    });
}

#[test]
#[cfg(unix)]
fn a_file_descriptor_is_closed_after_its_readers() {
    use std::io::{ErrorKind, Read, Write};
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    every_barrier(|domain| {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut reader = ours.try_clone().unwrap();
        theirs.set_nonblocking(true).unwrap();
        let guard = domain.pin();
        let descriptor = OwnedFd::from(ours);
        domain.retire(descriptor);
        domain.flush();
        // Still open: nobody has hung up.
        reader.write_all(b"x").unwrap();
        drop(reader);
        let mut byte = [0; 2];
        assert_eq!(theirs.read(&mut byte).unwrap(), 1);
        assert_eq!(
            theirs.read(&mut byte).unwrap_err().kind(),
            ErrorKind::WouldBlock
        );
        drop(guard);
        domain.barrier();
        assert_eq!(theirs.read(&mut byte).unwrap(), 0, "it was closed");
    });
}

#[test]
fn a_raw_pointer_goes_to_its_reclaimer() {
    static FREED: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    unsafe fn free(ptr: *mut (Counted, u64)) {
        FREED.lock().unwrap().push(ptr.addr());
        // SAFETY: from a box, unlinked, handed over once.
        drop(unsafe { Box::from_raw(ptr) });
    }
    every_barrier(|domain| {
        let drops = Drops::default();
        let ptr = Box::into_raw(Box::new((drops.value(), 5)));
        let guard = domain.pin();
        // SAFETY: nobody else knows it, and it may be freed anywhere.
        unsafe { guard.retire_raw(ptr, 16, free) };
        assert_eq!(domain.stats().retired_bytes, 16);
        // SAFETY: the section began before it was retired.
        assert_eq!(unsafe { (*ptr).1 }, 5);
        drop(guard);
        domain.barrier();
        assert_eq!(drops.count(), 1);
        assert_eq!(FREED.lock().unwrap().pop(), Some(ptr.addr()));
    });
}

#[test]
fn an_unchecked_closure_may_borrow_what_outlives_it() {
    every_barrier(|domain| {
        let count = AtomicUsize::new(0);
        let guard = domain.pin();
        let add = || count.fetch_add(1, SeqCst);
        // SAFETY: `count` outlives the barrier below, and may be used anywhere.
        unsafe { guard.defer_unchecked(add) };
        // SAFETY: as above.
        unsafe { guard.defer_unchecked_sized(1000, add) };
        assert!(domain.stats().retired_bytes >= 1000);
        drop(guard);
        domain.barrier();
        assert_eq!(count.load(SeqCst), 2);
    });
}

#[test]
fn what_is_retired_is_sent_to_whoever_collects() {
    every_barrier(|domain| {
        struct Tells(mpsc::Sender<thread::ThreadId>);
        impl Drop for Tells {
            fn drop(&mut self) {
                self.0.send(thread::current().id()).unwrap();
            }
        }
        let (sender, receiver) = mpsc::channel();
        domain.retire(Tells(sender));
        let collector = thread::scope(|scope| {
            let collector = scope.spawn(|| domain.flush());
            collector.thread().id()
        });
        assert_eq!(receiver.recv(), Ok(collector));
    });
}

#[test]
fn retiring_a_few_at_a_time_keeps_up() {
    every_barrier(|domain| {
        let drops = Drops::default();
        const MANY: usize = 200_000;
        let mut most = 0;
        for i in 1..=MANY {
            let guard = domain.pin();
            guard.retire(drops.value());
            drop(guard);
            most = most.max(i - drops.count());
        }
        assert!(most < 20_000, "{most} waited although nobody read");
    });
}

#[test]
fn large_items_wait_in_small_numbers() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let mut most = 0;
        for i in 1..=1000 {
            let value = drops.value();
            domain.defer_sized(1 << 20, move || drop(value));
            most = most.max(i - drops.count());
        }
        assert!(most <= 8, "{most} megabytes waited although nobody read");
    });
}

#[test]
fn the_last_of_an_idle_thread_goes_when_it_reads_on() {
    every_barrier(|domain| {
        let drops = Drops::default();
        domain.retire(drops.value());
        for _ in 0..1000 {
            drop(domain.pin());
        }
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_destructor_runs_outside_of_locks() {
    // It uses everything that it was called from.
    every_barrier(|domain| {
        let (drops, inner) = (Drops::default(), domain.clone());
        for _ in 0..100 {
            let (domain, value, drops) = (inner.clone(), drops.value(), drops.clone());
            domain.clone().defer(move || {
                let guard = domain.pin();
                guard.retire(value);
                guard.flush();
                drop(domain.owned_guard());
                drop(domain.register());
                domain.retire(drops.value());
                let _ = (domain.stats(), domain.oldest_section());
                assert!(domain.try_barrier(std::time::Duration::ZERO).is_err());
            });
        }
        domain.barrier();
        domain.barrier();
        assert_eq!(drops.count(), 200);
    });
}

#[test]
fn the_first_panic_goes_on_after_the_others_ran() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let value = drops.value();
        domain.defer(move || {
            let _value = value;
            panic!("first");
        });
        domain.retire(drops.value());
        let payload = std::panic::catch_unwind(|| domain.flush()).unwrap_err();
        assert_eq!(message(payload), "first");
        assert_eq!(drops.count(), 2);
        domain.barrier();
    });
}

#[test]
fn dropping_a_domain_destroys_in_every_order() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let handle = domain.register();
        let guard: Guard = handle.pin();
        guard.retire(drops.value());
        let other = domain.clone();
        drop(domain);
        other.retire(drops.value());
        drop((guard, other));
        // The handle keeps the domain open.
        handle.domain().barrier();
        assert_eq!(drops.count(), 2);
        handle.pin().retire(drops.value());
        drop(handle);
        assert_eq!(drops.count(), 3);
    });
}

#[test]
fn a_closure_may_own_the_domain_that_runs_it() {
    every_barrier(|domain| {
        let drops = Drops::default();
        let (inner, value) = (domain.clone(), drops.value());
        domain.defer(move || drop((inner, value)));
        domain.barrier();
        drop(domain);
        assert_eq!(drops.count(), 1);
    });
}
