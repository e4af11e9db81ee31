//! An entry: look first, then change.

use std::fmt;
use std::hash::{BuildHasher, Hash};

use crate::map::{HashMap, once};
use crate::raw::{self, Action, Computed};

/// The entry of a key, as it was when it was asked for;
/// [`HashMap::entry`](crate::HashMap::entry) returns it.
///
/// Nothing is locked. Others may change the entry between the look and the change,
/// so the changes say what they did: those of this type do as they are named
/// whatever is there by then, atomically; those of [`OccupiedEntry`] and
/// [`VacantEntry`] do it only if the entry is still what was seen.
///
/// ```
/// use smr_hashmap::{Entry, HashMap};
///
/// let map = HashMap::from([("a", 1)]);
/// let guard = map.guard();
/// match map.entry("a", &guard) {
///     Entry::Occupied(entry) => assert_eq!(entry.try_replace(2).unwrap(), &2),
///     Entry::Vacant(_) => unreachable!(),
/// }
/// assert_eq!(map.entry("b", &guard).or_insert(7), &7);
/// ```
pub enum Entry<'g, K, V, S> {
    /// The key was there.
    Occupied(OccupiedEntry<'g, K, V, S>),
    /// The key was absent.
    Vacant(VacantEntry<'g, K, V, S>),
}

/// An [`Entry`] that was there.
pub struct OccupiedEntry<'g, K, V, S> {
    place: Place<'g, K, V, S>,
    entry: &'g raw::Entry<K, V>,
}

/// An [`Entry`] that was not there.
pub struct VacantEntry<'g, K, V, S> {
    place: Place<'g, K, V, S>,
}

struct Place<'g, K, V, S> {
    map: &'g HashMap<K, V, S>,
    section: &'g smr_core::Guard,
    key: K,
}

impl<'g, K, V, S> Entry<'g, K, V, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    pub(crate) fn new(map: &'g HashMap<K, V, S>, key: K, section: &'g smr_core::Guard) -> Self {
        let found = map.find(&key, section);
        let place = Place { map, section, key };
        match found {
            Some(entry) => Self::Occupied(OccupiedEntry { place, entry }),
            None => Self::Vacant(VacantEntry { place }),
        }
    }

    /// The value of the key; `value` is put there if the key is absent.
    pub fn or_insert(self, value: V) -> &'g V {
        self.or_insert_with(|| value)
    }

    /// As [`or_insert`](Self::or_insert), with a value that is made if it is
    /// wanted.
    pub fn or_insert_with<F: FnOnce() -> V>(self, f: F) -> &'g V {
        match self {
            Self::Occupied(entry) => entry.get(),
            Self::Vacant(VacantEntry {
                place: Place { map, section, key },
            }) => map.get_or_insert_with(key, f, section),
        }
    }

    /// As [`or_insert`](Self::or_insert), with the value that is its type's
    /// default.
    pub fn or_default(self) -> &'g V
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }

    /// Replaces the value by what `f` makes of it, if the key is there; as
    /// [`HashMap::update`].
    #[must_use = "what comes next sees the change"]
    pub fn and_modify<F>(self, f: F) -> Self
    where
        F: FnMut(&V) -> V,
        K: Clone,
    {
        let Self::Occupied(OccupiedEntry { place, .. }) = self else {
            return self;
        };
        let Place { map, section, key } = place;
        match map.update_in(key.clone(), f, section) {
            Some(entry) => {
                let place = Place { map, section, key };
                Self::Occupied(OccupiedEntry { place, entry })
            }
            None => Self::Vacant(VacantEntry {
                place: Place { map, section, key },
            }),
        }
    }

    /// The key that was asked for.
    pub fn key(&self) -> &K {
        match self {
            Self::Occupied(entry) => &entry.place.key,
            Self::Vacant(entry) => &entry.place.key,
        }
    }
}

impl<'g, K, V, S> OccupiedEntry<'g, K, V, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    /// The value that was seen. It stays as it is while the guard lives, whatever
    /// becomes of the entry.
    #[must_use]
    pub fn get(&self) -> &'g V {
        &self.entry.value
    }

    /// The key in the map.
    #[must_use]
    pub fn key(&self) -> &'g K {
        &self.entry.key
    }

    /// Puts `value` in the place of the one that was seen, and returns it.
    ///
    /// # Errors
    ///
    /// The value, if the entry is no longer the one that was seen.
    pub fn try_replace(self, value: V) -> Result<&'g V, V> {
        let Place { map, section, key } = self.place;
        let mut value = Some(value);
        let mut seen = self.entry;
        let computed = map.compute_in(key, section, |current, spare| {
            let value = spare.unwrap_or_else(|| once(&mut value));
            match current {
                Some(now) if std::ptr::eq(now, seen) => Action::Put(value),
                _ => Action::Abort(value),
            }
        });
        match computed {
            Computed::Aborted(value) => Err(value),
            other => {
                seen = other.present();
                Ok(&seen.value)
            }
        }
    }

    /// Removes the entry that was seen, and returns it.
    ///
    /// # Errors
    ///
    /// The entry, if it is no longer in the map.
    pub fn try_remove(self) -> Result<(&'g K, &'g V), (&'g K, &'g V)> {
        let Place { map, section, key } = self.place;
        let seen = self.entry;
        match map.remove_in(&key, section, |now| std::ptr::eq(now, seen)) {
            Ok(Some(removed)) => Ok(removed.pair()),
            Ok(None) | Err(_) => Err(seen.pair()),
        }
    }
}

impl<'g, K, V, S> VacantEntry<'g, K, V, S>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    /// The key that was asked for.
    #[must_use]
    pub fn key(&self) -> &K {
        &self.place.key
    }

    /// The key that was asked for, back.
    #[must_use]
    pub fn into_key(self) -> K {
        self.place.key
    }

    /// Puts `value` there, and returns it.
    ///
    /// # Errors
    ///
    /// [`OccupiedError`](crate::OccupiedError), if the key is there by now.
    pub fn try_insert(self, value: V) -> Result<&'g V, crate::OccupiedError<'g, V>> {
        let Place { map, section, key } = self.place;
        map.try_insert(key, value, section)
    }
}

impl<K: fmt::Debug, V: fmt::Debug, S> fmt::Debug for Entry<'_, K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Occupied(entry) => entry.fmt(f),
            Self::Vacant(entry) => entry.fmt(f),
        }
    }
}

impl<K: fmt::Debug, V: fmt::Debug, S> fmt::Debug for OccupiedEntry<'_, K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OccupiedEntry")
            .field("key", &self.entry.key)
            .field("value", &self.entry.value)
            .finish_non_exhaustive()
    }
}

impl<K: fmt::Debug, V, S> fmt::Debug for VacantEntry<'_, K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VacantEntry").field(&self.place.key).finish()
    }
}
