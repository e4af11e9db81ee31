//! Tables: an array of buckets, and the way to the table that follows.
//!
//! A bucket is frozen once its table has a next one. Then what was in it is put into the
//! buckets of the next table, and when they are all filled the frozen one is marked as
//! moved. See [`crate::raw::resize`].

use core::cell::UnsafeCell;
use core::panic::RefUnwindSafe;
use core::ptr::{self, NonNull};

use smr_core::sync::{AtomicPtr, AtomicU64, AtomicUsize, Ordering, mutant};
use smr_core::{DeferRoom, Domain, Guard, Pool, PoolBox, try_box};

use crate::ord;
use crate::raw::body::publish_first;
use crate::raw::entry::Hash;
use crate::raw::line::{Line, More, Slots};
use crate::tunables::{FETCH_FROM_BITS, LOOK_ALL_BITS, LOOK_EVERY};

/// The array of buckets, of which nothing was used.
mod lines {
    #[cfg(not(loom))]
    pub(super) use native::Lines;

    #[cfg(loom)]
    pub(super) use modelled::Lines;

    #[cfg(not(loom))]
    mod native {
        use core::alloc::Layout;
        use core::ops::Deref;

        use smr_core::Zeroed;

        use crate::raw::line::Line;

        pub(in crate::raw) struct Lines {
            memory: Zeroed,
            len: usize,
        }

        impl Lines {
            /// `None` if there is no memory; `len` is not 0.
            pub(in crate::raw) fn new(len: usize) -> Option<Self> {
                let memory = Zeroed::new(Layout::array::<Line>(len).ok()?)?;
                Some(Self { memory, len })
            }
        }

        impl Deref for Lines {
            type Target = [Line];

            #[inline(always)]
            fn deref(&self) -> &[Line] {
                let first = self.memory.first().cast::<Line>();
                // SAFETY: memory of so many lines, and zeros are lines of which nothing
                // was used.
                unsafe { core::slice::from_raw_parts(first.as_ptr(), self.len) }
            }
        }
    }

    #[cfg(loom)]
    mod modelled {
        use core::ops::Deref;

        use crate::raw::line::Line;

        pub(in crate::raw) struct Lines(Box<[Line]>);

        impl Lines {
            pub(in crate::raw) fn new(len: usize) -> Option<Self> {
                Some(Self((0..len).map(|_| Line::new()).collect()))
            }
        }

        impl Deref for Lines {
            type Target = [Line];

            fn deref(&self) -> &[Line] {
                &self.0
            }
        }
    }
}

use lines::Lines;

/// Ends the process. No panic, so that a look-up of keys that do not panic has nothing to
/// put in order for one.
#[cold]
#[inline(never)]
extern "C" fn no_successor() -> ! {
    unreachable!("buckets are frozen when there is a next table")
}

/// A table of 2^`bits` buckets.
pub(crate) struct Table {
    pub(crate) bits: u32,
    lines: Lines,
    /// The table that replaces this one. Set once.
    next: AtomicPtr<Table>,
    pub(crate) moves: Moves,
    /// Slots of buckets that have more than fit into a line; their memory goes with the
    /// table.
    more: Pool<More>,
    /// The table that this one has replaced.
    before: Past,
    /// What retiring that needs; taken by the thread that does.
    room: UnsafeCell<Option<DeferRoom>>,
}

// The room is there or taken, whatever panics.
impl RefUnwindSafe for Table {}

/// How far its buckets have moved; apart from what every reader loads.
///
/// Who wants to move some takes a *claim* on the next few groups. Claims go round and
/// round, so that what a stalled thread took on is done by another, and a claim is counted
/// when all of its groups were seen to have moved. So when all claims of a round are
/// counted, all of the table has moved. A claim in the hands of a stalled thread leaves its
/// round short, and the round after it is complete without: nobody is waited for.
///
/// Two rounds are counted at a time: while some begin a round, others are about to
/// complete the one before.
#[repr(align(128))]
pub(crate) struct Moves {
    claims: AtomicUsize,
    /// Of even rounds and of odd ones, that of the latest: its number above, and below it
    /// how many of its claims are counted.
    counted: [AtomicU64; 2],
}

