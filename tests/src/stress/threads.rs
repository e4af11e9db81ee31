//! The threads of a run.
//!
//! They are joined one by one, and guards change hands through an atomic pointer:
//! ThreadSanitizer sees what that orders. It does not see inside of the standard
//! library's channels, scopes and contended locks, which come compiled.

use std::hint::spin_loop;
use std::ptr;
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;

use fastrand::Rng;
use smr_core::OwnedGuard;
use smr_core::sync::{AtomicBool, AtomicPtr, Ordering};

use super::Run;
use super::object::{Body, Visit};
use super::place::{Share, no_guard};

/// Runs all threads until the time is up.
pub(super) fn run(run: &Run, places: &dyn Share) {
    let config = &run.config;
    let seed = |role: u64, index: usize| {
        Rng::with_seed(config.seed.wrapping_mul(0x9e37_79b9) ^ (role << 32) ^ index as u64)
    };
    let mail = &Mail::default();
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for index in 0..config.readers {
            let rng = seed(1, index);
            threads.push(scope.spawn(move || read(run, places, rng, mail)));
        }
        for index in 0..config.writers {
            let rng = seed(2, index);
            threads.push(scope.spawn(move || write(run, places, rng)));
        }
        for index in 0..config.churners {
            let rng = seed(3, index);
            threads.push(scope.spawn(move || churn(run, places, rng, mail)));
        }
        if run.is_protected() {
            threads.push(scope.spawn(move || stall(run, places, seed(4, 0))));
        }
        let receiver = scope.spawn(move || receive_guards(run, mail));
        join_all(threads);
        // Release: the receiver finds what was sent before.
        mail.closed.store(true, Ordering::Release);
        join_all(vec![receiver]);
    });
}

fn join_all(threads: Vec<ScopedJoinHandle<'_, ()>>) {
    for thread in threads {
        thread.join().expect("a thread of the harness panicked");
    }
}

/// A guard on its way to another thread, and what it protects.
struct Parcel<'a> {
    visit: Visit<'a>,
    /// After the visit: dropped last.
    guard: OwnedGuard,
}

/// Room for a few parcels.
#[derive(Default)]
struct Mail<'a> {
    boxes: [AtomicPtr<Parcel<'a>>; 8],
    closed: AtomicBool,
}

impl<'a> Mail<'a> {
    /// Hands the parcel back if there is no room.
    fn send(&self, parcel: Parcel<'a>, rng: &mut Rng) -> Result<(), Parcel<'a>> {
        let parcel = Box::into_raw(Box::new(parcel));
        // Release: pairs with `receive`.
        self.boxes[rng.usize(..self.boxes.len())]
            .compare_exchange(
                ptr::null_mut(),
                parcel,
                Ordering::Release,
                Ordering::Relaxed,
            )
            .map(drop)
            .map_err(|_| {
                // SAFETY: just made, and not sent.
                *unsafe { Box::from_raw(parcel) }
            })
    }

    fn receive(&self) -> impl Iterator<Item = Parcel<'a>> {
        self.boxes.iter().filter_map(|parcel| {
            // Acquire: pairs with `send`.
            let parcel = parcel.swap(ptr::null_mut(), Ordering::Acquire);
            // SAFETY: made in `send`, and taken out once.
            (!parcel.is_null()).then(|| *unsafe { Box::from_raw(parcel) })
        })
    }
}

fn receive_guards<'a>(run: &Run, mail: &Mail<'a>) {
    let mut held: Vec<Parcel<'a>> = Vec::new();
    loop {
        // Acquire: pairs with the Release in `run`.
        let last = mail.closed.load(Ordering::Acquire);
        for parcel in mail.receive() {
            parcel.visit.check(run.tally);
            held.push(parcel);
        }
        // A few stay for a while.
        while held.len() > if last { 0 } else { 5 } {
            held.remove(0).open(run);
        }
        if last {
            return;
        }
        thread::yield_now();
    }
}

impl Parcel<'_> {
    fn open(self, run: &Run) {
        self.visit.leave(run.tally);
        drop(self.guard);
        run.sent.fetch_add(1, Ordering::Relaxed);
    }
}

/// Stays for a random while: mostly not at all.
fn hold(rng: &mut Rng) {
    match rng.u32(..1000) {
        0..500 => {}
        500..800 => (0..rng.u32(..200)).for_each(|_| spin_loop()),
        800..998 => thread::yield_now(),
        _ => thread::sleep(Duration::from_micros(rng.u64(..200))),
    }
}

fn visit(run: &Run, body: &Body, rng: &mut Rng) {
    let visit = body.visit(run.tally);
    hold(rng);
    visit.check(run.tally);
    hold(rng);
    visit.leave(run.tally);
}

