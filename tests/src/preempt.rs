//! Random preemption: a signal interrupts a thread between any two instructions, and
//! its handler gives the processor away, for a moment or for milliseconds.

use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use fastrand::Rng;
use smr_core::sync::{AtomicBool, AtomicU64, Ordering};

const SIGNAL: libc::c_int = libc::SIGUSR1;

/// Threads that may be interrupted. They leave the list before they end.
static ENROLLED: Mutex<Vec<libc::pthread_t>> = Mutex::new(Vec::new());

/// Interrupts so far.
static INTERRUPTS: AtomicU64 = AtomicU64::new(0);

/// While it lives, the thread that made it can be interrupted.
#[derive(Debug)]
pub struct Enrolled(libc::pthread_t);

impl Enrolled {
    /// Enrols the calling thread.
    #[must_use]
    pub fn this_thread() -> Self {
        // SAFETY: no preconditions.
        let this = unsafe { libc::pthread_self() };
        list().push(this);
        Self(this)
    }
}

impl Drop for Enrolled {
    fn drop(&mut self) {
        let mut list = list();
        if let Some(at) = list.iter().position(|thread| *thread == self.0) {
            list.swap_remove(at);
        }
    }
}

fn list() -> std::sync::MutexGuard<'static, Vec<libc::pthread_t>> {
    ENROLLED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread that interrupts the enrolled ones until it is dropped.
#[derive(Debug)]
pub struct Preemptor {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Preemptor {
    /// Starts it; the pauses between two interrupts are twice `mean` at the most.
    ///
    /// # Panics
    ///
    /// If the handler cannot be installed.
    #[must_use]
    pub fn start(mean: Duration, seed: u64) -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(install);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut rng = Rng::with_seed(seed);
            let longest = u64::try_from(2 * mean.as_nanos()).expect("a short while");
            while !stopped.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_nanos(rng.u64(0..=longest)));
                let list = list();
                if let Some(thread) = rng.choice(list.iter()) {
                    // SAFETY: it is running: it leaves the list, which is locked,
                    // before it ends.
                    unsafe { libc::pthread_kill(*thread, SIGNAL) };
                }
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }

    /// Interrupts since the process started.
    #[must_use]
    pub fn interrupts() -> u64 {
        INTERRUPTS.load(Ordering::Relaxed)
    }
}

impl Drop for Preemptor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it does not panic");
        }
    }
}

fn install() {
    let handler: extern "C" fn(libc::c_int) = give_way;
    // SAFETY: all zeroes is a valid value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as libc::sighandler_t;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: a valid action, whose handler is async-signal-safe.
    let done = unsafe { libc::sigaction(SIGNAL, &raw const action, std::ptr::null_mut()) };
    assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
}

/// Async-signal-safe: atomics, and two system calls that leave `errno` alone when
/// they succeed or are given none to set.
extern "C" fn give_way(_: libc::c_int) {
    let turn = INTERRUPTS.fetch_add(1, Ordering::Relaxed);
    let random = turn.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
    if !random.is_multiple_of(16) {
        // SAFETY: no preconditions; on Linux it always succeeds.
        unsafe { libc::sched_yield() };
        return;
    }
    let pause = libc::timespec {
        tv_sec: 0,
        tv_nsec: (random as libc::c_long % 3000) * 1000,
    };
    // SAFETY: a valid time. It returns the error, and does not set `errno`.
    unsafe {
        libc::clock_nanosleep(
            libc::CLOCK_MONOTONIC,
            0,
            &raw const pause,
            std::ptr::null_mut(),
        )
    };
}
