//! Everything at once: threads that come and go, owned guards, pools, trims,
//! barriers. Items are counted, and each says whether it is alive.
#![cfg(feature = "std")]

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering::*};
use std::thread;
use std::time::{Duration, Instant};

use smr_core::{BarrierKind, Domain, Guard, Pool};

const ALIVE: u64 = 0xA11F_E000_0000_0001;

struct Item(AtomicU64, Arc<AtomicUsize>);

impl Drop for Item {
    fn drop(&mut self) {
        assert_eq!(self.0.swap(0, SeqCst), ALIVE, "dropped twice");
        self.1.fetch_add(1, SeqCst);
    }
}

struct Shared {
    domain: Domain,
    items: Pool<Item>,
    plain: Pool<u64>,
    item: [AtomicPtr<Item>; 4],
    word: [AtomicPtr<u64>; 4],
    dropped: Arc<AtomicUsize>,
    made: AtomicUsize,
    retired: AtomicUsize,
    stop: AtomicBool,
}

impl Shared {
    fn step(&self, guard: &Guard, n: usize) {
        let place = n % 4;
        let seen = self.item[place].load(Acquire);
        if let Some(seen) = NonNull::new(seen) {
            // SAFETY: found under the guard.
            assert_eq!(unsafe { seen.as_ref() }.0.load(Relaxed), ALIVE);
        }
        if let Some(seen) = NonNull::new(self.word[place].load(Acquire)) {
            // SAFETY: found under the guard.
            assert_eq!(unsafe { *seen.as_ref() } >> 32, 7);
        }
        if n.is_multiple_of(3) {
            self.made.fetch_add(1, SeqCst);
            let new = Item(AtomicU64::new(ALIVE), Arc::clone(&self.dropped));
            let new = self.items.alloc_in(guard, new).into_raw();
            if let Some(old) = NonNull::new(self.item[place].swap(new.as_ptr(), AcqRel)) {
                // SAFETY: just unlinked.
                unsafe { self.items.retire_in(guard, old) };
                self.retired.fetch_add(1, SeqCst);
            }
        }
        let new = self.plain.alloc_in(guard, 7 << 32 | n as u64).into_raw();
        if let Some(old) = NonNull::new(self.word[place].swap(new.as_ptr(), AcqRel)) {
            // SAFETY: just unlinked.
            unsafe { self.plain.retire_in(guard, old) };
        }
        if n.is_multiple_of(5) {
            self.made.fetch_add(1, SeqCst);
            guard.retire(Item(AtomicU64::new(ALIVE), Arc::clone(&self.dropped)));
            self.retired.fetch_add(1, SeqCst);
        }
    }
}

fn all_at_once(kind: BarrierKind, time: Duration) {
    let domain = Domain::builder().barrier(kind).build().unwrap();
    let shared = Arc::new(Shared {
        items: Pool::new_in(&domain),
        plain: Pool::new_in(&domain),
        domain,
        item: Default::default(),
        word: Default::default(),
        dropped: Arc::default(),
        made: AtomicUsize::new(0),
        retired: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
    });
    let spawn = |f: fn(&Arc<Shared>)| {
        let shared = Arc::clone(&shared);
        thread::spawn(move || {
            while !shared.stop.load(SeqCst) {
                f(&shared);
            }
        })
    };
    let threads = [
        spawn(|shared| {
            for n in 0..1000 {
                shared.step(&shared.domain.pin(), n);
            }
        }),
        spawn(|shared| {
            let shared = Arc::clone(shared);
            let short = thread::spawn(move || {
                let handle = shared.domain.register();
                for n in 0..200 {
                    shared.step(&handle.pin(), n);
                    shared.step(&shared.domain.pin(), n + 1);
                }
            });
            short.join().unwrap();
        }),
        spawn(|shared| {
            let mut guard = shared.domain.owned_guard();
            for n in 0..50 {
                shared.step(&guard, n);
                guard.repin();
            }
        }),
        spawn(|shared| {
            shared.plain.trim();
            shared.items.trim();
            let _ = shared.items.stats();
            let _ = shared.plain.stats();
            let _ = shared.domain.stats();
            let _ = shared.domain.oldest_section();
            thread::yield_now();
        }),
        spawn(|shared| {
            let retired = shared.retired.load(SeqCst);
            shared.domain.barrier();
            let dropped = shared.dropped.load(SeqCst);
            assert!(dropped >= retired, "{dropped} of {retired}");
        }),
    ];
    let start = Instant::now();
    while start.elapsed() < time && threads.iter().all(|thread| !thread.is_finished()) {
        thread::sleep(Duration::from_millis(10));
    }
    shared.stop.store(true, SeqCst);
    for thread in threads {
        thread.join().unwrap();
    }
    shared.domain.barrier();
    let live = shared
        .item
        .iter()
        .filter(|item| !item.load(SeqCst).is_null())
        .count();
    assert_eq!(shared.dropped.load(SeqCst) + live, shared.made.load(SeqCst));
    assert_eq!(shared.items.stats().live_items, live);
    for item in &shared.item {
        if let Some(item) = NonNull::new(item.swap(std::ptr::null_mut(), SeqCst)) {
            // SAFETY: just unlinked.
            unsafe { shared.items.retire(item) };
        }
    }
    shared.plain.trim();
    assert!(shared.plain.stats().slab_bytes <= 4 * (256 << 10) + 4096);
}

#[test]
fn all_at_once_with_barriers_for_all() {
    all_at_once(BarrierKind::Auto, Duration::from_secs(2));
}

#[test]
fn all_at_once_with_fences() {
    all_at_once(BarrierKind::Fence, Duration::from_secs(2));
}
