//! Bounds of a range of keys, as numbers.

use core::ops::{Bound, RangeBounds};

use crate::key::{Key, bits_of, last};

/// The first and the last number within bounds; `None` if there is none.
///
/// # Panics
///
/// As `BTreeMap` does: if the start is behind the end, or both are the same key and
/// excluded.
#[track_caller]
pub(crate) fn interval<K: Key>(bounds: impl RangeBounds<K>) -> Option<(u64, u64)> {
    let start = bounds.start_bound().map(|key| bits_of(*key));
    let end = bounds.end_bound().map(|key| bits_of(*key));
    if let (Bound::Excluded(start), Bound::Excluded(end)) = (start, end) {
        assert!(
            start != end,
            "the range begins and ends at the same key, and excludes it"
        );
    }
    if let (
        Bound::Included(start) | Bound::Excluded(start),
        Bound::Included(end) | Bound::Excluded(end),
    ) = (start, end)
    {
        assert!(start <= end, "the range begins behind its end");
    }
    let from = match start {
        Bound::Included(start) => start,
        Bound::Excluded(start) => start.checked_add(1)?,
        Bound::Unbounded => 0,
    };
    let to = match end {
        Bound::Included(end) => end,
        Bound::Excluded(end) => end.checked_sub(1)?,
        Bound::Unbounded => last::<K>(),
    };
    (from <= to).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Bounds = (Bound<u8>, Bound<u8>);

    /// What a scan through all keys says.
    fn scanned(bounds: Bounds) -> Option<(u64, u64)> {
        let mut within = (0..=u8::MAX)
            .filter(|key| bounds.contains(key))
            .map(u64::from);
        let first = within.next()?;
        Some((first, within.next_back().unwrap_or(first)))
    }

    #[test]
    fn intervals_are_what_the_bounds_contain_and_nothing_wraps() {
        let edges = [0, 1, 2, 127, 128, 253, 254, 255];
        let every = |key| [Bound::Included(key), Bound::Excluded(key), Bound::Unbounded];
        for (start, end) in edges
            .iter()
            .flat_map(|a| edges.iter().map(move |b| (*a, *b)))
        {
            for start in every(start) {
                for end in every(end) {
                    // One that is empty refuses nothing.
                    let map = std::collections::BTreeMap::from([(7_u8, ())]);
                    let refused =
                        std::panic::catch_unwind(|| map.range((start, end)).count()).is_err();
                    let ours = std::panic::catch_unwind(|| interval::<u8>((start, end)));
                    assert_eq!(ours.is_err(), refused, "{start:?} {end:?}");
                    if let Ok(ours) = ours {
                        assert_eq!(ours, scanned((start, end)), "{start:?} {end:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn signed_keys_are_within_bounds_in_their_own_order() {
        assert_eq!(interval::<i8>(-1..=1), Some((127, 129)));
        assert_eq!(interval::<i8>(..), Some((0, 255)));
        assert_eq!(interval::<i64>(i64::MAX..), Some((u64::MAX, u64::MAX)));
        assert_eq!(interval::<i64>(..i64::MIN), None);
    }
}
