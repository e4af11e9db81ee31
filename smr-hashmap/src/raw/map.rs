//! The map itself: insert, compute.

use core::ptr::{self, NonNull};
use std::alloc::{Layout, handle_alloc_error};

use smr_core::sync::{AtomicPtr, Ordering};
use smr_core::{Guard, HAS_PREFETCH, Pool, PoolBox, prefetch, try_box};

use crate::ord;
use crate::raw::body::{Body, publish_first};
use crate::raw::entry::{Entry, Hash};
use crate::raw::line::{Head, Line, MAX_SLOTS, More, Slot, Slots};
use crate::raw::resize::{OnUnwind, Panics};
use crate::raw::table::Table;
use crate::raw::word::{Marks, Wanted, Word};
use crate::tunables::{LOOK_FROM, MIN_BITS, SLOTS};

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

/// Where an entry was found.
pub(crate) struct Found<'g, K, V> {
    /// The slot, by its number in the bucket.
    index: usize,
    slot: &'g Slot,
    word: Word,
    item: NonNull<Entry<K, V>>,
    pub(crate) entry: &'g Entry<K, V>,
}

/// A bucket that may be written, as it was seen.
struct Spot<'g, K, V> {
    table: &'g Table,
    bucket: usize,
    line: &'g Line,
    /// Loaded before all that follows.
    head: Head,
    found: Option<Found<'g, K, V>>,
    /// If nothing was found, a slot that was free, by its number and with what was in it;
    free: Option<(usize, &'g Slot, Word)>,
    /// the last slots that were looked at;
    last: &'g Slots,
    /// and how many of those did not look free.
    taken: usize,
}

impl<K, V> Spot<'_, K, V> {
    /// The entry that was found. As long as it is the same, the key was not written
    /// to: an entry that was there does not come back in the section it was seen in.
    fn item(spot: &Option<Self>) -> Option<NonNull<Entry<K, V>>> {
        Some(spot.as_ref()?.found.as_ref()?.item)
    }
}

