//! Steps that look.

use super::*;

impl<K: TestKey, T: Kind> Play<K, T> {
    pub(super) fn look(&self, step: Step, key: K) {
        let (tree, map) = (&self.tree, &self.map);
        let guard = tree.guard();
        match step.what {
            What::Neighbours => {
                let above = (Bound::Excluded(key), Bound::Unbounded);
                let ge = tree.get_ge(key, &guard).map(entry::<K, T>);
                assert_eq!(ge, map.range(key..).next().map(plain));
                let gt = tree.get_gt(key, &guard).map(entry::<K, T>);
                assert_eq!(gt, map.range(above).next().map(plain));
                let le = tree.get_le(key, &guard).map(entry::<K, T>);
                assert_eq!(le, map.range(..=key).next_back().map(plain));
                let lt = tree.get_lt(key, &guard).map(entry::<K, T>);
                assert_eq!(lt, map.range(..key).next_back().map(plain));
                let first = tree.first(&guard).map(entry::<K, T>);
                assert_eq!(first, map.first_key_value().map(plain));
                let last = tree.last(&guard).map(entry::<K, T>);
                assert_eq!(last, map.last_key_value().map(plain));
            }
            What::Range => {
                let bounds = self.bounds(step);
                let ours = tree.range(bounds, &guard).map(entry::<K, T>);
                assert!(ours.eq(map.range(bounds).map(plain)), "{bounds:?}");
                let ours = tree.range(bounds, &guard).rev().map(entry::<K, T>);
                assert!(ours.eq(map.range(bounds).rev().map(plain)), "{bounds:?}");
                assert!(tree.keys(&guard).rev().eq(map.keys().rev().copied()));
                let values = map.values().map(|(number, _)| *number);
                assert!(tree.values(&guard).map(T::number).eq(values));
            }
            What::RangeFromBothEnds => {
                let bounds = self.bounds(step);
                let mut ours = tree.range(bounds, &guard).map(entry::<K, T>);
                let mut theirs = map.range(bounds).map(plain);
                // By the bits of a number, from the one end or from the other.
                for turn in 0..map.len() + 2 {
                    if step.a >> (turn % 64) & 1 == 0 {
                        assert_eq!(ours.next(), theirs.next(), "{bounds:?}");
                    } else {
                        assert_eq!(ours.next_back(), theirs.next_back(), "{bounds:?}");
                    }
                }
            }
            What::Contiguous => {
                let max = step.b as usize % 70;
                let ours = tree.contiguous(key, max, &guard).map(entry::<K, T>);
                let run = std::iter::successors(Some(key), |key| key.successor());
                let theirs = run.map_while(|key| Some((key, self.get(key)?))).take(max);
                assert!(ours.eq(theirs));
            }
            What::NextGap => {
                let mut keys = std::iter::successors(Some(key), |key| key.successor());
                let gap = keys.find(|key| !map.contains_key(key));
                assert_eq!(tree.next_gap(key, &guard), gap);
            }
            _ => self.walk(step, key),
        }
    }

    fn walk(&self, step: Step, key: K) {
        let (tree, map) = (&self.tree, &self.map);
        let guard = tree.guard();
        let mut cursor = tree.cursor(key, &guard);
        let mut right = map.range(key..).next().map(plain);
        for turn in 0..20 {
            let here = cursor
                .key()
                .map(|key| (key, T::number(cursor.value().expect("a key has one"))));
            assert_eq!(here, right);
            assert_eq!(cursor.still_current(), right.is_some());
            let Some((at, _)) = right else {
                // Beyond the last: the one before is the last.
                right = map.last_key_value().map(plain);
                assert_eq!(cursor.prev().map(entry::<K, T>), right);
                continue;
            };
            match step.b >> (2 * turn) & 3 {
                0 => {
                    right = map.range(..at).next_back().map(plain);
                    assert_eq!(cursor.prev().map(entry::<K, T>), right);
                    if right.is_none() {
                        right = map.first_key_value().map(plain);
                        assert_eq!(cursor.next().map(entry::<K, T>), right);
                    }
                }
                1 => cursor = tree.resume(cursor.pause(), &guard),
                2 if turn % 5 == 0 => {
                    let key = self.key(step.b.rotate_left(turn));
                    right = map.range(key..).next().map(plain);
                    assert_eq!(cursor.seek(key).map(entry::<K, T>), right);
                }
                _ => {
                    let above = (Bound::Excluded(at), Bound::Unbounded);
                    right = map.range(above).next().map(plain);
                    assert_eq!(cursor.next().map(entry::<K, T>), right);
                }
            }
        }
    }
}
