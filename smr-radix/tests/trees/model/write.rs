//! Steps that change a key, or many.

use smr_radix::Change;

use super::*;

impl<K: TestKey, T: Kind> Play<K, T> {
    pub(super) fn insert(&mut self, step: Step, key: K) {
        let number = step.number;
        let value = || T::value(number);
        let known = self.get(key);
        let mut more = Vec::new();
        {
            let tree = &self.tree;
            let guard = tree.guard();
            match step.what {
                What::Insert => {
                    assert_eq!(tree.insert(key, value(), &guard).map(T::number), known);
                }
                What::TryInsertAlloc => {
                    let old = tree
                        .try_insert_alloc(key, value(), &guard)
                        .expect("there is memory");
                    assert_eq!(old.map(T::number), known);
                }
                What::TryInsert => match tree.try_insert(key, value(), &guard) {
                    Ok(new) => assert_eq!((T::number(new), known), (number, None)),
                    Err(taken) => {
                        assert_eq!(Some(T::number(taken.current)), known);
                        assert_eq!(T::owned(&taken.value), number);
                    }
                },
                What::GetOrInsert => {
                    let found = tree.get_or_insert_with(key, value, &guard);
                    assert_eq!(T::number(found), known.unwrap_or(number));
                }
                What::InsertWithPredecessor => {
                    let (old, before) = tree.insert_with_predecessor(key, value(), &guard);
                    assert_eq!(old.map(T::number), known);
                    let right = self.map.range(..key).next_back().map(plain);
                    assert_eq!(before.map(entry::<K, T>), right);
                }
                _ => {
                    let keys = self.keys.iter().skip(step.b as usize % self.keys.len());
                    more.extend(keys.take(20).copied());
                    if number.is_multiple_of(2) {
                        more.sort_unstable();
                    }
                    let entries = more.iter().map(|key| (*key, value()));
                    let mut new: Vec<K> = more.clone();
                    new.sort_unstable();
                    new.dedup();
                    let new = new.iter().filter(|key| self.get(**key).is_none()).count();
                    assert_eq!(tree.insert_batch(entries, &guard), new);
                }
            }
        }
        match step.what {
            What::InsertBatch => more.into_iter().for_each(|key| _ = self.put(key, number)),
            What::TryInsert | What::GetOrInsert if known.is_some() => {}
            _ => _ = self.put(key, number),
        }
    }

    pub(super) fn change(&mut self, step: Step, key: K) {
        let number = step.number;
        let known = self.get(key);
        let tree = &self.tree;
        let guard = tree.guard();
        match step.what {
            What::Replace => {
                let said = tree.replace(key, T::value(number), &guard);
                assert_eq!(
                    said.map(T::number).map_err(|value| T::owned(&value)),
                    known.ok_or(number)
                );
                drop(guard);
                if known.is_some() {
                    self.put(key, number);
                }
            }
            What::CompareExchange => {
                // The right value, that of another key, or one that is gone.
                let other = self.key(step.b);
                let expected = tree.get(if number.is_multiple_of(2) { key } else { other }, &guard);
                let Some(expected) = expected else { return };
                let same = number.is_multiple_of(2)
                    || other == key
                    || known == Some(T::number(expected)) && !T::BY_REFERENCE;
                let said = tree.compare_exchange(key, expected, T::value(number), &guard);
                let said = said.map(T::number);
                let said = said.map_err(|no| (no.current.map(T::number), T::owned(&no.value)));
                drop(guard);
                if same && known.is_some() {
                    assert_eq!(said, Ok(number));
                    self.put(key, number);
                } else {
                    assert_eq!(said, Err((known, number)));
                }
            }
            What::Update => {
                let add = |old: u32| old.wrapping_add(number);
                let now = tree.update(key, |old| T::value(add(T::number(old))), &guard);
                assert_eq!(now.map(T::number), known.map(add));
                drop(guard);
                if let Some(old) = known {
                    self.put(key, add(old));
                }
            }
            _ => {
                let change = |now: Option<u32>| match (now, number % 4) {
                    (_, 0) => Change::Leave,
                    (_, 1) => Change::Remove,
                    (now, _) => Change::Put(now.map_or(number, |now| now ^ number)),
                };
                let told = |now: Option<Ref<'_, T>>| match change(now.map(T::number)) {
                    Change::Put(number) => Change::Put(T::value(number)),
                    Change::Remove => Change::Remove,
                    Change::Leave => Change::Leave,
                };
                let now = tree.compute(key, told, &guard).map(T::number);
                drop(guard);
                match change(known) {
                    Change::Put(number) => _ = self.put(key, number),
                    Change::Remove => _ = self.remove(key),
                    Change::Leave => {}
                }
                assert_eq!(now, self.get(key));
            }
        }
    }

    pub(super) fn take(&mut self, step: Step, key: K) {
        let number = step.number;
        let known = self.get(key);
        let goes = |value: u32| value % 3 == number % 3;
        let bounds = self.bounds(step);
        let tree = &mut self.tree;
        match step.what {
            What::Remove => {
                let guard = tree.guard();
                assert_eq!(tree.remove(key, &guard).map(T::number), known);
                self.map.remove(&key);
            }
            What::RemoveIf => {
                let guard = tree.guard();
                let gone = tree.remove_if(key, |value| goes(T::number(value)), &guard);
                assert_eq!(gone.map(T::number), known.filter(|value| goes(*value)));
                if known.is_some_and(goes) {
                    self.map.remove(&key);
                }
            }
            What::RemoveRange => {
                let gone: Vec<K> = self.map.range(bounds).map(|(key, _)| *key).collect();
                assert_eq!(tree.remove_range(bounds, &tree.guard()), gone.len());
                gone.iter().for_each(|key| _ = self.map.remove(key));
            }
            What::Retain => {
                tree.retain(|_, value| !goes(T::number(value)), &tree.guard());
                self.map.retain(|_, (value, _)| !goes(*value));
            }
            What::Clear => {
                tree.clear(&tree.guard());
                self.map.clear();
            }
            _ => {
                let drained = tree.drain().map(|(key, value)| (key, T::owned(&value)));
                if number.is_multiple_of(2) {
                    assert!(drained.eq(self.map.iter().map(plain)));
                } else {
                    assert!(drained.take(3).eq(self.map.iter().take(3).map(plain)));
                }
                self.map.clear();
            }
        }
    }
}
