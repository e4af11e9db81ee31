//! Where keys lie.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use crate::cli::Spread;
use crate::suites::map::keys::Random;

/// Runs of neighbours begin anywhere below this.
const EXTENTS: u64 = 1 << 28;
/// The longest run; all lengths are as likely, so they are 64 in the mean.
const LONGEST: u64 = 127;
/// Sets of keys that are kept for the next run.
const KEPT: usize = 2;

/// So many distinct keys, in the order in which they come in. The last few sets are
/// kept.
pub(crate) fn keys(spread: Spread, count: u64) -> Arc<[u64]> {
    type Made = ((Spread, u64), Arc<[u64]>);
    static MADE: Mutex<Vec<Made>> = Mutex::new(Vec::new());
    let wanted = (spread, count);
    let mut made = MADE.lock().expect("nobody panics with the lock held");
    if let Some((_, keys)) = made.iter().find(|(what, _)| *what == wanted) {
        return Arc::clone(keys);
    }
    let keys = lay(spread, count);
    made.insert(0, (wanted, Arc::clone(&keys)));
    made.truncate(KEPT);
    keys
}

fn lay(spread: Spread, count: u64) -> Arc<[u64]> {
    let mut random = Random::new(count);
    match spread {
        Spread::Dense => (0..count).collect(),
        Spread::Stride64 => (0..count).map(|at| 64 * at).collect(),
        Spread::Stride512 => (0..count).map(|at| 512 * at).collect(),
        Spread::RandomU32 => distinct(count, || std::iter::once(random.below(1 << 32))),
        Spread::RandomU64 => distinct(count, || std::iter::once(random.below(u64::MAX))),
        Spread::Extents => {
            assert!(count <= EXTENTS / 4, "the extents are too crowded");
            distinct(count, || {
                let begin = random.below(EXTENTS - LONGEST);
                begin..begin + 1 + random.below(LONGEST)
            })
        }
    }
}

/// Draws keys, or runs of them, until there are enough.
fn distinct<R: Iterator<Item = u64>>(count: u64, mut draw: impl FnMut() -> R) -> Arc<[u64]> {
    let mut seen = HashSet::with_capacity(count as usize);
    let mut keys = Vec::with_capacity(count as usize);
    while (keys.len() as u64) < count {
        for key in draw() {
            if (keys.len() as u64) < count && seen.insert(key) {
                keys.push(key);
            }
        }
    }
    keys.into()
}

/// The same in no order.
pub(crate) fn shuffled(keys: &[u64]) -> Vec<u64> {
    let mut keys = keys.to_vec();
    let mut random = Random::new(keys.len() as u64);
    for at in (1..keys.len()).rev() {
        keys.swap(at, random.below(at as u64 + 1) as usize);
    }
    keys
}

/// The value of a key: 32 bits that depend on all of it.
#[inline(always)]
pub(crate) fn value(key: u64) -> u64 {
    (key ^ key >> 32 ^ 0x5eed) & 0xffff_ffff
}

/// Checks a value found.
#[inline(always)]
pub(crate) fn inspect(key: u64, found: u64) {
    assert!(found == value(key), "{found} is not the value of {key}");
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn keys_are_distinct_in_every_spread() {
        let _alone = crate::alloc::tests::alone();
        for &spread in Spread::value_variants() {
            let keys = lay(spread, 5000);
            let set: HashSet<u64> = keys.iter().copied().collect();
            assert_eq!((keys.len(), set.len()), (5000, 5000), "{spread:?}");
            let mut again = shuffled(&keys);
            assert_ne!(&again[..], &keys[..]);
            again.sort_unstable();
            let mut sorted = keys.to_vec();
            sorted.sort_unstable();
            assert_eq!(again, sorted);
        }
    }

    #[test]
    fn extents_are_as_long_as_said() {
        let _alone = crate::alloc::tests::alone();
        let keys = lay(Spread::Extents, 100_000);
        assert!(keys.iter().all(|key| *key < EXTENTS));
        let neighbours = keys.windows(2).filter(|pair| pair[1] == pair[0] + 1);
        let extents = 100_000 - neighbours.count();
        let mean = 100_000.0 / extents as f64;
        assert!((mean / 64.0 - 1.0).abs() < 0.1, "{mean}");
    }

    #[test]
    fn a_value_depends_on_all_of_its_key() {
        for bit in 0..64 {
            assert_ne!(value(0), value(1 << bit), "{bit}");
        }
    }
}
