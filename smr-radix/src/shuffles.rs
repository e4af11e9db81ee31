//! Cases for schedules at random, with more threads and longer than loom can look at.
//!
//! `cargo shuttle` runs them; see CONTRIBUTING.md. Keys are as short as in models and
//! nodes as small, so that they split, fill and collapse all the time; the memory is that
//! of pools, as it is outside of models.

use std::collections::BTreeMap;
use std::sync::Arc;

use smr_core::sync::shuffle::{Counted, Ledger, below, shuffle, thread};
use smr_core::{Domain, Guard};

use crate::raw::{Action, Batch, Boxed, Done, Raw, Walk};

const THREADS: u64 = 4;

/// Keys are below this; models have six bits.
const KEYS: u64 = 64;

/// Keys that are there from the beginning to the end, in subtrees of their own, beside
/// which the others come and go.
const STABLE: [u64; 3] = [9, 29, 59];

/// What a thread knows of one of its keys: the number, and whether it has the mark.
type Own = BTreeMap<u64, (u64, bool)>;

/// Whose key it is. Neighbours are of different threads, so these meet in each node.
fn owner(key: u64) -> Option<u64> {
    (!STABLE.contains(&key)).then_some(key % THREADS)
}

struct Bed {
    tree: Raw<Boxed<Counted>>,
    ledger: Ledger,
}

impl Bed {
    fn find(&self, key: u64, guard: &Guard) -> Option<u64> {
        self.tree.find(key, guard).map(Counted::read)
    }

    /// Changes a key as `change` says; what was there before.
    fn edit(
        &self,
        key: u64,
        guard: &Guard,
        change: impl Fn(Option<u64>) -> Option<u64>,
    ) -> Option<u64> {
        let done = self.tree.edit(key, guard, |now, _| {
            let before = now.map(Counted::read);
            match (before, change(before)) {
                (_, Some(number)) => Action::Put(self.ledger.value(number)),
                (Some(_), None) => Action::Remove,
                (None, None) => Action::Abort(()),
            }
        });
        match done.unwrap_or_else(|refused| refused.give_up()) {
            Done::Updated { old, .. } | Done::Removed(old) => Some(old.read()),
            Done::Inserted(_) | Done::Aborted(()) => None,
        }
    }

    /// All entries, or those with the mark, as a walk up or down meets them.
    fn walk(&self, marked: bool, up: bool, guard: &Guard) -> Vec<(u64, u64)> {
        let mut walk = Walk::new(&self.tree, guard, marked.then_some(0));
        let (first, order) = if up {
            (walk.seek_ge(0), std::cmp::Ordering::Less)
        } else {
            (walk.seek_le(KEYS - 1), std::cmp::Ordering::Greater)
        };
        let items = std::iter::successors(first, |_| if up { walk.next() } else { walk.prev() });
        let all: Vec<_> = items.map(|item| (item.key, item.value.read())).collect();
        let in_order = all.windows(2).all(|two| two[0].0.cmp(&two[1].0) == order);
        assert!(in_order, "each once, in order: {all:?}");
        all
    }

    /// The first entry at or behind a key, or the last at or before it, against what the
    /// caller knows to be there.
    fn nearest(&self, own: &Own, number: u64, key: u64, up: bool, guard: &Guard) {
        let mut walk = Walk::new(&self.tree, guard, None);
        let known = own.keys().copied().chain(STABLE);
        let (met, known) = if up {
            (walk.seek_ge(key), known.filter(|k| *k >= key).min())
        } else {
            (walk.seek_le(key), known.filter(|k| *k <= key).max())
        };
        let met = met.map(|item| (item.key, item.value.read()));
        let Some((met, _)) = met else {
            assert_eq!(known, None, "an entry that is there was passed over");
            return;
        };
        assert_eq!(met >= key, up || met == key, "within bounds");
        if let Some(known) = known {
            assert!(
                if up { met <= known } else { met >= known },
                "{met} was met from {key} on, but {known} is there"
            );
        }
        if owner(met) == Some(number) {
            assert!(own.contains_key(&met), "it is not there");
        }
    }

