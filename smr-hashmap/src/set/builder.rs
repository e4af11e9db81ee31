//! [`HashSetBuilder`].

use std::fmt;

use smr_core::Domain;

use crate::builder::HashMapBuilder;
use crate::map::DefaultHashBuilder;
use crate::set::HashSet;

/// What a [`HashSet`] is to be like; [`HashSet::builder`] returns it.
///
/// ```
/// use smr_hashmap::HashSet;
///
/// let set: HashSet<String> = HashSet::builder().capacity(100).build();
/// assert!(set.capacity() >= 100);
/// ```
#[must_use = "`build` makes the set"]
pub struct HashSetBuilder<K, S = DefaultHashBuilder>(HashMapBuilder<K, (), S>);

impl<K> HashSetBuilder<K> {
    pub(crate) fn new() -> Self {
        Self(HashMapBuilder::new())
    }
}

impl<K, S> HashSetBuilder<K, S> {
    /// As [`HashMapBuilder::hasher`].
    pub fn hasher<H>(self, hasher: H) -> HashSetBuilder<K, H> {
        HashSetBuilder(self.0.hasher(hasher))
    }

    /// As [`HashMapBuilder::capacity`].
    pub fn capacity(self, capacity: usize) -> Self {
        Self(self.0.capacity(capacity))
    }

    /// As [`HashMapBuilder::domain`].
    pub fn domain(self, domain: Domain) -> Self {
        Self(self.0.domain(domain))
    }

    /// As [`HashMapBuilder::collector`].
    pub fn collector(self, collector: Domain) -> Self {
        self.domain(collector)
    }

    /// As [`HashMapBuilder::dropped_by_domain`].
    pub fn dropped_by_domain(self) -> Self
    where
        K: Send + 'static,
    {
        Self(self.0.dropped_by_domain())
    }

    /// The set.
    ///
    /// # Panics
    ///
    /// If there is no memory for the capacity.
    #[must_use]
    pub fn build(self) -> HashSet<K, S> {
        self.0.build().into()
    }
}

impl<K, S> fmt::Debug for HashSetBuilder<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HashSetBuilder").field(&self.0).finish()
    }
}
