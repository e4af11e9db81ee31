//! Where objects are shared, and how they are retired.

use std::collections::HashSet;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::str::FromStr;
use std::sync::Mutex;
use std::time::Duration;

use fastrand::Rng;
use smr_core::sync::{AtomicPtr, Ordering};
use smr_core::{Atomic, Guard, Owned, Pool, SmrCell, Stats, unprotected};

use super::Run;
use super::object::{Body, Buried, Object};

/// Longer than any reader of the harness stays.
const GENEROUS: Duration = Duration::from_secs(60);

/// Where the objects of a run live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Boxes behind `Atomic`, retired to the domain.
    Domain,
    /// `SmrCell`.
    Cell,
    /// Items of a pool without a destructor: used again as they are.
    PoolPlain,
    /// Items of a pool with a destructor.
    PoolDrop,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Domain, Self::Cell, Self::PoolPlain, Self::PoolDrop];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Domain => "domain",
            Self::Cell => "cell",
            Self::PoolPlain => "pool-plain",
            Self::PoolDrop => "pool-drop",
        })
    }
}

/// A kind that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownKind;

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the kinds are domain, cell, pool-plain and pool-drop")
    }
}

impl std::error::Error for UnknownKind {}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.to_string() == name)
            .ok_or(UnknownKind)
    }
}

/// Shared pointers to objects.
pub(super) trait Places: Sync {
    /// The object at `index`, for as long as the guard protects it.
    fn load<'a>(&'a self, index: usize, guard: &'a Guard) -> &'a Body;

    /// Puts another object in its place and retires the old one, in one of the
    /// ways that there are.
    fn replace(&self, run: &Run, index: usize, rng: &mut Rng);

    /// Something that may be done at any time, and should change nothing.
    fn disturb(&self, run: &Run, rng: &mut Rng);

    /// Retires what is shared still, waits until all of it is destroyed, and
    /// looks whether nothing is left.
    fn finish(self, run: &Run) -> Stats;
}

/// Makes the places of the run's kind, runs `body` on them, and finishes.
pub(super) fn with(run: &Run, body: impl FnOnce(&dyn Share)) -> Stats {
    fn go<P: Places>(run: &Run, places: P, body: impl FnOnce(&dyn Share)) -> Stats {
        body(&places);
        places.finish(run)
    }
    match run.config.kind {
        Kind::Domain => go(run, Boxes::new(run), body),
        Kind::Cell => go(run, Cells::new(run), body),
        Kind::PoolPlain => go(run, Items::<Body>::new(run), body),
        Kind::PoolDrop => go(run, Items::<Object>::new(run), body),
    }
}

/// [`Places`] without what takes them by value.
pub(super) trait Share: Sync {
    fn load<'a>(&'a self, index: usize, guard: &'a Guard) -> &'a Body;
    fn replace(&self, run: &Run, index: usize, rng: &mut Rng);
    fn disturb(&self, run: &Run, rng: &mut Rng);
}

impl<P: Places> Share for P {
    fn load<'a>(&'a self, index: usize, guard: &'a Guard) -> &'a Body {
        Places::load(self, index, guard)
    }

    fn replace(&self, run: &Run, index: usize, rng: &mut Rng) {
        Places::replace(self, run, index, rng);
    }

    fn disturb(&self, run: &Run, rng: &mut Rng) {
        Places::disturb(self, run, rng);
    }
}

fn disturb_domain(run: &Run, rng: &mut Rng) {
    match rng.u32(..100) {
        0..50 => run.domain.flush(),
        50..60 => drop(run.domain.owned_guard()),
        60..70 => drop(run.domain.register()),
        70..80 => {
            let _ = run.domain.stats();
        }
        80..90 => {
            let _ = run.domain.oldest_section();
        }
        90..98 => {
            let goal = run.domain.advance();
            let _ = run.domain.poll(goal);
        }
        98 => {
            let _ = run.domain.try_synchronize(Duration::from_millis(2));
        }
        _ => {
            let _ = run.domain.try_barrier(Duration::from_millis(2));
        }
    }
}

