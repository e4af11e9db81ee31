//! Changing one key.

use smr_core::{AllocError, Guard};

use super::Tree;
use super::read::Entry;
use crate::change::{Change, Mismatch, Occupied};
use crate::key::{Key, bits_of};
use crate::raw::{Action, Done, Leaf, NoMemory, Policy};

/// Where there is no error to return for it.
pub(super) fn expect_memory<T, V>(done: Result<T, NoMemory<V>>) -> T {
    match done {
        Ok(done) => done,
        Err(refused) => refused.give_up(),
    }
}

/// Whether these are the same value: by address, or by word.
fn same<'g, P: Policy + 'g>(one: P::Val<'g>, other: P::Val<'g>) -> bool {
    use core::borrow::Borrow;
    let (one, other): (&P::Value, &P::Value) = (one.borrow(), other.borrow());
    if P::INLINE {
        P::to_bits(one) == P::to_bits(other)
    } else {
        core::ptr::eq(one, other)
    }
}

/// See [`Pool::room`](smr_core::Pool::room).
type LeafRoom<P> = smr_core::Room<Leaf<<P as Policy>::Value>>;

type Outcome<'g, P, R> = Result<Done<'g, P, R>, NoMemory<<P as Policy>::Value>>;

impl<K: Key, P: Policy> Tree<K, P> {
    /// Puts the value there if `may` does not say why not; gives it back if it stayed
    /// outside.
    fn put_if<'g, R>(
        &'g self,
        key: K,
        value: P::Value,
        guard: &'g Guard,
        may: impl FnMut(Option<P::Val<'g>>) -> Result<(), R>,
    ) -> (Outcome<'g, P, R>, Option<P::Value>) {
        self.put_into(key, value, guard, None, may)
    }

    /// The same, with room to retire what is replaced.
    fn put_into<'g, R>(
        &'g self,
        key: K,
        value: P::Value,
        guard: &'g Guard,
        room: Option<LeafRoom<P>>,
        mut may: impl FnMut(Option<P::Val<'g>>) -> Result<(), R>,
    ) -> (Outcome<'g, P, R>, Option<P::Value>) {
        let mut waiting = Some(value);
        let done = self.raw.edit_into(bits_of(key), guard, room, |now, late| {
            if late.is_some() {
                waiting = late;
            }
            match may(now) {
                Ok(()) => Action::Put(waiting.take().expect("it came back, or never went")),
                Err(why) => Action::Abort(why),
            }
        });
        (done, waiting)
    }

    /// Puts a value at the key, and returns the one that it replaces. Lock-free.
    ///
    /// Linearizes at the exchange of one slot: a key that is replaced is never absent.
    /// Its marks stay.
    ///
    /// # Panics
    ///
    /// As all methods that write: if the guard is one of another domain, or if a
    /// destructor of a removed value panics that runs on the occasion; the operation has
    /// taken place then.
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::new();
    /// let guard = tree.guard();
    /// assert_eq!(tree.insert(1_u64, 'a', &guard), None);
    /// assert_eq!(tree.insert(1, 'b', &guard), Some(&'a'));
    /// ```
    #[track_caller]
    pub fn insert<'g>(&'g self, key: K, value: P::Value, guard: &'g Guard) -> Option<P::Val<'g>> {
        self.check(guard);
        let (done, _) = self.put_if::<()>(key, value, guard, |_| Ok(()));
        match expect_memory(done) {
            Done::Updated { old, .. } => Some(old),
            _ => None,
        }
    }

