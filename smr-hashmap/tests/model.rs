//! Random sequences of operations, against the map of `std`.
//!
//! `PROPTEST_CASES=5000 cargo test -p smr-hashmap --test model` is the deep form.

mod support;

use std::collections::HashMap as Std;
use std::hash::{BuildHasher, RandomState};

use proptest::collection::vec;
use proptest::prelude::*;
use smr_core::Domain;
use smr_hashmap::{Compute, DefaultHashBuilder, Entry, Guard, HashMap, HashMapRef, Operation};
use support::Constant;

#[derive(Debug, Clone)]
enum Op {
    Insert(u8, u32),
    TryInsert(u8, u32),
    GetOrInsertWith(u8, u32),
    Update(u8, u32),
    UpdateOrInsert(u8, u32),
    /// What is inserted where the key is absent, and where it is present; `None`:
    /// abort, or remove.
    Compute(u8, Option<u32>, Option<u32>),
    Remove(u8),
    RemoveIf(u8, u32),
    Get(u8),
    GetMany(Vec<u8>),
    InsertMany(Vec<(u8, u32)>),
    EntryOrInsert(u8, u32),
    EntryReplace(u8, u32),
    Retain(u32),
    Clear,
    Reserve(u16),
    ShrinkToFit,
    Flush,
    Refresh,
    Check,
    Drain,
    IterMut(u32),
    Clone,
}

fn op() -> impl Strategy<Value = Op> {
    let key = any::<u8>;
    let value = 0..1000_u32;
    prop_oneof![
        20 => (key(), value.clone()).prop_map(|(k, v)| Op::Insert(k, v)),
        5 => (key(), value.clone()).prop_map(|(k, v)| Op::TryInsert(k, v)),
        5 => (key(), value.clone()).prop_map(|(k, v)| Op::GetOrInsertWith(k, v)),
        5 => (key(), value.clone()).prop_map(|(k, v)| Op::Update(k, v)),
        5 => (key(), value.clone()).prop_map(|(k, v)| Op::UpdateOrInsert(k, v)),
        5 => (key(), any::<Option<u32>>(), any::<Option<u32>>())
            .prop_map(|(k, absent, present)| Op::Compute(k, absent, present)),
        15 => key().prop_map(Op::Remove),
        5 => (key(), value.clone()).prop_map(|(k, v)| Op::RemoveIf(k, v)),
        10 => key().prop_map(Op::Get),
        2 => vec(key(), 0..40).prop_map(Op::GetMany),
        2 => vec((key(), value.clone()), 0..60).prop_map(Op::InsertMany),
        3 => (key(), value.clone()).prop_map(|(k, v)| Op::EntryOrInsert(k, v)),
        3 => (key(), value.clone()).prop_map(|(k, v)| Op::EntryReplace(k, v)),
        1 => value.clone().prop_map(Op::Retain),
        1 => Just(Op::Clear),
        1 => (0..600_u16).prop_map(Op::Reserve),
        1 => Just(Op::ShrinkToFit),
        1 => Just(Op::Flush),
        1 => Just(Op::Refresh),
        2 => Just(Op::Check),
        1 => Just(Op::Drain),
        1 => value.prop_map(Op::IterMut),
        1 => Just(Op::Clone),
    ]
}

type Model = Std<u8, u32>;
type Outcome = Result<(), TestCaseError>;

fn check<S: BuildHasher, G: Guard>(map: &HashMapRef<'_, u8, u32, S, G>, model: &Model) -> Outcome {
    prop_assert_eq!(map.len(), model.len());
    prop_assert_eq!(map.is_empty(), model.is_empty());
    let mut found = Model::new();
    for (key, value) in map {
        prop_assert_eq!(found.insert(*key, *value), None, "{} was seen twice", key);
    }
    prop_assert_eq!(&found, model);
    for key in 0..=255 {
        prop_assert_eq!(map.get(&key), model.get(&key));
    }
    Ok(())
}

