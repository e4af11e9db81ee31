//! What several test files use.

#![allow(dead_code, unreachable_pub, reason = "no file uses all of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Counts drops of its values.
#[derive(Clone, Default)]
pub struct Drops(Arc<AtomicUsize>);

impl Drops {
    pub fn value(&self) -> Counted {
        Counted(self.clone())
    }

    pub fn count(&self) -> usize {
        self.0.load(SeqCst)
    }
}

/// Counts its own drop.
pub struct Counted(Drops);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, SeqCst);
    }
}

/// What `f` says when it panics, which it must.
#[track_caller]
pub fn panic_of<R>(f: impl FnOnce() -> R) -> String {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)) {
        Ok(_) => panic!("it did not panic"),
        Err(payload) => match payload.downcast::<String>() {
            Ok(text) => *text,
            Err(payload) => (*payload.downcast::<&str>().unwrap()).to_owned(),
        },
    }
}

/// Runs `work` on a thread and fails if it does not come to an end.
#[track_caller]
pub fn ends(what: &str, work: impl FnOnce() + Send + 'static) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let worker = std::thread::spawn(move || {
        work();
        // The receiver is gone only if the test has failed already.
        let _ = sender.send(());
    });
    match receiver.recv_timeout(std::time::Duration::from_secs(20)) {
        Ok(()) => worker.join().unwrap(),
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("{what} did not end"),
        Err(_) => match worker.join() {
            Err(payload) => std::panic::resume_unwind(payload),
            Ok(()) => unreachable!("it ended without an answer"),
        },
    }
}

/// A hasher whose hash is always the same.
#[derive(Clone, Copy, Default)]
pub struct Constant;

impl std::hash::BuildHasher for Constant {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        Self
    }
}

impl std::hash::Hasher for Constant {
    fn finish(&self) -> u64 {
        0x5555_5555_5555_5555
    }

    fn write(&mut self, _: &[u8]) {}
}
