//! Structures with keys: the map, the ordered list, the radix tree. Hand `i` of `n` has the keys
//! that are `i` modulo `n`.

use std::collections::{BTreeMap, HashMap as Std};

use fastrand::Rng;
use smr_core::{Domain, Guard};
use smr_hashmap::{Compute, HashMap, Operation};
use smr_list::OrderedList;
use smr_list::ordered_list::Change;
use smr_radix::{Mark, RadixTree};

use super::{Run, Soaked};
use crate::ledger::Value;

/// What maps have in common.
pub(super) trait Keyed: Sync {
    /// Keys of a hand.
    const KEYS: u64;
    /// Whether keys come in order.
    const ORDERED: bool;

    fn get<'g>(&'g self, key: u64, guard: &'g Guard) -> Option<&'g Value>;
    fn insert<'g>(&'g self, key: u64, value: Value, guard: &'g Guard) -> Option<&'g Value>;
    /// The value, and whether it is the new one.
    fn try_insert<'g>(&'g self, key: u64, value: Value, guard: &'g Guard) -> (&'g Value, bool);
    fn remove<'g>(&'g self, key: u64, guard: &'g Guard) -> Option<&'g Value>;
    fn remove_if<'g>(
        &'g self,
        key: u64,
        which: impl Fn(u64) -> bool,
        guard: &'g Guard,
    ) -> Option<&'g Value>;
    fn update<'g>(
        &'g self,
        key: u64,
        new: impl Fn() -> Value,
        guard: &'g Guard,
    ) -> Option<&'g Value>;
    /// Removes if there, inserts if not; returns whether it is there now.
    fn toggle(&self, key: u64, new: impl Fn() -> Value, guard: &Guard) -> bool;
    fn visit<'g>(&'g self, guard: &'g Guard, see: impl FnMut(u64, &'g Value));
    fn resize(&self, rng: &mut Rng, guard: &Guard);
    fn flush(&self);
}

/// The soak of a map.
pub(super) struct Maps<M>(M);

pub(super) fn map(domain: &Domain, by_domain: bool) -> Maps<HashMap<u64, Value>> {
    let builder = HashMap::builder().domain(domain.clone());
    Maps(match by_domain {
        true => builder.dropped_by_domain().build(),
        false => builder.build(),
    })
}

pub(super) fn ordered(domain: &Domain) -> Maps<OrderedList<u64, Value>> {
    Maps(OrderedList::new_in(domain))
}

pub(super) fn radix(domain: &Domain) -> Maps<RadixTree<u64, Value>> {
    Maps(RadixTree::new_in(domain))
}

/// What a hand knows.
pub(super) struct Hand {
    index: u64,
    /// Its entries: key, number of the value.
    mine: BTreeMap<u64, u64>,
    /// Numbers rise.
    number: u64,
    /// How many of its keys it uses now: maps grow and shrink.
    range: u64,
    /// Of keys of others, the number last seen: they do not fall.
    others: Std<u64, u64>,
}

impl<M: Keyed> Maps<M> {
    fn see(&self, run: &Run, hand: &mut Hand, key: u64, value: &Value) {
        let (of, number) = value.look();
        run.expect(of == key, || format!("under {key} was the value of {of}"));
        let last = hand.others.entry(key).or_default();
        let before = *last;
        run.expect(number >= before, || {
            format!("of {key}, {number} was seen after {before}")
        });
        *last = number;
    }

    fn walk(&self, run: &Run, hand: &mut Hand, guard: &Guard) {
        let hands = run.config.threads as u64;
        let mut mine = BTreeMap::new();
        let mut last = None;
        let mut others = Vec::new();
        self.0.visit(guard, |key, value| {
            if M::ORDERED {
                run.expect(last < Some(key), || format!("{key} came after {last:?}"));
                last = Some(key);
            }
            if key % hands == hand.index {
                let before = mine.insert(key, value.look().1);
                run.expect(before.is_none(), || format!("{key} was seen twice"));
            } else {
                others.push((key, value));
            }
        });
        run.expect(mine == hand.mine, || {
            format!("an iteration saw {mine:?}, where there was {:?}", hand.mine)
        });
        for (key, value) in others {
            self.see(run, hand, key, value);
        }
    }
}

impl<M: Keyed> Soaked for Maps<M> {
    type Hand = Hand;

    fn hand(&self, _: &Run, index: usize) -> Hand {
        Hand {
            index: index as u64,
            mine: BTreeMap::new(),
            number: 0,
            range: M::KEYS,
            others: Std::new(),
        }
    }