fn wait_for_destructors(run: &Run) -> Stats {
    if let Err(error) = run.domain.try_barrier(GENEROUS) {
        run.tally.violation(|| format!("barrier: {error}"));
    }
    let stats = run.domain.stats();
    if stats.retired_items != 0 || stats.active_sections != 0 {
        run.tally
            .violation(|| format!("left when all was over: {stats:?}"));
    }
    stats
}

// -- boxes -------------------------------------------------------------------

struct Boxes {
    places: Vec<Atomic<Object>>,
}

impl Boxes {
    fn new(run: &Run) -> Self {
        let places = (0..run.config.places)
            .map(|_| Atomic::new(Object(Body::new(run.tally))))
            .collect();
        Self { places }
    }

    /// # Safety
    ///
    /// `old` was unlinked by the caller, under the guard.
    unsafe fn retire(&self, run: &Run, old: NonNull<Object>, guard: Guard, rng: &mut Rng) {
        if run.config.broken.is_some() {
            let (old, graveyard) = (SendPtr(old), &run.tally.graveyard);
            // SAFETY: it was unlinked and is buried once; the graveyard is static.
            unsafe { guard.defer_unchecked(move || bury(graveyard, old)) };
            return;
        }
        match rng.u32(..10) {
            0..6 => {
                // SAFETY: `free` gets what a box gave up, once.
                unsafe { guard.retire_raw(old.as_ptr(), size_of::<Object>(), free) };
            }
            6..8 => {
                // Outside of the section.
                drop(guard);
                // SAFETY: it is ours, in a box that is dropped when nobody is left.
                let old = unsafe { Owned::from_raw(old.as_ptr()) };
                run.domain.retire(old);
            }
            _ => {
                let owned = run.domain.owned_guard();
                drop(guard);
                // SAFETY: as above.
                unsafe { owned.retire_raw(old.as_ptr(), size_of::<Object>(), free) };
            }
        }
    }
}

struct SendPtr(NonNull<Object>);

// SAFETY: an object may be destroyed anywhere.
unsafe impl Send for SendPtr {}

/// # Safety
///
/// `object` came from a box, and nobody uses it any more.
unsafe fn free(object: *mut Object) {
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(object) });
}

fn bury(graveyard: &Mutex<Vec<Buried>>, object: SendPtr) {
    // SAFETY: it came from a box, and is buried once. Readers that should not be
    // there look at atomics only.
    unsafe { object.0.as_ref() }.0.destroy();
    let raw = object.0.as_ptr().cast::<ManuallyDrop<Object>>();
    // SAFETY: as above; the wrapper has the same layout.
    let buried = unsafe { Box::from_raw(raw) };
    graveyard
        .lock()
        .expect("nobody panics with it")
        .push(Buried(buried));
}

impl Places for Boxes {
    fn load<'a>(&'a self, index: usize, guard: &'a Guard) -> &'a Body {
        let object = self.places[index].load(Ordering::Acquire, guard);
        // SAFETY: a place is never empty, and the guard protects what it holds;
        // if that is broken on purpose, the memory stays until the end.
        let object: &Object = unsafe { object.deref() };
        &object.0
    }

    fn replace(&self, run: &Run, index: usize, rng: &mut Rng) {
        let new = Owned::new(Object(Body::new(run.tally)));
        let guard = run.domain.pin();
        let old = self.places[index].swap(new, Ordering::AcqRel, &guard);
        let old = NonNull::new(old.as_raw().cast_mut()).expect("a place is never empty");
        // SAFETY: unlinked just now, by us alone.
        unsafe { self.retire(run, old, guard, rng) };
    }

    fn disturb(&self, run: &Run, rng: &mut Rng) {
        disturb_domain(run, rng);
    }

