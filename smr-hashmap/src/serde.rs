//! Maps and sets as `serde` sees them. (Feature `serde`.)

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::guard::Guard;
use crate::map::HashMap;
use crate::map_ref::HashMapRef;
use crate::set::{HashSet, HashSetRef};

/// The most entries that are made room for on the word of the input, in bytes.
const TRUSTED_BYTES: usize = 1 << 20;

/// What an entry takes of the table, however small it is.
const LEAST_BYTES: usize = 16;

fn room<T>(hint: Option<usize>) -> usize {
    let most = TRUSTED_BYTES / size_of::<T>().max(LEAST_BYTES);
    hint.unwrap_or(0).min(most)
}

/// Writes the number of entries only if it is known before they are seen: others
/// may change the map meanwhile, and a format that trusts it would be misled. So
/// they are counted as they are gathered.
impl<K: Serialize, V: Serialize, S, G: Guard> Serialize for HashMapRef<'_, K, V, S, G> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let entries: Vec<_> = self.iter().collect();
        serializer.collect_map(entries)
    }
}

impl<K: Serialize, V: Serialize, S> Serialize for HashMap<K, V, S> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        self.pin().serialize(serializer)
    }
}

impl<K: Serialize, S, G: Guard> Serialize for HashSetRef<'_, K, S, G> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let keys: Vec<_> = self.iter().collect();
        serializer.collect_seq(keys)
    }
}

impl<K: Serialize, S> Serialize for HashSet<K, S> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        self.pin().serialize(serializer)
    }
}

impl<'de, K, V, S> Deserialize<'de> for HashMap<K, V, S>
where
    K: Deserialize<'de> + Hash + Eq,
    V: Deserialize<'de>,
    S: BuildHasher + Default,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MapVisitor(PhantomData))
    }
}

struct MapVisitor<K, V, S>(PhantomData<HashMap<K, V, S>>);

impl<'de, K, V, S> Visitor<'de> for MapVisitor<K, V, S>
where
    K: Deserialize<'de> + Hash + Eq,
    V: Deserialize<'de>,
    S: BuildHasher + Default,
{
    type Value = HashMap<K, V, S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let room = room::<(K, V)>(access.size_hint());
        let map = HashMap::with_capacity_and_hasher(room, S::default());
        {
            let map = map.pin();
            while let Some((key, value)) = access.next_entry()? {
                map.insert(key, value);
            }
        }
        Ok(map)
    }
}

impl<'de, K, S> Deserialize<'de> for HashSet<K, S>
where
    K: Deserialize<'de> + Hash + Eq,
    S: BuildHasher + Default,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(SetVisitor(PhantomData))
    }
}

struct SetVisitor<K, S>(PhantomData<HashSet<K, S>>);

impl<'de, K, S> Visitor<'de> for SetVisitor<K, S>
where
    K: Deserialize<'de> + Hash + Eq,
    S: BuildHasher + Default,
{
    type Value = HashSet<K, S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence of keys")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let room = room::<K>(access.size_hint());
        let set = HashSet::with_capacity_and_hasher(room, S::default());
        {
            let set = set.pin();
            while let Some(key) = access.next_element()? {
                set.insert(key);
            }
        }
        Ok(set)
    }
}