fn read<'a>(run: &'a Run, places: &'a dyn Share, mut rng: Rng, mail: &Mail<'a>) {
    let mut visits = 0;
    while run.goes_on() {
        for _ in 0..16 {
            read_once(run, places, &mut rng, mail);
            visits += 1;
            // Outside: a scan comes between two sections, and not only into them.
            match rng.u32(..16) {
                0..8 => {}
                8..15 => thread::yield_now(),
                _ => hold(&mut rng),
            }
        }
    }
    run.visits.fetch_add(visits, Ordering::Relaxed);
}

fn read_once<'a>(run: &'a Run, places: &'a dyn Share, rng: &mut Rng, mail: &Mail<'a>) {
    let place = |rng: &mut Rng| rng.usize(..run.config.places);
    let domain = &run.domain;
    if !run.is_protected() {
        return visit(run, places.load(place(rng), no_guard()), rng);
    }
    match rng.u32(..100) {
        0..65 => {
            let guard = domain.pin();
            visit(run, places.load(place(rng), &guard), rng);
        }
        65..75 => {
            // Nested, and dropped in the wrong order.
            let outer = domain.pin();
            let body: *const Body = places.load(place(rng), &outer);
            let inner = domain.pin();
            // SAFETY: the section goes on until the last of its guards is dropped.
            let first = unsafe { &*body }.visit(run.tally);
            let second = places.load(place(rng), &inner).visit(run.tally);
            hold(rng);
            drop(outer);
            hold(rng);
            first.leave(run.tally);
            second.leave(run.tally);
            drop(inner);
        }
        75..82 => {
            let mut guard = domain.pin();
            visit(run, places.load(place(rng), &guard), rng);
            guard.repin();
            visit(run, places.load(place(rng), &guard), rng);
        }
        82..88 => {
            let mut guard = domain.pin();
            visit(run, places.load(place(rng), &guard), rng);
            guard.repin_after(|| hold(rng));
            visit(run, places.load(place(rng), &guard), rng);
        }
        88..92 => {
            let handle = domain.register();
            let guard = handle.pin();
            drop(handle);
            visit(run, places.load(place(rng), &guard), rng);
        }
        92..96 => {
            let mut owned = domain.owned_guard();
            visit(run, places.load(place(rng), &owned), rng);
            owned.repin();
            visit(run, places.load(place(rng), &owned), rng);
        }
        _ => {
            let guard = domain.owned_guard();
            let body: *const Body = places.load(place(rng), &guard);
            // SAFETY: the guard protects it, and goes with it in the parcel.
            let body: &'a Body = unsafe { &*body };
            let parcel = Parcel {
                visit: body.visit(run.tally),
                guard,
            };
            if let Err(parcel) = mail.send(parcel, rng) {
                parcel.open(run);
            }
        }
    }
}

fn write(run: &Run, places: &dyn Share, mut rng: Rng) {
    while run.goes_on() {
        for _ in 0..16 {
            write_once(run, places, &mut rng);
        }
    }
}

fn write_once(run: &Run, places: &dyn Share, rng: &mut Rng) {
    places.replace(run, rng.usize(..run.config.places), rng);
    if rng.u32(..200) == 0 {
        places.disturb(run, rng);
    }
    if rng.u32(..50) == 0 {
        hold(rng);
    }
}

/// Goes in everywhere and stays: long for a reader, again and again.
fn stall(run: &Run, places: &dyn Share, mut rng: Rng) {
    let mut visits = 0;
    while run.goes_on() {
        let guard = run.domain.pin();
        let inside: Vec<_> = (0..run.config.places)
            .map(|index| places.load(index, &guard).visit(run.tally))
            .collect();
        for _ in 0..rng.u32(1..30) {
            thread::sleep(Duration::from_millis(1));
            inside.iter().for_each(|visit| visit.check(run.tally));
        }
        visits += inside.len() as u64;
        inside.into_iter().for_each(|visit| visit.leave(run.tally));
        drop(guard);
        thread::yield_now();
    }
    run.visits.fetch_add(visits, Ordering::Relaxed);
}

/// Starts threads that read and write a little and exit.
fn churn<'a>(run: &'a Run, places: &'a dyn Share, mut rng: Rng, mail: &Mail<'a>) {
    while run.goes_on() {
        thread::scope(|scope| {
            let threads =
                (0..rng.u32(1..4)).map(|_| short_lived(scope, run, places, &mut rng, mail));
            join_all(threads.collect());
        });
    }
}

fn short_lived<'scope, 'a>(
    scope: &'scope Scope<'scope, '_>,
    run: &'a Run,
    places: &'a dyn Share,
    rng: &mut Rng,
    mail: &'scope Mail<'a>,
) -> ScopedJoinHandle<'scope, ()>
where
    'a: 'scope,
{
    run.threads.fetch_add(1, Ordering::Relaxed);
    let mut rng = rng.fork();
    scope.spawn(move || {
        for _ in 0..rng.u32(1..40) {
            if rng.bool() {
                read_once(run, places, &mut rng, mail);
            } else {
                write_once(run, places, &mut rng);
            }
        }
    })
}
