//! A thread that collects, for programs whose readers should not.

use core::time::Duration;
use std::io;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use alloc::string::ToString;
use alloc::sync::Arc;

use crate::domain::Domain;
use crate::raw::inner::{Awake, Inner};
use crate::sync::{AtomicBool, Ordering};
use crate::{fork, run};

/// A thread that collects a domain's garbage at an interval, until it is
/// dropped. [`Domain::reaper`] starts it.
///
/// Without one, garbage is collected by the threads that make it, and by readers
/// that held it up, when they leave. That needs no thread, but a program whose
/// threads all go idle keeps what they retired last (less than one poll's worth
/// each), and a reader that held up a million objects destroys them at its exit.
/// With a reaper, such a reader wakes the reaper instead, and nothing stays
/// longer than the interval.
#[derive(Debug)]
#[must_use = "the reaper stops when this is dropped"]
pub struct Reaper {
    domain: Domain,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    generation: u32,
}

impl Domain {
    /// Starts a thread that collects every `interval`, and at once when a reader
    /// leaves that held something up.
    ///
    /// # Errors
    ///
    /// What [`std::thread::Builder::spawn`] says.
    ///
    /// ```
    /// use smr_core::Domain;
    /// use std::{sync::mpsc, time::Duration};
    ///
    /// let domain = Domain::new();
    /// let reaper = domain.reaper(Duration::from_millis(1))?;
    /// let (sender, receiver) = mpsc::channel();
    /// domain.defer(move || sender.send("gone").unwrap());
    /// // Nobody does anything more with the domain.
    /// assert_eq!(receiver.recv(), Ok("gone"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn reaper(&self, interval: Duration) -> io::Result<Reaper> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let domain = self.clone();
        let name = "smr-reaper ".to_string() + self.name().unwrap_or("");
        let thread = thread::Builder::new().name(name).spawn(move || {
            let mut due = Duration::ZERO;
            let start = Instant::now();
            // Acquire: pairs with the Release in `Reaper::drop`.
            while !stopped.load(Ordering::Acquire) {
                let now = start.elapsed();
                // A panicking destructor is reported by the panic hook; the
                // reaper goes on.
                let collected = run::catch(|| {
                    let domain = domain.inner();
                    match (domain.has_garbage(), now >= due) {
                        (true, true) => domain.flush(),
                        // A reader that was in the way has left, and woke us.
                        (true, false) => domain.collect_for_readers(),
                        (false, _) => {}
                    }
                });
                collected.end();
                if now >= due {
                    due = now.saturating_add(interval);
                }
                thread::park_timeout(due.saturating_sub(start.elapsed()));
            }
        })?;
        self.inner().reaper.with(|reaper| {
            *reaper = Some(Awake {
                thread: thread.thread().clone(),
                generation: fork::generation(),
            });
        });
        Ok(Reaper {
            domain: self.clone(),
            stop,
            thread: Some(thread),
            generation: fork::generation(),
        })
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            if self.generation != fork::generation() {
                // A forked child does not have the thread, and joining it would
                // never end.
                core::mem::forget(thread);
                return;
            }
            let id = thread.thread().id();
            self.domain.inner().reaper.with(|reaper| {
                // Another reaper may have come after this one.
                reaper.take_if(|awake| awake.thread.id() == id);
            });
            thread.thread().unpark();
            // A destructor may drop the reaper, on the reaper's own thread.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
            // A reader that left may have woken it in vain just now.
            run::catch(|| self.domain.inner().sweep_or_ask()).end();
        }
    }
}

impl Inner {
    fn has_garbage(&self) -> bool {
        self.registry.iter().any(|slot| slot.has_garbage())
            || self.depot.with(|depot| !depot.is_empty())
            || self.pools.with(|list| !list.is_empty())
    }
}