/// The entry with this key among some slots, of which the first has this number.
///
/// # Safety
///
/// In the section that `'g` is of, and the slots are of a bucket that had not moved when it
/// was open.
#[inline(always)]
unsafe fn search<'g, K, V>(
    slots: &'g Slots,
    marks: Marks,
    first: usize,
    hash: Hash,
    eq: &mut impl FnMut(&K) -> bool,
) -> Option<Found<'g, K, V>> {
    let wanted = Wanted::new(hash);
    for place in marks.of(wanted) {
        let slot = &slots.slots()[place];
        // Once more, and as good as if it had been the first time.
        let word = slot.load();
        if !word.may_be(wanted) {
            continue;
        }
        let Some(item) = word.entry() else { continue };
        // SAFETY: an entry is retired when no slot that counts has it any more; that was
        // after the section had begun.
        let entry: &Entry<K, V> = unsafe { item.as_ref() };
        if entry.hash == hash && eq(&entry.key) {
            return Some(Found {
                index: first + place,
                slot,
                word,
                item,
                entry,
            });
        }
    }
    None
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

    // -- write ---------------------------------------------------------------

    /// The bucket of `hash` where it may be written, and what is in it. Helps to move others
    /// if there is a next table, and moves this one if it is frozen. `None` if there is no
    /// table yet.
    #[inline]
    fn spot<'g>(
        &'g self,
        hash: Hash,
        mut eq: impl FnMut(&K) -> bool,
        guard: &'g Guard,
    ) -> Option<Spot<'g, K, V>> {
        let mut table = self.root()?;
        let (bucket, line, head) = loop {
            if let Some(next) = table.next() {
                let _ = self.help(table, next, guard);
            }
            let bucket = table.bucket(hash);
            let line = table.line(bucket);
            let head = line.settle();
            if head.is_live() {
                break (bucket, line, head);
            }
            table = self.move_on(table, hash, guard);
        };
        let mut spot = Spot {
            table,
            bucket,
            line,
            head,
            found: None,
            free: None,
            last: line.slots(),
            taken: 0,
        };
        let mut first = 0;
        loop {
            let slots = spot.last;
            let marks = slots.marks();
            // SAFETY: loaded in the guard's section, after the head.
            spot.found = unsafe { search(slots, marks, first, hash, &mut eq) };
            if spot.found.is_some() {
                return Some(spot);
            }
            let mut free = marks.free();
            spot.taken += SLOTS - free.count();
            if spot.free.is_none() {
                spot.free = free.find_map(|place| {
                    let slot = &slots.slots()[place];
                    let word = slot.load();
                    word.is_free().then_some((first + place, slot, word))
                });
            }
            first += SLOTS;
            if spot.free.is_some() && !head.has_more() {
                break;
            }
            match slots.next() {
                Some(next) => spot.last = next,
                None => break,
            }
        }
        // What others add has a number, too.
        let is_numbered = |index| index + SLOTS < MAX_SLOTS;
        assert!(
            spot.free
                .map_or(is_numbered(first), |(index, ..)| is_numbered(index)),
            "a million keys share the first bits of their hashes: choose a better hasher"
        );
        Some(spot)
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
        let claim = Word::claimed(hash, fresh);
        if let Some(found) = &spot.found {
            let done = found.slot.replace(found.word, claim.live());
            if done {
                self.retire_entry(found.item, guard);
            }
            return done;
        }
        let Some((index, slot, free)) = spot.free else {
            if spot.table.extend(spot.last, guard).is_none() {
                handle_alloc_error(Layout::new::<More>());
            }
            return false;
        };
        if !slot.claim(free, claim) {
            return false;
        }
        if !spot.line.decide(spot.head, index) {
            slot.take_back(claim);
            if index >= SLOTS {
                // A removal may have found the claim, and left it at that.
                spot.line.close();
            }
            return false;
        }
        slot.complete(claim);
        let body = self.body().expect("it was made before the table");
        body.len.add(1);
        let is_looked_at = spot.table.is_sample(spot.bucket) || spot.taken >= 2 * SLOTS;
        if spot.taken + 1 >= LOOK_FROM && is_looked_at {
            self.grow_if_full(spot.table, guard);
        }
        true
    }

    /// Takes the found entry out; tells whether it was still there.
    #[inline]
    fn remove(&self, spot: &Spot<'_, K, V>, found: &Found<'_, K, V>, guard: &Guard) -> bool {
        if !spot.line.free(found.index, found.slot, found.word) {
            return false;
        }
        let body = self.body().expect("it was made before the table");
        body.len.add(-1);
        if found.index >= SLOTS {
            spot.line.close();
        }
        if spot.table.is_sample(spot.bucket) && spot.line.slots().is_clear() {
            self.shrink_and_retire(spot.table, found.item, guard);
        } else {
            self.retire_entry(found.item, guard);
        }
        true
    }

    /// Out of line: most removals have nothing to put in order for a panic.
    #[cold]
    #[inline(never)]
    fn shrink_and_retire(&self, table: &Table, entry: NonNull<Entry<K, V>>, guard: &Guard) {
        // Last, since it may run destructors of others, which may panic.
        let retire = OnUnwind::new(|| self.retire_entry(entry, guard));
        self.shrink_if_sparse(table, guard);
        retire.now();
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
    /// Linearization point: the exchange of the slot that completes the insertion or
    /// replaces an entry, or, where the key exists and is not replaced, the load of the
    /// slot that shows it.
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
        if HAS_PREFETCH && let Some(table) = self.root() {
            prefetch(ptr::from_ref(table.line_of(hash)));
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
    /// Linearization point: the exchange of the slot; of what is aborted, that of the
    /// look-up that `f` decided on.
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
        // The entries, one by one; their memory goes with the pool.
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