    fn finish(self, run: &Run) -> Stats {
        for (index, place) in self.places.iter().enumerate() {
            let guard = run.domain.pin();
            let old = place.swap(smr_core::Shared::null(), Ordering::AcqRel, &guard);
            let old = NonNull::new(old.as_raw().cast_mut()).expect("a place is never empty");
            // SAFETY: unlinked just now, by us alone.
            unsafe { self.retire(run, old, guard, &mut Rng::with_seed(index as u64)) };
        }
        let stats = wait_for_destructors(run);
        run.tally
            .graveyard
            .lock()
            .expect("nobody panics with it")
            .clear();
        stats
    }
}

// -- cells -------------------------------------------------------------------

struct Cells {
    places: Vec<SmrCell<Object>>,
}

impl Cells {
    fn new(run: &Run) -> Self {
        let places = (0..run.config.places)
            .map(|_| SmrCell::new_in(Object(Body::new(run.tally)), &run.domain))
            .collect();
        Self { places }
    }
}

impl Places for Cells {
    fn load<'a>(&'a self, index: usize, guard: &'a Guard) -> &'a Body {
        &self.places[index].load(guard).0
    }

    fn replace(&self, run: &Run, index: usize, rng: &mut Rng) {
        let place = &self.places[index];
        let new = || Object(Body::new(run.tally));
        match rng.u32(..10) {
            0..4 => place.store(new()),
            4..6 => {
                let guard = run.domain.pin();
                place
                    .swap(new(), &guard)
                    .0
                    .visit(run.tally)
                    .leave(run.tally);
            }
            6..8 => {
                let owned = run.domain.owned_guard();
                place.update(&owned, |_| new());
            }
            _ => {
                let guard = run.domain.pin();
                let seen = place.load(&guard);
                let _ = place.compare_exchange(seen, new(), &guard);
            }
        }
    }

    fn disturb(&self, run: &Run, rng: &mut Rng) {
        disturb_domain(run, rng);
    }

    fn finish(self, run: &Run) -> Stats {
        drop(self.places);
        wait_for_destructors(run)
    }
}

// -- pools -------------------------------------------------------------------

/// What a pool holds: a body with or without a destructor.
trait Item: Send + Sync + Sized + 'static {
    fn new(run: &Run) -> Self;
    fn body(&self) -> &Body;
    /// Called where the item is retired.
    fn note_retired(run: &Run);
}

impl Item for Body {
    fn new(run: &Run) -> Self {
        Self::new(run.tally)
    }

    fn body(&self) -> &Body {
        self
    }

    fn note_retired(run: &Run) {
        // Nothing runs when it is used again.
        run.tally.destroyed.fetch_add(1, Ordering::Relaxed);
    }
}

impl Item for Object {
    fn new(run: &Run) -> Self {
        Self(Body::new(run.tally))
    }

    fn body(&self) -> &Body {
        &self.0
    }

    fn note_retired(_: &Run) {}
}

struct Items<T> {
    pool: Pool<T>,
    places: Vec<AtomicPtr<T>>,
}

impl<T: Item> Items<T> {
    fn new(run: &Run) -> Self {
        let pool = Pool::new_in(&run.domain);
        let places = (0..run.config.places)
            .map(|_| AtomicPtr::new(pool.alloc(T::new(run)).into_raw().as_ptr()))
            .collect();
        Self { pool, places }
    }

    fn swap(&self, index: usize, new: *mut T) -> NonNull<T> {
        // AcqRel: publishes the new one, and sees the old one whole.
        let old = self.places[index].swap(new, Ordering::AcqRel);
        NonNull::new(old).expect("a place is never empty")
    }

