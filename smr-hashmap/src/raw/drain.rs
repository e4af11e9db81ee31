//! Taking everything out, by value, of a map that nobody else uses.

use core::ptr::{self, NonNull};

use smr_core::sync::Ordering;
use smr_core::{Pool, PoolBox};

use crate::raw::entry::Entry;
use crate::raw::line::Slots;
use crate::raw::map::RawMap;
use crate::raw::resize::Panics;
use crate::raw::table::Table;

/// The tables of a map, cut off from it, with all that was in them.
pub(crate) struct Detached<K, V> {
    /// The current table, and the one that was to replace it.
    tables: [Option<Box<Table>>; 2],
    walk: Walk,
    /// How many entries are left.
    left: usize,
    _owns: core::marker::PhantomData<Entry<K, V>>,
}

/// A way through all entries of two tables, one of which may have begun to replace the
/// other.
#[derive(Default)]
struct Walk {
    table: usize,
    bucket: usize,
    slots: Option<NonNull<Slots>>,
    place: usize,
    is_frozen: bool,
}

impl Walk {
    /// The next entry that counts: what is frozen counts where its target was not
    /// filled.
    ///
    /// # Safety
    ///
    /// Nobody else uses the tables, whose entries are alive.
    unsafe fn next<K, V>(&mut self, tables: [Option<&Table>; 2]) -> Option<NonNull<Entry<K, V>>> {
        loop {
            let Some(slots) = self.slots else {
                let table = tables.get(self.table).copied().flatten()?;
                if self.bucket == table.len() {
                    self.table += 1;
                    self.bucket = 0;
                    continue;
                }
                let line = table.line(self.bucket);
                self.bucket += 1;
                self.place = 0;
                let head = line.settle();
                self.is_frozen = head.is_frozen();
                // What was not filled yet, or has moved, does not count.
                if !head.is_null() && !head.is_moved() {
                    self.slots = Some(NonNull::from(line.slots()));
                }
                continue;
            };
            // SAFETY: the caller's promise.
            let slots = unsafe { slots.as_ref() };
            let Some(slot) = slots.slots().get(self.place) else {
                self.slots = slots.next().map(NonNull::from);
                self.place = 0;
                continue;
            };
            self.place += 1;
            let Some(entry) = slot.load().entry::<K, V>() else {
                continue;
            };
            if self.is_frozen {
                // SAFETY: the caller's promise.
                let hash = unsafe { Entry::<K, V>::hash_of(entry) };
                let next = tables[1].expect("buckets are frozen when there is a next table");
                if !next.line_of(hash).head().is_null() {
                    continue;
                }
            }
            return Some(entry);
        }
    }
}

impl<K, V> RawMap<K, V> {
    /// Cuts the tables off, for whoever has the map to itself. The map is empty then.
    pub(crate) fn detach(&mut self) -> Detached<K, V> {
        // Relaxed: nobody else is there.
        let root = self.root.swap(ptr::null_mut(), Ordering::Relaxed);
        // SAFETY: made by `Box::into_raw`, and nobody else is there.
        let root = (!root.is_null()).then(|| unsafe { Box::from_raw(root) });
        let next = root.as_ref().and_then(|root| root.next());
        let next = next.map(|next| ptr::from_ref(next).cast_mut());
        // SAFETY: as above; the root no longer frees or finds it.
        let next = next.map(|next| unsafe { Box::from_raw(next) });
        let left = self.len();
        if let Some(body) = self.body() {
            body.len.add((left as isize).wrapping_neg());
        }
        Detached {
            tables: [root, next],
            walk: Walk::default(),
            left,
            _owns: core::marker::PhantomData,
        }
    }

