//! Which keys are used, and in which order.

use std::sync::{Arc, Mutex};

use crate::cli::Distribution;

/// Exponent of Zipf's law.
const SKEW: f64 = 0.99;
/// Keys of a trace: at least, and at most.
const TRACE: std::ops::RangeInclusive<u64> = 1 << 20..=1 << 23;
/// Traces that are kept for the next run.
const KEPT: usize = 2;

/// The key with this index: distinct ones for distinct indices, with no order
/// that a table could profit from.
#[inline(always)]
pub(crate) fn key(index: u64) -> u64 {
    // An odd factor is invertible modulo 2^64; this one is 2^64 over the golden
    // ratio.
    index.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A source of numbers that look random: Marsaglia's xorshift.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// The same numbers for the same seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(key(seed + 1))
    }

    #[inline(always)]
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below this one, by multiplication into range.
    #[inline(always)]
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Draws ranks by Zipf's law in constant time each: the method of Gray et al.,
/// "Quickly Generating Billion-Record Synthetic Databases" (SIGMOD 1994).
#[derive(Debug)]
struct Zipf {
    population: f64,
    alpha: f64,
    zeta: f64,
    eta: f64,
}

impl Zipf {
    fn new(population: u64) -> Self {
        let zeta = |count: u64| -> f64 { (1..=count).map(|rank| (rank as f64).powf(-SKEW)).sum() };
        let (all, two) = (zeta(population), zeta(2));
        let population = population as f64;
        Self {
            population,
            alpha: 1.0 / (1.0 - SKEW),
            zeta: all,
            eta: (1.0 - (2.0 / population).powf(1.0 - SKEW)) / (1.0 - two / all),
        }
    }

    fn draw(&self, random: &mut Random) -> u64 {
        let unit = random.unit();
        let scaled = unit * self.zeta;
        if scaled < 1.0 {
            0
        } else if scaled < 1.0 + 0.5_f64.powf(SKEW) {
            1
        } else {
            let rank = self.population * (self.eta * unit - self.eta + 1.0).powf(self.alpha);
            rank.min(self.population - 1.0) as u64
        }
    }
}

/// What a trace is made for.
type Wanted = (Distribution, u64);

/// Keys drawn beforehand, so that drawing costs every subject the same next to
/// nothing. The last few traces are kept.
pub(crate) fn trace(distribution: Distribution, population: u64) -> Arc<[u64]> {
    static MADE: Mutex<Vec<(Wanted, Arc<[u64]>)>> = Mutex::new(Vec::new());
    let wanted = (distribution, population);
    let mut made = MADE.lock().expect("nobody panics with the lock held");
    if let Some((_, trace)) = made.iter().find(|(what, _)| *what == wanted) {
        return Arc::clone(trace);
    }
    let trace = draw(distribution, population);
    made.insert(0, (wanted, Arc::clone(&trace)));
    made.truncate(KEPT);
    trace
}

fn draw(distribution: Distribution, population: u64) -> Arc<[u64]> {
    let count = (2 * population).clamp(*TRACE.start(), *TRACE.end());
    let mut random = Random::new(population);
    match distribution {
        Distribution::Uniform => (0..count).map(|_| key(random.below(population))).collect(),
        Distribution::Zipf => {
            let zipf = Zipf::new(population);
            (0..count).map(|_| key(zipf.draw(&mut random))).collect()
        }
    }
}

/// A thread's way through a trace: round and round, from a place of its own.
#[derive(Debug)]
pub(crate) struct Walk<'t> {
    trace: &'t [u64],
    at: usize,
}

impl<'t> Walk<'t> {
    /// The way of one of so many threads.
    pub(crate) fn new(trace: &'t [u64], index: usize, threads: usize) -> Self {
        Self {
            trace,
            at: trace.len() / threads * index,
        }
    }

    /// The next so many keys, or fewer where the trace ends.
    #[inline(always)]
    pub(crate) fn take(&mut self, count: usize) -> &'t [u64] {
        let end = (self.at + count).min(self.trace.len());
        let keys = &self.trace[self.at..end];
        self.at = if end == self.trace.len() { 0 } else { end };
        keys
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn zipf_draws_the_first_rank_as_often_as_the_law_says() {
        const POPULATION: u64 = 1000;
        const DRAWS: u64 = 200_000;
        let zipf = Zipf::new(POPULATION);
        let mut random = Random::new(1);
        let mut counts = HashMap::new();
        for _ in 0..DRAWS {
            let rank = zipf.draw(&mut random);
            assert!(rank < POPULATION);
            *counts.entry(rank).or_insert(0_u64) += 1;
        }
        for rank in [0, 1, 9] {
            let share = counts[&rank] as f64 / DRAWS as f64;
            let law = ((rank + 1) as f64).powf(-SKEW) / zipf.zeta;
            assert!((share / law - 1.0).abs() < 0.25, "{rank}: {share} {law}");
        }
    }

    #[test]
    fn a_uniform_trace_covers_its_population_and_nothing_else() {
        // Two traces are more of the heap than a run of others may leave behind.
        let _alone = crate::alloc::tests::alone();
        let trace = draw(Distribution::Uniform, 1000);
        let mut seen: Vec<u64> = trace.to_vec();
        seen.sort_unstable();
        seen.dedup();
        let mut all: Vec<u64> = (0..1000).map(key).collect();
        all.sort_unstable();
        assert_eq!(seen, all);
    }

    #[test]
    fn a_walk_goes_round() {
        let trace: Vec<u64> = (0..10).collect();
        let mut walk = Walk::new(&trace, 1, 2);
        assert_eq!(walk.take(3), [5, 6, 7]);
        assert_eq!(walk.take(3), [8, 9]);
        assert_eq!(walk.take(3), [0, 1, 2]);
    }
}
