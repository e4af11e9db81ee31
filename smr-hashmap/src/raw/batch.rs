//! Look-ups in a row: the misses of many keys at a time.
//!
//! A look-up waits for two lines of memory, one after the other: the bucket, the entry. In
//! a row both are on their way while the look-ups ahead are completed:
//!
//! ```text
//!           given                 looked                   taken
//!   keys  ... | | | | | | | | | | | | | | | | | | | | | | | | ...
//!              the entry is coming      the bucket is coming
//! ```
//!
//! Each step takes a key, looks at the bucket of an earlier one, and gives what an even
//! earlier one has found. A small map is in the processor's caches, and its keys are
//! looked up one by one.

use core::mem::MaybeUninit;
use core::ptr;

use smr_core::{Guard, prefetch};

use crate::raw::entry::{Entry, Hash};
use crate::raw::map::RawMap;
use crate::raw::table::Table;
use crate::raw::word::Wanted;
use crate::tunables::{LOOKED_AHEAD, TAKEN_AHEAD};

/// Look-ups that are under way, in the order of their keys.
pub(crate) struct Row<'g, 'q, K, V, Q: ?Sized> {
    /// Those from `given` to `taken` are there.
    places: [MaybeUninit<LookUp<'g, 'q, K, V, Q>>; TAKEN_AHEAD],
    /// How many were begun, of how many the bucket was looked at, and how many were
    /// completed. They wrap.
    taken: usize,
    looked: usize,
    given: usize,
}

/// A look-up that is under way.
struct LookUp<'g, 'q, K, V, Q: ?Sized> {
    key: &'q Q,
    hash: Hash,
    seen: Seen<'g, K, V>,
}

/// What its bucket has shown.
enum Seen<'g, K, V> {
    /// Nothing that may be it.
    Absent,
    /// An entry that may be it, and most often is.
    Entry(&'g Entry<K, V>),
    /// That there are more slots.
    More,
}

impl<'g, 'q, K, V, Q: ?Sized> Row<'g, 'q, K, V, Q> {
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        Self {
            places: [const { MaybeUninit::uninit() }; TAKEN_AHEAD],
            taken: 0,
            looked: 0,
            given: 0,
        }
    }

    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.taken.wrapping_sub(self.given)
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline(always)]
    pub(crate) fn is_full(&self) -> bool {
        self.len() == TAKEN_AHEAD
    }

    /// Begins a look-up, in a row that is not full.
    #[inline(always)]
    pub(crate) fn take(&mut self, map: &RawMap<K, V>, key: &'q Q, hash: u64) {
        debug_assert!(!self.is_full());
        let hash = Hash::new(hash);
        if let Some(table) = map.root() {
            prefetch(ptr::from_ref(table.line_of(hash)));
        }
        let seen = Seen::Absent;
        self.places[self.taken % TAKEN_AHEAD].write(LookUp { key, hash, seen });
        self.taken = self.taken.wrapping_add(1);
    }

    /// Looks at the next bucket.
    #[inline(always)]
    fn look(&mut self, map: &'g RawMap<K, V>) {
        let place = &mut self.places[self.looked % TAKEN_AHEAD];
        // SAFETY: it was taken, and not given.
        let look_up = unsafe { place.assume_init_mut() };
        self.looked = self.looked.wrapping_add(1);
        let Some(table) = map.root() else { return };
        let line = RawMap::<K, V>::current(table, look_up.hash);
        let slots = line.slots();
        // One slot has the tag, most of the time.
        if let Some(entry) = slots.last_of::<K, V>(Wanted::new(look_up.hash)) {
            Entry::fetch(entry.as_ptr());
            // SAFETY: loaded in the section that `'g` is of, after the head.
            look_up.seen = Seen::Entry(unsafe { entry.as_ref() });
        } else if let Some(more) = line.more(line.head()) {
            prefetch(ptr::from_ref(more));
            look_up.seen = Seen::More;
        }
    }

    /// Completes the look-up that was begun first, if there is any. All of them are made
    /// in the section of this guard.
    ///
    /// Linearization point: as of [`RawMap::find`], while the look-up was in the row. It
    /// is made anew if its bucket has shown neither its entry nor that there is none.
    #[inline(always)]
    pub(crate) fn give(
        &mut self,
        map: &'g RawMap<K, V>,
        eq: impl Fn(&Q, &K) -> bool,
        guard: &'g Guard,
    ) -> Option<Option<&'g Entry<K, V>>> {
        if self.is_empty() {
            return None;
        }
        while self.looked != self.taken && self.looked.wrapping_sub(self.given) < LOOKED_AHEAD {
            self.look(map);
        }
        let place = &self.places[self.given % TAKEN_AHEAD];
        // SAFETY: it was taken, and is given once.
        let LookUp { key, hash, seen } = unsafe { place.assume_init_read() };
        self.given = self.given.wrapping_add(1);
        match seen {
            Seen::Absent => return Some(None),
            Seen::Entry(entry) if eq(key, &entry.key) => return Some(Some(entry)),
            Seen::Entry(_) | Seen::More => {}
        }
        Some(map.find_hash(hash, |other| eq(key, other), guard))
    }
}

impl<K, V> RawMap<K, V> {
    /// Whether the table is so large that look-ups had better be made in a row.
    #[inline(always)]
    pub(crate) fn is_large(&self) -> bool {
        self.root().is_some_and(Table::is_large)
    }

    /// As [`find`](Self::find), out of line.
    #[cold]
    #[inline(never)]
    fn find_hash<'g>(
        &'g self,
        hash: Hash,
        eq: impl FnMut(&K) -> bool,
        guard: &'g Guard,
    ) -> Option<&'g Entry<K, V>> {
        let line = Self::current(self.root()?, hash);
        Self::find_in(line, hash, eq, |entry| entry, guard)
    }
}
