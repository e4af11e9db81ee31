//! Mistakes, one a mode, that the sanitizers must see: `.ci/sanitizers` runs each
//! and fails if the tool stays silent.

use std::process::ExitCode;
use std::ptr::NonNull;
use std::thread;

use clap::{Parser, ValueEnum};
use smr_core::sync::{AtomicBool, AtomicPtr, Ordering, yield_now};
use smr_core::{Atomic, Domain, Pool, pin};

/// Makes a mistake in the use of the library, on purpose.
#[derive(Debug, Parser)]
struct Args {
    /// Which.
    mode: Mode,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    /// A reader keeps a reference beyond its section: for AddressSanitizer.
    UseAfterFree,
    /// A reader visits a pool's item outside of any section, while the item may be
    /// used again: for ThreadSanitizer.
    Race,
    /// What was unlinked is never retired: for LeakSanitizer.
    Leak,
    /// No mistake: the tools must be silent.
    None,
}

fn main() -> ExitCode {
    match Args::parse().mode {
        Mode::UseAfterFree => use_after_free(),
        Mode::Race => race(false),
        Mode::Leak => leak(),
        Mode::None => race(true),
    }
    ExitCode::SUCCESS
}

fn use_after_free() {
    let shared = Atomic::new(7_u64);
    let guard = pin();
    let old = shared.swap(smr_core::Shared::null(), Ordering::AcqRel, &guard);
    let kept: *const u64 = old.as_raw();
    // SAFETY: unlinked just now.
    unsafe { guard.defer_destroy(old) };
    drop(guard);
    Domain::global().barrier();
    // SAFETY: none. This is the mistake.
    let value = unsafe { kept.read_volatile() };
    println!("{value}");
}

fn race(protected: bool) {
    let domain = Domain::new();
    // Its end is that of an `Arc`, which orders by a fence: not for this tool.
    std::mem::forget(domain.clone());
    let pool = Pool::new_in(&domain);
    let place = AtomicPtr::new(pool.alloc([0_u64; 4]).into_raw().as_ptr());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut sum = 0_u64;
            while !done.load(Ordering::Relaxed) {
                let guard = protected.then(|| domain.pin());
                let item = place.load(Ordering::Acquire);
                yield_now();
                // SAFETY: none, unless a guard protects it. This is the mistake.
                sum = sum.wrapping_add(unsafe { item.cast::<u64>().read_volatile() });
                drop(guard);
            }
            println!("{sum}");
        });
        for turn in 0..100_000 {
            let new = pool.alloc([turn; 4]).into_raw();
            let old = NonNull::new(place.swap(new.as_ptr(), Ordering::AcqRel));
            // SAFETY: unlinked just now, by the only writer.
            unsafe { pool.retire(old.expect("never empty")) };
        }
        done.store(true, Ordering::Relaxed);
        reader.join().expect("it does not panic");
    });
}

fn leak() {
    let shared = Atomic::new([7_u64; 100]);
    let guard = pin();
    shared.store(smr_core::Shared::null(), Ordering::Release);
    drop(guard);
    Domain::global().barrier();
}