    fn step(&self, run: &Run, hand: &mut Hand, rng: &mut Rng, guard: &Guard) {
        let hands = run.config.threads as u64;
        let key = rng.u64(..hand.range) * hands + hand.index;
        hand.number += 1;
        let number = hand.number;
        let new = || run.value(key, number);
        let known = hand.mine.get(&key).copied();
        let answer = |found: Option<&Value>| {
            let found = found.map(Value::look);
            let right = known.map(|number| (key, number));
            run.expect(found == right, || {
                format!("the answer was {found:?}, and {right:?} is right")
            });
        };
        match rng.u32(..100) {
            0..30 => answer(self.0.get(key, guard)),
            30..40 => {
                let any = rng.u64(..M::KEYS * hands);
                if let Some(value) = self.0.get(any, guard)
                    && any % hands != hand.index
                {
                    self.see(run, hand, any, value);
                }
            }
            40..58 => {
                answer(self.0.insert(key, new(), guard));
                hand.mine.insert(key, number);
            }
            58..66 => {
                let (found, inserted) = self.0.try_insert(key, new(), guard);
                if !inserted {
                    answer(Some(found));
                }
                run.expect(inserted == known.is_none(), || {
                    format!("it inserted: {inserted}; there was {known:?}")
                });
                hand.mine.entry(key).or_insert(number);
            }
            66..82 => {
                let removed = self.0.remove(key, guard);
                removed.map(Value::take);
                answer(removed);
                hand.mine.remove(&key);
            }
            82..86 => {
                let odd = self.0.remove_if(key, |number| number % 2 == 1, guard);
                if known.is_some_and(|number| number % 2 == 1) {
                    answer(odd);
                    hand.mine.remove(&key);
                } else {
                    run.expect(odd.is_none(), || format!("{odd:?} was removed"));
                }
            }
            86..92 => {
                let found = self.0.update(key, new, guard).map(Value::look);
                let right = known.map(|_| (key, number));
                run.expect(found == right, || {
                    format!("an update gave {found:?}, and {right:?} is right")
                });
                hand.mine.entry(key).and_modify(|known| *known = number);
            }
            92..98 => {
                let there = self.0.toggle(key, new, guard);
                run.expect(there == known.is_none(), || "it was toggled wrongly".into());
                if there {
                    hand.mine.insert(key, number);
                } else {
                    hand.mine.remove(&key);
                }
            }
            98 if rng.u32(..20) == 0 => self.walk(run, hand, guard),
            99 if rng.u32(..40) == 0 => {
                // Few keys for a while, or many.
                hand.range = if rng.bool() { M::KEYS } else { M::KEYS / 16 };
                let gone: Vec<u64> = hand.mine.keys().copied().collect();
                for key in gone.into_iter().filter(|key| key / hands >= hand.range) {
                    let known = hand.mine.remove(&key);
                    let found = self.0.remove(key, guard).map(Value::take);
                    run.expect(found == known.map(|number| (key, number)), || {
                        format!("{found:?} was removed, and {known:?} was there")
                    });
                }
                self.0.resize(rng, guard);
            }
            _ => {}
        }
    }

    fn survey<'g>(&'g self, run: &Run, guard: &'g Guard) -> Vec<&'g Value> {
        let mut kept = Vec::new();
        let mut seen = Std::new();
        self.0.visit(guard, |key, value| {
            let (of, number) = value.look();
            run.expect(of == key, || format!("under {key} was the value of {of}"));
            // A key may be removed and inserted again while it goes on.
            let before = seen.insert(key, number);
            run.expect(before.is_none_or(|before| before < number), || {
                format!("{key} was seen with {before:?}, and then with {number}")
            });
            if kept.len() < 100 {
                kept.push(value);
            }
        });
        kept
    }

    fn close(&self, run: &Run, hands: Vec<Hand>, guard: &Guard) -> u64 {
        let right: BTreeMap<u64, u64> = hands.into_iter().flat_map(|hand| hand.mine).collect();
        let mut found = BTreeMap::new();
        self.0.visit(guard, |key, value| {
            let before = found.insert(key, value.look().1);
            run.expect(before.is_none(), || format!("{key} is there twice"));
        });
        run.expect(found == right, || {
            format!(
                "{} entries are left, {} are right",
                found.len(),
                right.len()
            )
        });
        found.len() as u64
    }

    fn flush(&self) {
        self.0.flush();
    }

    fn most(&self) -> u64 {
        M::KEYS
    }
}

/// What all do in the same words, but for how they are asked for a key.
macro_rules! alike {
    ($key:ident => $asked:expr) => {
        fn insert<'g>(&'g self, $key: u64, value: Value, guard: &'g Guard) -> Option<&'g Value> {
            self.insert($key, value, guard)
        }

        fn try_insert<'g>(
            &'g self,
            $key: u64,
            value: Value,
            guard: &'g Guard,
        ) -> (&'g Value, bool) {
            match self.try_insert($key, value, guard) {
                Ok(new) => (new, true),
                Err(taken) => (taken.current, false),
            }
        }

        fn remove<'g>(&'g self, $key: u64, guard: &'g Guard) -> Option<&'g Value> {
            self.remove($asked, guard)
        }

        fn flush(&self) {
            self.flush();
        }
    };
}

impl Keyed for HashMap<u64, Value> {
    const KEYS: u64 = 1000;
    const ORDERED: bool = false;