    /// Whether each free item is there once: takes as many as there are. (Fresh
    /// memory of threads that went is theirs that come after, so some of what this
    /// takes is new.)
    fn count_free_items(&self, run: &Run) {
        let before = self.pool.stats();
        let mut seen = HashSet::new();
        let mut taken = Vec::new();
        for _ in 0..before.free_items {
            let item = self.pool.alloc(T::new(run));
            if !seen.insert(std::ptr::from_ref(&*item).addr()) {
                run.tally.violation(|| "an item was free twice".into());
            }
            taken.push(item);
        }
        let after = self.pool.stats();
        if after.live_items != before.free_items {
            run.tally
                .violation(|| format!("items were lost: {before:?}, then {after:?}"));
        }
        for _ in &taken {
            T::note_retired(run);
        }
    }
}

impl<T: Item> Places for Items<T> {
    fn load<'a>(&'a self, index: usize, _: &'a Guard) -> &'a Body {
        // Acquire: pairs with `swap`.
        let item = self.places[index].load(Ordering::Acquire);
        // SAFETY: a place is never empty, and the guard protects what it holds;
        // if that is broken on purpose, the memory stays until the end.
        unsafe { &*item }.body()
    }

    fn replace(&self, run: &Run, index: usize, rng: &mut Rng) {
        let pool = &self.pool;
        T::note_retired(run);
        match rng.u32(..10) {
            0..4 => {
                let guard = run.domain.pin();
                let new = pool.alloc_in(&guard, T::new(run)).into_raw();
                let old = self.swap(index, new.as_ptr());
                // SAFETY: unlinked just now, by us alone.
                unsafe { pool.retire_in(&guard, old) };
            }
            4..8 => {
                let new = pool.alloc(T::new(run)).into_raw();
                let old = self.swap(index, new.as_ptr());
                // SAFETY: as above; readers that see it came before.
                unsafe { pool.retire(old) };
            }
            8 => {
                let owned = run.domain.owned_guard();
                let new = pool.alloc_in(&*owned, T::new(run)).into_raw();
                let old = self.swap(index, new.as_ptr());
                // SAFETY: as above.
                unsafe { pool.retire_in(&*owned, old) };
            }
            _ => {
                let handle = run.domain.register();
                let new = pool.alloc_in(&handle, T::new(run)).into_raw();
                let old = self.swap(index, new.as_ptr());
                // SAFETY: as above.
                unsafe { pool.retire_in(&handle, old) };
            }
        }
    }

    fn disturb(&self, run: &Run, rng: &mut Rng) {
        match rng.u32(..100) {
            0..40 => disturb_domain(run, rng),
            40..55 => self.pool.flush(),
            // Gives memory back: not where readers go where they should not.
            55..75 if run.is_protected() => {
                self.pool.trim();
            }
            75..90 => {
                let _ = self.pool.stats();
            }
            90..92 => {
                let _ = self.pool.try_barrier(Duration::from_millis(2));
            }
            _ => {
                // Never published.
                let item = self.pool.alloc(T::new(run));
                if rng.bool() {
                    drop(item);
                } else {
                    // SAFETY: never published, retired once.
                    unsafe { self.pool.retire(item.into_raw()) };
                }
                T::note_retired(run);
            }
        }
    }

    fn finish(self, run: &Run) -> Stats {
        for index in 0..self.places.len() {
            let old = self.swap(index, std::ptr::null_mut());
            T::note_retired(run);
            // SAFETY: unlinked just now, by us alone.
            unsafe { self.pool.retire(old) };
        }
        if let Err(error) = self.pool.try_barrier(GENEROUS) {
            run.tally.violation(|| format!("pool barrier: {error}"));
        }
        let stats = self.pool.stats();
        if stats.live_items != 0 || stats.retired_items != 0 {
            run.tally
                .violation(|| format!("left when all was over: {stats:?}"));
        }
        self.count_free_items(run);
        drop(self.pool);
        wait_for_destructors(run)
    }
}

/// The guard of readers that are not protected.
pub(super) fn no_guard() -> &'static Guard {
    // SAFETY: the harness keeps the memory, and nothing is retired through it.
    unsafe { unprotected() }
}
