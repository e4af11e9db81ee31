//! A routing table that every request reads and somebody replaces now and then.
//!
//! Readers write nothing that others look at: no lock, no reference count.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use smr_core::{SmrCell, pin};

type Routes = BTreeMap<&'static str, u16>;

fn main() {
    let routes = SmrCell::new(Routes::from([("/", 8080)]));
    let stop = AtomicBool::new(false);
    let look_ups = AtomicUsize::new(0);

    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut local = 0;
                while !stop.load(Relaxed) {
                    let guard = pin();
                    let seen = routes.load(&guard);
                    // One consistent table, however often it is replaced.
                    assert_eq!(seen.contains_key("/api"), seen.contains_key("/api/v2"));
                    local += seen.len();
                }
                look_ups.fetch_add(local, Relaxed);
            });
        }
        for generation in 0..50 {
            let guard = pin();
            routes.update(&guard, |old| {
                let mut new = old.clone();
                if new.remove("/api").and(new.remove("/api/v2")).is_none() {
                    new.extend([("/api", 9000 + generation), ("/api/v2", 9000 + generation)]);
                }
                new
            });
            // The old table is retired. It goes when its last reader has left.
            drop(guard);
            thread::sleep(Duration::from_millis(2));
        }
        stop.store(true, Relaxed);
    });

    routes.domain().barrier();
    let stats = routes.domain().stats();
    println!("{} routes were seen", look_ups.load(Relaxed));
    println!("{} old tables were freed", stats.reclaimed_items);
    assert_eq!((stats.reclaimed_items, stats.retired_items), (50, 0));
}
