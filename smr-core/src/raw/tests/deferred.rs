//! Closures of many sizes and alignments: run once, dropped once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use proptest::prelude::*;

use crate::raw::deferred::Deferred;

/// How often a closure ran, and how often what it captured was dropped.
#[derive(Clone, Default)]
struct Tally(Arc<[AtomicUsize; 2]>);

impl Tally {
    fn counts(&self) -> [usize; 2] {
        [0, 1].map(|index| self.0[index].load(SeqCst))
    }
}

impl Drop for Captured {
    fn drop(&mut self) {
        self.0.0[1].fetch_add(1, SeqCst);
    }
}

struct Captured(Tally);

#[derive(Clone, Copy)]
#[repr(align(8))]
struct Align8<const N: usize>([u8; N]);
#[derive(Clone, Copy)]
#[repr(align(16))]
struct Align16<const N: usize>([u8; N]);
#[derive(Clone, Copy)]
#[repr(align(128))]
struct Align128<const N: usize>([u8; N]);

trait Ballast: Copy + Send + 'static {
    fn of(byte: u8) -> Self;
    fn is(&self, byte: u8) -> bool;
}

macro_rules! ballast {
    ($($name:ident)*) => {$(
        impl<const N: usize> Ballast for $name<N> {
            fn of(byte: u8) -> Self {
                Self([byte; N])
            }

            fn is(&self, byte: u8) -> bool {
                (&raw const *self).is_aligned() && self.0 == [byte; N]
            }
        }
    )*};
}

#[derive(Clone, Copy)]
struct Align1<const N: usize>([u8; N]);

ballast!(Align1 Align8 Align16 Align128);

fn run<B: Ballast>(byte: u8, panics: bool) {
    let tally = Tally::default();
    let (ballast, captured) = (B::of(byte), Captured(tally.clone()));
    let deferred = Deferred::new(move || {
        assert!(ballast.is(byte), "it came through as it was");
        captured.0.0[0].fetch_add(1, SeqCst);
        if panics {
            panic!("deferred");
        }
    });
    assert_eq!(tally.counts(), [0, 0]);
    // It is moved about, as buckets do.
    let moved = std::hint::black_box(vec![deferred]);
    for deferred in moved {
        let caught = catch_unwind(AssertUnwindSafe(|| deferred.run()));
        assert_eq!(caught.is_err(), panics);
    }
    assert_eq!(tally.counts(), [1, 1]);
}

const SHAPES: &[fn(u8, bool)] = &[
    run::<Align1<0>>,
    run::<Align1<1>>,
    run::<Align1<7>>,
    run::<Align1<8>>,
    run::<Align1<15>>,
    run::<Align1<16>>,
    run::<Align1<17>>,
    run::<Align1<1000>>,
    run::<Align8<0>>,
    run::<Align8<8>>,
    run::<Align8<16>>,
    run::<Align8<24>>,
    run::<Align16<0>>,
    run::<Align16<16>>,
    run::<Align128<0>>,
    run::<Align128<1>>,
    run::<Align128<4096>>,
];

#[test]
fn every_shape_runs_once_and_lets_go_once() {
    for shape in SHAPES {
        shape(7, false);
    }
}

#[test]
fn closures_without_captures_run() {
    static RAN: AtomicUsize = AtomicUsize::new(0);
    Deferred::new(|| {
        RAN.fetch_add(1, SeqCst);
    })
    .run();
    assert_eq!(RAN.load(SeqCst), 1);
    assert_eq!(size_of::<Deferred>(), 4 * size_of::<usize>());
}

#[test]
fn a_panicking_closure_lets_go_of_what_it_captured() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    for shape in SHAPES {
        shape(1, true);
    }
    std::panic::set_hook(hook);
}

proptest! {
    #[test]
    fn shapes_in_any_order(order in prop::collection::vec((0..SHAPES.len(), any::<u8>()), 0..50)) {
        for (shape, byte) in order {
            SHAPES[shape](byte, false);
        }
    }
}
