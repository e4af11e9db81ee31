//! Lists in serde's data model: sequences, and a map for [`OrderedList`].

use core::fmt;
use core::marker::PhantomData;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{List, OrderedList, OrderedSet, Queue, RcuList, Stack};

impl<K: Ord + Serialize, V: Serialize> Serialize for OrderedList<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let guard = self.guard();
        // Counted first: formats may want the length, which may change meanwhile.
        let entries: Vec<_> = self.iter(&guard).collect();
        serializer.collect_map(entries)
    }
}

impl<'de, K: Ord + Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for OrderedList<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<K, V>(PhantomData<(K, V)>);
        impl<'de, K: Ord + Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for Entries<K, V> {
            type Value = OrderedList<K, V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let list = OrderedList::new();
                while let Some((key, value)) = map.next_entry()? {
                    list.insert(key, value, &list.guard());
                }
                Ok(list)
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

struct Elements<C, T>(PhantomData<(C, T)>);

impl<'de, C: Extend<T> + Default, T: Deserialize<'de>> Visitor<'de> for Elements<C, T> {
    type Value = C;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<C, A::Error> {
        let mut list = C::default();
        while let Some(value) = seq.next_element()? {
            list.extend([value]);
        }
        Ok(list)
    }
}

/// Stacks grow at the front: to read what was written, the last comes first.
macro_rules! sequence {
    ($name:ident, $from:expr, $($bound:tt)*) => {
        impl<T: Serialize + $($bound)*> Serialize for $name<T> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let guard = self.guard();
                let elements: Vec<&T> = self.iter(&guard).collect();
                serializer.collect_seq(elements)
            }
        }

        impl<'de, T: Deserialize<'de> + $($bound)*> Deserialize<'de> for $name<T> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let elements = deserializer.deserialize_seq(Elements::<Vec<T>, T>(PhantomData))?;
                let from: fn(Vec<T>) -> Self = $from;
                Ok(from(elements))
            }
        }
    };
}

sequence!(OrderedSet, |elements| elements.into_iter().collect(), Ord);
sequence!(Queue, |elements| elements.into_iter().collect(), Sized);
sequence!(RcuList, |elements| elements.into_iter().collect(), Sized);
sequence!(
    Stack,
    |elements| elements.into_iter().rev().collect(),
    Sized
);
sequence!(List, |elements| elements.into_iter().rev().collect(), Sized);
