//! `haphazard`: hazard pointers.
//!
//! Nothing is entered here: a hazard pointer protects one item. A reading
//! thread keeps its hazard pointer, as the crate advises, so that a section is
//! "protect one pointer, drop the protection". The owned guard takes a hazard
//! pointer from the domain each time. Items are boxes given up by `retire_ptr`
//! to a domain of the run's own, which reclaims when a thousand have gathered.
//!
//! A thread that works on a structure keeps three hazard pointers, for an item,
//! the one before it and the one behind it. Links carry marks, which the crate's
//! `protect_ptr` knows nothing of; so an item is announced by `protect_raw`,
//! followed by the full fence that the crate itself executes there.

use std::cell::{RefCell, RefMut};
use std::ptr::NonNull;
use std::sync::atomic::{Ordering, fence};

use haphazard::{Domain, HazardPointer};

use super::{ANNOUNCED, Local, Reclaim, Section, Subject, boxed};

/// Names the domains of the comparison.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) struct Family;

/// Hazard pointers of haphazard.
pub(crate) struct Haphazard(Domain<Family>);

/// The shared pointer.
pub(crate) struct Cell(haphazard::AtomicPtr<u64>);

/// A reader with the hazard pointer that it keeps.
pub(crate) struct Reader<'s> {
    source: &'s haphazard::AtomicPtr<u64>,
    hazard: HazardPointer<'static>,
}

impl Subject for Haphazard {
    const NAME: &'static str = "haphazard";
    const ABOUT: &'static str = "hazard pointers: a kept one, or a new one each time when owned";
}

impl Drop for Cell {
    fn drop(&mut self) {
        // SAFETY: the pointer is no longer shared.
        let value = unsafe { *self.0.get_mut() };
        // SAFETY: made from a box, never retired.
        drop(unsafe { Box::from_raw(value) });
    }
}

impl Section for Haphazard {
    type Shared = Cell;
    type Reader<'s> = Reader<'s>;
    const NESTS: bool = false;
    const OWNED: bool = true;

    fn share(value: u64) -> Cell {
        Cell(haphazard::AtomicPtr::from(Box::new(value)))
    }

    fn reader(shared: &Cell) -> Reader<'_> {
        Reader {
            source: &shared.0,
            hazard: HazardPointer::new(),
        }
    }

    #[inline(always)]
    fn read(reader: &mut Reader<'_>) -> u64 {
        let value = reader.source.safe_load(&mut reader.hazard).copied();
        reader.hazard.reset_protection();
        value.expect("never null")
    }

    #[inline(always)]
    fn owned(reader: &mut Reader<'_>) -> u64 {
        let mut hazard = HazardPointer::new();
        let value = reader.source.safe_load(&mut hazard).copied();
        value.expect("never null")
    }
}

/// A thread's part: its hazard pointers.
pub(crate) struct Kept<'r> {
    domain: &'r Domain<Family>,
    hazards: RefCell<[HazardPointer<'r, Family>; ANNOUNCED]>,
}

/// The hazard pointers at work; they let go when dropped.
pub(crate) struct Hazards<'l, 'r>(RefMut<'l, [HazardPointer<'r, Family>; ANNOUNCED]>);

impl Drop for Hazards<'_, '_> {
    #[inline(always)]
    fn drop(&mut self) {
        for hazard in &mut *self.0 {
            hazard.reset_protection();
        }
    }
}

impl<T: Send + Sync + 'static> Reclaim<T> for Haphazard {
    type Local<'r> = Kept<'r>;

    fn new(_threads: usize) -> Self {
        Self(Domain::new(&Family))
    }

    fn local(&self) -> Kept<'_> {
        let hazards = std::array::from_fn(|_| HazardPointer::new_in_domain(&self.0));
        Kept {
            domain: &self.0,
            hazards: RefCell::new(hazards),
        }
    }
}

impl<'r, T: Send + Sync + 'static> Local<T> for Kept<'r> {
    type Guard<'l>
        = Hazards<'l, 'r>
    where
        Self: 'l;
    const EACH: bool = true;

    #[inline(always)]
    fn enter(&self) -> Hazards<'_, 'r> {
        Hazards(self.hazards.borrow_mut())
    }

    #[inline(always)]
    fn announce(guard: &mut Hazards<'_, 'r>, place: usize, item: *mut T) {
        guard.0[place].protect_raw(item);
        fence(Ordering::SeqCst);
    }

    #[inline(always)]
    fn alloc(&self, make: impl FnOnce() -> T) -> NonNull<T> {
        boxed(make())
    }

    #[inline(always)]
    unsafe fn retire(&self, item: NonNull<T>) {
        // SAFETY: a box, unlinked and given up once.
        unsafe { self.domain.retire_ptr::<T, Box<T>>(item.as_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_domain_has_freed_everything() {
        super::super::testing::frees_everything::<Haphazard>();
    }
}