impl Moves {
    fn new() -> Self {
        Self {
            claims: AtomicUsize::new(0),
            counted: core::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// The next claim, which is nobody else's.
    #[inline]
    pub(crate) fn claim(&self) -> usize {
        // Relaxed: who does what is no matter of order.
        self.claims.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts a claim whose groups were all seen to have moved; whether it is the last one
    /// of its round, which has 2^`bits`.
    pub(crate) fn count(&self, claim: usize, bits: u32) -> bool {
        let round = (claim >> bits) as u32;
        let word = &self.counted[round as usize % 2];
        // Relaxed: the exchange tells whether it is still so.
        let mut seen = word.load(Ordering::Relaxed);
        loop {
            let (latest, counted) = ((seen >> 32) as u32, seen as u32);
            let counted = match round.wrapping_sub(latest) as i32 {
                0 => counted,
                _ if mutant("map_rounds_add_up") => counted,
                1.. => 0,
                // It was late by two rounds.
                _ => return false,
            } + 1;
            let now = u64::from(round) << 32 | u64::from(counted);
            // AcqRel: whoever counts the last one has seen what all others of its round saw.
            // Relaxed: of a failure, as above.
            match word.compare_exchange(seen, now, ord::map_moved_count(), Ordering::Relaxed) {
                Ok(_) => return counted == 1 << bits,
                Err(other) => seen = other,
            }
        }
    }
}

/// One of the two owners of a table that was replaced, and may still be read: what
/// waits in the domain for the sections that could be in it, and the table that
/// replaced it. Who comes first drops it; so a map takes all its tables along, and what
/// waits in the domain keeps nothing of it alive, not even the domain.
pub(crate) struct Past(NonNull<AtomicPtr<Table>>);

/// What both own no longer leads to the table: one of them was there.
const ENDED: *mut Table = ptr::without_provenance_mut(1);

// SAFETY: it is sent to whoever drops the table, which is `Send`.
unsafe impl Send for Past {}

impl Past {
    /// Of no table yet, and with one owner. `None` if there is no memory.
    fn new() -> Option<Self> {
        let none = try_box(AtomicPtr::new(ptr::null_mut()))?;
        Some(Self(NonNull::from(Box::leak(none))))
    }

    fn table(&self) -> &AtomicPtr<Table> {
        // SAFETY: the last owner frees it.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Past {
    fn drop(&mut self) {
        // AcqRel: pairs with itself: who comes second frees what the first has left.
        let table = self.table().swap(ENDED, ord::map_past_end());
        if table.is_null() || table == ENDED {
            // SAFETY: made by `new`, and the other owner was here, or there is none.
            drop(unsafe { Box::from_raw(self.0.as_ptr()) });
        } else {
            // SAFETY: made by `Box::into_raw`, and nobody can be in it: those who could
            // have ended their sections, or came before those who could be in the table
            // that is being dropped.
            drop(unsafe { Box::from_raw(table) });
        }
    }
}

impl Table {
    /// `None` if there is no memory.
    pub(crate) fn new(bits: u32, domain: &Domain) -> Option<Box<Self>> {
        let len = 1_usize.checked_shl(bits).filter(|len| *len != 0)?;
        try_box(Self {
            bits,
            lines: Lines::new(len)?,
            next: AtomicPtr::new(ptr::null_mut()),
            moves: Moves::new(),
            more: Pool::new_in(domain),
            before: Past::new()?,
            room: UnsafeCell::new(None),
        })
    }

    /// A table that is to replace another one, which it has room to retire. `None` if
    /// there is no memory.
    pub(crate) fn successor(bits: u32, domain: &Domain) -> Option<Box<Self>> {
        let room = DeferRoom::new().ok()?;
        let mut table = Self::new(bits, domain)?;
        *table.room.get_mut() = Some(room);
        Some(table)
    }

    /// How many buckets.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether this is one of the buckets whose writers look how full the table is: all
    /// of a small one.
    #[inline(always)]
    pub(crate) fn is_sample(&self, bucket: usize) -> bool {
        self.bits < LOOK_ALL_BITS || bucket.is_multiple_of(LOOK_EVERY)
    }

    /// Whether the table is so large that what will be looked at had better be fetched.
    #[inline(always)]
    pub(crate) fn is_large(&self) -> bool {
        self.bits >= FETCH_FROM_BITS
    }

    /// Bytes of the table.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.len() * size_of::<Line>() + self.more.slab_bytes()
    }

    #[inline(always)]
    pub(crate) fn bucket(&self, hash: Hash) -> usize {
        hash.bucket_of(self.len())
    }

    #[inline(always)]
    pub(crate) fn line(&self, bucket: usize) -> &Line {
        debug_assert!(bucket < self.len());
        // SAFETY: a bucket is an index of `bits` bits, or below `len`.
        unsafe { self.lines.get_unchecked(bucket) }
    }

    /// The bucket of a hash.
    #[inline(always)]
    pub(crate) fn line_of(&self, hash: Hash) -> &Line {
        self.line(self.bucket(hash))
    }

    /// Makes slots that follow these, unless others do. `None` if there is no memory.
    #[cold]
    pub(crate) fn extend(&self, slots: &Slots, guard: &Guard) -> Option<()> {
        let more = self.more.try_alloc_in(guard, More::new()).ok()?.into_raw();
        if !slots.extend(more) {
            // SAFETY: made just now, and never published.
            drop(unsafe { PoolBox::from_raw(&self.more, more) });
        }
        Some(())
    }

    /// The table that replaces this one.
    #[inline(always)]
    pub(crate) fn next(&self) -> Option<&Table> {
        // Acquire: pairs with the Release in `publish_first`.
        let next = self.next.load(ord::map_table_load());
        // SAFETY: set once, to a table that is retired later than this one: whoever
        // may use this one may use that.
        unsafe { next.as_ref() }
    }

    /// The same, for who has found a bucket frozen or moved: the table was given its
    /// successor before.
    #[inline(always)]
    pub(crate) fn next_of_frozen(&self) -> &Table {
        match self.next() {
            Some(next) => next,
            None => no_successor(),
        }
    }

    /// Gives the table a successor, unless it has one.
    pub(crate) fn set_next(&self, next: Box<Table>) {
        publish_first(&self.next, next);
    }

    /// Takes over the table that this one has replaced. The other owner is dropped when
    /// nobody can be in it any more; there is room for it to wait.
    ///
    /// # Safety
    ///
    /// The caller's exchange put this table, a successor, in that one's place, and it
    /// calls this once, in the section in which it did.
    pub(crate) unsafe fn follow(&self, before: *mut Table) -> (Past, DeferRoom) {
        // Relaxed: both owners are dropped by those who come after, by the order of the
        // domain, or that of the map's owner.
        self.before.table().store(before, Ordering::Relaxed);
        // SAFETY: nobody else comes here (the caller), and the table is dropped later.
        let room = unsafe { &mut *self.room.get() };
        let Some(room) = room.take() else {
            unreachable!("a successor has room for its predecessor");
        };
        (Past(self.before.0), room)
    }
}