/// An operation through a shared reference.
fn apply<S: BuildHasher, G: Guard>(
    map: &HashMapRef<'_, u8, u32, S, G>,
    model: &mut Model,
    op: &Op,
) -> Outcome {
    match *op {
        Op::Insert(k, v) => prop_assert_eq!(map.insert(k, v).copied(), model.insert(k, v)),
        Op::TryInsert(k, v) => match model.get(&k) {
            Some(old) => {
                let error = map.try_insert(k, v).unwrap_err();
                prop_assert_eq!((error.current, error.not_inserted), (old, v));
            }
            None => {
                prop_assert_eq!(map.try_insert(k, v), Ok(&v));
                model.insert(k, v);
            }
        },
        Op::GetOrInsertWith(k, v) => {
            prop_assert_eq!(
                *map.get_or_insert_with(k, || v),
                *model.entry(k).or_insert(v)
            );
        }
        Op::Update(k, v) => {
            let new = model.get_mut(&k).map(|old| {
                *old = old.wrapping_add(v);
                &*old
            });
            prop_assert_eq!(map.update(k, |old| old.wrapping_add(v)), new);
        }
        Op::UpdateOrInsert(k, v) => {
            let new = model.entry(k).and_modify(|old| *old ^= v).or_insert(v);
            prop_assert_eq!(map.update_or_insert(k, |old| old ^ v, v), new);
        }
        Op::Compute(k, absent, present) => {
            let outcome = map.compute(k, |entry| match (entry, absent, present) {
                (None, Some(new), _) | (Some(_), _, Some(new)) => Operation::Insert(new),
                (None, None, _) => Operation::Abort("absent"),
                (Some(_), _, None) => Operation::Remove,
            });
            let old = model.get(&k).copied();
            let expected = match (&old, &absent, &present) {
                (None, Some(new), _) => Compute::Inserted(&k, new),
                (None, None, _) => Compute::Aborted("absent"),
                (Some(old), _, Some(new)) => Compute::Updated {
                    old: (&k, old),
                    new: (&k, new),
                },
                (Some(old), _, None) => Compute::Removed(&k, old),
            };
            prop_assert_eq!(outcome, expected);
            match (old, absent, present) {
                (None, Some(new), _) | (Some(_), _, Some(new)) => drop(model.insert(k, new)),
                (Some(_), _, None) => drop(model.remove(&k)),
                (None, None, _) => {}
            }
        }
        Op::Remove(k) => prop_assert_eq!(map.remove(&k).copied(), model.remove(&k)),
        Op::RemoveIf(k, v) => {
            let outcome = map.remove_if(&k, |_, value| *value < v);
            match model.get(&k).copied() {
                None => prop_assert_eq!(outcome, Ok(None)),
                Some(old) if old < v => {
                    prop_assert_eq!(outcome, Ok(Some((&k, &old))));
                    model.remove(&k);
                }
                Some(old) => prop_assert_eq!(outcome, Err((&k, &old))),
            }
        }
        Op::Get(k) => {
            prop_assert_eq!(map.get_key_value(&k), model.get_key_value(&k));
            prop_assert_eq!(map.contains_key(&k), model.contains_key(&k));
        }
        Op::GetMany(ref keys) => {
            let many: Vec<_> = map.get_many(keys).collect();
            let single: Vec<_> = keys.iter().map(|key| model.get(key)).collect();
            prop_assert_eq!(many, single);
        }
        Op::InsertMany(ref entries) => {
            let new = map.insert_many(entries.iter().copied());
            let expected = entries
                .iter()
                .filter(|(k, v)| model.insert(*k, *v).is_none())
                .count();
            prop_assert_eq!(new, expected);
        }
        Op::EntryOrInsert(k, v) => {
            let ours = *map.entry(k).and_modify(|old| old / 2).or_insert(v);
            let theirs = model.entry(k).and_modify(|old| *old /= 2).or_insert(v);
            prop_assert_eq!(ours, *theirs);
        }
        Op::EntryReplace(k, v) => match map.entry(k) {
            Entry::Occupied(entry) => {
                prop_assert_eq!(Some(entry.get()), model.get(&k));
                prop_assert_eq!(entry.try_replace(v), Ok(&v));
                model.insert(k, v);
            }
            Entry::Vacant(entry) => {
                prop_assert!(!model.contains_key(&k));
                prop_assert_eq!(entry.try_insert(v), Ok(&v));
                model.insert(k, v);
            }
        },
        Op::Retain(v) => {
            map.retain(|_, value| *value >= v);
            model.retain(|_, value| *value >= v);
        }
        Op::Clear => {
            map.clear();
            model.clear();
        }
        Op::Reserve(n) => {
            map.reserve(n.into());
            prop_assert!(map.map().capacity() >= map.len() + usize::from(n));
        }
        Op::ShrinkToFit => map.shrink_to_fit(),
        Op::Flush => map.map().flush(),
        Op::Check | Op::Refresh | Op::Drain | Op::IterMut(_) | Op::Clone => {}
    }
    Ok(())
}

fn run<S: BuildHasher + Clone>(mut map: HashMap<u8, u32, S>, ops: &[Op], owned: bool) -> Outcome {
    let mut model = Model::new();
    // Operations that need the map for themselves end a section.
    let mut left = ops;
    while !left.is_empty() {
        let alone = |op: &Op| matches!(op, Op::Drain | Op::IterMut(_) | Op::Clone);
        let count = left.iter().position(alone).unwrap_or(left.len());
        let (shared, rest) = left.split_at(count);
        if owned {
            section(map.pin_owned(), &mut model, shared)?;
        } else {
            section(map.pin(), &mut model, shared)?;
        }
        match rest.first() {
            Some(Op::Drain) => {
                let taken: Model = map.drain().collect();
                prop_assert_eq!(&taken, &model);
                model.clear();
            }
            Some(Op::IterMut(v)) => {
                map.iter_mut().for_each(|(_, value)| *value ^= v);
                model.values_mut().for_each(|value| *value ^= v);
            }
            Some(_) => {
                let copy = map.clone();
                prop_assert!(copy == map);
                map = copy;
            }
            None => {}
        }
        left = rest.get(1..).unwrap_or_default();
    }
    check(&map.pin(), &model)?;
    let taken: Model = map.into_iter().collect();
    prop_assert_eq!(taken, model);
    Ok(())
}

fn section<S: BuildHasher, G: Guard>(
    mut map: HashMapRef<'_, u8, u32, S, G>,
    model: &mut Model,
    ops: &[Op],
) -> Outcome {
    for op in ops {
        apply(&map, model, op)?;
        match op {
            Op::Check => check(&map, model)?,
            Op::Refresh => map.refresh(),
            _ => {}
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(200)
    ))]

    #[test]
    fn it_does_as_the_map_of_std(ops in vec(op(), 0..300), owned: bool) {
        run(HashMap::with_hasher(DefaultHashBuilder::default()), &ops, owned)?;
    }

    #[test]
    fn so_it_does_where_all_hashes_are_equal(ops in vec(op(), 0..120), owned: bool) {
        run(HashMap::with_hasher(Constant), &ops, owned)?;
    }

    #[test]
    fn so_it_does_in_a_domain_of_its_own_that_may_drop(ops in vec(op(), 0..200), owned: bool) {
        let map = HashMap::builder()
            .domain(Domain::new())
            .hasher(RandomState::new())
            .capacity(64)
            .dropped_by_domain()
            .build();
        run(map, &ops, owned)?;
    }
}
