//! Marks: three bits of each entry that can be searched for. An entry that is inserted,
//! or whose value is replaced, begins without marks.

use smr_core::Guard;

use crate::raw::policy::Policy;
use crate::raw::tree::Raw;

impl<P: Policy> Raw<P> {
    /// Sets a mark (0, 1 or 2). `None`: no such entry; else whether it was set before.
    pub(crate) fn set_mark(&self, _key: u64, _mark: u8, _guard: &Guard) -> Option<bool> {
        unimplemented!()
    }

    /// Takes a mark away. `None`: no such entry; else whether it was set before.
    pub(crate) fn clear_mark(&self, _key: u64, _mark: u8, _guard: &Guard) -> Option<bool> {
        unimplemented!()
    }

    /// Whether an entry has a mark. `None`: no such entry.
    pub(crate) fn test_mark(&self, _key: u64, _mark: u8, _guard: &Guard) -> Option<bool> {
        unimplemented!()
    }

    /// Sets a mark on all entries from `first` to `last`, both included; on how many.
    pub(crate) fn set_mark_range(
        &self,
        _first: u64,
        _last: u64,
        _mark: u8,
        _guard: &Guard,
    ) -> usize {
        unimplemented!()
    }
}
