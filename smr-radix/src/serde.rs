//! Trees in serde's data model: a map, in the order of the keys. Marks are left out.

use core::borrow::Borrow;
use core::fmt;
use core::marker::PhantomData;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::key::Key;
use crate::raw::Policy;
use crate::tree::Tree;

impl<K: Key + Serialize, P: Policy<Value: Serialize>> Serialize for Tree<K, P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let guard = self.guard();
        // Counted first: formats may want the length, which may change meanwhile.
        let entries: Vec<_> = self.iter(&guard).collect();
        let mut map = serializer.serialize_map(Some(entries.len()))?;
        for (key, value) in &entries {
            map.serialize_entry(key, value.borrow())?;
        }
        map.end()
    }
}

impl<'de, K, P> Deserialize<'de> for Tree<K, P>
where
    K: Key + Deserialize<'de>,
    P: Policy<Value: Deserialize<'de>>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<K, P>(PhantomData<fn() -> (K, P)>);
        impl<'de, K, P> Visitor<'de> for Entries<K, P>
        where
            K: Key + Deserialize<'de>,
            P: Policy<Value: Deserialize<'de>>,
        {
            type Value = Tree<K, P>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from integers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let tree = Tree::new();
                while let Some((key, value)) = map.next_entry()? {
                    tree.insert(key, value, &tree.guard());
                }
                Ok(tree)
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}
