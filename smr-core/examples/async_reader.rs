//! A section that lasts over `.await`: the owned guard.
//!
//! Requests read one routing table from their first step to their last, wherever
//! the runtime moves them, while a writer replaces it as fast as it can.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use smr_core::{Domain, SmrCell};

static DROPPED: AtomicUsize = AtomicUsize::new(0);

struct Table {
    version: usize,
    routes: Vec<String>,
}

impl Table {
    fn new(version: usize) -> Self {
        let routes = (0..4).map(|i| format!("route {i} of version {version}"));
        Self {
            version,
            routes: routes.collect(),
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Relaxed);
    }
}

async fn request(table: Arc<SmrCell<Table>>, domain: Domain) -> usize {
    let guard = domain.owned_guard();
    let seen = table.load(&guard);
    for route in &seen.routes {
        // Other requests and the writer go on; this task may wake up on another
        // thread. What it has seen stays.
        tokio::time::sleep(Duration::from_micros(200)).await;
        assert!(route.ends_with(&format!("version {}", seen.version)));
    }
    seen.version
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    const VERSIONS: usize = 2000;
    let domain = Domain::builder().name("routes").build().unwrap();
    let table = Arc::new(SmrCell::new_in(Table::new(0), &domain));

    let writer = tokio::spawn({
        let table = Arc::clone(&table);
        async move {
            for version in 1..=VERSIONS {
                table.store(Table::new(version));
                tokio::task::yield_now().await;
            }
        }
    });
    let mut versions = Vec::new();
    for _ in 0..10 {
        let requests: Vec<_> = (0..20)
            .map(|_| tokio::spawn(request(Arc::clone(&table), domain.clone())))
            .collect();
        for request in requests {
            versions.push(request.await.unwrap());
        }
    }
    writer.await.unwrap();

    println!(
        "{} requests saw versions {:?} to {:?}",
        versions.len(),
        versions[0],
        versions.last()
    );
    tokio::task::spawn_blocking(move || domain.barrier())
        .await
        .unwrap();
    println!(
        "{} of {} tables were dropped",
        DROPPED.load(Relaxed),
        VERSIONS + 1
    );
    assert_eq!(DROPPED.load(Relaxed), VERSIONS, "all but the current one");
}
