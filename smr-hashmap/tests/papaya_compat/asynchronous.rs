//! Pinned references across `.await`.

use super::maps::HashMap;
use std::sync::Arc;
use std::time::Duration;

async fn wait() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[test]
fn an_owned_pin_is_held_over_await() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    let map: Arc<HashMap<i32, String>> = Arc::new(HashMap::new());
    map.pin().insert(1, "a".to_owned());
    runtime.block_on(async {
        let tasks: Vec<_> = (0..4)
            .map(|task| {
                let map = Arc::clone(&map);
                tokio::spawn(async move {
                    let map = map.pin_owned();
                    let seen = map.get(&1);
                    wait().await;
                    map.insert(10 + task, "b".to_owned());
                    wait().await;
                    assert_eq!(seen.map(String::as_str), Some("a"));
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(map.len(), 5);
}
