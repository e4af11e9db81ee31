//! The functions of `c/ck.c`, checked.
//!
//! - A record belongs to the epoch that it came from, and to one thread: a
//!   [`Record`] borrows its [`Epoch`] and does not leave its thread.
//! - Records live until the epoch ends; then none is in use.
//! - An item has room for an entry until its callback has run: it stands behind
//!   the item in the same box, and the callback frees the box.

use std::marker::PhantomData;
use std::mem::offset_of;
use std::ptr::NonNull;
use std::sync::atomic::AtomicPtr;

/// A `ck_epoch_t`.
#[derive(Debug)]
#[repr(C)]
struct CEpoch([u8; 0]);

/// A `ck_epoch_record_t`.
#[derive(Debug)]
#[repr(C)]
struct CRecord([u8; 0]);

/// Room for a `ck_epoch_entry_t`; its size is asserted in C.
#[derive(Debug)]
#[repr(C)]
struct CEntry([usize; 2]);

/// A callback of the library.
type Gone = unsafe extern "C" fn(*mut CEntry);

unsafe extern "C" {
    fn smr_ck_new() -> *mut CEpoch;
    fn smr_ck_register(epoch: *mut CEpoch) -> *mut CRecord;
    fn smr_ck_unregister(record: *mut CRecord);
    fn smr_ck_destroy(epoch: *mut CEpoch);
    fn smr_ck_enter(record: *mut CRecord);
    fn smr_ck_leave(record: *mut CRecord);
    fn smr_ck_read(record: *mut CRecord, source: *const AtomicPtr<u64>) -> u64;
    fn smr_ck_retire(record: *mut CRecord, entry: *mut CEntry, gone: Gone);
    fn smr_ck_poll(record: *mut CRecord);
}

/// An item with room for its entry.
#[derive(Debug)]
#[repr(C)]
struct Entered<T> {
    /// First, so that a pointer to it is one to the whole.
    item: T,
    entry: CEntry,
}

/// An epoch and its records.
#[derive(Debug)]
pub(crate) struct Epoch(NonNull<CEpoch>);

// SAFETY: the library's epochs are shared between threads.
unsafe impl Send for Epoch {}
// SAFETY: as above.
unsafe impl Sync for Epoch {}

impl Epoch {
    /// A new one.
    pub(crate) fn new() -> Self {
        // SAFETY: may be called at any time.
        let epoch = unsafe { smr_ck_new() };
        Self(NonNull::new(epoch).expect("memory for an epoch"))
    }

    /// A record for this thread.
    pub(crate) fn register(&self) -> Record<'_> {
        // SAFETY: the epoch is alive.
        let record = unsafe { smr_ck_register(self.0.as_ptr()) };
        Record {
            record: NonNull::new(record).expect("memory for a record"),
            _epoch: PhantomData,
            _not_send: PhantomData,
        }
    }
}

impl Drop for Epoch {
    fn drop(&mut self) {
        // SAFETY: records borrow us, so none is in use.
        unsafe { smr_ck_destroy(self.0.as_ptr()) };
    }
}

/// A thread's record.
#[derive(Debug)]
pub(crate) struct Record<'e> {
    record: NonNull<CRecord>,
    _epoch: PhantomData<&'e Epoch>,
    _not_send: PhantomData<*mut ()>,
}

impl Record<'_> {
    /// Enters a section.
    #[inline(always)]
    pub(crate) fn enter(&self) -> Inside<'_> {
        // SAFETY: the record is this thread's.
        unsafe { smr_ck_enter(self.record.as_ptr()) };
        Inside(self)
    }

    /// One section: enter, load, read, leave.
    ///
    /// # Safety
    ///
    /// The pointer leads to a value that is not freed unless by a callback.
    #[inline(always)]
    pub(crate) unsafe fn read(&self, source: &AtomicPtr<u64>) -> u64 {
        // SAFETY: the record is this thread's; the value is the caller's promise.
        unsafe { smr_ck_read(self.record.as_ptr(), source) }
    }

    /// Gives an item up.
    ///
    /// # Safety
    ///
    /// The item came from [`alloc`], is unlinked, and is given up once.
    #[inline(always)]
    pub(crate) unsafe fn retire<T: Send>(&self, item: NonNull<T>) {
        let whole = item.cast::<Entered<T>>().as_ptr();
        // SAFETY: the place of the entry in a live box.
        let entry = unsafe { &raw mut (*whole).entry };
        // SAFETY: the record is this thread's; the entry stays in place until
        // the callback, which is of the item's type.
        unsafe { smr_ck_retire(self.record.as_ptr(), entry, gone::<T>) };
    }

    /// Frees what can be freed, and tries to turn the epoch.
    #[inline(always)]
    pub(crate) fn poll(&self) {
        // SAFETY: the record is this thread's.
        unsafe { smr_ck_poll(self.record.as_ptr()) };
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        // SAFETY: the record is this thread's, and guards borrow us: the wait
        // for the readers that it entails cannot be one for ourselves.
        unsafe { smr_ck_unregister(self.record.as_ptr()) };
    }
}

/// A section; left when dropped.
#[derive(Debug)]
pub(crate) struct Inside<'l>(&'l Record<'l>);

impl Drop for Inside<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: entered once, by this thread.
        unsafe { smr_ck_leave(self.0.record.as_ptr()) };
    }
}

/// An item that can be given up.
#[inline(always)]
pub(crate) fn alloc<T>(item: T) -> NonNull<T> {
    let whole = Entered {
        item,
        entry: CEntry([0; 2]),
    };
    crate::subjects::boxed(whole).cast()
}

/// Runs when no reader can be inside.
unsafe extern "C" fn gone<T>(entry: *mut CEntry) {
    // SAFETY: the library hands back the entry that it was given, which stands
    // in a box of ours.
    let whole = unsafe { entry.byte_sub(offset_of!(Entered<T>, entry)) };
    // SAFETY: boxed in `alloc`, given up once.
    drop(unsafe { Box::from_raw(whole.cast::<Entered<T>>()) });
}
