//! A reader that stalls, a limit on what may pile up behind it, and how to find
//! out who it is.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use smr_core::{Domain, OverLimit, RetireError};

fn main() {
    const LIMIT: usize = 1 << 20;
    let domain = Domain::builder()
        .name("pages")
        .max_retired_bytes(LIMIT, OverLimit::Error)
        .on_limit(|report| {
            println!(
                "limit crossed: {} of {} bytes",
                report.retired_bytes, report.max_retired_bytes
            );
        })
        .build()
        .unwrap();

    let (stop, stopped) = mpsc::channel::<()>();
    let (enter, entered) = mpsc::channel();
    let stalls = domain.clone();
    let reader = thread::Builder::new()
        .name("slow-export".into())
        .spawn(move || {
            let _guard = stalls.pin();
            enter.send(()).unwrap();
            let _ = stopped.recv();
        })
        .unwrap();
    entered.recv().unwrap();

    // A writer replaces pages until the domain says stop.
    let mut replaced = 0;
    let refused = loop {
        let old_page = Box::new([0_u8; 4096]);
        match domain.try_retire(*old_page) {
            Ok(()) => replaced += 1,
            Err(RetireError(page)) => break page,
        }
    };
    println!("{replaced} pages were replaced, then one was refused");
    assert_eq!(replaced, LIMIT / 4096 + 1);

    // Who is to blame?
    thread::sleep(Duration::from_millis(5));
    let section = domain.oldest_section().unwrap();
    println!("{section}");
    assert_eq!(section.thread_name.as_deref(), Some("slow-export"));
    assert!(domain.stats().over_limit);

    // When it leaves, it collects what it held up.
    drop(stop);
    reader.join().unwrap();
    let stats = domain.stats();
    println!(
        "{} pages were freed; {} wait",
        stats.reclaimed_items, stats.retired_items
    );
    assert!(!stats.over_limit);
    domain.try_retire(refused).unwrap();
}
