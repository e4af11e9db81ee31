//! The map itself: look up, insert, compute.

use core::ptr::{self, NonNull};
use std::alloc::{Layout, handle_alloc_error};

use smr_core::sync::{AtomicPtr, Ordering};
use smr_core::{Guard, Pool, PoolBox, try_box};

use crate::ord;
use crate::raw::block::BlockRef;
use crate::raw::body::{Body, publish_first};
use crate::raw::edit::Edit;
use crate::raw::entry::{Entry, Hash};
use crate::raw::prefetch;
use crate::raw::resize::{OnUnwind, Panics};
use crate::raw::table::{Table, Word};
use crate::tunables::MIN_BITS;

/// A map without a hasher: callers bring the hash, and say which key is theirs.
///
/// The guards that are passed in are sections of the pool's domain; the caller sees
/// to that.
pub(crate) struct RawMap<K, V> {
    /// The current table; null in a map that never held anything.
    pub(crate) root: AtomicPtr<Table>,
    /// Made before the first table.
    body: AtomicPtr<Body>,
    pub(crate) pool: Pool<Entry<K, V>>,
}

// SAFETY: the map owns its keys and values.
unsafe impl<K: Send, V: Send> Send for RawMap<K, V> {}
// SAFETY: it hands out shared references to keys and values, and takes values from
// any thread that are dropped on any other.
unsafe impl<K: Send + Sync, V: Send + Sync> Sync for RawMap<K, V> {}

/// What is to become of a key.
pub(crate) enum Action<V, R> {
    /// It gets this value.
    Put(V),
    /// It goes. It must be there.
    Remove,
    /// Nothing.
    Abort(R),
}

/// What became of it.
pub(crate) enum Computed<'g, K, V, R> {
    Inserted(&'g Entry<K, V>),
    Updated {
        old: &'g Entry<K, V>,
        new: &'g Entry<K, V>,
    },
    Removed(&'g Entry<K, V>),
    Aborted(R),
}

/// What an insertion did.
pub(crate) enum Inserted<'g, K, V> {
    New(&'g Entry<K, V>),
    Replaced {
        old: &'g Entry<K, V>,
        new: &'g Entry<K, V>,
    },
    Exists {
        current: &'g Entry<K, V>,
        value: V,
    },
}

/// Where an entry was found: in which block of the chain, and where in it.
pub(crate) struct Found<'g, K, V> {
    pub(crate) block: usize,
    pub(crate) place: usize,
    pub(crate) item: NonNull<Entry<K, V>>,
    pub(crate) entry: &'g Entry<K, V>,
}

/// A bucket that may be written, as it was seen.
struct Spot<'g, K, V> {
    table: &'g Table,
    bucket: usize,
    word: Word,
    found: Option<Found<'g, K, V>>,
}

impl<K, V> Spot<'_, K, V> {
    /// The entry that was found. As long as it is the same, the key was not written
    /// to: an entry that was there does not come back in the section it was seen in.
    fn item(spot: &Option<Self>) -> Option<NonNull<Entry<K, V>>> {
        Some(spot.as_ref()?.found.as_ref()?.item)
    }
}

/// The entry with this key in a chain.
#[inline(always)]
pub(crate) fn search<'g, K, V>(
    first: Option<BlockRef>,
    hash: Hash,
    mut eq: impl FnMut(&K) -> bool,
) -> Option<Found<'g, K, V>> {
    let mut block = first?;
    let mut index = 0;
    loop {
        for place in block.candidates(hash) {
            let item = block.entry::<K, V>(place);
            // SAFETY: the block is in our section, and so are its entries: they are
            // retired when no word leads to them.
            let entry = unsafe { item.as_ref() };
            if entry.hash == hash && eq(&entry.key) {
                let block = index;
                return Some(Found {
                    block,
                    place,
                    item,
                    entry,
                });
            }
        }
        block = block.next()?;
        index += 1;
    }
}

impl<K, V> RawMap<K, V> {
    #[cfg(not(loom))]
    pub(crate) const fn new(pool: Pool<Entry<K, V>>) -> Self {
        Self {
            root: AtomicPtr::new(ptr::null_mut()),
            body: AtomicPtr::new(ptr::null_mut()),
            pool,
        }
    }

