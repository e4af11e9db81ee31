//! What several test files use.

#![allow(dead_code, unreachable_pub, reason = "no file uses all of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use smr_core::{BarrierKind, Domain, DomainBuilder};

/// Long enough for anything that ends at all.
pub const LONG: Duration = Duration::from_secs(20);

/// Counts drops: of values, each with an extra payload if that is wanted.
#[derive(Clone, Default)]
pub struct Drops(Arc<AtomicUsize>);

impl Drops {
    pub fn value(&self) -> Counted {
        Counted(self.clone())
    }

    pub fn count(&self) -> usize {
        self.0.load(SeqCst)
    }

    pub fn add(&self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Counts its own drop.
pub struct Counted(Drops);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.add();
    }
}

/// Runs `test` in a fresh domain with each kind of barrier.
pub fn every_barrier(test: impl Fn(Domain)) {
    every_domain(|builder| test(builder.build().unwrap()));
}

/// The same, for tests that have more to set.
pub fn every_domain(test: impl Fn(DomainBuilder)) {
    for kind in [BarrierKind::Auto, BarrierKind::Fence] {
        test(Domain::builder().barrier(kind));
    }
}

/// Runs `work` on a thread and fails if it does not come to an end.
///
/// A thread that hangs is left behind: there is no way to stop it.
#[track_caller]
pub fn ends<R: Send + 'static>(what: &str, work: impl FnOnce() -> R + Send + 'static) -> R {
    let (sender, receiver) = mpsc::channel();
    let worker = thread::spawn(move || {
        // The receiver is gone only if the test has failed already.
        let _ = sender.send(work());
    });
    match receiver.recv_timeout(LONG) {
        Ok(result) => {
            worker.join().unwrap();
            result
        }
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{what} did not end"),
        Err(mpsc::RecvTimeoutError::Disconnected) => match worker.join() {
            Err(payload) => std::panic::resume_unwind(payload),
            Ok(_) => unreachable!("it ended without an answer"),
        },
    }
}

/// Another thread that stands in a section until it is told to leave.
#[cfg(feature = "std")]
pub struct Reader {
    leave: Option<mpsc::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

#[cfg(feature = "std")]
impl Reader {
    pub fn enter(domain: &Domain, name: &str) -> Self {
        let (leave, left) = mpsc::channel::<()>();
        let (enter, entered) = mpsc::channel();
        let domain = domain.clone();
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let guard = domain.pin();
                // Only the guard is to keep the domain.
                drop(domain);
                enter.send(()).unwrap();
                let _ = left.recv();
                drop(guard);
            })
            .unwrap();
        entered.recv().unwrap();
        Self {
            leave: Some(leave),
            thread: Some(thread),
        }
    }

    pub fn leave(self) {
        drop(self);
    }
}

#[cfg(feature = "std")]
impl Drop for Reader {
    fn drop(&mut self) {
        self.leave.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What a panic said.
pub fn message(payload: Box<dyn std::any::Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload
            .downcast::<&str>()
            .map_or_else(|_| "not a string".to_owned(), |text| (*text).to_owned()),
    }
}

/// What `f` says when it panics, which it must.
#[track_caller]
pub fn panic_of<R>(f: impl FnOnce() -> R) -> String {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)) {
        Ok(_) => panic!("it did not panic"),
        Err(payload) => message(payload),
    }
}
