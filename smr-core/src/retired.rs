//! What debug builds remember of a pool: the addresses of items that are retired, to
//! notice one that is retired twice.
//!
//! Where there is no memory for an address, it is not remembered, and a second retire of
//! that item goes unnoticed: pools promise to do without memory, and so does this.

use alloc::vec::Vec;

/// Not an address.
const NONE: usize = 0;

/// A set of addresses: open addressing, at most half full.
#[derive(Debug, Default)]
pub(crate) struct Retired {
    /// Their number is a power of two, or none.
    places: Vec<usize>,
    len: usize,
}

impl Retired {
    /// Whether it was not remembered before.
    pub(crate) fn insert(&mut self, address: usize) -> bool {
        debug_assert_ne!(address, NONE);
        if self.find(address).is_some() {
            return false;
        }
        if (self.len + 1) * 2 > self.places.len() && self.grow().is_none() {
            return true;
        }
        self.put(address);
        true
    }

    pub(crate) fn remove(&mut self, address: usize) {
        let Some(mut gap) = self.find(address) else {
            return;
        };
        self.places[gap] = NONE;
        self.len -= 1;
        // What stands behind the gap and was to stand at it, or before, moves there.
        let mut at = self.after(gap);
        while self.places[at] != NONE {
            let home = self.home(self.places[at]);
            let mask = self.places.len() - 1;
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(gap) & mask {
                self.places.swap(at, gap);
                gap = at;
            }
            at = self.after(at);
        }
    }

    fn find(&self, address: usize) -> Option<usize> {
        if self.places.is_empty() {
            return None;
        }
        let mut at = self.home(address);
        while self.places[at] != address {
            if self.places[at] == NONE {
                return None;
            }
            at = self.after(at);
        }
        Some(at)
    }

    /// Of an address that is not there, where there is room.
    fn put(&mut self, address: usize) {
        let mut at = self.home(address);
        while self.places[at] != NONE {
            at = self.after(at);
        }
        self.places[at] = address;
        self.len += 1;
    }

    /// `None` if there is no memory.
    fn grow(&mut self) -> Option<()> {
        let len = (self.places.len() * 2).max(16);
        let mut places = Vec::new();
        places.try_reserve_exact(len).ok()?;
        places.resize(len, NONE);
        self.len = 0;
        for address in core::mem::replace(&mut self.places, places) {
            if address != NONE {
                self.put(address);
            }
        }
        Some(())
    }

    fn home(&self, address: usize) -> usize {
        // The upper bits of a product with the golden ratio depend on all of the factor.
        let hash = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        hash as usize & (self.places.len() - 1)
    }

    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.places.len() - 1)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::collections::BTreeSet;

    use super::Retired;

    #[test]
    fn it_remembers_what_came_and_did_not_go() {
        let (mut retired, mut model) = (Retired::default(), BTreeSet::new());
        let mut random = 1_u64;
        for step in 0..20_000 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let address = 16 * (1 + (random >> 33) as usize % 300);
            if random >> 63 == 0 {
                assert_eq!(retired.insert(address), model.insert(address), "{step}");
            } else {
                retired.remove(address);
                model.remove(&address);
            }
        }
        assert_eq!(retired.len, model.len());
        for address in model {
            assert!(!retired.insert(address), "it is remembered");
            retired.remove(address);
        }
        assert!(retired.places.iter().all(|place| *place == super::NONE));
    }
}
