//! `parking_lot::RwLock`: a reader takes the lock. It must not take it again
//! inside (a writer that waits between would block both), so nothing nests.

use parking_lot::RwLock;

use super::{Section, Subject};

/// The read lock around the load.
#[derive(Debug)]
pub(crate) struct ReadLock;

impl Subject for ReadLock {
    const NAME: &'static str = "parking_lot-rwlock";
    const ABOUT: &'static str = "a read lock around the load";
}

impl Section for ReadLock {
    // Boxed, so that a pointer is followed as everywhere else.
    type Shared = RwLock<Box<u64>>;
    type Reader<'s> = &'s RwLock<Box<u64>>;
    const NESTS: bool = false;
    const OWNED: bool = false;

    fn share(value: u64) -> RwLock<Box<u64>> {
        RwLock::new(Box::new(value))
    }

    fn reader(shared: &RwLock<Box<u64>>) -> &RwLock<Box<u64>> {
        shared
    }

    #[inline(always)]
    fn read(reader: &mut &RwLock<Box<u64>>) -> u64 {
        **reader.read()
    }
}
