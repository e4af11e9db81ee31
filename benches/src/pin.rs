//! Binds the threads of a run to processors, where there are enough.
//!
//! A thread that moves takes its caches with it in neither direction. With a
//! processor for each worker and one for the harness, each stays on its own; with
//! fewer, the scheduler decides, since a thread that is bound to a busy processor
//! would wait beside an idle one.
//!
//! # Orderings
//!
//! `OFF` is Relaxed: written before any run.

use std::sync::atomic::{AtomicBool, Ordering};

static OFF: AtomicBool = AtomicBool::new(false);

/// Leaves it to the system where threads run.
pub(crate) fn leave_alone() {
    OFF.store(true, Ordering::Relaxed);
}

/// Which of the processors a worker is bound to: none, unless one is left over.
fn place(allowed: &[usize], index: usize, workers: usize) -> Option<usize> {
    (workers < allowed.len()).then(|| allowed[index])
}

/// Binds this thread, the `index`-th of so many workers.
///
/// A refusal by the system is none of our business: the thread runs anywhere.
pub(crate) fn bind(index: usize, workers: usize) {
    if OFF.load(Ordering::Relaxed) {
        return;
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
        let Ok(set) = sched_getaffinity(None) else {
            return;
        };
        let allowed: Vec<usize> = (0..CpuSet::MAX_CPU)
            .filter(|cpu| set.is_set(*cpu))
            .collect();
        if let Some(cpu) = place(&allowed, index, workers) {
            let mut own = CpuSet::new();
            own.set(cpu);
            let _ = sched_setaffinity(None, &own);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (index, workers, place);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_get_processors_of_their_own_if_one_is_left() {
        assert_eq!(place(&[2, 5, 7], 1, 2), Some(5));
        assert_eq!(place(&[2, 5], 1, 2), None);
        assert_eq!(place(&[2, 5], 0, 8), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_bound_thread_stays() {
        let set = || rustix::thread::sched_getaffinity(None).expect("allowed");
        if set().count() < 2 {
            return;
        }
        std::thread::spawn(move || {
            bind(0, 1);
            assert_eq!(set().count(), 1);
        })
        .join()
        .expect("no panic");
    }
}
