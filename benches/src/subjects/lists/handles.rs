//! Lists whose elements are removed by handle, beside ours.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use sdd::{AtomicShared, Guard, LinkedList, Shared};

use super::Handles;
use crate::subjects::Subject;

/// An entry that is linked by sdd's trait `LinkedList`, which scc offers as well.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    link: AtomicShared<Self>,
    value: u64,
}

impl LinkedList for Entry {
    fn link_ref(&self) -> &AtomicShared<Self> {
        &self.link
    }
}

/// A head that stays, and what is behind it.
///
/// A handle shares its entry. Deleted entries are unlinked by who walks past them, so
/// a removal looks at the first, as the trait has it.
#[derive(Debug)]
pub(crate) struct Sdd(Shared<Entry>);

impl Subject for Sdd {
    const NAME: &'static str = "sdd-linkedlist";
    const ABOUT: &'static str = "entries of sdd::LinkedList behind a head";
}

impl Handles for Sdd {
    type Handle = Shared<Entry>;

    fn new() -> Self {
        Self(Shared::new(Entry::default()))
    }

    #[inline(always)]
    fn push(&self, value: u64) -> Shared<Entry> {
        let entry = Shared::new(Entry {
            link: AtomicShared::null(),
            value,
        });
        let guard = Guard::new();
        let pushed = self.0.push_back(entry.clone(), false, Release, &guard);
        assert!(pushed.is_ok(), "the head is never deleted");
        entry
    }

    #[inline(always)]
    fn remove(&self, handle: Shared<Entry>) -> u64 {
        assert!(handle.delete_self(Relaxed), "a handle removes once");
        self.0.next_ptr(Acquire, &Guard::new());
        handle.value
    }

    fn count(&self) -> u64 {
        let guard = Guard::new();
        let mut count = 0;
        let mut at = self.0.next_ptr(Acquire, &guard);
        while let Some(entry) = at.as_ref() {
            count += 1;
            at = entry.next_ptr(Acquire, &guard);
        }
        count
    }

    fn settle() {
        super::settle_sdd();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapter_does_as_told() {
        crate::subjects::lists::testing::removes_by_handle::<Sdd>();
    }
}
