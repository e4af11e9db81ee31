//! The two locks: the latch of an owner, and the lock of cold paths.

use loom::sync::Arc;
use loom::thread;

use super::support::{Reached, explore};
use crate::barrier::{Barrier, BarrierKind};
use crate::raw::latch::Latch;
use crate::raw::lock::ForkLock;
use crate::sync::UnsafeCell;

fn barrier() -> Barrier {
    Barrier::choose(BarrierKind::Fence).expect("fences are everywhere")
}

/// What a latch protects.
#[derive(Default)]
struct Kept {
    latch: Latch,
    value: UnsafeCell<u32>,
}

impl Kept {
    fn bump(&self) {
        self.value.with_mut(|value| {
            // SAFETY: behind the latch; loom fails the model if it is not so.
            unsafe { *value += 1 }
        });
    }

    fn own(&self) {
        let _inside = self.latch.enter(barrier(), || unreachable!("no fork"));
        self.bump();
    }

    /// Whether the owner was out.
    fn steal(&self) -> Option<bool> {
        if !self.latch.claim() {
            return None;
        }
        barrier().heavy();
        let out = self.latch.owner_is_out(|| unreachable!("no fork"));
        if out {
            self.bump();
        }
        self.latch.give_back();
        Some(out)
    }
}

/// Owner and stranger are never inside at once, and each sees what the other
/// did before.
#[test]
fn latch_excludes() {
    static STOLEN: Reached = Reached::new("the stranger finds the owner out");
    static REFUSED: Reached = Reached::new("the stranger finds the owner inside");
    explore(3, || {
        let kept = Arc::new(Kept::default());
        let stranger = {
            let kept = Arc::clone(&kept);
            thread::spawn(move || match kept.steal() {
                Some(out) => {
                    STOLEN.hit_if(out);
                    REFUSED.hit_if(!out);
                }
                None => unreachable!("one stranger"),
            })
        };
        kept.own();
        kept.own();
        stranger.join().unwrap();
    });
    STOLEN.check();
    REFUSED.check();
}

/// Two strangers are never inside at once either.
#[test]
fn latch_excludes_strangers() {
    static BOTH: Reached = Reached::new("both strangers find the owner out");
    static ONE: Reached = Reached::new("a stranger finds another one inside");
    explore(2, || {
        let kept = Arc::new(Kept::default());
        let strangers: Vec<_> = (0..2)
            .map(|_| {
                let kept = Arc::clone(&kept);
                thread::spawn(move || kept.steal())
            })
            .collect();
        kept.own();
        let found: Vec<_> = strangers.into_iter().map(|s| s.join().unwrap()).collect();
        BOTH.hit_if(found.iter().all(|out| *out == Some(true)));
        ONE.hit_if(found.contains(&None));
        kept.own();
    });
    BOTH.check();
    ONE.check();
}

/// A lock hands what it protects from one holder to the next.
#[test]
fn lock_hands_over() {
    static FIRST: Reached = Reached::new("the other thread comes first");
    static SECOND: Reached = Reached::new("the other thread comes second");
    explore(3, || {
        let lock = Arc::new(ForkLock::new(0));
        let other = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || lock.with(|value| *value += 1))
        };
        lock.with(|value| {
            FIRST.hit_if(*value == 1);
            SECOND.hit_if(*value == 0);
            *value += 1;
        });
        lock.with(|value| *value += 1);
        other.join().unwrap();
        lock.with(|value| assert_eq!(*value, 3));
    });
    FIRST.check();
    SECOND.check();
}
