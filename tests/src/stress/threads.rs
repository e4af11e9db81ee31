//! The threads of a run.

use std::hint::spin_loop;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use smr_core::OwnedGuard;
use smr_core::sync::Ordering;

use super::Run;
use super::object::{Body, Visit};
use super::place::{Share, no_guard};

/// Runs all threads until the time is up.
pub(super) fn run(run: &Run, places: &dyn Share) {
    let config = &run.config;
    let seed = |role: u64, index: usize| {
        Rng::with_seed(config.seed.wrapping_mul(0x9e37_79b9) ^ (role << 32) ^ index as u64)
    };
    let (send, receive) = sync_channel(64);
    thread::scope(|scope| {
        for index in 0..config.readers {
            let (send, rng) = (send.clone(), seed(1, index));
            scope.spawn(move || read(run, places, rng, &send));
        }
        for index in 0..config.writers {
            let rng = seed(2, index);
            scope.spawn(move || write(run, places, rng));
        }
        for index in 0..config.churners {
            let (send, rng) = (send.clone(), seed(3, index));
            scope.spawn(move || churn(run, places, rng, &send));
        }
        if run.is_protected() {
            scope.spawn(move || stall(run, places, seed(4, 0)));
        }
        scope.spawn(move || receive_guards(run, &receive));
        // The receiver ends when the last sender has gone.
        drop(send);
    });
}

/// A guard on its way to another thread, and what it protects.
struct Parcel<'a> {
    visit: Visit<'a>,
    /// After the visit: dropped last.
    guard: OwnedGuard,
}

fn receive_guards(run: &Run, parcels: &Receiver<Parcel<'_>>) {
    let mut held = Vec::new();
    for parcel in parcels {
        parcel.visit.check(run.tally);
        held.push(parcel);
        // A few stay for a while.
        if held.len() > 5 {
            for parcel in held.drain(..4) {
                parcel.open(run);
            }
        }
    }
    held.into_iter().for_each(|parcel| parcel.open(run));
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

fn read<'a>(run: &'a Run, places: &'a dyn Share, mut rng: Rng, send: &SyncSender<Parcel<'a>>) {
    let mut visits = 0;
    while run.goes_on() {
        for _ in 0..16 {
            read_once(run, places, &mut rng, send);
            visits += 1;
        }
    }
    run.visits.fetch_add(visits, Ordering::Relaxed);
}

fn read_once<'a>(
    run: &'a Run,
    places: &'a dyn Share,
    rng: &mut Rng,
    send: &SyncSender<Parcel<'a>>,
) {
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
            if let Err(error) = send.try_send(parcel) {
                let (std::sync::mpsc::TrySendError::Full(parcel)
                | std::sync::mpsc::TrySendError::Disconnected(parcel)) = error;
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
fn churn<'a>(run: &'a Run, places: &'a dyn Share, mut rng: Rng, send: &SyncSender<Parcel<'a>>) {
    while run.goes_on() {
        thread::scope(|scope| {
            for _ in 0..rng.u32(1..4) {
                run.threads.fetch_add(1, Ordering::Relaxed);
                let (mut rng, send) = (rng.fork(), send.clone());
                scope.spawn(move || {
                    for _ in 0..rng.u32(1..40) {
                        if rng.bool() {
                            read_once(run, places, &mut rng, &send);
                        } else {
                            write_once(run, places, &mut rng);
                        }
                    }
                });
            }
        });
    }
}
