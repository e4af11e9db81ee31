//! Whose lists are compared.
//!
//! [`Walk`] is what a look-up needs, so that a list without threads can show the
//! limit; [`Ordered`] adds what writers do. [`Sequence`] is a queue or a stack,
//! [`Handles`] a list whose elements are removed by handle, [`Readable`] a list that
//! is read while it is written. As with the reclaiming subjects, no call in a
//! measured loop is dynamic.
//!
//! An operation is the subject's plainest call for it, with whatever that call needs:
//! a pin, a guard, a lock, for each anew.

use super::Subject;

pub(crate) mod handles;
pub(crate) mod harris;
pub(crate) mod locks;
pub(crate) mod plain;
pub(crate) mod queues;
pub(crate) mod readable;
pub(crate) mod skiplist;
pub(crate) mod smr;
pub(crate) mod stacks;

/// A map in order, from `u64` to `u64`, that threads read together.
pub(crate) trait Walk: Subject + Sync + Sized + 'static {
    /// An empty one.
    fn new() -> Self;
    /// Inserts a new key while nobody else is there.
    fn put(&mut self, key: u64, value: u64);
    /// Looks a key up.
    fn get(&self, key: u64) -> Option<u64>;
    /// How many there are, and whether their keys grow.
    fn audit(&self) -> (u64, bool);
    /// Frees what the reclamation still holds. The list is gone.
    fn settle() {}
}

/// A map in order that threads write as well.
pub(crate) trait Ordered: Walk {
    /// Whether it says exactly what it inserted and removed. Where it does not, what
    /// is alive is not known, and so neither is the overhead.
    const COUNTED: bool = true;

    /// Inserts, unless the key is there; whether it did.
    fn insert(&self, key: u64, value: u64) -> bool;
    /// Removes; whether the key was there.
    fn remove(&self, key: u64) -> bool;
}

/// A queue or a stack.
pub(crate) trait Sequence: Subject + Sync + Sized + 'static {
    /// An empty one.
    fn new() -> Self;
    /// Puts a value in.
    fn push(&self, value: u64);
    /// Takes one out.
    fn pop(&self) -> Option<u64>;
    /// Frees what the reclamation still holds. All are gone.
    fn settle() {}
}

/// A list whose elements are removed by handle.
pub(crate) trait Handles: Subject + Sync + Sized + 'static {
    /// What removes an element.
    type Handle: Send;
    /// An empty one.
    fn new() -> Self;
    /// Puts a value in at the front.
    fn push(&self, value: u64) -> Self::Handle;
    /// Removes an element; gives its value.
    fn remove(&self, handle: Self::Handle) -> u64;
    /// How many elements there are.
    fn count(&self) -> u64;
    /// Frees what the reclamation still holds. All are gone.
    fn settle() {}
}

/// A list that is read as a whole, while one thread writes.
pub(crate) trait Readable: Subject + Sync + Sized + 'static {
    /// One with these values.
    fn of(values: std::ops::Range<u64>) -> Self;
    /// Visits all.
    fn visit(&self, each: impl FnMut(u64));
    /// Takes the first value out and puts another at the end.
    fn rotate(&self, value: u64);
    /// Whether it may be written while it is read.
    const WRITTEN: bool = true;
    /// Bytes that were retired and wait for readers, where it tells. May stop the writer
    /// for a moment.
    fn retired_bytes(&self) -> Option<usize> {
        None
    }
}

/// Frees what crossbeam-epoch's global collector still holds.
pub(crate) fn settle_epoch() {
    for _ in 0..64 {
        crossbeam_epoch::pin().flush();
    }
}

/// Frees what sdd's global collector still holds.
pub(crate) fn settle_sdd() {
    for _ in 0..64 {
        sdd::Guard::new().accelerate();
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! What every adapter must pass.

    use std::collections::VecDeque;

    use super::*;

    /// The read side tells what was put in.
    pub(crate) fn reads_what_was_put<L: Walk>() {
        let mut list = L::new();
        assert_eq!(
            (list.get(1), list.audit()),
            (None, (0, true)),
            "{}",
            L::NAME
        );
        for key in [5, 1, 9, 3, 7] {
            list.put(key, key * 2);
        }
        assert_eq!((list.get(7), list.get(8)), (Some(14), None), "{}", L::NAME);
        assert_eq!(list.audit(), (5, true), "{}", L::NAME);
    }

    /// The write side says rightly whether a key was there.
    pub(crate) fn writes_as_told<L: Ordered>() {
        reads_what_was_put::<L>();
        let list = L::new();
        assert!(!list.remove(1), "{}", L::NAME);
        for key in [4, 2, 6] {
            assert!(list.insert(key, 10 * key), "{}", L::NAME);
        }
        assert!(!list.insert(2, 5), "{}", L::NAME);
        assert_eq!(list.get(2), Some(20), "{}", L::NAME);
        assert!(list.remove(2), "{}", L::NAME);
        assert!(!list.remove(2), "{}", L::NAME);
        assert_eq!(
            (list.get(2), list.audit()),
            (None, (2, true)),
            "{}",
            L::NAME
        );
    }

    /// Values come out in the right order.
    pub(crate) fn comes_out<S: Sequence>(first_first: bool) {
        let (sequence, mut model) = (S::new(), VecDeque::new());
        assert_eq!(sequence.pop(), None, "{}", S::NAME);
        for value in 0..50 {
            sequence.push(value);
            model.push_back(value);
            if value % 3 == 0 {
                let expected = if first_first {
                    model.pop_front()
                } else {
                    model.pop_back()
                };
                assert_eq!(sequence.pop(), expected, "{}", S::NAME);
            }
        }
        while let Some(value) = if first_first {
            model.pop_front()
        } else {
            model.pop_back()
        } {
            assert_eq!(sequence.pop(), Some(value), "{}", S::NAME);
        }
    }

    /// A handle removes what was pushed with it.
    pub(crate) fn removes_by_handle<H: Handles>() {
        let list = H::new();
        let mut handles: Vec<_> = (0..100).map(|value| (value, list.push(value))).collect();
        for at in [50, 0, 97, 3] {
            let (value, handle) = handles.remove(at);
            assert_eq!(list.remove(handle), value, "{}", H::NAME);
        }
        assert_eq!(list.count(), 96, "{}", H::NAME);
    }

    /// All are visited, in order.
    pub(crate) fn visits_in_order<R: Readable>() {
        let list = R::of(0..10);
        let mut expected: Vec<u64> = (0..10).collect();
        if R::WRITTEN {
            list.rotate(10);
            expected = (1..11).collect();
        }
        let mut seen = Vec::new();
        list.visit(|value| seen.push(value));
        assert_eq!(seen, expected, "{}", R::NAME);
    }

    /// What was taken out under a reader is told.
    pub(crate) fn tells_what_waits<R: Readable>() {
        let list = R::of(0..10);
        assert_eq!(list.retired_bytes(), Some(0), "{}", R::NAME);
        list.visit(|value| {
            if value == 0 {
                list.rotate(10);
                assert!(list.retired_bytes() > Some(0), "{}", R::NAME);
            }
        });
    }
}