    alike!(key => &key);

    fn get<'g>(&'g self, key: u64, guard: &'g Guard) -> Option<&'g Value> {
        self.get(&key, guard)
    }

    fn remove_if<'g>(
        &'g self,
        key: u64,
        which: impl Fn(u64) -> bool,
        guard: &'g Guard,
    ) -> Option<&'g Value> {
        let removed = self.remove_if(&key, |_, value| which(value.look().1), guard);
        removed.ok().flatten().map(|(_, value)| value)
    }

    fn update<'g>(
        &'g self,
        key: u64,
        new: impl Fn() -> Value,
        guard: &'g Guard,
    ) -> Option<&'g Value> {
        self.update(key, |_| new(), guard)
    }

    fn toggle(&self, key: u64, new: impl Fn() -> Value, guard: &Guard) -> bool {
        let toggle = |entry: Option<(&u64, &Value)>| match entry {
            Some(_) => Operation::Remove,
            None => Operation::<_, ()>::Insert(new()),
        };
        matches!(
            self.compute(key, toggle, guard),
            Compute::Inserted(..) | Compute::Updated { .. }
        )
    }

    fn visit<'g>(&'g self, guard: &'g Guard, mut see: impl FnMut(u64, &'g Value)) {
        self.iter(guard).for_each(|(key, value)| see(*key, value));
    }

    fn resize(&self, rng: &mut Rng, guard: &Guard) {
        match rng.u32(..4) {
            0 => self.shrink_to_fit(guard),
            1 => self.reserve(2000, guard),
            _ => {}
        }
    }
}

impl Keyed for OrderedList<u64, Value> {
    const KEYS: u64 = 32;
    const ORDERED: bool = true;

    alike!(key => &key);

    fn get<'g>(&'g self, key: u64, guard: &'g Guard) -> Option<&'g Value> {
        self.get(&key, guard)
    }

    fn remove_if<'g>(
        &'g self,
        key: u64,
        which: impl Fn(u64) -> bool,
        guard: &'g Guard,
    ) -> Option<&'g Value> {
        self.remove_if(&key, |value| which(value.look().1), guard)
    }

    fn update<'g>(
        &'g self,
        key: u64,
        new: impl Fn() -> Value,
        guard: &'g Guard,
    ) -> Option<&'g Value> {
        self.update(&key, |_| new(), guard)
    }

    fn toggle(&self, key: u64, new: impl Fn() -> Value, guard: &Guard) -> bool {
        let toggle = |value: Option<&Value>| match value {
            Some(_) => Change::Remove,
            None => Change::Put(new()),
        };
        self.compute(key, toggle, guard).is_some()
    }

    fn visit<'g>(&'g self, guard: &'g Guard, mut see: impl FnMut(u64, &'g Value)) {
        self.iter(guard).for_each(|(key, value)| see(*key, value));
    }

    fn resize(&self, _: &mut Rng, _: &Guard) {}
}

impl Keyed for RadixTree<u64, Value> {
    const KEYS: u64 = 1000;
    const ORDERED: bool = true;

    alike!(key => key);

    fn get<'g>(&'g self, key: u64, guard: &'g Guard) -> Option<&'g Value> {
        // Every way of looking up, by the key's turn.
        let entry = match key % 4 {
            0 => self.get_ge(key, guard),
            1 => self.get_le(key, guard),
            2 => self.range(key..=key, guard).next(),
            _ => return self.get(key, guard),
        };
        entry.filter(|entry| entry.0 == key).map(|entry| entry.1)
    }

    fn remove_if<'g>(
        &'g self,
        key: u64,
        which: impl Fn(u64) -> bool,
        guard: &'g Guard,
    ) -> Option<&'g Value> {
        self.remove_if(key, |value| which(value.look().1), guard)
    }

    fn update<'g>(
        &'g self,
        key: u64,
        new: impl Fn() -> Value,
        guard: &'g Guard,
    ) -> Option<&'g Value> {
        self.update(key, |_| new(), guard)
    }

    fn toggle(&self, key: u64, new: impl Fn() -> Value, guard: &Guard) -> bool {
        let toggle = |value: Option<&Value>| match value {
            Some(_) => smr_radix::Change::Remove,
            None => smr_radix::Change::Put(new()),
        };
        self.compute(key, toggle, guard).is_some()
    }

    fn visit<'g>(&'g self, guard: &'g Guard, mut see: impl FnMut(u64, &'g Value)) {
        self.iter(guard).for_each(|(key, value)| see(key, value));
    }

    fn resize(&self, rng: &mut Rng, guard: &Guard) {
        let mark = Mark::ALL[rng.usize(..3)];
        match rng.u32(..3) {
            0 => _ = self.set_mark_range(rng.u64(..500)..5000, mark, guard),
            1 => self.iter_marked(mark, guard).for_each(|(key, _)| {
                self.clear_mark(key, mark, guard);
            }),
            _ => {}
        }
    }
}
