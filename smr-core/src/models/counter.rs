//! A length that is kept in shards once there are many.

use loom::sync::Arc;
use loom::thread;

use super::support::{Reached, explore};
use crate::raw::Counter;

/// Two threads count while the shards are made; nothing is lost, and who finds shards
/// finds counters in them.
#[test]
fn counting_while_shards_are_made() {
    static HALF: Reached = Reached::new("the sum is taken while others count");
    explore(3, || {
        let counter = Arc::new(Counter::new());
        counter.add(1);
        let others: Vec<_> = (0..2)
            .map(|_| {
                let counter = Arc::clone(&counter);
                thread::spawn(move || counter.add(1))
            })
            .collect();
        let seen = counter.sum();
        assert!((1..=3).contains(&seen), "{seen} were counted");
        HALF.hit_if(seen == 2);
        for other in others {
            other.join().unwrap();
        }
        counter.add(-1);
        assert_eq!(counter.sum(), 2, "a count was lost");
    });
    HALF.check();
}