    #[cfg(loom)]
    pub(crate) fn new(pool: Pool<Entry<K, V>>) -> Self {
        Self {
            root: AtomicPtr::new(ptr::null_mut()),
            body: AtomicPtr::new(ptr::null_mut()),
            pool,
        }
    }

    pub(crate) fn pool(&self) -> &Pool<Entry<K, V>> {
        &self.pool
    }

    /// The current table.
    #[inline(always)]
    pub(crate) fn root(&self) -> Option<&Table> {
        // Acquire: pairs with the Release in `publish_first` and `promote`.
        let root = self.root.load(ord::map_table_load());
        // SAFETY: a table is retired after it was replaced here, and we are in a
        // section, or have the map to ourselves.
        unsafe { root.as_ref() }
    }

    /// What the map has once it has a table.
    #[inline(always)]
    pub(crate) fn body(&self) -> Option<&Body> {
        // Acquire: pairs with the Release in `publish_first`.
        let body = self.body.load(ord::map_table_load());
        // SAFETY: made by `make_body`, freed with the map.
        unsafe { body.as_ref() }
    }

    /// `None` if there is no memory.
    #[cold]
    fn make_body(&self) -> Option<&Body> {
        let body = publish_first(&self.body, try_box(Body::new())?);
        // SAFETY: as in `body`.
        Some(unsafe { &*body })
    }

    /// The current table, made of 2^`bits` buckets if there is none. `None` if there
    /// is no memory for it.
    pub(crate) fn root_or_make(&self, bits: u32) -> Option<&Table> {
        if let Some(root) = self.root() {
            return Some(root);
        }
        if self.body().is_none() {
            self.make_body()?;
        }
        let root = publish_first(&self.root, Table::new(bits, self.pool.domain())?);
        // SAFETY: as in `root`.
        Some(unsafe { &*root })
    }

    // -- read ----------------------------------------------------------------

    /// The word that says what is in the bucket of `hash`, from `table` on.
    ///
    /// A live word does, and a frozen one too: nobody writes to a bucket of the next
    /// table before all that it comes from has MOVED, so at the moment of our load
    /// nobody can have written.
    #[inline(always)]
    pub(crate) fn current(mut table: &Table, hash: Hash) -> Word {
        loop {
            let word = table.load(table.bucket(hash));
            if !word.is_moved() {
                return word;
            }
            core::hint::cold_path();
            // The table was given its successor before any word was frozen.
            let Some(next) = table.next() else {
                unreachable!("words move when there is a next table");
            };
            table = next;
        }
    }