    /// As [`insert`](Self::insert), where memory may be refused: also that which what is
    /// replaced waits in is asked for before anything changes, at the cost of an
    /// allocation. (Not in builds with debug assertions, which remember what is retired.)
    ///
    /// # Errors
    ///
    /// [`AllocError`] with the value, if there is no memory for it, for a node that it
    /// needs, or for what is replaced to wait in. Nothing has changed then.
    ///
    /// # Panics
    ///
    /// As [`insert`](Self::insert).
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::new();
    /// let guard = tree.guard();
    /// match tree.try_insert_alloc(1_u64, 'a', &guard) {
    ///     Ok(replaced) => assert_eq!(replaced, None),
    ///     Err(smr_core::AllocError(value)) => println!("no room for {value}"),
    /// }
    /// ```
    #[track_caller]
    pub fn try_insert_alloc<'g>(
        &'g self,
        key: K,
        value: P::Value,
        guard: &'g Guard,
    ) -> Result<Option<P::Val<'g>>, AllocError<P::Value>> {
        self.check(guard);
        let Some(room) = self.raw.leaf_room(guard) else {
            return Err(AllocError(value));
        };
        match self.put_into::<()>(key, value, guard, Some(room), |_| Ok(())) {
            (Ok(Done::Updated { old, .. }), _) => Ok(Some(old)),
            (Ok(_), _) => Ok(None),
            (Err(NoMemory(value)), waiting) => {
                Err(AllocError(value.or(waiting).expect("it was not put")))
            }
        }
    }

    /// Puts a value at the key, and says what was there and which entry comes before it:
    /// what a table of extents asks to know whether the new one joins its neighbour.
    ///
    /// These are two walks from the root, the second of which finds the nodes of the first
    /// in the cache. The predecessor is looked for once the value is there, as by
    /// [`get_lt`](Self::get_lt): what comes between the two at the same time may be missed.
    ///
    /// # Panics
    ///
    /// As [`insert`](Self::insert).
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([(10_u64, 'a')]);
    /// let guard = tree.guard();
    /// let (replaced, before) = tree.insert_with_predecessor(20, 'b', &guard);
    /// assert_eq!((replaced, before), (None, Some((10, &'a'))));
    /// ```
    #[track_caller]
    pub fn insert_with_predecessor<'g>(
        &'g self,
        key: K,
        value: P::Value,
        guard: &'g Guard,
    ) -> (Option<P::Val<'g>>, Option<Entry<'g, K, P>>) {
        let replaced = self.insert(key, value, guard);
        (replaced, self.get_lt(key, guard))
    }

    /// Puts a value at the key, unless there is one, and returns it. Lock-free.
    ///
    /// *Try* is about the key. Where there is no memory the process ends, as in
    /// [`insert`](Self::insert): [`try_insert_alloc`](Self::try_insert_alloc) returns an
    /// error then.
    ///
    /// # Errors
    ///
    /// [`Occupied`], with what is there and what was given. Linearizes as
    /// [`get`](Self::get) then.
    ///
    /// # Panics
    ///
    /// As [`insert`](Self::insert).
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([(1_u64, 'a')]);
    /// let guard = tree.guard();
    /// let taken = tree.try_insert(1, 'b', &guard).unwrap_err();
    /// assert_eq!((taken.current, taken.value), (&'a', 'b'));
    /// assert_eq!(tree.try_insert(2, 'b', &guard), Ok(&'b'));
    /// ```
    #[track_caller]
    pub fn try_insert<'g>(
        &'g self,
        key: K,
        value: P::Value,
        guard: &'g Guard,
    ) -> Result<P::Val<'g>, Occupied<P::Val<'g>, P::Value>> {
        self.check(guard);
        let vacant = |now: Option<_>| now.map_or(Ok(()), Err);
        let (done, waiting) = self.put_if(key, value, guard, vacant);
        match expect_memory(done) {
            Done::Inserted(new) | Done::Updated { new, .. } => Ok(new),
            Done::Aborted(current) | Done::Removed(current) => Err(Occupied {
                current,
                value: waiting.expect("it was not put"),
            }),
        }
    }

    /// The value of the key, which is made if there is none. Lock-free. `make` runs at
    /// most once, and its value is dropped if another thread was faster.
    ///
    /// # Panics
    ///
    /// As [`insert`](Self::insert), and if `make` does; nothing has changed then.
    ///
    /// ```
    /// let tree = smr_radix::InlineTree::from_iter([(1_u64, 'a')]);
    /// let guard = tree.guard();
    /// assert_eq!(tree.get_or_insert_with(1, || unreachable!(), &guard), 'a');
    /// assert_eq!(tree.get_or_insert_with(2, || 'b', &guard), 'b');
    /// ```
    #[track_caller]
    pub fn get_or_insert_with<'g>(
        &'g self,
        key: K,
        make: impl FnOnce() -> P::Value,
        guard: &'g Guard,
    ) -> P::Val<'g> {
        if let Some(found) = self.get(key, guard) {
            return found;
        }
        match self.try_insert(key, make(), guard) {
            Ok(new) => new,
            Err(taken) => taken.current,
        }
    }

    /// Puts a value in place of that of the key, which must be there, and returns the
    /// old one. Lock-free; linearizes at the exchange of one slot.
    ///
    /// It asks for memory: for the new value, unless that stands in a node, for what the
    /// old one waits in, and for a node where it comes to one that is just being replaced.
    /// Where there is none the process ends.
    ///
    /// # Errors
    ///
    /// The value, if the key is absent.
    ///
    /// # Panics
    ///
    /// As [`insert`](Self::insert).
    ///
    /// ```
    /// let tree = smr_radix::InlineTree::from_iter([(1_u64, 'a')]);
    /// let guard = tree.guard();
    /// assert_eq!(tree.replace(1, 'b', &guard), Ok('a'));
    /// assert_eq!(tree.replace(2, 'b', &guard), Err('b'));
    /// ```
    #[track_caller]
    pub fn replace<'g>(
        &'g self,
        key: K,
        value: P::Value,
        guard: &'g Guard,
    ) -> Result<P::Val<'g>, P::Value> {
        self.check(guard);
        let (done, waiting) = self.put_if(key, value, guard, |now| now.map(drop).ok_or(()));
        match expect_memory(done) {
            Done::Updated { old, .. } | Done::Removed(old) => Ok(old),
            Done::Aborted(()) | Done::Inserted(_) => Err(waiting.expect("it was not put")),
        }
    }

    /// Puts a value in place of the one that `current` is, and returns the new one.
    /// Lock-free; linearizes at the exchange of one slot.
    ///
    /// A [`RadixTree`](crate::RadixTree) compares addresses: it must be the very value
    /// that a look-up returned, under a guard that is still held. An
    /// [`InlineTree`](crate::InlineTree) compares values, by their words.
    ///
    /// # Errors
    ///
    /// [`Mismatch`], with what is there and what was given.
    ///
    /// # Panics
    ///
    /// As [`insert`](Self::insert).
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([(1_u64, 'a')]);
    /// let guard = tree.guard();
    /// let seen = tree.get(1, &guard).unwrap();
    /// assert_eq!(tree.compare_exchange(1, seen, 'b', &guard), Ok(&'b'));
    /// let refused = tree.compare_exchange(1, seen, 'c', &guard).unwrap_err();
    /// assert_eq!((refused.current, refused.value), (Some(&'b'), 'c'));
    /// ```
    #[track_caller]
    pub fn compare_exchange<'g>(
        &'g self,
        key: K,
        current: P::Val<'g>,
        new: P::Value,
        guard: &'g Guard,
    ) -> Result<P::Val<'g>, Mismatch<P::Val<'g>, P::Value>> {
        self.check(guard);
        let (done, waiting) = self.put_if(key, new, guard, |now| match now {
            Some(now) if same::<P>(now, current) => Ok(()),
            other => Err(other),
        });
        let current = match expect_memory(done) {
            Done::Updated { new, .. } | Done::Inserted(new) => return Ok(new),
            Done::Aborted(current) => current,
            Done::Removed(current) => Some(current),
        };
        Err(Mismatch {
            current,
            value: waiting.expect("it was not put"),
        })
    }

    /// Puts `f(value)` in place of the value of the key, and returns the new one.
    /// Lock-free. Where another thread changes it meanwhile, `f` runs again.
    ///
    /// # Panics
    ///
    /// As [`insert`](Self::insert), and if `f` does; nothing has changed then.
    ///
    /// ```
    /// let tree = smr_radix::InlineTree::from_iter([(1_u64, 7)]);
    /// let guard = tree.guard();
    /// assert_eq!(tree.update(1, |n| n + 1, &guard), Some(8));
    /// assert_eq!(tree.update(2, |n| n + 1, &guard), None);
    /// ```
    #[track_caller]
    pub fn update<'g>(
        &'g self,
        key: K,
        mut f: impl FnMut(P::Val<'g>) -> P::Value,
        guard: &'g Guard,
    ) -> Option<P::Val<'g>> {
        self.compute(
            key,
            |now| now.map_or(Change::Leave, |now| Change::Put(f(now))),
            guard,
        )
    }

    /// Changes what is at the key, by what `f` says of the value that is there, and
    /// returns what is there afterwards. Lock-free. Where another thread changes it
    /// meanwhile, `f` runs again.
    ///
    /// # Panics
    ///
    /// As [`update`](Self::update).
    ///
    /// ```
    /// use smr_radix::{Change, InlineTree};
    ///
    /// let tree = InlineTree::new();
    /// let guard = tree.guard();
    /// let count = |n: Option<u32>| Change::Put(n.map_or(1, |n| n + 1));
    /// tree.compute(7_u64, count, &guard);
    /// assert_eq!(tree.compute(7, count, &guard), Some(2));
    /// assert_eq!(tree.compute(7, |_| Change::Remove, &guard), None);
    /// ```
    #[track_caller]
    pub fn compute<'g>(
        &'g self,
        key: K,
        mut f: impl FnMut(Option<P::Val<'g>>) -> Change<P::Value>,
        guard: &'g Guard,
    ) -> Option<P::Val<'g>> {
        self.check(guard);
        let done = self
            .raw
            .edit(bits_of(key), guard, |now, _| match (f(now), now) {
                (Change::Put(value), _) => Action::Put(value),
                (Change::Remove, Some(_)) => Action::Remove,
                (Change::Remove | Change::Leave, _) => Action::Abort(now),
            });
        match expect_memory(done) {
            Done::Inserted(new) | Done::Updated { new, .. } => Some(new),
            Done::Removed(_) => None,
            Done::Aborted(now) => now,
        }
    }

    /// Removes the key; its value lives as long as the guard. Lock-free; linearizes at
    /// the exchange of one slot. The marks of the entry are gone with it.
    ///
    /// # Panics
    ///
    /// As [`insert`](Self::insert).
    ///
    /// ```
    /// let tree = smr_radix::RadixTree::from_iter([(1_u64, 'a')]);
    /// let guard = tree.guard();
    /// assert_eq!(tree.remove(1, &guard), Some(&'a'));
    /// assert_eq!(tree.remove(1, &guard), None);
    /// ```
    #[track_caller]
    pub fn remove<'g>(&'g self, key: K, guard: &'g Guard) -> Option<P::Val<'g>> {
        self.remove_if(key, |_| true, guard)
    }

    /// Removes the key if `condition` holds for its value. As [`remove`](Self::remove).
    /// Where the value is replaced meanwhile, `condition` runs again.
    ///
    /// # Panics
    ///
    /// As [`insert`](Self::insert), and if `condition` does; nothing has changed then.
    ///
    /// ```
    /// let tree = smr_radix::InlineTree::from_iter([(1_u64, 7), (2, 8)]);
    /// let guard = tree.guard();
    /// assert_eq!(tree.remove_if(1, |n| n > 7, &guard), None);
    /// assert_eq!(tree.remove_if(2, |n| n > 7, &guard), Some(8));
    /// ```
    #[track_caller]
    pub fn remove_if<'g>(
        &'g self,
        key: K,
        mut condition: impl FnMut(P::Val<'g>) -> bool,
        guard: &'g Guard,
    ) -> Option<P::Val<'g>> {
        self.check(guard);
        let done = self.raw.edit(bits_of(key), guard, |now, _| match now {
            Some(now) if condition(now) => Action::Remove,
            _ => Action::Abort(()),
        });
        match expect_memory(done) {
            Done::Removed(old) => Some(old),
            _ => None,
        }
    }
}
