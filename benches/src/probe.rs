//! How long memory lies idle: from the retirement of an item until its address
//! is handed out again.
//!
//! One meaning for every subject, pool or malloc: the clock starts when the
//! item is given to the subject, and stops when an allocation of the same
//! subject returns the same address. An item whose address never comes back in
//! the run is not counted, so where little comes back the figure is too low.
//!
//! # How
//!
//! Nothing may be written into a retired item, readers may still be inside, so
//! the stamps stand in a table of their own. One address in 256 is followed,
//! chosen by its hash; for the others the price is a multiplication and a
//! compare. It is paid in runs of its own, never in those that measure
//! throughput.
//!
//! A slot of the table is one word: a tag of the address above the nanoseconds.
//! Two addresses in one slot replace each other, and a false match needs equal
//! tags as well as equal slots.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use hdrhistogram::Histogram;

const SLOT_BITS: u32 = 14;
/// Of the hash: 8 bits choose who is followed, then the slot, then the tag.
const CLASS_BITS: u32 = 8;
const TIME_BITS: u32 = 44;
const TIME_MASK: u64 = (1 << TIME_BITS) - 1;
/// What lies idle for longer counts as this long: a minute.
const LONGEST_NANOS: u64 = 60_000_000_000;

/// Watches addresses go out and come back.
pub(crate) trait Probe: Sync {
    /// Whether it looks at all; chosen at compile time.
    const ON: bool;
    /// An item is about to be retired.
    fn retired(&self, address: usize);
    /// An address was handed out.
    fn allocated(&self, address: usize, idle: &mut Idle);
}

/// Looks at nothing: the runs that measure throughput.
#[derive(Debug)]
pub(crate) struct Blind;

impl Probe for Blind {
    const ON: bool = false;
    #[inline(always)]
    fn retired(&self, _: usize) {}
    #[inline(always)]
    fn allocated(&self, _: usize, _: &mut Idle) {}
}

/// The idle times that one worker saw, in nanoseconds.
#[derive(Debug)]
pub(crate) struct Idle(Option<Histogram<u64>>);

impl Idle {
    /// Holds nothing yet, and no memory if there is nothing to hold.
    pub(crate) fn new(on: bool) -> Self {
        let new = || Histogram::new_with_bounds(1, LONGEST_NANOS, 3).expect("valid bounds");
        Self(on.then(new))
    }

    fn note(&mut self, nanos: u64) {
        if let Some(histogram) = &mut self.0 {
            histogram.saturating_record(nanos.max(1));
        }
    }

    /// Takes in what another worker saw.
    pub(crate) fn add(&mut self, other: &Self) {
        if let (Some(mine), Some(theirs)) = (&mut self.0, &other.0) {
            mine.add(theirs).expect("both have the same bounds");
        }
    }

    /// The time that this share of the items did not exceed.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let histogram = self.0.as_ref()?;
        if histogram.is_empty() {
            return None;
        }
        Some(histogram.value_at_quantile(share) as f64)
    }
}

/// Follows one address in 256.
#[derive(Debug)]
pub(crate) struct Follow {
    slots: Box<[AtomicU64]>,
    begin: Instant,
}

impl Follow {
    /// An empty table.
    pub(crate) fn new() -> Self {
        Self {
            slots: (0..1_usize << SLOT_BITS)
                .map(|_| AtomicU64::new(0))
                .collect(),
            begin: Instant::now(),
        }
    }

    /// The slot and the tag of an address that is followed.
    #[inline(always)]
    fn place(&self, address: usize) -> Option<(&AtomicU64, u64)> {
        let hash = ((address >> 3) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        if hash >> (64 - CLASS_BITS) != 0 {
            return None;
        }
        let slot = (hash >> (64 - CLASS_BITS - SLOT_BITS)) as usize & ((1 << SLOT_BITS) - 1);
        // The bits below, with one set so that a full slot is never zero.
        let tag = (hash >> (64 - CLASS_BITS - SLOT_BITS - (64 - TIME_BITS))) << TIME_BITS;
        Some((&self.slots[slot], tag | 1 << TIME_BITS))
    }

    fn now(&self) -> u64 {
        self.begin.elapsed().as_nanos() as u64 & TIME_MASK
    }
}

impl Probe for Follow {
    const ON: bool = true;

    #[inline(always)]
    fn retired(&self, address: usize) {
        if let Some((slot, tag)) = self.place(address) {
            // Relaxed: a stamp that is seen late is a sample lost.
            slot.store(tag | self.now(), Ordering::Relaxed);
        }
    }

    #[inline(always)]
    fn allocated(&self, address: usize, idle: &mut Idle) {
        if let Some((slot, tag)) = self.place(address) {
            let word = slot.load(Ordering::Relaxed);
            if word & !TIME_MASK == tag
                && slot
                    .compare_exchange(word, 0, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok()
            {
                idle.note(self.now().saturating_sub(word & TIME_MASK));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn followed(probe: &Follow) -> usize {
        (0..100_000_usize)
            .map(|i| i * 64)
            .find(|&address| address != 0 && probe.place(address).is_some())
            .expect("one in 256")
    }

    #[test]
    fn an_address_that_comes_back_is_timed_once() {
        let probe = Follow::new();
        let mut idle = Idle::new(true);
        let address = followed(&probe);
        probe.allocated(address, &mut idle);
        assert_eq!(idle.quantile(0.5), None);
        probe.retired(address);
        std::thread::sleep(std::time::Duration::from_millis(2));
        probe.allocated(address, &mut idle);
        probe.allocated(address, &mut idle);
        assert!(idle.quantile(0.5).expect("one sample") >= 2e6 * 0.99);
        assert_eq!(idle.0.as_ref().map(Histogram::len), Some(1));
    }

    #[test]
    fn about_one_address_in_256_is_followed() {
        let probe = Follow::new();
        for stride in [64, 128, 1024, 4096] {
            let hits = (0..100_000_usize)
                .filter(|i| probe.place(0x7f00_0000_0000 + i * stride).is_some())
                .count();
            assert!((250..600).contains(&hits), "stride {stride}: {hits}");
        }
    }
}