    /// The entry with this key.
    ///
    /// Linearization point: the load of the word that decided (see
    /// [`current`](Self::current)), or of the root if that was null.
    #[inline(always)]
    pub(crate) fn find<'g>(
        &'g self,
        hash: u64,
        eq: impl FnMut(&K) -> bool,
        _guard: &'g Guard,
    ) -> Option<&'g Entry<K, V>> {
        let hash = Hash::new(hash);
        let word = Self::current(self.root()?, hash);
        // SAFETY: loaded in the guard's section.
        let first = unsafe { word.block() };
        search(first, hash, eq).map(|found| found.entry)
    }

    // -- write ---------------------------------------------------------------

    /// The bucket of `hash` where it may be written, and what is in it. Moves it to
    /// the next table first, if there is one. `None` if there is no table yet.
    #[inline]
    fn spot<'g>(
        &'g self,
        hash: Hash,
        eq: impl FnMut(&K) -> bool,
        guard: &'g Guard,
    ) -> Option<Spot<'g, K, V>> {
        let mut table = self.root()?;
        let (bucket, word) = loop {
            if let Some(next) = table.next() {
                table = self.move_on(table, next, hash, guard);
                continue;
            }
            let bucket = table.bucket(hash);
            let word = table.load(bucket);
            if word.is_live() {
                break (bucket, word);
            }
            // Frozen since: now there is a next table.
        };
        // SAFETY: loaded in the guard's section.
        let first = unsafe { word.block() };
        Some(Spot {
            table,
            bucket,
            word,
            found: search(first, hash, eq),
        })
    }

    /// Makes a change, if the bucket is still as it was seen. Then the caller counts
    /// it, and [retires](Self::retire) what it cut off.
    #[inline]
    fn commit(spot: &Spot<'_, K, V>, edit: &Edit) -> bool {
        let done = spot
            .table
            .replace(spot.bucket, spot.word, edit.word)
            .is_ok();
        if !done {
            // SAFETY: made for this edit, and not published.
            unsafe { spot.table.blocks.give_back(edit.made, edit.shared) };
        }
        done
    }

    /// Retires what a change cut off: last, since a retire may run destructors of
    /// earlier ones, which may panic. All of it is retired also then.
    #[inline]
    fn retire(
        &self,
        spot: &Spot<'_, K, V>,
        edit: &Edit,
        found: Option<&Found<'_, K, V>>,
        guard: &Guard,
    ) {
        let entry = OnUnwind::new(|| {
            if let Some(found) = found {
                self.retire_entry(found.item, guard);
            }
        });
        // SAFETY: our exchange cut them off.
        unsafe { spot.table.blocks.retire(edit.cut, edit.shared, guard) };
        entry.now();
    }

    /// Puts an entry where `spot` is; tells whether the bucket was still as it was
    /// seen. If not, the entry is the caller's again.
    #[inline]
    fn put(
        &self,
        spot: &Spot<'_, K, V>,
        hash: Hash,
        fresh: NonNull<Entry<K, V>>,
        guard: &Guard,
    ) -> bool {
        let body = self.body().expect("it was made before the table");
        // SAFETY: loaded in the guard's section.
        let first = unsafe { spot.word.block() };
        let blocks = &spot.table.blocks;
        let edit = match (&spot.found, first) {
            (Some(found), Some(first)) => Self::replaced(blocks, first, found, hash, fresh, guard),
            _ => Self::added(blocks, first, hash, fresh, guard),
        };
        if !Self::commit(spot, &edit) {
            return false;
        }
        if spot.found.is_none() {
            body.len.add(1);
        }
        self.retire(spot, &edit, spot.found.as_ref(), guard);
        if edit.is_crowded && spot.table.is_sample(spot.bucket) {
            self.grow_if_full(spot.table, guard);
        }
        true
    }

    /// Takes the found entry out; tells whether the bucket was still as it was seen.
    #[inline]
    fn remove(&self, spot: &Spot<'_, K, V>, found: &Found<'_, K, V>, guard: &Guard) -> bool {
        let body = self.body().expect("it was made before the table");
        // SAFETY: loaded in the guard's section.
        let Some(first) = (unsafe { spot.word.block() }) else {
            unreachable!("the entry was found there");
        };
        let edit = Self::removed(&spot.table.blocks, first, found, guard);
        if !Self::commit(spot, &edit) {
            return false;
        }
        body.len.add(-1);
        self.retire(spot, &edit, Some(found), guard);
        if edit.word == Word::EMPTY && spot.table.is_sample(spot.bucket) {
            self.shrink_if_sparse(spot.table, guard);
        }
        true
    }

    /// Retires an entry that our exchange cut off. It may run destructors of earlier
    /// ones, which may panic.
    #[inline]
    pub(crate) fn retire_entry(&self, entry: NonNull<Entry<K, V>>, guard: &Guard) {
        // SAFETY: it came from the pool; our exchange unlinked it, and it alone.
        unsafe { self.pool.retire_in(guard, entry) };
    }

    /// Puts a key with its value.
    ///
    /// Linearization point: the exchange of the bucket's word, or, where the key exists
    /// and is not replaced, the load of the word that shows it.
    #[inline]
    pub(crate) fn insert<'g>(
        &'g self,
        hash: u64,
        mut eq: impl FnMut(&K, &K) -> bool,
        guard: &'g Guard,
        key: K,
        value: V,
        replace: bool,
    ) -> Inserted<'g, K, V> {
        let hash = Hash::new(hash);
        self.make_first();
        self.fetch(hash);
        let mut fresh = self.pool.alloc_in(guard, Entry { hash, key, value });
        loop {
            let spot = self.spot(hash, |other| eq(&fresh.key, other), guard);
            let spot = spot.expect("the first table was made");
            if let Some(found) = &spot.found
                && !replace
            {
                let current = found.entry;
                let Entry { key, value, .. } = fresh.into_inner();
                // By hand: a result on its way out would be lost if this panicked.
                drop(key);
                return Inserted::Exists { current, value };
            }
            let item = fresh.into_raw();
            if self.put(&spot, hash, item, guard) {
                // SAFETY: published, and in the guard's section.
                let new = unsafe { item.as_ref() };
                return match spot.found {
                    Some(found) => Inserted::Replaced {
                        old: found.entry,
                        new,
                    },
                    None => Inserted::New(new),
                };
            }
            // SAFETY: it was not published.
            fresh = unsafe { PoolBox::from_raw(&self.pool, item) };
        }
    }

    /// Fetches the bucket, while the caller does something else. In a section.
    #[inline(always)]
    fn fetch(&self, hash: Hash) {
        if prefetch::IS_THERE
            && let Some(table) = self.root()
        {
            prefetch::read(table.load(table.bucket(hash)).address());
        }
    }

    #[inline]
    fn make_first(&self) {
        if self.root().is_none() && self.root_or_make(MIN_BITS).is_none() {
            handle_alloc_error(Layout::new::<Table>());
        }
    }

    /// Reads, decides and writes, as one step. `f` is called again when another write
    /// to the key came in between, with the value that it made before. Writes to
    /// other keys of the bucket do not make it start over: `f` may do such itself.
    ///
    /// Linearization point: the exchange of the bucket's word; of what is aborted, the
    /// load of the word that `f` decided on.
    #[inline]
    pub(crate) fn compute<'g, R>(
        &'g self,
        hash: u64,
        key: &mut Option<K>,
        mut eq: impl FnMut(Option<&K>, &K) -> bool,
        guard: &'g Guard,
        mut f: impl FnMut(Option<&'g Entry<K, V>>, Option<V>) -> Action<V, R>,
    ) -> Computed<'g, K, V, R> {
        let hash = Hash::new(hash);
        let mut spare = None;
        let mut spot = self.spot(hash, |other| eq(key.as_ref(), other), guard);
        loop {
            let seen = Spot::item(&spot);
            // SAFETY: found in the guard's section.
            let entry: Option<&'g Entry<K, V>> = seen.map(|item| unsafe { item.as_ref() });
            match f(entry, spare.take()) {
                Action::Abort(result) => return Computed::Aborted(result),
                Action::Remove => {
                    let entry = entry.expect("what is removed is there");
                    while let Some(there) = &spot
                        && let Some(found) = &there.found
                        && Some(found.item) == seen
                    {
                        if self.remove(there, found, guard) {
                            return Computed::Removed(entry);
                        }
                        spot = self.spot(hash, |other| eq(key.as_ref(), other), guard);
                    }
                }
                Action::Put(value) => {
                    let Some(ours) = key.take() else {
                        panic!("what is put has a key");
                    };
                    let entry_of = |key, value| Entry { hash, key, value };
                    let mut fresh = self.pool.alloc_in(guard, entry_of(ours, value));
                    self.make_first();
                    while Spot::item(&spot) == seen {
                        if let Some(there) = &spot {
                            let item = fresh.into_raw();
                            if self.put(there, hash, item, guard) {
                                // SAFETY: published, and in the guard's section.
                                let new = unsafe { item.as_ref() };
                                return match entry {
                                    Some(old) => Computed::Updated { old, new },
                                    None => Computed::Inserted(new),
                                };
                            }
                            // SAFETY: it was not published.
                            fresh = unsafe { PoolBox::from_raw(&self.pool, item) };
                        }
                        spot = self.spot(hash, |other| eq(Some(&fresh.key), other), guard);
                    }
                    let again = fresh.into_inner();
                    *key = Some(again.key);
                    spare = Some(again.value);
                }
            }
        }
    }

    // -- length --------------------------------------------------------------

    pub(crate) fn len(&self) -> usize {
        self.body().map_or(0, |body| body.len.sum())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K, V> Drop for RawMap<K, V> {
    fn drop(&mut self) {
        // The entries, one by one; the memory of blocks and entries goes with the
        // pools.
        let mut panics = Panics::default();
        let mut all = self.detach();
        panics.catch(|| all.drop_all(&self.pool));
        // Relaxed: nobody else is there.
        let body = self.body.load(Ordering::Relaxed);
        if !body.is_null() {
            // SAFETY: made by `make_body`, and nobody else is there.
            drop(unsafe { Box::from_raw(body) });
        }
        panics.go_on();
    }
}
