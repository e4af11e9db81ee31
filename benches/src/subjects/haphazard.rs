//! `haphazard`: hazard pointers.
//!
//! Nothing is entered here: a hazard pointer protects one item. A reading
//! thread keeps its hazard pointer, as the crate advises, so that a section is
//! "protect one pointer, drop the protection". The owned guard takes a hazard
//! pointer from the domain each time. Items are boxes given up by `retire_ptr`
//! to a domain of the run's own, which reclaims when a thousand have gathered.

use std::ptr::NonNull;
use std::sync::atomic::AtomicPtr;

use haphazard::{Domain, HazardPointer};

use super::{Local, Reclaim, Section, Subject, boxed};

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

impl<T: Send + Sync + 'static> Reclaim<T> for Haphazard {
    type Local<'r> = &'r Domain<Family>;

    fn new(_threads: usize) -> Self {
        Self(Domain::new(&Family))
    }

    fn local(&self) -> &Domain<Family> {
        &self.0
    }
}

impl<'r, T: Send + Sync + 'static> Local<T> for &'r Domain<Family> {
    type Guard<'l>
        = HazardPointer<'r, Family>
    where
        Self: 'l;

    #[inline(always)]
    fn enter(&self) -> HazardPointer<'r, Family> {
        HazardPointer::new_in_domain(self)
    }

    #[inline(always)]
    fn load(guard: &mut HazardPointer<'r, Family>, source: &AtomicPtr<T>) -> *mut T {
        guard
            .protect_ptr(source)
            .map_or(std::ptr::null_mut(), |(item, _)| item.as_ptr())
    }

    #[inline(always)]
    fn alloc(&self, make: impl FnOnce() -> T) -> NonNull<T> {
        boxed(make())
    }

    #[inline(always)]
    unsafe fn retire(&self, item: NonNull<T>) {
        // SAFETY: a box, unlinked and given up once.
        unsafe { self.retire_ptr::<T, Box<T>>(item.as_ptr()) };
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
