//! What the tests of faults have in common.
#![allow(
    dead_code,
    reason = "every test binary compiles this file and uses a part of it"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use smr_core::{BarrierKind, Domain};

#[cfg(unix)]
pub(crate) mod process;
#[cfg(target_os = "linux")]
pub(crate) mod seccomp;

/// Long enough on any machine; nothing that works waits for so long.
pub(crate) const GENEROUS: Duration = Duration::from_secs(60);

/// How often something was dropped.
#[derive(Debug, Clone, Default)]
pub(crate) struct Drops(Arc<AtomicUsize>);

impl Drops {
    pub(crate) fn count(&self) -> usize {
        self.0.load(SeqCst)
    }

    /// A value whose drop is counted.
    pub(crate) fn one(&self) -> Counted {
        Counted(self.clone())
    }

    pub(crate) fn add(&self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Counts that it is dropped.
#[derive(Debug)]
pub(crate) struct Counted(Drops);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.add();
    }
}

/// Runs the test with the barrier that the system offers and with fences.
pub(crate) fn every_barrier(test: impl Fn(Domain)) {
    for kind in [BarrierKind::Auto, BarrierKind::Fence] {
        test(Domain::builder().barrier(kind).build().unwrap());
    }
}

/// A thread that is inside a section until it is told to leave.
#[derive(Debug)]
pub(crate) struct Reader {
    leave: Sender<()>,
    thread: JoinHandle<()>,
}

impl Reader {
    /// Starts one named `reader`, and returns when it is inside.
    pub(crate) fn enter(domain: &Domain) -> Self {
        Self::enter_after(domain, |_| ())
    }

    /// The same; `first` runs on the thread before it enters.
    pub(crate) fn enter_after(
        domain: &Domain,
        first: impl FnOnce(&Domain) + Send + 'static,
    ) -> Self {
        let (leave, left) = channel();
        let (enter, entered) = channel();
        let domain = domain.clone();
        let thread = std::thread::Builder::new()
            .name("reader".into())
            .spawn(move || {
                first(&domain);
                let guard = domain.pin();
                // Before it goes on the thread gives up its handle, so that it is
                // the last one nowhere.
                drop(domain);
                stay(&enter, &left);
                drop(guard);
            })
            .unwrap();
        entered.recv().unwrap();
        Self { leave, thread }
    }

    /// Tells it to leave, and returns when it and its thread have gone.
    pub(crate) fn leave(self) {
        self.leave.send(()).unwrap();
        self.thread.join().unwrap();
    }
}

fn stay(enter: &Sender<()>, left: &Receiver<()>) {
    enter.send(()).unwrap();
    // An error: whoever started us panicked. Leave as well.
    let _ = left.recv();
}