    /// Everything, to be changed in place.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        let root = self.root();
        let tables = [root, root.and_then(Table::next)];
        let mut walk = Walk::default();
        core::iter::from_fn(move || {
            // SAFETY: the map is borrowed exclusively.
            let mut entry = unsafe { walk.next::<K, V>(tables) }?;
            // SAFETY: as above, and the walk yields each entry once.
            let entry = unsafe { entry.as_mut() };
            Some((&entry.key, &mut entry.value))
        })
    }

    /// Takes everything out.
    pub(crate) fn drain(&mut self) -> RawDrain<'_, K, V> {
        let all = self.detach();
        RawDrain { all, map: self }
    }

    /// Takes everything out, and the map with it.
    pub(crate) fn into_iter(mut self) -> RawIntoIter<K, V> {
        let all = self.detach();
        RawIntoIter { all, map: self }
    }
}

impl<K, V> Detached<K, V> {
    fn next<'p>(&mut self, pool: &'p Pool<Entry<K, V>>) -> Option<PoolBox<'p, Entry<K, V>>> {
        let tables = [self.tables[0].as_deref(), self.tables[1].as_deref()];
        // SAFETY: the tables are ours.
        let entry = unsafe { self.walk.next::<K, V>(tables) }?;
        self.left = self.left.saturating_sub(1);
        // SAFETY: it came from the pool; the walk yields each entry once.
        Some(unsafe { PoolBox::from_raw(pool, entry) })
    }

    /// Drops all that is left, whatever panics; then the first panic goes on.
    pub(crate) fn drop_all(&mut self, pool: &Pool<Entry<K, V>>) {
        if !core::mem::needs_drop::<Entry<K, V>>() {
            return;
        }
        let mut panics = Panics::default();
        while let Some(entry) = self.next(pool) {
            panics.catch(|| drop(entry));
        }
        panics.go_on();
    }

    /// Gives the memory of entries without destructors back to the pool of a map that
    /// goes on.
    fn recycle(&mut self, pool: &Pool<Entry<K, V>>) {
        while let Some(entry) = self.next(pool) {
            drop(entry);
        }
    }
}

/// Takes all entries out of a map, and leaves it empty.
pub(crate) struct RawDrain<'m, K, V> {
    all: Detached<K, V>,
    map: &'m RawMap<K, V>,
}

// SAFETY: it owns the entries, and has the map to itself.
unsafe impl<K: Send, V: Send> Send for RawDrain<'_, K, V> {}
// SAFETY: a shared one does nothing.
unsafe impl<K: Sync, V: Sync> Sync for RawDrain<'_, K, V> {}

impl<K, V> Iterator for RawDrain<'_, K, V> {
    type Item = (K, V);

    fn next(&mut self) -> Option<(K, V)> {
        let entry = self.all.next(&self.map.pool)?.into_inner();
        Some((entry.key, entry.value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.all.left, Some(self.all.left))
    }
}

impl<K, V> Drop for RawDrain<'_, K, V> {
    fn drop(&mut self) {
        let mut panics = Panics::default();
        panics.catch(|| self.all.drop_all(&self.map.pool));
        self.all.recycle(&self.map.pool);
        panics.go_on();
    }
}

/// All entries of a map that is gone.
pub(crate) struct RawIntoIter<K, V> {
    all: Detached<K, V>,
    map: RawMap<K, V>,
}

// SAFETY: it owns the entries and the map.
unsafe impl<K: Send, V: Send> Send for RawIntoIter<K, V> {}
// SAFETY: a shared one does nothing.
unsafe impl<K: Sync, V: Sync> Sync for RawIntoIter<K, V> {}

impl<K, V> Iterator for RawIntoIter<K, V> {
    type Item = (K, V);

    fn next(&mut self) -> Option<(K, V)> {
        let entry = self.all.next(&self.map.pool)?.into_inner();
        Some((entry.key, entry.value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.all.left, Some(self.all.left))
    }
}

impl<K, V> Drop for RawIntoIter<K, V> {
    fn drop(&mut self) {
        self.all.drop_all(&self.map.pool);
    }
}