    /// Does something to a key that only the caller writes to, and to what the caller
    /// knows to be there; both must agree.
    fn one_step(&self, own: &mut Own, number: u64, key: u64, guard: &Guard) {
        let before = own.get(&key).copied();
        let value = before.map(|(value, _)| value);
        let is_own = |(key, _): &(u64, u64)| owner(*key) == Some(number);
        match below(13) {
            0..3 => {
                let new = below(100);
                assert_eq!(self.edit(key, guard, |_| Some(new)), value);
                // An entry that is replaced keeps its marks.
                own.insert(key, (new, before.is_some_and(|(_, marked)| marked)));
            }
            3..6 => {
                assert_eq!(self.edit(key, guard, |_| None), value);
                own.remove(&key);
            }
            6 | 7 => {
                let was_set = self.tree.set_mark(key, 0, guard);
                assert_eq!(was_set, before.map(|(_, marked)| marked));
                own.entry(key).and_modify(|(_, marked)| *marked = true);
            }
            8 => {
                let was_set = self.tree.clear_mark(key, 0, guard);
                assert_eq!(was_set, before.map(|(_, marked)| marked));
                own.entry(key).and_modify(|(_, marked)| *marked = false);
            }
            9 => self.nearest(own, number, below(KEYS), below(2) == 0, guard),
            10 => {
                let (marked, up) = (below(2) == 0, below(2) == 0);
                let mut all = self.walk(marked, up, guard);
                for key in STABLE.iter().filter(|_| !marked) {
                    assert!(all.contains(&(*key, *key)), "{key} was passed over");
                }
                all.retain(is_own);
                all.sort_unstable();
                let known = own
                    .iter()
                    .filter(|(_, (_, is_marked))| !marked || *is_marked);
                assert!(
                    all.iter().copied().eq(known.map(|(k, (n, _))| (*k, *n))),
                    "{all:?} of {own:?}"
                );
            }
            11 => {
                let mut batch = Batch::new(&self.tree, guard);
                let keys = (key..KEYS).step_by(THREADS as usize);
                let keys = keys.filter(|key| owner(*key).is_some());
                for key in keys.take(1 + below(6) as usize) {
                    let new = below(100);
                    let done = batch.put(key, self.ledger.value(new));
                    let is_new = done.unwrap_or_else(|refused| refused.give_up());
                    let before = own.get(&key).copied();
                    assert_eq!(is_new, before.is_none());
                    own.insert(key, (new, before.is_some_and(|(_, marked)| marked)));
                }
            }
            _ => {
                assert_eq!(self.find(key, guard), value);
                let mark = self.tree.test_mark(key, 0, guard);
                assert_eq!(mark, before.map(|(_, marked)| marked));
            }
        }
    }
}

/// Threads write to keys of their own and mark them, and know what they must find; keys
/// that are always there are always found.
#[test]
fn each_thread_finds_what_it_wrote() {
    shuffle(|| {
        let domain = Domain::new();
        let ledger = Ledger::default();
        let bed = Arc::new(Bed {
            tree: Raw::new_in(&domain),
            ledger: ledger.clone(),
        });
        let handle = domain.register();
        for key in STABLE {
            bed.edit(key, &handle.pin(), |_| Some(key));
        }
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                let (bed, domain) = (Arc::clone(&bed), domain.clone());
                thread::spawn(move || {
                    let handle = domain.register();
                    let mut own = Own::new();
                    // Few keys at a time, so that subtrees fill and empty.
                    let first = below(KEYS);
                    for _ in 0..below(40) {
                        let guard = handle.pin();
                        let key = ((first + below(24)) % KEYS) / THREADS * THREADS + number;
                        if owner(key).is_some() {
                            bed.one_step(&mut own, number, key, &guard);
                        }
                        let stable = STABLE[below(3) as usize];
                        assert_eq!(bed.find(stable, &guard), Some(stable), "always there");
                    }
                    own
                })
            })
            .collect();
        let mut expected: Own = STABLE.iter().map(|key| (*key, (*key, false))).collect();
        for thread in threads {
            expected.extend(thread.join().expect("it fails the case"));
        }
        let guard = handle.pin();
        let all = bed.walk(false, true, &guard);
        assert_eq!(all.len(), bed.tree.len(), "the length is that of all");
        let numbers = expected.iter().map(|(key, (number, _))| (*key, *number));
        assert!(all.into_iter().eq(numbers), "all that was written");
        let marked = bed.walk(true, true, &guard);
        let known = expected.iter().filter(|(_, (_, is_marked))| *is_marked);
        let known = known.map(|(key, (number, _))| (*key, *number));
        assert!(marked.into_iter().eq(known), "all that was marked");
        drop(guard);
        drop((handle, bed));
        ledger.check();
    });
}
